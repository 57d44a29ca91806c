//! Judging people on all cores of the machine.

use crate::error::{Code, Error, Result};
use crate::people::Person;
use crate::planning::Value;
use crate::validation::{Interrupted, Pace};

use super::{Judge, Observer, Phase};

/// The values of people, judged; in the people's order.
///
/// # Errors
/// `cancelled` once the observer wants no more.
pub(super) fn judge_all(judge: &Judge, people: &[Person], observer: &dyn Observer) -> Result<Vec<Vec<Value>>> {
    observer.begin(Phase::Judging, people.len());
    let tick = || {
        observer.step();
        !observer.is_cancelled()
    };
    judge.people(people, &Pace::of_machine(&tick)).map_err(|Interrupted| Error::new(Code::Cancelled))
}
