//! Revocation by the CRLs at hand: RFC 5280 6.3 for complete lists of the issuer itself.

use crate::certificate::{Certificate, Crl, CrlDefect, DistributionPoint, Entry};

use super::catalogue as rule;
use super::path::{Link, Search};
use super::rules::RevocationCheck;
use super::signature::SignatureCheck;
use super::verdict::Finding;
use super::{moment, structure};

const CERTIFICATE_HOLD: u8 = 6;

enum Status {
    Good,
    Revoked(Entry),
    /// Nobody can say, and why.
    Unknown(String),
}

/// Looks every certificate of a complete path up, the anchor excepted.
pub(super) fn check<'a>(path: &[Link<'a>], search: &mut Search<'a>, findings: &mut Vec<Finding>) {
    if search.rules.revocation == RevocationCheck::Off {
        return;
    }
    for (index, link) in path.iter().enumerate().take(path.len().saturating_sub(1)) {
        let above = path.get(index + 1..).unwrap_or_default();
        match status(link.certificate, above, search) {
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

/// `above`: the certificates of the path that stand above it, its issuer first.
fn status<'a>(certificate: &Certificate, above: &[Link<'a>], search: &mut Search<'a>) -> Status {
    let evidence = search.evidence;
    let mut usable: Vec<&Crl> = Vec::new();
    let mut cause = None;
    let mut deltas = false;
    for crl in evidence.crls_of(&certificate.details.issuer) {
        deltas |= crl.details.scope.delta;
        match obstacle(crl, certificate, above, search) {
            None => usable.push(crl),
            Some(found) => {
                cause.get_or_insert(found);
            }
        }
    }
    // of lists with one scope only the newest counts, so that a hold can end
    let newest: Vec<&Crl> = usable
        .iter()
        .filter(|crl| {
            usable
                .iter()
                .all(|other| other.details.scope != crl.details.scope || other.this_update_ms <= crl.this_update_ms)
        })
        .copied()
        .collect();
    if newest.is_empty() {
        return Status::Unknown(cause.unwrap_or_else(|| "no CRL".to_owned()));
    }
    let entry = newest.iter().find_map(|crl| crl.details.entries.get(&certificate.details.serial));
    match entry {
        // a delta, which this engine does not read yet, may add a certificate or take a hold back
        Some(entry) if deltas && entry.reason == CERTIFICATE_HOLD => Status::Unknown("deltaCRLIndicator".to_owned()),
        Some(entry) => Status::Revoked(*entry),
        None if deltas => Status::Unknown("deltaCRLIndicator".to_owned()),
        None => Status::Good,
    }
}

/// Why nothing about a certificate can be concluded from a CRL; `None` if it can be.
fn obstacle<'a>(crl: &Crl, certificate: &Certificate, above: &[Link<'a>], search: &mut Search<'a>) -> Option<String> {
    let details = &crl.details;
    let at_ms = search.rules.at_ms;
    if details.scope.delta {
        return Some("deltaCRLIndicator".to_owned());
    }
    if let Some(defect) = details.defect.map(CrlDefect::name) {
        return Some(defect.to_owned());
    }
    let is_ca = certificate.details.extensions.basic_constraints.is_some_and(|basic| basic.ca);
    if details.scope.only_users && is_ca {
        return Some("onlyContainsUserCerts".to_owned());
    }
    if details.scope.only_authorities && !is_ca {
        return Some("onlyContainsCACerts".to_owned());
    }
    if let Some(point) = &details.scope.point
        && !covers(point, &certificate.details.extensions.distribution_points)
    {
        return Some("distributionPoint".to_owned());
    }
    match crl.next_update_ms {
        _ if at_ms < crl.this_update_ms => return Some(format!("thisUpdate {}", moment(crl.this_update_ms))),
        Some(next) if at_ms > next => return Some(format!("nextUpdate {}", moment(next))),
        Some(_) => {}
        None => return Some("no nextUpdate".to_owned()),
    }
    if details.signature.scheme.hash().is_some_and(|hash| structure::is_weak(hash, search.rules)) {
        return Some("weak signature".to_owned());
    }
    // an authority that changed its key may sign its list with either; both are validated, being of this path
    let signers = above.iter().filter(|link| link.certificate.details.subject == details.issuer);
    let mut cause = "signed by another key";
    for signer in signers {
        let authority = signer.certificate;
        if authority.details.extensions.key_usage.is_some_and(|usage| !usage.has("cRLSign")) {
            cause = "no cRLSign";
            continue;
        }
        let remember = signer.pooled.then_some(crl.sha256);
        match search.check(&details.signature, remember, authority) {
            Some(SignatureCheck::Good) => return None,
            Some(SignatureCheck::Bad) => {}
            Some(SignatureCheck::Unsupported) => cause = "unsupported signature",
            None => cause = "limit of signature checks",
        }
    }
    Some(cause.to_owned())
}

/// Whether a list for one distribution point is the one that the certificate names, for all reasons (RFC 5280 6.3.3 (b)(2)).
fn covers(point: &DistributionPoint, named: &[DistributionPoint]) -> bool {
    !point.relative
        && named.iter().any(|own| {
            !own.some_reasons && !own.other_issuer && own.names.iter().any(|name| point.names.contains(name))
        })
}

/// Names of RFC 5280 5.3.1.
fn reason_name(reason: u8) -> &'static str {
    match reason {
        1 => "keyCompromise",
        2 => "cACompromise",
        3 => "affiliationChanged",
        4 => "superseded",
        5 => "cessationOfOperation",
        CERTIFICATE_HOLD => "certificateHold",
        8 => "removeFromCRL",
        9 => "privilegeWithdrawn",
        10 => "aACompromise",
        _ => "unspecified",
    }
}
