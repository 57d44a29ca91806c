//! Certificate revocation lists (RFC 5280 5).

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use x509_parser::asn1_rs::{FromDer, Tag};
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::revocation_list::CertificateRevocationList;

use super::distribution_point::{self, DistributionPoint, Reasons};
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
    /// cRLNumber.
    pub(crate) number: Option<CrlNumber>,
    /// BaseCRLNumber of a list that holds changes only.
    pub(crate) base: Option<CrlNumber>,
    /// freshestCRL: where the changes since this list are.
    pub(crate) freshest: Vec<DistributionPoint>,
    /// Listed certificates of the list's issuer, by serial number in its shortest form.
    entries: Entries,
    /// Those of other issuers, in an indirect list.
    foreign: HashMap<NameKey, Entries>,
}

type Entries = HashMap<Box<[u8]>, Entry>;

impl CrlDetails {
    /// What it says about a certificate.
    pub(crate) fn entry(&self, issuer: &NameKey, serial: &[u8]) -> Option<Entry> {
        let entries = if *issuer == self.issuer { Some(&self.entries) } else { self.foreign.get(issuer) };
        entries.and_then(|entries| entries.get(serial)).copied()
    }
}

/// A number of RFC 5280 5.2.3, up to 20 bytes long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CrlNumber(Box<[u8]>);

impl CrlNumber {
    fn of(value: &[u8]) -> Option<Self> {
        let number = der::whole(value).filter(|any| der::is(any, Tag::Integer))?;
        let negative = number.data.first().is_none_or(|&first| first >= 0x80);
        (!negative).then(|| Self(der::without_leading_zeros(number.data).into()))
    }
}

impl Ord for CrlNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for CrlNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a CRL is about (RFC 5280 5.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The distribution point it is for; `None` if it says nothing.
    pub(crate) point: Option<DistributionPoint>,
    pub(crate) only_users: bool,
    pub(crate) only_authorities: bool,
    /// The reasons it is about.
    pub(crate) reasons: Reasons,
    /// Whether it may list other issuers' certificates.
    pub(crate) indirect: bool,
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
            Self::AttributeCertificates => "onlyContainsAttributeCerts",
        }
    }
}

/// reasonCode removeFromCRL: the certificate is no longer revoked.
const REMOVE_FROM_CRL: u8 = 8;

/// A listed certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// reasonCode (RFC 5280 5.3.1), 0 where it is absent.
    pub(crate) reason: u8,
    /// revocationDate.
    pub(crate) at_ms: i64,
}

impl Entry {
    /// Whether it takes a revocation back.
    pub(crate) fn is_removal(self) -> bool {
        self.reason == REMOVE_FROM_CRL
    }
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
        let mut reading = Reading::new();
        if !algorithms_match {
            reading.defect = Some(CrlDefect::AlgorithmMismatch);
        }
        reading.take_extensions(crl.extensions());
        let issuer = NameKey::of(crl.issuer());
        let mut entries = Entries::with_capacity(crl.tbs_cert_list.revoked_certificates.len());
        let mut foreign: HashMap<NameKey, Entries> = HashMap::new();
        for revoked in crl.iter_revoked_certificates() {
            let reason = reading.take_entry(revoked.extensions());
            let entry = Entry { reason, at_ms: revoked.revocation_date.timestamp().saturating_mul(1000) };
            let into = match &reading.certificate_issuer {
                Some(other) if *other != issuer => foreign.entry(other.clone()).or_default(),
                _ => &mut entries,
            };
            let listed = into.entry(der::shortest(revoked.raw_serial()).into()).or_insert(entry);
            // listed twice, the certificate stays revoked
            if listed.is_removal() {
                *listed = entry;
            }
        }
        Self {
            sha256: Sha256::of(der),
            issuer: name::to_rfc4514(crl.issuer()),
            this_update_ms: crl.last_update().timestamp().saturating_mul(1000),
            next_update_ms: crl.next_update().map(|time| time.timestamp().saturating_mul(1000)),
            details: Arc::new(CrlDetails {
                issuer,
                signature: SignatureValue {
                    scheme,
                    message: crl.tbs_cert_list.as_ref().into(),
                    value: if bits.unused_bits == 0 { bits.data.as_ref().into() } else { Box::default() },
                },
                defect: reading.defect,
                scope: reading.scope,
                number: reading.number,
                base: reading.base,
                freshest: reading.freshest,
                entries,
                foreign,
            }),
        }
    }
}

struct Reading {
    defect: Option<CrlDefect>,
    scope: Scope,
    number: Option<CrlNumber>,
    base: Option<CrlNumber>,
    freshest: Vec<DistributionPoint>,
    /// The issuer of the entries from here on, where an entry has named one (RFC 5280 5.3.3).
    certificate_issuer: Option<NameKey>,
}

impl Reading {
    fn new() -> Self {
        let scope =
            Scope { point: None, only_users: false, only_authorities: false, reasons: Reasons::ALL, indirect: false };
        Self { defect: None, scope, number: None, base: None, freshest: Vec::new(), certificate_issuer: None }
    }

    fn mark(&mut self, defect: CrlDefect) {
        self.defect.get_or_insert(defect);
    }

    fn take_extensions(&mut self, extensions: &[X509Extension<'_>]) {
        for (index, extension) in extensions.iter().enumerate() {
            if extensions.iter().take(index).any(|earlier| earlier.oid == extension.oid) {
                self.mark(CrlDefect::MalformedExtension);
            }
            match der::standard_extension(&extension.oid) {
                Some(28) => self.take_scope(extension.value),
                Some(27) => self.base = self.number_or_mark(extension.value),
                Some(20) => self.number = self.number_or_mark(extension.value),
                Some(46) => {
                    self.freshest = distribution_point::distribution_points(extension.value).unwrap_or_default();
                }
                Some(35) => {}
                _ if extension.critical => self.mark(CrlDefect::UnknownCriticalExtension),
                _ => {}
            }
        }
    }

    fn number_or_mark(&mut self, value: &[u8]) -> Option<CrlNumber> {
        let number = CrlNumber::of(value);
        if number.is_none() {
            self.mark(CrlDefect::MalformedExtension);
        }
        number
    }

    fn take_scope(&mut self, value: &[u8]) {
        if self.take_issuing_distribution_point(value).is_none() {
            self.mark(CrlDefect::MalformedExtension);
        }
    }

    /// RFC 5280 5.2.5, to the last byte: an overlooked restriction would make a partial list look complete.
    fn take_issuing_distribution_point(&mut self, value: &[u8]) -> Option<()> {
        let sequence = der::whole(value).filter(|any| der::is(any, Tag::Sequence))?;
        let fields = der::elements(sequence.data)?;
        if !der::in_order(&fields) {
            return None;
        }
        for field in fields {
            der::context(&field, field.tag() == Tag(0))?;
            let set = field.data.first().is_some_and(|&byte| byte != 0);
            match field.tag().0 {
                0 => self.scope.point = Some(DistributionPoint::of_name(field.data)?),
                1 => self.scope.only_users = set,
                2 => self.scope.only_authorities = set,
                3 => self.scope.reasons = Reasons::of(field.data)?,
                4 => self.scope.indirect = set,
                5 if set => self.mark(CrlDefect::AttributeCertificates),
                5 => {}
                _ => return None,
            }
        }
        Some(())
    }

    /// The reason of an entry; a critical extension that is not understood spoils the whole list (RFC 5280 5.3).
    fn take_entry(&mut self, extensions: &[X509Extension<'_>]) -> u8 {
        let mut reason = 0;
        for extension in extensions {
            match (der::standard_extension(&extension.oid), extension.parsed_extension()) {
                (Some(21), ParsedExtension::ReasonCode(code)) => reason = code.0,
                (Some(29), _) if self.scope.indirect => self.take_certificate_issuer(extension.value),
                (Some(21 | 24), _) => {}
                _ if extension.critical => self.mark(CrlDefect::UnknownCriticalExtension),
                _ => {}
            }
        }
        reason
    }

    /// certificateIssuer: whose certificates this entry and those behind it are about.
    fn take_certificate_issuer(&mut self, value: &[u8]) {
        let names = der::whole(value)
            .filter(|any| der::is(any, Tag::Sequence))
            .and_then(|any| distribution_point::issuers(any.data));
        match names.and_then(|names| names.into_iter().next()) {
            Some(name) => self.certificate_issuer = Some(name),
            None => self.mark(CrlDefect::MalformedExtension),
        }
    }
}
