//! Who signed a SignedData, and what was signed with it (RFC 5652 5.3).

use rasn::prelude::*;
use x509_parser::asn1_rs::{self, FromDer};
use x509_parser::x509::{AlgorithmIdentifier, X509Name};

use super::algorithm::{self, Hash, Scheme};
use super::name::{self, NameKey};
use super::{Certificate, capabilities, der};

const CONTENT_TYPE: &[u32] = &[1, 2, 840, 113_549, 1, 9, 3];
const MESSAGE_DIGEST: &[u32] = &[1, 2, 840, 113_549, 1, 9, 4];
const CAPABILITIES: &[u32] = &[1, 2, 840, 113_549, 1, 9, 15];
const ENCRYPTION_KEY_PREFERENCE: &[u32] = &[1, 2, 840, 113_549, 1, 9, 16, 2, 11];
const MICROSOFT_KEY_PREFERENCE: &[u32] = &[1, 3, 6, 1, 4, 1, 311, 16, 4];

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
pub(super) const INTEGER: u8 = 0x02;

#[derive(AsnType, Decode, Debug)]
struct SignerInfo {
    version: Any,
    signer: Any,
    digest_algorithm: Any,
    #[rasn(tag(0))]
    signed_attributes: Option<SequenceOf<Any>>,
    signature_algorithm: Any,
    signature: OctetString,
    #[rasn(tag(1))]
    _unsigned_attributes: Option<SequenceOf<Any>>,
}

#[derive(AsnType, Decode, Debug)]
struct Attribute {
    kind: Any,
    #[rasn(tag(universal, 17))]
    values: SequenceOf<Any>,
}

/// What a certificate is named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CertificateReference {
    /// IssuerAndSerialNumber.
    IssuerAndSerial {
        issuer: NameKey,
        serial: Box<[u8]>,
        /// Both as text for people.
        shown: String,
    },
    /// SubjectKeyIdentifier.
    SubjectKeyIdentifier(Box<[u8]>),
}

impl CertificateReference {
    /// Whether it names this certificate.
    pub(crate) fn names(&self, certificate: &Certificate) -> bool {
        let details = &certificate.details;
        match self {
            Self::IssuerAndSerial { issuer, serial, .. } => details.issuer == *issuer && details.serial == *serial,
            Self::SubjectKeyIdentifier(id) => details.extensions.subject_key_identifier.as_ref() == Some(id),
        }
    }

    /// As a finding shows it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::IssuerAndSerial { shown, .. } => shown.clone(),
            Self::SubjectKeyIdentifier(id) => hex::encode_upper(id),
        }
    }

    /// IssuerAndSerialNumber's contents.
    fn of_issuer_and_serial(contents: &[u8]) -> Option<Self> {
        let (rest, issuer) = X509Name::from_der(contents).ok()?;
        has_form_of_name(issuer.as_raw())?;
        let serial = der::whole(rest).filter(|any| der::is(any, asn1_rs::Tag::Integer))?.data;
        Some(Self::IssuerAndSerial {
            shown: format!("{} {}", name::to_rfc4514(&issuer), hex::encode_upper(der::without_leading_zeros(serial))),
            issuer: NameKey::of(&issuer),
            serial: der::shortest(serial).into(),
        })
    }

    /// SignerIdentifier: `CHOICE { IssuerAndSerialNumber, [0] SubjectKeyIdentifier }`.
    fn of_signer(value: &[u8]) -> Option<Self> {
        let choice = der::whole(value)?;
        if der::is(&choice, asn1_rs::Tag::Sequence) {
            return Self::of_issuer_and_serial(choice.data);
        }
        (der::context(&choice, false)? == 0).then(|| Self::SubjectKeyIdentifier(choice.data.into()))
    }

    /// SMIMEEncryptionKeyPreference: `CHOICE { [0] IssuerAndSerialNumber, [1] RecipientKeyIdentifier, [2]
    /// SubjectKeyIdentifier }` (RFC 8551 2.5.3).
    fn of_preference(value: &[u8]) -> Option<Self> {
        let choice = der::whole(value)?;
        if der::context(&choice, false) == Some(2) {
            return Some(Self::SubjectKeyIdentifier(choice.data.into()));
        }
        match der::context(&choice, true)? {
            0 => Self::of_issuer_and_serial(choice.data),
            1 => {
                let identifier = der::elements(choice.data)?.into_iter().next()?;
                der::is(&identifier, asn1_rs::Tag::OctetString)
                    .then(|| Self::SubjectKeyIdentifier(identifier.data.into()))
            }
            _ => None,
        }
    }

    /// Microsoft's own attribute: a bare IssuerAndSerialNumber.
    fn of_microsoft_preference(value: &[u8]) -> Option<Self> {
        Self::of_issuer_and_serial(der::constructed(value)?)
    }
}

/// Whether the tags are those of a Name; x509-parser takes others too, and no signature covers them here.
fn has_form_of_name(bytes: &[u8]) -> Option<()> {
    for names in der::elements(der::constructed(bytes)?)? {
        for name in der::elements(names.data).filter(|_| der::is(&names, asn1_rs::Tag::Set))? {
            let parts = der::elements(name.data).filter(|_| der::is(&name, asn1_rs::Tag::Sequence))?;
            let [kind, value] = &parts[..] else { return None };
            if !der::is_number(kind) || value.header.is_constructed() {
                return None;
            }
        }
    }
    Some(())
}

/// The number in an OBJECT IDENTIFIER; rasn takes a constructed one too.
pub(super) fn object_identifier(any: &Any) -> Option<ObjectIdentifier> {
    let bytes = any.as_bytes();
    rasn::ber::decode(bytes).ok().filter(|_| bytes.first() == Some(&0x06))
}

/// The attributes that are signed in place of the content.
#[derive(Debug, Clone)]
pub(crate) struct SignedAttributes {
    /// The SET OF that is hashed: in DER, and as it came where that differs, since not everybody sorts before signing.
    pub(crate) encodings: Vec<Box<[u8]>>,
    /// contentType, which has to be there once.
    pub(crate) content_type: Option<Vec<u32>>,
    /// messageDigest, which has to be there once.
    pub(crate) message_digest: Option<Box<[u8]>>,
    /// The certificate to encrypt to.
    pub(super) preference: Option<CertificateReference>,
    /// SMIMECapabilities.
    pub(super) capabilities: Option<Vec<String>>,
}

/// A SignerInfo.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    /// Whose signature it is.
    pub(crate) identifier: CertificateReference,
    /// The hash of messageDigest; `None` for one that has no name here.
    pub(crate) digest: Option<Hash>,
    /// The signature's algorithm.
    pub(crate) scheme: Scheme,
    /// Its usual name, or number.
    pub(crate) algorithm: String,
    /// What is signed; the content itself if `None`.
    pub(crate) attributes: Option<SignedAttributes>,
    /// The signature.
    pub(crate) signature: Box<[u8]>,
}

impl Signer {
    /// Reads a SignerInfo; `None` for another form.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let info: SignerInfo = rasn::ber::decode(bytes).ok()?;
        if info.version.as_bytes().first() != Some(&INTEGER) {
            return None;
        }
        let digest = digest(info.digest_algorithm.as_bytes())?;
        let (scheme, algorithm) = scheme(info.signature_algorithm.as_bytes(), digest)?;
        Some(Self {
            identifier: CertificateReference::of_signer(info.signer.as_bytes())?,
            digest,
            scheme,
            algorithm,
            attributes: match &info.signed_attributes {
                Some(attributes) => Some(SignedAttributes::read(attributes)?),
                None => None,
            },
            signature: info.signature.as_ref().into(),
        })
    }
}

impl SignedAttributes {
    fn read(received: &[Any]) -> Option<Self> {
        let attributes: Vec<Attribute> =
            received.iter().map(|any| rasn::ber::decode(any.as_bytes()).ok()).collect::<Option<_>>()?;
        // `[0] IMPLICIT SET OF Attribute` is hashed with the tag of a SET, and in DER (RFC 5652 5.4)
        let mut encodings = vec![der_set(&attributes)?];
        let received: Vec<&[u8]> = received.iter().map(Any::as_bytes).collect();
        let received: Box<[u8]> = der::element(SET, &received.concat()).into();
        if !encodings.contains(&received) {
            encodings.push(received);
        }
        let first = |kind| of_kind(&attributes, kind).find_map(|attribute| attribute.values.first()).map(Any::as_bytes);
        Some(Self {
            encodings,
            content_type: single(&attributes, CONTENT_TYPE).and_then(object_identifier).map(|kind| kind.to_vec()),
            message_digest: single(&attributes, MESSAGE_DIGEST)
                .and_then(|value| rasn::ber::decode::<OctetString>(value.as_bytes()).ok())
                .map(|digest| digest.as_ref().into()),
            preference: first(ENCRYPTION_KEY_PREFERENCE)
                .and_then(CertificateReference::of_preference)
                .or_else(|| first(MICROSOFT_KEY_PREFERENCE).and_then(CertificateReference::of_microsoft_preference)),
            capabilities: first(CAPABILITIES).and_then(capabilities::read),
        })
    }
}

/// Attributes as a SET OF in DER; their values are theirs.
fn der_set(attributes: &[Attribute]) -> Option<Box<[u8]>> {
    let sorted = |mut parts: Vec<Vec<u8>>| {
        parts.sort();
        der::element(SET, &parts.concat())
    };
    let encoded = |attribute: &Attribute| {
        let values = attribute.values.iter().map(|value| value.as_bytes().to_vec()).collect();
        object_identifier(&attribute.kind)?;
        let kind = attribute.kind.as_bytes().to_vec();
        Some(der::element(SEQUENCE, &[kind, sorted(values)].concat()))
    };
    Some(sorted(attributes.iter().map(encoded).collect::<Option<_>>()?).into())
}

fn of_kind<'a>(attributes: &'a [Attribute], kind: &'a [u32]) -> impl Iterator<Item = &'a Attribute> {
    let is = move |found: &Attribute| object_identifier(&found.kind).is_some_and(|found| *found == *kind);
    attributes.iter().filter(move |attribute| is(attribute))
}

/// The value of an attribute that is there once, with one value (RFC 5652 11.1, 11.2).
fn single<'a>(attributes: &'a [Attribute], kind: &'a [u32]) -> Option<&'a Any> {
    let mut found = of_kind(attributes, kind);
    let (Some(attribute), None) = (found.next(), found.next()) else { return None };
    attribute.values.first().filter(|_| attribute.values.len() == 1)
}

/// `None` for what is no AlgorithmIdentifier, `Some(None)` for a hash without a name here.
pub(super) fn digest(algorithm: &[u8]) -> Option<Option<Hash>> {
    der::algorithm(algorithm)?;
    let (_, algorithm) = AlgorithmIdentifier::from_der(algorithm).ok()?;
    Some(Hash::from_oid(&algorithm.algorithm.to_id_string()))
}

/// The scheme and its name; where the algorithm only says what key it is, with the hash of the digest.
fn scheme(algorithm: &[u8], digest: Option<Hash>) -> Option<(Scheme, String)> {
    der::algorithm(algorithm)?;
    let (_, algorithm) = AlgorithmIdentifier::from_der(algorithm).ok()?;
    let with = |scheme: fn(Hash) -> Scheme| digest.map_or(Scheme::Other, scheme);
    Some(match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => (with(Scheme::RsaPkcs1), "rsaEncryption".to_owned()),
        "1.2.840.10045.2.1" => (with(Scheme::Ecdsa), "id-ecPublicKey".to_owned()),
        "1.2.840.10040.4.1" => (with(Scheme::Dsa), "id-dsa".to_owned()),
        _ => algorithm::signature(&algorithm),
    })
}
