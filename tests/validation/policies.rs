//! Certificate policies: demanded by the one who asks, by authorities and by anchors.

use rcgen::{CertificateParams, CustomExtension};
use smimesync::certificate::{Certificate, PolicyId};
use smimesync::validation::{Demands, Evidence, judge_demanding};

use crate::pki::{Authority, ca_params, evidence, rules};
use crate::raw::{custom, integer, sequence, tlv};

/// 1.2.N.
fn oid(number: u8) -> Vec<u8> {
    tlv(6, &[0x2a, number])
}

pub(crate) const ANY: u8 = 0;

pub(crate) fn policies(numbers: &[u8]) -> CustomExtension {
    let oid = |number: &u8| if *number == ANY { tlv(6, &[0x55, 0x1d, 0x20, 0]) } else { oid(*number) };
    let informations: Vec<Vec<u8>> = numbers.iter().map(|number| sequence(&[&oid(number)])).collect();
    custom(32, tlv(0x30, &informations.concat()))
}

pub(crate) fn mappings(pairs: &[(u8, u8)]) -> CustomExtension {
    let pairs: Vec<Vec<u8>> = pairs.iter().map(|(from, to)| sequence(&[&oid(*from), &oid(*to)])).collect();
    custom(33, tlv(0x30, &pairs.concat()))
}

fn require_explicit(skip: u8) -> CustomExtension {
    custom(36, sequence(&[&tlv(0x80, &[skip])]))
}

fn inhibit_mapping(skip: u8) -> CustomExtension {
    custom(36, sequence(&[&tlv(0x81, &[skip])]))
}

fn asked(numbers: &[u8]) -> Demands {
    let parse = |number: &u8| PolicyId::parse(&format!("1.2.{number}")).unwrap();
    Demands { policies: numbers.iter().map(parse).collect(), explicit_policy: true, ..Demands::default() }
}

fn valid(certificate: &Certificate, evidence: &Evidence, demands: &Demands) -> bool {
    let verdict = judge_demanding(certificate, &[], None, evidence, &rules(), demands);
    let codes: Vec<&str> = verdict.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(verdict.path_valid, codes.is_empty(), "{codes:?}");
    assert!(verdict.path_valid || codes == ["policy_required"] || codes == ["policy_mapping_any"], "{codes:?}");
    verdict.path_valid
}

/// Whether a path of anchor, issuing authority and person with these extensions is valid.
fn path(
    anchor: Vec<CustomExtension>,
    issuing: Vec<CustomExtension>,
    person: Vec<CustomExtension>,
    demands: &Demands,
) -> bool {
    let with = |mut params: CertificateParams, extensions: Vec<CustomExtension>| {
        params.custom_extensions = extensions;
        params
    };
    let root = Authority::root_of(with(ca_params("Root"), anchor));
    let authority = root.child_of(with(ca_params("Issuing"), issuing));
    let ann = authority.person(|params| params.custom_extensions = person);
    valid(&ann, &evidence(&[&root.certificate], &[&authority.certificate], &[]), demands)
}

#[test]
fn what_is_asked_for_has_to_hold_along_the_path() {
    let both = |issuing: &[u8], person: &[u8], demands: &Demands| {
        path(vec![], vec![policies(issuing)], vec![policies(person)], demands)
    };
    assert!(both(&[1], &[1], &asked(&[1])));
    assert!(!both(&[1], &[1], &asked(&[2])));
    assert!(!both(&[1], &[2], &asked(&[1, 2])));
    assert!(both(&[ANY], &[2], &asked(&[1, 2])));
    assert!(both(&[1], &[ANY], &asked(&[1])));
    assert!(!both(&[1], &[ANY], &Demands { inhibit_any: true, ..asked(&[1]) }));
    assert!(both(&[1], &[2], &Demands::default()));
    assert!(!path(vec![], vec![], vec![policies(&[1])], &asked(&[])));
    assert!(!path(vec![], vec![policies(&[1])], vec![], &asked(&[])));
}

#[test]
fn authorities_demand_too() {
    assert!(!path(vec![], vec![require_explicit(0)], vec![], &Demands::default()));
    assert!(path(vec![], vec![require_explicit(2)], vec![], &Demands::default()));
    assert!(path(vec![], vec![policies(&[1]), require_explicit(0)], vec![policies(&[1])], &Demands::default()));
    // the person's own demand counts at once or not at all
    assert!(!path(vec![], vec![], vec![require_explicit(0)], &Demands::default()));
    assert!(path(vec![], vec![], vec![require_explicit(1)], &Demands::default()));
}

#[test]
fn anchors_demand_and_restrict() {
    let below = |anchor: Vec<CustomExtension>| path(anchor, vec![policies(&[1])], vec![policies(&[1])], &asked(&[]));
    assert!(below(vec![]));
    assert!(below(vec![policies(&[1])]));
    assert!(!below(vec![policies(&[2])]));
    assert!(!path(vec![require_explicit(0)], vec![], vec![], &Demands::default()));
}

#[test]
fn mappings_rename() {
    let mapped = |pairs: &[(u8, u8)], person: u8, demands: &Demands| {
        path(vec![], vec![policies(&[1]), mappings(pairs)], vec![policies(&[person])], demands)
    };
    assert!(mapped(&[(1, 2)], 2, &asked(&[1])));
    assert!(!mapped(&[(1, 2)], 1, &asked(&[1])));
    assert!(!mapped(&[(1, 2)], 2, &asked(&[2])));
    assert!(!mapped(&[(3, 2)], 2, &asked(&[])));
    assert!(!mapped(&[(1, 2)], 2, &Demands { inhibit_mapping: true, ..asked(&[1]) }));
    let inhibited =
        path(vec![inhibit_mapping(0)], vec![policies(&[1]), mappings(&[(1, 2)])], vec![policies(&[2])], &asked(&[1]));
    assert!(!inhibited);
    let to_any = custom(33, sequence(&[&sequence(&[&oid(1), &tlv(6, &[0x55, 0x1d, 0x20, 0])])]));
    assert!(!path(vec![], vec![policies(&[1]), to_any], vec![policies(&[1])], &Demands::default()));
}

#[test]
fn inhibiting_any_policy_counts_certificates() {
    let with_skip = |skip: u64| {
        path(vec![], vec![policies(&[ANY]), custom(54, integer(skip))], vec![policies(&[ANY])], &asked(&[]))
    };
    assert!(with_skip(1));
    assert!(!with_skip(0));
}

#[test]
fn policies_that_explode_do_not() {
    // each level maps every policy to every other one: a tree would have 40 to the tenth leaves
    let numbers: Vec<u8> = (1..=40).collect();
    let pairs: Vec<(u8, u8)> = numbers.iter().flat_map(|from| numbers.iter().map(move |to| (*from, *to))).collect();
    let bomb = |name: &str| {
        let mut params = ca_params(name);
        params.custom_extensions = vec![policies(&numbers), mappings(&pairs)];
        params
    };
    let root = Authority::root("Root");
    let mut authorities = vec![root.child_of(bomb("CA 0"))];
    for index in 1..10 {
        let next = authorities[index - 1].child_of(bomb(&format!("CA {index}")));
        authorities.push(next);
    }
    let ann = authorities[9].person(|params| params.custom_extensions = vec![policies(&[7])]);
    let pool: Vec<&Certificate> = authorities.iter().map(|authority| &authority.certificate).collect();
    let trust = evidence(&[&root.certificate], &pool, &[]);
    let start = std::time::Instant::now();
    assert!(valid(&ann, &trust, &asked(&[3])));
    assert!(!valid(&ann, &trust, &asked(&[41])));
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}
