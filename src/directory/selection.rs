//! Who is wanted: the caller's selection within what the configuration covers, and what was found of it.

use std::collections::HashSet;

use crate::certificate::Sha256;
use crate::config;
use crate::error::{Code, Error, Result};
use crate::people::Person;

use super::filter;
use super::identity::Identity;
use super::name::Name;
use super::person::problem;

/// What a caller wants to read of a directory; everything the configuration covers if empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// DNs, GUIDs, user principal names or addresses; everybody if empty.
    pub identities: Vec<String>,
    /// LDAP filter (RFC 4515) people must match besides the configuration's.
    pub filter: Option<String>,
    /// DNs below which people are wanted; they narrow the configuration's.
    pub bases: Vec<String>,
    /// Most people to deliver.
    pub limit: Option<u64>,
}

/// A DN to search below, as written and understood.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// As written.
    pub(super) text: String,
    /// Understood.
    pub(super) name: Name,
}

/// A selection within a configuration, checked.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The bases, none of them below another one; none means everywhere.
    pub(super) bases: Vec<Base>,
    /// Filters, in parentheses, that must all match.
    pub(super) filters: Vec<String>,
    /// Those named.
    pub(super) identities: Vec<Identity>,
    /// Most people to deliver.
    pub(super) limit: Option<u64>,
}

impl Wanted {
    /// Checks a selection and puts it within the configuration.
    ///
    /// # Errors
    /// `option_value` for an empty identity, a base that is no DN or is outside of the configuration's bases,
    /// `config_value` for a base of the configuration that is no DN, `directory_filter`.
    pub(super) fn new(config: &config::Directory, selection: &Selection) -> Result<Self> {
        let configured = config_bases(config)?;
        let chosen = bases(&selection.bases, Code::OptionValue, "/bases")?;
        let bases = if chosen.is_empty() { configured } else { intersection(configured, chosen)? };
        let mut identities = Vec::new();
        for (index, identity) in selection.identities.iter().enumerate() {
            if identity.trim().is_empty() {
                let pointer = format!("/identities/{index}");
                return Err(Error::new(Code::OptionValue).target(pointer).with("detail", "expected an identity"));
            }
            identities.push(Identity::new(identity));
        }
        let filters = config.filter.iter().chain(&selection.filter).map(|text| filter::checked(text));
        Ok(Self {
            bases: without_nested(bases),
            filters: filters.collect::<Result<_>>()?,
            identities,
            limit: selection.limit,
        })
    }

    /// Whether an entry of this name is below one of the bases.
    pub(super) fn covers(&self, name: &Name) -> bool {
        self.bases.is_empty() || self.bases.iter().any(|base| name.is_within(&base.name))
    }
}

/// The configuration's bases; those of its domain's name (RFC 2247) where it has no other.
///
/// # Errors
/// `config_value` for a base that is no DN.
pub(super) fn config_bases(config: &config::Directory) -> Result<Vec<Base>> {
    match &config.base {
        _ if !config.bases.is_empty() => bases(&config.bases, Code::ConfigValue, "/directory/bases"),
        Some(base) => Ok(vec![base_at(base, Code::ConfigValue, "/directory/base")?]),
        None => match &config.domain {
            Some(domain) => {
                let labels = domain.split('.').filter(|label| !label.is_empty());
                let base: Vec<_> = labels.map(|label| format!("DC={label}")).collect();
                Ok(vec![base_at(&base.join(","), Code::ConfigValue, "/directory/domain")?])
            }
            None => Ok(Vec::new()),
        },
    }
}

fn bases(texts: &[String], code: Code, pointer: &str) -> Result<Vec<Base>> {
    texts.iter().enumerate().map(|(index, text)| base_at(text, code, &format!("{pointer}/{index}"))).collect()
}

fn base_at(text: &str, code: Code, pointer: &str) -> Result<Base> {
    match Name::parse(text) {
        Some(name) if name.depth() > 0 => Ok(Base { text: text.to_owned(), name }),
        _ => Err(Error::new(code).target(pointer).with("detail", "expected a distinguished name")),
    }
}

/// What the chosen bases leave of the configured ones.
fn intersection(configured: Vec<Base>, chosen: Vec<Base>) -> Result<Vec<Base>> {
    if configured.is_empty() {
        return Ok(chosen);
    }
    let mut left = Vec::new();
    for (index, wanted) in chosen.into_iter().enumerate() {
        let narrower: Vec<_> = configured.iter().filter(|base| base.name.is_within(&wanted.name)).cloned().collect();
        if configured.iter().any(|base| wanted.name.is_within(&base.name)) {
            left.push(wanted);
        } else if narrower.is_empty() {
            let pointer = format!("/bases/{index}");
            return Err(Error::new(Code::OptionValue)
                .target(pointer)
                .with("detail", "outside of the configured bases"));
        } else {
            left.extend(narrower);
        }
    }
    Ok(left)
}

fn without_nested(bases: Vec<Base>) -> Vec<Base> {
    let mut kept: Vec<Base> = Vec::new();
    for base in bases {
        if kept.iter().any(|other| base.name.is_within(&other.name)) {
            continue;
        }
        kept.retain(|other| !other.name.is_within(&base.name));
        kept.push(base);
    }
    kept
}

/// What to do with a person that was read.
#[derive(Debug)]
pub(super) enum Next {
    /// Hand it to the caller.
    Deliver(Box<Person>),
    /// Nothing: it was not wanted, or was delivered before.
    Continue,
    /// Nothing yet: it was named, and is kept until it is clear who is meant.
    Named,
    /// Stop: the limit is reached and there is more.
    Full,
}

/// What a second entry with a known identity means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeated {
    /// The same entry once more: overlapping bases, a move during the read.
    Same,
    /// Another entry: a file with two records of one DN. Both are delivered, so that matching finds them ambiguous.
    Another,
}

/// A digest of a person's identity: 16 bytes instead of the text.
pub type PersonKey = [u8; 16];

/// The digest of an identity, whatever its case.
pub fn person_key(identity: &str) -> PersonKey {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::of(identity.to_lowercase().as_bytes()).as_bytes()[..16]);
    key
}

/// Finds the wanted among the people read, in bounded memory.
pub(super) struct Finder {
    named: Vec<Named>,
    limit: Option<u64>,
    repeated: Repeated,
    seen: HashSet<PersonKey>,
    delivered: u64,
    limit_reached: bool,
}

struct Named {
    identity: Identity,
    found: Option<Person>,
    several: bool,
}

/// What is left to deliver when everything was read.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// People who were named.
    pub(super) people: Vec<Person>,
    /// An error for each identity that stands for nobody or for several.
    pub(super) unresolved: Vec<Error>,
}

impl Finder {
    /// For the wanted.
    pub(super) fn new(wanted: &Wanted, repeated: Repeated) -> Self {
        let named = wanted.identities.iter().cloned();
        Self {
            named: named.map(|identity| Named { identity, found: None, several: false }).collect(),
            limit: wanted.limit,
            repeated,
            seen: HashSet::new(),
            delivered: 0,
            limit_reached: false,
        }
    }

    /// Takes a person that is covered and matches the filters.
    pub(super) fn take(&mut self, mut person: Person, name: &Name) -> Next {
        if !self.seen.insert(person_key(&person.identity)) {
            match self.repeated {
                Repeated::Same => return Next::Continue,
                Repeated::Another => person.problems.push(problem("duplicate_entry", "", None)),
            }
        }
        if !self.named.is_empty() {
            let mut next = Next::Continue;
            for named in self.named.iter_mut().filter(|named| named.identity.names(&person, name)) {
                named.several |= named.found.is_some();
                named.found.get_or_insert_with(|| person.clone());
                next = Next::Named;
            }
            return next;
        }
        if self.limit.is_some_and(|limit| self.delivered >= limit) {
            self.limit_reached = true;
            return Next::Full;
        }
        self.delivered += 1;
        Next::Deliver(Box::new(person))
    }

    /// What was found of those named, when all was read. People named twice come once.
    pub(super) fn finish(&mut self) -> Found {
        let mut found = Found::default();
        let mut identities = HashSet::new();
        for Named { identity, found: person, several } in self.named.drain(..) {
            let failed = |code| Error::new(code).target(identity.text.clone());
            match person {
                None => found.unresolved.push(failed(Code::DirectoryNotFound)),
                Some(_) if several => found.unresolved.push(failed(Code::DirectoryAmbiguous)),
                Some(person) if !identities.insert(person.identity.clone()) => {}
                Some(_) if self.limit.is_some_and(|limit| self.delivered >= limit) => self.limit_reached = true,
                Some(person) => {
                    self.delivered += 1;
                    found.people.push(person);
                }
            }
        }
        found
    }

    /// Everybody who was covered and matched the filters.
    pub(super) fn into_seen(self) -> HashSet<PersonKey> {
        self.seen
    }

    /// People delivered, those of `finish` included.
    pub(super) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Whether there was more than the limit allows.
    pub(super) fn limit_reached(&self) -> bool {
        self.limit_reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(config_bases: &[&str], selected: &[&str]) -> Result<Vec<String>> {
        let config = config::Directory {
            bases: config_bases.iter().map(|base| (*base).to_owned()).collect(),
            ..config::Directory::default()
        };
        let selection =
            Selection { bases: selected.iter().map(|base| (*base).to_owned()).collect(), ..Selection::default() };
        Ok(Wanted::new(&config, &selection)?.bases.into_iter().map(|base| base.text).collect())
    }

    #[test]
    fn bases_narrow_and_never_widen() {
        assert_eq!(wanted(&["DC=x"], &["ou=a,dc=x"]).unwrap(), ["ou=a,dc=x"]);
        assert_eq!(wanted(&["OU=a,DC=x", "OU=b,DC=x"], &["DC=x"]).unwrap(), ["OU=a,DC=x", "OU=b,DC=x"]);
        assert_eq!(wanted(&[], &["OU=a,DC=x", "ou=c,OU=a,DC=x"]).unwrap(), ["OU=a,DC=x"]);
        assert_eq!(wanted(&["OU=c,OU=a,DC=x", "OU=a,DC=x"], &[]).unwrap(), ["OU=a,DC=x"]);
        let outside = wanted(&["OU=a,DC=x"], &["OU=b,DC=x"]).unwrap_err();
        assert_eq!((outside.code(), outside.get_target()), (Code::OptionValue, Some("/bases/0")));
        assert_eq!(wanted(&["nonsense"], &[]).unwrap_err().code(), Code::ConfigValue);
    }

    #[test]
    fn a_domain_is_a_base_where_there_is_no_other() {
        let texts = |config: &config::Directory| -> Vec<String> {
            config_bases(config).unwrap().into_iter().map(|base| base.text).collect()
        };
        let domain = config::Directory { domain: Some("corp.x.test.".into()), ..config::Directory::default() };
        assert_eq!(texts(&domain), ["DC=corp,DC=x,DC=test"]);
        assert_eq!(texts(&config::Directory { base: Some("OU=a".into()), ..domain.clone() }), ["OU=a"]);
        let error = config_bases(&config::Directory { domain: Some("a,b".into()), ..domain }).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::ConfigValue, Some("/directory/domain")));
    }

    #[test]
    fn empty_identities_are_refused() {
        let selection = Selection { identities: vec!["a@x.test".into(), " ".into()], ..Selection::default() };
        let error = Wanted::new(&config::Directory::default(), &selection).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::OptionValue, Some("/identities/1")));
    }
}
