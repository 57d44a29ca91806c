//! Containers that are moved take people in or out of the bases, and no change of these people shows it.

use std::collections::BTreeMap;

use ldap3::Scope;

use crate::directory::name::Name;
use crate::directory::person;
use crate::directory::selection::Wanted;
use crate::error::Result;

use super::super::connect::Connection;
use super::super::failure;
use super::super::search::{Request, Search};
use super::is_part_of;
use super::server::Server;

/// What entries are kept below (RFC 4519 3, RFC 4524 3).
const CLASSES: [&str; 7] =
    ["organizationalUnit", "organization", "container", "locality", "country", "domain", "dcObject"];

/// The containers of the naming context by identity, and whether each is within the bases; none where everybody below the
/// context is wanted, so that no move matters. An account sees those that it may list.
///
/// # Errors
/// Those of the connection.
pub(super) async fn list(
    connection: &mut Connection,
    whole: &Wanted,
    server: &Server,
    page_size: u32,
) -> Result<BTreeMap<String, bool>> {
    let mut found = BTreeMap::new();
    let Some(context) = server.context.as_ref().filter(|context| is_part_of(whole, context)) else { return Ok(found) };
    let classes: String = CLASSES.iter().map(|class| format!("(objectClass={class})")).collect();
    let mut search = Search::new(Request {
        base: context.clone(),
        scope: Scope::Subtree,
        filter: format!("(|{classes})"),
        attributes: vec!["entryUUID".into()],
        page_size,
        controls: Vec::new(),
    });
    loop {
        match search.next(connection).await {
            Ok(Some(entry)) => {
                let inside = Name::parse(&entry.dn).is_some_and(|name| whole.covers(&name));
                found.insert(person::identity(&entry), inside);
            }
            Ok(None) => return Ok(found),
            // whoever may not list them is told of no move, as before
            Err(_) if search.result != failure::SUCCESS => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        }
    }
}

/// Whether people may have come into the bases or left them with a container. What is new brings people that are new.
pub(super) fn moved(before: &BTreeMap<String, bool>, now: &BTreeMap<String, bool>) -> bool {
    before.iter().any(|(identity, inside)| match now.get(identity) {
        Some(now) => now != inside,
        // out of sight, or deleted when it was empty
        None => *inside,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_changes_sides_has_moved() {
        let list = |list: &[(&str, bool)]| list.iter().map(|(name, inside)| ((*name).to_owned(), *inside)).collect();
        let before = list(&[("a", true), ("b", false)]);
        assert!(!moved(&before, &before));
        assert!(!moved(&before, &list(&[("a", true), ("b", false), ("c", true)])), "a new one");
        assert!(!moved(&before, &list(&[("a", true)])), "one elsewhere was deleted");
        assert!(moved(&before, &list(&[("a", true), ("b", true)])));
        assert!(moved(&before, &list(&[("a", false), ("b", false)])));
        assert!(moved(&before, &list(&[("b", false)])));
    }
}
