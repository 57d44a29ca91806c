//! Changes of a compared run, carried out as they were planned, where the recipient is still as it was then.

use std::collections::BTreeMap;

use crate::error::{Code, Error, Result};
use crate::people::RecipientKeys;
use crate::planning::{Change, GuardInput, Plan};
use crate::store::{ChangeFilter, ChangeResult, PolicyType, RunFilter, Spool, StoredError};

use super::apply::WhenStale;
use super::observer::until_cancelled;
use super::record::{Record, policy_hash};
use super::settle::settle_one_by_one;
use super::tasks::Tasks;
use super::write_all::write_all;
use super::{Job, guard, read_form};

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
    let hash = policy_hash(job, None);
    let mut record = Record::begin(job.context, "sync", PolicyType::Initial, chosen.staging, &scope, hash).await?;
    let calls_before = job.exchange.calls().requests;
    let outcome = work(job, chosen, changes, &mut record).await;
    let outcome = outcome.and_then(|()| read_form::keep(job));
    record.counters.requests = job.exchange.calls().requests - calls_before;
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
        guard_changes(job, chosen, &write).await?;
        for change in &write {
            record.tell(change, Some(ChangeResult::Planned), None).await;
        }
        return Ok(());
    }
    read_form::expect(job)?;
    settle_one_by_one(job).await?;
    let mut by_recipient: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    for change in &write {
        by_recipient.entry(change.recipient.as_deref().unwrap_or_default()).or_default().push(change.clone());
    }
    let (spool, mut keys, mut lost) = (Spool::new()?, RecipientKeys::default(), Vec::new());
    for (identity, changes) in by_recipient {
        match until_cancelled(job.observer, job.exchange.get(identity)).await {
            Ok(recipient) if recipient.identity != identity => {
                lost.push((changes, Error::new(Code::ExchangeNotFound).target(identity)));
            }
            Ok(recipient) => {
                // the time 0 has the recipient read again just before the write
                spool.put_recipient(keys.add(&recipient), &recipient, 0)?;
                changes.iter().try_for_each(|change| spool.add_row(change))?;
            }
            Err(error) if error.code() == Code::ExchangeNotFound => lost.push((changes, error)),
            Err(error) => return Err(error),
        }
    }
    // after the service was spoken to, because its clock is one of the things guarded
    guard_changes(job, chosen, &write).await?;
    for (changes, error) in &lost {
        fail(job, record, changes, error).await?;
    }
    let (recipients, tally) = (keys.into_index(), spool.tally()?);
    record.counters.recipients = tally.recipients_written;
    write_all(job, record, Tasks::new(&spool, &recipients, tally), WhenStale::Refuse).await
}

async fn fail(job: &Job<'_>, record: &mut Record<'_>, changes: &[Change], error: &Error) -> Result<()> {
    let stored = StoredError::new(error, job.culture);
    for change in changes {
        job.store.finish_change(record.run, change.number, ChangeResult::Failed, Some(&stored))?;
        record.tell(change, Some(ChangeResult::Failed), Some(error)).await;
    }
    Ok(())
}

async fn guard_changes(job: &Job<'_>, chosen: &Chosen, changes: &[Change]) -> Result<()> {
    let limits = job.store.guard(job.config)?;
    let window_ms = i64::from(limits.window_hours) * 3_600_000;
    let (removals_in_window, people_losing_last_in_window) =
        job.store.removals_since(job.surroundings.now_ms() - window_ms)?;
    let plan = Plan { changes: changes.to_vec() };
    let compared = job.store.runs(&RunFilter { run: Some(chosen.run), ..RunFilter::default() })?;
    let input = GuardInput {
        removals: plan.recipients_losing(),
        removals_in_window,
        people_losing_last: plan.people_losing_last(),
        people_losing_last_in_window,
        people_at_last_read: job.store.last_complete_read()?.map(|last| last.people),
        people_looked_at: compared.first().map_or(0, |run| run.counters.people),
        clock_skew_ms: job.exchange.clock_skew_ms(),
        ..GuardInput::default()
    };
    guard::stop(job, &input, &limits, &chosen.force, chosen.staging).await
}
