//! Changes of a compared run, carried out as they were planned, where the recipient is still as it was then.

use std::collections::BTreeMap;

use crate::error::{Code, Error, Result};
use crate::planning::{Change, GuardInput, Plan, tripped};
use crate::store::{ChangeFilter, ChangeResult, RunFilter, StoredError};

use super::Job;
use super::apply::{Task, WhenStale};
use super::observer::until_cancelled;
use super::record::Record;
use super::run::write_all;

/// Which changes of which run.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The compared run.
    pub run: i64,
    /// Numbers of its changes; all that write if empty.
    pub numbers: Vec<u32>,
    /// Whether nothing is written.
    pub staging: bool,
    /// Guards that are lifted.
    pub force: Vec<String>,
}

/// Carries out changes of a compared run. Rows go to the observer; they keep their numbers.
///
/// # Errors
/// `run_not_found`, `change_not_found`, `store_locked`, `guard`; what would meet every recipient. A recipient that is no
/// longer as the compared run found it is a row with `change_stale`.
pub async fn apply_chosen(job: &Job<'_>, chosen: &Chosen) -> Result<()> {
    let _lock = match chosen.staging {
        true => None,
        false => Some(job.store.lock_for_writing(job.surroundings.now_ms())?),
    };
    let filter = ChangeFilter {
        runs: RunFilter { run: Some(chosen.run), ..RunFilter::default() },
        numbers: chosen.numbers.clone(),
        identities: Vec::new(),
    };
    let changes: Vec<Change> = job.store.changes(&filter)?.into_iter().map(|stored| stored.change).collect();
    let scope = job.store.runs(&filter.runs)?.into_iter().next().map(|run| run.scope).unwrap_or_default();
    let mut record = Record::begin(*job, "sync", chosen.staging, &scope).await?;
    let outcome = work(job, chosen, changes, &mut record).await;
    record.end(outcome).await
}

async fn work(job: &Job<'_>, chosen: &Chosen, changes: Vec<Change>, record: &mut Record<'_>) -> Result<()> {
    let (write, rest): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.action.writes());
    job.store.record_changes(record.run, write.iter().map(|change| (change, ChangeResult::Planned)))?;
    job.store.record_changes(record.run, rest.iter().map(|change| (change, ChangeResult::Skipped)))?;
    for change in &rest {
        record.tell(change, Some(ChangeResult::Skipped), None).await;
    }
    if chosen.staging {
        for change in &write {
            record.tell(change, Some(ChangeResult::Planned), None).await;
        }
        return Ok(());
    }
    guard(job, chosen, &write)?;
    let mut by_recipient: BTreeMap<String, Vec<Change>> = BTreeMap::new();
    for change in write {
        by_recipient.entry(change.recipient.clone().unwrap_or_default()).or_default().push(change);
    }
    let mut tasks = Vec::new();
    for (identity, changes) in by_recipient {
        match until_cancelled(job.observer, job.exchange.get(&identity)).await {
            // read_ms 0 has the recipient read again just before the write
            Ok(recipient) => tasks.push(Task { recipient, read_ms: 0, changes }),
            Err(error) if error.code() == Code::ExchangeNotFound => fail(job, record, &changes, &error).await?,
            Err(error) => return Err(error),
        }
    }
    record.counters.recipients = tasks.len() as u64;
    write_all(job, record, tasks, WhenStale::Refuse).await
}

async fn fail(job: &Job<'_>, record: &mut Record<'_>, changes: &[Change], error: &Error) -> Result<()> {
    let stored = StoredError::new(error, job.culture);
    for change in changes {
        job.store.finish_change(record.run, change.number, ChangeResult::Failed, Some(&stored))?;
        record.tell(change, Some(ChangeResult::Failed), Some(error)).await;
    }
    Ok(())
}

fn guard(job: &Job<'_>, chosen: &Chosen, changes: &[Change]) -> Result<()> {
    let guard = job.store.guard(job.config)?;
    let window_ms = i64::from(guard.window_hours) * 3_600_000;
    let (removals_in_window, people_losing_last_in_window) =
        job.store.removals_since(job.surroundings.now_ms() - window_ms)?;
    let plan = Plan { changes: changes.to_vec() };
    let people = job.store.runs(&RunFilter { run: Some(chosen.run), ..RunFilter::default() })?;
    let input = GuardInput {
        removals: plan.recipients_losing(),
        removals_in_window,
        people_losing_last: plan.people_losing_last(),
        people_losing_last_in_window,
        people_at_last_read: job.store.last_complete_read()?.map(|last| last.people),
        people_looked_at: people.first().map_or(0, |run| run.counters.people),
        clock_skew_ms: job.exchange.clock_skew_ms(),
        ..GuardInput::default()
    };
    tripped(&input, &guard, &chosen.force).into_iter().next().map_or(Ok(()), |tripped| Err(tripped.into()))
}
