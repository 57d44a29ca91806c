//! Every row of zlint's expectations.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use smimesync::validation::lints::{self, Choice, Demand, Generation, Outcome};

/// Which certificates a lint of zlint's looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Those of public authorities.
    Public,
    /// Those of public authorities, of these generations.
    Of(&'static [Generation]),
    /// Every mail certificate, as if a public authority had issued it.
    Mail,
}

use Generation::{Legacy, Multipurpose, Strict};
use Scope::{Mail, Of, Public};

/// zlint's lints, whom they look at, and our rules that say the same.
const LINTS: &[(&str, Scope, &[&str])] = &[
    ("e_adobe_extensions_legacy_multipurpose_criticality", Public, &["lint_adobe_critical"]),
    ("e_adobe_extensions_strict_presence", Public, &["lint_adobe_prohibited"]),
    (
        "e_authority_key_identifier_correct",
        Public,
        &[
            "lint_authority_key_identifier_absent",
            "lint_authority_key_identifier_critical",
            "lint_authority_key_identifier_no_key",
            "lint_authority_key_identifier_issuer",
        ],
    ),
    ("e_commonname_mailbox_validated", Public, &["lint_common_name_mailbox"]),
    ("e_ec_other_key_usages", Public, &["lint_key_usage_ec_purpose"]),
    ("e_ecpublickey_key_usages", Public, &["lint_key_usage_ec"]),
    ("e_edwardspublickey_key_usages", Public, &["lint_key_usage_edwards"]),
    (
        "e_exactly_one_smime_policy",
        Mail,
        &["lint_policies_absent", "lint_reserved_policy_absent", "lint_reserved_policy_several"],
    ),
    ("e_invalid_individual_identity", Public, &["lint_subject_person"]),
    ("e_invalid_legacy_spki_algoid", Mail, &["lint_key_algorithm_2023"]),
    ("e_invalid_spki_algoid", Mail, &["lint_key_algorithm"]),
    ("e_key_usage_presence", Public, &["lint_key_usage_absent"]),
    ("e_legacy_generation_deprecated", Public, &["lint_legacy_generation"]),
    (
        "e_legal_entity_identifier",
        Public,
        &["lint_lei_prohibited", "lint_lei_critical", "lint_lei_role_prohibited", "lint_lei_role_critical"],
    ),
    (
        "e_mailbox_address_shall_contain_an_rfc822_name",
        Public,
        &["lint_subject_address_not_repeated", "lint_attribute_address_not_repeated"],
    ),
    ("e_mailbox_validated_allowed_subjectdn_attributes", Public, &["lint_subject_mailbox"]),
    ("e_mailbox_validated_enforce_subject_field_restrictions", Public, &["lint_subject_mailbox"]),
    ("e_org_validated_invalid_cn", Public, &["lint_common_name_organization"]),
    ("e_registration_scheme_id_matches_subject_country", Public, &["lint_organization_identifier_mismatch"]),
    ("e_rsa_key_usage_legacy_multipurpose", Public, &["lint_key_usage_rsa"]),
    ("e_rsa_key_usage_strict", Public, &["lint_key_usage_rsa_strict"]),
    ("e_rsa_other_key_usages", Public, &["lint_key_usage_rsa_purpose"]),
    ("e_san_shall_be_present", Public, &["lint_alternative_name_absent"]),
    ("e_single_email_if_present", Public, &["lint_address_syntax"]),
    ("e_single_email_subject_if_present", Public, &["lint_subject_address_syntax"]),
    (
        "e_smime_legacy_aia_shall_have_one_http",
        Of(&[Legacy]),
        &["lint_authority_information_issuers_no_http", "lint_authority_information_ocsp_no_http"],
    ),
    (
        "e_smime_legacy_multipurpose_eku_check",
        Of(&[Legacy, Multipurpose]),
        &["lint_extended_key_usage_prohibited", "lint_extended_key_usage_no_mail", "lint_extended_key_usage_absent"],
    ),
    ("e_smime_qc_statements_must_not_be_critical", Public, &["lint_qc_statements_critical"]),
    ("e_smime_strict_aia_shall_have_http_only", Of(&[Multipurpose, Strict]), &["lint_authority_information_scheme"]),
    (
        "e_smime_strict_eku_check",
        Of(&[Strict]),
        &["lint_extended_key_usage_strict", "lint_extended_key_usage_no_mail", "lint_extended_key_usage_absent"],
    ),
    ("e_strict_multipurpose_smime_ext_subject_directory_attr", Public, &["lint_directory_attributes"]),
    ("e_subject_country_name", Public, &["lint_subject_country"]),
    ("e_subscribers_crl_distribution_points_are_http", Public, &["lint_crl_points_no_http", "lint_crl_points_scheme"]),
    ("e_subscribers_shall_have_crl_distribution_points", Public, &["lint_crl_points_absent"]),
    ("w_key_usage_criticality", Public, &["lint_key_usage_not_critical"]),
    ("w_san_should_not_be_critical", Public, &["lint_alternative_name_critical"]),
    ("w_smime_aia_contains_internal_names", Public, &["lint_authority_information_internal"]),
];

/// Where we say something else than zlint: lint, file, zlint's word, ours, and the text that is for us.
const DIFFERENCES: &[(&str, &str, &str, &str, &str)] = &[
    (OLD_KEYS, "sm1_alg_mld44_eff1_pqf0.pem", "Pass", "Error", NO_ML_BEFORE_1_0_11),
    (OLD_KEYS, "sm1_alg_mld65_eff1_pqf0.pem", "Pass", "Error", NO_ML_BEFORE_1_0_11),
    (OLD_KEYS, "sm1_alg_mld87_eff1_pqf0.pem", "Pass", "Error", NO_ML_BEFORE_1_0_11),
    (OLD_KEYS, "sm1_alg_mlk1024_eff1_pqf0.pem", "Pass", "Error", NO_ML_BEFORE_1_0_11),
    (OLD_KEYS, "sm1_alg_mlk512_eff1_pqf0.pem", "Pass", "Error", NO_ML_BEFORE_1_0_11),
    (OLD_KEYS, "sm1_alg_mlk768_eff1_pqf0.pem", "Pass", "Error", NO_ML_BEFORE_1_0_11),
];

const OLD_KEYS: &str = "e_invalid_legacy_spki_algoid";

/// zlint registers the later check under both names.
const NO_ML_BEFORE_1_0_11: &str = "SBR 1.0.0 to 1.0.10, 7.1.3.1: the AlgorithmIdentifier of a key is byte for byte one of \
     those of rsaEncryption, P-256, P-384, P-521, Ed25519 and Ed448; ML-DSA and ML-KEM come with 1.0.11";

#[derive(Deserialize)]
struct Row {
    lint: String,
    input: String,
    expected: String,
}

/// Our word in zlint's language.
fn answer(certificate: &smimesync::certificate::Certificate, scope: Scope, codes: &[&str]) -> &'static str {
    let issued = certificate.not_before_ms;
    let Some(mut report) = lints::report(certificate, Choice::Auto, issued) else { return "NA" };
    if !report.public {
        if scope != Mail {
            return "NA";
        }
        report = lints::report(certificate, Choice::Named(report.profile), issued).unwrap();
    }
    if let Of(generations) = scope
        && !generations.contains(&report.profile.generation)
    {
        return "NA";
    }
    let of_interest: Vec<_> = report.outcomes.iter().filter(|(lint, _)| codes.contains(&lint.code)).collect();
    assert_eq!(of_interest.len(), codes.len(), "{codes:?}");
    let broken = of_interest.iter().find(|(_, outcome)| matches!(outcome, Outcome::Broken(_)));
    match broken {
        Some((lint, _)) if lint.demand == Demand::Shall => "Error",
        Some(_) => "Warn",
        None if of_interest.iter().any(|(_, outcome)| *outcome == Outcome::Kept) => "Pass",
        None if of_interest.iter().any(|(_, outcome)| *outcome == Outcome::NotEffective) => "NE",
        None => "NA",
    }
}

#[test]
fn every_row_of_zlint() {
    let Some(folder) = super::data("every_row_of_zlint") else { return };
    let text = fs::read_to_string(folder.join("zlint-smime-expected.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_str(&text).unwrap();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut differing = Vec::new();
    for row in &rows {
        let (name, scope, codes) = LINTS.iter().find(|(name, ..)| *name == row.lint).unwrap();
        let pem = fs::read_to_string(folder.join(&row.input)).unwrap();
        let ours = answer(&super::certificate(&pem), *scope, codes);
        let count = counts.entry(name).or_default();
        count.1 += 1;
        if ours == row.expected {
            count.0 += 1;
        } else {
            let file = row.input.strip_prefix("zlint-smime/").unwrap();
            differing.push((row.lint.as_str(), file, row.expected.as_str(), ours));
        }
    }
    for (lint, (agreed, all)) in &counts {
        super::say(&format!("{lint}: {agreed} of {all}"));
    }
    let agreed: usize = counts.values().map(|(agreed, _)| agreed).sum();
    super::say(&format!("zlint: {agreed} of {} rows, {} lints", rows.len(), counts.len()));
    let expected: Vec<_> =
        DIFFERENCES.iter().map(|(lint, file, theirs, ours, _)| (*lint, *file, *theirs, *ours)).collect();
    assert_eq!(differing, expected, "differences from zlint are not those that are argued");
    assert_eq!((agreed, rows.len(), counts.len(), LINTS.len()), (233, 239, 37, 37));
}

#[test]
fn every_rule_that_zlint_is_compared_with_exists() {
    for code in LINTS.iter().flat_map(|(_, _, codes)| *codes) {
        assert!(lints::all().iter().any(|lint| lint.code == *code), "{code}");
    }
}
