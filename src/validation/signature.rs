//! Signatures, through aws-lc-rs.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use crate::certificate::{Curve, Hash, KeyKind, PublicKey, Scheme, SignatureValue};

/// What became of checking a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureCheck {
    /// The key made it.
    Good,
    /// The key did not make it.
    Bad,
    /// This engine cannot say.
    Unsupported,
}

/// Checks a signature with a key.
pub(super) fn check(signed: &SignatureValue, key: &PublicKey) -> SignatureCheck {
    let algorithm: &dyn VerificationAlgorithm = match algorithm(signed.scheme, key) {
        Ok(algorithm) => algorithm,
        Err(answer) => return answer,
    };
    match UnparsedPublicKey::new(algorithm, &key.bytes).verify(&signed.message, &signed.value) {
        Ok(()) => SignatureCheck::Good,
        Err(_) => SignatureCheck::Bad,
    }
}

fn algorithm(scheme: Scheme, key: &PublicKey) -> Result<&'static dyn VerificationAlgorithm, SignatureCheck> {
    match (scheme, key.kind) {
        (Scheme::RsaPkcs1(hash), KeyKind::Rsa { bits }) => rsa(hash, bits).ok_or(SignatureCheck::Unsupported),
        (Scheme::RsaPss(hash), KeyKind::Rsa { bits } | KeyKind::RsaPss { bits }) => {
            pss(hash, bits).ok_or(SignatureCheck::Unsupported)
        }
        // a compressed point is allowed, and nobody writes one
        (Scheme::Ecdsa(hash), KeyKind::Ec(curve)) if key.bytes.first() == Some(&4) => {
            ecdsa(hash, curve).ok_or(SignatureCheck::Unsupported)
        }
        (Scheme::Ed25519, KeyKind::Ed25519) => Ok(&signature::ED25519),
        (Scheme::Ecdsa(_), KeyKind::Ec(_) | KeyKind::EcOther)
        | (Scheme::Dsa(_), KeyKind::Dsa)
        | (Scheme::Other, _)
        | (_, KeyKind::Other | KeyKind::SignOnly) => Err(SignatureCheck::Unsupported),
        // a key of another kind cannot have made it
        _ => Err(SignatureCheck::Bad),
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
