//! Certificates made here: one that breaks nothing, and what each change to it breaks.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, OtherNameValue,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SanType, SerialNumber, date_time_ymd,
};
use smimesync::certificate::Certificate;
use smimesync::session::{Session, Step, Value, Verb};
use smimesync::validation::lints::{self, Choice, Demand, Outcome, Profile};
use smimesync::validation::{Evidence, Fitness, RevocationCheck, Rules, Severity, judge};

const ADDRESS: &str = "ann@contoso.com";
const POLICIES: &[u64] = &[2, 5, 29, 32];
const ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
const ORGANIZATION_IDENTIFIER: &[u64] = &[2, 5, 4, 97];

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let header = if length < 128 { vec![tag, length as u8] } else { vec![tag, 0x81, length as u8] };
    [header, contents.to_vec()].concat()
}

/// certificatePolicies with reserved policies: 1 to 4 by type, 1 to 3 by generation.
fn policies(reserved: &[(u8, u8)]) -> CustomExtension {
    let policy =
        |(subject, generation): &(u8, u8)| tlv(0x30, &tlv(6, &[0x67, 0x81, 0x0c, 1, 5, *subject, *generation]));
    let list: Vec<u8> = reserved.iter().flat_map(policy).collect();
    CustomExtension::from_oid_content(POLICIES, tlv(0x30, &list))
}

/// authorityInfoAccess: OCSP and the issuer's certificate.
fn access(ocsp: &str, issuers: &str) -> CustomExtension {
    let place = |kind: u8, uri: &str| {
        let method = tlv(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, kind]);
        tlv(0x30, &[method, tlv(0x86, uri.as_bytes())].concat())
    };
    CustomExtension::from_oid_content(ACCESS, tlv(0x30, &[place(1, ocsp), place(2, issuers)].concat()))
}

fn points(uris: &[&str]) -> Vec<CrlDistributionPoint> {
    vec![CrlDistributionPoint { uris: uris.iter().map(|&uri| uri.to_owned()).collect() }]
}

/// A name of these parts.
fn name(parts: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in parts {
        name.push(kind.clone(), *value);
    }
    name
}

/// Replaces an extension made by hand.
fn replace(params: &mut CertificateParams, with: CustomExtension) {
    params.custom_extensions.retain(|known| known.oid_components().ne(with.oid_components()));
    params.custom_extensions.push(with);
}

/// A certificate of a public authority that keeps every rule of `mailbox_strict`.
fn good() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = name(&[(DnType::CommonName, ADDRESS)]);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    params.subject_alt_names = vec![SanType::Rfc822Name(ADDRESS.try_into().unwrap())];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(SerialNumber::from(4711));
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params.crl_distribution_points = points(&["http://crl.contoso.com/ca.crl"]);
    params.custom_extensions =
        vec![policies(&[(1, 3)]), access("http://ocsp.contoso.com", "http://pki.contoso.com/ca.cer")];
    params
}

/// `good` for an organization, by its type's number and its generation's.
fn legal(subject: u8, generation: u8) -> CertificateParams {
    let mut params = good();
    params.distinguished_name = name(&[
        (DnType::CountryName, "DE"),
        (DnType::OrganizationName, "Contoso"),
        (DnType::CustomDnType(ORGANIZATION_IDENTIFIER.to_vec()), "NTRDE-DER3306.HRB12345"),
        (DnType::CommonName, "Contoso"),
    ]);
    replace(&mut params, policies(&[(subject, generation)]));
    params
}

fn issued_with(params: &CertificateParams, key: &KeyPair) -> Certificate {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "Contoso CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signer = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let issuer = Issuer::from_params(&authority, &signer);
    let mut params = params.clone();
    // RFC 7093 2 (1), which rcgen does not offer
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.public_key_raw());
    params.key_identifier_method = KeyIdMethod::PreSpecified(digest.as_ref()[..20].to_vec());
    Certificate::parse(params.signed_by(key, &issuer).unwrap().der()).unwrap()
}

fn issued(params: &CertificateParams) -> Certificate {
    issued_with(params, &KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
}

fn codes(certificate: &Certificate, choice: Choice) -> BTreeSet<&'static str> {
    lints::judge(certificate, choice).into_iter().map(|finding| finding.code).collect()
}

/// Holds what a certificate breaks against what it should, in any order.
fn breaks(what: &str, params: &CertificateParams, expected: &[&'static str]) {
    assert_eq!(codes(&issued(params), Choice::Auto), expected.iter().copied().collect(), "{what}");
}

fn changed(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = good();
    change(&mut params);
    params
}

#[test]
fn a_good_certificate_breaks_nothing() {
    breaks("mailbox_strict", &good(), &[]);
    breaks("organization_strict", &legal(2, 3), &[]);
    let report = lints::report(&issued(&good()), Choice::Auto, 1_780_272_000_000).unwrap();
    assert_eq!((report.profile.to_string().as_str(), report.public), ("mailbox_strict", true));
    assert_eq!(report.outcomes.len(), lints::all().len());
}

#[test]
fn extensions_by_the_book() {
    breaks("no key usage", &changed(|params| params.key_usages.clear()), &["lint_key_usage_absent"]);
    let certificate_signing = changed(|params| params.key_usages.push(KeyUsagePurpose::KeyCertSign));
    breaks("keyCertSign", &certificate_signing, &["lint_key_usage_ec", "lint_key_usage_cert_sign"]);
    let purposeless = changed(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    breaks("no purpose", &purposeless, &["lint_key_usage_ec_purpose"]);
    let client = changed(|params| params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth));
    breaks("clientAuth in a strict profile", &client, &["lint_extended_key_usage_strict"]);
    let no_purpose = changed(|params| params.extended_key_usages.clear());
    breaks("no extended key usage", &no_purpose, &["lint_extended_key_usage_absent"]);
    let no_issuer_key = changed(|params| params.use_authority_key_identifier_extension = false);
    breaks("no authorityKeyIdentifier", &no_issuer_key, &["lint_authority_key_identifier_absent"]);
    let two_policies = changed(|params| replace(params, policies(&[(1, 3), (2, 3)])));
    breaks("two reserved policies", &two_policies, &["lint_reserved_policy_several"]);
    let lei = changed(|params| {
        let value = tlv(0x13, b"5493000IBP32UQZ0KL25");
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 52266, 1], value);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    breaks("an LEI", &lei, &["lint_lei_prohibited", "lint_lei_critical", "lint_lei_checksum"]);
    let adobe = changed(|params| {
        let extension = CustomExtension::from_oid_content(&[1, 2, 840, 113583, 1, 1, 9, 2], vec![0x30, 0]);
        params.custom_extensions.push(extension);
    });
    breaks("one of Adobe's extensions", &adobe, &["lint_adobe_prohibited"]);
}

#[test]
fn places_to_get_lists_and_issuers_from() {
    let none = changed(|params| params.crl_distribution_points.clear());
    breaks("no CRL", &none, &["lint_crl_points_absent"]);
    let ldap = ["ldap:///CN=CA,DC=contoso,DC=com?certificateRevocationList"];
    let directory = changed(|params| params.crl_distribution_points = points(&ldap));
    let expected = ["lint_crl_points_no_http", "lint_crl_points_scheme", "lint_crl_points_internal"];
    breaks("a CRL by ldap alone", &directory, &expected);
    let inside = changed(|params| params.crl_distribution_points = points(&["http://pki.contoso.local/ca.crl"]));
    breaks("a CRL inside", &inside, &["lint_crl_points_internal"]);
    let secure = changed(|params| replace(params, access("https://ocsp.contoso.com", "http://pki.contoso.com/ca.cer")));
    let expected = ["lint_authority_information_scheme", "lint_authority_information_ocsp_no_http"];
    breaks("OCSP by https", &secure, &expected);
    let bare = changed(|params| params.crl_distribution_points = points(&["crl.contoso.com/ca.crl"]));
    let expected = ["lint_crl_points_no_http", "lint_crl_points_scheme", "lint_crl_points_internal", "lint_uri_syntax"];
    breaks("no scheme", &bare, &expected);
}

#[test]
fn addresses_and_subjects() {
    let no_names = changed(|params| params.subject_alt_names.clear());
    let expected = ["lint_alternative_name_absent", "lint_attribute_address_not_repeated"];
    breaks("no subject alternative name", &no_names, &expected);
    let other = changed(|params| params.distinguished_name = name(&[(DnType::CommonName, "bob@contoso.com")]));
    breaks("another address in the subject", &other, &["lint_attribute_address_not_repeated"]);
    let person = changed(|params| params.distinguished_name = name(&[(DnType::CommonName, "Ann Lee")]));
    breaks("a person in a mailbox profile", &person, &["lint_common_name_mailbox"]);
    let host = changed(|params| params.subject_alt_names.push(SanType::DnsName("contoso.com".try_into().unwrap())));
    breaks("a host", &host, &["lint_alternative_name_type"]);
    let utf8 = changed(|params| {
        let value = OtherNameValue::Utf8String("bob@contoso.com".into());
        params.subject_alt_names.push(SanType::OtherName((vec![1, 3, 6, 1, 5, 5, 7, 8, 9], value)));
    });
    breaks("an ASCII address as SmtpUTF8Mailbox", &utf8, &["lint_utf8_mailbox_ascii"]);
    let mut stranger = legal(2, 3);
    stranger.distinguished_name.push(DnType::CommonName, "CONTOSO");
    breaks("a common name from nowhere", &stranger, &["lint_common_name_organization"]);
    let mut abroad = legal(2, 3);
    abroad.distinguished_name.push(DnType::CountryName, "FR");
    breaks("another country", &abroad, &["lint_organization_identifier_mismatch"]);
    breaks("an organization without a person", &legal(3, 3), &["lint_subject_person", "lint_common_name_person"]);
    let individual = ["lint_subject_prohibited", "lint_subject_person", "lint_common_name_person"];
    breaks("an organization as a person", &legal(4, 3), &individual);
}

#[test]
fn keys_by_their_kind() {
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let certificate = issued_with(&good(), &key);
    assert_eq!(codes(&certificate, Choice::Auto), BTreeSet::from(["lint_key_usage_edwards", "lint_key_kind_gmail"]));
    let signing = changed(|params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]);
    assert_eq!(codes(&issued_with(&signing, &key), Choice::Auto), BTreeSet::from(["lint_key_kind_gmail"]));
}

#[test]
fn rules_bind_what_is_issued_in_their_time() {
    let mut legacy = good();
    replace(&mut legacy, policies(&[(1, 1)]));
    breaks("legacy after its end", &legacy, &["lint_legacy_generation"]);
    legacy.not_before = date_time_ymd(2025, 7, 14);
    breaks("legacy before its end", &legacy, &[]);
    let long = changed(|params| params.not_after = date_time_ymd(2029, 1, 1));
    breaks("three years", &long, &["lint_validity"]);
    let mut early = good();
    early.key_usages.clear();
    early.not_before = date_time_ymd(2023, 8, 31);
    early.not_after = date_time_ymd(2024, 8, 31);
    let report = lints::report(&issued(&early), Choice::Auto, issued(&early).not_before_ms).unwrap();
    let outcome = report.outcomes.iter().find(|(lint, _)| lint.code == "lint_key_usage_absent").unwrap();
    assert_eq!(outcome.1, Outcome::NotEffective);
    let mut client = good();
    replace(&mut client, policies(&[(1, 2)]));
    client.extended_key_usages.push(ExtendedKeyUsagePurpose::OcspSigning);
    breaks("another purpose today", &client, &[]);
    client.not_before = date_time_ymd(2027, 7, 1);
    client.not_after = date_time_ymd(2028, 7, 1);
    breaks("another purpose from 2027-07-01", &client, &["lint_extended_key_usage_dedicated"]);
}

/// What AD CS issues: no policy, the list in the directory, clientAuth and EFS beside mail.
fn private() -> CertificateParams {
    changed(|params| {
        params.custom_extensions.clear();
        params.distinguished_name = name(&[(DnType::CommonName, "Ann Lee")]);
        params.crl_distribution_points = points(&["ldap:///CN=CA,DC=contoso,DC=com?certificateRevocationList"]);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    })
}

#[test]
fn private_authorities_are_informed_and_public_ones_warned() {
    let certificate = issued(&private());
    let findings = lints::judge(&certificate, Choice::Auto);
    assert!(findings.iter().any(|finding| finding.code == "lint_crl_points_no_http"));
    assert!(findings.iter().all(|finding| finding.severity == Severity::Info));
    assert!(findings.iter().all(|finding| finding.code != "lint_policies_absent"));
    let strict: Choice = "mailbox_strict".parse().unwrap();
    let findings = lints::judge(&certificate, strict);
    assert!(findings.iter().any(|finding| finding.code == "lint_policies_absent"));
    for finding in findings {
        let lint = lints::all().iter().find(|lint| lint.code == finding.code).unwrap();
        let expected = if lint.demand == Demand::Shall { Severity::Warn } else { Severity::Info };
        assert_eq!((finding.severity, finding.rule), (expected, lint.source), "{}", finding.code);
    }
}

#[test]
fn what_is_no_mail_certificate_is_left_alone() {
    let authority = changed(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let server = changed(|params| {
        params.custom_extensions.clear();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let no_address = changed(|params| {
        params.custom_extensions.clear();
        params.subject_alt_names.clear();
    });
    for params in [authority, server, no_address] {
        assert!(lints::report(&issued(&params), Choice::Auto, 0).is_none());
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let own = Certificate::parse(good().self_signed(&key).unwrap().der()).unwrap();
    assert!(lints::report(&own, Choice::Auto, 0).is_none());
    let named = Choice::Named(Profile::all().next().unwrap());
    assert!(lints::report(&own, named, 0).is_some());
}

#[test]
fn lints_change_nothing_about_fitness() {
    let certificate = issued(&private());
    let rules = Rules {
        at_ms: 1_780_272_000_000,
        min_rsa_bits: 2048,
        allow_sha1: false,
        allow_no_address: false,
        expiring_days: 400,
        revocation: RevocationCheck::Off,
        fetch_issuers: false,
    };
    let evidence = Evidence::new(Vec::new(), Vec::new(), Vec::new());
    let before = judge(&certificate, &[], None, &evidence, &rules);
    let mut after = before.clone();
    lints::add(&mut after, &certificate, "mailbox_strict".parse().unwrap());
    assert!(after.findings.len() > before.findings.len());
    assert_eq!((after.encrypt, after.sign, after.path_valid), (before.encrypt, before.sign, before.path_valid));
    assert_eq!(after.encrypt, Fitness::Undetermined);
    let weight =
        |severity| [Severity::Block, Severity::Warn, Severity::Info].iter().position(|known| *known == severity);
    let weights: Vec<_> = after.findings.iter().map(|finding| weight(finding.severity)).collect();
    assert!(weights.is_sorted(), "{weights:?}");
}

#[test]
fn no_altered_byte_brings_the_rules_down() {
    let mut params = legal(3, 2);
    params.subject_alt_names.push(SanType::OtherName((
        vec![1, 3, 6, 1, 5, 5, 7, 8, 9],
        OtherNameValue::Utf8String("jürgen@contoso.com".into()),
    )));
    let der = issued(&params).der;
    let mut judged = 0;
    for index in 0..der.len() {
        for value in (0..=255).step_by(17) {
            let mut altered = der.to_vec();
            altered[index] = value;
            if let Ok(certificate) = Certificate::parse(&altered) {
                lints::judge(&certificate, Choice::Auto);
                lints::judge(&certificate, "organization_legacy".parse().unwrap());
                judged += 1;
            }
        }
    }
    assert!(judged > der.len(), "{judged} of {} bytes", der.len());
}

/// The codes that `validate` gives for a file.
fn validated(configuration: &str, options: &str) -> Vec<(String, String)> {
    let session = Session::open(configuration).unwrap();
    let mut cursor = session.start(Verb::Validate, options).unwrap();
    let mut found = Vec::new();
    while cursor.next(Duration::from_secs(30)).unwrap() == Step::Row {
        let Some(Value::Rows(findings)) = cursor.row().unwrap().get("findings") else { panic!("no findings") };
        for finding in findings.iter() {
            let text = |column| match finding.get(column) {
                Some(Value::Text(text)) => text.clone(),
                other => panic!("{column}: {other:?}"),
            };
            assert!(!text("message").contains('{') && !text("message").starts_with("finding."));
            assert!(!text("remedy").is_empty() && !text("rule").is_empty());
            found.push((text("code"), text("severity")));
        }
    }
    found.retain(|(code, _)| code.starts_with("lint_"));
    found
}

#[test]
fn validate_lints_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ann.cer");
    fs::write(&file, &issued(&private()).der).unwrap();
    let options = |more: serde_json::Value| {
        let mut options = serde_json::json!({ "files": [file], "revocation_mode": "off" });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        options.to_string()
    };
    let plain = options(serde_json::json!({}));
    assert_eq!(validated("{}", &plain), []);
    let configured = validated(r#"{ "policy": { "lints": "cabf" } }"#, &plain);
    assert!(!configured.is_empty() && configured.iter().all(|(_, severity)| severity == "info"));
    let asked = options(serde_json::json!({ "lint_profile": "auto" }));
    assert_eq!(validated("{}", &asked), configured);
    let named = validated("{}", &options(serde_json::json!({ "lint_profile": "mailbox_strict" })));
    assert!(named.contains(&("lint_policies_absent".to_owned(), "warn".to_owned())));
    let session = Session::open("{}").unwrap();
    let wrong = session.start(Verb::Validate, &options(serde_json::json!({ "lint_profile": "mailbox" })));
    assert_eq!(wrong.err().unwrap().get_target(), Some("/lint_profile"));
}
