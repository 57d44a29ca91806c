//! Paths: building them through pools that are incomplete, ambiguous or hostile, and the rules for authorities.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, date_time_ymd,
};
use smimesync::certificate::Certificate;
use smimesync::people::Address;
use smimesync::validation::{Audience, Fitness, Rules, judge, reason};

use crate::pki::{ADDRESS, Authority, ca_params, codes, evidence, person_params, rules, verdict};

/// What is found for a person below an issuing authority that was changed.
fn below_changed(change: impl FnOnce(&mut CertificateParams)) -> (Vec<&'static str>, bool, Fitness) {
    let root = Authority::root("Root");
    let mut params = ca_params("Issuing");
    change(&mut params);
    let issuing = root.child_of(params);
    let ann = issuing.person(|_| {});
    let found = verdict(&ann, &evidence(&[&root.certificate], &[&issuing.certificate], &[]), &rules());
    (codes(&found), found.path_valid, found.fitness())
}

#[test]
fn rules_for_authorities() {
    let unfit = |code: &'static str| (vec![code], false, Fitness::Unfit);
    assert_eq!(below_changed(|_| {}), (vec![], true, Fitness::Fit));
    assert_eq!(below_changed(|params| params.is_ca = IsCa::ExplicitNoCa), unfit("issuer_not_ca"));
    assert_eq!(below_changed(|params| params.is_ca = IsCa::NoCa), unfit("issuer_not_ca"));
    assert_eq!(below_changed(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]), unfit("issuer_key_usage"));
    assert_eq!(below_changed(|params| params.key_usages = vec![]), (vec![], true, Fitness::Fit));
    assert_eq!(below_changed(|params| params.not_after = date_time_ymd(2026, 2, 1)), unfit("issuer_expired"));
    assert_eq!(below_changed(|params| params.not_before = date_time_ymd(2030, 1, 1)), unfit("issuer_not_yet_valid"));
    let purposes =
        |purpose: ExtendedKeyUsagePurpose| below_changed(|params| params.extended_key_usages = vec![purpose]);
    assert_eq!(purposes(ExtendedKeyUsagePurpose::EmailProtection), (vec![], true, Fitness::Fit));
    let (found, path_valid, fitness) = purposes(ExtendedKeyUsagePurpose::ServerAuth);
    assert_eq!((found, path_valid, fitness), (vec!["issuer_extended_key_usage"], true, Fitness::Unfit));
}

#[test]
fn critical_extensions_must_be_understood() {
    let extension = |critical: bool| {
        let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(critical);
        below_changed(|params| params.custom_extensions = vec![extension])
    };
    assert_eq!(extension(false), (vec![], true, Fitness::Fit));
    assert_eq!(extension(true), (vec!["unknown_critical_extension"], false, Fitness::Unfit));
    let twice = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    let found = below_changed(|params| params.custom_extensions = vec![twice.clone(), twice]);
    assert_eq!(found, (vec!["duplicate_extension"], false, Fitness::Unfit));
}

#[test]
fn path_length_counts_intermediates() {
    let with_length = |length: u8| {
        let mut params = ca_params("Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
        let root = Authority::root_of(params);
        let policy = root.child("Policy");
        let issuing = policy.child("Issuing");
        let ann = issuing.person(|_| {});
        let trust = evidence(&[&root.certificate], &[&issuing.certificate, &policy.certificate], &[]);
        codes(&verdict(&ann, &trust, &rules()))
    };
    assert_eq!(with_length(2), Vec::<&str>::new());
    assert_eq!(with_length(1), ["path_length_exceeded"]);
}

#[test]
fn what_is_missing_leaves_it_open() {
    let root = Authority::root("Root");
    let issuing = root.child("Issuing");
    let ann = issuing.person(|_| {});
    let other = Authority::root("Other");
    let found = |anchors: &[&Certificate], intermediates: &[&Certificate]| {
        let found = verdict(&ann, &evidence(anchors, intermediates, &[]), &rules());
        assert!(!found.path_valid);
        (codes(&found), reason(&found))
    };
    let open = Some("undetermined");
    assert_eq!(found(&[&root.certificate], &[]), (vec!["issuer_not_found"], open));
    assert_eq!(found(&[&other.certificate], &[&issuing.certificate]), (vec!["issuer_not_found"], open));
    let both = [&issuing.certificate, &root.certificate];
    assert_eq!(found(&[&other.certificate], &both), (vec!["anchor_not_trusted"], open));
    assert_eq!(found(&[], &both), (vec!["no_anchors"], open));
    assert_eq!(found(&[], &[]), (vec!["issuer_not_found", "no_anchors"], open));
}

#[test]
fn issuers_that_are_not_settled_are_not_held_against_the_leaf() {
    let root = Authority::root("Root");
    let other = Authority::root("Other");
    let mut params = ca_params("Issuing");
    params.not_after = date_time_ymd(2026, 2, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let issuing = root.child_of(params);
    let ann = issuing.person(|_| {});
    let found = verdict(&ann, &evidence(&[&other.certificate], &[&issuing.certificate], &[]), &rules());
    assert_eq!(codes(&found), ["issuer_expired", "issuer_extended_key_usage", "issuer_not_found"]);
    assert_eq!((found.fitness(), reason(&found)), (Fitness::Undetermined, Some("undetermined")));
}

#[test]
fn no_changed_bit_is_accepted() {
    let root = Authority::root("Root");
    let issuing = root.child("Issuing");
    let ann = issuing.person(|_| {});
    let bits = |der: &[u8]| -> Vec<Vec<u8>> {
        let changed = |bit: usize| {
            let mut der = der.to_vec();
            der[bit / 8] ^= 1 << (bit % 8);
            der
        };
        (0..der.len() * 8).map(changed).collect()
    };
    let trust = evidence(&[&root.certificate], &[&issuing.certificate], &[]);
    for der in bits(&ann.der) {
        if let Ok(changed) = Certificate::parse(&der) {
            let found = verdict(&changed, &trust, &rules());
            assert!(!found.path_valid && found.fitness() != Fitness::Fit, "{}", hex::encode(der));
        }
    }
    for der in bits(&issuing.certificate.der) {
        if let Ok(changed) = Certificate::parse(&der) {
            let found = verdict(&ann, &evidence(&[&root.certificate], &[&changed], &[]), &rules());
            assert!(!found.path_valid && found.fitness() != Fitness::Fit, "{}", hex::encode(der));
        }
    }
}

#[test]
fn embedded_certificates_help_and_are_never_trusted() {
    let root = Authority::root("Root");
    let issuing = root.child("Issuing");
    let ann = issuing.person(|_| {});
    let bag = [ann.clone(), issuing.certificate.clone(), root.certificate.clone()];
    let addresses = [Address::parse(ADDRESS).unwrap()];
    let audience = Audience { addresses: &addresses };
    let trusted = judge(&ann, &bag, Some(&audience), &evidence(&[&root.certificate], &[], &[]), &rules());
    assert_eq!(trusted.fitness(), Fitness::Fit);
    let other = Authority::root("Other");
    let untrusted = judge(&ann, &bag, Some(&audience), &evidence(&[&other.certificate], &[], &[]), &rules());
    assert_eq!(codes(&untrusted), ["anchor_not_trusted"]);
}

#[test]
fn a_forged_signature_is_refused() {
    let root = Authority::root("Root");
    // the same name with another key, and no key identifier that would tell them apart
    let mut params = ca_params("Root");
    params.use_authority_key_identifier_extension = false;
    let impostor = Authority::root_of(params);
    let forged = impostor.person(|params| params.use_authority_key_identifier_extension = false);
    let found = verdict(&forged, &evidence(&[&root.certificate], &[], &[]), &rules());
    assert_eq!((codes(&found), found.path_valid, found.fitness()), (vec!["signature_invalid"], false, Fitness::Unfit));
    // where the key identifiers differ, the issuer may simply have a new key
    let renewed = impostor.person(|_| {});
    let found = verdict(&renewed, &evidence(&[&root.certificate], &[], &[]), &rules());
    assert_eq!(codes(&found), ["issuer_not_found"]);
    // a bit of the certificate changed
    let good = root.person(|_| {});
    let mut der = good.der.to_vec();
    let at = der.windows(4).position(|window| window == b"Ann ").unwrap();
    der[at] = b'B';
    let changed = Certificate::parse(&der).unwrap();
    assert_eq!(codes(&verdict(&changed, &evidence(&[&root.certificate], &[], &[]), &rules())), ["signature_invalid"]);
}

#[test]
fn another_way_is_found_when_the_first_is_bad() {
    let root = Authority::root("Root");
    let key_holder = root.child("Issuing");
    // the same authority under the same key, but expired and newer: it is tried, and not the last word
    let mut expired = ca_params("Issuing");
    expired.not_before = date_time_ymd(2021, 1, 1);
    expired.not_after = date_time_ymd(2022, 1, 1);
    let expired = root.issue(&expired, &key_holder.key);
    let ann = key_holder.person(|_| {});
    for order in [[&expired, &key_holder.certificate], [&key_holder.certificate, &expired]] {
        let found = verdict(&ann, &evidence(&[&root.certificate], &order, &[]), &rules());
        assert_eq!(found.fitness(), Fitness::Fit);
    }
    let only = verdict(&ann, &evidence(&[&root.certificate], &[&expired], &[]), &rules());
    assert_eq!(codes(&only), ["issuer_expired"]);
}

#[test]
fn loops_of_cross_certificates_end() {
    let root = Authority::root("Root");
    let authorities: Vec<Authority> = (0..6).map(|index| Authority::root(&format!("CA {index}"))).collect();
    let mut pool: Vec<Certificate> = Vec::new();
    for issuer in &authorities {
        for subject in &authorities {
            pool.push(issuer.issue(&subject.params, &subject.key));
        }
    }
    let ann = authorities[0].person(|_| {});
    let pool: Vec<&Certificate> = pool.iter().collect();
    let lost = verdict(&ann, &evidence(&[&root.certificate], &pool, &[]), &rules());
    assert_eq!(lost.fitness(), Fitness::Undetermined);
    assert!(codes(&lost).contains(&"path_search_limit"), "{:?}", codes(&lost));
    let way_out = root.issue(&authorities[0].params, &authorities[0].key);
    let pool: Vec<&Certificate> = pool.iter().copied().chain([&way_out]).collect();
    let found = verdict(&ann, &evidence(&[&root.certificate], &pool, &[]), &rules());
    assert!(found.fitness() == Fitness::Fit || codes(&found).contains(&"path_search_limit"));
}

#[test]
fn a_certificate_that_is_an_anchor_is_its_own_path() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let found = verdict(&ann, &evidence(&[&ann], &[], &[]), &rules());
    assert_eq!((found.fitness(), found.path.len()), (Fitness::Fit, 1));
}

#[test]
fn verdicts_do_not_depend_on_what_was_judged_before() {
    let root = Authority::root("Root");
    let issuing = root.child("Issuing");
    let trust = evidence(&[&root.certificate], &[&issuing.certificate], &[]);
    let people: Vec<Certificate> = (0..4).map(|_| issuing.issue(&person_params(ADDRESS), &crate::pki::key())).collect();
    let first: Vec<_> = people.iter().map(|ann| verdict(ann, &trust, &rules())).collect();
    let again: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = people.iter().map(|ann| scope.spawn(|| verdict(ann, &trust, &rules()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(first, again);
    let late = verdict(&people[0], &trust, &Rules { at_ms: i64::MAX, ..rules() });
    assert_eq!(reason(&late), Some("expired"));
}
