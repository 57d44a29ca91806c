//! Pools made to cost time: whatever is in them, a verdict costs 128 signature checks at most.

use std::time::{Duration, Instant};

use rcgen::KeyUsagePurpose;
use smimesync::certificate::{Certificate, Crl};
use smimesync::validation::{Evidence, RevocationCheck, Rules, Verdict};

use crate::pki::{Authority, anchor, ca_params, codes, evidence, key, rules, verdict};
use crate::raw::{List, custom, directory, sequence, tlv};

/// Generous for a loaded machine, and far below what an unbounded search would take.
const LIMIT: Duration = Duration::from_secs(10);

fn timed(certificate: &Certificate, evidence: &Evidence, rules: &Rules) -> Verdict {
    let start = Instant::now();
    let verdict = verdict(certificate, evidence, rules);
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    verdict
}

#[test]
fn thousands_of_issuers_with_one_name() {
    let root = Authority::root("Root");
    let issuing = root.child("Issuing");
    let mut params = ca_params("Issuing");
    params.use_authority_key_identifier_extension = false;
    let pool: Vec<Certificate> = (0..3000).map(|_| root.issue(&params, &key())).collect();
    let ann = issuing.person(|_| {});
    let with = |pool: Vec<Certificate>| Evidence::new(vec![anchor(&root.certificate)], pool, vec![]);
    let lost = timed(&ann, &with(pool.clone()), &rules());
    assert!(!lost.path_valid);
    // among the others the right one is found by its key identifier
    let found = timed(&ann, &with([pool, vec![issuing.certificate.clone()]].concat()), &rules());
    assert!(found.path_valid, "{:?}", codes(&found));
}

#[test]
fn a_thousand_authorities_that_certify_each_other() {
    let root = Authority::root("Root");
    let authorities: Vec<Authority> = (0..40).map(|index| Authority::root(&format!("CA {index}"))).collect();
    let pairs = authorities.iter().flat_map(|issuer| authorities.iter().map(move |subject| (issuer, subject)));
    let pool: Vec<Certificate> = pairs.map(|(issuer, subject)| issuer.issue(&subject.params, &subject.key)).collect();
    let ann = authorities[0].person(|_| {});
    let found = timed(&ann, &Evidence::new(vec![anchor(&root.certificate)], pool, vec![]), &rules());
    assert!(!found.path_valid && codes(&found).contains(&"path_search_limit"), "{:?}", codes(&found));
}

#[test]
fn a_thousand_lists_that_somebody_else_signed() {
    let root = Authority::root("Root");
    let impostor = Authority::root("Root");
    let ann = root.person(|_| {});
    let crls: Vec<Crl> =
        (0..1000).map(|number| List { number, days: (2, 30), ..List::default() }.signed(&impostor.key)).collect();
    let rules = Rules { revocation: RevocationCheck::Offline, ..rules() };
    let found = timed(&ann, &evidence(&[&root.certificate], &[], &crls), &rules);
    assert!(codes(&found).contains(&"revocation_unknown"), "{:?}", codes(&found));
}

#[test]
fn issuers_of_lists_that_vouch_for_each_other() {
    let root = Authority::root("Root");
    let names = ["Lists 0", "Lists 1", "Lists 2", "Lists 3", "Lists 4", "Lists 5"];
    let point = |name: &str| custom(31, sequence(&[&sequence(&[&tlv(0xa2, &directory(&[name]))])]));
    let issuers: Vec<Authority> = (0..names.len())
        .map(|index| {
            let mut params = ca_params(names[index]);
            params.key_usages = vec![KeyUsagePurpose::CrlSign];
            params.custom_extensions = vec![point(names[(index + 1) % names.len()])];
            root.child_of(params)
        })
        .collect();
    let crls: Vec<Crl> = issuers
        .iter()
        .zip(names)
        .map(|(issuer, name)| {
            List { issuer: &[name], scope: Some(tlv(0x84, &[0xff])), ..List::default() }.signed(&issuer.key)
        })
        .collect();
    let pool: Vec<&Certificate> = issuers.iter().map(|issuer| &issuer.certificate).collect();
    let ann = root.person(|params| params.custom_extensions = vec![point(names[0])]);
    let rules = Rules { revocation: RevocationCheck::Offline, ..rules() };
    let found = timed(&ann, &evidence(&[&root.certificate], &pool, &crls), &rules);
    assert_eq!(codes(&found), ["revocation_unknown"]);
}
