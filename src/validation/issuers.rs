//! Rules about the authorities of a path: RFC 5280 6.1.3 and 6.1.4 without names and policies, and purposes along the path.

use super::catalogue as rule;
use super::path::Link;
use super::rules::Rules;
use super::signature::SignatureCheck;
use super::verdict::Finding;
use super::{leaf, moment, structure};

/// Checks a path, leaf first. The leaf's own dates, form and purpose are looked at elsewhere.
pub(super) fn check(path: &[Link<'_>], rules: &Rules, findings: &mut Vec<Finding>) {
    let mut intermediates = 0;
    for (index, link) in path.iter().enumerate() {
        // the link above a certificate holds what came of its signature
        match path.get(index + 1).map(|above| (above.signature, &above.certificate.subject)) {
            Some((SignatureCheck::Bad, issuer)) => {
                findings.push(rule::SIGNATURE_INVALID.broken_by(index).observed(issuer));
            }
            Some((SignatureCheck::Unsupported | SignatureCheck::Pending, _)) => {
                let finding = rule::SIGNATURE_ALGORITHM_UNSUPPORTED.broken_by(index);
                findings.push(finding.observed(&link.certificate.signature));
            }
            Some((SignatureCheck::Good, _)) | None => {}
        }
        if index > 0 && link.certificate.details.extensions.policies.maps_any() {
            findings.push(rule::POLICY_MAPPING_ANY.broken_by(index));
        }
        if index == 0 {
            continue;
        }
        structure::check(link.certificate, index, link.anchor.is_some(), rules, findings);
        dates(link, index, rules, findings);
        authority(link, index, intermediates, findings);
        if !link.certificate.is_self_issued() {
            intermediates += 1;
        }
    }
}

fn dates(link: &Link<'_>, index: usize, rules: &Rules, findings: &mut Vec<Finding>) {
    let (start, end) = (link.certificate.not_before_ms, link.certificate.not_after_ms);
    if rules.at_ms > end {
        findings.push(rule::ISSUER_EXPIRED.broken_by(index).observed(moment(end)).expected(moment(rules.at_ms)));
    } else if rules.at_ms < start {
        findings
            .push(rule::ISSUER_NOT_YET_VALID.broken_by(index).observed(moment(start)).expected(moment(rules.at_ms)));
    }
}

/// `below`: how many intermediates stand between it and the leaf, self-issued ones not counted (RFC 5280 6.1.4 (l)).
fn authority(link: &Link<'_>, index: usize, below: u32, findings: &mut Vec<Finding>) {
    let details = &link.certificate.details;
    let extensions = &details.extensions;
    let basic = extensions.basic_constraints;
    // anchors of version 1 have no extension to say it with
    let may_omit = link.anchor.is_some() && details.version < 3;
    if !basic.is_some_and(|basic| basic.ca) && !may_omit {
        findings.push(rule::ISSUER_NOT_CA.broken_by(index).observed(&link.certificate.subject));
    }
    if let Some(allowed) = basic.and_then(|basic| basic.path_length)
        && below > allowed
    {
        let finding = rule::PATH_LENGTH_EXCEEDED.broken_by(index);
        findings.push(finding.observed(below.to_string()).expected(allowed.to_string()));
    }
    if let Some(usage) = extensions.key_usage
        && !usage.has("keyCertSign")
    {
        let observed = usage.names().collect::<Vec<_>>().join(", ");
        findings.push(rule::ISSUER_KEY_USAGE.broken_by(index).observed(observed).expected("keyCertSign"));
    }
    if let Some(purposes) = &extensions.extended_key_usage
        && !leaf::allows_mail(purposes)
    {
        let finding = rule::ISSUER_EXTENDED_KEY_USAGE.broken_by(index);
        findings.push(finding.observed(purposes.join(", ")).expected("emailProtection"));
    }
    if let Some(policies) = extensions.application_policies.as_ref().filter(|policies| !leaf::allows_mail(policies)) {
        let finding = rule::ISSUER_APPLICATION_POLICIES.broken_by(index);
        findings.push(finding.observed(policies.join(", ")).expected("emailProtection"));
    }
}
