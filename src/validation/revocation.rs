//! Revocation by the CRLs at hand: RFC 5280 6.3 with all that a list can be: for some certificates, for some reasons,
//! for other issuers' certificates, signed with a key of its own, or the changes since another one.

use std::cmp::Ordering;

use crate::certificate::{
    Certificate, Crl, CrlDefect, DistributionPoint, Entry, NameKey, Reasons, Sha256, directory_key,
};

use super::catalogue as rule;
use super::path::{Link, Search};
use super::rules::RevocationCheck;
use super::signature::SignatureCheck;
use super::verdict::Finding;
use super::{moment, structure};

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

/// A complete list that was taken into account.
struct Taken<'a> {
    crl: &'a Crl,
    /// Whose key signed it.
    key: &'a [u8],
}

/// `above`: the certificates of the path that stand above it, its issuer first.
fn status<'a>(certificate: &'a Certificate, above: &[Link<'a>], search: &mut Search<'a>) -> Status {
    if is_never_revoked(certificate) {
        return Status::Good;
    }
    let (lists, out_of_scope) = candidates(certificate, search);
    let mut cause: Option<String> = None;
    let mut covered = Reasons::NONE;
    let mut taken: Vec<Taken<'a>> = Vec::new();
    for (crl, reasons) in lists {
        let signer = match usable(crl, search).and_then(|()| signer(crl, above, search)) {
            Ok(signer) => signer,
            Err(found) => {
                cause.get_or_insert(found);
                continue;
            }
        };
        let key = &*signer.certificate.details.public_key.spki;
        // of lists with one scope and one key only the newest counts, so that a hold can end
        if taken.iter().any(|newer| newer.key == key && newer.crl.details.scope == crl.details.scope) {
            continue;
        }
        let changes = Changes::of(crl, &signer, search);
        if !is_current(crl, search.rules.at_ms) && changes.applied.is_none() {
            cause.get_or_insert_with(|| outdated(crl, search.rules.at_ms));
            continue;
        }
        if let Some(entry) = changes.entry(crl, certificate) {
            return Status::Revoked(entry);
        }
        covered = covered.or(reasons);
        taken.push(Taken { crl, key });
    }
    if covered == Reasons::ALL {
        Status::Good
    } else if taken.is_empty() {
        Status::Unknown(cause.unwrap_or_else(|| out_of_scope.unwrap_or("no CRL").to_owned()))
    } else {
        Status::Unknown(cause.unwrap_or_else(|| "onlySomeReasons".to_owned()))
    }
}

/// RFC 9608: its issuer publishes nothing about it. An authority must not say so, nor one that says where its CRL is.
fn is_never_revoked(certificate: &Certificate) -> bool {
    let extensions = &certificate.details.extensions;
    extensions.no_revocation && extensions.distribution_points.is_empty() && !certificate.is_ca()
}

/// The complete lists about a certificate and the reasons each is about, the newest first; and why the others are not.
fn candidates<'a>(
    certificate: &'a Certificate,
    search: &Search<'a>,
) -> (Vec<(&'a Crl, Reasons)>, Option<&'static str>) {
    let mut cause: Option<&'static str> = None;
    let details = &certificate.details;
    let implicit = DistributionPoint::of_issuer(&details.issuer);
    let points = || details.extensions.distribution_points.iter().chain([&implicit]);
    let mut issuers: Vec<&NameKey> = points().filter_map(|point| point.issuers.as_deref()).flatten().collect();
    issuers.push(&details.issuer);
    issuers.sort();
    issuers.dedup();
    let mut found = Vec::new();
    for crl in issuers.into_iter().flat_map(|issuer| search.evidence.crls_of(issuer)) {
        if crl.details.base.is_some() {
            cause.get_or_insert("deltaCRLIndicator");
            continue;
        }
        let mut reasons = Reasons::NONE;
        for point in points() {
            match in_scope(crl, certificate, point) {
                Ok(of_point) => reasons = reasons.or(of_point),
                Err(obstacle) => {
                    cause.get_or_insert(obstacle);
                }
            }
        }
        if reasons != Reasons::NONE {
            found.push((crl, reasons));
        }
    }
    found.sort_by(|(left, _), (right, _)| newest_first(left, right));
    (found, cause)
}

fn newest_first(left: &Crl, right: &Crl) -> Ordering {
    let age = right.this_update_ms.cmp(&left.this_update_ms);
    age.then_with(|| right.details.number.cmp(&left.details.number)).then_with(|| left.sha256.cmp(&right.sha256))
}

/// The reasons for which a list is the one of a certificate's distribution point (RFC 5280 6.3.3 (b) and (d)).
fn in_scope(crl: &Crl, certificate: &Certificate, point: &DistributionPoint) -> Result<Reasons, &'static str> {
    let (details, scope) = (&crl.details, &crl.details.scope);
    let own = details.issuer == certificate.details.issuer;
    let named = match &point.issuers {
        Some(issuers) => issuers.contains(&details.issuer) && (scope.indirect || own),
        None => own,
    };
    if !named {
        return Err("cRLIssuer");
    }
    let is_authority = certificate.details.extensions.basic_constraints.is_some_and(|basic| basic.ca);
    if scope.only_users && is_authority {
        return Err("onlyContainsUserCerts");
    }
    if scope.only_authorities && !is_authority {
        return Err("onlyContainsCACerts");
    }
    if let Some(of_list) = &scope.point {
        let of_list = of_list.names(&details.issuer);
        let mut of_certificate = point.names(&details.issuer);
        if of_certificate.is_empty() {
            of_certificate = point.issuers.iter().flatten().map(directory_key).collect();
        }
        if !of_list.iter().any(|name| of_certificate.contains(name)) {
            return Err("distributionPoint");
        }
    }
    Ok(point.reasons.and(scope.reasons))
}

/// Why nothing can be concluded from a list, whatever it is about and whoever signed it.
fn usable(crl: &Crl, search: &Search<'_>) -> Result<(), String> {
    if let Some(defect) = crl.details.defect.map(CrlDefect::name) {
        return Err(defect.to_owned());
    }
    if search.rules.at_ms < crl.this_update_ms {
        return Err(format!("thisUpdate {}", moment(crl.this_update_ms)));
    }
    if crl.details.signature.scheme.hash().is_some_and(|hash| structure::is_weak(hash, search.rules)) {
        return Err("weak signature".to_owned());
    }
    Ok(())
}

fn is_current(crl: &Crl, at_ms: i64) -> bool {
    crl.next_update_ms.is_some_and(|next| at_ms <= next)
}

fn outdated(crl: &Crl, at_ms: i64) -> String {
    match crl.next_update_ms {
        Some(next) if at_ms > next => format!("nextUpdate {}", moment(next)),
        _ => "no nextUpdate".to_owned(),
    }
}

/// The authority that signed a list: of this path, or one with the same anchor whose own path is good (RFC 5280 6.3.3 (f)).
fn signer<'a>(crl: &Crl, above: &[Link<'a>], search: &mut Search<'a>) -> Result<Link<'a>, String> {
    let evidence = search.evidence;
    let anchor = above.last().map(|link| link.certificate.sha256);
    let of_path = above.iter().copied().filter(|link| link.certificate.details.subject == crl.details.issuer);
    let of_path: Vec<Link<'a>> = of_path.collect();
    let others: Vec<Link<'a>> = evidence
        .intermediates_named(&crl.details.issuer)
        .filter(|other| of_path.iter().all(|link| link.certificate.sha256 != other.sha256))
        .map(|certificate| super::path::link(certificate, None, true))
        .collect();
    let in_path = of_path.len();
    let mut cause = "signed by another key";
    for (index, link) in of_path.into_iter().chain(others).enumerate() {
        let authority = link.certificate;
        match signature(crl, &link, search) {
            Some(SignatureCheck::Bad) => continue,
            Some(SignatureCheck::Unsupported | SignatureCheck::Pending) => {
                cause = "unsupported signature";
                continue;
            }
            None => return Err("limit of signature checks".to_owned()),
            Some(SignatureCheck::Good) => {}
        }
        if authority.details.extensions.key_usage.is_some_and(|usage| !usage.has("cRLSign")) {
            cause = "no cRLSign";
        } else if index < in_path || anchor.is_some_and(|anchor| search.vouches(authority, anchor)) {
            return Ok(link);
        } else {
            cause = "signed by an authority without a good path";
        }
    }
    Err(cause.to_owned())
}

fn signature<'a>(crl: &Crl, signer: &Link<'a>, search: &mut Search<'a>) -> Option<SignatureCheck> {
    let remember: Option<Sha256> = signer.pooled.then_some(crl.sha256);
    search.check(&crl.details.signature, remember, signer)
}

/// The newest lists of changes that belong to a complete list: same issuer, scope and key (RFC 5280 6.3.3 (c) and (h)).
struct Changes<'a> {
    /// The one that builds on this list or an older one, so that both together are a complete list.
    applied: Option<&'a Crl>,
    /// One that builds on a list nobody has: what it adds is known, what it takes back is not.
    ahead: Option<&'a Crl>,
}

impl<'a> Changes<'a> {
    fn of(complete: &Crl, signer: &Link<'a>, search: &mut Search<'a>) -> Self {
        let mut changes = Self { applied: None, ahead: None };
        let Some(number) = &complete.details.number else { return changes };
        let mut deltas: Vec<(&'a Crl, bool)> = Vec::new();
        for delta in search.evidence.crls_of(&complete.details.issuer) {
            let Some(base) = &delta.details.base else { continue };
            let newer = delta.details.number.as_ref().is_some_and(|delta| delta > number);
            if newer && delta.details.scope == complete.details.scope && is_current(delta, search.rules.at_ms) {
                deltas.push((delta, base <= number));
            }
        }
        deltas.sort_by(|(left, _), (right, _)| newest_first(left, right));
        for (delta, applies) in deltas {
            let place = if applies { &mut changes.applied } else { &mut changes.ahead };
            if place.is_none()
                && usable(delta, search).is_ok()
                && signature(delta, signer, search) == Some(SignatureCheck::Good)
            {
                *place = Some(delta);
            }
        }
        changes
    }

    /// What a complete list and its changes say about a certificate.
    fn entry(&self, complete: &Crl, certificate: &Certificate) -> Option<Entry> {
        let listed = |crl: &Crl| crl.details.entry(&certificate.details.issuer, &certificate.details.serial);
        let ahead = self.ahead.and_then(listed).filter(|entry| !entry.is_removal());
        let known = || self.applied.and_then(listed).or_else(|| listed(complete));
        ahead.or_else(known).filter(|entry| !entry.is_removal())
    }
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
