//! RSA signatures in the forms that aws-lc-rs has no verifier for: other salts and masks of RSASSA-PSS, SHA-224, short keys (RFC 8017).

use aws_lc_rs::digest::{self, Algorithm, Digest};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};

use crate::certificate::{Hash, Pss, PublicKey};

use super::signature::SignatureCheck;

/// Moduli that are worked with, in bits: enough for old paths, and not so much that a key could cost minutes.
const BITS: std::ops::RangeInclusive<u32> = 1024..=8192;
/// Bits of an exponent at most; a longer one only costs time.
const EXPONENT_BITS: u32 = 33;

/// RSASSA-PKCS1-v1_5 (RFC 8017 8.2.2).
pub(super) fn pkcs1(hash: Hash, key: &PublicKey, message: &[u8], value: &[u8]) -> SignatureCheck {
    let (Some(algorithm), Some(prefix)) = (algorithm(hash), digest_info(hash)) else {
        return SignatureCheck::Unsupported;
    };
    let encoded = match encoded_message(key, value) {
        Ok((encoded, _)) => encoded,
        Err(answer) => return answer,
    };
    let digest = digest::digest(algorithm, message);
    let info = [prefix, digest.as_ref()].concat();
    let Some(padding) = encoded.len().checked_sub(info.len() + 3).filter(|padding| *padding >= 8) else {
        return SignatureCheck::Unsupported;
    };
    let expected = [&[0, 1][..], &vec![0xff; padding], &[0], &info].concat();
    answer(encoded == expected)
}

/// RSASSA-PSS with the parameters as they are encoded (RFC 8017 8.1.2).
pub(super) fn pss(pss: Pss, key: &PublicKey, message: &[u8], value: &[u8]) -> SignatureCheck {
    let (Some(hash), Some(mask)) = (algorithm(pss.hash), algorithm(pss.mask)) else {
        return SignatureCheck::Unsupported;
    };
    let (encoded, bits) = match encoded_message(key, value) {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    answer(verify_pss(hash, mask, pss.salt, &encoded, bits, message).is_some())
}

/// EMSA-PSS-VERIFY (RFC 8017 9.1.2); `bits` is the length of the modulus.
fn verify_pss(
    hash: &'static Algorithm,
    mask: &'static Algorithm,
    salt: u32,
    encoded: &[u8],
    bits: u32,
    message: &[u8],
) -> Option<()> {
    let em_bits = bits.checked_sub(1)?;
    let length = usize::try_from(em_bits.div_ceil(8)).ok()?;
    // one byte longer than the encoded message where the modulus begins a byte of its own
    let (front, encoded) = encoded.split_at_checked(encoded.len().checked_sub(length)?)?;
    let (masked, rest) = encoded.split_at_checked(length.checked_sub(hash.output_len() + 1)?)?;
    let (digest, trailer) = rest.split_at_checked(hash.output_len())?;
    let unused = u32::try_from(length).ok()? * 8 - em_bits;
    let kept = 0xff_u8.checked_shr(unused)?;
    if front.iter().any(|&byte| byte != 0) || trailer != [0xbc] || masked.first()? & !kept != 0 {
        return None;
    }
    let mut block: Vec<u8> =
        masked.iter().zip(mgf1(mask, digest, masked.len())).map(|(byte, mask)| byte ^ mask).collect();
    *block.first_mut()? &= kept;
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(usize::try_from(salt).ok()?)?)?;
    let (one, zeros) = padding.split_last()?;
    if *one != 1 || zeros.iter().any(|&byte| byte != 0) {
        return None;
    }
    let message = digest::digest(hash, message);
    let again = digest::digest(hash, &[&[0; 8], message.as_ref(), salt].concat());
    (again.as_ref() == digest).then_some(())
}

/// MGF1 (RFC 8017 B.2.1).
fn mgf1(hash: &'static Algorithm, seed: &[u8], length: usize) -> Vec<u8> {
    let block = |counter: u32| -> Digest { digest::digest(hash, &[seed, &counter.to_be_bytes()].concat()) };
    let mut mask = Vec::with_capacity(length + hash.output_len());
    let mut counter = 0;
    while mask.len() < length {
        mask.extend_from_slice(block(counter).as_ref());
        counter += 1;
    }
    mask.truncate(length);
    mask
}

/// What the key makes of a signature (RSAVP1), as long as the modulus, and the bits of the modulus.
fn encoded_message(key: &PublicKey, value: &[u8]) -> Result<(Vec<u8>, u32), SignatureCheck> {
    let (modulus, exponent) = key.rsa().ok_or(SignatureCheck::Unsupported)?;
    let bits = key.rsa_bits().filter(|bits| BITS.contains(bits)).ok_or(SignatureCheck::Unsupported)?;
    if value.len() != modulus.len() {
        return Err(SignatureCheck::Bad);
    }
    let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bits.next_multiple_of(64));
    let modulus_number = number(modulus).map_err(|_| SignatureCheck::Unsupported)?;
    let value = number(value).map_err(|_| SignatureCheck::Bad)?;
    let exponent = number(exponent).map_err(|_| SignatureCheck::Unsupported)?;
    if exponent.bits() > EXPONENT_BITS || exponent.bits() < 2 {
        return Err(SignatureCheck::Unsupported);
    }
    if value >= modulus_number {
        return Err(SignatureCheck::Bad);
    }
    let odd = Odd::new(modulus_number).into_option().ok_or(SignatureCheck::Unsupported)?;
    let parameters = BoxedMontyParams::new_vartime(odd);
    let result = BoxedMontyForm::new(value, &parameters).pow_bounded_exp(&exponent, EXPONENT_BITS).retrieve();
    let bytes = result.to_be_bytes();
    let start = bytes.len().saturating_sub(modulus.len());
    Ok((bytes.get(start..).unwrap_or_default().to_vec(), bits))
}

fn answer(good: bool) -> SignatureCheck {
    if good { SignatureCheck::Good } else { SignatureCheck::Bad }
}

/// The digest of a hash, where there is one.
pub(super) fn algorithm(hash: Hash) -> Option<&'static Algorithm> {
    Some(match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &digest::SHA224,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
        Hash::Md2 | Hash::Md4 | Hash::Md5 => return None,
    })
}

/// DigestInfo up to the digest (RFC 8017 9.2 note 1), for the hashes aws-lc-rs leaves out.
fn digest_info(hash: Hash) -> Option<&'static [u8]> {
    Some(match hash {
        Hash::Sha224 => &[0x30, 0x2d, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4, 5, 0, 4, 0x1c],
        Hash::Sha384 => &[0x30, 0x41, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 4, 0x30],
        _ => return None,
    })
}
