//! What the one who asks demands of a path, beside what holds for everybody.

use crate::certificate::PolicyId;

/// The inputs of RFC 5280 6.1.1 (c), (e), (f) and (g), and what unknown revocation means for `path_valid`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demands {
    /// The policies of which one has to hold, user-initial-policy-set; empty is any.
    pub policies: Vec<PolicyId>,
    /// Whether a valid policy is demanded, initial-explicit-policy.
    pub explicit_policy: bool,
    /// Whether mappings are of no effect, initial-policy-mapping-inhibit.
    pub inhibit_mapping: bool,
    /// Whether anyPolicy is of no effect, initial-any-policy-inhibit.
    pub inhibit_any: bool,
    /// Whether a path whose revocation is not known is invalid.
    pub known_revocation: bool,
}

/// Nothing beside what holds for everybody.
pub(super) static NONE: Demands = Demands {
    policies: Vec::new(),
    explicit_policy: false,
    inhibit_mapping: false,
    inhibit_any: false,
    known_revocation: false,
};
