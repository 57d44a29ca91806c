//! The journal of writes: said before, confirmed after, so that a run killed anywhere can be told from a finished one.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, params};

use crate::certificate::{Attribute, Sha256};
use crate::error::{Code, Error, Result};
use crate::planning::Change;

use super::changes::{finish, get, put};
use super::{ChangeResult, Store, StoredError, not_understood, written};

/// How far a write got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalState {
    /// It may or may not have been sent.
    Pending,
    /// Exchange accepted it; it was not read back yet.
    Written,
    /// It was read back as it should be.
    Verified,
    /// It was not made.
    Failed,
}

impl JournalState {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Written => "written",
            Self::Verified => "verified",
            Self::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Written, Self::Verified, Self::Failed].into_iter().find(|state| state.name() == name)
    }
}

/// What is written to; each is settled and counted by itself.
#[derive(Clone, Copy)]
enum Target {
    Recipients,
    Directory,
    Issuers,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Recipients => "recipients",
            Self::Directory => "directory",
            Self::Issuers => "issuers",
        }
    }
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteEnd {
    /// The recipient holds `after`: what was added is SmimeSync's, what was removed is not any more.
    Verified,
    /// It was not made.
    Failed(StoredError),
    /// The recipient holds these values and not those of `after`: what was added and is there is SmimeSync's all the
    /// same, or nobody would ever take it away again.
    Differs(StoredError, BTreeSet<Sha256>),
}

/// A write whose end is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWrite {
    /// The journal's entry.
    pub entry: i64,
    /// The run.
    pub run: i64,
    /// The change, with all bytes.
    pub change: Change,
    /// How far it got.
    pub state: JournalState,
    /// When it was begun.
    pub begun_ms: i64,
}

impl Store {
    /// Says that a change is about to be written. When this returns, the change and the bytes of before and after are
    /// on the disk. Gives the journal's entry.
    ///
    /// # Errors
    /// `store_failed`; nothing may be written then.
    pub fn journal_begin(&self, run: i64, change: &Change, now_ms: i64) -> Result<i64> {
        self.transaction(|connection| {
            put(connection, run, change, ChangeResult::Planned)?;
            connection.execute(
                "INSERT INTO journal (run, change, state, begun) VALUES (?, ?, ?, ?)",
                params![run, change.number, JournalState::Pending.name(), now_ms],
            )?;
            Ok(connection.last_insert_rowid())
        })
    }

    /// Says that Exchange accepted the write.
    ///
    /// # Errors
    /// `store_failed`, also for an entry that is not pending.
    pub fn journal_written(&self, entry: i64, now_ms: i64) -> Result<()> {
        self.transaction(|connection| {
            let done = connection.execute(
                "UPDATE journal SET state = ?, written = ? WHERE id = ? AND state = ?",
                params![JournalState::Written.name(), now_ms, entry, JournalState::Pending.name()],
            )?;
            if done == 0 { Err(not_open(entry)) } else { Ok(()) }
        })
    }

    /// Says how a write ended; the change's result and what is SmimeSync's follow in the same transaction.
    ///
    /// # Errors
    /// `store_failed`, also for an entry that has ended.
    pub fn journal_done(&self, entry: i64, end: &WriteEnd, now_ms: i64) -> Result<()> {
        self.transaction(|connection| {
            let open: Option<(i64, u32)> = connection
                .query_row(
                    "SELECT run, change FROM journal WHERE id = ? AND state IN ('pending', 'written')",
                    [entry],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let (run, number) = open.ok_or_else(|| not_open(entry))?;
            let state = match end {
                WriteEnd::Verified => {
                    written::adopt(connection, run, &get(connection, run, number)?.change, None)?;
                    finish(connection, run, number, ChangeResult::Applied, None)?;
                    JournalState::Verified
                }
                WriteEnd::Differs(error, held) => {
                    written::adopt(connection, run, &get(connection, run, number)?.change, Some(held))?;
                    finish(connection, run, number, ChangeResult::Failed, Some(error))?;
                    JournalState::Failed
                }
                WriteEnd::Failed(error) => {
                    finish(connection, run, number, ChangeResult::Failed, Some(error))?;
                    JournalState::Failed
                }
            };
            connection.execute(
                "UPDATE journal SET state = ?, ended = ? WHERE id = ?",
                params![state.name(), now_ms, entry],
            )?;
            Ok(())
        })
    }

    /// Writes to the tenant whose end is not known, the first one first: their recipients must be read before anything
    /// else is done to them, and [`Store::journal_done`] told what is there.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn open_writes(&self) -> Result<Vec<OpenWrite>> {
        self.open_writes_to(Target::Recipients)
    }

    /// As [`Store::open_writes`], of writes to the directory; their recipients are entries, by distinguished name.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn open_directory_writes(&self) -> Result<Vec<OpenWrite>> {
        self.open_writes_to(Target::Directory)
    }

    /// As [`Store::open_writes`], of writes of the authorities that the tenant trusts.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn open_issuer_writes(&self) -> Result<Vec<OpenWrite>> {
        self.open_writes_to(Target::Issuers)
    }

    fn open_writes_to(&self, target: Target) -> Result<Vec<OpenWrite>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT journal.id, journal.run, change, state, begun FROM journal JOIN runs ON runs.id = journal.run \
             JOIN changes ON changes.run = journal.run AND changes.number = journal.change \
             WHERE state IN ('pending', 'written') AND CASE WHEN attribute = ?1 THEN 'issuers' \
             WHEN verb IN ('publish', 'prune') THEN 'directory' ELSE 'recipients' END = ?2 ORDER BY journal.id",
        )?;
        let mut rows = statement.query([Attribute::IssuingCertificates.name(), target.name()])?;
        let mut open = Vec::new();
        while let Some(row) = rows.next()? {
            let run = row.get(1)?;
            open.push(OpenWrite {
                entry: row.get(0)?,
                run,
                change: get(&connection, run, row.get(2)?)?.change,
                state: JournalState::from_name(&row.get::<_, String>(3)?)
                    .ok_or_else(|| not_understood("a write's state"))?,
                begun_ms: row.get(4)?,
            });
        }
        Ok(open)
    }

    /// How many recipients lost a value, and how many people their last one, by writes to the tenant begun at or after a
    /// time. Writes whose end is not known count.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn removals_since(&self, since_ms: i64) -> Result<(u64, u64)> {
        self.removals_from(Target::Recipients, since_ms)
    }

    /// As [`Store::removals_since`], of entries and writes to the directory.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn directory_removals_since(&self, since_ms: i64) -> Result<(u64, u64)> {
        self.removals_from(Target::Directory, since_ms)
    }

    /// Whether the tenant lost an authority by a write begun at or after a time, as 0 or 1.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn issuer_removals_since(&self, since_ms: i64) -> Result<u64> {
        Ok(self.removals_from(Target::Issuers, since_ms)?.0)
    }

    fn removals_from(&self, target: Target, since_ms: i64) -> Result<(u64, u64)> {
        let counts: (i64, i64) = self.connection().query_row(
            // two directories may each have an entry of one name
            "WITH written AS (SELECT *, coalesce(directory, '') || ' ' || recipient AS holder FROM changes) \
             SELECT count(DISTINCT holder), count(DISTINCT CASE WHEN loses_last THEN holder END) \
             FROM journal JOIN written ON written.run = journal.run AND written.number = journal.change \
             JOIN runs ON runs.id = journal.run \
             WHERE begun >= ?1 AND state <> 'failed' AND removes AND CASE WHEN attribute = ?2 THEN 'issuers' \
             WHEN verb IN ('publish', 'prune') THEN 'directory' ELSE 'recipients' END = ?3",
            params![since_ms, Attribute::IssuingCertificates.name(), target.name()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok((counts.0.unsigned_abs(), counts.1.unsigned_abs()))
    }
}

fn not_open(entry: i64) -> Error {
    Error::new(Code::StoreFailed).with("detail", format!("write {entry} is not open"))
}
