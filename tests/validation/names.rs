//! Name constraints: every form of name, permitted and excluded, of authorities and of anchors.

use rcgen::{CertificateParams, DnType, SanType};
use smimesync::certificate::Certificate;
use smimesync::validation::Verdict;

use crate::pki::{ADDRESS, Authority, ca_params, codes, evidence, rules, verdict};
use crate::raw::{custom, directory, name, sequence, tlv};

const UPN: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x14, 2, 3];
const SMTP_UTF8_MAILBOX: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 8, 9];

fn subtrees(tag: u8, bases: &[Vec<u8>]) -> Vec<u8> {
    if bases.is_empty() {
        return Vec::new();
    }
    let each: Vec<Vec<u8>> = bases.iter().map(|base| sequence(&[base])).collect();
    tlv(tag, &each.concat())
}

fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[&subtrees(0xa0, permitted), &subtrees(0xa1, excluded)])
}

fn other(oid: &[u8], text: &str) -> Vec<u8> {
    tlv(0xa0, &[tlv(6, oid), tlv(0xa0, &tlv(12, text.as_bytes()))].concat())
}

/// The verdict on a person with these alternative names, below an authority with these constraints.
fn judged(value: Vec<u8>, names: &[Vec<u8>], change: impl FnOnce(&mut CertificateParams)) -> Verdict {
    let root = Authority::root("Root");
    let mut params = ca_params("Issuing");
    params.custom_extensions = vec![custom(30, value)];
    let issuing = root.child_of(params);
    let ann = issuing.person(|params| {
        params.subject_alt_names = vec![];
        if !names.is_empty() {
            params.custom_extensions = vec![custom(17, tlv(0x30, &names.concat()))];
        }
        change(params);
    });
    verdict(&ann, &evidence(&[&root.certificate], &[&issuing.certificate], &[]), &rules())
}

/// The first finding about a path, if any.
fn found(value: Vec<u8>, names: &[Vec<u8>]) -> Option<&'static str> {
    let verdict = judged(value, &[&[tlv(0x81, ADDRESS.as_bytes())], names].concat(), |_| {});
    let of_names = codes(&verdict).into_iter().find(|code| code.starts_with("name_") || *code == "extension_malformed");
    assert_eq!(verdict.path_valid, of_names.is_none(), "{:?}", codes(&verdict));
    of_names
}

#[test]
fn every_form_is_constrained() {
    let email = |text: &str| tlv(0x81, text.as_bytes());
    let dns = |text: &str| tlv(0x82, text.as_bytes());
    let uri = |text: &str| tlv(0x86, text.as_bytes());
    let ip = |bytes: &[u8]| tlv(0x87, bytes);
    let cases = [
        (email("contoso.com"), email("bob@contoso.com"), email("bob@fabrikam.com")),
        (email("contoso.com"), email("bob@CONTOSO.COM"), email("bob@mail.contoso.com")),
        (email("contoso.com"), other(SMTP_UTF8_MAILBOX, "bö@contoso.com"), other(SMTP_UTF8_MAILBOX, "bö@fabrikam.com")),
        (dns("contoso.com"), dns("www.contoso.com"), dns("fabrikam.com")),
        (uri("www.contoso.com"), uri("https://www.contoso.com/x"), uri("https://contoso.com/x")),
        (ip(&[10, 0, 0, 0, 255, 0, 0, 0]), ip(&[10, 1, 2, 3]), ip(&[11, 1, 2, 3])),
        (other(UPN, "contoso.com"), other(UPN, "ann@contoso.com"), other(UPN, "ann@fabrikam.com")),
        (directory(&["Contoso"]), directory(&["contoso", "x"]), directory(&["Fabrikam", "Contoso"])),
    ];
    for (base, good, bad) in cases {
        // the subject would not be below the directory name
        let subject = directory(&["Ann Lee"]);
        let (permitted, excluded) = ([base.clone(), subject, email("contoso.com")], [base]);
        assert_eq!(found(constraints(&permitted, &[]), std::slice::from_ref(&good)), None, "{}", hex::encode(&good));
        assert_eq!(found(constraints(&permitted, &[]), std::slice::from_ref(&bad)), Some("name_not_permitted"));
        if good[0] != 0x81 && !good.windows(SMTP_UTF8_MAILBOX.len()).any(|window| window == SMTP_UTF8_MAILBOX) {
            assert_eq!(found(constraints(&[], &excluded), &[good]), Some("name_excluded"));
            assert_eq!(found(constraints(&[], &excluded), &[bad]), None);
        }
    }
    let excluded = || constraints(&[], &[email("contoso.com")]);
    assert_eq!(found(excluded(), &[]), Some("name_excluded"));
}

#[test]
fn names_that_have_no_host_are_nowhere() {
    let uri = |text: &str| tlv(0x86, text.as_bytes());
    let nowhere = [uri("urn:contoso:1")];
    assert_eq!(found(constraints(&[uri("contoso.com")], &[]), &nowhere), Some("name_not_permitted"));
    assert_eq!(found(constraints(&[], &[uri("contoso.com")]), &nowhere), Some("name_excluded"));
}

#[test]
fn what_cannot_be_compared_is_left_open() {
    // a registeredID, and a constraint with a minimum
    let registered = tlv(0x88, &[0x2a, 3]);
    let only = constraints(std::slice::from_ref(&registered), &[]);
    assert_eq!(found(only.clone(), &[]), None);
    assert_eq!(found(only, &[registered]), Some("name_constraints_unchecked"));
    let bounded = sequence(&[&tlv(0x81, b"contoso.com"), &tlv(0x80, &[1])]);
    assert_eq!(found(sequence(&[&tlv(0xa0, &bounded)]), &[]), Some("name_constraints_unchecked"));
    // DER leaves a minimum of zero out, and it means nothing where it is not
    let zero = sequence(&[&tlv(0x81, b"contoso.com"), &tlv(0x80, &[0])]);
    assert_eq!(found(sequence(&[&tlv(0xa0, &zero)]), &[]), None);
}

#[test]
fn constraints_that_cannot_be_read_are_a_defect() {
    for value in [vec![0x30, 0], vec![5, 0], sequence(&[&tlv(0xa2, &[])]), sequence(&[&tlv(0xa0, &[])])] {
        assert_eq!(found(value, &[]), Some("extension_malformed"));
    }
}

#[test]
fn the_subject_is_constrained_too() {
    let elsewhere = constraints(&[directory(&["Fabrikam"])], &[]);
    assert!(codes(&judged(elsewhere, &[], |_| {})).contains(&"name_not_permitted"));
    // the address in the subject, with or without another one in subjectAltName
    let contoso = || constraints(&[tlv(0x81, b"contoso.com")], &[]);
    let with_email = |address: &'static str, names: &[Vec<u8>]| {
        let found = judged(contoso(), names, |params| {
            params.distinguished_name.push(DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]), address);
        });
        codes(&found).contains(&"name_not_permitted")
    };
    assert!(!with_email("ann@contoso.com", &[]));
    assert!(with_email("ann@fabrikam.com", &[]));
    assert!(with_email("ann@fabrikam.com", &[tlv(0x81, ADDRESS.as_bytes())]));
}

#[test]
fn an_authority_that_certifies_itself_anew_is_not_constrained_and_its_people_are() {
    let mut params = ca_params("Root");
    params.custom_extensions = vec![custom(30, constraints(&[directory(&["Ann Lee"])], &[]))];
    // an anchor's own constraints hold (RFC 5937)
    let root = Authority::root_of(params);
    let renewed = root.child("Root");
    let people = |common_name: &str| -> (Authority, Certificate) {
        let ann = renewed.person(|params| params.distinguished_name.push(DnType::CommonName, common_name));
        (Authority::root("Other"), ann)
    };
    for (common_name, expected) in [("Ann Lee", None), ("Bob", Some("name_not_permitted"))] {
        let (_, ann) = people(common_name);
        let trust = evidence(&[&root.certificate], &[&renewed.certificate], &[]);
        assert_eq!(codes(&verdict(&ann, &trust, &rules())).first().copied(), expected, "{common_name}");
    }
}

#[test]
fn ten_thousand_constraints_cost_a_bounded_number_of_comparisons() {
    let bases: Vec<Vec<u8>> = (0..10_000).map(|index| tlv(0x82, format!("h{index}.contoso.com").as_bytes())).collect();
    let names: Vec<SanType> =
        (0..100).map(|index| SanType::DnsName(format!("n{index}.fabrikam.com").try_into().unwrap())).collect();
    let found = judged(constraints(&[], &bases), &[], |params| params.subject_alt_names = names);
    assert!(codes(&found).contains(&"name_constraints_limit"), "{:?}", codes(&found));
    assert!(!found.path_valid);
    assert_eq!(name(&[]), [0x30, 0]);
}
