//! What the OCSP answers at hand say (RFC 6960 3.2, 4.2.2).

use std::cmp::Reverse;

use crate::certificate::{Certificate, OcspAnswer, OcspResponse, OcspStatus};

use super::super::path::{self, Link, Search};
use super::super::signature::SignatureCheck;
use super::super::verdict::Severity;
use super::super::{moment, structure};
use super::{Status, is_never_revoked, lists};

/// How far a responder's clock may be ahead of ours: five minutes, as `openssl ocsp` allows (-validity_period).
const CLOCK_SKEW_MS: i64 = 5 * 60 * 1000;
/// How long an answer holds that names no nextUpdate (RFC 6960 4.2.2.1: "newer information is available all the time"): a
/// day, as NSS and mozilla::pkix have it.
const WITHOUT_NEXT_UPDATE_MS: i64 = 86_400_000;

/// What the answers say of a certificate, and what of them is missing.
pub(super) struct Answered<'a> {
    /// `None` where no answer is about it.
    pub(super) status: Option<Status>,
    /// Whether an answer that counts says that the responder does not know: asking again would not help.
    pub(super) is_final: bool,
    /// A delegated responder whose own revocation nobody can tell, and on whom it hangs.
    pub(super) responder: Option<&'a Certificate>,
}

/// Why an answer does not count.
struct Refusal<'a> {
    cause: String,
    responder: Option<&'a Certificate>,
}

impl From<String> for Refusal<'_> {
    fn from(cause: String) -> Self {
        Self { cause, responder: None }
    }
}

impl From<&str> for Refusal<'_> {
    fn from(cause: &str) -> Self {
        cause.to_owned().into()
    }
}

/// The newest answer that counts decides. `above`: the certificates of the path above it, its issuer first.
pub(super) fn look_up<'a>(certificate: &'a Certificate, above: &[Link<'a>], search: &mut Search<'a>) -> Answered<'a> {
    let mut answered = Answered { status: None, is_final: false, responder: None };
    let Some(issuer) = above.first() else { return answered };
    let mut answers = search.evidence.answers_about(certificate, issuer.certificate);
    // of the same time the worse news count
    answers.sort_by_key(|(response, answer)| {
        (Reverse(answer.this_update_ms), answer.status.weight(), Reverse(response.produced_at_ms), response.sha256)
    });
    for (response, answer) in answers {
        match usable(response, answer, search).and_then(|()| authorised(response, above, search)) {
            Ok(()) => {
                let status = match answer.status {
                    OcspStatus::Good => Status::Good,
                    OcspStatus::Revoked(entry) => Status::Revoked(entry),
                    OcspStatus::Unknown => Status::Unknown("unknown".to_owned()),
                };
                let is_final = answer.status == OcspStatus::Unknown;
                return Answered { status: Some(status), is_final, responder: None };
            }
            Err(refusal) => {
                answered.status.get_or_insert(Status::Unknown(refusal.cause));
                answered.responder = answered.responder.or(refusal.responder);
            }
        }
    }
    answered
}

/// Why nothing can be concluded from an answer, whoever gave it.
fn usable<'a>(response: &OcspResponse, answer: &OcspAnswer, search: &Search<'_>) -> Result<(), Refusal<'a>> {
    if let Some(defect) = response.details.defect.or(answer.defect) {
        return Err(defect.into());
    }
    let at_ms = search.rules.at_ms;
    let latest = at_ms.saturating_add(CLOCK_SKEW_MS);
    if answer.this_update_ms > latest {
        return Err(format!("thisUpdate {}", moment(answer.this_update_ms)).into());
    }
    if response.produced_at_ms > latest {
        return Err(format!("producedAt {}", moment(response.produced_at_ms)).into());
    }
    match answer.next_update_ms {
        Some(next) if at_ms > next => return Err(format!("nextUpdate {}", moment(next)).into()),
        None if at_ms.saturating_sub(answer.this_update_ms) > WITHOUT_NEXT_UPDATE_MS => {
            return Err(format!("no nextUpdate, thisUpdate {}", moment(answer.this_update_ms)).into());
        }
        Some(_) | None => {}
    }
    if response.details.signature.scheme.hash().is_some_and(|hash| structure::is_weak(hash, search.rules)) {
        return Err("weak signature".into());
    }
    Ok(())
}

/// Whether the one who signed may answer for the issuer: the issuer itself, or whom it delegated that to directly and with
/// the same key (RFC 6960 4.2.2.2).
fn authorised<'a>(response: &'a OcspResponse, above: &[Link<'a>], search: &mut Search<'a>) -> Result<(), Refusal<'a>> {
    let details = &response.details;
    let mut refusal: Option<Refusal<'a>> = None;
    // whoever issues can revoke by a CRL too, so no key usage is asked of it beyond that of an issuer
    if let Some(issuer) = above.first().filter(|issuer| details.responder.names(issuer.certificate)) {
        match signed(response, issuer, search) {
            Ok(()) => return Ok(()),
            Err(cause) => refusal = Some(cause.into()),
        }
    }
    for delegate in details.certificates.iter().filter(|certificate| details.responder.names(certificate)) {
        match delegated(response, delegate, above, search) {
            Ok(()) => return Ok(()),
            Err(found) => {
                refusal.get_or_insert(found);
            }
        }
    }
    Err(refusal.unwrap_or_else(|| "responder not known".into()))
}

/// Whether a response is signed by a delegate of the issuer.
fn delegated<'a>(
    response: &'a OcspResponse,
    delegate: &'a Certificate,
    above: &[Link<'a>],
    search: &mut Search<'a>,
) -> Result<(), Refusal<'a>> {
    let Some(issuer) = above.first() else { return Err("responder not known".into()) };
    let details = &delegate.details;
    if details.issuer != issuer.certificate.details.subject {
        return Err("responder of another issuer".into());
    }
    if !details.extensions.extended_key_usage.iter().flatten().any(|purpose| purpose == "OCSPSigning") {
        return Err("responder without OCSPSigning".into());
    }
    if details.extensions.key_usage.is_some_and(|usage| !usage.has("digitalSignature") && !usage.has("nonRepudiation"))
    {
        return Err("responder without digitalSignature".into());
    }
    if !delegate.is_valid_at(search.rules.at_ms) {
        let end = moment(delegate.not_after_ms);
        return Err(format!("responder valid from {} to {end}", moment(delegate.not_before_ms)).into());
    }
    let remember = issuer.pooled.then_some(delegate.sha256);
    match search.check(&details.signature, remember, issuer) {
        Some(SignatureCheck::Good) => {}
        Some(SignatureCheck::Bad) => return Err("responder of another issuer".into()),
        Some(SignatureCheck::Unsupported | SignatureCheck::Pending) => return Err("unsupported signature".into()),
        None => return Err(LIMIT.into()),
    }
    let link = path::link(delegate, None, true);
    signed(response, &link, search)?;
    let mut findings = Vec::new();
    structure::check(delegate, 0, false, search.rules, &mut findings);
    let path: Vec<Link<'a>> = [link].into_iter().chain(above.iter().copied()).collect();
    findings.extend(search.names(&path).into_iter().filter(|finding| finding.certificate_index == Some(0)));
    if let Some(finding) = findings.iter().find(|finding| finding.severity == Severity::Block || finding.leaves_open) {
        return Err(format!("responder {}", finding.code).into());
    }
    if details.extensions.no_check || is_never_revoked(delegate) {
        return Ok(());
    }
    match lists::look_up(delegate, above, search).status {
        Status::Good => Ok(()),
        Status::Revoked(_) => Err("responder revoked".into()),
        Status::Unknown(cause) => Err(Refusal { cause: format!("responder: {cause}"), responder: Some(delegate) }),
    }
}

const LIMIT: &str = "limit of signature checks";

/// Whether a certificate's key signed a response.
fn signed<'a>(response: &OcspResponse, signer: &Link<'a>, search: &mut Search<'a>) -> Result<(), &'static str> {
    let remember = signer.pooled.then_some(response.sha256);
    match search.check(&response.details.signature, remember, signer) {
        Some(SignatureCheck::Good) => Ok(()),
        Some(SignatureCheck::Bad) => Err("signed by another key"),
        Some(SignatureCheck::Unsupported | SignatureCheck::Pending) => Err("unsupported signature"),
        None => Err(LIMIT),
    }
}
