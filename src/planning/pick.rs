//! Which certificate senders will encrypt with.

use crate::validation::{Candidate, CandidateCertificate, outlook_pick};

use super::Value;

/// The value Outlook takes to encrypt to a recipient that holds these values, in this order; fit or not.
pub fn senders_pick<'a>(values: &[&'a Value], at_ms: i64) -> Option<&'a Value> {
    let candidate = |value: &&'a Value| Candidate {
        attribute: value.attribute,
        certificate: value.certificate.as_deref().map(|certificate| CandidateCertificate {
            thumbprint: &certificate.thumbprint,
            not_before_ms: certificate.not_before_ms,
            not_after_ms: certificate.not_after_ms,
        }),
        verdict: &value.verdict,
    };
    let candidates: Vec<_> = values.iter().map(candidate).collect();
    values.get(outlook_pick(&candidates, at_ms)?).copied()
}
