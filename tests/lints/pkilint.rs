//! Every case of pkilint's, for the codes that our rules stand for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use smimesync::certificate::Certificate;
use smimesync::validation::lints::{self, Choice, Demand, Generation, Outcome, Profile, Type};

/// 2025-08-22T00:00:00Z: pkilint judges by a text no older than this, whatever the date of issuance.
const CURRENT_TEXT: i64 = 1_755_820_800_000;

/// The one rule that pkilint dates.
const DATED: &str = "lint_legacy_generation";

/// pkilint's codes and our rules that say the same. One of theirs can be several of ours, and the other way round.
const CODES: &[(&str, &[&str])] = &[
    ("adbe.invalid_timestamp_location_type", &["lint_adobe_location"]),
    ("cabf.aia_ca_issuers_has_no_http_uri", &["lint_authority_information_issuers_no_http"]),
    ("cabf.aia_ca_issuers_missing", &["lint_authority_information_no_issuers"]),
    ("cabf.aia_extension_missing", &["lint_authority_information_absent"]),
    ("cabf.aia_ocsp_has_no_http_uri", &["lint_authority_information_ocsp_no_http"]),
    ("cabf.authority_key_identifier_has_issuer_cert", &["lint_authority_key_identifier_issuer"]),
    ("cabf.cps_uri_is_not_http", &["lint_policy_statement_scheme"]),
    ("cabf.critical_certificate_policies_extension", &["lint_policies_critical"]),
    ("cabf.critical_crldp_extension", &["lint_crl_points_critical"]),
    ("cabf.ecdsa_key_validation_failed", &["lint_ec_point"]),
    ("cabf.insignificant_attribute_value_present", &["lint_subject_insignificant"]),
    (
        "cabf.internal_domain_name",
        &["lint_address_internal", "lint_crl_points_internal", "lint_authority_information_internal"],
    ),
    ("cabf.invalid_country_code", &["lint_subject_country"]),
    ("cabf.invalid_organization_identifier_country", &["lint_organization_identifier_country"]),
    ("cabf.invalid_organization_identifier_registration_scheme", &["lint_organization_identifier_scheme"]),
    ("cabf.invalid_subject_organization_identifier_encoding", &["lint_organization_identifier_encoding"]),
    ("cabf.invalid_subject_organization_identifier_format", &["lint_organization_identifier_format"]),
    ("cabf.invalid_subject_organization_identifier_state_province_for_scheme", &["lint_organization_identifier_state"]),
    ("cabf.name.attribute_value_contains_html_entity", &["lint_subject_entity"]),
    ("cabf.no_http_crldp_uri", &["lint_crl_points_no_http"]),
    ("cabf.organization_identifier_reference_missing_for_scheme", &["lint_organization_identifier_no_reference"]),
    ("cabf.rdn_contains_multiple_atvs", &["lint_rdn_several"]),
    ("cabf.rsa_exponent_not_in_recommended_range", &["lint_rsa_exponent_range"]),
    ("cabf.rsa_exponent_prohibited_value", &["lint_rsa_exponent"]),
    ("cabf.rsa_modulus_has_small_prime_factor", &["lint_rsa_small_factor"]),
    ("cabf.rsa_modulus_invalid_length", &["lint_rsa_modulus"]),
    ("cabf.smime.adobe_archive_revinfo_extension_critical", &["lint_adobe_critical"]),
    ("cabf.smime.adobe_archive_revinfo_extension_prohibited", &["lint_adobe_prohibited"]),
    ("cabf.smime.adobe_timestamp_extension_critical", &["lint_adobe_critical"]),
    ("cabf.smime.adobe_timestamp_extension_prohibited", &["lint_adobe_prohibited"]),
    ("cabf.smime.aia_prohibited_generalname_type", &["lint_authority_information_name_type"]),
    ("cabf.smime.aia_prohibited_uri_scheme", &["lint_authority_information_scheme"]),
    ("cabf.smime.anypolicy_present", &["lint_policy_any"]),
    ("cabf.smime.certificate_policies_extension_missing", &["lint_policies_absent"]),
    ("cabf.smime.certificate_validity_period_at_maximum", &["lint_validity_margin", "lint_validity_margin_legacy"]),
    ("cabf.smime.certificate_validity_period_exceeds_1185_days", &["lint_validity_legacy"]),
    ("cabf.smime.certificate_validity_period_exceeds_825_days", &["lint_validity"]),
    (
        "cabf.smime.common_name_value_unknown_source",
        &[
            "lint_common_name_mailbox",
            "lint_common_name_organization",
            "lint_common_name_person",
            "lint_attribute_address_not_repeated",
        ],
    ),
    ("cabf.smime.crldp_extension_missing", &["lint_crl_points_absent"]),
    ("cabf.smime.crldp_fullname_prohibited_generalname_type", &["lint_crl_points_name_type"]),
    ("cabf.smime.crldp_fullname_prohibited_uri_scheme", &["lint_crl_points_scheme"]),
    ("cabf.smime.email_address_in_attribute_not_in_san", &["lint_attribute_address_not_repeated"]),
    ("cabf.smime.emailprotection_eku_missing", &["lint_extended_key_usage_no_mail"]),
    ("cabf.smime.extended_key_usage_extension_missing", &["lint_extended_key_usage_absent"]),
    ("cabf.smime.german_ntr_registration_reference_not_euid", &["lint_organization_identifier_german"]),
    ("cabf.smime.key_usage_extension_missing", &["lint_key_usage_absent"]),
    ("cabf.smime.ku_extension_not_critical", &["lint_key_usage_not_critical"]),
    ("cabf.smime.legacy_generation_certificate_issued_after_prohibition", &[DATED]),
    ("cabf.smime.lei_extension_critical", &["lint_lei_critical"]),
    ("cabf.smime.lei_extension_prohibited", &["lint_lei_prohibited"]),
    ("cabf.smime.lei_role_extension_critical", &["lint_lei_role_critical"]),
    ("cabf.smime.lei_role_extension_prohibited", &["lint_lei_role_prohibited"]),
    (
        "cabf.smime.missing_required_attribute",
        &["lint_subject_organization", "lint_subject_person", "lint_subject_person_legacy"],
    ),
    ("cabf.smime.mixed_name_and_pseudonym_attributes", &["lint_subject_pseudonym"]),
    ("cabf.smime.multiple_reserved_policy_oids", &["lint_reserved_policy_several"]),
    ("cabf.smime.no_required_reserved_policy_oid", &["lint_reserved_policy_absent"]),
    ("cabf.smime.org_identifier_and_country_name_attribute_inconsistent", &["lint_organization_identifier_mismatch"]),
    ("cabf.smime.prohibited_attribute", &["lint_subject_mailbox", "lint_subject_prohibited"]),
    ("cabf.smime.prohibited_eku_present", &["lint_extended_key_usage_prohibited", "lint_extended_key_usage_strict"]),
    ("cabf.smime.prohibited_generalname_type_present", &["lint_alternative_name_type"]),
    (
        "cabf.smime.prohibited_ku_present",
        &["lint_key_usage_rsa", "lint_key_usage_rsa_strict", "lint_key_usage_ec", "lint_key_usage_edwards"],
    ),
    (
        "cabf.smime.prohibited_organization_identifier_reference_present_for_scheme",
        &["lint_organization_identifier_reference"],
    ),
    ("cabf.smime.prohibited_othername_type_present", &["lint_other_name_type"]),
    ("cabf.smime.prohibited_signature_algorithm_encoding", &["lint_signature_algorithm"]),
    ("cabf.smime.prohibited_spki_algorithm_encoding", &["lint_key_algorithm"]),
    ("cabf.smime.qc_statements_extension_critical", &["lint_qc_statements_critical"]),
    ("cabf.smime.required_attribute_missing_for_dependent_attribute", &["lint_subject_dependency"]),
    ("cabf.smime.san_does_not_contain_email_address", &["lint_alternative_name_no_address"]),
    ("cabf.smime.san_extension_missing", &["lint_alternative_name_absent"]),
    (
        "cabf.smime.subject_directory_attributes_extension_prohibited",
        &["lint_directory_attributes", "lint_directory_attributes_mailbox"],
    ),
    (
        "cabf.smime.unknown_certificate_key_usage_type",
        &[
            "lint_key_usage_rsa_purpose",
            "lint_key_usage_ec_purpose",
            "lint_key_usage_edwards",
            "lint_key_usage_ml_dsa",
            "lint_key_usage_ml_kem",
        ],
    ),
    ("cabf.smime.unparsed_attribute_value_encountered", &["lint_subject_unreadable"]),
    ("cabf.smime.unparsed_common_name_value", &["lint_subject_unreadable"]),
    ("cabf.smime.unsupported_public_key_type", &["lint_key_algorithm"]),
    ("cabf.smime.usernotice_has_noticeref", &["lint_policy_notice_reference"]),
    ("googl.gmail.authority_info_access_ca_issuers_missing", &["lint_authority_information_no_issuers_gmail"]),
    ("googl.prohibited_rsa_modulus_length", &["lint_rsa_modulus_gmail"]),
    ("iso.lei.invalid_lei_checksum", &["lint_lei_checksum", "lint_organization_identifier_lei_checksum"]),
    ("iso.lei.invalid_lei_format", &["lint_lei_syntax", "lint_organization_identifier_lei"]),
    (
        "itu.invalid_asn1_syntax",
        &[
            "lint_key_usage_encoding",
            "lint_qc_statements_malformed",
            "lint_key_algorithm",
            "lint_policies_malformed",
            "lint_authority_information_malformed",
        ],
    ),
    ("msft.invalid_user_principal_name_syntax", &["lint_user_principal_name_syntax"]),
    ("pkix.aki_with_cert_issuer_but_serial_number_absent", &["lint_authority_key_identifier_half"]),
    ("pkix.aki_with_serial_number_but_cert_issuer_absent", &["lint_authority_key_identifier_half"]),
    ("pkix.authority_information_access_extension_critical", &["lint_extension_critical"]),
    ("pkix.authority_key_identifier_critical", &["lint_authority_key_identifier_critical"]),
    ("pkix.authority_key_identifier_extension_absent", &["lint_authority_key_identifier_absent"]),
    ("pkix.authority_key_identifier_keyid_missing", &["lint_authority_key_identifier_no_key"]),
    ("pkix.basic_constraints_has_pathlen_for_non_ca", &["lint_path_length"]),
    ("pkix.both_encipheronly_and_decipheronly_ku_set", &["lint_key_usage_one_direction"]),
    ("pkix.certificate_crldp_extension_critical", &["lint_crl_points_critical"]),
    ("pkix.certificate_negative_validity_period", &["lint_validity_order"]),
    ("pkix.certificate_policies_anypolicy_has_prohibited_qualifier", &["lint_policy_any_qualifier"]),
    ("pkix.certificate_policies_explicit_text_has_control_character", &["lint_policy_text_control"]),
    ("pkix.certificate_policies_policy_has_qualifier", &["lint_policy_qualifier"]),
    ("pkix.certificate_policies_usernotice_has_noticeref", &["lint_policy_notice_reference"]),
    ("pkix.certificate_serial_number_out_of_range", &["lint_serial_number"]),
    ("pkix.certificate_skid_end_entity_missing", &["lint_subject_key_identifier_absent"]),
    ("pkix.certificate_skid_extension_critical", &["lint_extension_critical"]),
    ("pkix.distribution_point_does_not_contain_name_or_issuer", &["lint_crl_points_empty"]),
    ("pkix.duplicate_certificate_policy_oids", &["lint_policy_duplicate"]),
    ("pkix.ee_certificate_keycertsign_keyusage_set", &["lint_key_usage_cert_sign"]),
    ("pkix.end_entity_inhibit_anypolicy_extension_present", &["lint_authority_extension"]),
    ("pkix.end_entity_policy_constraints_extension_present", &["lint_authority_extension"]),
    ("pkix.end_entity_policy_mappings_extension_present", &["lint_authority_extension"]),
    ("pkix.generalizedtime_incorrect_syntax", &["lint_time_syntax"]),
    ("pkix.invalid_domain_name_syntax", &["lint_dns_name_syntax"]),
    ("pkix.invalid_email_address_syntax", &["lint_address_syntax", "lint_subject_address_syntax"]),
    ("pkix.invalid_time_syntax", &["lint_time_syntax"]),
    ("pkix.invalid_uri_syntax", &["lint_uri_syntax"]),
    ("pkix.issuer_alt_name_extension_critical", &["lint_issuer_alternative_name_critical"]),
    ("pkix.issuer_unique_id_present", &["lint_unique_id"]),
    ("pkix.key_usage_extension_not_critical", &["lint_key_usage_not_critical"]),
    ("pkix.key_usage_value_prohibited_for_ec", &["lint_key_usage_ec"]),
    ("pkix.key_usage_value_prohibited_for_edwards_curve", &["lint_key_usage_edwards"]),
    ("pkix.key_usage_value_prohibited_for_mldsa", &["lint_key_usage_ml_dsa"]),
    ("pkix.key_usage_value_prohibited_for_mlkem", &["lint_key_usage_ml_kem"]),
    ("pkix.name_constraints_in_ee_certificate", &["lint_authority_extension"]),
    ("pkix.name_domain_components_invalid_domain_name", &["lint_domain_components"]),
    ("pkix.name_empty", &["lint_issuer_empty"]),
    ("pkix.no_ku_bits_set", &["lint_key_usage_empty"]),
    ("pkix.rdn_contains_duplicate_attribute_types", &["lint_rdn_duplicate"]),
    ("pkix.rfc5280_certificate_policies_invalid_explicit_text_encoding", &["lint_policy_text_not_utf8"]),
    ("pkix.rfc6818_certificate_policies_invalid_explicit_text_encoding", &["lint_policy_text_ia5"]),
    ("pkix.rfc822name_domain_part_too_long", &["lint_address_domain_length"]),
    ("pkix.san_extension_is_critical_non_empty_subject", &["lint_alternative_name_critical"]),
    ("pkix.san_extension_not_critical_empty_subject", &["lint_alternative_name_not_critical"]),
    ("pkix.smime_capabilities_extension_critical", &["lint_extension_critical"]),
    ("pkix.smtp_utf8_mailbox_domain_part_invalid_syntax", &["lint_utf8_mailbox_domain"]),
    ("pkix.smtp_utf8_mailbox_has_bom", &["lint_utf8_mailbox_mark"]),
    ("pkix.smtp_utf8_mailbox_has_uppercase", &["lint_utf8_mailbox_upper_case"]),
    ("pkix.smtp_utf8_mailbox_invalid_syntax", &["lint_utf8_mailbox_syntax"]),
    ("pkix.smtp_utf8_mailbox_is_ascii_only", &["lint_utf8_mailbox_ascii"]),
    ("pkix.smtputf8mailbox_domain_part_too_long", &["lint_address_domain_length"]),
    ("pkix.subject_directory_attributes_extension_critical", &["lint_extension_critical"]),
    ("pkix.subject_email_address_not_in_san", &["lint_subject_address_not_repeated"]),
    ("pkix.subject_information_access_extension_critical", &["lint_extension_critical"]),
    ("pkix.subject_unique_id_present", &["lint_unique_id"]),
    ("pkix.unknown_subject_key_identifier_calculation_method", &["lint_subject_key_identifier_method"]),
    ("pkix.uri_domain_name_too_long", &["lint_uri_domain_length"]),
    ("pkix.utctime_incorrect_syntax", &["lint_time_syntax"]),
    ("pkix.wrong_time_useful_type", &["lint_time_type"]),
];

/// Notes of pkilint's that say a rule is kept.
const KEPT: &[(&str, &str)] =
    &[("pkix.subject_key_identifier_method_1_identified", "lint_subject_key_identifier_method")];

/// Where we say something else than pkilint: file, its code or our rule, and the text that is for us.
const DIFFERENCES: &[(&str, &str, &str)] = &[];

/// Rules whose demand is another than the severity pkilint gives: its code, its severity, our rule, the text.
const DEMANDS: &[(&str, &str, &str, &str)] = &[
    (
        "cabf.smime.crldp_extension_missing",
        "WARNING",
        "lint_crl_points_absent",
        "SBR 7.1.2.3 b: cRLDistributionPoints (SHALL be present); zlint calls it an error too",
    ),
    (
        "pkix.rfc5280_certificate_policies_invalid_explicit_text_encoding",
        "ERROR",
        "lint_policy_text_not_utf8",
        "RFC 6818 3 replaces what RFC 5280 said: conforming CAs SHOULD use UTF8String, VisibleString and BMPString are \
         acceptable, IA5String MUST NOT be used",
    ),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "crttest") {
            found.push(path);
        }
    }
    found.sort();
}

/// The profile a case is for, by its folders; `None` for one that is of RFC 5280 alone.
fn profile(name: &str) -> Option<Profile> {
    let mut parts = name.strip_prefix("smime_br/")?.split('/');
    let subject = match parts.next()? {
        "mailbox" => Type::Mailbox,
        "organization" => Type::Organization,
        "sponsored" => Type::Sponsor,
        "individual" => Type::Individual,
        other => panic!("{other}"),
    };
    let generation = match parts.next()? {
        "legacy" => Generation::Legacy,
        "multipurpose" => Generation::Multipurpose,
        "strict" => Generation::Strict,
        other => panic!("{other}"),
    };
    Some(Profile { subject, generation })
}

/// Severity and code of each row behind the certificate: `node_path,validator,severity,code,message`.
fn expected(text: &str) -> BTreeSet<(String, String)> {
    let rows = text.split("-----END CERTIFICATE-----").nth(1).unwrap().lines();
    let rows = rows.filter(|row| row.starts_with("certificate"));
    rows.map(|row| {
        let fields: Vec<&str> = row.splitn(5, ',').collect();
        (fields[2].to_owned(), fields[3].to_owned())
    })
    .collect()
}

/// What became of each rule, by the text pkilint knows.
fn outcomes(certificate: &Certificate, profile: Option<Profile>) -> BTreeMap<&'static str, Outcome> {
    let any = Profile { subject: Type::Mailbox, generation: Generation::Legacy };
    let choice = Choice::Named(profile.unwrap_or(any));
    let report = |issued| lints::report(certificate, choice, issued).unwrap().outcomes;
    let issued = certificate.not_before_ms;
    let current = report(issued.max(CURRENT_TEXT)).into_iter().filter(|(lint, _)| lint.code != DATED);
    let dated = report(issued).into_iter().filter(|(lint, _)| lint.code == DATED);
    current.chain(dated).map(|(lint, outcome)| (lint.code, outcome)).collect()
}

fn demand(code: &str) -> Demand {
    lints::all().iter().find(|lint| lint.code == code).unwrap().demand
}

#[test]
fn every_case_of_pkilint() {
    let Some(folder) = super::data("every_case_of_pkilint") else { return };
    let folder = folder.join("pkilint-smime");
    let mut cases = Vec::new();
    files(&folder, &mut cases);
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut differing: BTreeSet<(String, String)> = BTreeSet::new();
    let mut demands: BTreeSet<(String, String, String)> = BTreeSet::new();
    let mut unmapped: BTreeSet<String> = BTreeSet::new();
    for path in &cases {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
        let text = fs::read_to_string(path).unwrap();
        let end = text.find("-----END CERTIFICATE-----").unwrap() + "-----END CERTIFICATE-----\n".len();
        let profile = profile(&name);
        let outcomes = outcomes(&super::certificate(&text[..end]), profile);
        let broken = |code: &str| matches!(outcomes[code], Outcome::Broken(_));
        let theirs = expected(&text);
        for (severity, code) in &theirs {
            if let Some((_, ours)) = KEPT.iter().find(|(known, _)| known == code) {
                let count = counts.entry(ours).or_default();
                count.1 += 1;
                if outcomes[ours] == Outcome::Kept {
                    count.0 += 1;
                } else {
                    differing.insert((name.clone(), code.clone()));
                }
                continue;
            }
            let Some((code, ours)) = CODES.iter().find(|(known, _)| known == code) else {
                unmapped.insert(code.clone());
                continue;
            };
            let count = counts.entry(code).or_default();
            count.1 += 1;
            let Some(found) = ours.iter().find(|ours| broken(ours)) else {
                differing.insert((name.clone(), (*code).to_owned()));
                continue;
            };
            count.0 += 1;
            let expected = match severity.as_str() {
                "ERROR" | "FATAL" => Demand::Shall,
                "WARNING" => Demand::Should,
                _ => Demand::Note,
            };
            if demand(found) != expected {
                demands.insert(((*code).to_owned(), severity.clone(), (*found).to_owned()));
            }
        }
        for ours in outcomes.keys().filter(|code| broken(code)) {
            let codes: Vec<&str> =
                CODES.iter().filter(|(_, rules)| rules.contains(ours)).map(|(code, _)| *code).collect();
            // a case of RFC 5280 alone was not held against the requirements
            let comparable = codes.iter().any(|code| profile.is_some() || code.starts_with("pkix."));
            let said = theirs.iter().any(|(_, code)| codes.contains(&code.as_str()));
            if comparable && !said {
                differing.insert((name.clone(), (*ours).to_owned()));
            }
        }
    }
    for (code, (agreed, all)) in &counts {
        super::say(&format!("{code}: {agreed} of {all}"));
    }
    let agreed: usize = counts.values().map(|(agreed, _)| agreed).sum();
    let all: usize = counts.values().map(|(_, all)| all).sum();
    super::say(&format!("pkilint: {agreed} of {all} findings in {} cases, {} codes mapped", cases.len(), CODES.len()));
    assert_eq!(unmapped, BTreeSet::new(), "codes without a rule");
    let argued: BTreeSet<_> =
        DIFFERENCES.iter().map(|(file, code, _)| ((*file).to_owned(), (*code).to_owned())).collect();
    assert_eq!(differing, argued, "differences from pkilint are not those that are argued");
    let argued: BTreeSet<_> = DEMANDS
        .iter()
        .map(|(code, severity, ours, _)| ((*code).to_owned(), (*severity).to_owned(), (*ours).to_owned()))
        .collect();
    assert_eq!(demands, argued, "demands that differ from pkilint's are not those that are argued");
    assert_eq!((agreed, all, cases.len(), CODES.len()), (210, 210, 98, 141));
}

#[test]
fn every_rule_that_pkilint_is_compared_with_exists() {
    for (code, ours) in CODES {
        assert_eq!(CODES.iter().filter(|(other, _)| other == code).count(), 1, "{code}");
        for rule in *ours {
            demand(rule);
        }
    }
}
