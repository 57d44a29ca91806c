//! The one table of rules: each finding's code, weight, effect and source.

use super::verdict::{Finding, Severity, Use};

/// What a finding does to the uses it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// They are unfit.
    Unfit,
    /// They cannot be decided.
    Open,
    /// Nothing.
    Nothing,
}

/// A rule that a certificate can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) effect: Effect,
    pub(super) concerns: Use,
    /// Whether it belongs to path validation and revocation, which is all `path_valid` is about.
    pub(super) of_path: bool,
    pub(super) source: &'static str,
}

impl Rule {
    /// A finding that this rule is broken by a certificate of the path; 0 is the leaf.
    pub(super) fn broken_by(&'static self, certificate_index: usize) -> Finding {
        self.broken().at(certificate_index)
    }

    /// A finding that this rule is broken by no certificate in particular.
    pub(super) fn broken(&'static self) -> Finding {
        Finding {
            code: self.code,
            severity: self.severity,
            concerns: self.concerns,
            leaves_open: self.effect == Effect::Open,
            observed: None,
            expected: None,
            rule: self.source,
            certificate_index: None,
        }
    }
}

impl Finding {
    fn at(mut self, certificate_index: usize) -> Self {
        self.certificate_index = Some(certificate_index);
        self
    }

    pub(super) fn observed(mut self, observed: impl Into<String>) -> Self {
        self.observed = Some(observed.into()).filter(|text| !text.is_empty());
        self
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into()).filter(|text| !text.is_empty());
        self
    }
}

/// Whether a finding belongs to path validation and revocation.
pub(super) fn is_of_path(finding: &Finding) -> bool {
    ALL.iter().any(|rule| rule.code == finding.code && rule.of_path)
}

/// Whether an authority's CRLs cannot be relied on where this is found about it.
pub(super) fn spoils_a_crl_issuer(finding: &Finding) -> bool {
    let counts = finding.severity == Severity::Block || finding.leaves_open;
    counts && (is_of_path(finding) || [WEAK_KEY.code, WEAK_SIGNATURE.code].contains(&finding.code))
}

macro_rules! rules {
    ($($constant:ident $code:literal $severity:ident $effect:ident $concerns:ident $of_path:literal $source:literal;)+) => {
        $(pub(super) static $constant: Rule = Rule {
            code: $code,
            severity: Severity::$severity,
            effect: Effect::$effect,
            concerns: Use::$concerns,
            of_path: $of_path,
            source: $source,
        };)+

        /// Every rule.
        pub(super) static ALL: &[&Rule] = &[$(&$constant),+];
    };
}

rules! {
    ADDRESS_ABSENT "address_absent" Block Unfit Both false "RFC 8550 3";
    ADDRESS_CASE "address_case" Info Nothing Both false "RFC 5321 2.4";
    ADDRESS_OTHER "address_other" Block Unfit Both false "RFC 8550 3";
    ADDRESS_SECONDARY "address_secondary" Info Nothing Both false "Set-SmimeConfig OWAUseSecondaryProxiesWhenFindingCertificates";
    ALGORITHM_MISMATCH "algorithm_mismatch" Block Unfit Both true "RFC 5280 4.1.1.2";
    ANCHOR_DOMAIN "anchor_domain" Block Unfit Both false "configuration trust/anchors/domains";
    ANCHOR_NOT_TRUSTED "anchor_not_trusted" Warn Open Both true "RFC 5280 6.1";
    APPLICATION_POLICIES "application_policies" Warn Nothing Both false "Microsoft application policies 1.3.6.1.4.1.311.21.10";
    CA_CERTIFICATE "ca_certificate" Block Unfit Both false "RFC 8550 4.4.1";
    CONTAINER_CAPABILITIES_ABSENT "container_capabilities_absent" Info Nothing Encrypt false "KB 4459215";
    CONTAINER_CAPABILITIES_WEAK "container_capabilities_weak" Warn Nothing Encrypt false "RFC 8551 2.7";
    CONTAINER_CERTS_ONLY "container_certs_only" Info Nothing Both false "RFC 8551 3.8";
    CONTAINER_IRREGULAR "container_irregular" Info Nothing Both false "MS-OXOABK 2.2.4.36";
    CONTAINER_PREFERENCE_MISSING "container_preference_missing" Warn Nothing Encrypt false "RFC 8551 2.5.3";
    CONTAINER_REFERENCE_ONLY "container_reference_only" Warn Open Both true "MS-OXOABK 2.2.4.36";
    CONTAINER_SIGNATURE_INVALID "container_signature_invalid" Warn Open Both false "RFC 5652 5.6";
    CONTAINER_SIGNER_OTHER "container_signer_other" Warn Nothing Both false "RFC 8550 3";
    CONTAINER_SIGNER_UNKNOWN "container_signer_unknown" Warn Nothing Both false "RFC 5652 5.1";
    CONTAINER_UNSUPPORTED "container_unsupported" Warn Nothing Both false "RFC 5652 5.6";
    CRL_NONE "crl_none" Warn Nothing Both false "Exchange Online S/MIME, CRL retrieval";
    CRL_NOT_PUBLIC "crl_not_public" Warn Nothing Both false "Exchange Online S/MIME, CRL retrieval";
    DUPLICATE_EXTENSION "duplicate_extension" Block Unfit Both true "RFC 5280 4.2";
    EXPIRED "expired" Block Unfit Both true "RFC 5280 6.1.3 (a)(2)";
    EXPIRING_SOON "expiring_soon" Info Nothing Both false "configuration policy/expiring_days";
    EXTENDED_KEY_USAGE "extended_key_usage" Block Unfit Both false "RFC 8550 4.4.4";
    EXTENDED_KEY_USAGE_ABSENT "extended_key_usage_absent" Warn Nothing Both false "CA/B Forum S/MIME BR 7.1.2.3 f";
    EXTENSION_MALFORMED "extension_malformed" Block Unfit Both true "RFC 5280 4.2.1";
    HIDDEN_BY_STALE "hidden_by_stale" Warn Nothing Encrypt false "KB 884738, KB 2840546";
    HIDES_BETTER "hides_better" Warn Nothing Encrypt false "KB 884738, KB 2840546";
    ISSUER_APPLICATION_POLICIES "issuer_application_policies" Warn Nothing Both false "Microsoft application policies 1.3.6.1.4.1.311.21.10";
    ISSUER_EXPIRED "issuer_expired" Block Unfit Both true "RFC 5280 6.1.3 (a)(2)";
    ISSUER_EXTENDED_KEY_USAGE "issuer_extended_key_usage" Block Unfit Both false "RFC 5280 4.2.1.12";
    ISSUER_KEY_USAGE "issuer_key_usage" Block Unfit Both true "RFC 5280 6.1.4 (n)";
    ISSUER_NOT_CA "issuer_not_ca" Block Unfit Both true "RFC 5280 6.1.4 (k)";
    ISSUER_NOT_FOUND "issuer_not_found" Warn Open Both true "RFC 5280 6.1";
    ISSUER_NOT_YET_VALID "issuer_not_yet_valid" Block Unfit Both true "RFC 5280 6.1.3 (a)(2)";
    ISSUER_REVOKED "issuer_revoked" Block Unfit Both true "RFC 5280 6.1.3 (a)(3)";
    KEY_USAGE_ENCRYPT "key_usage_encrypt" Block Unfit Encrypt false "RFC 5280 4.2.1.3";
    KEY_USAGE_SIGN "key_usage_sign" Block Unfit Sign false "RFC 8550 4.4.2";
    NAME_CONSTRAINTS_LIMIT "name_constraints_limit" Warn Open Both true "RFC 5280 8";
    NAME_CONSTRAINTS_UNCHECKED "name_constraints_unchecked" Warn Open Both true "RFC 5280 4.2.1.10";
    NAME_EXCLUDED "name_excluded" Block Unfit Both true "RFC 5280 6.1.3 (c)";
    NAME_NOT_PERMITTED "name_not_permitted" Block Unfit Both true "RFC 5280 6.1.3 (b)";
    NO_ANCHORS "no_anchors" Warn Open Both true "RFC 5280 6.1.1 (d)";
    NOT_A_CERTIFICATE "not_a_certificate" Warn Open Both true "RFC 5280 4.1";
    NOT_YET_VALID "not_yet_valid" Block Unfit Both true "RFC 5280 6.1.3 (a)(2)";
    PATH_LENGTH_EXCEEDED "path_length_exceeded" Block Unfit Both true "RFC 5280 6.1.4 (l)";
    PATH_SEARCH_LIMIT "path_search_limit" Warn Open Both true "RFC 4158 2.4.2";
    PERSON_WITHOUT_ENCRYPTION "person_without_encryption" Warn Nothing Encrypt false "RFC 8551 4";
    PICKED_TO_ENCRYPT "picked_to_encrypt" Info Nothing Encrypt false "Outlook S/MIME certificate selection, Set-SmimeConfig";
    PICKED_TO_SIGN "picked_to_sign" Info Nothing Sign false "Set-SmimeConfig";
    POLICY_MAPPING_ANY "policy_mapping_any" Block Unfit Both true "RFC 5280 6.1.4 (a)";
    POLICY_REQUIRED "policy_required" Block Unfit Both true "RFC 5280 6.1.3 (f), 6.1.5 (g)";
    REVOCATION_UNKNOWN "revocation_unknown" Warn Open Both true "RFC 5280 6.3";
    REVOKED "revoked" Block Unfit Both true "RFC 5280 6.1.3 (a)(3)";
    RSA_EXPONENT "rsa_exponent" Block Unfit Both false "RFC 8017 3.1";
    SAN_MALFORMED "san_malformed" Block Unfit Both true "RFC 5280 4.2.1.6";
    SIGNATURE_ALGORITHM_UNSUPPORTED "signature_algorithm_unsupported" Warn Open Both true "RFC 5280 6.1.3 (a)(1)";
    SIGNATURE_INVALID "signature_invalid" Block Unfit Both true "RFC 5280 6.1.3 (a)(1)";
    TENANT_CHAIN "tenant_chain" Warn Open Both false "Set-SmimeConfig SMIMECertificateIssuingCA";
    TENANT_STORE_EXPIRED "tenant_store_expired" Warn Nothing Both false "Set-SmimeConfig SMIMECertificateIssuingCA";
    UNKNOWN_CRITICAL_EXTENSION "unknown_critical_extension" Block Unfit Both true "RFC 5280 4.2";
    VALUE_TOO_LONG "value_too_long" Warn Nothing Both false "Active Directory schema, rangeUpper";
    VALUES_OVER_LIMIT "values_over_limit" Warn Nothing Both false "Entra Connect LargeObject, userCertificate";
    VERSION_NOT_V3 "version_not_v3" Block Unfit Both false "RFC 8550 4.4";
    WEAK_KEY "weak_key" Block Unfit Both false "RFC 8550 4.3";
    WEAK_SIGNATURE "weak_signature" Block Unfit Both false "RFC 8550 4.3";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Culture, Text, exists};

    #[test]
    fn every_rule_has_a_sentence_and_a_remedy() {
        for rule in ALL {
            assert!(exists(Culture::English, "finding", rule.code), "no sentence for {}", rule.code);
            assert!(exists(Culture::English, "remedy", rule.code), "no remedy for {}", rule.code);
        }
    }

    #[test]
    fn sentences_are_one_lower_case_line_without_full_stop() {
        for (kind, rule) in ALL.iter().flat_map(|rule| [("finding", rule), ("remedy", rule)]) {
            let words = Text::plain(kind, rule.code).render(Culture::English);
            assert!(words.starts_with(char::is_lowercase) && !words.ends_with('.') && !words.contains('\n'), "{words}");
        }
    }

    #[test]
    fn codes_are_unique_and_effects_fit_their_weight() {
        for (index, rule) in ALL.iter().enumerate() {
            assert!(ALL.iter().skip(index + 1).all(|other| other.code != rule.code), "{} twice", rule.code);
            assert_eq!(rule.severity == Severity::Block, rule.effect == Effect::Unfit, "{}", rule.code);
        }
    }
}
