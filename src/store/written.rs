//! Which values SmimeSync wrote. All others are foreign.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};

use crate::certificate::{Attribute, Sha256};
use crate::error::Result;
use crate::planning::{Change, Ours};

use super::{Store, not_understood};

impl Store {
    /// The values of a recipient that SmimeSync wrote.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn ours(&self, recipient: &str) -> Result<Ours> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT attribute, sha256 FROM written WHERE recipient = ?")?;
        let rows =
            statement.query_map([recipient], |row| Ok((row.get::<_, String>(0)?, row.get::<_, [u8; 32]>(1)?)))?;
        rows.map(|row| {
            let (attribute, digest) = row?;
            let attribute = Attribute::from_name(&attribute).ok_or_else(|| not_understood("an attribute"))?;
            Ok((attribute, Sha256::from(digest)))
        })
        .collect()
    }
}

/// What a change that was made adds is ours from now on; what it takes away is nobody's. Where the recipient is known to
/// hold something else than the change says, `held` decides of each value.
pub(super) fn adopt(connection: &Connection, run: i64, change: &Change, held: Option<&BTreeSet<Sha256>>) -> Result<()> {
    let (Some(recipient), Some(attribute)) = (&change.recipient, change.attribute) else { return Ok(()) };
    let mut forget =
        connection.prepare_cached("DELETE FROM written WHERE recipient = ? AND attribute = ? AND sha256 = ?")?;
    for item in change.removed.iter().filter(|item| held.is_none_or(|held| !held.contains(&item.sha256))) {
        forget.execute(params![recipient, attribute.name(), item.sha256.as_bytes()])?;
    }
    let mut mark = connection
        .prepare_cached("INSERT OR REPLACE INTO written (recipient, attribute, sha256, run) VALUES (?, ?, ?, ?)")?;
    for item in change.added.iter().filter(|item| held.is_none_or(|held| held.contains(&item.sha256))) {
        mark.execute(params![recipient, attribute.name(), item.sha256.as_bytes(), run])?;
    }
    Ok(())
}
