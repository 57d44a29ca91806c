//! Everybody of a run judged, a few people at a time.

use std::collections::BTreeSet;

use crate::error::{Code, Error, Result};
use crate::people::Recipient;
use crate::planning::{Before, Value};
use crate::trust::Retriever;
use crate::validation::{Interrupted, Need, Pace};

use super::gather::{Gathered, Pair};
use super::judge::needs;
use super::{Job, Judge, judge_all};

/// People that are in memory at a time with what their recipients hold, and fetched for together.
pub(super) const AT_A_TIME: usize = 1000;

/// A person and what the recipient holds, judged.
pub(super) struct Judged {
    pub(super) pair: Pair,
    /// The directory's values.
    pub(super) values: Vec<Value>,
    pub(super) before: Before,
    needs: BTreeSet<Need>,
}

impl Judged {
    fn judge(&mut self, judge: &Judge) {
        let Pair { person, recipient, .. } = &self.pair;
        let before = |recipient: &Recipient| judge.recipient(recipient, &person.addresses);
        self.values = judge.person(person);
        self.before = recipient.as_ref().map(before).unwrap_or_default();
        self.needs = needs(&self.values, &self.before);
    }
}

/// Judges the people at these places, once everything was fetched that their verdicts lack. Gives whether that made the
/// evidence another.
///
/// # Errors
/// `cancelled`, `store_failed`.
pub(super) async fn judged(
    job: &Job<'_>,
    gathered: &Gathered,
    places: &[u32],
    judge: &mut Judge,
    retriever: Option<&mut Retriever<'_>>,
) -> Result<(Vec<Judged>, bool)> {
    let item = |place: &u32| {
        let (values, before, needs) = (Vec::new(), Before::default(), BTreeSet::new());
        Ok(Judged { pair: gathered.pair(*place)?, values, before, needs })
    };
    let mut items = places.iter().map(item).collect::<Result<Vec<_>>>()?;
    let rejudge = |judge: &Judge, item: &mut Judged| item.judge(judge);
    let learnt = judge_all(judge, retriever, job.observer, &mut items, rejudge, |item| item.needs.clone()).await?;
    Ok((items, learnt))
}

/// Does something about people on all cores of the machine, with the results in their order. It never waits, so it looks
/// for a caller who wants no more.
///
/// # Errors
/// `cancelled`; those of what is done.
pub(super) fn each<T: Send>(
    job: &Job<'_>,
    people: &[Judged],
    work: impl Fn(&Judged) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let go_on = || !job.observer.is_cancelled();
    let done = Pace::of_machine(&go_on).each(people.len(), |place| people.get(place).map(&work));
    let done = done.map_err(|Interrupted| Error::new(Code::Cancelled))?;
    done.into_iter().flatten().collect()
}
