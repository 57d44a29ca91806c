//! Which certificate senders will encrypt with.

use crate::certificate::Attribute;

use super::Value;

/// Findings on purpose that Outlook looks at itself before it takes a certificate to encrypt with.
const PASSED_OVER: [&str; 3] = ["ca_certificate", "extended_key_usage", "key_usage_encrypt"];

/// The value Outlook takes to encrypt to a recipient that holds these values, in this order; fit or not.
///
/// `userSMIMECertificate` comes first, and `userCertificate` is looked at only if the former holds no certificate; there
/// is no falling back from one that turns out bad (KB 2840546, KB 884738). Within an attribute it is the first one valid
/// in time with the right purpose ("Outlook S/MIME certificate selection"). Address, strength, path and revocation do
/// not guide the choice, which is why this does not ask the verdict.
pub fn senders_pick<'a>(values: &[&'a Value], at_ms: i64) -> Option<&'a Value> {
    let of = |attribute| {
        values.iter().copied().filter(move |value: &&Value| value.attribute == attribute && value.certificate.is_some())
    };
    let mut first = of(Attribute::UserSmimeCertificate).peekable();
    match first.peek().copied() {
        Some(front) => Some(first.find(|value| takes(value, at_ms)).unwrap_or(front)),
        None => of(Attribute::UserCertificate).find(|value| takes(value, at_ms)),
    }
}

fn takes(value: &Value, at_ms: i64) -> bool {
    value.certificate.as_ref().is_some_and(|certificate| {
        (certificate.not_before_ms..=certificate.not_after_ms).contains(&at_ms)
            && !value
                .verdict
                .findings
                .iter()
                .any(|finding| finding.certificate_index.unwrap_or(0) == 0 && PASSED_OVER.contains(&finding.code))
    })
}
