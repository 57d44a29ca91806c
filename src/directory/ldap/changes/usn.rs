//! Active Directory's `uSNChanged`: every change on a domain controller raises it, logons included.

use ldap3::Scope;
use ldap3::controls::RawControl;

use crate::directory::WhyEverybody;
use crate::directory::entry::Entry;
use crate::directory::guid;
use crate::directory::name::Name;
use crate::error::Result;

use super::super::connect::Connection;
use super::super::search::{Request, Search, malformed};
use super::feed::{CONTAINERS, Feed, PEOPLE, is_deleted};

/// LDAP_SERVER_SHOW_DELETED_OID: tombstones are found, too.
const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";

/// Shows tombstones where the account may see them; without the right they are left out, and nobody says so.
pub(super) fn show_deleted() -> RawControl {
    RawControl { ctype: SHOW_DELETED.into(), crit: true, val: None }
}

/// Who changed after a number. With `containers`, moved ones matter, because not everybody below the context is wanted.
///
/// # Errors
/// Those of a search; `Err` within for changes that numbers cannot tell of.
pub(super) async fn since(
    connection: &mut Connection,
    context: &str,
    usn: u64,
    page_size: u32,
    containers: bool,
) -> Result<std::result::Result<Feed, WhyEverybody>> {
    let classes = if containers { format!("(|{PEOPLE}{CONTAINERS})") } else { PEOPLE.to_owned() };
    let mut search = Search::new(Request {
        base: context.to_owned(),
        scope: Scope::Subtree,
        filter: format!("(&(uSNChanged>={}){classes})", usn.saturating_add(1)),
        attributes: ["objectGUID", "isDeleted", "objectClass", "uSNCreated"].map(str::to_owned).into(),
        page_size,
        controls: vec![show_deleted()],
    });
    let system = Name::parse(&format!("CN=System,{context}"));
    let mut feed = Feed::default();
    while let Some(entry) = search.next(connection).await? {
        let guid = entry.plain("objectGUID").find_map(guid::from_object_guid);
        let guid = guid.ok_or_else(|| malformed(connection))?;
        if is_deleted(&entry) {
            feed.deleted.push(guid);
        } else if !is_container(&entry) {
            feed.changed.push(guid);
        } else if created(&entry).is_none_or(|created| created <= usn) && !is_within(&entry, system.as_ref()) {
            // the number does not say what changed; a new one brings people with numbers of their own
            return Ok(Err(WhyEverybody::ContainerMoved));
        }
    }
    Ok(Ok(feed))
}

/// Whether nobody's home: group policies live there as containers, and change often.
fn is_within(entry: &Entry, system: Option<&Name>) -> bool {
    let name = Name::parse(&entry.dn);
    name.is_some_and(|name| system.is_some_and(|system| name.is_within(system)))
}

fn is_container(entry: &Entry) -> bool {
    let is =
        |value: &[u8]| [&b"organizationalUnit"[..], b"container"].iter().any(|class| value.eq_ignore_ascii_case(class));
    entry.all("objectClass").any(is)
}

fn created(entry: &Entry) -> Option<u64> {
    entry.plain("uSNCreated").find_map(|value| std::str::from_utf8(value).ok()?.parse().ok())
}
