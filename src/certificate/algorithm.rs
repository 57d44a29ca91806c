//! Public keys and signature algorithms: what they are called and what a verifier has to know.

use std::sync::OnceLock;

use aws_lc_rs::signature::ParsedPublicKey;
use x509_parser::asn1_rs::{Any, FromDer, Oid, Tag};
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::der;

/// A hash function of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Hash {
    Md2,
    Md4,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Length of its digest in bytes.
    pub(crate) fn length(self) -> u32 {
        match self {
            Self::Md2 | Self::Md4 | Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The hash of a number, where it has a name here.
    pub(super) fn from_oid(oid: &str) -> Option<Self> {
        Some(match oid {
            "1.2.840.113549.2.2" => Self::Md2,
            "1.2.840.113549.2.4" => Self::Md4,
            "1.2.840.113549.2.5" => Self::Md5,
            "1.3.14.3.2.26" => Self::Sha1,
            "2.16.840.1.101.3.4.2.4" => Self::Sha224,
            "2.16.840.1.101.3.4.2.1" => Self::Sha256,
            "2.16.840.1.101.3.4.2.2" => Self::Sha384,
            "2.16.840.1.101.3.4.2.3" => Self::Sha512,
            _ => return None,
        })
    }
}

/// A signature algorithm (RFC 3279, 4055, 5758, 8410).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS.
    RsaPss(Pss),
    /// ECDSA.
    Ecdsa(Hash),
    /// DSA.
    Dsa(Hash),
    /// Ed25519.
    Ed25519,
    /// ML-DSA (RFC 9881).
    MlDsa(MlDsa),
    /// No signature at all (RFC 9925).
    Unsigned,
    /// Anything else; nothing is known of its hash.
    Other,
}

impl Scheme {
    /// The hash that is signed, where the algorithm has one apart.
    pub(crate) fn hash(self) -> Option<Hash> {
        match self {
            Self::RsaPkcs1(hash) | Self::Ecdsa(hash) | Self::Dsa(hash) => Some(hash),
            Self::RsaPss(pss) => Some(pss.hash),
            Self::Ed25519 | Self::MlDsa(_) | Self::Unsigned | Self::Other => None,
        }
    }
}

/// The parameters of RSASSA-PSS with MGF1 (RFC 4055 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pss {
    pub(crate) hash: Hash,
    /// The hash of the mask generation function.
    pub(crate) mask: Hash,
    /// Length of the salt in bytes.
    pub(crate) salt: u32,
}

/// A parameter set of ML-DSA (FIPS 204 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MlDsa {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// The scheme and its usual name.
pub(super) fn signature(algorithm: &AlgorithmIdentifier<'_>) -> (Scheme, String) {
    let oid = der::dotted(&algorithm.algorithm);
    let (scheme, name) = match oid.as_str() {
        "1.2.840.113549.1.1.2" => (Scheme::RsaPkcs1(Hash::Md2), "md2WithRSA"),
        "1.2.840.113549.1.1.3" => (Scheme::RsaPkcs1(Hash::Md4), "md4WithRSA"),
        "1.2.840.113549.1.1.4" => (Scheme::RsaPkcs1(Hash::Md5), "md5WithRSA"),
        // the second is OIW's number for the same, which old Microsoft tools write
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => (Scheme::RsaPkcs1(Hash::Sha1), "sha1WithRSA"),
        "1.2.840.113549.1.1.14" => (Scheme::RsaPkcs1(Hash::Sha224), "sha224WithRSA"),
        "1.2.840.113549.1.1.11" => (Scheme::RsaPkcs1(Hash::Sha256), "sha256WithRSA"),
        "1.2.840.113549.1.1.12" => (Scheme::RsaPkcs1(Hash::Sha384), "sha384WithRSA"),
        "1.2.840.113549.1.1.13" => (Scheme::RsaPkcs1(Hash::Sha512), "sha512WithRSA"),
        "1.2.840.113549.1.1.10" => (pss(algorithm.parameters()).map_or(Scheme::Other, Scheme::RsaPss), "RSASSA-PSS"),
        "1.2.840.10045.4.1" => (Scheme::Ecdsa(Hash::Sha1), "ecdsa-with-SHA1"),
        "1.2.840.10045.4.3.1" => (Scheme::Ecdsa(Hash::Sha224), "ecdsa-with-SHA224"),
        "1.2.840.10045.4.3.2" => (Scheme::Ecdsa(Hash::Sha256), "ecdsa-with-SHA256"),
        "1.2.840.10045.4.3.3" => (Scheme::Ecdsa(Hash::Sha384), "ecdsa-with-SHA384"),
        "1.2.840.10045.4.3.4" => (Scheme::Ecdsa(Hash::Sha512), "ecdsa-with-SHA512"),
        "1.2.840.10040.4.3" => (Scheme::Dsa(Hash::Sha1), "dsa-with-SHA1"),
        "2.16.840.1.101.3.4.3.1" => (Scheme::Dsa(Hash::Sha224), "dsa-with-SHA224"),
        "2.16.840.1.101.3.4.3.2" => (Scheme::Dsa(Hash::Sha256), "dsa-with-SHA256"),
        "1.3.101.112" => (Scheme::Ed25519, "Ed25519"),
        "1.3.101.113" => (Scheme::Other, "Ed448"),
        "2.16.840.1.101.3.4.3.17" => (Scheme::MlDsa(MlDsa::MlDsa44), "ML-DSA-44"),
        "2.16.840.1.101.3.4.3.18" => (Scheme::MlDsa(MlDsa::MlDsa65), "ML-DSA-65"),
        "2.16.840.1.101.3.4.3.19" => (Scheme::MlDsa(MlDsa::MlDsa87), "ML-DSA-87"),
        "1.3.6.1.5.5.7.6.36" => (Scheme::Unsigned, "unsigned"),
        _ => return (Scheme::Other, oid),
    };
    (scheme, name.to_owned())
}

/// `None` for parameters that are missing, or have another mask generation function or trailer than anybody defined.
fn pss(parameters: Option<&Any<'_>>) -> Option<Pss> {
    let parameters = parameters.filter(|parameters| has_form_of_pss(parameters).is_some())?;
    let parameters = RsaSsaPssParams::try_from(parameters).ok()?;
    let mask = parameters.mask_gen_algorithm().ok()?;
    let known = der::dotted(&mask.mgf) == "1.2.840.113549.1.1.8" && parameters.trailer_field() == 1;
    known.then_some(Pss {
        hash: Hash::from_oid(&der::dotted(parameters.hash_algorithm_oid()))?,
        mask: Hash::from_oid(&der::dotted(&mask.hash))?,
        salt: parameters.salt_length(),
    })
}

/// Whether the tags are those of RSASSA-PSS-params; x509-parser takes others too, and in CMS no signature covers them.
fn has_form_of_pss(parameters: &Any<'_>) -> Option<()> {
    let fields = der::elements(parameters.data).filter(|fields| der::in_order(fields))?;
    for field in &fields {
        match der::context(field, true)? {
            0 => der::algorithm(field.data).map(|_| ())?,
            1 => {
                let [_, hash] = &der::algorithm(field.data)?[..] else { return None };
                let hash = der::elements(hash.data).filter(|_| der::is(hash, Tag::Sequence))?;
                hash.first().filter(|number| der::is_number(number))?;
            }
            2 | 3 => {
                der::whole(field.data).filter(|integer| der::is(integer, Tag::Integer))?;
            }
            _ => return None,
        }
    }
    der::is(parameters, Tag::Sequence).then_some(())
}

/// What kind of key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum KeyKind {
    /// RSA with the length of its modulus in bits; 0 where the key cannot be read.
    Rsa { bits: u32 },
    /// RSA for RSASSA-PSS signatures alone.
    RsaPss {
        bits: u32,
        /// The only parameters it may be used with; any if `None`.
        limits: Option<Pss>,
    },
    /// A curve that the engine verifies on.
    Ec(Curve),
    /// Any other curve.
    EcOther,
    /// DSA.
    Dsa,
    /// Ed25519.
    Ed25519,
    /// ML-DSA.
    MlDsa(MlDsa),
    /// Another key that can only sign: Ed448.
    SignOnly,
    /// A key that can only encrypt: X25519, X448.
    Agreement,
    /// A key that can only encapsulate: ML-KEM.
    Encapsulation,
    /// Anything else.
    Other,
}

/// A named curve (SEC 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

/// A subject's public key.
#[derive(Debug)]
pub(crate) struct PublicKey {
    /// What kind of key.
    pub(crate) kind: KeyKind,
    /// The contents of subjectPublicKey.
    pub(crate) bytes: Box<[u8]>,
    /// The whole SubjectPublicKeyInfo.
    pub(crate) spki: Box<[u8]>,
    /// The parameters of a DSA key that has its own.
    pub(crate) dsa_parameters: Option<DsaParameters>,
    /// The key as it was read to check the first signature with it, and of which scheme that was: an authority's key is
    /// read once and not for everybody. `None` where it cannot be read.
    pub(crate) verifier: OnceLock<Option<(Scheme, ParsedPublicKey)>>,
}

/// Dss-Parms (RFC 3279 2.3.2), without zeros in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DsaParameters {
    pub(crate) p: Box<[u8]>,
    pub(crate) q: Box<[u8]>,
    pub(crate) g: Box<[u8]>,
}

impl PublicKey {
    /// Whether it is a DSA key that leaves its parameters to its issuer's key (RFC 3279 2.3.2).
    pub(crate) fn inherits_parameters(&self) -> bool {
        self.kind == KeyKind::Dsa && self.dsa_parameters.is_none()
    }

    /// Modulus and exponent of an RSAPublicKey (RFC 8017 A.1.1), without zeros in front.
    pub(crate) fn rsa(&self) -> Option<(&[u8], &[u8])> {
        let [modulus, exponent] = integers(&self.bytes)?;
        Some((modulus, exponent))
    }

    /// The value of a DSA key.
    pub(crate) fn dsa_value(&self) -> Option<&[u8]> {
        positive(&der::whole(&self.bytes)?)
    }

    /// Modulus and public exponent of an RSA key, big-endian; `None` for another key and for one that cannot be read.
    /// A number whose sign bit is set by mistake is read as the positive one that was meant.
    pub(crate) fn rsa_numbers(&self) -> Option<(&[u8], &[u8])> {
        self.rsa_bits()?;
        let sequence = der::whole(&self.bytes).filter(|any| any.tag() == Tag::Sequence)?;
        match der::elements(sequence.data)?.as_slice() {
            [modulus, exponent] if modulus.tag() == Tag::Integer && exponent.tag() == Tag::Integer => {
                Some((der::without_leading_zeros(modulus.data), der::without_leading_zeros(exponent.data)))
            }
            _ => None,
        }
    }

    /// Length of an RSA modulus in bits.
    pub(crate) fn rsa_bits(&self) -> Option<u32> {
        match self.kind {
            KeyKind::Rsa { bits } | KeyKind::RsaPss { bits, .. } => Some(bits),
            _ => None,
        }
    }
}

/// The key and its usual name with its size.
pub(super) fn public_key(info: &SubjectPublicKeyInfo<'_>) -> (PublicKey, String) {
    let bytes: Box<[u8]> = info.subject_public_key.data.as_ref().into();
    let oid = der::dotted(&info.algorithm.algorithm);
    let (kind, name) = match oid.as_str() {
        "1.2.840.113549.1.1.1" => {
            let bits = modulus_bits(&bytes);
            (KeyKind::Rsa { bits }, format!("RSA {bits}"))
        }
        "1.2.840.113549.1.1.10" => {
            let bits = modulus_bits(&bytes);
            (restricted(info.algorithm.parameters(), bits), format!("RSASSA-PSS {bits}"))
        }
        "1.2.840.10045.2.1" => curve(info.algorithm.parameters()),
        "1.2.840.10040.4.1" => (KeyKind::Dsa, "DSA".to_owned()),
        "1.3.101.112" => (KeyKind::Ed25519, "Ed25519".to_owned()),
        "1.3.101.113" => (KeyKind::SignOnly, "Ed448".to_owned()),
        "1.3.101.110" => (KeyKind::Agreement, "X25519".to_owned()),
        "1.3.101.111" => (KeyKind::Agreement, "X448".to_owned()),
        "2.16.840.1.101.3.4.3.17" => (KeyKind::MlDsa(MlDsa::MlDsa44), "ML-DSA-44".to_owned()),
        "2.16.840.1.101.3.4.3.18" => (KeyKind::MlDsa(MlDsa::MlDsa65), "ML-DSA-65".to_owned()),
        "2.16.840.1.101.3.4.3.19" => (KeyKind::MlDsa(MlDsa::MlDsa87), "ML-DSA-87".to_owned()),
        "2.16.840.1.101.3.4.4.1" => (KeyKind::Encapsulation, "ML-KEM-512".to_owned()),
        "2.16.840.1.101.3.4.4.2" => (KeyKind::Encapsulation, "ML-KEM-768".to_owned()),
        "2.16.840.1.101.3.4.4.3" => (KeyKind::Encapsulation, "ML-KEM-1024".to_owned()),
        _ => (KeyKind::Other, oid),
    };
    let dsa_parameters = match kind {
        KeyKind::Dsa => info.algorithm.parameters().and_then(dsa_parameters),
        _ => None,
    };
    (PublicKey { kind, bytes, spki: info.raw.into(), dsa_parameters, verifier: OnceLock::new() }, name)
}

fn curve(parameters: Option<&Any<'_>>) -> (KeyKind, String) {
    let oid = parameters
        .filter(|any| der::is(any, Tag::Oid))
        .and_then(|any| Oid::try_from(any.clone()).ok())
        .map(|oid| der::dotted(&oid));
    match oid.as_deref() {
        Some("1.2.840.10045.3.1.7") => (KeyKind::Ec(Curve::P256), "EC P-256".to_owned()),
        Some("1.3.132.0.34") => (KeyKind::Ec(Curve::P384), "EC P-384".to_owned()),
        Some("1.3.132.0.35") => (KeyKind::Ec(Curve::P521), "EC P-521".to_owned()),
        Some(other) => (KeyKind::EcOther, format!("EC {other}")),
        None => (KeyKind::EcOther, "EC".to_owned()),
    }
}

/// Length of the modulus of an RSAPublicKey (RFC 8017 A.1.1); 0 if it cannot be read.
fn modulus_bits(key: &[u8]) -> u32 {
    let modulus =
        der::whole(key).and_then(|sequence| Any::from_der(sequence.data).ok().map(|(_, modulus)| modulus.data));
    let Some(modulus) = modulus.map(der::without_leading_zeros) else { return 0 };
    let Some(first) = modulus.first() else { return 0 };
    u32::try_from(modulus.len() * 8).map_or(0, |bits| bits - first.leading_zeros())
}

/// A key for RSASSA-PSS alone; parameters that nobody can read make it one nobody can use.
fn restricted(parameters: Option<&Any<'_>>, bits: u32) -> KeyKind {
    match parameters {
        None => KeyKind::RsaPss { bits, limits: None },
        Some(found) => match pss(Some(found)) {
            Some(limits) => KeyKind::RsaPss { bits, limits: Some(limits) },
            None => KeyKind::Other,
        },
    }
}

fn dsa_parameters(parameters: &Any<'_>) -> Option<DsaParameters> {
    let [p, q, g] = &der::elements(parameters.data).filter(|_| der::is(parameters, Tag::Sequence))?[..] else {
        return None;
    };
    Some(DsaParameters { p: positive(p)?.into(), q: positive(q)?.into(), g: positive(g)?.into() })
}

/// r and s of a Dss-Sig-Value (RFC 3279 2.2.2).
pub(crate) fn dsa_signature(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let [r, s] = integers(value)?;
    Some((r, s))
}

/// The two positive INTEGERs of a SEQUENCE.
fn integers(sequence: &[u8]) -> Option<[&[u8]; 2]> {
    let sequence = der::whole(sequence).filter(|any| der::is(any, Tag::Sequence))?;
    let [first, second] = &der::elements(sequence.data)?[..] else { return None };
    Some([positive(first)?, positive(second)?])
}

fn positive<'a>(integer: &Any<'a>) -> Option<&'a [u8]> {
    let positive = der::is(integer, Tag::Integer) && integer.data.first().is_some_and(|&first| first < 0x80);
    positive.then(|| der::without_leading_zeros(integer.data))
}
