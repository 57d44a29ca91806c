//! The S/MIME Baseline Requirements of the CA/Browser Forum, and what stands behind them, as a table of dated rules.
//!
//! A rule binds profiles and the time of issuance. It never makes a certificate unfit: what breaks a SHALL is a warning
//! where a public authority is bound, and everything else is information; private authorities owe none of it.
//! `table` lists the rules, `rule` says what one is, `view` is the certificate as they see it; the other files hold the
//! checks by subject. Sources: SBR is the "Baseline Requirements for the Issuance and Management of Publicly-Trusted
//! S/MIME Certificates", 1.0.10 with the changes up to 1.0.16.

mod authority_information_access;
mod crl_distribution;
#[cfg(test)]
mod documentation;
mod extended_key_usage;
mod extensions;
mod key_identifiers;
mod key_usage;
mod name;
mod organization_identifier;
mod policies;
mod profile;
mod public_key;
mod qc_statements;
mod rule;
mod subject;
mod subject_alternative_name;
mod table;
pub(super) mod text;
mod validity;
mod view;

use crate::certificate::Certificate;

pub use profile::{Choice, Generation, Profile, Type};
use rule::{Answer, LEGACY_END};
pub use rule::{Demand, Lint};
use view::View;

use super::signature::{self, SignatureCheck};
use super::verdict::{Finding, Severity, Use, Verdict};

/// What became of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does not bind this profile, or the certificate has nothing it is about.
    NotApplicable,
    /// It was not in force when the certificate was issued.
    NotEffective,
    /// It is kept.
    Kept,
    /// It is broken.
    Broken(Finding),
}

/// A certificate held against every rule.
#[derive(Debug)]
pub struct Report {
    /// The profile it was held against.
    pub profile: Profile,
    /// Whether a public authority is bound by it.
    pub public: bool,
    /// Every rule and what became of it, in the order of the table.
    pub outcomes: Vec<(&'static Lint, Outcome)>,
}

/// What speaks against a certificate by the rules of a profile, at the time it was issued (its notBefore).
///
/// None of the findings is a block. Nothing is found for what is no end-entity mail certificate, unless a profile is named.
pub fn judge(certificate: &Certificate, choice: Choice) -> Vec<Finding> {
    let report = report(certificate, choice, certificate.not_before_ms);
    let outcomes = report.map(|report| report.outcomes).unwrap_or_default();
    outcomes
        .into_iter()
        .filter_map(|(_, outcome)| if let Outcome::Broken(finding) = outcome { Some(finding) } else { None })
        .collect()
}

/// Lints and the findings of the verdict that say the same with the tenant in view.
const SAID_ALREADY: [(&str, &str); 2] =
    [("lint_crl_points_absent", "crl_none"), ("lint_crl_points_internal", "crl_not_public")];

/// Adds to a verdict what `judge` finds, after all that weighs more; fitness stays what it is.
pub fn add(verdict: &mut Verdict, certificate: &Certificate, choice: Choice) {
    for finding in judge(certificate, choice) {
        let said = SAID_ALREADY.iter().filter(|(lint, _)| *lint == finding.code).any(|(_, code)| {
            verdict.findings.iter().any(|found| found.code == *code && found.certificate_index == Some(0))
        });
        if !said {
            verdict.add(finding);
        }
    }
}

/// Holds a certificate against every rule in force at a time, milliseconds since 1970 UTC; `None` for what no profile is
/// about.
pub fn report(certificate: &Certificate, choice: Choice, issued_ms: i64) -> Option<Report> {
    let (profile, public) = match choice {
        Choice::Named(profile) => (profile, true),
        Choice::Auto => profile_of(certificate)?,
    };
    let view = View::of(certificate, profile)?;
    let outcomes = table::ALL.iter().map(|lint| (lint, outcome(lint, &view, public, issued_ms))).collect();
    Some(Report { profile, public, outcomes })
}

/// Every rule.
pub fn all() -> &'static [Lint] {
    table::ALL
}

fn outcome(lint: &'static Lint, view: &View<'_>, public: bool, issued_ms: i64) -> Outcome {
    if !lint.binds.contain(view.profile) || (lint.public_only && !public) {
        return Outcome::NotApplicable;
    }
    let answer = (lint.check)(view);
    if answer == Answer::Nothing {
        return Outcome::NotApplicable;
    }
    if !lint.in_force(issued_ms) {
        return Outcome::NotEffective;
    }
    let Answer::Broken { observed, expected } = answer else { return Outcome::Kept };
    let severity = if public && lint.demand == Demand::Shall { Severity::Warn } else { Severity::Info };
    Outcome::Broken(Finding {
        code: lint.code,
        severity,
        concerns: Use::Both,
        leaves_open: false,
        observed: Some(observed).filter(|text| !text.is_empty()),
        expected: Some(expected).filter(|text| !text.is_empty()),
        rule: lint.source,
        certificate_index: Some(0),
    })
}

/// Whether its own key signed it: then no authority did.
fn is_self_signed(certificate: &Certificate) -> bool {
    let details = &certificate.details;
    certificate.is_self_issued()
        && signature::check(&details.signature, &details.public_key, None) == SignatureCheck::Good
}

/// The profile of a certificate, and whether it asserts it; `None` for what is no end-entity mail certificate.
fn profile_of(certificate: &Certificate) -> Option<(Profile, bool)> {
    let basic = certificate.details.extensions.basic_constraints;
    if basic.is_some_and(|basic| basic.ca) || is_self_signed(certificate) {
        return None;
    }
    // what binds the view is not asked yet
    let unbound = Profile { subject: Type::Mailbox, generation: Generation::Legacy };
    let view = View::of(certificate, unbound)?;
    if let Some(profile) = policies::asserted(&view).first() {
        return Some((*profile, true));
    }
    let for_mail = extended_key_usage::serves_mail(&view) && !certificate.emails.is_empty();
    let generation = if certificate.not_before_ms < LEGACY_END { Generation::Legacy } else { Generation::Multipurpose };
    for_mail.then(|| (Profile { subject: subject::fitting(&view.subject), generation }, false))
}
