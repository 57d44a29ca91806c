//! Answers of OCSP responders, and the question for one (RFC 6960 4).

use std::iter::Peekable;
use std::sync::Arc;
use std::vec;

use aws_lc_rs::digest;
use thiserror::Error;
use time::{Date, Month};
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::x509::AlgorithmIdentifier;

use super::algorithm::{self, Hash};
use super::crl::Entry;
use super::facts::SignatureValue;
use super::general_name::directory_name;
use super::name::NameKey;
use super::{Certificate, ParseError, Sha256, der, oid};

// identifier octets: class, form and number of a tag in one
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;
const CONTEXT_2: u8 = 0xa2;
const PRIMITIVE_0: u8 = 0x80;
const PRIMITIVE_2: u8 = 0x82;

/// Why bytes are no answer about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OcspError {
    /// They are no OCSPResponse.
    #[error(transparent)]
    Unreadable(#[from] ParseError),
    /// The responder gives none, and says why by a name of RFC 6960 4.2.1, such as `tryLater`.
    #[error("{0}")]
    Refused(&'static str),
}

/// A responder's signed answers. Times are milliseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct OcspResponse {
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// When it was signed.
    pub produced_at_ms: i64,
    pub(crate) details: Arc<OcspDetails>,
}

/// What the validation engine needs besides.
#[derive(Debug)]
pub(crate) struct OcspDetails {
    pub(crate) responder: ResponderId,
    pub(crate) signature: SignatureValue,
    /// Why nothing can be concluded from it, whatever it says.
    pub(crate) defect: Option<&'static str>,
    /// What came along to verify the signature with, as far as it can be read.
    pub(crate) certificates: Vec<Certificate>,
    /// Answers about certificates that can be recognised; those with a hash nobody uses are left out.
    pub(crate) answers: Vec<OcspAnswer>,
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ResponderId {
    Name(NameKey),
    /// SHA-1 of the public key.
    Key(Box<[u8]>),
}

impl ResponderId {
    /// Whether it is the subject of a certificate.
    pub(crate) fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => certificate.details.subject == *name,
            Self::Key(key) => digest_of(Hash::Sha1, &certificate.details.public_key.bytes).as_ref() == Some(key),
        }
    }
}

/// The answer about one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OcspAnswer {
    pub(crate) id: CertificateId,
    pub(crate) status: OcspStatus,
    pub(crate) this_update_ms: i64,
    pub(crate) next_update_ms: Option<i64>,
    /// Why nothing can be concluded from it.
    pub(crate) defect: Option<&'static str>,
}

/// What a responder says of a certificate. The order is that of weight where two answers are of the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OcspStatus {
    Revoked(Entry),
    /// The responder does not know the certificate.
    Unknown,
    Good,
}

/// CertID (RFC 6960 4.1.1): a certificate by hashes of its issuer and its serial number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CertificateId {
    hash: Hash,
    name: Box<[u8]>,
    key: Box<[u8]>,
    /// In its shortest form.
    serial: Box<[u8]>,
}

impl CertificateId {
    /// The hashes by which certificates are recognised.
    pub(crate) const HASHES: [Hash; 4] = [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512];

    /// The id of a certificate. `issuer`: whose key signed it.
    pub(crate) fn of(certificate: &Certificate, issuer: &Certificate, hash: Hash) -> Option<Self> {
        Some(Self {
            hash,
            name: digest_of(hash, certificate.issuer_name()?)?,
            key: digest_of(hash, &issuer.details.public_key.bytes)?,
            serial: certificate.details.serial.clone(),
        })
    }

    /// The OCSPRequest (RFC 6960 4.1.1) for this certificate alone: unsigned, and without a nonce, so that responders may
    /// give answers made beforehand. `None` for a hash that no certificate is recognised by.
    pub(crate) fn request(&self) -> Option<Vec<u8>> {
        let algorithm = sequence(&[&der::element(OBJECT_IDENTIFIER, hash_oid(self.hash)?), &[NULL, 0]]);
        let id = sequence(&[
            &algorithm,
            &der::element(OCTET_STRING, &self.name),
            &der::element(OCTET_STRING, &self.key),
            &der::element(INTEGER, &self.serial),
        ]);
        // OCSPRequest, TBSRequest, requestList, Request
        Some(sequence(&[&sequence(&[&sequence(&[&sequence(&[&id])])])]))
    }

    /// `None` for what is no CertID, `Some(None)` for one with another hash.
    fn read(contents: &[u8]) -> Option<Option<Self>> {
        let mut fields = Fields::of(contents)?;
        let mut algorithm = Fields::of(fields.next(SEQUENCE)?)?;
        let number = algorithm.next(OBJECT_IDENTIFIER)?;
        let hash = Self::HASHES.into_iter().find(|hash| hash_oid(*hash) == Some(number));
        // the parameters of a hash are NULL or absent
        let hash = hash.filter(|_| algorithm.next(NULL).is_none_or(<[u8]>::is_empty) && algorithm.end().is_some());
        let (name, key) = (fields.next(OCTET_STRING)?, fields.next(OCTET_STRING)?);
        let serial = fields.next(INTEGER).filter(|serial| !serial.is_empty())?;
        fields.end()?;
        let id = |hash| Self { hash, name: name.into(), key: key.into(), serial: der::shortest(serial).into() };
        Some(hash.map(id))
    }
}

impl OcspResponse {
    /// Reads exactly one DER OCSPResponse with a BasicOCSPResponse of version 1 in it.
    ///
    /// # Errors
    /// What is none, what has bytes behind it, and a responder's refusal. Who signed, and when, is not asked here.
    pub fn parse(der: &[u8]) -> Result<Self, OcspError> {
        if der.is_empty() {
            return Err(ParseError::Empty.into());
        }
        let outer = der::raw_elements(der).ok_or(ParseError::Malformed)?;
        let [response] = *outer else { return Err(ParseError::TrailingBytes.into()) };
        let basic = basic_response(response)?;
        let (produced_at_ms, details) = basic.and_then(OcspDetails::read).ok_or(ParseError::Malformed)?;
        Ok(Self { sha256: Sha256::of(der), produced_at_ms, details: Arc::new(details) })
    }

    /// The certificates that came along, as far as they can be read; nobody vouches for them.
    pub fn certificates(&self) -> &[Certificate] {
        &self.details.certificates
    }
}

/// The contents of the BasicOCSPResponse in a successful OCSPResponse.
fn basic_response(response: &[u8]) -> Result<Option<&[u8]>, OcspError> {
    let Some(mut fields) = only(response, SEQUENCE).and_then(Fields::of) else { return Ok(None) };
    match fields.next(ENUMERATED) {
        Some([0]) => {}
        Some([1]) => return Err(OcspError::Refused("malformedRequest")),
        Some([2]) => return Err(OcspError::Refused("internalError")),
        Some([3]) => return Err(OcspError::Refused("tryLater")),
        Some([5]) => return Err(OcspError::Refused("sigRequired")),
        Some([6]) => return Err(OcspError::Refused("unauthorized")),
        _ => return Ok(None),
    }
    let basic = || {
        let mut bytes = Fields::of(only(fields.next(CONTEXT_0)?, SEQUENCE)?)?;
        fields.end()?;
        let is_basic = bytes.next(OBJECT_IDENTIFIER)? == oid::OCSP_BASIC;
        let response = bytes.next(OCTET_STRING)?;
        bytes.end()?;
        only(response, SEQUENCE).filter(|_| is_basic)
    };
    Ok(basic())
}

impl OcspDetails {
    /// BasicOCSPResponse, with its producedAt.
    fn read(contents: &[u8]) -> Option<(i64, Self)> {
        let mut fields = Fields::of(contents)?;
        let message = fields.next_raw(SEQUENCE)?;
        let algorithm = fields.next_raw(SEQUENCE)?;
        // x509-parser takes another tag for an OBJECT IDENTIFIER's too, and a number that does not end
        let number = Fields::of(only(algorithm, SEQUENCE)?)?.next(OBJECT_IDENTIFIER)?;
        number.last().filter(|last| **last < 0x80)?;
        let (_, algorithm) = AlgorithmIdentifier::from_der(algorithm).ok()?;
        let signature = fields.next(BIT_STRING)?;
        let certificates = match fields.next(CONTEXT_0) {
            Some(certificates) => der::raw_elements(only(certificates, SEQUENCE)?)?,
            None => Box::default(),
        };
        fields.end()?;
        let signature = SignatureValue {
            scheme: algorithm::signature(&algorithm).0,
            message: message.into(),
            value: signature
                .split_first()
                .filter(|(unused, _)| **unused == 0)
                .map_or(&[][..], |(_, value)| value)
                .into(),
        };
        let mut data = Fields::of(only(message, SEQUENCE)?)?;
        // version 1 is the only one, and left out
        if let Some(version) = data.next(CONTEXT_0)
            && only(version, INTEGER)? != [0]
        {
            return None;
        }
        let responder = match data.next(CONTEXT_1) {
            Some(name) => ResponderId::Name(directory_name(name)?.0),
            None => ResponderId::Key(only(data.next(CONTEXT_2)?, OCTET_STRING).filter(|key| key.len() == 20)?.into()),
        };
        let produced_at_ms = generalized_time(data.next(GENERALIZED_TIME)?)?;
        let answers = der::raw_elements(data.next(SEQUENCE)?)?;
        let answers: Vec<Option<OcspAnswer>> =
            answers.iter().map(|answer| OcspAnswer::read(answer)).collect::<Option<_>>()?;
        let defect = data.next(CONTEXT_1).map_or(Some(None), |extensions| defect(extensions, &[oid::OCSP_NONCE]))?;
        data.end()?;
        let certificates = certificates.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
        let answers = answers.into_iter().flatten().collect();
        Some((produced_at_ms, Self { responder, signature, defect, certificates, answers }))
    }
}

impl OcspAnswer {
    /// SingleResponse; `Some(None)` for one about a certificate that cannot be recognised.
    fn read(der: &[u8]) -> Option<Option<Self>> {
        // what CRLs say of an entry an answer may say too (RFC 6960 4.4.5)
        const KNOWN: &[&[u8]] =
            &[oid::OCSP_ARCHIVE_CUTOFF, oid::OCSP_CRL_REFERENCE, oid::REASON_CODE, oid::INVALIDITY_DATE];
        let mut fields = Fields::of(only(der, SEQUENCE)?)?;
        let id = CertificateId::read(fields.next(SEQUENCE)?)?;
        let status = OcspStatus::read(&mut fields)?;
        let this_update_ms = generalized_time(fields.next(GENERALIZED_TIME)?)?;
        let next_update_ms = match fields.next(CONTEXT_0) {
            Some(time) => Some(generalized_time(only(time, GENERALIZED_TIME)?)?),
            None => None,
        };
        let defect = fields.next(CONTEXT_1).map_or(Some(None), |extensions| defect(extensions, KNOWN))?;
        fields.end()?;
        Some(id.map(|id| Self { id, status, this_update_ms, next_update_ms, defect }))
    }
}

impl OcspStatus {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        if let Some(good) = fields.next(PRIMITIVE_0) {
            return good.is_empty().then_some(Self::Good);
        }
        if let Some(unknown) = fields.next(PRIMITIVE_2) {
            return unknown.is_empty().then_some(Self::Unknown);
        }
        let mut revoked = Fields::of(fields.next(CONTEXT_1)?)?;
        let at_ms = generalized_time(revoked.next(GENERALIZED_TIME)?)?;
        let reason = match revoked.next(CONTEXT_0) {
            Some(reason) => *only(reason, ENUMERATED).filter(|reason| reason.len() == 1)?.first()?,
            None => 0,
        };
        revoked.end()?;
        Some(Self::Revoked(Entry { reason, at_ms }))
    }

    /// Less counts first among answers of the same time.
    pub(crate) fn weight(self) -> u8 {
        match self {
            Self::Revoked(_) => 0,
            Self::Unknown => 1,
            Self::Good => 2,
        }
    }
}

/// What is wrong with Extensions, `Some(None)` if nothing; `None` if they are none.
fn defect(contents: &[u8], known: &[&[u8]]) -> Option<Option<&'static str>> {
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut found = None;
    for extension in &der::raw_elements(only(contents, SEQUENCE)?)? {
        let mut fields = Fields::of(only(extension, SEQUENCE)?)?;
        let number = fields.next(OBJECT_IDENTIFIER)?;
        let critical = match fields.next(BOOLEAN) {
            Some([value]) => *value != 0,
            Some(_) => return None,
            None => false,
        };
        fields.next(OCTET_STRING)?;
        fields.end()?;
        if seen.contains(&number) {
            found.get_or_insert("duplicate extension");
        }
        if critical && !known.contains(&number) {
            found.get_or_insert("unknown critical extension");
        }
        seen.push(number);
    }
    (!seen.is_empty()).then_some(found)
}

/// The elements of a structure, taken one after the other.
struct Fields<'a>(Peekable<vec::IntoIter<&'a [u8]>>);

impl<'a> Fields<'a> {
    fn of(contents: &'a [u8]) -> Option<Self> {
        Some(Self(der::raw_elements(contents)?.into_vec().into_iter().peekable()))
    }

    /// The next element, tag and length included, if it has this identifier.
    fn next_raw(&mut self, identifier: u8) -> Option<&'a [u8]> {
        self.0.next_if(|element| element.first() == Some(&identifier))
    }

    /// Its contents.
    fn next(&mut self, identifier: u8) -> Option<&'a [u8]> {
        self.next_raw(identifier).and_then(der::whole).map(|any| any.data)
    }

    /// Nothing may be left that nobody asked for.
    fn end(mut self) -> Option<()> {
        self.0.next().is_none().then_some(())
    }
}

/// The contents of the one element these bytes are.
fn only(bytes: &[u8], identifier: u8) -> Option<&[u8]> {
    der::whole(bytes).filter(|_| bytes.first() == Some(&identifier)).map(|any| any.data)
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der::element(SEQUENCE, &parts.concat())
}

/// `YYYYMMDDHHMMSSZ`, the only form RFC 5280 4.1.2.5.2 allows, in milliseconds since 1970 UTC.
fn generalized_time(contents: &[u8]) -> Option<i64> {
    let digits =
        contents.strip_suffix(b"Z").filter(|digits| digits.len() == 14 && digits.iter().all(u8::is_ascii_digit))?;
    let number = |range: std::ops::Range<usize>| -> Option<u16> {
        digits
            .get(range)?
            .iter()
            .try_fold(0_u16, |number, digit| number.checked_mul(10)?.checked_add((digit - b'0').into()))
    };
    let small = |start: usize| u8::try_from(number(start..start + 2)?).ok();
    let month = Month::try_from(small(4)?).ok()?;
    let date = Date::from_calendar_date(number(0..4)?.into(), month, small(6)?).ok()?;
    let time = date.with_hms(small(8)?, small(10)?, small(12)?).ok()?;
    time.assume_utc().unix_timestamp().checked_mul(1000)
}

fn hash_oid(hash: Hash) -> Option<&'static [u8]> {
    Some(match hash {
        Hash::Sha1 => oid::SHA1,
        Hash::Sha256 => oid::SHA256,
        Hash::Sha384 => oid::SHA384,
        Hash::Sha512 => oid::SHA512,
        _ => return None,
    })
}

/// `None` for a hash that no certificate is recognised by.
fn digest_of(hash: Hash, bytes: &[u8]) -> Option<Box<[u8]>> {
    let algorithm = match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, bytes).as_ref().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_form() {
        assert_eq!(generalized_time(b"20260601000000Z"), Some(1_780_272_000_000));
        for wrong in [
            &b"20260601000000"[..],
            b"20260601000000.5Z",
            b"20260601000000+0000",
            b"20260631000000Z",
            b"20260601240000Z",
            b"+0260601000000Z",
            b"",
        ] {
            assert_eq!(generalized_time(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let refused = |status: u8| OcspResponse::parse(&[0x30, 3, 0x0a, 1, status]).map(|response| response.sha256);
        assert_eq!(refused(3), Err(OcspError::Refused("tryLater")));
        assert_eq!(refused(6).map_err(|error| error.to_string()), Err("unauthorized".to_owned()));
        assert_eq!(refused(4), Err(ParseError::Malformed.into()));
        // success without an answer
        assert_eq!(refused(0), Err(ParseError::Malformed.into()));
    }
}
