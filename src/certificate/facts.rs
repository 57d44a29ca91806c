//! The facts of one X.509 certificate.

use std::collections::HashSet;
use std::sync::Arc;

use thiserror::Error;
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;

use super::algorithm::{self, PublicKey, Scheme};
use super::digest::thumbprint;
use super::extensions::Extensions;
use super::name::{self, NameKey};
use super::{Sha256, der};

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseError {
    /// There is nothing.
    #[error("empty")]
    Empty,
    /// The bytes do not have the form.
    #[error("malformed")]
    Malformed,
    /// Something follows behind the object.
    #[error("trailing bytes")]
    TrailingBytes,
}

/// An X.509 certificate (RFC 5280 4.1). Times are milliseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate's bytes.
    pub der: Arc<[u8]>,
    /// SHA-256 of `der`.
    pub sha256: Sha256,
    /// SHA-1 of `der`, upper-case hexadecimal.
    pub thumbprint: String,
    /// Subject as RFC 4514 text.
    pub subject: String,
    /// Issuer as RFC 4514 text.
    pub issuer: String,
    /// Serial number, upper-case hexadecimal.
    pub serial: String,
    /// Start of validity.
    pub not_before_ms: i64,
    /// End of validity.
    pub not_after_ms: i64,
    /// Addresses: subjectAltName rfc822Name and SmtpUTF8Mailbox, then subject emailAddress; as written, without repetition.
    pub emails: Vec<String>,
    /// Kind and size of the public key, such as `RSA 2048`, `EC P-256`, `Ed25519`; a number where it has no name.
    pub key: String,
    /// Signature algorithm, such as `sha256WithRSA`, `ecdsa-with-SHA256`; a number where it has no name.
    pub signature: String,
    /// Set bits of keyUsage, then the purposes of extKeyUsage; a number where a purpose has no name.
    pub usages: Vec<String>,
    pub(crate) details: Arc<Details>,
}

/// What the validation engine needs besides.
#[derive(Debug)]
pub(crate) struct Details {
    /// 1, 2 or 3.
    pub(crate) version: u32,
    pub(crate) subject: NameKey,
    pub(crate) issuer: NameKey,
    /// Subject emailAddress.
    pub(crate) subject_emails: Vec<String>,
    /// Serial number in its shortest form.
    pub(crate) serial: Box<[u8]>,
    pub(crate) public_key: PublicKey,
    pub(crate) extensions: Extensions,
    pub(crate) signature: SignatureValue,
    /// Whether the algorithm inside equals the one outside (RFC 5280 4.1.1.2).
    pub(crate) algorithms_match: bool,
}

/// Something signed: what, how, and the signature.
#[derive(Debug, Clone)]
pub(crate) struct SignatureValue {
    pub(crate) scheme: Scheme,
    /// The bytes that are signed.
    pub(crate) message: Box<[u8]>,
    /// The signature; empty where its BIT STRING does not end with a whole byte.
    pub(crate) value: Box<[u8]>,
}

impl Certificate {
    /// Reads exactly one DER certificate.
    ///
    /// # Errors
    /// What is no certificate, and what has bytes behind it. Whether the certificate is good for anything is not asked here.
    pub fn parse(der: &[u8]) -> Result<Self, ParseError> {
        if der.is_empty() {
            return Err(ParseError::Empty);
        }
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| ParseError::Malformed)?;
        if !rest.is_empty() {
            return Err(ParseError::TrailingBytes);
        }
        // version, which version 1 leaves out, and serialNumber
        let algorithms_match = der::algorithms_match(der, |first| if first == 0xa0 { 2 } else { 1 });
        Ok(Self::from_parsed(der, &certificate, algorithms_match.ok_or(ParseError::Malformed)?))
    }

    fn from_parsed(der: &[u8], certificate: &X509Certificate<'_>, algorithms_match: bool) -> Self {
        let extensions = Extensions::of(certificate);
        let (scheme, signature) = algorithm::signature(&certificate.signature_algorithm);
        let (public_key, key) = algorithm::public_key(certificate.public_key());
        let serial = certificate.raw_serial();
        let bits = &certificate.signature_value;
        Self {
            der: der.into(),
            sha256: Sha256::of(der),
            thumbprint: thumbprint(der),
            subject: name::to_rfc4514(certificate.subject()),
            issuer: name::to_rfc4514(certificate.issuer()),
            serial: hex::encode_upper(der::without_leading_zeros(serial)),
            not_before_ms: certificate.validity().not_before.timestamp().saturating_mul(1000),
            not_after_ms: certificate.validity().not_after.timestamp().saturating_mul(1000),
            emails: emails(certificate, &extensions),
            key,
            signature,
            usages: usages(&extensions),
            details: Arc::new(Details {
                version: certificate.version().0.saturating_add(1),
                subject: NameKey::of(certificate.subject()),
                issuer: NameKey::of(certificate.issuer()),
                subject_emails: subject_emails(certificate).collect(),
                serial: der::shortest(serial).into(),
                public_key,
                signature: SignatureValue {
                    scheme,
                    message: certificate.tbs_certificate.as_ref().into(),
                    value: if bits.unused_bits == 0 { bits.data.as_ref().into() } else { Box::default() },
                },
                algorithms_match,
                extensions,
            }),
        }
    }

    /// Whether it says it is an authority's: basicConstraints cA, or keyCertSign.
    pub fn is_ca(&self) -> bool {
        let extensions = &self.details.extensions;
        extensions.basic_constraints.is_some_and(|basic| basic.ca)
            || extensions.key_usage.is_some_and(|usage| usage.has("keyCertSign"))
    }

    /// The issuer's Name as it is written, whose hash stands for it in OCSP (RFC 6960 4.1.1).
    pub(crate) fn issuer_name(&self) -> Option<&[u8]> {
        let parts = der::raw_elements(der::constructed(&self.der)?)?;
        let fields = der::raw_elements(der::constructed(parts.first()?)?)?;
        // version, which version 1 leaves out, serialNumber and signature stand before it
        let version = usize::from(fields.first()?.first() == Some(&0xa0));
        fields.get(version + 2).copied()
    }

    /// Whether subject and issuer are the same name (RFC 5280 3.2: self-issued).
    pub fn is_self_issued(&self) -> bool {
        self.details.subject == self.details.issuer
    }

    /// Whether a time, in milliseconds since 1970 UTC, is within its dates.
    pub fn is_valid_at(&self, at_ms: i64) -> bool {
        self.not_before_ms <= at_ms && at_ms <= self.not_after_ms
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

fn usages(extensions: &Extensions) -> Vec<String> {
    let bits = extensions.key_usage.into_iter().flat_map(|usage| usage.names().map(str::to_owned));
    bits.chain(extensions.extended_key_usage.iter().flatten().cloned()).collect()
}

fn emails(certificate: &X509Certificate<'_>, extensions: &Extensions) -> Vec<String> {
    let mut emails: Vec<String> = Vec::new();
    // looking through the list would cost seconds where a certificate holds a megabyte of them
    let mut seen: HashSet<String> = HashSet::new();
    for email in extensions.emails().map(str::to_owned).chain(subject_emails(certificate)) {
        if seen.insert(email.clone()) {
            emails.push(email);
        }
    }
    emails
}

/// Subject emailAddress, as written.
fn subject_emails<'a>(certificate: &'a X509Certificate<'_>) -> impl Iterator<Item = String> + 'a {
    certificate.subject().iter_email().filter_map(|attribute| name::text(attribute.attr_value()))
}
