//! The person's own certificate: dates, purposes, addresses, and the one reason it comes down to.

use rcgen::{ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ED25519, SanType, date_time_ymd};
use smimesync::certificate::SmimeValue;
use smimesync::people::Address;
use smimesync::text::Culture;
use smimesync::validation::{
    AddressMatch, Anchor, Audience, Evidence, Fitness, Rules, Severity, judge, judge_value, reason,
};

use crate::pki::{ADDRESS, Authority, DAY, NOW, anchor, codes, evidence, person_params, rules, verdict, verdict_for};

#[test]
fn a_good_certificate_is_fit_for_both() {
    let root = Authority::root("Root");
    let issuing = root.child("Issuing");
    let ann = issuing.person(|_| {});
    let found = verdict(&ann, &evidence(&[&root.certificate], &[&issuing.certificate], &[]), &rules());
    assert_eq!(codes(&found), Vec::<&str>::new());
    assert!(found.path_valid);
    assert_eq!((found.encrypt, found.sign, found.fitness()), (Fitness::Fit, Fitness::Fit, Fitness::Fit));
    assert_eq!((found.address_match, found.address_exact), (Some(AddressMatch::Primary), Some(true)));
    assert_eq!(found.path, ["CN=Ann Lee", "CN=Issuing", "CN=Root"]);
    assert_eq!(reason(&found), None);
}

#[test]
fn dates_are_bounds_to_the_second() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let trust = evidence(&[&root.certificate], &[], &[]);
    let at = |at_ms: i64| {
        let found = verdict(&ann, &trust, &Rules { at_ms, ..rules() });
        (codes(&found), reason(&found))
    };
    assert_eq!(at(ann.not_before_ms), (vec![], None));
    assert_eq!(at(ann.not_before_ms - 1), (vec!["not_yet_valid"], Some("not_yet_valid")));
    assert_eq!(at(ann.not_after_ms), (vec!["expiring_soon"], None));
    assert_eq!(at(ann.not_after_ms + 1), (vec!["expired"], Some("expired")));
    assert_eq!(at(ann.not_after_ms - 30 * DAY), (vec!["expiring_soon"], None));
    assert_eq!(at(ann.not_after_ms - 30 * DAY - 1), (vec![], None));
}

#[test]
fn key_usage_decides_for_each_use() {
    let root = Authority::root("Root");
    let trust = evidence(&[&root.certificate], &[], &[]);
    let fitness = |usages: &[KeyUsagePurpose]| {
        let ann = root.person(|params| params.key_usages = usages.to_vec());
        let found = verdict(&ann, &trust, &rules());
        (found.encrypt, found.sign, reason(&found))
    };
    use Fitness::{Fit, Unfit};
    assert_eq!(fitness(&[]), (Fit, Fit, None), "without key usage the key may be used for anything");
    assert_eq!(fitness(&[KeyUsagePurpose::DigitalSignature]), (Unfit, Fit, None));
    assert_eq!(fitness(&[KeyUsagePurpose::ContentCommitment]), (Unfit, Fit, None));
    assert_eq!(fitness(&[KeyUsagePurpose::KeyAgreement]), (Fit, Unfit, None));
    // for an EC key keyEncipherment means nothing
    assert_eq!(fitness(&[KeyUsagePurpose::KeyEncipherment]), (Unfit, Unfit, Some("wrong_purpose")));
}

#[test]
fn nobody_encrypts_to_ed25519() {
    let root = Authority::root("Root");
    let mut params = person_params(ADDRESS);
    params.key_usages = vec![];
    let ann = root.issue(&params, &KeyPair::generate_for(&PKCS_ED25519).unwrap());
    let found = verdict(&ann, &evidence(&[&root.certificate], &[], &[]), &rules());
    assert_eq!((found.encrypt, found.sign), (Fitness::Unfit, Fitness::Fit));
    assert_eq!(codes(&found), ["key_usage_encrypt"]);
}

#[test]
fn purposes_must_allow_mail() {
    let root = Authority::root("Root");
    let trust = evidence(&[&root.certificate], &[], &[]);
    let found = |purposes: &[ExtendedKeyUsagePurpose]| {
        let ann = root.person(|params| params.extended_key_usages = purposes.to_vec());
        let found = verdict(&ann, &trust, &rules());
        (codes(&found), reason(&found))
    };
    assert_eq!(found(&[]), (vec!["extended_key_usage_absent"], None));
    assert_eq!(found(&[ExtendedKeyUsagePurpose::Any]), (vec![], None));
    let other = (vec!["extended_key_usage"], Some("wrong_purpose"));
    assert_eq!(found(&[ExtendedKeyUsagePurpose::ClientAuth]), other);
    assert_eq!(found(&[ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 10, 3, 4])]), other);
}

#[test]
fn an_authority_is_no_person() {
    let root = Authority::root("Root");
    let ann = root.person(|params| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained));
    let found = verdict(&ann, &evidence(&[&root.certificate], &[], &[]), &rules());
    assert_eq!((codes(&found), reason(&found)), (vec!["ca_certificate"], Some("wrong_purpose")));
    assert!(found.path_valid, "the path is valid all the same");
}

#[test]
fn addresses_are_the_persons() {
    let root = Authority::root("Root");
    let trust = evidence(&[&root.certificate], &[], &[]);
    let ann = root.person(|_| {});
    let found = |addresses: &[&str]| {
        let found = verdict_for(addresses, &ann, &trust, &rules());
        (found.address_match, found.address_exact, codes(&found))
    };
    assert_eq!(found(&["ann@CONTOSO.com"]), (Some(AddressMatch::Primary), Some(true), vec![]));
    assert_eq!(found(&["Ann@contoso.com"]), (Some(AddressMatch::Primary), Some(false), vec!["address_case"]));
    assert_eq!(
        found(&["lee@contoso.com", ADDRESS]),
        (Some(AddressMatch::Secondary), Some(true), vec!["address_secondary"])
    );
    assert_eq!(found(&["bob@contoso.com"]), (Some(AddressMatch::Other), None, vec!["address_other"]));
    assert_eq!(found(&["ann@contoso.com.evil.test"]), (Some(AddressMatch::Other), None, vec!["address_other"]));
    assert_eq!(found(&[]), (Some(AddressMatch::Other), None, vec!["address_other"]));
    let other = verdict_for(&["bob@contoso.com"], &ann, &trust, &rules());
    assert_eq!(reason(&other), Some("other_person"));
    let nobody = judge(&ann, &[], None, &trust, &rules());
    assert_eq!((nobody.address_match, nobody.fitness()), (None, Fitness::Fit));
}

#[test]
fn a_certificate_without_address_is_the_operators_choice() {
    let root = Authority::root("Root");
    let trust = evidence(&[&root.certificate], &[], &[]);
    let ann = root.person(|params| params.subject_alt_names.clear());
    let strict = verdict(&ann, &trust, &rules());
    assert_eq!((strict.address_match, strict.fitness()), (Some(AddressMatch::Absent), Fitness::Unfit));
    assert_eq!(reason(&strict), Some("address_absent"));
    let lenient = verdict(&ann, &trust, &Rules { allow_no_address: true, ..rules() });
    assert_eq!((lenient.fitness(), lenient.findings[0].severity), (Fitness::Fit, Severity::Warn));
}

#[test]
fn an_international_domain_matches_in_either_form() {
    let root = Authority::root("Root");
    let ann = root.person(|params| {
        params.subject_alt_names = vec![SanType::Rfc822Name("ann@xn--mnchen-3ya.test".try_into().unwrap())];
    });
    let found = verdict_for(&["ann@München.test"], &ann, &evidence(&[&root.certificate], &[], &[]), &rules());
    assert_eq!((found.address_match, found.address_exact), (Some(AddressMatch::Primary), Some(true)));
}

#[test]
fn an_anchor_vouches_for_its_domains_only() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let found = |domains: &[&str]| {
        let domains = Some(domains.iter().map(|&domain| domain.to_owned()).collect());
        let anchor = Anchor { domains, ..anchor(&root.certificate) };
        codes(&verdict(&ann, &Evidence::new(vec![anchor], vec![], vec![]), &rules()))
    };
    assert_eq!(found(&["partner.com", "Contoso.COM"]), Vec::<&str>::new());
    assert_eq!(found(&["partner.com"]), ["anchor_domain"]);
    assert_eq!(found(&["oso.com"]), ["anchor_domain"]);
    assert_eq!(found(&[]), ["anchor_domain"]);
}

#[test]
fn what_expired_is_expired_whatever_else_it_is() {
    let root = Authority::root("Root");
    let ann = root.person(|params| {
        params.not_after = date_time_ymd(2026, 2, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let found = verdict_for(&["bob@contoso.com"], &ann, &evidence(&[&root.certificate], &[], &[]), &rules());
    assert_eq!(reason(&found), Some("expired"));
    assert!(codes(&found).contains(&"address_other") && codes(&found).contains(&"extended_key_usage"));
}

#[test]
fn values_are_judged_by_what_is_in_them() {
    let root = Authority::root("Root");
    let trust = evidence(&[&root.certificate], &[], &[]);
    let addresses = [Address::parse(ADDRESS).unwrap()];
    let audience = Audience { addresses: &addresses };
    let found = |bytes: &[u8]| judge_value(&SmimeValue::parse(bytes.into()), Some(&audience), &trust, &rules());
    assert_eq!(found(&root.person(|_| {}).der).fitness(), Fitness::Fit);
    let garbage = found(b"garbage");
    assert_eq!((codes(&garbage), reason(&garbage)), (vec!["not_a_certificate"], Some("undetermined")));
    assert_eq!((garbage.path_valid, garbage.path.len()), (false, 0));
    let mut hashes = vec![1, 0, 8, 0, 1, 0, 0, 0, 0x22, 0, 24, 0];
    hashes.extend([7; 20]);
    assert_eq!(codes(&found(&hashes)), ["container_reference_only"]);
}

#[test]
fn findings_say_what_was_seen() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let found = verdict_for(&["bob@contoso.com"], &ann, &evidence(&[&root.certificate], &[], &[]), &rules());
    let message = found.findings[0].message().render(Culture::English);
    assert_eq!(message, "the certificate is for ann@contoso.com, not for bob@contoso.com");
    assert!(!found.findings[0].remedy().render(Culture::English).is_empty());
    assert!(NOW > ann.not_before_ms);
}
