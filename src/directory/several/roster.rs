//! What is remembered of a directory's entries from one read to the next: who was there, what each was made of, and what
//! unites it with entries of other directories.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::people::{Person, PersonDigest, UnitingKey, digest, identity_key, identity_unites, other_keys};

/// An entry as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The identity of its person.
    pub identity: String,
    /// Of everything it was made of.
    pub digest: PersonDigest,
    /// Whether its identity unites it with others.
    pub identity_unites: bool,
    /// What else does.
    pub others: Vec<UnitingKey>,
}

impl Known {
    /// What is remembered of an entry.
    pub fn of(person: &Person) -> Self {
        let (identity_unites, others) = (identity_unites(person), other_keys(person));
        Self { identity: person.identity.clone(), digest: digest(person), identity_unites, others }
    }

    /// What unites it with others.
    pub fn keys(&self) -> impl Iterator<Item = UnitingKey> {
        let identity = self.identity_unites.then(|| identity_key(&self.identity));
        identity.into_iter().chain(self.others.iter().copied())
    }
}

/// The entries of one directory, by identity. Two may have one identity: a file may hold one entry twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster(Vec<Known>);

impl FromIterator<Known> for Roster {
    fn from_iter<T: IntoIterator<Item = Known>>(entries: T) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by(|one, other| one.identity.cmp(&other.identity));
        Self(entries)
    }
}

impl Roster {
    /// All entries.
    pub fn entries(&self) -> &[Known] {
        &self.0
    }

    /// The entries of an identity.
    pub fn of(&self, identity: &str) -> &[Known] {
        let start = self.0.partition_point(|entry| entry.identity.as_str() < identity);
        let rest = self.0.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|entry| entry.identity == identity)).unwrap_or_default()
    }

    /// Identities that more than one entry has.
    pub fn repeated(&self) -> impl Iterator<Item = &str> {
        self.0.windows(2).filter_map(|pair| match pair {
            [one, other] if one.identity == other.identity => Some(one.identity.as_str()),
            _ => None,
        })
    }
}

/// A GUID stands for the identity.
const GUID: u8 = 1;
/// The identity unites, too.
const IDENTITY_UNITES: u8 = 2;
/// Other keys, as a number from this bit on.
const KEYS: u8 = 4;
const MAX_KEYS: usize = 2;

/// Of most entries 16 bytes of identity, 16 of digest, and 16 for each other key.
fn packed(entries: &[Known]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() * 65);
    for entry in entries {
        let mut text = Uuid::encode_buffer();
        let guid = Uuid::try_parse(&entry.identity).ok();
        let guid = guid.filter(|guid| *guid.hyphenated().encode_lower(&mut text) == *entry.identity);
        // an anchor and an address
        let others = entry.others.get(..MAX_KEYS).unwrap_or(&entry.others);
        let unites = u8::from(entry.identity_unites) * IDENTITY_UNITES;
        out.push(u8::from(guid.is_some()) * GUID + unites + others.len() as u8 * KEYS);
        match guid {
            Some(guid) => out.extend(guid.as_bytes()),
            None => {
                out.extend((entry.identity.len() as u64).to_be_bytes());
                out.extend(entry.identity.as_bytes());
            }
        }
        out.extend(entry.digest);
        others.iter().for_each(|key| out.extend(key.as_slice()));
    }
    out
}

fn unpacked(mut bytes: &[u8]) -> Option<Roster> {
    let mut entries = Vec::with_capacity(bytes.len() / 65);
    while let Some((flags, rest)) = bytes.split_first() {
        bytes = rest;
        let identity = if flags & GUID == 0 {
            let length = u64::from_be_bytes(taken::<8>(&mut bytes)?);
            let (text, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
            bytes = rest;
            String::from_utf8(text.to_vec()).ok()?
        } else {
            Uuid::from_bytes(taken::<16>(&mut bytes)?).to_string()
        };
        let digest = taken::<16>(&mut bytes)?;
        let mut others = Vec::with_capacity(usize::from(flags / KEYS));
        for _ in 0..flags / KEYS {
            others.push(taken::<16>(&mut bytes)?);
        }
        entries.push(Known { identity, digest, identity_unites: flags & IDENTITY_UNITES != 0, others });
    }
    Some(entries.into_iter().collect())
}

fn taken<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

impl Serialize for Roster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(packed(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Roster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let entries = BASE64_STANDARD.decode(text).ok().and_then(|bytes| unpacked(&bytes));
        entries.ok_or_else(|| de::Error::custom("a list of entries"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(identity: &str, identity_unites: bool, others: &[u8]) -> Known {
        let others = others.iter().map(|other| [*other; 16]).collect();
        Known { identity: identity.into(), digest: [9; 16], identity_unites, others }
    }

    #[test]
    fn entries_survive_the_store() {
        let guid = "01020304-0506-0708-090a-0b0c0d0e0f10";
        let roster: Roster = [
            known(guid, true, &[1, 2]),
            known("CN=Jürgen,DC=x", false, &[3]),
            known("CN=Jürgen,DC=x", false, &[]),
            known(&guid.to_uppercase(), true, &[]),
        ]
        .into_iter()
        .collect();
        assert_eq!(unpacked(&packed(&roster.0)), Some(roster.clone()));
        let text = serde_json::to_string(&roster).unwrap();
        assert_eq!(serde_json::from_str::<Roster>(&text).unwrap(), roster);
        assert_eq!(roster.of("CN=Jürgen,DC=x").len(), 2);
        assert_eq!(roster.repeated().collect::<Vec<_>>(), ["CN=Jürgen,DC=x"]);
        assert!(roster.of("nobody").is_empty());
        let bytes = packed(&roster.0);
        assert!((1..bytes.len()).any(|end| unpacked(&bytes[..end]).is_none()));
        assert_eq!(packed(&[known(guid, true, &[1, 2])]).len(), 65);
    }
}
