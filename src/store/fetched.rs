//! What was fetched from the places certificates name: CRLs, issuers, OCSP answers.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::certificate::Sha256;
use crate::error::Result;

use super::Store;

/// Bytes that are kept in all; the oldest go first.
const MAX_BYTES: u64 = 512 << 20;

/// What was asked for, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FetchKey<'a> {
    /// The place, as the certificate writes it.
    pub url: &'a str,
    /// What was asked for there.
    pub kind: &'a str,
    /// SHA-256 of what was sent along, such as an OCSP request.
    pub request: Option<Sha256>,
}

/// Something fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What came.
    pub bytes: Vec<u8>,
    /// When, in milliseconds since 1970 UTC.
    pub fetched_ms: i64,
    /// From when on it may not be used, in milliseconds since 1970 UTC.
    pub next_update_ms: i64,
}

impl Store {
    /// What was fetched from a place and still holds; nothing that this clock says is yet to come.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn fetched(&self, key: FetchKey<'_>, now_ms: i64) -> Result<Option<Fetched>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT bytes, sha256, fetched, next_update FROM fetched \
             WHERE url = ? AND kind = ? AND request = ? AND fetched <= ? AND next_update > ?",
        )?;
        let found = statement
            .query_row(params![key.url, key.kind, request(&key), now_ms, now_ms], |row| {
                let fetched = Fetched { bytes: row.get(0)?, fetched_ms: row.get(2)?, next_update_ms: row.get(3)? };
                Ok((fetched, row.get::<_, [u8; 32]>(1)?))
            })
            .optional()?;
        Ok(found.filter(|(fetched, digest)| Sha256::of(&fetched.bytes) == Sha256::from(*digest)).map(|(it, _)| it))
    }

    /// Keeps what was fetched instead of what came from there before. What is too large to be kept is let go.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn keep_fetched(&self, key: FetchKey<'_>, fetched: &Fetched) -> Result<()> {
        self.keep_fetched_within(key, fetched, MAX_BYTES)
    }

    fn keep_fetched_within(&self, key: FetchKey<'_>, fetched: &Fetched, max_bytes: u64) -> Result<()> {
        let size = fetched.bytes.len() as u64;
        self.transaction(|connection| {
            connection.execute(
                "DELETE FROM fetched WHERE url = ? AND kind = ? AND request = ?",
                params![key.url, key.kind, request(&key)],
            )?;
            // what holds no longer is of no use to anybody
            connection.execute("DELETE FROM fetched WHERE next_update <= ?", [fetched.fetched_ms])?;
            if size > max_bytes {
                return Ok(());
            }
            make_room(connection, max_bytes - size)?;
            connection.execute(
                "INSERT INTO fetched (url, kind, request, sha256, size, fetched, next_update, bytes) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    key.url,
                    key.kind,
                    request(&key),
                    Sha256::of(&fetched.bytes).as_bytes(),
                    size as i64,
                    fetched.fetched_ms,
                    fetched.next_update_ms,
                    fetched.bytes
                ],
            )?;
            Ok(())
        })
    }
}

/// Lets the oldest go until no more than this is left.
fn make_room(connection: &Connection, left: u64) -> Result<()> {
    let total: i64 = connection.query_row("SELECT coalesce(sum(size), 0) FROM fetched", [], |row| row.get(0))?;
    let mut excess = total.saturating_sub_unsigned(left);
    if excess <= 0 {
        return Ok(());
    }
    let mut oldest = connection.prepare_cached("SELECT rowid, size FROM fetched ORDER BY fetched, rowid")?;
    let mut rows = oldest.query([])?;
    let mut remove = connection.prepare_cached("DELETE FROM fetched WHERE rowid = ?")?;
    let mut gone = Vec::new();
    while excess > 0 {
        let Some(row) = rows.next()? else { break };
        gone.push(row.get::<_, i64>(0)?);
        excess -= row.get::<_, i64>(1)?;
    }
    for row in gone {
        remove.execute([row])?;
    }
    Ok(())
}

fn request<'a>(key: &'a FetchKey<'_>) -> &'a [u8] {
    key.request.as_ref().map_or(&[], |digest| digest.as_bytes().as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn key(url: &str) -> FetchKey<'_> {
        FetchKey { url, kind: "crl", request: None }
    }

    fn bytes(length: usize, fetched_ms: i64) -> Fetched {
        Fetched { bytes: vec![7; length], fetched_ms, next_update_ms: NOW + 1000 }
    }

    fn kept(store: &Store, url: &str) -> bool {
        store.fetched(key(url), NOW).unwrap().is_some()
    }

    #[test]
    fn the_oldest_go_when_there_is_no_room() {
        let store = Store::in_memory().unwrap();
        for (age, url) in [(3, "b"), (5, "a"), (1, "c")] {
            store.keep_fetched_within(key(url), &bytes(40, NOW - age), 100).unwrap();
        }
        assert_eq!(["a", "b", "c"].map(|url| kept(&store, url)), [false, true, true]);
        // what is kept anew makes room for itself first
        store.keep_fetched_within(key("b"), &bytes(60, NOW), 100).unwrap();
        assert_eq!(["b", "c"].map(|url| kept(&store, url)), [true, true]);
        store.keep_fetched_within(key("b"), &bytes(101, NOW), 100).unwrap();
        assert_eq!(["b", "c"].map(|url| kept(&store, url)), [false, true]);
    }

    #[test]
    fn bytes_that_changed_on_the_disk_are_not_used() {
        let store = Store::in_memory().unwrap();
        store.keep_fetched(key("a"), &bytes(10, NOW)).unwrap();
        assert!(kept(&store, "a"));
        store.connection().execute("UPDATE fetched SET bytes = x'00'", []).unwrap();
        assert!(!kept(&store, "a"));
    }

    #[test]
    fn what_was_asked_for_tells_answers_apart() {
        let store = Store::in_memory().unwrap();
        let asked = |request: &[u8]| FetchKey { kind: "ocsp", request: Some(Sha256::of(request)), ..key("a") };
        store.keep_fetched(asked(b"1"), &bytes(1, NOW)).unwrap();
        store.keep_fetched(asked(b"2"), &bytes(2, NOW)).unwrap();
        let length = |key| store.fetched(key, NOW).unwrap().map(|found| found.bytes.len());
        assert_eq!((length(asked(b"1")), length(asked(b"2")), length(key("a"))), (Some(1), Some(2), None));
    }

    #[test]
    fn nothing_is_used_from_its_next_update_on_or_before_it_was_fetched() {
        let store = Store::in_memory().unwrap();
        store.keep_fetched(key("a"), &bytes(10, NOW)).unwrap();
        let at = |now_ms| store.fetched(key("a"), now_ms).unwrap().is_some();
        assert_eq!([at(NOW - 1), at(NOW), at(NOW + 999), at(NOW + 1000)], [false, true, true, false]);
    }
}
