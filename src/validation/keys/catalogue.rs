//! The one table of weaknesses: each one's code, weight and source.

use crate::validation::Severity;

/// A reason why a key should not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) source: &'static str,
}

macro_rules! rules {
    ($($constant:ident $code:literal $severity:ident $source:literal;)+) => {
        $(pub(super) static $constant: Rule =
            Rule { code: $code, severity: Severity::$severity, source: $source };)+

        #[cfg(test)]
        pub(super) static ALL: &[&Rule] = &[$(&$constant),+];
    };
}

rules! {
    CLOSE_PRIMES "close_primes" Block "FIPS 186-5 A.1.3, CVE-2022-26320";
    EXPONENT_EVEN "exponent_even" Block "RFC 8017 3.1";
    EXPONENT_LARGE "exponent_large" Warn "FIPS 186-5 A.1.1";
    EXPONENT_ONE "exponent_one" Block "RFC 8017 3.1";
    EXPONENT_SMALL "exponent_small" Warn "FIPS 186-5 A.1.1";
    KEY_UNREADABLE "key_unreadable" Warn "RFC 8017 A.1.1, RFC 5480 2.2";
    MODULUS_EVEN "modulus_even" Block "RFC 8017 3.1";
    MODULUS_SMALL_FACTOR "modulus_small_factor" Block "RFC 8017 3.1, CA/B Forum S/MIME BR 6.1.6";
    POINT_AT_INFINITY "point_at_infinity" Block "SEC 1 3.2.2.1";
    POINT_NOT_ON_CURVE "point_not_on_curve" Block "SEC 1 3.2.2.1";
    ROCA "roca" Block "CVE-2017-15361";
    RSA_TOO_LONG "rsa_too_long" Warn "limit of this examination";
    RSA_TOO_SHORT "rsa_too_short" Block "RFC 8550 4.3";
    SHARED_FACTOR "shared_factor" Block "Mining Your Ps and Qs, USENIX Security 2012";
    SHARED_KEY "shared_key" Block "Mining Your Ps and Qs, USENIX Security 2012";
    SHARED_MODULUS "shared_modulus" Block "Mining Your Ps and Qs, USENIX Security 2012";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Culture, Text, exists};

    #[test]
    fn every_weakness_has_a_sentence_and_a_remedy() {
        for (kind, rule) in ALL.iter().flat_map(|rule| [("weakness", rule), ("remedy", rule)]) {
            assert!(exists(Culture::English, kind, rule.code), "no {kind} for {}", rule.code);
            let words = Text::plain(kind, rule.code).render(Culture::English);
            assert!(!words.ends_with('.') && !words.contains('\n'), "{words}");
        }
    }

    #[test]
    fn codes_are_sorted_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
