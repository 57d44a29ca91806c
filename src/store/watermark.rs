//! How far the directory was read: moved by a run that wrote, in one transaction with who was seen and what to retry.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::Result;
use crate::validation::Fitness;

use super::{Spool, Store};

/// A cursor as the store keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptCursor<'a> {
    /// The way changes are read.
    pub method: &'a str,
    /// The server's identity, where it has one.
    pub server: Option<&'a str>,
    /// The cursor itself.
    pub bytes: &'a [u8],
}

/// Somebody the next run looks at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// The person's identity.
    pub identity: String,
    /// The number of the error; 0 for a row that was skipped.
    pub error_code: i32,
}

/// What a run learned of the directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct DirectoryRead<'a> {
    /// Hash of what was read from which directory.
    pub scope: &'a str,
    /// The scope that this one takes the place of, by the operator's word: its people are this one's from now on.
    pub replaces: Option<&'a str>,
    /// The run that read.
    pub run: i64,
    /// When.
    pub at_ms: i64,
    /// Whether it was everybody; if not, what changed.
    pub is_complete: bool,
    /// Where those wait who were looked at: everybody, or who changed.
    pub people: Option<&'a Spool>,
    /// Who is gone and left something behind.
    pub gone: &'a [&'a str],
    /// Who is gone and left nothing behind that is SmimeSync's.
    pub forgotten: &'a [&'a str],
    /// Whom the next run looks at again.
    pub retries: &'a [Retry],
    /// Hash of policy, trust and tenant.
    pub policy_hash: &'a str,
    /// Where the next read goes on, if it can.
    pub cursor: Option<KeptCursor<'a>>,
}

/// How far a scope was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// The last complete read's run.
    pub run: i64,
    /// When that was.
    pub at_ms: i64,
    /// How many people there were.
    pub people: u64,
    /// Hash of policy, trust and tenant when it was moved last.
    pub policy_hash: Option<String>,
    /// Where the next read goes on, if it can.
    pub cursor: Option<Vec<u8>>,
}

impl Store {
    /// How far a scope was read; `None` if never to its end.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn watermark(&self, scope: &str) -> Result<Option<Watermark>> {
        let connection = self.connection();
        let found = connection.query_row(
            "SELECT read_run, read_at, people, policy_hash, payload FROM watermarks WHERE scope = ?",
            [scope],
            |row| {
                Ok(Watermark {
                    run: row.get(0)?,
                    at_ms: row.get(1)?,
                    people: row.get::<_, i64>(2)?.unsigned_abs(),
                    policy_hash: row.get(3)?,
                    cursor: row.get(4)?,
                })
            },
        );
        Ok(found.optional()?)
    }

    /// Moves the watermark. People who are gone stay known until they are forgotten, so that what they leave behind is not
    /// lost when a run is stopped.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn record_read(&self, read: &DirectoryRead<'_>) -> Result<()> {
        self.transaction(|connection| {
            if let Some(old) = read.replaces.filter(|old| *old != read.scope) {
                connection.execute("UPDATE OR IGNORE people SET scope = ? WHERE scope = ?", [read.scope, old])?;
                connection.execute("DELETE FROM people WHERE scope = ?", [old])?;
                connection.execute("DELETE FROM watermarks WHERE scope = ?", [old])?;
                connection.execute("DELETE FROM retries WHERE scope = ?", [old])?;
            }
            let people = put_people(connection, read)?;
            put_retries(connection, read)?;
            put_watermark(connection, read, people)
        })
    }
}

/// Remembers people, and gives how many were looked at.
fn put_people(connection: &Connection, read: &DirectoryRead<'_>) -> Result<i64> {
    let mut seen = connection.prepare_cached(
        "INSERT INTO people (scope, identity, recipient, fitness, last_seen_run, claims, digest, due) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (scope, identity) DO UPDATE SET recipient = coalesce(excluded.recipient, recipient), \
         fitness = excluded.fitness, last_seen_run = excluded.last_seen_run, claims = excluded.claims, \
         digest = excluded.digest, due = excluded.due, gone = 0",
    )?;
    let mut count = 0;
    if let Some(people) = read.people {
        people.each_seen(|person| {
            count += 1;
            seen.execute(params![
                read.scope,
                person.identity,
                person.recipient,
                person.fitness.map(Fitness::name),
                read.run,
                person.claims,
                person.digest,
                person.due_ms
            ])?;
            Ok(())
        })?;
    }
    let mut gone = connection.prepare_cached("UPDATE people SET gone = 1 WHERE scope = ? AND identity = ?")?;
    for identity in read.gone {
        gone.execute([read.scope, identity])?;
    }
    let mut forget = connection.prepare_cached("DELETE FROM people WHERE scope = ? AND identity = ?")?;
    for identity in read.forgotten {
        forget.execute([read.scope, identity])?;
    }
    Ok(count)
}

fn put_retries(connection: &Connection, read: &DirectoryRead<'_>) -> Result<()> {
    let mut retry = connection.prepare_cached(
        "INSERT INTO retries (scope, identity, run, attempts, not_before, error_code) VALUES (?, ?, ?, 1, ?, ?) \
         ON CONFLICT (scope, identity) DO UPDATE SET run = excluded.run, attempts = attempts + 1, \
         not_before = excluded.not_before, error_code = excluded.error_code",
    )?;
    for Retry { identity, error_code } in read.retries {
        retry.execute(params![read.scope, identity, read.run, read.at_ms, error_code])?;
    }
    // whoever was to be looked at again was looked at, or is gone
    connection.execute("DELETE FROM retries WHERE scope = ? AND run <> ?", params![read.scope, read.run])?;
    Ok(())
}

fn put_watermark(connection: &Connection, read: &DirectoryRead<'_>, people: i64) -> Result<()> {
    let (method, server) = read.cursor.map_or(("complete", None), |cursor| (cursor.method, cursor.server));
    let bytes = read.cursor.map(|cursor| cursor.bytes);
    if read.is_complete {
        connection.execute(
            "INSERT OR REPLACE INTO watermarks (scope, kind, payload, invocation_id, read_run, read_at, people, policy_hash) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                read.scope,
                method,
                bytes,
                server,
                read.run,
                read.at_ms,
                people,
                read.policy_hash
            ],
        )?;
    } else {
        connection.execute(
            "UPDATE watermarks SET kind = ?, payload = ?, invocation_id = ?, policy_hash = ? WHERE scope = ?",
            params![method, bytes, server, read.policy_hash, read.scope],
        )?;
    }
    Ok(())
}
