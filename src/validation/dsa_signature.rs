//! DSA signatures (FIPS 186-4, RFC 3279 2.2.2): nobody makes them any more, and old paths still have to be judged.

use aws_lc_rs::digest;
use crypto_bigint::BoxedUint;
use dsa::signature::hazmat::PrehashVerifier;
use dsa::{Components, Signature, VerifyingKey};

use crate::certificate::{DsaParameters, Hash, PublicKey, dsa_signature};

use super::rsa_signature::algorithm;
use super::signature::SignatureCheck;

/// Checks a signature with a key and the parameters that belong to it.
pub(super) fn check(
    hash: Hash,
    key: &PublicKey,
    parameters: &DsaParameters,
    message: &[u8],
    value: &[u8],
) -> SignatureCheck {
    let (Some(algorithm), Some(key)) = (algorithm(hash), verifying_key(key, parameters)) else {
        return SignatureCheck::Unsupported;
    };
    let digest = digest::digest(algorithm, message);
    let verified = dsa_signature(value)
        .and_then(|(r, s)| Signature::from_components(number(r, &parameters.q)?, number(s, &parameters.q)?))
        .is_some_and(|signature| key.verify_prehash(digest.as_ref(), &signature).is_ok());
    if verified { SignatureCheck::Good } else { SignatureCheck::Bad }
}

fn verifying_key(key: &PublicKey, parameters: &DsaParameters) -> Option<VerifyingKey> {
    let DsaParameters { p, q, g } = parameters;
    // sizes that were ever in use; anything else could cost any time
    let sized = (512..=4096).contains(&(p.len() * 8)) && matches!(q.len() * 8, 160 | 224 | 256);
    if !sized || q.last().is_none_or(|last| last % 2 == 0) {
        return None;
    }
    let p_number = number(p, p)?;
    let components = Components::from_components_unchecked(p_number.clone(), number(q, q)?, number(g, p)?).ok()?;
    let y = number(key.dsa_value()?, p)?;
    if y >= p_number {
        return None;
    }
    VerifyingKey::from_components(components, y).ok()
}

/// A number with the precision of another one; `None` if it is longer.
fn number(bytes: &[u8], like: &[u8]) -> Option<BoxedUint> {
    let bits = u32::try_from(like.len().checked_mul(8)?).ok()?;
    BoxedUint::from_be_slice(bytes, bits).ok()
}
