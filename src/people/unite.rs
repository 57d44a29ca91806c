//! People of several directories: which entries are one person, and what that person has. Pure.
//!
//! Entries of different directories are one person when they have one source anchor, one identity or one primary
//! address. Entries of one directory never are: two of them with one address are two people with one address, and
//! whoever could be either stays apart, for matching to find ambiguous.

use std::collections::{HashMap, HashSet};

use crate::certificate::Sha256;

use super::Person;

/// A digest of something that an entry is known by beyond its directory; 16 bytes, as nobody may find a second text for one.
pub type UnitingKey = [u8; 16];

fn key(kind: &str, text: &str) -> UnitingKey {
    let mut key = UnitingKey::default();
    key.copy_from_slice(&Sha256::of([kind, text].concat().as_bytes()).as_bytes()[..16]);
    key
}

/// The key of an identity.
pub fn identity_key(identity: &str) -> UnitingKey {
    key("identity ", &identity.to_lowercase())
}

/// What an entry is known by beyond its directory: its identity, its source anchor, its primary address.
pub fn uniting_keys(person: &Person) -> Vec<UnitingKey> {
    let identity = identity_unites(person).then(|| identity_key(&person.identity));
    identity.into_iter().chain(other_keys(person)).collect()
}

/// Whether an entry is known by its identity; a DN names an entry of one directory alone.
pub fn identity_unites(person: &Person) -> bool {
    person.identity != person.distinguished_name
}

/// The keys besides the identity's.
pub fn other_keys(person: &Person) -> Vec<UnitingKey> {
    let anchor = person.source_anchor.as_ref().map(|anchor| key("anchor ", anchor));
    let address = person.primary_address().map(|address| key("address ", &address.key()));
    anchor.into_iter().chain(address).collect()
}

/// Entries of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// A directory and a place within it, in the directories' order.
    pub places: Vec<(usize, usize)>,
    /// Whether nobody else could be this person. Of one who stays apart from entries of other directories, because more
    /// than one of a directory would be among them, nobody knows what they hold of this one's.
    pub is_clear: bool,
}

/// The entries of each person by the keys of each directory's entries.
pub fn groups(directories: &[Vec<Vec<UnitingKey>>]) -> Vec<Group> {
    let places: Vec<(usize, usize)> = directories
        .iter()
        .enumerate()
        .flat_map(|(directory, entries)| (0..entries.len()).map(move |place| (directory, place)))
        .collect();
    let mut roots = Roots::new(places.len());
    let mut first: HashMap<UnitingKey, usize> = HashMap::new();
    for (entry, (directory, place)) in places.iter().enumerate() {
        for key in &directories[*directory][*place] {
            match first.get(key) {
                Some(other) => roots.join(*other, entry),
                None => {
                    first.insert(*key, entry);
                }
            }
        }
    }
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for entry in 0..places.len() {
        members.entry(roots.of(entry)).or_default().push(entry);
    }
    let mut groups = Vec::with_capacity(members.len());
    for entry in 0..places.len() {
        let Some(group) = members.get(&roots.of(entry)) else { continue };
        let mut seen = HashSet::new();
        let is_one = group.iter().filter(|member| seen.insert(places[**member].0)).count() == group.len();
        if !is_one {
            groups.push(Group { places: vec![places[entry]], is_clear: seen.len() == 1 });
        } else if group.first() == Some(&entry) {
            let places = group.iter().map(|member| places[*member]).collect();
            groups.push(Group { places, is_clear: true });
        }
    }
    groups
}

/// Entries that were joined have one root.
struct Roots(Vec<usize>);

impl Roots {
    fn new(entries: usize) -> Self {
        Self((0..entries).collect())
    }

    fn of(&mut self, mut entry: usize) -> usize {
        while self.0[entry] != entry {
            self.0[entry] = self.0[self.0[entry]];
            entry = self.0[entry];
        }
        entry
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        let (root, leaf) = (one.min(other), one.max(other));
        self.0[leaf] = root;
    }
}

/// What two entries of one person say together; where only one can be right, the first.
pub fn merge(mut first: Person, second: Person) -> Person {
    let mut known: HashSet<_> = first.addresses.iter().map(super::Address::key).collect();
    first.addresses.extend(second.addresses.into_iter().filter(|address| known.insert(address.key())));
    let mut held: HashSet<_> = first.values.iter().map(|value| (value.attribute, value.sha256)).collect();
    first.values.extend(second.values.into_iter().filter(|value| held.insert((value.attribute, value.sha256))));
    if second.kind == super::PersonKind::User {
        first.kind = second.kind;
    }
    first.display_name = first.display_name.or(second.display_name);
    first.user_principal_name = first.user_principal_name.or(second.user_principal_name);
    first.source_anchor = first.source_anchor.or(second.source_anchor);
    first.enabled = match (first.enabled, second.enabled) {
        (Some(one), Some(other)) => Some(one || other),
        (one, other) => one.or(other),
    };
    // a person is gone when all directories have lost it, and known when all have told all they have
    first.deleted &= second.deleted;
    first.complete &= second.complete;
    first.problems.extend(second.problems);
    first
}

#[cfg(test)]
mod tests {
    use super::super::{Address, PersonKind, RawValue};
    use super::*;
    use crate::certificate::Attribute;

    fn person(identity: &str, anchor: Option<&str>, mail: &[&str], values: &[&[u8]]) -> Person {
        Person {
            identity: identity.into(),
            distinguished_name: format!("cn={identity}"),
            kind: PersonKind::User,
            display_name: Some(identity.into()),
            user_principal_name: None,
            addresses: mail.iter().map(|text| Address::parse(text).unwrap()).collect(),
            source_anchor: anchor.map(str::to_owned),
            enabled: None,
            deleted: false,
            parts: Vec::new(),
            values: values.iter().map(|value| RawValue::new(Attribute::UserCertificate, value.to_vec())).collect(),
            complete: true,
            problems: Vec::new(),
        }
    }

    /// A person, and the entries it was made of: the directory's number, and the identity there.
    struct United {
        person: Person,
        parts: Vec<(usize, String)>,
    }

    fn unite(directories: Vec<Vec<Person>>) -> Vec<United> {
        let keys: Vec<Vec<_>> = directories.iter().map(|people| people.iter().map(uniting_keys).collect()).collect();
        let entry = |(directory, place): (usize, usize)| directories[directory][place].clone();
        let united = |Group { places, is_clear }: Group| {
            let parts = places.iter().map(|place| (place.0, entry(*place).identity)).collect();
            let mut person = places.into_iter().map(entry).reduce(merge).unwrap();
            person.complete &= is_clear;
            United { person, parts }
        };
        groups(&keys).into_iter().map(united).collect()
    }

    fn shown(united: &[United]) -> Vec<String> {
        let parts = |united: &United| {
            united
                .parts
                .iter()
                .map(|(directory, identity)| format!("{directory}{identity}"))
                .collect::<Vec<_>>()
                .join("+")
        };
        united.iter().map(parts).collect()
    }

    #[test]
    fn values_of_all_forests_are_united_where_the_incumbent_takes_one_s() {
        let account = person("a", Some("AAA="), &["ann@x.test"], &[b"1", b"2"]);
        let mut resource = person("r", None, &["Ann@X.test", "a.lee@x.test"], &[b"2", b"3"]);
        resource.user_principal_name = Some("ann@x.test".into());
        resource.enabled = Some(false);
        let united = unite(vec![vec![account], vec![resource]]);
        assert_eq!(shown(&united), ["0a+1r"]);
        let person = &united[0].person;
        assert_eq!(person.values.iter().map(|value| value.bytes.to_vec()).collect::<Vec<_>>(), [b"1", b"2", b"3"]);
        assert_eq!(person.addresses.iter().map(Address::as_str).collect::<Vec<_>>(), ["ann@x.test", "a.lee@x.test"]);
        assert_eq!((person.identity.as_str(), person.source_anchor.as_deref()), ("a", Some("AAA=")));
        assert_eq!((person.user_principal_name.as_deref(), person.enabled), (Some("ann@x.test"), Some(false)));
    }

    #[test]
    fn anchors_and_identities_unite_people_whose_addresses_differ() {
        let anchors = vec![
            vec![person("a", Some("AAA="), &["old@x.test"], &[])],
            vec![person("b", Some("AAA="), &["new@x.test"], &[])],
        ];
        assert_eq!(shown(&unite(anchors)), ["0a+1b"]);
        let identities = vec![vec![person("SAME", None, &[], &[])], vec![person("same", None, &[], &[])]];
        assert_eq!(shown(&unite(identities)), ["0SAME+1same"]);
        let mut names = vec![vec![person("x", None, &[], &[])], vec![person("x", None, &[], &[])]];
        names.iter_mut().flatten().for_each(|person| person.distinguished_name = "x".into());
        assert_eq!(shown(&unite(names)), ["0x", "1x"], "one DN in two directories names two entries");
    }

    #[test]
    fn a_secondary_address_unites_nobody() {
        let directories = vec![
            vec![person("a", None, &["ann@x.test", "team@x.test"], &[])],
            vec![person("b", None, &["bob@x.test", "team@x.test"], &[]), person("c", None, &["team@x.test"], &[])],
        ];
        assert_eq!(shown(&unite(directories)), ["0a", "1b", "1c"]);
    }

    #[test]
    fn two_people_of_one_directory_with_one_address_stay_two() {
        let directories = vec![
            vec![person("a", None, &["ann@x.test"], &[])],
            vec![person("b", None, &["ann@x.test"], &[]), person("c", None, &["ann@x.test"], &[])],
        ];
        assert_eq!(shown(&unite(directories)), ["0a", "1b", "1c"]);
    }

    #[test]
    fn who_stays_apart_for_a_rival_may_have_what_others_hold() {
        let directories = vec![
            vec![person("a", None, &["ann@x.test"], &[])],
            vec![person("b", None, &["ann@x.test"], &[]), person("c", None, &["ann@x.test"], &[])],
        ];
        assert!(unite(directories).iter().all(|united| !united.person.complete));
        let directories =
            vec![vec![person("a", None, &["ann@x.test"], &[]), person("b", None, &["ann@x.test"], &[])], Vec::new()];
        assert!(unite(directories).iter().all(|united| united.person.complete), "what they are made of is known");
    }

    #[test]
    fn one_person_of_three_directories_is_found_through_different_keys() {
        let directories = vec![
            vec![person("a", Some("AAA="), &["ann@x.test"], &[b"1"])],
            vec![person("b", None, &["ann@x.test"], &[b"2"])],
            vec![person("z", None, &["zoe@x.test"], &[]), person("c", Some("AAA="), &["ann@y.test"], &[b"3"])],
        ];
        let united = unite(directories);
        assert_eq!(shown(&united), ["0a+1b+2c", "2z"]);
        assert_eq!(united[0].person.values.len(), 3);
    }

    #[test]
    fn what_one_directory_could_not_tell_is_not_known_of_the_person() {
        let mut second = person("b", None, &["ann@x.test"], &[]);
        second.complete = false;
        let mut third = person("c", None, &["ann@x.test"], &[]);
        third.deleted = true;
        let united = unite(vec![vec![person("a", None, &["ann@x.test"], &[])], vec![second], vec![third]]);
        assert!(!united[0].person.complete && !united[0].person.deleted);
    }
}
