//! The key and the algorithms' encodings (SBR 6.1.1.3, 6.1.5, 6.1.6, 7.1.3).

use aws_lc_rs::signature::{self, ParsedPublicKey};
use x509_parser::asn1_rs::Tag;

use crate::certificate::{Curve, KeyKind, der};

use super::rule::Answer;
use super::view::View;

/// AlgorithmIdentifiers of keys before ML-DSA and ML-KEM (SBR 7.1.3.1).
const KEYS: [&str; 6] = [
    "300d06092a864886f70d0101010500",
    "301306072a8648ce3d020106082a8648ce3d030107",
    "301006072a8648ce3d020106052b81040022",
    "301006072a8648ce3d020106052b81040023",
    "300506032b6570",
    "300506032b6571",
];

const ML_DSA: [&str; 3] = ["300b0609608648016503040311", "300b0609608648016503040312", "300b0609608648016503040313"];
const ML_KEM: [&str; 3] = ["300b0609608648016503040401", "300b0609608648016503040402", "300b0609608648016503040403"];

/// AlgorithmIdentifiers of signatures before ML-DSA (SBR 7.1.3.2).
const SIGNATURES: [&str; 11] = [
    "300d06092a864886f70d01010b0500",
    "300d06092a864886f70d01010c0500",
    "300d06092a864886f70d01010d0500",
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d0609608648016503\
     0402010500a203020120",
    "304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d0609608648016503\
     0402020500a203020130",
    "304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108300d0609608648016503\
     0402030500a203020140",
    "300a06082a8648ce3d040302",
    "300a06082a8648ce3d040303",
    "300a06082a8648ce3d040304",
    "300506032b6570",
    "300506032b6571",
];

/// The largest prime a modulus must not be divided by (SBR 6.1.6, NIST SP 800-89 5.3.3).
const SMALL_PRIMES_BELOW: u32 = 752;

fn encoded_as(found: &[u8], lists: &[&[&str]]) -> Answer {
    let found = hex::encode(found);
    let known = lists.iter().flat_map(|list| list.iter()).any(|encoding| *encoding == found);
    Answer::without(if known { Vec::new() } else { vec![found] })
}

pub(super) fn key_algorithm_before_ml(view: &View<'_>) -> Answer {
    encoded_as(view.key_algorithm, &[&KEYS])
}

pub(super) fn key_algorithm(view: &View<'_>) -> Answer {
    encoded_as(view.key_algorithm, &[&KEYS, &ML_DSA, &ML_KEM])
}

pub(super) fn signature_algorithm_before_ml(view: &View<'_>) -> Answer {
    encoded_as(view.signature_algorithm, &[&SIGNATURES])
}

pub(super) fn signature_algorithm(view: &View<'_>) -> Answer {
    encoded_as(view.signature_algorithm, &[&SIGNATURES, &ML_DSA])
}

/// Modulus and exponent of an RSA key, without zeros in front; `None` for another key, or one that cannot be read.
fn rsa<'a>(view: &View<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let key = &view.certificate.details.public_key;
    if !matches!(key.kind, KeyKind::Rsa { .. }) {
        return None;
    }
    let sequence = der::whole(&key.bytes).filter(|any| any.tag() == Tag::Sequence)?;
    let numbers = der::elements(sequence.data)?;
    let [modulus, exponent] = numbers.as_slice() else { return None };
    let start = |bytes: &'a [u8]| bytes.get(bytes.iter().position(|&byte| byte != 0)?..);
    Some((start(modulus.data)?, start(exponent.data)?))
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

pub(super) fn modulus_length(view: &View<'_>) -> Answer {
    rsa(view).map_or(Answer::Nothing, |(modulus, _)| {
        let bits = bits(modulus);
        let fits = bits >= 2048 && bits.is_multiple_of(8);
        Answer::without(if fits { Vec::new() } else { vec![bits.to_string()] }).expecting("2048")
    })
}

pub(super) fn gmail_modulus_length(view: &View<'_>) -> Answer {
    rsa(view).map_or(Answer::Nothing, |(modulus, _)| {
        let bits = bits(modulus);
        let fits = [2048, 3072, 4096].contains(&bits);
        Answer::without(if fits { Vec::new() } else { vec![bits.to_string()] }).expecting("2048, 3072, 4096")
    })
}

pub(super) fn gmail_kind(view: &View<'_>) -> Answer {
    let kind = view.certificate.details.public_key.kind;
    let known = matches!(kind, KeyKind::Rsa { .. } | KeyKind::Ec(Curve::P256 | Curve::P384));
    Answer::without(if known { Vec::new() } else { vec![view.certificate.key.clone()] })
        .expecting("RSA, EC P-256, EC P-384")
}

fn exponent(view: &View<'_>, holds: fn(&[u8]) -> bool) -> Answer {
    rsa(view).map_or(Answer::Nothing, |(_, exponent)| {
        Answer::without(if holds(exponent) { Vec::new() } else { vec![format!("0x{}", hex::encode(exponent))] })
    })
}

pub(super) fn exponent_odd(view: &View<'_>) -> Answer {
    exponent(view, |exponent| exponent.last().is_some_and(|last| last & 1 == 1) && exponent != [1])
}

pub(super) fn exponent_range(view: &View<'_>) -> Answer {
    exponent(view, |exponent| bits(exponent) >= 17 && bits(exponent) <= 256)
}

pub(super) fn no_small_factor(view: &View<'_>) -> Answer {
    rsa(view).map_or(Answer::Nothing, |(modulus, _)| {
        let rest = |divisor: u32| modulus.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % divisor);
        // the first divisor there is, is a prime
        let factor = (2..SMALL_PRIMES_BELOW).find(|&divisor| rest(divisor) == 0);
        Answer::without(factor.map(|factor| factor.to_string()).into_iter().collect())
    })
}

pub(super) fn point_on_curve(view: &View<'_>) -> Answer {
    let key = &view.certificate.details.public_key;
    let algorithm: &'static dyn signature::VerificationAlgorithm = match key.kind {
        KeyKind::Ec(Curve::P256) => &signature::ECDSA_P256_SHA256_ASN1,
        KeyKind::Ec(Curve::P384) => &signature::ECDSA_P384_SHA384_ASN1,
        KeyKind::Ec(Curve::P521) => &signature::ECDSA_P521_SHA512_ASN1,
        _ => return Answer::Nothing,
    };
    Answer::broken_if(ParsedPublicKey::new(algorithm, &key.bytes).is_err())
}
