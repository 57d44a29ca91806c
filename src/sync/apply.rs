//! One recipient's changes carried out: read again where needed, journalled, written, compared with what is read back.

use std::sync::Arc;

use crate::certificate::Attribute;
use crate::config::LogLevel;
use crate::error::{Category, Code, Error, Result};
use crate::exchange::Exchange;
use crate::people::{RawValue, Recipient, RecipientClass};
use crate::planning::{Action, Change, reason};
use crate::store::{ChangeResult, StoredError, WriteEnd};

use super::prepare::Prepared;
use super::{Job, Judge};

/// How old a reading may be before a write, in milliseconds (contract, "What a run does").
const READING_HOLDS_MS: i64 = 300_000;

/// What became of a change.
pub(super) struct Outcome {
    pub(super) change: Change,
    /// Nothing for a change that turned out to be none.
    pub(super) result: Option<ChangeResult>,
    pub(super) error: Option<Error>,
}

/// What to do about a recipient that is no longer as it was when its changes were planned.
#[derive(Clone, Copy)]
pub(super) enum WhenStale<'a> {
    /// Plan it anew.
    PlanAnew(&'a Prepared, &'a Judge),
    /// Leave it alone.
    Refuse,
}

/// The changes of one recipient, in one write.
pub(super) struct Task {
    pub(super) recipient: Recipient,
    /// When the recipient was read, in milliseconds since 1970 UTC.
    pub(super) read_ms: i64,
    pub(super) changes: Vec<Change>,
}

impl Task {
    /// Whether the recipient was read too long ago for a write.
    pub(super) fn is_stale(&self, job: &Job<'_>) -> bool {
        !(0..READING_HOLDS_MS).contains(&(job.surroundings.now_ms() - self.read_ms))
    }
}

/// Changes of one recipient that were written, and that nobody has read back yet.
pub(super) struct Written {
    /// The recipient's.
    pub(super) identity: String,
    class: RecipientClass,
    changes: Vec<Change>,
    /// The journal's entries, in the order of the changes.
    entries: Vec<i64>,
    /// Why the service said that the write failed, where that is not certain.
    refused: Option<Error>,
}

impl Written {
    /// Whether the service said that the write was done.
    pub(super) fn is_accepted(&self) -> bool {
        self.refused.is_none()
    }

    /// What is kept of one that was accepted while it waits for a list; the journal has the changes.
    pub(super) fn wait(self) -> Waiting {
        let numbers = self.changes.iter().map(|change| change.number).collect();
        Waiting { class: self.class, numbers, entries: self.entries }
    }
}

/// Changes of one recipient that were written, accepted, and are read back together with those of others.
pub(super) struct Waiting {
    class: RecipientClass,
    numbers: Vec<u32>,
    entries: Vec<i64>,
}

impl Waiting {
    /// The changes again, as the journal has them.
    pub(super) fn written(self, job: &Job<'_>, run: i64, identity: String) -> Result<Written> {
        let Self { class, numbers, entries } = self;
        let changes = numbers.into_iter().map(|number| job.store.change(run, number)).collect::<Result<_>>()?;
        Ok(Written { identity, class, changes, entries, refused: None })
    }
}

/// What became of the changes of one recipient.
#[derive(Default)]
pub(super) struct Applied {
    /// Changes that have ended.
    pub(super) outcomes: Vec<Outcome>,
    /// Changes that are still to be read back.
    pub(super) written: Option<Written>,
}

/// Writes the changes of one recipient. A failure is an outcome of its changes.
pub(super) async fn apply(job: &Job<'_>, run: i64, task: Task, stale: WhenStale<'_>) -> Applied {
    let changes = task.changes.clone();
    match attempt(job, run, task, stale).await {
        Ok(applied) => applied,
        Err(error) => Applied { outcomes: failed(job, run, changes, &error), written: None },
    }
}

fn failed(job: &Job<'_>, run: i64, changes: Vec<Change>, error: &Error) -> Vec<Outcome> {
    let stored = StoredError::new(error, job.culture);
    let fail = |change: Change| {
        // the row says it all the same where the store cannot
        let _ = job.store.finish_change(run, change.number, ChangeResult::Failed, Some(&stored));
        Outcome { change, result: Some(ChangeResult::Failed), error: Some(error.clone()) }
    };
    changes.into_iter().map(fail).collect()
}

async fn attempt(job: &Job<'_>, run: i64, task: Task, stale: WhenStale<'_>) -> Result<Applied> {
    let is_stale = task.is_stale(job);
    let Task { mut recipient, mut changes, .. } = task;
    let mut applied = Applied::default();
    let exchange = job.exchange.for_one_object();
    if changes.iter().any(Change::removes) || is_stale {
        recipient = exchange.get_in_class(recipient.class, &recipient.identity).await?;
    }
    // a list may have read it again since it was planned, too
    if !all_hold(&changes, &recipient)? {
        let (anew, settled) = plan_anew(job, run, &changes, &recipient, stale).await?;
        changes = anew;
        applied.outcomes = settled;
    }
    if exchange.refuses(&recipient) {
        // asked for once, it would be refused to everybody mastered there: a storm of errors about one fact
        applied.outcomes.extend(skip_synced(job, run, changes)?);
    } else if !changes.is_empty() {
        let Applied { outcomes, written } = write(job, run, &exchange, recipient, changes).await?;
        applied.outcomes.extend(outcomes);
        applied.written = written;
    }
    Ok(applied)
}

/// Leaves a recipient alone that is mastered on-premises.
fn skip_synced(job: &Job<'_>, run: i64, changes: Vec<Change>) -> Result<Vec<Outcome>> {
    let skip = |mut change: Change| {
        change.skip(reason::DIR_SYNCED);
        job.store.record_changes(run, [(&change, ChangeResult::Skipped)])?;
        Ok(Outcome { change, result: Some(ChangeResult::Skipped), error: None })
    };
    changes.into_iter().map(skip).collect()
}

fn all_hold(changes: &[Change], recipient: &Recipient) -> Result<bool> {
    for change in changes {
        if !change.still_holds(&held(recipient, change.attribute)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a recipient holds.
///
/// # Errors
/// `exchange_unreadable`.
pub(super) fn held(recipient: &Recipient, attribute: Option<Attribute>) -> Result<Vec<RawValue>> {
    let values = attribute.and_then(|attribute| Some((attribute, recipient.values(attribute)?)));
    let (attribute, values) =
        values.ok_or_else(|| Error::new(Code::ExchangeUnreadable).target(recipient.identity.clone()))?;
    Ok(values.iter().map(|bytes| RawValue::new(attribute, Arc::clone(bytes))).collect())
}

/// The changes that are still to be written after planning anew, and those that settled themselves.
async fn plan_anew(
    job: &Job<'_>,
    run: i64,
    changes: &[Change],
    recipient: &Recipient,
    stale: WhenStale<'_>,
) -> Result<(Vec<Change>, Vec<Outcome>)> {
    let refused = || Error::new(Code::ChangeStale).target(recipient.identity.clone());
    let WhenStale::PlanAnew(prepared, judge) = stale else { return Err(refused()) };
    let person = changes.iter().find_map(|change| change.person.as_deref()).ok_or_else(refused)?;
    job.observer.event(LogLevel::Info, Code::PlannedAnew, vec![("recipient", recipient.identity.clone())]).await;
    let mut anew = prepared.anew(job, judge, person, recipient)?;
    for change in &mut anew {
        let replaced = changes.iter().find(|old| (&old.person, old.attribute) == (&change.person, change.attribute));
        change.number = replaced.map_or(0, |old| old.number);
    }
    // rows that were none or skipped before were already told and stay as they were
    let told = |change: &Change| changes.iter().any(|old| old.attribute == change.attribute);
    // what no guard has counted waits for a run whose guards do
    let uncounted = |change: &Change| {
        changes
            .iter()
            .filter(|old| old.attribute == change.attribute)
            .any(|old| (change.removes() && !old.removes()) || (change.loses_last && !old.loses_last))
    };
    if anew.iter().any(uncounted) {
        return Err(refused());
    }
    let (mut write, mut settled) = (Vec::new(), Vec::new());
    for change in anew.into_iter().filter(told) {
        if change.action.writes() {
            write.push(change);
        } else {
            job.store.record_changes(run, [(&change, ChangeResult::Skipped)])?;
            let result = (change.action == Action::Skip).then_some(ChangeResult::Skipped);
            settled.push(Outcome { change, result, error: None });
        }
    }
    Ok((write, settled))
}

/// How a write of one attribute ended.
enum End {
    /// It was read back as it should be.
    Verified,
    /// It had no effect.
    Refused(Error),
    /// It may have had one, or may still have: the journal's entry stays open, and the next run looks again.
    Unknown(Error),
}

async fn write(
    job: &Job<'_>,
    run: i64,
    exchange: &Exchange,
    recipient: Recipient,
    changes: Vec<Change>,
) -> Result<Applied> {
    let mut entries = Vec::new();
    for change in &changes {
        entries.push(job.store.journal_begin(run, change, job.surroundings.now_ms())?);
    }
    let bytes = |change: &Change| change.after.iter().map(|value| Arc::clone(&value.bytes)).collect::<Vec<_>>();
    let values: Vec<_> = changes.iter().filter_map(|change| Some((change.attribute?, bytes(change)))).collect();
    let refused = exchange.write(&recipient, &values).await.err();
    if refused.is_none() {
        for entry in &entries {
            job.store.journal_written(*entry, job.surroundings.now_ms())?;
        }
    }
    let definite = refused.clone().filter(is_definite);
    let written = Written { identity: recipient.identity, class: recipient.class, changes, entries, refused };
    match definite {
        Some(error) => {
            let ends = written.changes.iter().map(|_| End::Refused(error.clone())).collect();
            Ok(Applied { outcomes: end(job, run, written, ends)?, written: None })
        }
        None => Ok(Applied { outcomes: Vec::new(), written: Some(written) }),
    }
}

/// Ends changes in the journal and in the run's record.
fn end(job: &Job<'_>, run: i64, written: Written, ends: Vec<End>) -> Result<Vec<Outcome>> {
    let Written { changes, entries, .. } = written;
    let mut outcomes = Vec::new();
    for ((change, entry), end) in changes.into_iter().zip(entries).zip(ends) {
        let stored = |error: &Error| StoredError::new(error, job.culture);
        let now_ms = job.surroundings.now_ms();
        let error = match end {
            End::Verified => {
                job.store.journal_done(entry, &WriteEnd::Verified, now_ms)?;
                None
            }
            End::Refused(error) => {
                job.store.journal_done(entry, &WriteEnd::Failed(stored(&error)), now_ms)?;
                Some(error)
            }
            End::Unknown(error) => {
                job.store.finish_change(run, change.number, ChangeResult::Failed, Some(&stored(&error)))?;
                Some(error)
            }
        };
        let result = if error.is_some() { ChangeResult::Failed } else { ChangeResult::Applied };
        outcomes.push(Outcome { change, result: Some(result), error });
    }
    Ok(outcomes)
}

/// Whether a refused write had no effect for certain.
pub(super) fn is_definite(error: &Error) -> bool {
    // the service's own failures come as refusals, too, and may have had their effect
    matches!(error.category(), Category::NotFound | Category::Ambiguous | Category::Auth | Category::Denied)
}

/// Whether an error is the service's own answer, after which it no longer works on the write.
pub(super) fn is_answer(error: &Error) -> bool {
    !matches!(error.category(), Category::Network | Category::Timeout)
}

/// Reads one recipient back and ends its changes.
pub(super) async fn read_back(job: &Job<'_>, run: i64, written: Written) -> Vec<Outcome> {
    let changes = written.changes.clone();
    // reading back has a time of its own, because it alone says whether the write had its effect
    let exchange = job.exchange.for_one_object();
    let ended = match exchange.get_in_class(written.class, &written.identity).await {
        Ok(now) => compare(job, run, written, &now),
        // where neither works, why the write did not says more; the journal's entries stay open
        Err(error) => Err(written.refused.unwrap_or(error)),
    };
    ended.unwrap_or_else(|error| failed(job, run, changes, &error))
}

/// Leaves changes as they are: the journal's entries stay open, and the next run looks again.
pub(super) fn leave(job: &Job<'_>, run: i64, written: Written, error: &Error) -> Vec<Outcome> {
    failed(job, run, written.changes, error)
}

/// Ends changes whose recipient holds what was written; those of any other come back unchanged.
pub(super) fn verify(
    job: &Job<'_>,
    run: i64,
    written: Written,
    now: &Recipient,
) -> std::result::Result<Vec<Outcome>, Box<Written>> {
    let is_made = |change: &Change| held(now, change.attribute).is_ok_and(|held| change.is_made(&held));
    if !written.changes.iter().all(is_made) {
        return Err(Box::new(written));
    }
    let changes = written.changes.clone();
    Ok(compare(job, run, written, now).unwrap_or_else(|error| failed(job, run, changes, &error)))
}

/// Ends changes by what their recipient holds now.
fn compare(job: &Job<'_>, run: i64, written: Written, now: &Recipient) -> Result<Vec<Outcome>> {
    let refused = written.refused.as_ref();
    // another of the service's servers may answer with what was there before, so this says nothing for good
    let differs = || refused.cloned().unwrap_or_else(|| Error::new(Code::ExchangeVerify).target(now.identity.clone()));
    let check = |change: &Change| match held(now, change.attribute) {
        Ok(held) if change.is_made(&held) => End::Verified,
        // the service has answered and nothing came of it
        Ok(held) if refused.is_some_and(is_answer) && change.still_holds(&held) => End::Refused(differs()),
        Ok(_) => End::Unknown(differs()),
        Err(error) => End::Unknown(error),
    };
    let ends = written.changes.iter().map(check).collect();
    end(job, run, written, ends)
}
