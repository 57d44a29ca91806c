//! Keys that should not exist: weak by themselves, or because of what they share with the keys of others.
//!
//! A [`Survey`] gathers the keys of a whole directory; `rsa`, `roca` and `curve` look at each key alone, `shared_factors`
//! at all moduli together. Private keys can be computed from what is found, so no factor leaves this room.
//!
//! Not looked for: Debian's predictable keys of 2006 to 2008 (CVE-2008-0166), whose lists would have to be shipped.

mod catalogue;
mod curve;
mod roca;
mod rsa;
mod shared_factors;
mod survey;
#[cfg(test)]
mod testing;

pub use survey::{SHARED_WITH_LIMIT, Survey};

use crate::text::Text;

use super::Severity;
use catalogue::Rule;

/// Why a key should not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakness {
    /// Stable name.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// What was seen, never a part of the private key.
    pub observed: Option<String>,
    /// What would have been right.
    pub expected: Option<String>,
    /// The rule's source.
    pub rule: &'static str,
    /// Owners of the keys it is shared with, the first [`SHARED_WITH_LIMIT`] of them.
    pub shared_with: Vec<u32>,
}

impl Weakness {
    fn of(rule: &Rule) -> Self {
        Self {
            code: rule.code,
            severity: rule.severity,
            observed: None,
            expected: None,
            rule: rule.source,
            shared_with: Vec::new(),
        }
    }

    fn observed(mut self, observed: impl Into<String>) -> Self {
        self.observed = Some(observed.into()).filter(|text| !text.is_empty());
        self
    }

    fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// What it says.
    pub fn message(&self) -> Text {
        let given = [("observed", &self.observed), ("expected", &self.expected)];
        let parameters = given.into_iter().filter_map(|(name, value)| value.clone().map(|value| (name, value)));
        Text::new("weakness", self.code, parameters.collect())
    }
}
