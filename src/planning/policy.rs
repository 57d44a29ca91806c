//! What of the configuration decides about values.

use crate::certificate::Attribute;
use crate::config::{self, Foreign, Publish, Undetermined};
use crate::validation::{Fitness, Use};

use super::Value;

/// What is published, and what happens to the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The attributes that are synchronised, in the order of rows.
    pub attributes: Vec<Attribute>,
    /// Values per attribute, at most.
    pub max_values: usize,
    /// Bytes per value, at most.
    pub max_value_bytes: usize,
    /// Which fit values are published.
    pub publish: Publish,
    /// What happens to values SmimeSync did not write.
    pub foreign: Foreign,
    /// What an undetermined value means.
    pub undetermined: Undetermined,
    /// Whether recipients mastered on-premises are written.
    pub write_dir_synced: bool,
    /// The time the verdicts were computed for, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

impl Policy {
    /// The configuration's policy; `undetermined` is the one of its section on revocation or the verb's option.
    pub fn new(policy: &config::Policy, undetermined: Undetermined, at_ms: i64) -> Self {
        let named: Vec<_> = policy.attributes.iter().filter_map(|name| Attribute::from_description(name)).collect();
        Self {
            attributes: Attribute::ALL.into_iter().filter(|attribute| named.contains(attribute)).collect(),
            max_values: policy.max_values as usize,
            max_value_bytes: policy.max_value_bytes as usize,
            publish: policy.publish,
            foreign: policy.foreign,
            undetermined,
            write_dir_synced: policy.write_dir_synced,
            at_ms,
        }
    }

    /// Whether a value counts as fit for a use; for [`Use::Both`], for at least one of the two.
    pub fn counts_as_fit(&self, value: &Value, concerns: Use) -> bool {
        // what is no certificate at all stays undetermined, whatever the policy accepts
        let accepts = self.undetermined == Undetermined::Accept && value.certificate.is_some();
        let counts = |fitness| fitness == Fitness::Fit || (accepts && fitness == Fitness::Undetermined);
        match concerns {
            Use::Encrypt => counts(value.verdict.encrypt),
            Use::Sign => counts(value.verdict.sign),
            Use::Both => counts(value.verdict.encrypt) || counts(value.verdict.sign),
        }
    }
}
