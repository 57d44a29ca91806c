//! What holds a certificate: whether CMS was signed by somebody in it, for the person, and what its attributes promise
//! (RFC 5652 5, RFC 8551 2.5); whether a tagged list is as its table says.

use aws_lc_rs::digest;

use crate::certificate::{Certificate, Container, Content, Hash, SignatureValue, Signed, Signer, SmimeValue};

use super::catalogue as rule;
use super::rules::Audience;
use super::signature::{self, SignatureCheck};
use super::verdict::Finding;
use super::{address, rsa_signature};

/// Signatures looked at for one container; a person's has one.
const MAX_SIGNATURE_CHECKS: usize = 16;
/// id-data (RFC 5652 4).
const DATA: &[u32] = &[1, 2, 840, 113_549, 1, 7, 1];
/// Content encryption of 128 bits or more (RFC 8551 2.7, RFC 8103).
const STRONG: &[&str] =
    &["AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "AES-128-GCM", "AES-192-GCM", "AES-256-GCM", "ChaCha20-Poly1305"];

/// What came of a signer.
#[derive(Debug)]
enum Answer<'a> {
    /// This certificate's key signed.
    Good(&'a Certificate),
    /// It did not; or what of its SignerInfo says so.
    Invalid(&'static str),
    /// Its certificate is not here.
    Unknown,
    /// It cannot be said, because of this.
    Unsupported(String),
}

/// What was found of a container.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    /// How many signatures were looked at.
    pub(super) signatures: usize,
}

/// Looks at the container of a value, of which `chosen` is judged.
pub(super) fn check(value: &SmimeValue, chosen: &Certificate, audience: Option<&Audience<'_>>) -> Checked {
    let mut checked = Checked::default();
    let findings = &mut checked.findings;
    if value.container == Container::None {
        return checked;
    }
    if !value.irregular.is_empty() {
        findings.push(rule::CONTAINER_IRREGULAR.broken().observed(value.irregular.join(", ")));
    }
    let Some(signed) = value.signed.as_deref() else {
        capabilities(value, findings);
        return checked;
    };
    // a bag has nobody who could promise anything
    if signed.signers.is_empty() && signed.unread_signers == 0 {
        findings.push(rule::CONTAINER_CERTS_ONLY.broken());
        return checked;
    }
    let mut checks_left = MAX_SIGNATURE_CHECKS;
    for signer in &signed.signers {
        match answer(signer, signed, &value.certificates, &mut checks_left) {
            Answer::Good(certificate) => other_person(certificate, chosen, audience, findings),
            Answer::Invalid(observed) => findings.push(rule::CONTAINER_SIGNATURE_INVALID.broken().observed(observed)),
            Answer::Unknown => {
                findings.push(rule::CONTAINER_SIGNER_UNKNOWN.broken().observed(signer.identifier.shown()));
            }
            Answer::Unsupported(cause) => findings.push(rule::CONTAINER_UNSUPPORTED.broken().observed(cause)),
        }
    }
    if signed.unread_signers > 0 {
        let observed = format!("SignerInfo {}", signed.unread_signers);
        findings.push(rule::CONTAINER_UNSUPPORTED.broken().observed(observed));
    }
    if let Some(wanted) = &value.preference
        && !value.certificates.iter().any(|certificate| wanted.names(certificate))
    {
        findings.push(rule::CONTAINER_PREFERENCE_MISSING.broken().observed(wanted.shown()));
    }
    capabilities(value, findings);
    checked.signatures = MAX_SIGNATURE_CHECKS - checks_left;
    checked
}

fn capabilities(value: &SmimeValue, findings: &mut Vec<Finding>) {
    match value.capabilities.as_deref() {
        None | Some([]) => findings.push(rule::CONTAINER_CAPABILITIES_ABSENT.broken()),
        Some(names) if names.iter().any(|name| STRONG.contains(&name.as_str())) => {}
        Some(names) => {
            let finding = rule::CONTAINER_CAPABILITIES_WEAK.broken().observed(names.join(", "));
            findings.push(finding.expected("AES-128-CBC"));
        }
    }
}

/// A signer who is not the person; of the certificate that is judged its addresses are judged anyway.
fn other_person(
    signer: &Certificate,
    chosen: &Certificate,
    audience: Option<&Audience<'_>>,
    findings: &mut Vec<Finding>,
) {
    let Some(audience) = audience.filter(|_| signer.sha256 != chosen.sha256) else { return };
    if !signer.emails.is_empty() && !address::names(signer, audience) {
        let expected = audience.addresses.first().map(|address| address.as_str()).unwrap_or_default();
        let finding = rule::CONTAINER_SIGNER_OTHER.broken().observed(signer.emails.join(", "));
        findings.push(finding.expected(expected));
    }
}

fn answer<'a>(
    signer: &Signer,
    signed: &Signed,
    certificates: &'a [Certificate],
    checks_left: &mut usize,
) -> Answer<'a> {
    let mut candidates = certificates.iter().filter(|certificate| signer.identifier.names(certificate)).peekable();
    if candidates.peek().is_none() {
        return Answer::Unknown;
    }
    let Some(hash) = signer.digest else { return Answer::Unsupported("digestAlgorithm".to_owned()) };
    // one hash for both (RFC 8933 3)
    if signer.scheme.hash().is_some_and(|signed| signed != hash) {
        return Answer::Invalid("digestAlgorithm");
    }
    // RFC 5652 5.1 lets verifiers refuse what is not announced, and OpenSSL does
    if !signed.digests.contains(&hash) {
        return Answer::Unsupported("digestAlgorithms".to_owned());
    }
    let Messages { encodings, content_seen } = match messages(signer, signed, hash) {
        Ok(messages) => messages,
        Err(answer) => return answer,
    };
    let mut unsupported = false;
    for certificate in candidates {
        for message in &encodings {
            let Some(left) = checks_left.checked_sub(1) else {
                return Answer::Unsupported(format!("signatures > {MAX_SIGNATURE_CHECKS}"));
            };
            *checks_left = left;
            let value =
                SignatureValue { scheme: signer.scheme, message: message.clone(), value: signer.signature.clone() };
            match signature::check(&value, &certificate.details.public_key, None) {
                SignatureCheck::Good if content_seen => return Answer::Good(certificate),
                SignatureCheck::Good => return Answer::Unsupported("eContent".to_owned()),
                SignatureCheck::Bad => {}
                SignatureCheck::Unsupported | SignatureCheck::Pending => unsupported = true,
            }
        }
    }
    if unsupported {
        Answer::Unsupported(signer.algorithm.clone())
    } else if signer.attributes.is_none() && signed.content == Content::Absent {
        // it may be over what is elsewhere
        Answer::Unsupported("eContent".to_owned())
    } else {
        Answer::Invalid("signature")
    }
}

/// What a signature may be over.
struct Messages {
    encodings: Vec<Box<[u8]>>,
    /// Whether the content behind it was seen.
    content_seen: bool,
}

/// What the signature may be over, as far as nothing speaks against it already.
fn messages<'a>(signer: &Signer, signed: &Signed, hash: Hash) -> Result<Messages, Answer<'a>> {
    // content that is not here may be none at all
    let content: Option<&[u8]> = match &signed.content {
        Content::Octets(octets) => Some(octets),
        Content::Absent => Some(&[]),
        Content::Other => None,
    };
    let Some(attributes) = &signer.attributes else {
        if signed.content_type != DATA {
            // RFC 5652 5.3: anything but data is signed by attributes
            return Err(Answer::Invalid("signedAttrs"));
        }
        let content = content.ok_or_else(|| Answer::Unsupported("eContent".to_owned()))?;
        return Ok(Messages { encodings: vec![content.into()], content_seen: true });
    };
    if attributes.content_type.as_ref() != Some(&signed.content_type) {
        return Err(Answer::Invalid("contentType"));
    }
    let Some(expected) = attributes.message_digest.as_deref() else { return Err(Answer::Invalid("messageDigest")) };
    let Some(algorithm) = rsa_signature::algorithm(hash) else {
        return Err(Answer::Unsupported("digestAlgorithm".to_owned()));
    };
    let seen = content.is_some_and(|content| digest::digest(algorithm, content).as_ref() == expected);
    if !seen && matches!(signed.content, Content::Octets(_)) {
        return Err(Answer::Invalid("messageDigest"));
    }
    Ok(Messages { encodings: attributes.encodings.clone(), content_seen: seen })
}
