//! From a verdict to the one reason a value is not published for.

use super::verdict::{Fitness, Severity, Verdict};

/// The codes of findings that stand for a reason, the first reason that applies first.
const REASONS: &[(&str, &[&str])] = &[
    ("expired", &["expired"]),
    ("revoked", &["revoked", "issuer_revoked"]),
    (
        "wrong_purpose",
        &["ca_certificate", "key_usage_encrypt", "key_usage_sign", "extended_key_usage", "issuer_extended_key_usage"],
    ),
    ("other_person", &["address_other"]),
    ("weak", &["weak_key", "weak_signature", "rsa_exponent"]),
];

/// What leaves a value undetermined that the tenant could not build a path for, and nothing else.
pub const NOT_IN_TENANT: &str = "tenant_chain";

/// Why a value is not fit for publishing: a reason of the contract, else the code of its first block; `None` if it is fit.
pub fn reason(verdict: &Verdict) -> Option<&'static str> {
    match verdict.fitness() {
        Fitness::Fit => return None,
        Fitness::Undetermined => {
            let mut open = verdict.findings.iter().filter(|finding| finding.leaves_open);
            let blocks = verdict.findings.iter().any(|finding| finding.severity == Severity::Block);
            let tenant_alone = !blocks && open.all(|finding| finding.code == NOT_IN_TENANT);
            return Some(if tenant_alone { NOT_IN_TENANT } else { "undetermined" });
        }
        Fitness::Unfit => {}
    }
    let blocks = || verdict.findings.iter().filter(|finding| finding.severity == Severity::Block);
    REASONS
        .iter()
        .find(|(_, codes)| blocks().any(|finding| codes.contains(&finding.code)))
        .map(|(reason, _)| *reason)
        .or_else(|| blocks().next().map(|finding| finding.code))
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::*;
    use crate::text::{Culture, exists};

    #[test]
    fn reasons_stand_on_codes_that_exist() {
        for code in REASONS.iter().flat_map(|(_, codes)| *codes).chain([&NOT_IN_TENANT]) {
            assert!(catalogue::ALL.iter().any(|rule| rule.code == *code), "{code}");
        }
    }

    #[test]
    fn every_reason_of_a_run_has_a_remedy() {
        let planning = [
            "expired",
            "revoked",
            "wrong_purpose",
            "other_person",
            "weak",
            "hides_better",
            "over_limit",
            "vanished",
            "no_recipient",
            "no_address",
            "ambiguous",
            "dir_synced",
            "held",
            "no_room",
            "newer_chosen",
            "duplicate",
            "undetermined",
            "unfit",
            "unread",
            "unreadable",
            "scope_changed",
            "not_published",
            NOT_IN_TENANT,
        ];
        for reason in planning {
            assert!(exists(Culture::English, "remedy", reason), "no remedy for {reason}");
        }
    }
}
