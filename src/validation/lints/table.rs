//! The one table of rules: each one's code, source, demand, dates and profiles.

use super::profile::Profiles;
use super::rule::{DEDICATED, LEGACY_END, Lint, V1_0_11};
use super::{
    authority_information_access as access, crl_distribution as crl, extended_key_usage as purposes, extensions,
    key_identifiers, key_usage, organization_identifier as organization, policies, public_key as key, qc_statements,
    subject, subject_alternative_name as names, validity,
};

const LEGACY: Profiles = Profiles::LEGACY;
const STRICT: Profiles = Profiles::STRICT;
const MULTIPURPOSE: Profiles = Profiles::MULTIPURPOSE;
const NOT_LEGACY: Profiles = MULTIPURPOSE.or(STRICT);
const NOT_STRICT: Profiles = LEGACY.or(MULTIPURPOSE);
const MAILBOX: Profiles = Profiles::MAILBOX;
const ORGANIZATION: Profiles = Profiles::ORGANIZATION;
const SPONSOR: Profiles = Profiles::SPONSOR;
const INDIVIDUAL: Profiles = Profiles::INDIVIDUAL;
const PERSON: Profiles = SPONSOR.or(INDIVIDUAL);
const LEGAL: Profiles = ORGANIZATION.or(SPONSOR);
const IDENTIFIED: Profiles = LEGAL.or(INDIVIDUAL);

/// Every rule, by its subject in the order of the requirements.
pub(super) static ALL: &[Lint] = &[
    // certificatePolicies
    Lint::sbr("lint_policies_absent", "SBR 7.1.2.3 a", policies::present).public(),
    Lint::sbr("lint_reserved_policy_absent", "SBR 7.1.2.3 a", policies::reserved).public(),
    Lint::sbr("lint_reserved_policy_several", "SBR 7.1.2.3 a", policies::one_reserved).public(),
    Lint::sbr("lint_policy_any", "SBR 7.1.6.4", policies::no_any_policy),
    Lint::sbr("lint_policies_critical", "SBR 7.1.2.3 a", policies::not_critical).should(),
    Lint::standard("lint_policies_malformed", "RFC 5280 4.2.1.4", policies::readable),
    Lint::standard("lint_policy_duplicate", "RFC 5280 4.2.1.4", policies::distinct),
    Lint::standard("lint_policy_qualifier", "RFC 5280 4.2.1.4", policies::unqualified).note(),
    Lint::standard("lint_policy_any_qualifier", "RFC 5280 4.2.1.4", policies::any_policy_qualifiers),
    Lint::sbr("lint_policy_statement_scheme", "SBR 7.1.2.3 a", policies::statement_schemes),
    Lint::sbr("lint_policy_notice_reference", "SBR 7.1.2.3 a", policies::no_notice_reference),
    Lint::standard("lint_policy_text_ia5", "RFC 6818 3", policies::explicit_text_not_ia5),
    Lint::standard("lint_policy_text_not_utf8", "RFC 6818 3", policies::explicit_text_utf8).should(),
    Lint::standard("lint_policy_text_control", "RFC 5280 4.2.1.4", policies::explicit_text_printable).should(),
    // cRLDistributionPoints
    Lint::sbr("lint_crl_points_absent", "SBR 7.1.2.3 b", crl::present),
    Lint::sbr("lint_crl_points_critical", "SBR 7.1.2.3 b", crl::not_critical),
    Lint::sbr("lint_crl_points_no_http", "SBR 7.1.2.3 b", crl::one_http),
    Lint::sbr("lint_crl_points_scheme", "SBR 7.1.2.3 b", crl::schemes),
    Lint::sbr("lint_crl_points_name_type", "SBR 7.1.2.3 b", crl::name_types),
    Lint::standard("lint_crl_points_empty", "RFC 5280 4.2.1.13", crl::not_empty),
    Lint::sbr("lint_crl_points_internal", "SBR 7.1.2.3 b", crl::reachable),
    // authorityInfoAccess
    Lint::sbr("lint_authority_information_absent", "SBR 7.1.2.3 c", access::present).should(),
    Lint::standard("lint_authority_information_malformed", "RFC 5280 4.2.2.1", access::readable),
    Lint::sbr("lint_authority_information_no_issuers", "SBR 7.1.2.3 c", access::ca_issuers).should(),
    Lint::standard("lint_authority_information_no_issuers_gmail", "Gmail S/MIME profile", access::ca_issuers).note(),
    Lint::sbr("lint_authority_information_issuers_no_http", "SBR 7.1.2.3 c", access::ca_issuers_http),
    Lint::sbr("lint_authority_information_ocsp_no_http", "SBR 7.1.2.3 c", access::ocsp_http),
    Lint::sbr("lint_authority_information_scheme", "SBR 7.1.2.3 c", access::schemes),
    Lint::sbr("lint_authority_information_name_type", "SBR 7.1.2.3 c", access::name_types),
    Lint::sbr("lint_authority_information_internal", "SBR 7.1.2.3 c", access::reachable).should(),
    // keyUsage
    Lint::sbr("lint_key_usage_absent", "SBR 7.1.2.3 e", key_usage::present),
    Lint::sbr("lint_key_usage_not_critical", "SBR 7.1.2.3 e", key_usage::critical).should(),
    Lint::sbr("lint_key_usage_rsa", "SBR 7.1.2.3 e", key_usage::rsa).binding(NOT_STRICT),
    Lint::sbr("lint_key_usage_rsa_strict", "SBR 7.1.2.3 e", key_usage::rsa_strict).binding(STRICT),
    Lint::sbr("lint_key_usage_rsa_purpose", "SBR 7.1.2.3 e", key_usage::rsa_purpose),
    Lint::sbr("lint_key_usage_ec", "SBR 7.1.2.3 e", key_usage::ec),
    Lint::sbr("lint_key_usage_ec_purpose", "SBR 7.1.2.3 e", key_usage::ec_purpose),
    Lint::sbr("lint_key_usage_edwards", "SBR 7.1.2.3 e", key_usage::edwards),
    Lint::sbr("lint_key_usage_ml_dsa", "SBR 7.1.2.3 e", key_usage::ml_dsa).from(V1_0_11),
    Lint::sbr("lint_key_usage_ml_kem", "SBR 7.1.2.3 e", key_usage::ml_kem).from(V1_0_11),
    Lint::standard("lint_key_usage_empty", "RFC 5280 4.2.1.3", key_usage::not_empty),
    Lint::standard("lint_key_usage_cert_sign", "RFC 5280 4.2.1.9", key_usage::no_cert_sign),
    Lint::standard("lint_key_usage_one_direction", "RFC 5280 4.2.1.3", key_usage::one_direction),
    Lint::standard("lint_key_usage_encoding", "X.690 11.2.2", key_usage::minimal),
    // extKeyUsage
    Lint::sbr("lint_extended_key_usage_absent", "SBR 7.1.2.3 f", purposes::present),
    Lint::sbr("lint_extended_key_usage_no_mail", "SBR 7.1.2.3 f", purposes::email_protection),
    Lint::sbr("lint_extended_key_usage_prohibited", "SBR 7.1.2.3 f", purposes::none_prohibited).binding(NOT_STRICT),
    Lint::sbr("lint_extended_key_usage_strict", "SBR 7.1.2.3 f", purposes::mail_alone).binding(STRICT),
    Lint::sbr("lint_extended_key_usage_dedicated", "SBR 7.1.2.3 f", purposes::mail_and_client).from(DEDICATED),
    // authorityKeyIdentifier, subjectKeyIdentifier
    Lint::sbr("lint_authority_key_identifier_absent", "SBR 7.1.2.3 g", key_identifiers::present),
    Lint::sbr("lint_authority_key_identifier_critical", "SBR 7.1.2.3 g", key_identifiers::not_critical),
    Lint::sbr("lint_authority_key_identifier_no_key", "SBR 7.1.2.3 g", key_identifiers::has_key_identifier),
    Lint::sbr("lint_authority_key_identifier_issuer", "SBR 7.1.2.3 g", key_identifiers::names_no_issuer),
    Lint::standard("lint_authority_key_identifier_half", "RFC 5280 4.2.1.1", key_identifiers::issuer_and_serial),
    Lint::standard("lint_subject_key_identifier_absent", "RFC 5280 4.2.1.2", key_identifiers::subject_present).should(),
    Lint::standard("lint_subject_key_identifier_method", "RFC 5280 4.2.1.2", key_identifiers::known_method).note(),
    // subjectAltName
    Lint::sbr("lint_alternative_name_absent", "SBR 7.1.2.3 h", names::present),
    Lint::sbr("lint_alternative_name_critical", "SBR 7.1.2.3 h", names::critical_needlessly).should(),
    Lint::standard("lint_alternative_name_not_critical", "RFC 5280 4.2.1.6", names::critical_where_needed),
    Lint::sbr("lint_alternative_name_no_address", "SBR 7.1.4.2.1", names::has_address),
    Lint::sbr("lint_alternative_name_type", "SBR 7.1.4.2.1", names::name_types),
    Lint::sbr("lint_other_name_type", "SBR 7.1.4.2.1", names::other_name_types).binding(STRICT),
    Lint::sbr("lint_address_syntax", "SBR 7.1.4.2.1", names::address_syntax),
    Lint::sbr("lint_subject_address_syntax", "SBR 7.1.4.2.2 h", names::subject_address_syntax),
    Lint::standard("lint_address_domain_length", "RFC 1035 2.3.4", names::address_domain_length),
    Lint::sbr("lint_address_internal", "SBR 3.2.2.1", names::domain_inside),
    Lint::sbr("lint_subject_address_not_repeated", "SBR 7.1.4.2.1", names::repeats_email_address),
    Lint::sbr("lint_attribute_address_not_repeated", "SBR 7.1.4.2.1", names::repeats_attribute_address),
    Lint::standard("lint_utf8_mailbox_syntax", "RFC 9598 3", names::utf8_syntax),
    Lint::standard("lint_utf8_mailbox_domain", "RFC 9598 3", names::utf8_domain),
    Lint::standard("lint_utf8_mailbox_ascii", "RFC 9598 3", names::utf8_needed),
    Lint::standard("lint_utf8_mailbox_mark", "RFC 9598 3", names::utf8_no_mark),
    Lint::standard("lint_utf8_mailbox_upper_case", "RFC 9598 3", names::utf8_lower_case),
    Lint::standard("lint_user_principal_name_syntax", "MS-ADTS 5.1.1.1.1", names::principal_syntax),
    Lint::standard("lint_dns_name_syntax", "RFC 5280 4.2.1.6", names::dns_syntax),
    Lint::standard("lint_uri_syntax", "RFC 5280 4.2.1.6", names::uri_syntax),
    Lint::standard("lint_uri_domain_length", "RFC 1035 2.3.4", names::uri_domain_length),
    // further extensions
    Lint::standard("lint_path_length", "RFC 5280 4.2.1.9", extensions::no_path_length),
    Lint::standard("lint_authority_extension", "RFC 5280 4.2.1", extensions::none_of_authorities),
    Lint::standard("lint_extension_critical", "RFC 5280 4.2", extensions::not_critical),
    Lint::standard("lint_issuer_alternative_name_critical", "RFC 5280 4.2.1.7", extensions::issuer_name_not_critical)
        .should(),
    Lint::sbr("lint_directory_attributes", "SBR 7.1.2.3 j", extensions::no_directory_attributes).binding(NOT_LEGACY),
    Lint::sbr("lint_directory_attributes_mailbox", "SBR 7.1.2.3 j", extensions::no_directory_attributes)
        .binding(MAILBOX.and(LEGACY)),
    Lint::sbr("lint_qc_statements_critical", "SBR 7.1.2.3 k", qc_statements::not_critical),
    Lint::standard("lint_qc_statements_malformed", "ETSI EN 319 412-5 4", qc_statements::well_formed),
    Lint::sbr("lint_lei_prohibited", "SBR 7.1.2.3 l", extensions::no_lei).binding(MAILBOX.or(INDIVIDUAL)),
    Lint::sbr("lint_lei_critical", "SBR 7.1.2.3 l", extensions::lei_not_critical),
    Lint::sbr("lint_lei_role_prohibited", "SBR 7.1.2.3 l", extensions::no_lei_role)
        .binding(MAILBOX.or(INDIVIDUAL).or(ORGANIZATION)),
    Lint::sbr("lint_lei_role_critical", "SBR 7.1.2.3 l", extensions::lei_role_not_critical),
    Lint::standard("lint_lei_syntax", "ISO 17442-1", extensions::lei_syntax),
    Lint::standard("lint_lei_checksum", "ISO 17442-1", extensions::lei_checksum),
    Lint::sbr("lint_adobe_prohibited", "SBR 7.1.2.3 m", extensions::no_adobe).binding(STRICT),
    Lint::sbr("lint_adobe_critical", "SBR 7.1.2.3 m", extensions::adobe_not_critical).binding(NOT_STRICT),
    Lint::standard("lint_adobe_location", "Adobe time-stamp extension", extensions::adobe_location),
    // algorithms and keys
    Lint::sbr("lint_key_algorithm_2023", "SBR 1.0.0 7.1.3.1", key::key_algorithm_before_ml).until(V1_0_11),
    Lint::sbr("lint_key_algorithm", "SBR 7.1.3.1", key::key_algorithm).from(V1_0_11),
    Lint::sbr("lint_signature_algorithm_2023", "SBR 1.0.0 7.1.3.2", key::signature_algorithm_before_ml).until(V1_0_11),
    Lint::sbr("lint_signature_algorithm", "SBR 7.1.3.2", key::signature_algorithm).from(V1_0_11),
    Lint::sbr("lint_rsa_modulus", "SBR 6.1.5", key::modulus_length),
    Lint::standard("lint_rsa_modulus_gmail", "Gmail S/MIME profile", key::gmail_modulus_length).note(),
    Lint::standard("lint_key_kind_gmail", "Gmail S/MIME profile", key::gmail_kind).note(),
    Lint::sbr("lint_rsa_exponent", "SBR 6.1.6", key::exponent_odd),
    Lint::sbr("lint_rsa_exponent_range", "SBR 6.1.6", key::exponent_range).should(),
    Lint::sbr("lint_rsa_small_factor", "SBR 6.1.6", key::no_small_factor).should(),
    Lint::sbr("lint_ec_point", "SBR 6.1.6", key::point_on_curve).should(),
    // subject
    Lint::sbr("lint_subject_mailbox", "SBR 7.1.4.2.3", subject::mailbox_alone).binding(MAILBOX),
    Lint::sbr("lint_subject_prohibited", "SBR 7.1.4.2", subject::none_prohibited).binding(IDENTIFIED),
    Lint::sbr("lint_subject_organization", "SBR 7.1.4.2", subject::organization).binding(LEGAL),
    Lint::sbr("lint_subject_person", "SBR 7.1.4.2", subject::person).binding(PERSON.and(NOT_LEGACY)),
    Lint::sbr("lint_subject_person_legacy", "SBR 7.1.4.2", subject::person_or_common_name).binding(PERSON.and(LEGACY)),
    Lint::sbr("lint_subject_pseudonym", "SBR 7.1.4.2.2 g", subject::name_or_pseudonym),
    Lint::sbr("lint_subject_dependency", "SBR 7.1.4.2.2", subject::dependencies),
    Lint::sbr("lint_common_name_mailbox", "SBR 7.1.4.2.2 a", subject::mailbox_common_name).binding(MAILBOX),
    Lint::sbr("lint_common_name_organization", "SBR 7.1.4.2.2 a", subject::organization_common_name)
        .binding(ORGANIZATION),
    Lint::sbr("lint_common_name_person", "SBR 7.1.4.2.2 a", subject::person_common_name).binding(PERSON),
    Lint::sbr("lint_subject_country", "SBR 7.1.4.2.2 n", subject::country).binding(IDENTIFIED),
    Lint::sbr("lint_subject_insignificant", "SBR 7.1.4.2.2", subject::significant),
    Lint::sbr("lint_subject_entity", "SBR 7.1.4.2.2", subject::no_entities),
    Lint::sbr("lint_subject_unreadable", "SBR 7.1.4.2.2", subject::readable).note(),
    Lint::sbr("lint_rdn_several", "SBR 7.1.4.2", subject::single_valued).note(),
    Lint::standard("lint_rdn_duplicate", "X.501 9.3", subject::distinct_in_rdn),
    Lint::standard("lint_domain_components", "RFC 4519 2.4", subject::domain_components),
    Lint::standard("lint_issuer_empty", "RFC 5280 4.1.2.4", subject::has_issuer),
    // organizationIdentifier
    Lint::sbr("lint_organization_identifier_encoding", "SBR 7.1.4.2.2 d", organization::encoding),
    Lint::sbr("lint_organization_identifier_format", "SBR 7.1.4.2.2 d", organization::format),
    Lint::sbr("lint_organization_identifier_scheme", "SBR Appendix A", organization::scheme),
    Lint::sbr("lint_organization_identifier_country", "SBR Appendix A", organization::country),
    Lint::sbr("lint_organization_identifier_state", "SBR Appendix A", organization::state),
    Lint::sbr("lint_organization_identifier_no_reference", "SBR Appendix A", organization::reference_present),
    Lint::sbr("lint_organization_identifier_reference", "SBR Appendix A", organization::reference_absent),
    Lint::sbr("lint_organization_identifier_german", "SBR 7.1.4.2.2 d", organization::german_euid).should(),
    Lint::sbr("lint_organization_identifier_mismatch", "SBR Appendix A", organization::same_country).binding(LEGAL),
    Lint::standard("lint_organization_identifier_lei", "ISO 17442-1", organization::lei_syntax),
    Lint::standard("lint_organization_identifier_lei_checksum", "ISO 17442-1", organization::lei_checksum),
    // dates and numbers
    Lint::sbr("lint_validity_legacy", "SBR 6.3.2", validity::legacy_length).binding(LEGACY),
    Lint::sbr("lint_validity", "SBR 6.3.2", validity::length).binding(NOT_LEGACY),
    Lint::sbr("lint_validity_margin_legacy", "SBR 6.3.2", validity::legacy_margin).binding(LEGACY).should(),
    Lint::sbr("lint_validity_margin", "SBR 6.3.2", validity::margin).binding(NOT_LEGACY).should(),
    Lint::standard("lint_validity_order", "RFC 5280 4.1.2.5", validity::order),
    Lint::sbr("lint_legacy_generation", "SBR 7.1.6.1", validity::legacy_ended)
        .binding(LEGACY)
        .from(LEGACY_END)
        .public(),
    Lint::standard("lint_time_type", "RFC 5280 4.1.2.5", validity::time_types),
    Lint::standard("lint_time_syntax", "RFC 5280 4.1.2.5", validity::time_syntax),
    Lint::standard("lint_serial_number", "RFC 5280 4.1.2.2", validity::serial_number),
    Lint::standard("lint_unique_id", "RFC 5280 4.1.2.8", validity::no_unique_ids),
];
