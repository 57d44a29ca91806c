//! Whether people who show no value of an attribute have none.

use std::collections::HashSet;

use crate::certificate::Attribute;
use crate::config::{self, DirectoryKind};
use crate::error::Result;
use crate::people::Person;

use super::ldap;

/// Those of these people, by identity, who certainly have no value of an attribute. Of the others the account may not be
/// able to read it. A file says all there is.
///
/// Somebody in several directories has none where each of them says so of its entry.
///
/// # Errors
/// `config_missing`; those of connecting and searching.
pub async fn confirmed_without(
    config: &config::Config,
    attribute: Attribute,
    people: &[&Person],
) -> Result<HashSet<String>> {
    let directories = config.all_directories()?;
    let mut asked: Vec<Vec<String>> = vec![Vec::new(); directories.len()];
    for (directory, identity) in people.iter().flat_map(|person| entries(person)) {
        if let Some(asked) = asked.get_mut(directory) {
            asked.push(identity.to_owned());
        }
    }
    let mut without = Vec::with_capacity(asked.len());
    for (directory, identities) in directories.iter().zip(asked) {
        without.push(match directory.kind {
            _ if identities.is_empty() => HashSet::new(),
            DirectoryKind::Ldif => identities.into_iter().collect(),
            DirectoryKind::Ldap => {
                ldap::without(directory, config.base_dir.as_deref(), attribute.name(), identities).await?
            }
        });
    }
    let has_none =
        |(directory, identity): (usize, &str)| without.get(directory).is_some_and(|it| it.contains(identity));
    let is_confirmed = |person: &&&Person| entries(person).all(has_none);
    // two may have one identity, and then what holds of one is not said of the other
    let doubtful: HashSet<&str> =
        people.iter().filter(|it| !is_confirmed(it)).map(|person| person.identity.as_str()).collect();
    let identities = people.iter().map(|person| person.identity.as_str());
    Ok(identities.filter(|identity| !doubtful.contains(identity)).map(str::to_owned).collect())
}

/// The entries of a person: the directory's number, and the identity there.
fn entries(person: &Person) -> impl Iterator<Item = (usize, &str)> {
    let only = person.parts.is_empty().then_some((0, person.identity.as_str()));
    only.into_iter().chain(person.parts.iter().map(|(directory, identity)| (*directory, identity.as_str())))
}
