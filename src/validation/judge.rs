//! The verdict on a certificate, and on a value by the certificate that counts in it.

use crate::certificate::{Certificate, SmimeValue};

use super::catalogue as rule;
use super::demands::{self, Demands};
use super::evidence::Evidence;
use super::path::Search;
use super::rules::{Audience, Rules};
use super::verdict::{Finding, Fitness, Severity, Use, Verdict};
use super::{address, container, leaf, tenant};

/// Judges a certificate.
///
/// `embedded` are the certificates that came along with it; they may serve as intermediates, never as anchors. Without an
/// `audience` addresses are not looked at.
pub fn judge(
    certificate: &Certificate,
    embedded: &[Certificate],
    audience: Option<&Audience<'_>>,
    evidence: &Evidence,
    rules: &Rules,
) -> Verdict {
    judge_demanding(certificate, embedded, audience, evidence, rules, &demands::NONE)
}

/// [`judge`], with demands on the path.
pub fn judge_demanding(
    certificate: &Certificate,
    embedded: &[Certificate],
    audience: Option<&Audience<'_>>,
    evidence: &Evidence,
    rules: &Rules,
    demands: &Demands,
) -> Verdict {
    judge_held(certificate, embedded, audience, evidence, rules, demands, container::Checked::default())
}

/// [`judge_demanding`], beside what was found of the certificate's container.
fn judge_held(
    certificate: &Certificate,
    embedded: &[Certificate],
    audience: Option<&Audience<'_>>,
    evidence: &Evidence,
    rules: &Rules,
    demands: &Demands,
    held: container::Checked,
) -> Verdict {
    let mut findings = held.findings;
    let matching = address::check(certificate, audience, rules, &mut findings);
    let search = Search::new(evidence, rules, demands, embedded, matching.domains.as_deref());
    let outcome = search.after(held.signatures).run(certificate);
    leaf::check(certificate, outcome.leaf_is_anchor, rules, &mut findings);
    if let Some(tenant) = evidence.tenant() {
        tenant::check(certificate, &outcome, tenant, rules, &mut findings);
    }
    let subjects = outcome.path.iter().map(|certificate| certificate.subject.clone()).collect();
    findings.extend(outcome.findings);
    Verdict {
        address_match: matching.found,
        address_exact: matching.exact,
        needs: outcome.needs,
        ..conclude(subjects, findings, demands)
    }
}

/// Judges a value by the certificate that Outlook would take from it, and its container; one that holds no certificate is
/// undetermined.
pub fn judge_value(value: &SmimeValue, audience: Option<&Audience<'_>>, evidence: &Evidence, rules: &Rules) -> Verdict {
    judge_value_demanding(value, audience, evidence, rules, &demands::NONE)
}

/// The authorities above the certificate that counts in a value, by the best path: its issuer first, its root last. None
/// where no path ends in an anchor. A certificate that is an anchor itself is its own.
pub fn authorities(
    value: &SmimeValue,
    audience: Option<&Audience<'_>>,
    evidence: &Evidence,
    rules: &Rules,
) -> Vec<Certificate> {
    let Some(certificate) = value.chosen(rules.at_ms) else { return Vec::new() };
    let matching = address::check(certificate, audience, rules, &mut Vec::new());
    let mut search = Search::new(evidence, rules, &demands::NONE, &value.certificates, matching.domains.as_deref());
    let outcome = search.run(certificate);
    if !outcome.complete {
        return Vec::new();
    }
    let own = usize::from(!outcome.leaf_is_anchor);
    outcome.path.into_iter().skip(own).cloned().collect()
}

/// [`judge_value`], with demands on the path.
pub fn judge_value_demanding(
    value: &SmimeValue,
    audience: Option<&Audience<'_>>,
    evidence: &Evidence,
    rules: &Rules,
    demands: &Demands,
) -> Verdict {
    if let Some(certificate) = value.chosen(rules.at_ms) {
        let held = container::check(value, certificate, audience);
        return judge_held(certificate, &value.certificates, audience, evidence, rules, demands, held);
    }
    let finding = if value.reference_only {
        rule::CONTAINER_REFERENCE_ONLY.broken()
    } else {
        rule::NOT_A_CERTIFICATE.broken().observed(beginning(&value.bytes))
    };
    conclude(Vec::new(), vec![finding], demands)
}

/// How a value begins that nobody can read.
fn beginning(bytes: &[u8]) -> String {
    hex::encode_upper(bytes.get(..8).unwrap_or(bytes))
}

fn conclude(path: Vec<String>, mut findings: Vec<Finding>, demands: &Demands) -> Verdict {
    findings.sort_by_key(Finding::weight);
    let against = |finding: &&Finding| finding.severity == Severity::Block || finding.leaves_open;
    // unknown revocation is the caller's to weigh
    let accepted = |finding: &Finding| finding.code == rule::REVOCATION_UNKNOWN.code && !demands.known_revocation;
    let path_valid = findings.iter().filter(against).all(|finding| accepted(finding) || !rule::is_of_path(finding));
    Verdict {
        path_valid,
        encrypt: fitness(&findings, Use::Encrypt),
        sign: fitness(&findings, Use::Sign),
        address_match: None,
        address_exact: None,
        path,
        findings,
        needs: Vec::new(),
    }
}

fn fitness(findings: &[Finding], wanted: Use) -> Fitness {
    let concerning = || findings.iter().filter(|finding| finding.concerns == wanted || finding.concerns == Use::Both);
    if concerning().any(|finding| finding.severity == Severity::Block) {
        Fitness::Unfit
    } else if concerning().any(|finding| finding.leaves_open) {
        Fitness::Undetermined
    } else {
        Fitness::Fit
    }
}
