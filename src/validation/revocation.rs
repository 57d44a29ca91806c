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
    for (index, pair) in path.windows(2).enumerate() {
        let [link, issuer] = pair else { continue };
        match status(link.certificate, *issuer, search) {
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

fn status<'a>(certificate: &Certificate, issuer: Link<'a>, search: &mut Search<'a>) -> Status {
    let evidence = search.evidence;
    let mut usable: Vec<&Crl> = Vec::new();
    let mut cause = None;
    let mut deltas = false;
    for crl in evidence.crls_of(&certificate.details.issuer) {
        deltas |= crl.details.scope.delta;
        match obstacle(crl, certificate, issuer, search) {
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
fn obstacle<'a>(crl: &Crl, certificate: &Certificate, issuer: Link<'a>, search: &mut Search<'a>) -> Option<String> {
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
    let authority = issuer.certificate;
    if authority.details.extensions.key_usage.is_some_and(|usage| !usage.has("cRLSign")) {
        return Some("no cRLSign".to_owned());
    }
    let remember = issuer.pooled.then_some(crl.sha256);
    match search.check(&details.signature, remember, authority) {
        Some(SignatureCheck::Good) => None,
        Some(SignatureCheck::Bad) => Some("signed by another key".to_owned()),
        Some(SignatureCheck::Unsupported) => Some("unsupported signature".to_owned()),
        None => Some("limit of signature checks".to_owned()),
    }
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
