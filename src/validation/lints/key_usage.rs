//! keyUsage by kind of key (SBR 7.1.2.3 e; RFC 5280 4.2.1.3, RFC 8813, RFC 9295).

use x509_parser::asn1_rs::Tag;

use crate::certificate::{KeyKind, der};

use super::profile::Generation;
use super::rule::Answer;
use super::view::View;

const KEY_USAGE: &str = "2.5.29.15";

const SIGN: &str = "digitalSignature";
const COMMIT: &str = "nonRepudiation";

/// Which bits a kind of key may have: those that make it a signing key, and those that make it an encryption key. The
/// first of each is the one it cannot do without.
struct Allowed {
    sign: &'static [&'static str],
    encrypt: &'static [&'static str],
}

const RSA: Allowed = Allowed { sign: &[SIGN, COMMIT], encrypt: &["keyEncipherment", "dataEncipherment"] };
const RSA_STRICT: Allowed = Allowed { sign: &[SIGN, COMMIT], encrypt: &["keyEncipherment"] };
const EC: Allowed = Allowed { sign: &[SIGN, COMMIT], encrypt: &["keyAgreement", "encipherOnly", "decipherOnly"] };
const SIGN_ONLY: Allowed = Allowed { sign: &[SIGN, COMMIT], encrypt: &[] };
const ENCAPSULATION: Allowed = Allowed { sign: &[], encrypt: &["keyEncipherment"] };

fn bits(view: &View<'_>) -> Option<Vec<&'static str>> {
    view.extension(KEY_USAGE)?;
    Some(view.certificate.details.extensions.key_usage?.names().collect())
}

fn kind(view: &View<'_>) -> KeyKind {
    view.certificate.details.public_key.kind
}

fn is_rsa(view: &View<'_>) -> bool {
    matches!(kind(view), KeyKind::Rsa { .. })
}

fn is_ec(view: &View<'_>) -> bool {
    matches!(kind(view), KeyKind::Ec(_) | KeyKind::EcOther)
}

/// Held against what a key that signs, encrypts or does both may have; nothing to say of one that does neither.
fn within(view: &View<'_>, allowed: &Allowed) -> Answer {
    let Some(bits) = bits(view) else { return Answer::Nothing };
    let serves = |side: &[&str]| side.first().is_some_and(|first| bits.contains(first));
    if !serves(allowed.sign) && !serves(allowed.encrypt) {
        return Answer::Nothing;
    }
    let may = |side: &'static [&'static str]| if serves(side) { side } else { &[] };
    let may: Vec<&str> = [may(allowed.sign), may(allowed.encrypt)].concat();
    Answer::without(bits.iter().filter(|bit| !may.contains(bit)).map(|&bit| bit.to_owned()).collect())
        .expecting(may.join(", "))
}

/// Bits are set, and none that says what the key is for.
fn purposeful(view: &View<'_>, allowed: &Allowed) -> Answer {
    let Some(bits) = bits(view).filter(|bits| !bits.is_empty()) else { return Answer::Nothing };
    let needed: Vec<&str> = [allowed.sign.first(), allowed.encrypt.first()].into_iter().flatten().copied().collect();
    let serves = needed.iter().any(|bit| bits.contains(bit));
    Answer::without(if serves { Vec::new() } else { vec![bits.join(", ")] }).expecting(needed.join(", "))
}

/// For a key that can do one thing alone.
fn single(view: &View<'_>, applies: bool, allowed: &Allowed) -> Answer {
    Answer::given(applies && bits(view).is_some_and(|bits| !bits.is_empty()), || match within(view, allowed) {
        Answer::Nothing => purposeful(view, allowed),
        answer => answer,
    })
}

pub(super) fn present(view: &View<'_>) -> Answer {
    Answer::broken_if(view.extension(KEY_USAGE).is_none())
}

pub(super) fn critical(view: &View<'_>) -> Answer {
    view.extension(KEY_USAGE).map_or(Answer::Nothing, |extension| Answer::broken_if(!extension.critical))
}

pub(super) fn rsa(view: &View<'_>) -> Answer {
    Answer::given(is_rsa(view), || within(view, &RSA))
}

pub(super) fn rsa_strict(view: &View<'_>) -> Answer {
    Answer::given(is_rsa(view), || within(view, &RSA_STRICT))
}

pub(super) fn rsa_purpose(view: &View<'_>) -> Answer {
    let allowed = if view.profile.generation == Generation::Strict { &RSA_STRICT } else { &RSA };
    Answer::given(is_rsa(view), || purposeful(view, allowed))
}

pub(super) fn ec(view: &View<'_>) -> Answer {
    Answer::given(is_ec(view), || within(view, &EC))
}

pub(super) fn ec_purpose(view: &View<'_>) -> Answer {
    Answer::given(is_ec(view), || purposeful(view, &EC))
}

pub(super) fn edwards(view: &View<'_>) -> Answer {
    single(view, matches!(view.certificate.key.as_str(), "Ed25519" | "Ed448"), &SIGN_ONLY)
}

pub(super) fn ml_dsa(view: &View<'_>) -> Answer {
    single(view, view.certificate.key.starts_with("ML-DSA"), &SIGN_ONLY)
}

pub(super) fn ml_kem(view: &View<'_>) -> Answer {
    single(view, kind(view) == KeyKind::Encapsulation, &ENCAPSULATION)
}

pub(super) fn not_empty(view: &View<'_>) -> Answer {
    bits(view).map_or(Answer::Nothing, |bits| Answer::broken_if(bits.is_empty()))
}

pub(super) fn no_cert_sign(view: &View<'_>) -> Answer {
    bits(view).map_or(Answer::Nothing, |bits| Answer::broken_if(bits.contains(&"keyCertSign")))
}

pub(super) fn one_direction(view: &View<'_>) -> Answer {
    bits(view).map_or(Answer::Nothing, |bits| {
        Answer::broken_if(bits.contains(&"encipherOnly") && bits.contains(&"decipherOnly"))
    })
}

/// A named bit list ends with a set bit (X.690 11.2.2).
pub(super) fn minimal(view: &View<'_>) -> Answer {
    let Some(extension) = view.extension(KEY_USAGE) else { return Answer::Nothing };
    let Some(list) = der::whole(extension.value).filter(|any| any.tag() == Tag::BitString) else {
        return Answer::broken_if(true);
    };
    let minimal = match list.data {
        [0] => true,
        [unused @ 0..=7, .., last] => last & (1 << unused) != 0 && last & ((1 << unused) - 1) == 0,
        _ => false,
    };
    Answer::without(if minimal { Vec::new() } else { vec![hex::encode(extension.value)] })
}
