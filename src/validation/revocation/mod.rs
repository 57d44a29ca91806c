//! Revocation: RFC 5280 6.3 by `lists` and the `changes` to them, RFC 6960 by `answers`. For S/MIME a list comes first: the
//! Baseline Requirements demand one of every authority, and responders of few.

mod answers;
mod changes;
mod lists;

use crate::certificate::{Certificate, Entry};

use super::catalogue as rule;
use super::moment;
use super::needs::Needs;
use super::path::{Link, Search};
use super::rules::RevocationCheck;
use super::verdict::Finding;
use answers::Answered;
use lists::Listed;

enum Status {
    Good,
    Revoked(Entry),
    /// Nobody can say, and why.
    Unknown(String),
}

/// Looks every certificate of a complete path up, the anchor excepted.
pub(super) fn check<'a>(
    path: &[Link<'a>],
    search: &mut Search<'a>,
    findings: &mut Vec<Finding>,
    needs: &mut Needs<'a>,
) {
    if search.rules.revocation == RevocationCheck::Off {
        return;
    }
    for (index, link) in path.iter().enumerate().take(path.len().saturating_sub(1)) {
        let above = path.get(index + 1..).unwrap_or_default();
        match status(link.certificate, above, search, needs) {
            Status::Good => {}
            Status::Revoked(entry) => {
                let rule = if index == 0 { &rule::REVOKED } else { &rule::ISSUER_REVOKED };
                let observed = format!("{} {}", reason_name(entry.reason), moment(entry.at_ms));
                findings.push(rule.broken_by(index).observed(observed));
            }
            Status::Unknown(cause) => findings.push(rule::REVOCATION_UNKNOWN.broken_by(index).observed(cause)),
        }
    }
}

/// What lists and answers say together; who says revoked is right. `above`: the certificates of the path that stand above
/// it, its issuer first.
fn status<'a>(
    certificate: &'a Certificate,
    above: &[Link<'a>],
    search: &mut Search<'a>,
    needs: &mut Needs<'a>,
) -> Status {
    if is_never_revoked(certificate) {
        return Status::Good;
    }
    let listed = lists::look_up(certificate, above, search);
    if matches!(listed.status, Status::Revoked(_)) {
        return listed.status;
    }
    let answered = answers::look_up(certificate, above, search);
    if let Some(Status::Revoked(entry)) = answered.status {
        return Status::Revoked(entry);
    }
    if search.rules.revocation == RevocationCheck::Online {
        state_needs(certificate, above, &listed, &answered, needs);
    }
    let issuer = above.first().map(|link| link.certificate);
    match (listed.status, answered.status) {
        (Status::Unknown(_), Some(Status::Good)) => Status::Good,
        (Status::Unknown(cause), Some(Status::Unknown(answer))) => {
            Status::Unknown(needs.with_failures(certificate, issuer, format!("{cause}; OCSP {answer}")))
        }
        (Status::Unknown(cause), _) => Status::Unknown(needs.with_failures(certificate, issuer, cause)),
        (listed, _) => listed,
    }
}

/// Says what could settle the status of a certificate, or make it newer.
fn state_needs<'a>(
    certificate: &'a Certificate,
    above: &[Link<'a>],
    listed: &Listed<'a>,
    answered: &Answered<'a>,
    needs: &mut Needs<'a>,
) {
    let extensions = &certificate.details.extensions;
    let without_list = matches!(listed.status, Status::Unknown(_));
    let unsettled = without_list && !matches!(answered.status, Some(Status::Good));
    let asked_for_lists = (unsettled || (without_list && listed.outdated))
        && needs.crls(extensions.distribution_points.iter(), listed.covered);
    for crl in &listed.without_changes {
        needs.changes(extensions.freshest.iter().chain(&crl.details.freshest));
    }
    if !unsettled {
        return;
    }
    if listed.without_changes.is_empty() {
        needs.changes(extensions.freshest.iter());
    }
    if asked_for_lists || answered.is_final {
        return;
    }
    match (answered.responder, above.first()) {
        // not the answer is missing, but whether its signer may be believed
        (Some(responder), _) => {
            needs.crls(responder.details.extensions.distribution_points.iter(), listed.covered);
        }
        (None, Some(issuer)) => needs.answer(certificate, issuer.certificate),
        (None, None) => {}
    }
}

/// RFC 9608: its issuer publishes nothing about it. An authority must not say so, nor one that says where its CRL is.
fn is_never_revoked(certificate: &Certificate) -> bool {
    let extensions = &certificate.details.extensions;
    extensions.no_revocation && extensions.distribution_points.is_empty() && !certificate.is_ca()
}

/// Names of RFC 5280 5.3.1.
fn reason_name(reason: u8) -> &'static str {
    match reason {
        1 => "keyCompromise",
        2 => "cACompromise",
        3 => "affiliationChanged",
        4 => "superseded",
        5 => "cessationOfOperation",
        6 => "certificateHold",
        8 => "removeFromCRL",
        9 => "privilegeWithdrawn",
        10 => "aACompromise",
        _ => "unspecified",
    }
}
