//! Who changed, by identity, before anybody is read.

use crate::directory::entry::Entry;

/// Everything that can be a person. Tombstones keep their classes.
pub(super) const PEOPLE: &str = "(|(objectClass=user)(objectClass=inetOrgPerson)(objectClass=contact))";
/// What people are moved with.
pub(super) const CONTAINERS: &str = "(|(objectClass=organizationalUnit)(objectClass=container))";

/// Who changed. Computers and what else shares a class with people are among them.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// Identities of entries that changed or are new.
    pub(super) changed: Vec<String>,
    /// Identities of entries that were deleted.
    pub(super) deleted: Vec<String>,
}

/// Whether an entry is a tombstone.
pub(super) fn is_deleted(entry: &Entry) -> bool {
    entry.plain("isDeleted").any(|value| value.eq_ignore_ascii_case(b"TRUE"))
}
