//! Rules about the person's own certificate: its dates and its purpose.

use crate::certificate::{Certificate, KeyKind};

use super::catalogue as rule;
use super::rules::Rules;
use super::verdict::Finding;
use super::{moment, structure};

const DAY_MS: i64 = 86_400_000;

/// Everything about the leaf that no path and no person changes.
pub(super) fn check(certificate: &Certificate, is_anchor: bool, rules: &Rules, findings: &mut Vec<Finding>) {
    structure::check(certificate, 0, is_anchor, rules, findings);
    dates(certificate, rules, findings);
    purpose(certificate, findings);
}

/// What of that concerns an authority that signs CRLs with a key of its own.
pub(super) fn check_crl_issuer(certificate: &Certificate, rules: &Rules, findings: &mut Vec<Finding>) {
    structure::check(certificate, 0, false, rules, findings);
    dates(certificate, rules, findings);
}

fn dates(certificate: &Certificate, rules: &Rules, findings: &mut Vec<Finding>) {
    let (start, end) = (certificate.not_before_ms, certificate.not_after_ms);
    let soon = i64::from(rules.expiring_days).saturating_mul(DAY_MS);
    if rules.at_ms > end {
        findings.push(rule::EXPIRED.broken_by(0).observed(moment(end)).expected(moment(rules.at_ms)));
    } else if rules.at_ms < start {
        findings.push(rule::NOT_YET_VALID.broken_by(0).observed(moment(start)).expected(moment(rules.at_ms)));
    } else if end.saturating_sub(rules.at_ms) <= soon {
        findings.push(rule::EXPIRING_SOON.broken_by(0).observed(moment(end)));
    }
}

fn purpose(certificate: &Certificate, findings: &mut Vec<Finding>) {
    let extensions = &certificate.details.extensions;
    if certificate.is_ca() {
        findings.push(rule::CA_CERTIFICATE.broken_by(0));
    }
    let kind = certificate.details.public_key.kind;
    let may = |names: &[&str]| extensions.key_usage.is_none_or(|usage| names.iter().any(|name| usage.has(name)));
    let observed = || {
        extensions
            .key_usage
            .map_or_else(|| certificate.key.clone(), |usage| usage.names().collect::<Vec<_>>().join(", "))
    };
    match encryption_usage(kind) {
        Some(wanted) if may(wanted) => {}
        Some(wanted) => {
            findings.push(rule::KEY_USAGE_ENCRYPT.broken_by(0).observed(observed()).expected(wanted.join(", ")));
        }
        None => findings.push(rule::KEY_USAGE_ENCRYPT.broken_by(0).observed(&certificate.key)),
    }
    let wanted = &["digitalSignature", "nonRepudiation"];
    if matches!(kind, KeyKind::Agreement | KeyKind::Encapsulation) {
        findings.push(rule::KEY_USAGE_SIGN.broken_by(0).observed(&certificate.key));
    } else if !may(wanted) {
        findings.push(rule::KEY_USAGE_SIGN.broken_by(0).observed(observed()).expected(wanted.join(", ")));
    }
    match &extensions.extended_key_usage {
        None => findings.push(rule::EXTENDED_KEY_USAGE_ABSENT.broken_by(0).expected("emailProtection")),
        Some(purposes) if allows_mail(purposes) => {}
        Some(purposes) => {
            let observed = purposes.join(", ");
            findings.push(rule::EXTENDED_KEY_USAGE.broken_by(0).observed(observed).expected("emailProtection"));
        }
    }
    if let Some(policies) = extensions.application_policies.as_ref().filter(|policies| !allows_mail(policies)) {
        let finding = rule::APPLICATION_POLICIES.broken_by(0);
        findings.push(finding.observed(policies.join(", ")).expected("emailProtection"));
    }
}

/// The bits of keyUsage of which one is needed to encrypt to a key; `None` for a key nobody can encrypt to.
fn encryption_usage(kind: KeyKind) -> Option<&'static [&'static str]> {
    match kind {
        KeyKind::Rsa { .. } | KeyKind::Encapsulation => Some(&["keyEncipherment"]),
        KeyKind::Ec(_) | KeyKind::EcOther | KeyKind::Agreement => Some(&["keyAgreement"]),
        KeyKind::Other => Some(&["keyEncipherment", "keyAgreement"]),
        KeyKind::RsaPss { .. } | KeyKind::Dsa | KeyKind::Ed25519 | KeyKind::MlDsa(_) | KeyKind::SignOnly => None,
    }
}

/// Whether purposes include mail.
pub(super) fn allows_mail(purposes: &[String]) -> bool {
    purposes.iter().any(|purpose| purpose == "emailProtection" || purpose == "anyExtendedKeyUsage")
}
