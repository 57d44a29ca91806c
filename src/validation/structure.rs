//! Rules about one certificate by itself that hold anywhere in a path.

use crate::certificate::{Certificate, Hash};

use super::catalogue as rule;
use super::rules::Rules;
use super::verdict::Finding;

/// Form, key and signature algorithm. `is_anchor`: its version and its own signature are of no concern (RFC 5280 6.1.1 (d)).
pub(super) fn check(
    certificate: &Certificate,
    index: usize,
    is_anchor: bool,
    rules: &Rules,
    findings: &mut Vec<Finding>,
) {
    let details = &certificate.details;
    let extensions = &details.extensions;
    if details.version != 3 && !is_anchor {
        findings.push(rule::VERSION_NOT_V3.broken_by(index).observed(format!("v{}", details.version)).expected("v3"));
    }
    if !details.algorithms_match && !is_anchor {
        findings.push(rule::ALGORITHM_MISMATCH.broken_by(index));
    }
    for (found, rule) in [
        (&extensions.duplicates, &rule::DUPLICATE_EXTENSION),
        (&extensions.unknown_critical, &rule::UNKNOWN_CRITICAL_EXTENSION),
        (&extensions.malformed, &rule::EXTENSION_MALFORMED),
    ] {
        if !found.is_empty() {
            findings.push(rule.broken_by(index).observed(found.join(", ")));
        }
    }
    if extensions.alternative_name_malformed {
        findings.push(rule::SAN_MALFORMED.broken_by(index));
    }
    if details.public_key.rsa_bits().is_some_and(|bits| bits < rules.min_rsa_bits) {
        let expected = format!("RSA {}", rules.min_rsa_bits);
        findings.push(rule::WEAK_KEY.broken_by(index).observed(&certificate.key).expected(expected));
    }
    if let Some((_, exponent)) = details.public_key.rsa_numbers().filter(|(_, exponent)| is_no_exponent(exponent)) {
        findings.push(rule::RSA_EXPONENT.broken_by(index).observed(format!("0x{}", hex::encode_upper(exponent))));
    }
    if !is_anchor && details.signature.scheme.hash().is_some_and(|hash| is_weak(hash, rules)) {
        findings.push(rule::WEAK_SIGNATURE.broken_by(index).observed(&certificate.signature));
    }
}

/// Whether an RSA exponent, without zeros in front, makes no secret of anything (1) or belongs to no key (even; RFC 8017 3.1).
fn is_no_exponent(exponent: &[u8]) -> bool {
    matches!(exponent, [] | [1]) || exponent.last().is_some_and(|last| last % 2 == 0)
}

/// Whether a hash is too weak to trust a signature over it.
pub(super) fn is_weak(hash: Hash, rules: &Rules) -> bool {
    match hash {
        Hash::Md2 | Hash::Md4 | Hash::Md5 => true,
        Hash::Sha1 => !rules.allow_sha1,
        Hash::Sha224 | Hash::Sha256 | Hash::Sha384 | Hash::Sha512 => false,
    }
}
