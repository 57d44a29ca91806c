//! What stops a run before its first write.

use crate::config::Guard;
use crate::error::{Code, Error};

/// The names that `force` lifts, which are the keys of the configuration's `guard`; the window's length is none.
pub const NAMES: [&str; 7] = [
    "max_removals",
    "max_removals_percent",
    "max_people_losing_last",
    "max_people_losing_last_percent",
    "max_shrink_percent",
    "max_newly_unfit_percent",
    "max_clock_skew_ms",
];

/// Percents of fewer objects than this say nothing.
const FEW: u64 = 5;

/// What a run is about to do, and what it has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardInput {
    /// Recipients that would lose a value.
    pub removals: u64,
    /// Recipients that lost one in earlier runs within the window.
    pub removals_in_window: u64,
    /// People who would lose their last value.
    pub people_losing_last: u64,
    /// People who lost it in earlier runs within the window.
    pub people_losing_last_in_window: u64,
    /// People of this read, where it is complete and unselected and its scope the last one's; else `None`.
    pub people_now: Option<u64>,
    /// People of the last complete read, if there was one.
    pub people_at_last_read: Option<u64>,
    /// People this run looks at: the base of percents where there was no complete read yet.
    pub people_looked_at: u64,
    /// People who had a fit value at the last run and certainly have none now: what is undetermined is not unfit.
    pub newly_unfit: u64,
    /// Difference between this clock and a server's in milliseconds, where one was learned.
    pub clock_skew_ms: Option<i64>,
}

/// A guard that says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tripped {
    /// Its name, one of [`NAMES`].
    pub name: &'static str,
    /// What was seen, in the guard's unit; percents are rounded up.
    pub observed: u64,
    /// What is allowed, in the same unit.
    pub allowed: u64,
}

impl Tripped {
    /// The parameters of its sentence.
    pub fn parameters(self) -> [(&'static str, String); 3] {
        [("guard", self.name.into()), ("observed", self.observed.to_string()), ("allowed", self.allowed.to_string())]
    }
}

impl From<Tripped> for Error {
    fn from(tripped: Tripped) -> Self {
        let error = Self::new(Code::GuardStopped).target(tripped.name);
        tripped.parameters().into_iter().fold(error, |error, (name, value)| error.with(name, value))
    }
}

/// The guards that stop the run, without those that `force` names.
pub fn tripped(input: &GuardInput, guard: &Guard, force: &[impl AsRef<str>]) -> Vec<Tripped> {
    let people = input.people_at_last_read.unwrap_or(input.people_looked_at);
    // a run that takes nothing away is not stopped for what earlier runs took
    let sum = |now: u64, earlier: u64| if now == 0 { 0 } else { now.saturating_add(earlier) };
    let removals = sum(input.removals, input.removals_in_window);
    let losing_last = sum(input.people_losing_last, input.people_losing_last_in_window);
    let shrunk = match (input.people_now, input.people_at_last_read) {
        (Some(now), Some(last)) => last.saturating_sub(now),
        _ => 0,
    };
    let checks = [
        above("max_removals", removals, guard.max_removals.into()),
        above_percent("max_removals_percent", removals, people, guard.max_removals_percent),
        above("max_people_losing_last", losing_last, guard.max_people_losing_last.into()),
        above_percent("max_people_losing_last_percent", losing_last, people, guard.max_people_losing_last_percent),
        above_percent("max_shrink_percent", shrunk, people, guard.max_shrink_percent),
        above_percent("max_newly_unfit_percent", input.newly_unfit, people, guard.max_newly_unfit_percent),
        above("max_clock_skew_ms", input.clock_skew_ms.map_or(0, i64::unsigned_abs), guard.max_clock_skew_ms),
    ];
    let forced = |name: &str| force.iter().any(|lifted| lifted.as_ref() == name);
    checks.into_iter().flatten().filter(|tripped| !forced(tripped.name)).collect()
}

fn above(name: &'static str, observed: u64, allowed: u64) -> Option<Tripped> {
    (observed > allowed).then_some(Tripped { name, observed, allowed })
}

fn above_percent(name: &'static str, objects: u64, people: u64, allowed: u32) -> Option<Tripped> {
    if allowed >= 100 || objects <= FEW {
        return None;
    }
    let percent = (u128::from(objects) * 100).div_ceil(u128::from(people.max(1)));
    // 20.1 % rounds up to 21 and is above 20, exactly 20 % is not
    above(name, u64::try_from(percent).unwrap_or(u64::MAX), allowed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: [&str; 0] = [];

    fn names(input: &GuardInput, force: &[&str]) -> Vec<&'static str> {
        tripped(input, &Guard::default(), force).into_iter().map(|tripped| tripped.name).collect()
    }

    fn calm() -> GuardInput {
        GuardInput { people_at_last_read: Some(100_000), people_now: Some(100_000), ..GuardInput::default() }
    }

    #[test]
    fn every_name_is_a_key_of_the_configuration() {
        for name in NAMES {
            let text = format!("{{\"guard\": {{\"{name}\": 1}}}}");
            assert!(crate::config::parse(&text).is_ok(), "{name}");
        }
    }

    #[test]
    fn removals_are_summed_over_the_window() {
        assert!(names(&GuardInput { removals: 500, ..calm() }, &NOBODY).is_empty());
        assert_eq!(names(&GuardInput { removals: 501, ..calm() }, &NOBODY), ["max_removals"]);
        assert_eq!(names(&GuardInput { removals: 1, removals_in_window: 500, ..calm() }, &NOBODY), ["max_removals"]);
        assert!(names(&GuardInput { removals: 0, removals_in_window: 900, ..calm() }, &NOBODY).is_empty());
    }

    #[test]
    fn percents_are_of_the_last_complete_read_and_count_above_five() {
        let of_ten = |removals| GuardInput { removals, people_at_last_read: Some(10), ..GuardInput::default() };
        assert!(names(&of_ten(5), &NOBODY).is_empty());
        assert_eq!(names(&of_ten(6), &NOBODY), ["max_removals_percent"]);
        let of_hundred = |removals| GuardInput { removals, people_at_last_read: Some(100), ..GuardInput::default() };
        assert!(names(&of_hundred(20), &NOBODY).is_empty());
        assert_eq!(names(&of_hundred(21), &NOBODY), ["max_removals_percent"]);
        assert_eq!(names(&GuardInput { removals: 6, ..GuardInput::default() }, &NOBODY), ["max_removals_percent"]);
    }

    #[test]
    fn a_percentage_of_100_is_off() {
        let guard = Guard { max_removals_percent: 100, ..Guard::default() };
        let input = GuardInput { removals: 50, people_at_last_read: Some(10), ..GuardInput::default() };
        assert!(tripped(&input, &guard, &NOBODY).is_empty());
    }

    #[test]
    fn a_shrunken_source_a_jump_and_a_wrong_clock_stop_it() {
        let input = GuardInput { people_now: Some(79_999), ..calm() };
        assert_eq!(names(&input, &NOBODY), ["max_shrink_percent"]);
        assert!(names(&GuardInput { people_now: Some(80_000), ..calm() }, &NOBODY).is_empty());
        assert!(names(&GuardInput { people_now: None, ..calm() }, &NOBODY).is_empty());
        assert_eq!(names(&GuardInput { newly_unfit: 20_001, ..calm() }, &NOBODY), ["max_newly_unfit_percent"]);
        assert_eq!(names(&GuardInput { clock_skew_ms: Some(-300_001), ..calm() }, &NOBODY), ["max_clock_skew_ms"]);
        assert!(names(&GuardInput { clock_skew_ms: Some(300_000), ..calm() }, &NOBODY).is_empty());
    }

    #[test]
    fn force_lifts_the_named_ones_only() {
        let input = GuardInput { removals: 30_000, people_losing_last: 600, ..calm() };
        assert_eq!(names(&input, &["max_removals"]), ["max_removals_percent", "max_people_losing_last"]);
        let error = Error::from(tripped(&input, &Guard::default(), &NOBODY)[0]);
        assert_eq!((error.code(), error.get_target()), (Code::GuardStopped, Some("max_removals")));
        for part in ["max_removals", "30000", "500"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
