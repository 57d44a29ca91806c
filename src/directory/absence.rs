//! Whether people who show no value of an attribute have none.

use std::collections::HashSet;

use crate::certificate::Attribute;
use crate::config::{self, DirectoryKind};
use crate::error::Result;

use super::ldap;

/// Those of these people, by identity, who certainly have no value of an attribute. Of the others the account may not be
/// able to read it. A file says all there is.
///
/// Of several directories each is asked for those it knows. A person is known by one entry, so nothing is said about that
/// person's entries in the others.
///
/// # Errors
/// `config_missing`; those of connecting and searching.
pub async fn confirmed_without(
    config: &config::Config,
    attribute: Attribute,
    identities: &[String],
) -> Result<HashSet<String>> {
    let mut without = HashSet::new();
    for directory in config.all_directories()? {
        match directory.kind {
            DirectoryKind::Ldif => return Ok(identities.iter().cloned().collect()),
            DirectoryKind::Ldap => {
                let base_dir = config.base_dir.as_deref();
                without.extend(ldap::without(directory, base_dir, attribute.name(), identities.to_vec()).await?);
            }
        }
    }
    Ok(without)
}
