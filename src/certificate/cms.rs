//! CMS SignedData (RFC 5652) as far as a directory holds it; BER, since what Outlook and Java write is not always DER.

use rasn::prelude::*;

use super::algorithm::Hash;
use super::signer_info::{self, CertificateReference, Signer};
use super::{Certificate, Crl, ParseError};

const SIGNED_DATA: &[u32] = &[1, 2, 840, 113_549, 1, 7, 2];
/// Signers that are looked at; a person is one.
const MAX_SIGNERS: usize = 8;

// an explicit tag is encoded as a sequence of one, and of that rasn checks that it is constructed
#[derive(AsnType, Decode, Debug)]
struct ContentInfo {
    content_type: ObjectIdentifier,
    #[rasn(tag(0))]
    content: SequenceOf<SignedData>,
}

// certificates stay raw so that one that cannot be read does not take the others along, and no byte of it changes
#[derive(AsnType, Decode, Debug)]
struct SignedData {
    version: Any,
    #[rasn(tag(universal, 17))]
    digest_algorithms: SequenceOf<Any>,
    content: EncapsulatedContentInfo,
    #[rasn(tag(0))]
    certificates: Option<SequenceOf<Any>>,
    #[rasn(tag(1))]
    crls: Option<SequenceOf<Any>>,
    #[rasn(tag(universal, 17))]
    signers: SequenceOf<Any>,
}

// PKCS#7 allowed any type as content
#[derive(AsnType, Decode, Debug)]
struct EncapsulatedContentInfo {
    content_type: Any,
    #[rasn(tag(0))]
    content: Option<SequenceOf<Any>>,
}

/// The content that is signed; it says nothing (RFC 2798 2.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// It is here.
    Octets(Box<[u8]>),
    /// It is elsewhere, or there is none.
    Absent,
    /// It is no OCTET STRING, as PKCS#7 allowed.
    Other,
}

/// What is signed, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// The hashes that it says its signers use, as far as they have a name here.
    pub(crate) digests: Vec<Hash>,
    pub(crate) content_type: Vec<u32>,
    pub(crate) content: Content,
    /// Who signed; empty for a bag of certificates.
    pub(crate) signers: Vec<Signer>,
    /// How many more signers there are: unreadable ones and those beyond a limit.
    pub(crate) unread_signers: usize,
}

/// What a SignedData carries.
#[derive(Debug)]
pub(super) struct Contents {
    /// Its certificates in its order.
    pub(super) certificates: Vec<Certificate>,
    /// Its CRLs.
    pub(super) crls: Vec<Crl>,
    /// How many certificates and CRLs could not be read.
    pub(super) unreadable: usize,
    /// The certificate that a signer says to encrypt to, in it or not.
    pub(super) preference: Option<CertificateReference>,
    /// SMIMECapabilities of the first signer that has some.
    pub(super) capabilities: Option<Vec<String>>,
    /// What is signed.
    pub(super) signed: Signed,
}

/// Whether these bytes are a ContentInfo: an OID follows the outer header.
pub(super) fn is_content_info(bytes: &[u8]) -> bool {
    let Some((&0x30, rest)) = bytes.split_first() else { return false };
    let Some((&length, rest)) = rest.split_first() else { return false };
    let skip = if length > 0x80 { usize::from(length & 0x7f) } else { 0 };
    rest.get(skip) == Some(&0x06)
}

/// Reads a SignedData; whether its signatures are good is not asked here.
pub(super) fn read(bytes: &[u8]) -> Result<Contents, ParseError> {
    let (info, rest) = rasn::ber::decode_with_remainder::<ContentInfo>(bytes).map_err(|_| ParseError::Malformed)?;
    if *info.content_type != *SIGNED_DATA {
        return Err(ParseError::Malformed);
    }
    if !rest.is_empty() {
        return Err(ParseError::TrailingBytes);
    }
    let [data] = <[SignedData; 1]>::try_from(info.content).map_err(|_| ParseError::Malformed)?;
    let signed = signed(&data).ok_or(ParseError::Malformed)?;
    let attributes = || signed.signers.iter().filter_map(|signer| signer.attributes.as_ref());
    let mut contents = Contents {
        certificates: Vec::new(),
        crls: Vec::new(),
        unreadable: 0,
        preference: attributes().find_map(|attributes| attributes.preference.clone()),
        capabilities: attributes().find_map(|attributes| attributes.capabilities.clone()),
        signed,
    };
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
    Ok(contents)
}

fn signed(data: &SignedData) -> Option<Signed> {
    if data.version.as_bytes().first() != Some(&signer_info::INTEGER) {
        return None;
    }
    let content = match data.content.content.as_deref() {
        None => Content::Absent,
        Some([octets]) => match rasn::ber::decode::<OctetString>(octets.as_bytes()) {
            Ok(octets) => Content::Octets(octets.as_ref().into()),
            Err(_) => Content::Other,
        },
        Some(_) => Content::Other,
    };
    let read = data.signers.iter().take(MAX_SIGNERS).filter_map(|signer| Signer::read(signer.as_bytes()));
    let signers: Vec<Signer> = read.collect();
    Some(Signed {
        digests: data.digest_algorithms.iter().filter_map(|it| signer_info::digest(it.as_bytes())?).collect(),
        content_type: signer_info::object_identifier(&data.content.content_type)?.to_vec(),
        content,
        unread_signers: data.signers.len() - signers.len(),
        signers,
    })
}
