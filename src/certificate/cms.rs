//! CMS SignedData (RFC 5652) as far as it carries certificates; BER, since what Outlook and Java write is not always DER.

use rasn::prelude::*;
use x509_parser::asn1_rs::FromDer;
use x509_parser::x509::X509Name;

use super::der;
use super::name::NameKey;
use super::{Certificate, Crl, ParseError};

const SIGNED_DATA: &[u32] = &[1, 2, 840, 113_549, 1, 7, 2];
const ENCRYPTION_KEY_PREFERENCE: &[u32] = &[1, 2, 840, 113_549, 1, 9, 16, 2, 11];
const MICROSOFT_KEY_PREFERENCE: &[u32] = &[1, 3, 6, 1, 4, 1, 311, 16, 4];

#[derive(AsnType, Decode, Debug)]
struct ContentInfo {
    content_type: ObjectIdentifier,
    #[rasn(tag(explicit(0)))]
    content: SignedData,
}

// certificates stay raw so that one that cannot be read does not take the others along, and no byte of it changes
#[derive(AsnType, Decode, Debug)]
struct SignedData {
    _version: Integer,
    #[rasn(tag(universal, 17))]
    _digest_algorithms: SequenceOf<Any>,
    _content: Any,
    #[rasn(tag(0))]
    certificates: Option<SequenceOf<Any>>,
    #[rasn(tag(1))]
    crls: Option<SequenceOf<Any>>,
    #[rasn(tag(universal, 17))]
    signers: SequenceOf<Any>,
}

#[derive(AsnType, Decode, Debug)]
struct SignerInfo {
    _version: Integer,
    _signer: Any,
    _digest_algorithm: Any,
    #[rasn(tag(0))]
    signed_attributes: Option<SequenceOf<Attribute>>,
    _signature_algorithm: Any,
    _signature: Any,
    #[rasn(tag(1))]
    _unsigned_attributes: Option<SequenceOf<Any>>,
}

#[derive(AsnType, Decode, Debug)]
struct Attribute {
    kind: ObjectIdentifier,
    #[rasn(tag(universal, 17))]
    values: SequenceOf<Any>,
}

/// What a SignedData carries.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Its certificates in its order.
    pub(super) certificates: Vec<Certificate>,
    /// Its CRLs.
    pub(super) crls: Vec<Crl>,
    /// How many certificates and CRLs could not be read.
    pub(super) unreadable: usize,
    /// Which of `certificates` a signer says to encrypt to.
    pub(super) preferred: Option<usize>,
}

/// Whether these bytes are a ContentInfo: an OID follows the outer header.
pub(super) fn is_content_info(bytes: &[u8]) -> bool {
    let Some((&0x30, rest)) = bytes.split_first() else { return false };
    let Some((&length, rest)) = rest.split_first() else { return false };
    let skip = if length > 0x80 { usize::from(length & 0x7f) } else { 0 };
    rest.get(skip) == Some(&0x06)
}

/// Reads a SignedData; its content and its signatures are not looked at.
pub(super) fn read(bytes: &[u8]) -> Result<Contents, ParseError> {
    let (info, rest) = rasn::ber::decode_with_remainder::<ContentInfo>(bytes).map_err(|_| ParseError::Malformed)?;
    if *info.content_type != *SIGNED_DATA {
        return Err(ParseError::Malformed);
    }
    if !rest.is_empty() {
        return Err(ParseError::TrailingBytes);
    }
    let data = info.content;
    let mut contents = Contents::default();
    for any in data.certificates.unwrap_or_default() {
        match Certificate::parse(any.as_bytes()) {
            Ok(certificate) => contents.certificates.push(certificate),
            Err(_) => contents.unreadable += 1,
        }
    }
    for any in data.crls.unwrap_or_default() {
        match Crl::parse(any.as_bytes()) {
            Ok(crl) => contents.crls.push(crl),
            Err(_) => contents.unreadable += 1,
        }
    }
    contents.preferred = data.signers.iter().find_map(|signer| preferred(signer.as_bytes(), &contents.certificates));
    Ok(contents)
}

/// The certificate that a signer's attribute names (RFC 8551 2.5.3, and Microsoft's own), by its place.
fn preferred(signer: &[u8], certificates: &[Certificate]) -> Option<usize> {
    let attributes = rasn::ber::decode::<SignerInfo>(signer).ok()?.signed_attributes?;
    let value = |kind: &[u32]| {
        let attribute = attributes.iter().find(|attribute| *attribute.kind == *kind)?;
        attribute.values.first().map(Any::as_bytes)
    };
    let wanted = value(ENCRYPTION_KEY_PREFERENCE)
        .and_then(key_preference)
        .or_else(|| value(MICROSOFT_KEY_PREFERENCE).and_then(issuer_and_serial))?;
    certificates.iter().position(|certificate| wanted.names(certificate))
}

enum Wanted {
    IssuerAndSerial(NameKey, Box<[u8]>),
    SubjectKeyIdentifier(Box<[u8]>),
}

impl Wanted {
    fn names(&self, certificate: &Certificate) -> bool {
        let details = &certificate.details;
        match self {
            Self::IssuerAndSerial(issuer, serial) => details.issuer == *issuer && details.serial == *serial,
            Self::SubjectKeyIdentifier(id) => details.extensions.subject_key_identifier.as_ref() == Some(id),
        }
    }
}

/// `CHOICE { [0] IssuerAndSerialNumber, [1] RecipientKeyIdentifier, [2] SubjectKeyIdentifier }`.
fn key_preference(value: &[u8]) -> Option<Wanted> {
    let choice = der::whole(value)?;
    match choice.tag().0 {
        0 => issuer_and_serial_contents(choice.data),
        1 => {
            let identifier = der::elements(choice.data)?.into_iter().next()?;
            Some(Wanted::SubjectKeyIdentifier(identifier.data.into()))
        }
        2 => Some(Wanted::SubjectKeyIdentifier(choice.data.into())),
        _ => None,
    }
}

fn issuer_and_serial(value: &[u8]) -> Option<Wanted> {
    issuer_and_serial_contents(der::whole(value)?.data)
}

fn issuer_and_serial_contents(contents: &[u8]) -> Option<Wanted> {
    let (rest, issuer) = X509Name::from_der(contents).ok()?;
    let serial = der::whole(rest)?;
    Some(Wanted::IssuerAndSerial(NameKey::of(&issuer), der::shortest(serial.data).into()))
}
