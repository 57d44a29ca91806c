//! A run from its beginning to its end.

use std::collections::HashSet;

use crate::directory::{self, Selection};
use crate::error::{Code, Error, Result};
use crate::planning::{Action, skip_unresolved};
use crate::store::{ChangeResult, DirectoryRead, KeptCursor, PolicyType, Retry, Spool};

use super::apply::WhenStale;
use super::extent::{Circumstances, Extent, extent};
use super::prepare::{Prepared, prepare};
use super::record::{Record, policy_hash};
use super::tasks::Tasks;
use super::tenant::TenantTrust;
use super::write_all::write_all;
use super::{Job, guard, read_form, tenant};

/// Rows that are in memory at a time on their way to the caller.
const ROWS_AT_A_TIME: u32 = 500;

/// What is asked of a run.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Which people are looked at.
    pub selection: Selection,
    /// Everybody or what changed; as the store has it if absent.
    pub policy_type: Option<PolicyType>,
    /// Whether nothing is written.
    pub staging: bool,
    /// Guards that are lifted for this run, and `scope`.
    pub force: Vec<String>,
}

/// Plans, and unless staging writes, what each recipient should hold. Rows go to the observer.
///
/// # Errors
/// `store_locked`; what ends a read; `guard` before the first write; `directory_incomplete` after the additions; what
/// would meet every recipient, such as a lost right. What concerns one recipient is a row.
pub async fn run(job: &Job<'_>, request: &Request) -> Result<()> {
    let _lock = match request.staging {
        true => None,
        false => Some(job.store.lock_for_writing(job.surroundings.now_ms())?),
    };
    let scope = directory::scope_of(job.config)?;
    let verb = if request.staging { "compare" } else { "sync" };
    let calls_before = job.exchange.calls().requests;
    read_form::expect(job)?;
    // what the tenant trusts belongs to what decides, so another one means to look at everybody
    let trust = tenant::read(job).await;
    let hash = policy_hash(job, trust.as_ref().ok());
    let circumstances = Circumstances {
        asked: request.policy_type,
        selection: &request.selection,
        scope: &scope,
        policy_hash: Some(&hash),
        now_ms: job.surroundings.now_ms(),
    };
    let extent = extent(job.store, job.config, circumstances)?;
    let policy_type = match extent {
        Extent::Everybody(_) => PolicyType::Initial,
        Extent::Changed(_) => PolicyType::Delta,
    };
    let mut record = Record::begin(job.context, verb, policy_type, request.staging, &scope, hash).await?;
    let outcome = match trust {
        Ok(trust) => work(job, request, extent, &trust, &mut record).await,
        Err(error) => Err(error),
    };
    let outcome = outcome.and_then(|()| read_form::keep(job));
    record.counters.requests = job.exchange.calls().requests - calls_before;
    record.end(outcome).await
}

async fn work(
    job: &Job<'_>,
    request: &Request,
    extent: Extent,
    trust: &TenantTrust,
    record: &mut Record<'_>,
) -> Result<()> {
    let (prepared, judge) = prepare(job, &request.selection, extent, trust, &request.force, !request.staging).await?;
    if prepared.gathered.changed.is_none() {
        record.looks_at_everybody()?;
    }
    record.counters.people = prepared.gathered.count() as u64;
    record.counters.recipients = prepared.recipients() as u64;
    job.store.record_planned(record.run, &prepared.gathered.spool)?;
    let limits = job.store.guard(job.config)?;
    let input = prepared.guard_input(job, limits.window_hours)?;
    guard::stop(job, &input, &limits, &request.force, request.staging).await?;
    for error in &prepared.gathered.report.unresolved {
        let change = skip_unresolved(error.get_target().unwrap_or_default(), error.category().name());
        record.tell(&change, Some(ChangeResult::Failed), Some(error)).await;
    }
    tell_rows(job, record, &prepared.gathered.spool, request.staging).await?;
    if !request.staging {
        let gathered = &prepared.gathered;
        let tasks = Tasks::new(&gathered.spool, &gathered.recipients, prepared.tally);
        write_all(job, record, tasks, WhenStale::PlanAnew(&prepared, &judge)).await?;
        remember(job, record, &prepared)?;
    }
    prepared.gathered.report.ended()
}

/// Tells of the rows that nothing more becomes of.
async fn tell_rows(job: &Job<'_>, record: &mut Record<'_>, spool: &Spool, staging: bool) -> Result<()> {
    let mut last = 0;
    loop {
        let changes = spool.rows_after(last, ROWS_AT_A_TIME)?;
        let Some(change) = changes.last() else { return Ok(()) };
        last = change.number;
        for change in changes.iter().filter(|change| staging || !change.action.writes()) {
            if job.observer.is_cancelled() {
                return Err(Error::new(Code::Cancelled));
            }
            let result = match change.action {
                Action::None => None,
                Action::Skip => Some(ChangeResult::Skipped),
                Action::Set | Action::Clear => Some(ChangeResult::Planned),
            };
            record.tell(change, result, None).await;
        }
    }
}

/// Remembers who was seen, once everything was tried.
fn remember(job: &Job<'_>, record: &Record<'_>, prepared: &Prepared) -> Result<()> {
    let scope = &prepared.scope;
    if !scope.everybody || (scope.changed && !scope.forced) {
        return Ok(());
    }
    let replaces = scope.last.as_ref().map(|last| last.scope.as_str()).filter(|last| *last != scope.hash);
    let at_ms = job.surroundings.now_ms();
    let (mut gone, mut forgotten) = (Vec::new(), Vec::new());
    for left in &prepared.gone {
        // while something of ours is left behind, who left it stays known
        let clean = match prepared.left_behind(left)? {
            Some(recipient) => job.store.ours(&recipient.identity)?.is_empty(),
            None => !left.contested,
        };
        if clean { forgotten.push(left.identity.as_str()) } else { gone.push(left.identity.as_str()) }
    }
    let report = &prepared.gathered.report;
    let cursor = report.cursor.as_ref().map(|cursor| (cursor, cursor.to_bytes()));
    let cursor =
        cursor.as_ref().map(|(cursor, bytes)| KeptCursor { method: cursor.method(), server: cursor.server(), bytes });
    let changed = prepared.gathered.changed.as_ref();
    let unseen = changed.into_iter().flat_map(|changed| &changed.unseen);
    let unseen = unseen.map(|identity| Retry { identity: identity.clone(), error_code: 0 });
    // a person whose values could not all be read
    let partly = prepared.gathered.spool.incomplete_people()?.into_iter();
    let partly = partly.map(|identity| Retry { identity, error_code: 0 });
    let rivals = rivals(job, prepared)?.into_iter().map(|identity| Retry { identity, error_code: 0 });
    let retries: Vec<_> = record.retries.iter().cloned().chain(unseen).chain(partly).chain(rivals).collect();
    job.store.record_read(&DirectoryRead {
        scope: &scope.hash,
        replaces,
        run: record.run,
        at_ms,
        is_complete: changed.is_none(),
        people: Some(&prepared.gathered.spool),
        gone: &gone,
        forgotten: &forgotten,
        retries: &retries,
        policy_hash: &record.policy_hash,
        cursor,
    })?;
    job.store.purge(job.store.keep_days(job.config)?, at_ms)?;
    Ok(())
}

/// Those who did not change and claimed a recipient that one who changed or is gone claimed as well: it may be theirs now.
fn rivals(job: &Job<'_>, prepared: &Prepared) -> Result<Vec<String>> {
    let Some(changed) = &prepared.gathered.changed else { return Ok(Vec::new()) };
    let mut looked_at: HashSet<String> = changed.gone.iter().cloned().collect();
    prepared.gathered.spool.each_person(|person| {
        looked_at.insert(person.identity);
        Ok(())
    })?;
    let mut rivals = Vec::new();
    for identity in &looked_at {
        let known = job.store.known_person(&prepared.scope.hash, identity)?;
        if let Some(recipient) = known.and_then(|known| known.claims) {
            let claimants = job.store.claimants(&prepared.scope.hash, &recipient)?;
            rivals.extend(claimants.into_iter().filter(|other| !looked_at.contains(other)));
        }
    }
    Ok(rivals)
}
