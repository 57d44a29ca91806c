//! Certificate revocation lists (RFC 5280 5).

use std::collections::HashMap;
use std::sync::Arc;

use x509_parser::asn1_rs::{Class, FromDer, Tag};
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::revocation_list::CertificateRevocationList;

use super::extensions::{DistributionPoint, distribution_point_name};
use super::facts::SignatureValue;
use super::name::{self, NameKey};
use super::{ParseError, Sha256, algorithm, der};

/// A certificate revocation list. Times are milliseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Crl {
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Issuer as RFC 4514 text.
    pub issuer: String,
    /// When it was made.
    pub this_update_ms: i64,
    /// When the next one is due at the latest.
    pub next_update_ms: Option<i64>,
    pub(crate) details: Arc<CrlDetails>,
}

/// What the validation engine needs besides.
#[derive(Debug)]
pub(crate) struct CrlDetails {
    pub(crate) issuer: NameKey,
    pub(crate) signature: SignatureValue,
    /// Why nothing can be concluded from it, whatever it lists.
    pub(crate) defect: Option<CrlDefect>,
    pub(crate) scope: Scope,
    /// Listed serial numbers in their shortest form.
    pub(crate) entries: HashMap<Box<[u8]>, Entry>,
}

/// What a CRL is about (RFC 5280 5.2.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The distribution point it is for; `None` if it says nothing.
    pub(crate) point: Option<DistributionPoint>,
    pub(crate) only_users: bool,
    pub(crate) only_authorities: bool,
    /// Whether it lists changes since another one.
    pub(crate) delta: bool,
}

/// What this engine cannot take a CRL with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CrlDefect {
    /// The algorithm inside differs from the one outside.
    AlgorithmMismatch,
    /// An extension appears twice or cannot be read.
    MalformedExtension,
    /// A critical extension nobody here understands, of the list or of an entry.
    UnknownCriticalExtension,
    /// It is for other authorities' certificates too.
    Indirect,
    /// It is for some reasons only.
    SomeReasons,
    /// It is for attribute certificates.
    AttributeCertificates,
}

impl CrlDefect {
    /// What is said of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AlgorithmMismatch => "algorithm mismatch",
            Self::MalformedExtension => "malformed extension",
            Self::UnknownCriticalExtension => "unknown critical extension",
            Self::Indirect => "indirectCRL",
            Self::SomeReasons => "onlySomeReasons",
            Self::AttributeCertificates => "onlyContainsAttributeCerts",
        }
    }
}

/// A listed certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// reasonCode (RFC 5280 5.3.1), 0 where it is absent.
    pub(crate) reason: u8,
    /// revocationDate.
    pub(crate) at_ms: i64,
}

impl Crl {
    /// Reads exactly one DER certificate revocation list.
    ///
    /// # Errors
    /// What is no CRL, and what has bytes behind it.
    pub fn parse(der: &[u8]) -> Result<Self, ParseError> {
        if der.is_empty() {
            return Err(ParseError::Empty);
        }
        let (rest, crl) = CertificateRevocationList::from_der(der).map_err(|_| ParseError::Malformed)?;
        if !rest.is_empty() {
            return Err(ParseError::TrailingBytes);
        }
        // version, which version 1 leaves out
        let algorithms_match = der::algorithms_match(der, |first| usize::from(first == 0x02));
        Ok(Self::from_parsed(der, &crl, algorithms_match.ok_or(ParseError::Malformed)?))
    }

    fn from_parsed(der: &[u8], crl: &CertificateRevocationList<'_>, algorithms_match: bool) -> Self {
        let (scheme, _) = algorithm::signature(&crl.signature_algorithm);
        let bits = &crl.signature_value;
        let mut reading = Reading::default();
        if !algorithms_match {
            reading.defect = Some(CrlDefect::AlgorithmMismatch);
        }
        reading.take_extensions(crl.extensions());
        let mut entries = HashMap::with_capacity(crl.tbs_cert_list.revoked_certificates.len());
        for revoked in crl.iter_revoked_certificates() {
            let reason = reading.take_entry(revoked.extensions());
            let entry = Entry { reason, at_ms: revoked.revocation_date.timestamp().saturating_mul(1000) };
            entries.insert(der::shortest(revoked.raw_serial()).into(), entry);
        }
        Self {
            sha256: Sha256::of(der),
            issuer: name::to_rfc4514(crl.issuer()),
            this_update_ms: crl.last_update().timestamp().saturating_mul(1000),
            next_update_ms: crl.next_update().map(|time| time.timestamp().saturating_mul(1000)),
            details: Arc::new(CrlDetails {
                issuer: NameKey::of(crl.issuer()),
                signature: SignatureValue {
                    scheme,
                    message: crl.tbs_cert_list.as_ref().into(),
                    value: if bits.unused_bits == 0 { bits.data.as_ref().into() } else { Box::default() },
                },
                defect: reading.defect,
                scope: reading.scope,
                entries,
            }),
        }
    }
}

#[derive(Default)]
struct Reading {
    defect: Option<CrlDefect>,
    scope: Scope,
}

impl Reading {
    fn mark(&mut self, defect: CrlDefect) {
        self.defect.get_or_insert(defect);
    }

    fn take_extensions(&mut self, extensions: &[X509Extension<'_>]) {
        for (index, extension) in extensions.iter().enumerate() {
            if extensions.iter().take(index).any(|earlier| earlier.oid == extension.oid) {
                self.mark(CrlDefect::MalformedExtension);
            }
            match (extension.oid.to_id_string().as_str(), extension.parsed_extension()) {
                ("2.5.29.28", _) => self.take_scope(extension.value),
                ("2.5.29.27", _) => self.scope.delta = true,
                ("2.5.29.20" | "2.5.29.35" | "2.5.29.46", _) => {}
                _ if extension.critical => self.mark(CrlDefect::UnknownCriticalExtension),
                _ => {}
            }
        }
    }

    fn take_scope(&mut self, value: &[u8]) {
        if self.take_issuing_distribution_point(value).is_none() {
            self.mark(CrlDefect::MalformedExtension);
        }
    }

    /// RFC 5280 5.2.5, to the last byte: an overlooked restriction would make a partial list look complete.
    fn take_issuing_distribution_point(&mut self, value: &[u8]) -> Option<()> {
        let sequence = der::whole(value).filter(|any| any.tag() == Tag::Sequence)?;
        for field in der::elements(sequence.data)? {
            if field.class() != Class::ContextSpecific {
                return None;
            }
            let set = field.data.first().is_some_and(|&byte| byte != 0);
            match field.tag().0 {
                0 => {
                    let mut point = DistributionPoint::default();
                    distribution_point_name(field.data, &mut point)?;
                    self.scope.point = Some(point);
                }
                1 => self.scope.only_users = set,
                2 => self.scope.only_authorities = set,
                3 => self.mark(CrlDefect::SomeReasons),
                4 if set => self.mark(CrlDefect::Indirect),
                5 if set => self.mark(CrlDefect::AttributeCertificates),
                4 | 5 => {}
                _ => return None,
            }
        }
        Some(())
    }

    /// The reason of an entry; a critical extension that is not understood spoils the whole list (RFC 5280 5.3).
    fn take_entry(&mut self, extensions: &[X509Extension<'_>]) -> u8 {
        let mut reason = 0;
        for extension in extensions {
            match (extension.oid.to_id_string().as_str(), extension.parsed_extension()) {
                ("2.5.29.21", ParsedExtension::ReasonCode(code)) => reason = code.0,
                ("2.5.29.21" | "2.5.29.24", _) => {}
                _ if extension.critical => self.mark(CrlDefect::UnknownCriticalExtension),
                _ => {}
            }
        }
        reason
    }
}
