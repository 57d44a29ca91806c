//! Who belongs to a group, nested groups included.

use std::collections::HashSet;

use crate::directory::entry::Entry;
use crate::directory::filter::escape;
use crate::directory::name::Name;
use crate::error::{Code, Error, Result};

use super::connect::Connection;
use super::search::one;

/// LDAP_MATCHING_RULE_IN_CHAIN ([MS-ADTS] 3.1.1.3.4.4.3): membership through any number of groups.
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";
/// Where standard servers keep a group's members (RFC 4519 2.17, 2.40).
const MEMBERS: [&str; 2] = ["member", "uniqueMember"];
/// Groups within groups; more than any real tree has, and an end for one that has none.
const MAX_GROUPS: usize = 10_000;

/// How the members of a group are told from others.
#[derive(Debug)]
pub(super) enum Membership {
    /// By a filter of the server's.
    Filter(String),
    /// By their names.
    Names(HashSet<String>),
}

impl Membership {
    /// Looks at a group.
    ///
    /// # Errors
    /// `config_value` with the group as target where it is not to be seen, for a group that is missed would have lost
    /// all its members; those of a search.
    pub(super) async fn of(connection: &mut Connection, group: &str, active_directory: bool) -> Result<Self> {
        if active_directory { by_filter(connection, group).await } else { by_names(connection, group).await }
    }

    /// The filter that members match, where the server has one.
    pub(super) fn filter(&self) -> Option<&str> {
        match self {
            Self::Filter(filter) => Some(filter),
            Self::Names(_) => None,
        }
    }

    /// Whether an entry of this name is a member; a filter has already chosen.
    pub(super) fn covers(&self, name: &Name) -> bool {
        match self {
            Self::Filter(_) => true,
            Self::Names(names) => names.contains(&name.normal_form()),
        }
    }
}

async fn by_filter(connection: &mut Connection, group: &str) -> Result<Membership> {
    let attributes = ["objectClass", "primaryGroupToken"];
    let entry = one(connection, group, &attributes).await?.filter(is_group).ok_or_else(|| missing(group))?;
    let group = escape(&entry.dn);
    // who has it as primary group is no `member` of it
    let primary =
        entry.plain("primaryGroupToken").find_map(|token| std::str::from_utf8(token).ok()?.parse::<u32>().ok());
    let primary = primary.map(|token| format!("(primaryGroupID={token})")).unwrap_or_default();
    Ok(Membership::Filter(format!("(|(memberOf:{IN_CHAIN}:={group}){primary})")))
}

async fn by_names(connection: &mut Connection, group: &str) -> Result<Membership> {
    let attributes: Vec<&str> = std::iter::once("objectClass").chain(MEMBERS).collect();
    let top = one(connection, group, &attributes).await?.filter(is_group).ok_or_else(|| missing(group))?;
    let (mut names, mut groups, mut left) = (HashSet::new(), 0, vec![top]);
    while let Some(group) = left.pop() {
        groups += 1;
        if groups > MAX_GROUPS {
            let detail = format!("more than {MAX_GROUPS} groups within groups");
            return Err(Error::new(Code::DirectoryIncomplete).with("detail", detail).target(group.dn));
        }
        if let Some((attribute, _)) = group.incomplete().find(|(name, _)| is_member_attribute(name)) {
            let detail = format!("the server keeps values of {attribute} back");
            return Err(Error::new(Code::DirectoryIncomplete).with("detail", detail).target(group.dn.clone()));
        }
        for (dn, name) in members(&group) {
            // a group that was seen, also one that holds itself, has had its turn
            if names.insert(name.normal_form())
                && let Some(entry) = one(connection, &dn, &attributes).await?.filter(is_group)
            {
                left.push(entry);
            }
        }
    }
    Ok(Membership::Names(names))
}

fn is_member_attribute(name: &str) -> bool {
    MEMBERS.iter().any(|attribute| name.eq_ignore_ascii_case(attribute))
}

/// Whether an entry has members by its class; servers have many classes of groups, and all are named so.
fn is_group(entry: &Entry) -> bool {
    let is = |class: &[u8]| class.to_ascii_lowercase().starts_with(b"group");
    entry.all("objectClass").any(is) || MEMBERS.iter().any(|attribute| entry.has(attribute))
}

/// The names of a group's members. What is no name is nobody.
fn members(group: &Entry) -> Vec<(String, Name)> {
    let values = MEMBERS.iter().flat_map(|attribute| group.all(attribute));
    let texts = values.filter_map(|value| std::str::from_utf8(value).ok());
    texts.filter_map(|text| Some((without_uid(text).to_owned(), Name::parse(without_uid(text))?))).collect()
}

/// `uniqueMember` may end in a bit string that tells namesakes apart (RFC 4517 3.3.21): `cn=a,dc=x#'0101'B`.
fn without_uid(text: &str) -> &str {
    match text.rsplit_once('#') {
        Some((name, uid)) if uid.starts_with('\'') && uid.ends_with("'B") => name,
        _ => text,
    }
}

fn missing(group: &str) -> Error {
    let detail = "the group does not exist, or the account may not see it";
    Error::new(Code::ConfigValue).target(group).with("detail", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_names_with_or_without_a_bit_string() {
        let mut group = Entry::new("cn=g,dc=x".into());
        assert!(group.add("objectClass", [b"groupOfUniqueNames".to_vec()]));
        assert!(group.add("uniqueMember", [b"cn=a,dc=x#'0101'B".to_vec(), b"CN=b#c, DC=x".to_vec(), vec![0xFF]]));
        let names: Vec<_> = members(&group).into_iter().map(|(dn, _)| dn).collect();
        assert_eq!(names, ["cn=a,dc=x", "CN=b#c, DC=x"]);
        assert!(is_group(&group) && !is_group(&Entry::new("cn=a".into())));
    }
}
