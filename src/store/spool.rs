//! What a run looks at, set aside while it runs: people, recipients and the rows of the plan, so that memory holds a few
//! of them at a time.
//!
//! A temporary database of SQLite's: a file without a name that nobody else can open, in the folder that `SQLITE_TMPDIR`
//! or `TMPDIR` names, else in the system's for temporary files that outlive a boot. It is gone with the process, however
//! that ends, and it is only made for what does not fit into the cache.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::Result;
use crate::people::{Person, Recipient};
use crate::planning::Change;
use crate::validation::Fitness;

use super::people::fitness_of;
use super::{PersonDigest, SeenPerson, not_understood, record};

/// Memory for what was set aside last, in KiB.
const CACHE_KIB: i64 = 8192;
/// Statements kept ready; there are fewer.
const STATEMENTS: usize = 32;

/// What a run set aside. It can be shared between threads, which take turns.
#[derive(Debug)]
pub struct Spool {
    connection: Mutex<Connection>,
}

/// What the rows of a plan come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Recipients that lose a value.
    pub recipients_losing: u64,
    /// Recipients whose person loses the last value.
    pub people_losing_last: u64,
    /// Recipients that are written.
    pub recipients_written: u64,
    /// Rows that are written.
    pub writes: u64,
}

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn new() -> Result<Self> {
        // to SQLite the empty name is a private file that it takes away from the folder as soon as it is open
        let connection = Connection::open("")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        // one transaction that never ends: nobody ever reads this again
        connection.execute_batch(&format!("BEGIN;{}", include_str!("spool.sql")))?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a person aside, except for its problems.
    ///
    /// # Errors
    /// `store_failed`, also for a place that is taken.
    pub fn add_person(&self, place: u32, person: &Person, digest: &PersonDigest) -> Result<()> {
        let connection = self.connection();
        let mut insert = connection
            .prepare_cached("INSERT INTO people (place, identity, complete, digest, record) VALUES (?, ?, ?, ?, ?)")?;
        insert.execute(params![place, person.identity, person.complete, digest, record::person(person)])?;
        let mut insert = connection.prepare_cached("INSERT INTO person_values (place, record) VALUES (?, ?)")?;
        insert.execute(params![place, record::values(&person.values)])?;
        Ok(())
    }

    /// Forgets all people.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn forget_people(&self) -> Result<()> {
        Ok(self.connection().execute_batch("DELETE FROM people; DELETE FROM person_values")?)
    }

    /// A person with its values.
    ///
    /// # Errors
    /// `store_failed`, also where there is none.
    pub fn person(&self, place: u32) -> Result<Person> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(
            "SELECT people.record, person_values.record, complete FROM people JOIN person_values USING (place) \
             WHERE place = ?",
        )?;
        let mut rows = select.query([place])?;
        let row = rows.next()?.ok_or_else(|| not_understood("a person's place"))?;
        let mut person = record::read_person(blob(row, 0)?)?;
        person.values = record::read_values(blob(row, 1)?)?;
        person.complete = row.get(2)?;
        Ok(person)
    }

    /// Notes that not all values of the person at a place could be read.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn mark_incomplete(&self, place: u32) -> Result<()> {
        self.connection().prepare_cached("UPDATE people SET complete = 0 WHERE place = ?")?.execute([place])?;
        Ok(())
    }

    /// Looks through all people in the order they were read, without their values. What is done must not need the spool.
    ///
    /// # Errors
    /// `store_failed`; those of what is done.
    pub fn each_person(&self, mut visit: impl FnMut(Person) -> Result<()>) -> Result<()> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT record FROM people ORDER BY place")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            visit(record::read_person(blob(row, 0)?)?)?;
        }
        Ok(())
    }

    /// Places of all people by identity, of those with the same one in the order they were read.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn by_identity(&self) -> Result<Vec<u32>> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT place FROM people ORDER BY identity, place")?;
        let rows = select.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Identities of people whose values could not all be read.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn incomplete_people(&self) -> Result<Vec<String>> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT identity FROM people WHERE NOT complete ORDER BY place")?;
        let rows = select.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Sets a recipient aside, in the place of one that is there, and when it was read, in milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn put_recipient(&self, place: u32, recipient: &Recipient, read_ms: i64) -> Result<()> {
        let connection = self.connection();
        let mut insert =
            connection.prepare_cached("INSERT OR REPLACE INTO recipients (place, read, record) VALUES (?, ?, ?)")?;
        insert.execute(params![place, read_ms, record::recipient(recipient)])?;
        let mut insert =
            connection.prepare_cached("INSERT OR REPLACE INTO recipient_values (place, record) VALUES (?, ?)")?;
        insert.execute(params![place, record::held(recipient)])?;
        Ok(())
    }

    /// A recipient with what it holds, and when it was read; `None` where there is none at this place.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn recipient(&self, place: u32) -> Result<Option<(Recipient, i64)>> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(
            "SELECT recipients.record, recipient_values.record, read \
             FROM recipients JOIN recipient_values USING (place) WHERE place = ?",
        )?;
        let mut rows = select.query([place])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let mut recipient = record::read_recipient(blob(row, 0)?)?;
        record::read_held(blob(row, 1)?, &mut recipient)?;
        Ok(Some((recipient, row.get(2)?)))
    }

    /// A recipient without what it holds; `None` where there is none at this place.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn recipient_alone(&self, place: u32) -> Result<Option<Recipient>> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT record FROM recipients WHERE place = ?")?;
        let mut rows = select.query([place])?;
        rows.next()?.map(|row| record::read_recipient(blob(row, 0)?)).transpose()
    }

    /// Forgets all recipients.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn forget_recipients(&self) -> Result<()> {
        Ok(self.connection().execute_batch("DELETE FROM recipients; DELETE FROM recipient_values")?)
    }

    /// Sets a row aside under its number.
    ///
    /// # Errors
    /// `store_failed`, also for a number that is taken.
    pub fn add_row(&self, change: &Change) -> Result<()> {
        let connection = self.connection();
        let mut insert = connection.prepare_cached(
            "INSERT INTO rows (number, recipient, writes, removes, loses_last, record) VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        insert.execute(params![
            change.number,
            change.recipient,
            change.action.writes(),
            change.removes(),
            change.loses_last,
            record::change(change)
        ])?;
        Ok(())
    }

    /// Forgets all rows, and who was seen.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn forget_rows(&self) -> Result<()> {
        Ok(self.connection().execute_batch("DELETE FROM rows; DELETE FROM seen")?)
    }

    /// Rows with a number above this one, a few, by number.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn rows_after(&self, number: u32, most: u32) -> Result<Vec<Change>> {
        let connection = self.connection();
        let mut select =
            connection.prepare_cached("SELECT record FROM rows WHERE number > ? ORDER BY number LIMIT ?")?;
        changes(select.query([number, most])?)
    }

    /// Looks through all rows by number. What is done must not need the spool.
    ///
    /// # Errors
    /// `store_failed`; those of what is done.
    pub fn each_row(&self, mut visit: impl FnMut(Change) -> Result<()>) -> Result<()> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT record FROM rows ORDER BY number")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            visit(record::read_change(blob(row, 0)?)?)?;
        }
        Ok(())
    }

    /// What all rows come to. A recipient counts once.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn tally(&self) -> Result<Tally> {
        let connection = self.connection();
        let count = |query: &str| -> Result<u64> {
            Ok(connection.query_row(query, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
        };
        Ok(Tally {
            recipients_losing: count("SELECT count(DISTINCT recipient) FROM rows WHERE removes")?,
            people_losing_last: count("SELECT count(DISTINCT recipient) FROM rows WHERE loses_last")?,
            recipients_written: count("SELECT count(DISTINCT recipient) FROM rows WHERE writes")?,
            writes: count("SELECT count(*) FROM rows WHERE writes AND recipient NOT NULL")?,
        })
    }

    /// The next recipient that is written, by identity, with its rows that write; the first one after the empty text.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn next_to_write(&self, after: &str) -> Result<Option<(String, Vec<Change>)>> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT min(recipient) FROM rows WHERE writes AND recipient > ?")?;
        let next: Option<String> = select.query_row([after], |row| row.get(0))?;
        let Some(next) = next else { return Ok(None) };
        let mut select =
            connection.prepare_cached("SELECT record FROM rows WHERE writes AND recipient = ? ORDER BY number")?;
        let rows = changes(select.query([&next])?)?;
        Ok(Some((next, rows)))
    }

    /// Whether a recipient is written.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn is_written(&self, recipient: &str) -> Result<bool> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT 1 FROM rows WHERE writes AND recipient = ? LIMIT 1")?;
        Ok(select.query_row([recipient], |_| Ok(())).optional()?.is_some())
    }

    /// Sets aside what the store is to remember of the person at a place, who is there already: identity and digest are
    /// the person's own.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn see(&self, place: u32, seen: &SeenPerson<'_>) -> Result<()> {
        let connection = self.connection();
        let mut insert = connection
            .prepare_cached("INSERT INTO seen (place, recipient, fitness, claims, due) VALUES (?, ?, ?, ?, ?)")?;
        insert.execute(params![place, seen.recipient, seen.fitness.map(Fitness::name), seen.claims, seen.due_ms])?;
        Ok(())
    }

    /// Looks through all people the store is to remember, in the order they were read. What is done must not need the
    /// spool.
    ///
    /// # Errors
    /// `store_failed`; those of what is done.
    pub fn each_seen(&self, mut visit: impl FnMut(&SeenPerson<'_>) -> Result<()>) -> Result<()> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(
            "SELECT identity, digest, recipient, fitness, claims, due FROM seen JOIN people USING (place) ORDER BY place",
        )?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (identity, recipient): (String, Option<String>) = (row.get(0)?, row.get(2)?);
            let (fitness, claims): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
            visit(&SeenPerson {
                identity: &identity,
                recipient: recipient.as_deref(),
                fitness: fitness.as_deref().and_then(fitness_of),
                claims: claims.as_deref(),
                digest: Some(row.get(1)?),
                due_ms: row.get(5)?,
            })?;
        }
        Ok(())
    }
}

fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    row.get_ref(column)?.as_blob().map_err(|_| not_understood("what was set aside"))
}

fn changes(mut rows: rusqlite::Rows<'_>) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(record::read_change(blob(row, 0)?)?);
    }
    Ok(changes)
}
