//! Runs: begun, ended, listed, purged.

use rusqlite::{Connection, Row, params};

use crate::error::{Code, Error, Result};

use super::{Store, StoredError, not_understood};

const DAY_MS: i64 = 86_400_000;

/// Whether a run looks at everybody or at what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyType {
    /// Everybody.
    Initial,
    /// What changed or fell due since the watermark.
    Delta,
}

impl PolicyType {
    /// The name at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Delta => "delta",
        }
    }

    /// The type of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Initial, Self::Delta].into_iter().find(|kind| kind.name() == name)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunResult {
    /// Everything was done.
    Done,
    /// Everything was tried, some objects failed.
    Partial,
    /// The directory was not read to its end, so only additions were made.
    Incomplete,
    /// A guard stopped it before its first write.
    Stopped,
    /// An error ended it.
    Failed,
    /// The caller cancelled it.
    Cancelled,
    /// Its process died.
    Interrupted,
}

impl RunResult {
    /// All results.
    pub const ALL: [Self; 7] =
        [Self::Done, Self::Partial, Self::Incomplete, Self::Stopped, Self::Failed, Self::Cancelled, Self::Interrupted];

    /// The name at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Incomplete => "incomplete",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The result of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.name() == name)
    }
}

/// What a run did, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// People read.
    pub people: u64,
    /// Recipients looked at.
    pub recipients: u64,
    /// Attributes that held what they should.
    pub unchanged: u64,
    /// Attributes written; in staging, that would be.
    pub written: u64,
    /// Rows skipped.
    pub skipped: u64,
    /// Rows that failed.
    pub failed: u64,
    /// Values added.
    pub values_added: u64,
    /// Values removed.
    pub values_removed: u64,
    /// Requests sent to Exchange Online.
    pub requests: u64,
}

/// A run that begins.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// The verb, such as `compare` or `sync`.
    pub verb: &'a str,
    /// Initial or delta.
    pub policy_type: PolicyType,
    /// Whether nothing is written.
    pub staging: bool,
    /// Hash of what is read from which directory.
    pub scope: &'a str,
    /// Hash of policy and trust.
    pub policy_hash: &'a str,
    /// When it began.
    pub started_ms: i64,
}

/// A run as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    /// Its number, never used twice.
    pub run: i64,
    /// The verb.
    pub verb: String,
    /// Initial or delta.
    pub policy_type: PolicyType,
    /// Whether nothing was written.
    pub staging: bool,
    /// Hash of what was read from which directory.
    pub scope: String,
    /// Hash of policy and trust.
    pub policy_hash: String,
    /// When it began.
    pub started_ms: i64,
    /// When it ended; `None` while it runs.
    pub ended_ms: Option<i64>,
    /// How it ended; `None` while it runs.
    pub result: Option<RunResult>,
    /// What ended it.
    pub error: Option<StoredError>,
    /// What it did.
    pub counters: Counters,
}

/// Which runs are meant; everything given must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// This one.
    pub run: Option<i64>,
    /// The last so many.
    pub last: Option<u32>,
    /// Begun at or after this time.
    pub since_ms: Option<i64>,
    /// Begun before this time.
    pub until_ms: Option<i64>,
}

impl Store {
    /// Begins a run and gives it its number.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn begin_run(&self, run: &NewRun<'_>) -> Result<i64> {
        self.transaction(|connection| {
            connection.execute(
                "INSERT INTO runs (verb, policy_type, staging, scope, policy_hash, started) VALUES (?, ?, ?, ?, ?, ?)",
                params![run.verb, run.policy_type.name(), run.staging, run.scope, run.policy_hash, run.started_ms],
            )?;
            Ok(connection.last_insert_rowid())
        })
    }

    /// Says that a run which began as a delta looks at everybody.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn became_initial(&self, run: i64) -> Result<()> {
        let name = PolicyType::Initial.name();
        self.connection().execute("UPDATE runs SET policy_type = ? WHERE id = ?", params![name, run])?;
        Ok(())
    }

    /// Ends a run.
    ///
    /// # Errors
    /// `run_not_found` for one that does not exist or has ended, `store_failed`.
    pub fn end_run(
        &self,
        run: i64,
        result: RunResult,
        counters: &Counters,
        error: Option<&StoredError>,
        now_ms: i64,
    ) -> Result<()> {
        let c = counters;
        let numbers = [
            c.people,
            c.recipients,
            c.unchanged,
            c.written,
            c.skipped,
            c.failed,
            c.values_added,
            c.values_removed,
            c.requests,
        ]
        .map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        self.transaction(|connection| {
            let [people, recipients, unchanged, written, skipped, failed, added, removed, requests] = numbers;
            let ended = connection.execute(
                "UPDATE runs SET ended = ?, result = ?, error_code = ?, error = ?, people = ?, recipients = ?, \
                 unchanged = ?, written = ?, skipped = ?, failed = ?, values_added = ?, values_removed = ?, \
                 requests = ? WHERE id = ? AND ended IS NULL",
                params![
                    now_ms,
                    result.name(),
                    error.map(|error| error.code),
                    error.map(|error| &error.message),
                    people,
                    recipients,
                    unchanged,
                    written,
                    skipped,
                    failed,
                    added,
                    removed,
                    requests,
                    run
                ],
            )?;
            if ended == 0 { Err(run_not_found(run)) } else { Ok(()) }
        })
    }

    /// Runs, the last one first.
    ///
    /// # Errors
    /// `run_not_found` where `filter.run` names none, `store_failed`.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<StoredRun>> {
        let connection = self.connection();
        let ids = matching(&connection, filter)?;
        let mut statement = connection.prepare_cached("SELECT * FROM runs WHERE id = ?")?;
        ids.into_iter().map(|id| statement.query_row([id], |row| Ok(stored_run(row)))?).collect()
    }

    /// Forgets runs that began more than `keep_days` ago, with their changes and the bytes only they named. Runs with
    /// an open write, and those after them, stay. Gives the number of runs forgotten.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn purge(&self, keep_days: u32, now_ms: i64) -> Result<u64> {
        self.transaction(|connection| {
            let before = now_ms.saturating_sub(i64::from(keep_days).saturating_mul(DAY_MS));
            let gone = connection.execute(
                "DELETE FROM runs WHERE started < ?1 AND ended IS NOT NULL AND id < coalesce( \
                 (SELECT min(run) FROM journal WHERE state IN ('pending', 'written')), 9223372036854775807)",
                [before],
            )?;
            connection.execute(
                "DELETE FROM value_bytes WHERE last_run < coalesce((SELECT min(id) FROM runs), 9223372036854775807)",
                [],
            )?;
            Ok(gone as u64)
        })
    }
}

/// Ends runs that nobody can end any more; with `writing_only`, those that would hold the lock.
pub(super) fn interrupt(connection: &Connection, now_ms: i64, writing_only: bool) -> Result<()> {
    let which = if writing_only { "AND staging = 0 AND verb <> 'compare'" } else { "" };
    connection.execute(
        &format!("UPDATE runs SET ended = ?, result = ? WHERE ended IS NULL {which}"),
        params![now_ms, RunResult::Interrupted.name()],
    )?;
    Ok(())
}

/// Numbers of runs, the last one first.
pub(super) fn matching(connection: &Connection, filter: &RunFilter) -> Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM runs WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR started >= ?2) \
         AND (?3 IS NULL OR started < ?3) ORDER BY id DESC LIMIT ?4",
    )?;
    let limit = filter.last.map_or(-1, i64::from);
    let rows = statement.query_map(params![filter.run, filter.since_ms, filter.until_ms, limit], |row| row.get(0))?;
    let ids: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    match filter.run {
        Some(run) if ids.is_empty() => Err(run_not_found(run)),
        _ => Ok(ids),
    }
}

pub(super) fn run_not_found(run: i64) -> Error {
    Error::new(Code::RunNotFound).target(run.to_string()).with("run", run.to_string())
}

fn stored_run(row: &Row<'_>) -> Result<StoredRun> {
    let count = |name: &str| row.get::<_, i64>(name).map(i64::unsigned_abs);
    let result: Option<String> = row.get("result")?;
    Ok(StoredRun {
        run: row.get("id")?,
        verb: row.get("verb")?,
        policy_type: PolicyType::from_name(&row.get::<_, String>("policy_type")?)
            .ok_or_else(|| not_understood("a run's policy type"))?,
        staging: row.get("staging")?,
        scope: row.get("scope")?,
        policy_hash: row.get("policy_hash")?,
        started_ms: row.get("started")?,
        ended_ms: row.get("ended")?,
        result: match result {
            Some(name) => Some(RunResult::from_name(&name).ok_or_else(|| not_understood("a run's result"))?),
            None => None,
        },
        error: StoredError::read(row)?,
        counters: Counters {
            people: count("people")?,
            recipients: count("recipients")?,
            unchanged: count("unchanged")?,
            written: count("written")?,
            skipped: count("skipped")?,
            failed: count("failed")?,
            values_added: count("values_added")?,
            values_removed: count("values_removed")?,
            requests: count("requests")?,
        },
    })
}
