//! Signatures, through aws-lc-rs where it has a verifier.

use aws_lc_rs::signature::{self, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm};

use crate::certificate::{Curve, DsaParameters, Hash, KeyKind, MlDsa, Pss, PublicKey, Scheme, SignatureValue};

use super::{dsa_signature, rsa_signature};

/// What became of checking a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureCheck {
    /// The key made it.
    Good,
    /// The key did not make it.
    Bad,
    /// This engine cannot say.
    Unsupported,
    /// It has to wait until the path says what the key's parameters are.
    Pending,
}

/// Checks a signature with a key. `inherited`: the parameters of a DSA key that has none of its own.
pub(super) fn check(signed: &SignatureValue, key: &PublicKey, inherited: Option<&DsaParameters>) -> SignatureCheck {
    let (message, value) = (&*signed.message, &*signed.value);
    match (signed.scheme, key.kind) {
        (Scheme::RsaPkcs1(hash), KeyKind::Rsa { bits }) => match rsa(hash, bits) {
            Some(algorithm) => verify(algorithm, key, signed),
            None => rsa_signature::pkcs1(hash, key, message, value),
        },
        (Scheme::RsaPss(pss), KeyKind::Rsa { bits }) => verify_pss(pss, bits, key, signed),
        (Scheme::RsaPss(pss), KeyKind::RsaPss { bits, limits }) => {
            // a key that says how it is used is used in no other way (RFC 4055 3.3)
            let allowed = |limits: Pss| limits.hash == pss.hash && limits.mask == pss.mask && limits.salt <= pss.salt;
            if !limits.is_none_or(allowed) {
                return SignatureCheck::Bad;
            }
            verify_pss(pss, bits, key, signed)
        }
        // a compressed point is allowed, and nobody writes one
        (Scheme::Ecdsa(hash), KeyKind::Ec(curve)) if key.bytes.first() == Some(&4) => match ecdsa(hash, curve) {
            Some(algorithm) => verify(algorithm, key, signed),
            None => SignatureCheck::Unsupported,
        },
        (Scheme::Ed25519, KeyKind::Ed25519) => verify(&signature::ED25519, key, signed),
        (Scheme::MlDsa(scheme), KeyKind::MlDsa(kind)) if scheme == kind => verify(ml_dsa(kind), key, signed),
        (Scheme::Dsa(hash), KeyKind::Dsa) => match key.dsa_parameters.as_ref().or(inherited) {
            Some(parameters) => dsa_signature::check(hash, key, parameters, message, value),
            None => SignatureCheck::Unsupported,
        },
        // RFC 9925: there is no signature, so nobody made it
        (Scheme::Unsigned, _) => SignatureCheck::Bad,
        (Scheme::Ecdsa(_), KeyKind::Ec(_) | KeyKind::EcOther)
        | (Scheme::Other, _)
        | (_, KeyKind::Other | KeyKind::SignOnly) => SignatureCheck::Unsupported,
        // a key of another kind cannot have made it
        _ => SignatureCheck::Bad,
    }
}

fn verify(algorithm: &'static dyn VerificationAlgorithm, key: &PublicKey, signed: &SignatureValue) -> SignatureCheck {
    let parse = || Some((signed.scheme, ParsedPublicKey::new(algorithm, &key.bytes).ok()?));
    let verified = match key.verifier.get_or_init(parse) {
        Some((scheme, parsed)) if *scheme == signed.scheme => parsed.verify_sig(&signed.message, &signed.value),
        // one that signs in two ways is rare enough to be read again
        _ => UnparsedPublicKey::new(algorithm, &key.bytes).verify(&signed.message, &signed.value),
    };
    if verified.is_ok() { SignatureCheck::Good } else { SignatureCheck::Bad }
}

fn verify_pss(parameters: Pss, bits: u32, key: &PublicKey, signed: &SignatureValue) -> SignatureCheck {
    let usual = parameters.mask == parameters.hash && parameters.salt == parameters.hash.length();
    match pss(parameters.hash, bits).filter(|_| usual) {
        Some(algorithm) => verify(algorithm, key, signed),
        None => rsa_signature::pss(parameters, key, &signed.message, &signed.value),
    }
}

fn ml_dsa(kind: MlDsa) -> &'static dyn VerificationAlgorithm {
    match kind {
        MlDsa::MlDsa44 => &signature::ML_DSA_44,
        MlDsa::MlDsa65 => &signature::ML_DSA_65,
        MlDsa::MlDsa87 => &signature::ML_DSA_87,
    }
}

fn rsa(hash: Hash, bits: u32) -> Option<&'static dyn VerificationAlgorithm> {
    if !(1024..=8192).contains(&bits) {
        return None;
    }
    Some(match hash {
        Hash::Sha1 => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        Hash::Sha384 if bits >= 2048 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        _ => return None,
    })
}

fn pss(hash: Hash, bits: u32) -> Option<&'static dyn VerificationAlgorithm> {
    if !(2048..=8192).contains(&bits) {
        return None;
    }
    Some(match hash {
        Hash::Sha256 => &signature::RSA_PSS_2048_8192_SHA256,
        Hash::Sha384 => &signature::RSA_PSS_2048_8192_SHA384,
        Hash::Sha512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn ecdsa(hash: Hash, curve: Curve) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (curve, hash) {
        (Curve::P256, Hash::Sha1) => &signature::ECDSA_P256_SHA1_ASN1,
        (Curve::P256, Hash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha1) => &signature::ECDSA_P521_SHA1_ASN1,
        (Curve::P521, Hash::Sha224) => &signature::ECDSA_P521_SHA224_ASN1,
        (Curve::P521, Hash::Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}
