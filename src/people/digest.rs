//! Whether anything of a person is other than it was.

use crate::certificate::Sha256;

use super::Person;

/// A digest of everything a person is made of, by which one who did not change is told.
pub type PersonDigest = [u8; 16];

/// A digest of everything a person is made of. Values count by their SHA-256, in the directory's order.
pub fn digest(person: &Person) -> PersonDigest {
    let mut text = Vec::with_capacity(512);
    let mut add = |part: &[u8]| {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    };
    let or_none =
        |part: &Option<String>| part.as_ref().map_or_else(|| vec![0], |part| [b"1", part.as_bytes()].concat());
    add(person.identity.as_bytes());
    add(person.distinguished_name.as_bytes());
    add(person.kind.name().as_bytes());
    for part in [&person.display_name, &person.user_principal_name, &person.source_anchor] {
        add(&or_none(part));
    }
    add(&[person.enabled.map_or(2, u8::from), u8::from(person.deleted), u8::from(person.complete)]);
    add(&(person.addresses.len() as u64).to_be_bytes());
    for address in &person.addresses {
        add(address.as_str().as_bytes());
    }
    for value in &person.values {
        add(value.attribute.name().as_bytes());
        add(value.sha256.as_bytes());
    }
    for problem in &person.problems {
        add(problem.code.as_bytes());
    }
    let mut out = PersonDigest::default();
    let whole = Sha256::of(&text);
    out.copy_from_slice(&whole.as_bytes()[..16]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Attribute;
    use crate::people::{Address, PersonKind, RawValue};

    #[test]
    fn every_part_counts() {
        let ann = Person {
            identity: "1".into(),
            distinguished_name: "CN=Ann,DC=x".into(),
            kind: PersonKind::User,
            display_name: Some("Ann".into()),
            user_principal_name: None,
            addresses: vec![Address::parse("ann@x.test").unwrap()],
            source_anchor: None,
            enabled: Some(true),
            deleted: false,
            parts: Vec::new(),
            values: vec![RawValue::new(Attribute::UserCertificate, *b"0a")],
            complete: true,
            problems: Vec::new(),
        };
        let others = [
            Person { identity: "2".into(), ..ann.clone() },
            Person { distinguished_name: "CN=Ann,OU=a,DC=x".into(), ..ann.clone() },
            Person { kind: PersonKind::Contact, ..ann.clone() },
            Person { display_name: None, ..ann.clone() },
            Person { display_name: None, user_principal_name: Some("Ann".into()), ..ann.clone() },
            Person { addresses: Vec::new(), ..ann.clone() },
            Person { source_anchor: Some(String::new()), ..ann.clone() },
            Person { enabled: None, ..ann.clone() },
            Person { enabled: Some(false), ..ann.clone() },
            Person { deleted: true, ..ann.clone() },
            Person { values: Vec::new(), ..ann.clone() },
            Person { values: vec![RawValue::new(Attribute::UserSmimeCertificate, *b"0a")], ..ann.clone() },
            Person { complete: false, ..ann.clone() },
        ];
        assert_eq!(digest(&ann), digest(&ann.clone()));
        for other in &others {
            assert_ne!(digest(&ann), digest(other), "{other:?}");
        }
    }
}
