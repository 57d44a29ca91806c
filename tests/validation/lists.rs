//! CRLs that are not simply the whole truth of the issuer itself: of others, in parts, as changes.

use rcgen::{CertificateParams, KeyUsagePurpose};
use smimesync::certificate::{Certificate, Crl};
use smimesync::validation::{Fitness, RevocationCheck, Rules, reason};

use crate::pki::{Authority, ca_params, codes, evidence, rules, verdict};
use crate::raw::{List, Listed, custom, directory, point, relative_point, sequence, tlv};

const ANN: u64 = 4711;
const LISTS: u64 = 99;

/// Reasons of RFC 5280 4.2.1.13: keyCompromise alone, and all others.
const KEY_COMPROMISE: &[u8] = &[6, 0x40];
const OTHERS: &[u8] = &[7, 0x3f, 0x80];

/// What is found: `fit`, the reason, or why nothing can be said.
fn found(ann: &Certificate, root: &Authority, pool: &[&Certificate], crls: &[Crl]) -> String {
    let rules = Rules { revocation: RevocationCheck::Offline, ..rules() };
    let verdict = verdict(ann, &evidence(&[&root.certificate], pool, crls), &rules);
    match (verdict.fitness(), reason(&verdict)) {
        (Fitness::Fit, _) => "fit".to_owned(),
        (Fitness::Undetermined, _) => {
            assert_eq!(codes(&verdict), ["revocation_unknown"]);
            verdict.findings[0].observed.clone().unwrap()
        }
        (Fitness::Unfit, reason) => reason.unwrap().to_owned(),
    }
}

fn with_points(points: &[Vec<u8>]) -> impl Fn(&mut CertificateParams) {
    let points: Vec<Vec<u8>> = points.iter().map(|point| sequence(&[point])).collect();
    let value = tlv(0x30, &points.concat());
    move |params| params.custom_extensions = vec![custom(31, value.clone())]
}

fn crl_issuer(root: &Authority, usages: Vec<KeyUsagePurpose>) -> Authority {
    let mut params = ca_params("Lists");
    params.key_usages = usages;
    params.serial_number = Some(LISTS.into());
    root.child_of(params)
}

#[test]
fn another_issuer_lists_the_certificates_of_many() {
    let root = Authority::root("Root");
    let lists = crl_issuer(&root, vec![KeyUsagePurpose::CrlSign]);
    // cRLIssuer
    let ann = root.person(with_points(&[tlv(0xa2, &directory(&["Lists"]))]));
    let of_root = List::default().signed(&root.key);
    let pool = [&lists.certificate];
    let listing = |listed: &[Listed<'_>], scope: Option<Vec<u8>>| {
        List { issuer: &["Lists"], listed, scope, ..List::default() }.signed(&lists.key)
    };
    let indirect = || Some(tlv(0x84, &[0xff]));
    let judged = |crl: Crl| found(&ann, &root, &pool, &[crl, of_root.clone()]);
    assert_eq!(judged(listing(&[], indirect())), "fit");
    assert_eq!(judged(listing(&[Listed(ANN, Some(1), Some(&["Root"]))], indirect())), "revoked");
    // the issuer of an entry stays that of the entries behind it
    let behind = [Listed(1, None, Some(&["Root"])), Listed(ANN, None, None)];
    assert_eq!(judged(listing(&behind, indirect())), "revoked");
    // the same number of another issuer, and of the list's own
    assert_eq!(judged(listing(&[Listed(ANN, None, Some(&["Other"])), Listed(ANN, None, None)], indirect())), "fit");
    assert_eq!(judged(listing(&[Listed(ANN, None, None)], indirect())), "fit");
    // an entry of another issuer in a list that does not say it is indirect
    let direct = listing(&[Listed(ANN, None, Some(&["Root"]))], None);
    assert_eq!(found(&ann, &root, &pool, &[direct]), "cRLIssuer");
}

#[test]
fn the_one_who_signs_lists_must_be_good_too() {
    let root = Authority::root("Root");
    let ann = root.person(with_points(&[tlv(0xa2, &directory(&["Lists"]))]));
    let judged = |lists: &Authority, of_root: &[Listed<'_>]| {
        let scope = Some(tlv(0x84, &[0xff]));
        let crl = List { issuer: &["Lists"], scope, ..List::default() }.signed(&lists.key);
        // for authorities only, so that it says nothing about the person
        let of_root = List { listed: of_root, scope: Some(tlv(0x82, &[0xff])), ..List::default() }.signed(&root.key);
        found(&ann, &root, &[&lists.certificate], &[crl, of_root])
    };
    let spoilt = "signed by an authority without a good path";
    let good = crl_issuer(&root, vec![KeyUsagePurpose::CrlSign]);
    assert_eq!(judged(&good, &[]), "fit");
    assert_eq!(judged(&good, &[Listed(LISTS, None, None)]), spoilt);
    assert_eq!(judged(&crl_issuer(&root, vec![KeyUsagePurpose::KeyCertSign]), &[]), "no cRLSign");
    let stranger = Authority::root("Stranger");
    assert_eq!(judged(&crl_issuer(&stranger, vec![KeyUsagePurpose::CrlSign]), &[]), spoilt);
}

#[test]
fn a_list_may_speak_of_its_own_issuer() {
    let root = Authority::root("Root");
    let mut params = ca_params("Lists");
    params.serial_number = Some(LISTS.into());
    with_points(&[tlv(0xa2, &directory(&["Lists"]))])(&mut params);
    let lists = root.child_of(params);
    let ann = root.person(with_points(&[tlv(0xa2, &directory(&["Lists"]))]));
    let judged = |listed: &[Listed<'_>]| {
        let list = List { issuer: &["Lists"], scope: Some(tlv(0x84, &[0xff])), listed, ..List::default() };
        found(&ann, &root, &[&lists.certificate], &[list.signed(&lists.key)])
    };
    assert_eq!(judged(&[]), "fit");
    assert_ne!(judged(&[Listed(LISTS, None, Some(&["Root"]))]), "fit");
    assert_eq!(judged(&[Listed(ANN, None, Some(&["Root"]))]), "revoked");
}

#[test]
fn reasons_add_up() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let some = |reasons: &[u8], listed: &[Listed<'_>]| {
        List { scope: Some(tlv(0x83, reasons)), listed, ..List::default() }.signed(&root.key)
    };
    let judged = |crls: &[Crl]| found(&ann, &root, &[], crls);
    assert_eq!(judged(&[some(KEY_COMPROMISE, &[])]), "onlySomeReasons");
    assert_eq!(judged(&[some(KEY_COMPROMISE, &[]), some(OTHERS, &[])]), "fit");
    assert_eq!(judged(&[some(KEY_COMPROMISE, &[]), some(OTHERS, &[Listed(ANN, Some(4), None)])]), "revoked");
    // the certificate itself can say what its points are for
    let partly = root.person(with_points(&[
        [point(&tlv(0x86, b"http://a/1")), tlv(0x81, KEY_COMPROMISE)].concat(),
        [point(&tlv(0x86, b"http://a/2")), tlv(0x81, OTHERS)].concat(),
    ]));
    let at = |uri: &[u8]| List { scope: Some(point(&tlv(0x86, uri))), ..List::default() }.signed(&root.key);
    assert_eq!(found(&partly, &root, &[], &[at(b"http://a/1"), at(b"http://a/2")]), "fit");
    assert_ne!(found(&partly, &root, &[], &[at(b"http://a/1")]), "fit");
}

#[test]
fn names_may_be_relative_to_the_issuer() {
    let root = Authority::root("Root");
    let ann = root.person(with_points(&[relative_point("Part")]));
    let judged = |scope: Vec<u8>| {
        let list = List { scope: Some(scope), listed: &[Listed(ANN, None, None)], ..List::default() };
        found(&ann, &root, &[], &[list.signed(&root.key)])
    };
    assert_eq!(judged(relative_point("PART")), "revoked");
    assert_eq!(judged(point(&directory(&["Root", "Part"]))), "revoked");
    assert_eq!(judged(relative_point("Other")), "distributionPoint");
    assert_eq!(judged(point(&directory(&["Part", "Root"]))), "distributionPoint");
}

#[test]
fn changes_complete_an_older_list() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let hold: &[Listed<'_>] = &[Listed(ANN, Some(6), None)];
    let ended: &[Listed<'_>] = &[Listed(ANN, Some(8), None)];
    let complete = |listed| List { number: 5, listed, ..List::default() }.signed(&root.key);
    let delta = |base, number, listed| {
        List { base: Some(base), number, listed, days: (20, 30), ..List::default() }.signed(&root.key)
    };
    let judged = |crls: &[Crl]| found(&ann, &root, &[], crls);
    assert_eq!(judged(&[complete(&[]), delta(5, 6, &[])]), "fit");
    assert_eq!(judged(&[complete(&[]), delta(4, 6, hold)]), "revoked");
    assert_eq!(judged(&[complete(hold), delta(5, 6, ended)]), "fit");
    // the newer changes count
    assert_eq!(judged(&[complete(&[]), delta(5, 6, hold), delta(5, 7, ended)]), "fit");
    // changes that the list holds already, and changes of a list nobody has
    assert_eq!(judged(&[complete(hold), delta(3, 5, ended)]), "revoked");
    assert_eq!(judged(&[complete(hold), delta(6, 7, ended)]), "revoked");
    assert_eq!(judged(&[complete(&[]), delta(6, 7, hold)]), "revoked");
    assert_eq!(judged(&[delta(5, 6, &[])]), "deltaCRLIndicator");
    let stranger = Authority::root("Root");
    let forged = List { base: Some(5), number: 6, listed: ended, ..List::default() }.signed(&stranger.key);
    assert_eq!(judged(&[complete(hold), forged]), "revoked");
}

#[test]
fn changes_keep_a_list_alive() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let old = List { number: 5, days: (1, 1), ..List::default() };
    // the first of June is just its last moment
    let rules = Rules { at_ms: crate::pki::NOW + 1000, revocation: RevocationCheck::Offline, ..rules() };
    let judged = |crls: &[Crl]| verdict(&ann, &evidence(&[&root.certificate], &[], crls), &rules).fitness();
    assert_eq!(judged(&[old.signed(&root.key)]), Fitness::Undetermined);
    let delta = |base| List { base: Some(base), number: 7, ..List::default() }.signed(&root.key);
    assert_eq!(judged(&[old.signed(&root.key), delta(5)]), Fitness::Fit);
    assert_eq!(judged(&[old.signed(&root.key), delta(6)]), Fitness::Undetermined);
}

#[test]
fn what_a_list_says_that_nobody_understands_spoils_it() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let attributes = List { scope: Some(tlv(0x85, &[0xff])), ..List::default() };
    assert_eq!(found(&ann, &root, &[], &[attributes.signed(&root.key)]), "onlyContainsAttributeCerts");
    let unknown = List { scope: Some(tlv(0x86, &[0xff])), ..List::default() };
    assert_eq!(found(&ann, &root, &[], &[unknown.signed(&root.key)]), "malformed extension");
}

#[test]
fn some_certificates_are_never_revoked() {
    let root = Authority::root("Root");
    let never = || custom(56, vec![5, 0]);
    let ann = root.person(|params| params.custom_extensions = vec![never()]);
    assert_eq!(found(&ann, &root, &[], &[]), "fit");
    // not one that says where its list is, and no authority
    let both = root.person(|params| {
        with_points(&[point(&tlv(0x86, b"http://a/1"))])(params);
        params.custom_extensions.push(never());
    });
    assert_eq!(found(&both, &root, &[], &[]), "no CRL");
    let mut params = ca_params("Issuing");
    params.custom_extensions = vec![never()];
    let issuing = root.child_of(params);
    let ann = issuing.person(|params| params.custom_extensions = vec![never()]);
    assert_eq!(found(&ann, &root, &[&issuing.certificate], &[]), "no CRL");
}
