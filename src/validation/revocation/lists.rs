//! What the CRLs at hand say: RFC 5280 6.3 with all that a list can be: for some certificates, for some reasons, for other
//! issuers' certificates, signed with a key of its own.

use std::cmp::Ordering;

use crate::certificate::{Certificate, Crl, CrlDefect, DistributionPoint, NameKey, Reasons, Sha256, directory_key};

use super::super::path::{Link, Search};
use super::super::signature::SignatureCheck;
use super::super::{moment, path, structure};
use super::Status;
use super::changes::Changes;

/// What the lists say of a certificate, and what of them is missing.
pub(super) struct Listed<'a> {
    pub(super) status: Status,
    /// The reasons that current lists are about.
    pub(super) covered: Reasons,
    /// Whether a list would have counted, were it not too old.
    pub(super) outdated: bool,
    /// Lists without their newest changes at hand.
    pub(super) without_changes: Vec<&'a Crl>,
}

/// A complete list that was taken into account.
struct Taken<'a> {
    crl: &'a Crl,
    /// Whose key signed it.
    key: &'a [u8],
}

/// `above`: the certificates of the path that stand above it, its issuer first.
pub(super) fn look_up<'a>(certificate: &'a Certificate, above: &[Link<'a>], search: &mut Search<'a>) -> Listed<'a> {
    let (lists, out_of_scope) = candidates(certificate, search);
    let mut cause: Option<String> = None;
    let mut taken: Vec<Taken<'a>> = Vec::new();
    let mut listed =
        Listed { status: Status::Good, covered: Reasons::NONE, outdated: false, without_changes: Vec::new() };
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
        if !changes.at_hand {
            listed.without_changes.push(crl);
        }
        if !is_current(crl, search.rules.at_ms) && changes.applied.is_none() {
            cause.get_or_insert_with(|| outdated(crl, search.rules.at_ms));
            listed.outdated = true;
            continue;
        }
        if let Some(entry) = changes.entry(crl, certificate) {
            return Listed { status: Status::Revoked(entry), ..listed };
        }
        listed.covered = listed.covered.or(reasons);
        taken.push(Taken { crl, key });
    }
    if listed.covered != Reasons::ALL {
        let otherwise = if taken.is_empty() { out_of_scope.unwrap_or("no CRL") } else { "onlySomeReasons" };
        listed.status = Status::Unknown(cause.unwrap_or_else(|| otherwise.to_owned()));
    }
    listed
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

pub(super) fn newest_first(left: &Crl, right: &Crl) -> Ordering {
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
pub(super) fn usable(crl: &Crl, search: &Search<'_>) -> Result<(), String> {
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

pub(super) fn is_current(crl: &Crl, at_ms: i64) -> bool {
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
        .map(|certificate| path::link(certificate, None, true))
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

pub(super) fn signature<'a>(crl: &Crl, signer: &Link<'a>, search: &mut Search<'a>) -> Option<SignatureCheck> {
    let remember: Option<Sha256> = signer.pooled.then_some(crl.sha256);
    search.check(&crl.details.signature, remember, signer)
}
