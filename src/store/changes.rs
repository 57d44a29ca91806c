//! Changes of runs, with the bytes of what was there before and what was to be there after.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::certificate::{Attribute, Sha256};
use crate::error::{Code, Error, Result};
use crate::people::RawValue;
use crate::planning::{Action, Change, Item};
use crate::text::Culture;

use super::runs::{matching, run_not_found};
use super::{RunFilter, Spool, Store, not_understood};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeResult {
    /// It is planned.
    Planned,
    /// It was made and read back.
    Applied,
    /// It was left, for the row's reason.
    Skipped,
    /// It failed.
    Failed,
}

impl ChangeResult {
    /// All results.
    pub const ALL: [Self; 4] = [Self::Planned, Self::Applied, Self::Skipped, Self::Failed];

    /// The name at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Applied => "applied",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// The result of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.name() == name)
    }
}

/// An error as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredError {
    /// Its number; one of a newer version may have no [`Code`].
    pub code: i32,
    /// Its sentence, in the culture of the session it happened in.
    pub message: String,
}

impl StoredError {
    /// What is kept of an error.
    pub fn new(error: &Error, culture: Culture) -> Self {
        Self { code: error.code().number(), message: error.message(culture) }
    }

    /// What is kept of an error that ended a run: what it is about comes first, as a run's row names no object.
    pub fn of_run(error: &Error, culture: Culture) -> Self {
        let stored = Self::new(error, culture);
        match error.get_target() {
            Some(target) => Self { message: format!("{target}: {}", stored.message), ..stored },
            None => stored,
        }
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Self>> {
        let (code, message): (Option<i32>, Option<String>) = (row.get("error_code")?, row.get("error")?);
        Ok(code.map(|code| Self { code, message: message.unwrap_or_default() }))
    }
}

/// A change as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChange {
    /// Its run.
    pub run: i64,
    /// The change, with all bytes.
    pub change: Change,
    /// What became of it.
    pub result: ChangeResult,
    /// Why it failed.
    pub error: Option<StoredError>,
}

/// Which changes are meant; everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Of these runs.
    pub runs: RunFilter,
    /// With one of these numbers; all if empty.
    pub numbers: Vec<u32>,
    /// Of a person, recipient or primary address with one of these names, whatever the case of
    /// ASCII letters; all if empty.
    pub identities: Vec<String>,
}

impl Store {
    /// Records rows of a run, all or none. Rows that say `none` may be left out.
    ///
    /// # Errors
    /// `run_not_found`, `store_failed`.
    pub fn record_changes<'a>(
        &self,
        run: i64,
        rows: impl IntoIterator<Item = (&'a Change, ChangeResult)>,
    ) -> Result<()> {
        self.transaction(|connection| {
            known(connection, run)?;
            rows.into_iter().try_for_each(|(change, result)| put(connection, run, change, result))
        })
    }

    /// Records the rows that wait in a run's spool, all or none; those that say `none` are left out.
    ///
    /// # Errors
    /// `run_not_found`, `store_failed`.
    pub fn record_planned(&self, run: i64, spool: &Spool) -> Result<()> {
        self.transaction(|connection| {
            known(connection, run)?;
            spool.each_row(|change| match change.action {
                Action::None => Ok(()),
                Action::Skip => put(connection, run, &change, ChangeResult::Skipped),
                Action::Set | Action::Clear => put(connection, run, &change, ChangeResult::Planned),
            })
        })
    }

    /// Says what became of a change that was not written: skipped, or failed before the write.
    ///
    /// # Errors
    /// `change_not_found`, `store_failed`.
    pub fn finish_change(
        &self,
        run: i64,
        number: u32,
        result: ChangeResult,
        error: Option<&StoredError>,
    ) -> Result<()> {
        self.transaction(|connection| finish(connection, run, number, result, error))
    }

    /// One change with its bytes.
    ///
    /// # Errors
    /// `change_not_found`, `store_failed`.
    pub fn change(&self, run: i64, number: u32) -> Result<Change> {
        Ok(get(&self.connection(), run, number)?.change)
    }

    /// Changes with their bytes, run by run from the last one, by number.
    ///
    /// # Errors
    /// `run_not_found` where the filter names a run that does not exist, `change_not_found` where it names a run and a
    /// number of which there is no change, `store_failed`.
    pub fn changes(&self, filter: &ChangeFilter) -> Result<Vec<StoredChange>> {
        let connection = self.connection();
        let runs = matching(&connection, &filter.runs)?;
        let named = |number: &u32| filter.numbers.is_empty() || filter.numbers.contains(number);
        let mut keys = keys(&connection, &runs, &filter.identities)?;
        keys.retain(|(_, number)| named(number));
        if let Some(run) = filter.runs.run.filter(|_| filter.identities.is_empty())
            && let Some(missing) = filter.numbers.iter().find(|number| !keys.contains(&(Reverse(run), **number)))
        {
            return Err(change_not_found(run, *missing));
        }
        keys.into_iter().map(|(Reverse(run), number)| get(&connection, run, number)).collect()
    }
}

fn known(connection: &Connection, run: i64) -> Result<()> {
    let known: i64 = connection.query_row("SELECT count(*) FROM runs WHERE id = ?", [run], |row| row.get(0))?;
    if known == 0 { Err(run_not_found(run)) } else { Ok(()) }
}

/// Run and number of changes, in the order they are listed in.
fn keys(connection: &Connection, runs: &[i64], identities: &[String]) -> Result<BTreeSet<(Reverse<i64>, u32)>> {
    let mut keys = BTreeSet::new();
    let key = |row: &Row<'_>| Ok((Reverse(row.get(0)?), row.get(1)?));
    if identities.is_empty() {
        let mut statement = connection.prepare_cached("SELECT run, number FROM changes WHERE run = ?")?;
        for run in runs {
            for found in statement.query_map([run], key)? {
                keys.insert(found?);
            }
        }
        return Ok(keys);
    }
    let mut statement = connection.prepare_cached(
        // each part by its own index; with OR, SQLite reads every change there is
        "SELECT run, number FROM changes WHERE person = ?1 COLLATE NOCASE \
         UNION SELECT run, number FROM changes WHERE recipient = ?1 COLLATE NOCASE \
         UNION SELECT run, number FROM changes WHERE primary_smtp_address = ?1 COLLATE NOCASE",
    )?;
    let runs: BTreeSet<_> = runs.iter().collect();
    for identity in identities {
        for found in statement.query_map([identity], key)? {
            keys.insert(found?);
        }
    }
    keys.retain(|(Reverse(run), _)| runs.contains(run));
    Ok(keys)
}

/// Writes a change and the bytes it names, over an earlier version of itself.
pub(super) fn put(connection: &Connection, run: i64, change: &Change, result: ChangeResult) -> Result<()> {
    for value in change.before.iter().chain(&change.after) {
        put_value(connection, run, value)?;
    }
    let mut statement = connection.prepare_cached(
        // REPLACE would delete the row first, and with it the journal's entries
        "INSERT INTO changes (run, number, person, recipient, primary_smtp_address, attribute, action, reason, \
         loses_last, before, after, added, removed, losers, removes, result, directory) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (run, number) DO UPDATE SET person = excluded.person, recipient = excluded.recipient, \
         primary_smtp_address = excluded.primary_smtp_address, attribute = excluded.attribute, \
         action = excluded.action, reason = excluded.reason, loses_last = excluded.loses_last, \
         before = excluded.before, after = excluded.after, added = excluded.added, removed = excluded.removed, \
         losers = excluded.losers, removes = excluded.removes, result = excluded.result, directory = excluded.directory, error_code = NULL, \
         error = NULL",
    )?;
    statement.execute(params![
        run,
        change.number,
        change.person,
        change.recipient,
        change.primary_smtp_address,
        change.attribute.map(Attribute::name),
        change.action.name(),
        change.reason.as_deref(),
        change.loses_last,
        digests(&change.before),
        digests(&change.after),
        items_to_json(&change.added)?,
        items_to_json(&change.removed)?,
        items_to_json(&change.losers)?,
        change.removes(),
        result.name(),
        change.directory,
    ])?;
    Ok(())
}

pub(super) fn finish(
    connection: &Connection,
    run: i64,
    number: u32,
    result: ChangeResult,
    error: Option<&StoredError>,
) -> Result<()> {
    let done = connection
        .prepare_cached("UPDATE changes SET result = ?, error_code = ?, error = ? WHERE run = ? AND number = ?")?
        .execute(params![
            result.name(),
            error.map(|error| error.code),
            error.map(|error| &error.message),
            run,
            number
        ])?;
    if done == 0 { Err(change_not_found(run, number)) } else { Ok(()) }
}

pub(super) fn change_not_found(run: i64, number: u32) -> Error {
    Error::new(Code::ChangeNotFound)
        .target(format!("{run}/{number}"))
        .with("run", run.to_string())
        .with("change", number.to_string())
}

pub(super) fn get(connection: &Connection, run: i64, number: u32) -> Result<StoredChange> {
    let mut statement = connection.prepare_cached("SELECT * FROM changes WHERE run = ? AND number = ?")?;
    let mut rows = statement.query(params![run, number])?;
    match rows.next()? {
        Some(row) => stored_change(connection, row),
        None => Err(change_not_found(run, number)),
    }
}

fn stored_change(connection: &Connection, row: &Row<'_>) -> Result<StoredChange> {
    let attribute: Option<String> = row.get("attribute")?;
    let attribute = match attribute {
        Some(name) => Some(Attribute::from_name(&name).ok_or_else(|| not_understood("a change's attribute"))?),
        None => None,
    };
    let values = |column: &str| -> Result<Vec<RawValue>> {
        let digests: Vec<u8> = row.get(column)?;
        let Some(attribute) = attribute else { return Ok(Vec::new()) };
        let (digests, rest) = digests.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(not_understood("a change's list of values"));
        }
        digests.iter().map(|digest| get_value(connection, attribute, *digest)).collect()
    };
    let items = |column: &str| -> Result<Vec<Item>> { items_from_json(&row.get::<_, String>(column)?) };
    let change = Change {
        number: row.get("number")?,
        person: row.get("person")?,
        recipient: row.get("recipient")?,
        directory: row.get("directory")?,
        primary_smtp_address: row.get("primary_smtp_address")?,
        attribute,
        action: Action::from_name(&row.get::<_, String>("action")?)
            .ok_or_else(|| not_understood("a change's action"))?,
        before: values("before")?,
        after: values("after")?,
        added: items("added")?,
        removed: items("removed")?,
        losers: items("losers")?,
        reason: row.get::<_, Option<String>>("reason")?.map(Into::into),
        loses_last: row.get("loses_last")?,
    };
    Ok(StoredChange {
        run: row.get("run")?,
        change,
        result: ChangeResult::from_name(&row.get::<_, String>("result")?)
            .ok_or_else(|| not_understood("a change's result"))?,
        error: StoredError::read(row)?,
    })
}

fn digests(values: &[RawValue]) -> Vec<u8> {
    values.iter().flat_map(|value| value.sha256.as_bytes()).copied().collect()
}

fn put_value(connection: &Connection, run: i64, value: &RawValue) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO value_bytes (sha256, bytes, last_run) VALUES (?, ?, ?) \
             ON CONFLICT (sha256) DO UPDATE SET last_run = max(last_run, excluded.last_run)",
        )?
        .execute(params![value.sha256.as_bytes(), &value.bytes[..], run])?;
    Ok(())
}

fn get_value(connection: &Connection, attribute: Attribute, digest: [u8; 32]) -> Result<RawValue> {
    let bytes: Vec<u8> = connection
        .prepare_cached("SELECT bytes FROM value_bytes WHERE sha256 = ?")?
        .query_row([&digest[..]], |row| row.get(0))?;
    Ok(RawValue { attribute, bytes: Arc::from(bytes), sha256: digest.into() })
}

/// An item as JSON in the store.
#[derive(Serialize, Deserialize)]
struct StoredItem {
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

fn items_to_json(items: &[Item]) -> Result<String> {
    let stored: Vec<_> = items
        .iter()
        .map(|item| StoredItem {
            sha256: item.sha256.to_string(),
            thumbprint: item.thumbprint.clone(),
            subject: item.subject.clone(),
            not_after_ms: item.not_after_ms,
            reason: item.reason.as_ref().map(ToString::to_string),
        })
        .collect();
    serde_json::to_string(&stored).map_err(|error| Error::new(Code::StoreFailed).with("detail", error.to_string()))
}

fn items_from_json(json: &str) -> Result<Vec<Item>> {
    let stored: Vec<StoredItem> = serde_json::from_str(json).map_err(|_| not_understood("a change's values"))?;
    let item = |stored: StoredItem| {
        let mut digest = [0; 32];
        hex::decode_to_slice(&stored.sha256, &mut digest).map_err(|_| not_understood("a value's digest"))?;
        Ok(Item {
            sha256: Sha256::from(digest),
            thumbprint: stored.thumbprint,
            subject: stored.subject,
            not_after_ms: stored.not_after_ms,
            reason: stored.reason.map(Into::into),
        })
    };
    stored.into_iter().map(item).collect()
}
