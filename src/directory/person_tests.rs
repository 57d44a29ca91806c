use super::*;
use crate::text::Culture;

fn entry(attributes: &[(&str, &[u8])]) -> Entry {
    let mut entry = Entry::new("CN=Ann,DC=x".into());
    for (name, value) in attributes {
        entry.add(name, [value.to_vec()]);
    }
    entry
}

fn user(attributes: &[(&str, &[u8])]) -> Person {
    let mut all = vec![("objectClass", &b"user"[..])];
    all.extend_from_slice(attributes);
    person(&entry(&all), None).unwrap()
}

fn addresses(person: &Person) -> Vec<&str> {
    person.addresses.iter().map(Address::as_str).collect()
}

fn codes(person: &Person) -> Vec<&str> {
    person.problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn classes_decide_who_is_a_person() {
    let kind = |classes: &[&str]| {
        kind(&entry(&classes.iter().map(|class| ("objectClass", class.as_bytes())).collect::<Vec<_>>()))
    };
    assert_eq!(kind(&["top", "person", "User"]), Some(PersonKind::User));
    assert_eq!(kind(&["top", "person", "inetOrgPerson"]), Some(PersonKind::User));
    assert_eq!(kind(&["top", "person", "contact"]), Some(PersonKind::Contact));
    assert_eq!(kind(&["top", "person", "user", "computer"]), None);
    assert_eq!(kind(&["top", "group"]), None);
}

#[test]
fn exports_without_classes_still_hold_people() {
    assert_eq!(kind(&entry(&[("mail", b"ann@x.test")])), Some(PersonKind::User));
    assert_eq!(kind(&entry(&[("mail", b"pc@x.test"), ("sAMAccountName", b"PC1$")])), None);
    assert_eq!(kind(&entry(&[("userCertificate", b"x")])), None);
}

#[test]
fn identity_is_a_guid_before_the_dn() {
    let octets = b"\x04\x03\x02\x01\x06\x05\x08\x07\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";
    let ad = user(&[("objectGUID", octets)]);
    assert_eq!(ad.identity, "01020304-0506-0708-090a-0b0c0d0e0f10");
    assert_eq!(ad.source_anchor.as_deref(), Some("BAMCAQYFCAcJCgsMDQ4PEA=="));
    let standard = user(&[("entryUUID", b"01020304-0506-0708-090A-0B0C0D0E0F10")]);
    assert_eq!((standard.identity.as_str(), standard.source_anchor), ("01020304-0506-0708-090a-0b0c0d0e0f10", None));
    assert_eq!(user(&[]).identity, "CN=Ann,DC=x");
}

#[test]
fn the_source_anchor_is_the_configured_attribute() {
    let all = entry(&[
        ("objectClass", b"user"),
        ("objectGUID", &[1; 16]),
        ("ms-ds-consistencyguid", &[2; 16]),
        ("employeeID", b"7"),
    ]);
    let anchor = |configured| person(&all, configured).unwrap().source_anchor;
    assert_eq!(anchor(None).unwrap(), STANDARD.encode([2; 16]));
    assert_eq!(anchor(Some("objectGUID")).unwrap(), STANDARD.encode([1; 16]));
    assert_eq!(anchor(Some("employeeID")).unwrap(), STANDARD.encode("7"));
    assert_eq!(anchor(Some("extensionAttribute1")), None);
}

#[test]
fn addresses_come_from_proxies_first() {
    let ann = user(&[
        ("mail", b"ann.lee@x.test"),
        ("proxyAddresses", b"smtp:ann.lee@X.test"),
        ("proxyAddresses", b"SMTP:ann@x.test"),
        ("proxyAddresses", b"X500:/o=x"),
        ("targetAddress", b"SMTP:ann@elsewhere.test"),
    ]);
    assert_eq!(addresses(&ann), ["ann@x.test", "ann.lee@X.test"]);
    assert_eq!(addresses(&user(&[("mail", b"a@x.test"), ("mail", b"b@x.test")])), ["a@x.test", "b@x.test"]);
    assert_eq!(
        addresses(&user(&[("proxyAddresses", b"SMTP:a@x.test"), ("mail", b"b@x.test")])),
        ["a@x.test", "b@x.test"]
    );
    assert!(addresses(&user(&[("targetAddress", b"SMTP:a@x.test")])).is_empty());
    let contact = person(&entry(&[("objectClass", b"contact"), ("targetAddress", b"SMTP:a@x.test")]), None).unwrap();
    assert_eq!(addresses(&contact), ["a@x.test"]);
}

#[test]
fn accounts_are_enabled_unless_their_bit_says_otherwise() {
    assert_eq!(user(&[("userAccountControl", b"512")]).enabled, Some(true));
    assert_eq!(user(&[("userAccountControl", b"514")]).enabled, Some(false));
    assert_eq!(user(&[]).enabled, None);
}

#[test]
fn values_of_both_attributes_are_kept_as_they_are() {
    let ann = user(&[("userSMIMECertificate", b"s"), ("userCertificate;binary", b"a"), ("USERCERTIFICATE", b"b")]);
    let found: Vec<_> = ann.values.iter().map(|value| (value.attribute, &value.bytes[..])).collect();
    assert_eq!(
        found,
        [
            (Attribute::UserCertificate, &b"a"[..]),
            (Attribute::UserCertificate, b"b"),
            (Attribute::UserSmimeCertificate, b"s")
        ]
    );
    assert!(ann.complete && ann.problems.is_empty());
}

#[test]
fn a_range_without_its_end_is_not_complete() {
    let ann = user(&[("userCertificate;range=0-0", b"a")]);
    assert!(!ann.complete);
    assert_eq!(codes(&ann), ["values_missing"]);
    assert!(user(&[("userCertificate;range=0-*", b"a")]).complete);
}

#[test]
fn problems_are_named_and_leave_the_rest_alone() {
    let ann = user(&[
        ("displayName", b"\xFF"),
        ("cn", b"Ann"),
        ("mail", b"no address"),
        ("proxyAddresses", b"smtp:neither"),
        ("userCertificate", b""),
        ("userCertificate", &[0x30; 32_769]),
    ]);
    assert_eq!(
        codes(&ann),
        ["text_unreadable", "address_unreadable", "address_unreadable", "value_empty", "value_too_large"]
    );
    assert_eq!((ann.display_name.as_deref(), ann.values.len()), (Some("Ann"), 1));
    assert_eq!(ann.problems[4].value_sha256, Some(ann.values[0].sha256));
    for problem in &ann.problems {
        assert!(!problem.message.render(Culture::English).starts_with("problem."), "{}", problem.code);
    }
}
