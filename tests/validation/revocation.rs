//! CRLs: which can be used, and what they say.

use rcgen::{
    CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope, KeyUsagePurpose, RevocationReason, date_time_ymd,
};
use smimesync::certificate::{Certificate, Crl};
use smimesync::validation::{Fitness, RevocationCheck, Rules, Verdict, reason};

use crate::pki::{Authority, ca_params, codes, evidence, rules, verdict};

const ANN: u64 = 4711;

fn offline() -> Rules {
    Rules { revocation: RevocationCheck::Offline, ..rules() }
}

fn judged(root: &Authority, ann: &Certificate, crls: &[Crl]) -> Verdict {
    verdict(ann, &evidence(&[&root.certificate], &[], crls), &offline())
}

fn cause(verdict: &Verdict) -> String {
    assert_eq!(codes(verdict), ["revocation_unknown"]);
    assert_eq!((verdict.path_valid, verdict.fitness()), (true, Fitness::Undetermined));
    verdict.findings[0].observed.clone().unwrap()
}

#[test]
fn good_revoked_and_unknown() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    assert_eq!(judged(&root, &ann, &[root.crl(&[1, 2], |_| {})]).fitness(), Fitness::Fit);
    let revoked = judged(&root, &ann, &[root.crl(&[1, ANN], |_| {})]);
    assert_eq!((codes(&revoked), reason(&revoked), revoked.path_valid), (vec!["revoked"], Some("revoked"), false));
    assert_eq!(revoked.findings[0].observed.as_deref(), Some("unspecified 2026-04-01T00:00:00Z"));
    assert_eq!(cause(&judged(&root, &ann, &[])), "no CRL");
}

#[test]
fn a_hold_is_a_revocation_until_a_newer_list_ends_it() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let hold = root.crl(&[ANN], |params| {
        params.revoked_certs[0].reason_code = Some(RevocationReason::CertificateHold);
        params.this_update = date_time_ymd(2026, 5, 1);
    });
    assert_eq!(codes(&judged(&root, &ann, std::slice::from_ref(&hold))), ["revoked"]);
    let newer = root.crl(&[], |params| params.this_update = date_time_ymd(2026, 5, 20));
    assert_eq!(judged(&root, &ann, &[hold.clone(), newer.clone()]).fitness(), Fitness::Fit);
    assert_eq!(judged(&root, &ann, &[newer, hold]).fitness(), Fitness::Fit);
}

#[test]
fn a_list_holds_for_its_time_only() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let stale = root.crl(&[ANN], |params| params.next_update = date_time_ymd(2026, 5, 31));
    assert_eq!(cause(&judged(&root, &ann, &[stale])), "nextUpdate 2026-05-31T00:00:00Z");
    let early = root.crl(&[ANN], |params| params.this_update = date_time_ymd(2026, 6, 2));
    assert_eq!(cause(&judged(&root, &ann, &[early])), "thisUpdate 2026-06-02T00:00:00Z");
}

#[test]
fn a_foreign_list_says_nothing() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let stranger = Authority::root("Stranger");
    assert_eq!(cause(&judged(&root, &ann, &[stranger.crl(&[ANN], |_| {})])), "no CRL");
    let impostor = Authority::root("Root");
    assert_eq!(cause(&judged(&root, &ann, &[impostor.crl(&[ANN], |_| {})])), "signed by another key");
    // beside a foreign one the right one counts
    let both = [impostor.crl(&[ANN], |_| {}), root.crl(&[], |_| {})];
    assert_eq!(judged(&root, &ann, &both).fitness(), Fitness::Fit);
}

#[test]
fn the_issuer_must_be_allowed_to_sign_lists() {
    let issuer = |usages: Vec<KeyUsagePurpose>| {
        let mut params = ca_params("Root");
        params.key_usages = usages;
        Authority::root_of(params)
    };
    let mut root = issuer(vec![KeyUsagePurpose::KeyCertSign]);
    let ann = root.person(|_| {});
    // rcgen refuses to sign a list for an authority without cRLSign, so it is told otherwise
    root.params.key_usages = vec![];
    let list = root.crl(&[], |_| {});
    assert_eq!(cause(&judged(&root, &ann, &[list])), "no cRLSign");
}

#[test]
fn partial_lists_count_for_what_they_are_about() {
    let root = Authority::root("Root");
    let uri = || vec!["http://contoso.com/a.crl".to_owned()];
    let ann = root.person(|params| params.crl_distribution_points = vec![CrlDistributionPoint { uris: uri() }]);
    let list = |uris: Vec<String>, scope: Option<CrlScope>| {
        root.crl(&[ANN], |params| {
            let distribution_point = CrlDistributionPoint { uris };
            params.issuing_distribution_point = Some(CrlIssuingDistributionPoint { distribution_point, scope });
        })
    };
    assert_eq!(codes(&judged(&root, &ann, &[list(uri(), Some(CrlScope::UserCertsOnly))])), ["revoked"]);
    assert_eq!(codes(&judged(&root, &ann, &[list(uri(), None)])), ["revoked"]);
    assert_eq!(cause(&judged(&root, &ann, &[list(uri(), Some(CrlScope::CaCertsOnly))])), "onlyContainsCACerts");
    let elsewhere = vec!["http://contoso.com/b.crl".to_owned()];
    assert_eq!(cause(&judged(&root, &ann, &[list(elsewhere, None)])), "distributionPoint");
}

#[test]
fn authorities_are_looked_up_and_the_anchor_is_not() {
    let root = Authority::root("Root");
    let mut params = ca_params("Issuing");
    params.serial_number = Some(99u64.into());
    let issuing = root.child_of(params);
    let ann = issuing.person(|_| {});
    let found = |crls: &[Crl]| {
        let found = verdict(&ann, &evidence(&[&root.certificate], &[&issuing.certificate], crls), &offline());
        let indexes: Vec<_> = found.findings.iter().map(|finding| finding.certificate_index).collect();
        (codes(&found), indexes, reason(&found))
    };
    let good = issuing.crl(&[], |_| {});
    assert_eq!(found(&[good.clone(), root.crl(&[], |_| {})]), (vec![], vec![], None));
    assert_eq!(
        found(&[good.clone(), root.crl(&[99], |_| {})]),
        (vec!["issuer_revoked"], vec![Some(1)], Some("revoked"))
    );
    assert_eq!(found(&[good]), (vec!["revocation_unknown"], vec![Some(1)], Some("undetermined")));
}

#[test]
fn no_changed_bit_of_a_list_is_accepted() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let der = root.crl_der(&[1], |_| {});
    assert_eq!(judged(&root, &ann, &[Crl::parse(&der).unwrap()]).fitness(), Fitness::Fit);
    for bit in 0..der.len() * 8 {
        let mut changed = der.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = Crl::parse(&changed) {
            assert_eq!(judged(&root, &ann, &[changed]).fitness(), Fitness::Undetermined, "bit {bit}");
        }
    }
}

#[test]
fn revocation_can_be_left_out() {
    let root = Authority::root("Root");
    let ann = root.person(|_| {});
    let found = verdict(&ann, &evidence(&[&root.certificate], &[], &[root.crl(&[ANN], |_| {})]), &rules());
    assert_eq!(found.fitness(), Fitness::Fit);
}
