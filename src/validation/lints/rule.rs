//! What a rule is: where it stands, when it is in force, whom it binds, and how a certificate answers it.

use super::profile::Profiles;
use super::view::View;

/// How much the text asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// SHALL, MUST: a violation.
    Shall,
    /// SHOULD: a warning.
    Should,
    /// What other programs note.
    Note,
}

/// What a certificate has to say to a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It has nothing the rule is about.
    Nothing,
    /// It keeps it.
    Kept,
    /// It breaks it.
    Broken { observed: String, expected: String },
}

impl Answer {
    /// Broken without anything to show, or kept.
    pub(super) fn broken_if(broken: bool) -> Self {
        if broken { Self::Broken { observed: String::new(), expected: String::new() } } else { Self::Kept }
    }

    /// Broken by these, or kept if there are none.
    pub(super) fn without(offenders: Vec<String>) -> Self {
        let mut seen: Vec<String> = Vec::new();
        for offender in offenders {
            if !seen.contains(&offender) {
                seen.push(offender);
            }
        }
        match seen.is_empty() {
            true => Self::Kept,
            false => Self::Broken { observed: seen.join(", "), expected: String::new() },
        }
    }

    /// Adds what would have been right.
    pub(super) fn expecting(self, right: impl Into<String>) -> Self {
        match self {
            Self::Broken { observed, .. } => Self::Broken { observed, expected: right.into() },
            other => other,
        }
    }

    /// Nothing unless a condition holds.
    pub(super) fn given(condition: bool, answer: impl FnOnce() -> Self) -> Self {
        if condition { answer() } else { Self::Nothing }
    }
}

/// One rule of the table.
#[derive(Debug, Clone, Copy)]
pub struct Lint {
    /// Stable name.
    pub code: &'static str,
    /// Where it stands, such as `SBR 7.1.2.3 e`.
    pub source: &'static str,
    /// How much it asks for.
    pub demand: Demand,
    /// First issuance it binds, milliseconds since 1970 UTC; always if `None`.
    pub effective_ms: Option<i64>,
    /// First issuance it no longer binds, milliseconds since 1970 UTC; for ever if `None`.
    pub ineffective_ms: Option<i64>,
    /// Whether it says something to public authorities alone.
    pub public_only: bool,
    pub(super) binds: Profiles,
    pub(super) check: fn(&View<'_>) -> Answer,
}

impl Lint {
    /// A rule of the S/MIME Baseline Requirements, in force since their version 1.0.0.
    pub(super) const fn sbr(code: &'static str, source: &'static str, check: fn(&View<'_>) -> Answer) -> Self {
        let mut lint = Self::standard(code, source, check);
        lint.effective_ms = Some(V1_0_0);
        lint
    }

    /// A rule that is older than the requirements.
    pub(super) const fn standard(code: &'static str, source: &'static str, check: fn(&View<'_>) -> Answer) -> Self {
        Self {
            code,
            source,
            demand: Demand::Shall,
            effective_ms: None,
            ineffective_ms: None,
            public_only: false,
            binds: Profiles::ALL,
            check,
        }
    }

    pub(super) const fn should(mut self) -> Self {
        self.demand = Demand::Should;
        self
    }

    pub(super) const fn note(mut self) -> Self {
        self.demand = Demand::Note;
        self
    }

    pub(super) const fn from(mut self, at_ms: i64) -> Self {
        self.effective_ms = Some(at_ms);
        self
    }

    pub(super) const fn until(mut self, at_ms: i64) -> Self {
        self.ineffective_ms = Some(at_ms);
        self
    }

    pub(super) const fn binding(mut self, profiles: Profiles) -> Self {
        self.binds = profiles;
        self
    }

    pub(super) const fn public(mut self) -> Self {
        self.public_only = true;
        self
    }

    /// Whether it binds what was issued then.
    pub(super) fn in_force(&self, issued_ms: i64) -> bool {
        self.effective_ms.is_none_or(|from| from <= issued_ms) && self.ineffective_ms.is_none_or(|to| issued_ms < to)
    }
}

/// Version 1.0.0 of the requirements takes effect.
pub(super) const V1_0_0: i64 = midnight(2023, 9, 1);
/// The Legacy generation ends (ballot SMC08).
pub(super) const LEGACY_END: i64 = midnight(2025, 7, 15);
/// Version 1.0.11, which brings ML-DSA and ML-KEM.
pub(super) const V1_0_11: i64 = midnight(2025, 8, 22);
/// Certificates serve mail and client authentication alone (ballot SMC018).
pub(super) const DEDICATED: i64 = midnight(2027, 7, 1);

/// The start of a day, milliseconds since 1970 UTC (days of the proleptic Gregorian calendar, years from March).
const fn midnight(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    days * 86_400_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_midnights() {
        assert_eq!(V1_0_0, 1_693_526_400_000);
        assert_eq!(LEGACY_END, 1_752_537_600_000);
        assert_eq!(V1_0_11, 1_755_820_800_000);
        assert_eq!(DEDICATED, 1_814_400_000_000);
    }
}
