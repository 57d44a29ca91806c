//! A run whose target is the directory: read, judge, plan, guard, journal, change, read back, record.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use crate::config::{Config, DirectoryKind, LogLevel};
use crate::directory::{self, ReadReport, Selection, Writer};
use crate::error::{Category, Code, Error, Result};
use crate::people::{Person, RawValue};
use crate::planning::{Action, Change, GuardInput, Plan, Policy, Reason, Value, reason, skip_unresolved};
use crate::store::{ChangeResult, PolicyType, StoredError, WriteEnd};
use crate::trust::Sources;
use crate::validation::Need;

use super::apply::Outcome;
use super::backup::Backup;
use super::entry_writers::{EntryWriters, not_written};
use super::judge::Judge;
use super::learn::judge_all;
use super::observer::until_cancelled;
use super::record::{Record, policy_hash};
use super::{Phase, RunContext, guard};

/// People that wait between the directory and being judged.
const WAITING_PEOPLE: usize = 256;
/// People that are judged, and fetched for, at a time.
const BATCH: usize = 1000;

/// What is asked of a run over the directory.
pub(super) struct Request<'a> {
    pub(super) verb: &'static str,
    pub(super) selection: &'a Selection,
    pub(super) staging: bool,
    pub(super) force: &'a [String],
    pub(super) backup: Option<Backup>,
    /// Values that are judged for every person besides the person's own.
    pub(super) offered: &'a [RawValue],
}

/// What is done to a person's entry, from the person, its judged values and those offered.
pub(super) type Planner<'a> = dyn Fn(&Policy, &Person, &[Value], &[Value]) -> Vec<Change> + Sync + 'a;

/// A person with everything that is judged for it.
struct Item<'a> {
    /// The number of the directory the entry is in.
    directory: usize,
    person: Person,
    offered: &'a [RawValue],
    values: Vec<Value>,
    offers: Vec<Value>,
}

impl Item<'_> {
    fn judge(&mut self, judge: &Judge) {
        self.values = judge.person(&self.person);
        self.offers = self.offered.iter().map(|raw| judge.value(raw, &self.person.addresses)).collect();
    }

    fn needs(&self) -> BTreeSet<Need> {
        self.values.iter().chain(&self.offers).flat_map(|value| value.verdict.needs.iter().cloned()).collect()
    }
}

/// Plans, and unless staging makes, changes of entries. Rows go to the observer.
///
/// # Errors
/// `store_locked`; what ends a read, as nothing is written after a read that did not come to its end; `guard`; what would
/// meet every entry, such as a lost right. What concerns one entry is a row.
pub(super) async fn run(context: &RunContext<'_>, request: Request<'_>, planner: &Planner<'_>) -> Result<()> {
    let _lock = match request.staging {
        true => None,
        false => Some(context.store.lock_for_writing(context.surroundings.now_ms())?),
    };
    let scope = directory::scope_of(context.config)?;
    let hash = policy_hash(context, None);
    let mut record = Record::begin(*context, request.verb, PolicyType::Initial, request.staging, &scope, hash).await?;
    let outcome = work(context, &request, planner, &mut record).await;
    record.end(outcome).await
}

async fn work(
    context: &RunContext<'_>,
    request: &Request<'_>,
    planner: &Planner<'_>,
    record: &mut Record<'_>,
) -> Result<()> {
    let mut writers = match request.staging {
        true => None,
        false => Some(until_cancelled(context.observer, EntryWriters::open(context.config)).await?),
    };
    if let Some(writers) = &mut writers {
        settle(context, writers).await?;
    }
    let (mut changes, report) = planned(context, request, planner).await?;
    report.ended()?;
    record.counters.people = report.people;
    let unwritten = unwritten(context.config)?;
    let is_unwritten = |change: &Change| change.directory.as_ref().is_some_and(|name| unwritten.contains(name));
    changes.iter_mut().filter(|change| change.action.writes() && is_unwritten(change)).for_each(refuse);
    let plan = Plan::new(changes);
    record.counters.recipients = plan.changes.len() as u64;
    let rows = plan.changes.iter().map(|change| (change, standing_result(change)));
    context.store.record_changes(record.run, rows)?;
    stop(context, request, &plan, report.people).await?;
    for error in &report.unresolved {
        let change = skip_unresolved(error.get_target().unwrap_or_default(), error.category().name());
        record.tell(&change, Some(ChangeResult::Failed), Some(error)).await;
    }
    for change in plan.changes.iter().filter(|change| request.staging || !change.action.writes()) {
        let error = is_refused(change).then(|| not_written(change.directory.as_deref().unwrap_or_default()));
        if let Some(error) = &error {
            let stored = StoredError::new(error, context.culture);
            context.store.finish_change(record.run, change.number, ChangeResult::Failed, Some(&stored))?;
        }
        record.tell(change, Some(standing_result(change)), error.as_ref()).await;
    }
    let Some(mut writers) = writers else { return Ok(()) };
    let writes: Vec<&Change> = plan.changes.iter().filter(|change| change.action.writes()).collect();
    if let Some(backup) = &request.backup {
        backup.save(record.run, &writes)?;
    }
    context.observer.begin(Phase::Writing, writes.len());
    for change in writes {
        if context.observer.is_cancelled() {
            return Err(Error::new(Code::Cancelled));
        }
        let outcome = apply(context, record.run, &mut writers, change.clone()).await;
        record.tell_outcomes(std::slice::from_ref(&outcome)).await;
        if let Some(error) = outcome.error.filter(ends_the_run) {
            return Err(error);
        }
    }
    writers.close().await;
    Ok(())
}

/// The changes of everybody who is selected; of the people themselves nothing else stays in memory.
async fn planned(
    context: &RunContext<'_>,
    request: &Request<'_>,
    planner: &Planner<'_>,
) -> Result<(Vec<Change>, ReadReport)> {
    let at_ms = context.at_ms()?;
    let mut judge = Judge::new(context.config, &Sources::of(context.config), at_ms)?;
    let mut retriever = context.retriever();
    let policy = Policy::new(&context.config.policy, context.config.revocation.undetermined, at_ms);
    context.observer.begin(Phase::ReadingPeople, 0);
    let (sink, mut source) = mpsc::channel(WAITING_PEOPLE);
    let names = directory::labels(&context.config.all_directories()?);
    let reading = directory::read_apart(context.config, request.selection, sink);
    let taking = async {
        let (mut changes, mut people) = (Vec::new(), Vec::new());
        while source.recv_many(&mut people, BATCH).await > 0 {
            let living = people.drain(..).filter(|(_, person): &(usize, Person)| !person.deleted);
            let item = |(directory, person)| {
                let (values, offers) = (Vec::new(), Vec::new());
                Item { directory, person, offered: request.offered, values, offers }
            };
            let mut items: Vec<Item<'_>> = living.map(item).collect();
            let rejudge = |judge: &Judge, item: &mut Item<'_>| item.judge(judge);
            judge_all(&mut judge, retriever.as_mut(), context.observer, &mut items, rejudge, Item::needs).await?;
            for it in &items {
                let planned = planner(&policy, &it.person, &it.values, &it.offers).into_iter();
                changes.extend(planned.map(|change| Change { directory: names.get(it.directory).cloned(), ..change }));
            }
        }
        Ok::<_, Error>(changes)
    };
    let both = async {
        let (report, changes) = tokio::join!(reading, taking);
        Ok((changes?, report?))
    };
    let (changes, report) = until_cancelled(context.observer, both).await?;
    let count = vec![("count", report.people.to_string())];
    context.observer.event(LogLevel::Info, Code::PeopleRead, count).await;
    Ok((changes, report))
}

async fn stop(context: &RunContext<'_>, request: &Request<'_>, plan: &Plan, people: u64) -> Result<()> {
    let limits = context.store.guard(context.config)?;
    let window_ms = i64::from(limits.window_hours) * 3_600_000;
    let since_ms = context.surroundings.now_ms() - window_ms;
    let (removals_in_window, people_losing_last_in_window) = context.store.directory_removals_since(since_ms)?;
    let input = GuardInput {
        removals: plan.recipients_losing(),
        removals_in_window,
        people_losing_last: plan.people_losing_last(),
        people_losing_last_in_window,
        people_at_last_read: context.store.last_complete_read()?.map(|last| last.people),
        people_looked_at: people,
        ..GuardInput::default()
    };
    guard::stop(context, &input, &limits, request.force, request.staging).await
}

/// Leaves an entry that cannot be written as it is.
fn refuse(change: &mut Change) {
    change.action = Action::Skip;
    change.reason = Some(Reason::Borrowed(reason::READ_ONLY));
    change.loses_last = false;
}

fn is_refused(change: &Change) -> bool {
    change.action == Action::Skip && change.reason.as_deref() == Some(reason::READ_ONLY)
}

/// What a change is before anything was written.
fn standing_result(change: &Change) -> ChangeResult {
    match change.action {
        _ if is_refused(change) => ChangeResult::Failed,
        Action::Set | Action::Clear => ChangeResult::Planned,
        Action::None | Action::Skip => ChangeResult::Skipped,
    }
}

/// Names of directories that cannot be written beside one that can; where there is none, the run does not begin.
fn unwritten(config: &Config) -> Result<Vec<String>> {
    let directories = config.all_directories()?;
    let names = directory::labels(&directories);
    let is_file = |kind: DirectoryKind| kind == DirectoryKind::Ldif;
    if directories.iter().all(|directory| is_file(directory.kind)) {
        return Ok(Vec::new());
    }
    Ok(directories.iter().zip(names).filter(|(directory, _)| is_file(directory.kind)).map(|(_, name)| name).collect())
}

/// Whether an error will meet every other entry, too.
fn ends_the_run(error: &Error) -> bool {
    matches!(
        error.category(),
        Category::Network
            | Category::Timeout
            | Category::Auth
            | Category::Denied
            | Category::Store
            | Category::Locked
            | Category::Internal
    )
}

async fn apply(context: &RunContext<'_>, run: i64, writers: &mut EntryWriters, change: Change) -> Outcome {
    let number = change.number;
    let attempted = match writers.of(&change) {
        Ok(writer) => attempt(context, run, writer, change.clone()).await,
        Err(error) => Err(error),
    };
    match attempted {
        Ok(outcome) => outcome,
        Err(error) => {
            let stored = StoredError::new(&error, context.culture);
            // the row says it all the same where the store cannot
            let _ = context.store.finish_change(run, number, ChangeResult::Failed, Some(&stored));
            Outcome { change, result: Some(ChangeResult::Failed), error: Some(error) }
        }
    }
}

async fn attempt(context: &RunContext<'_>, run: i64, writer: &mut Writer, planned: Change) -> Result<Outcome> {
    let (person, dn) = entry_of(&planned);
    let standing = writer.read(person, dn).await?.ok_or_else(|| Error::new(Code::DirectoryNotFound).target(dn))?;
    let change = at_present(&planned, &standing.person)?;
    if !change.action.writes() {
        context.store.record_changes(run, [(&change, ChangeResult::Skipped)])?;
        return Ok(Outcome { change, result: None, error: None });
    }
    let attribute = change.attribute.ok_or_else(|| Error::new(Code::ChangeStale).target(dn))?;
    let entry = context.store.journal_begin(run, &change, context.surroundings.now_ms())?;
    let ended = match writer.change(&standing, attribute, &change.before, &change.after).await {
        Ok(true) => {
            context.store.journal_written(entry, context.surroundings.now_ms())?;
            read_back(writer, &change).await
        }
        Ok(false) => Err(Error::new(Code::ChangeStale).target(dn)),
        Err(error) => Err(error),
    };
    let error = match ended {
        // after these nobody knows: the journal's entry stays open, and the next run looks again
        Err(error) if matches!(error.category(), Category::Network | Category::Timeout) => return Err(error),
        ended => ended.err(),
    };
    let end =
        error.as_ref().map_or(WriteEnd::Verified, |error| WriteEnd::Failed(StoredError::new(error, context.culture)));
    context.store.journal_done(entry, &end, context.surroundings.now_ms())?;
    let result = if error.is_some() { ChangeResult::Failed } else { ChangeResult::Applied };
    Ok(Outcome { change, result: Some(result), error })
}

fn entry_of(change: &Change) -> (&str, &str) {
    (change.person.as_deref().unwrap_or_default(), change.recipient.as_deref().unwrap_or_default())
}

async fn read_back(writer: &mut Writer, change: &Change) -> Result<()> {
    let (person, dn) = entry_of(change);
    let standing = writer.read(person, dn).await?;
    let holds = standing.is_some_and(|now| change.took_effect(&held(&now.person, change)));
    if holds { Ok(()) } else { Err(Error::new(Code::DirectoryVerify).target(dn)) }
}

fn held(person: &Person, change: &Change) -> Vec<RawValue> {
    person.values.iter().filter(|value| Some(value.attribute) == change.attribute).cloned().collect()
}

/// The change on what the entry holds now: values that came meanwhile stay, what is gone or there already is no change.
///
/// # Errors
/// `change_stale` where it would take what no guard has counted.
fn at_present(planned: &Change, now: &Person) -> Result<Change> {
    let stale = || Error::new(Code::ChangeStale).target(now.distinguished_name.clone());
    if !now.complete {
        return Err(stale());
    }
    let before = held(now, planned);
    let goes = |value: &RawValue| planned.removed.iter().any(|item| item.sha256 == value.sha256);
    let is_held = |value: &RawValue| before.iter().any(|held| held.sha256 == value.sha256);
    let comes = |value: &RawValue| planned.added.iter().any(|item| item.sha256 == value.sha256) && !is_held(value);
    let mut change = planned.clone();
    change.after = before.iter().filter(|value| !goes(value)).cloned().collect();
    change.after.extend(planned.after.iter().filter(|value| comes(value)).cloned());
    change.removed.retain(|item| before.iter().any(|value| value.sha256 == item.sha256));
    change.added.retain(|item| !before.iter().any(|value| value.sha256 == item.sha256));
    change.before = before;
    if !change.removed.is_empty() && change.after.is_empty() && !planned.loses_last {
        let elsewhere = now.values.iter().any(|value| Some(value.attribute) != planned.attribute);
        if !elsewhere {
            return Err(stale());
        }
    }
    change.action = match (change.removed.is_empty() && change.added.is_empty(), change.after.is_empty()) {
        (true, _) => Action::None,
        (false, true) => Action::Clear,
        (false, false) => Action::Set,
    };
    Ok(change)
}

/// Says of each change that an earlier run left open whether the entry holds what was written.
async fn settle(context: &RunContext<'_>, writers: &mut EntryWriters) -> Result<()> {
    for open in context.store.open_directory_writes()? {
        let (person, dn) = entry_of(&open.change);
        let lost = |code| StoredError::new(&Error::new(code).target(dn), context.culture);
        // of a directory that is not there any more nobody knows
        let Some(found) = writers.find(&open.change, person, dn).await? else { continue };
        let end = match found {
            None => WriteEnd::Failed(lost(Code::DirectoryNotFound)),
            Some(now) => {
                let now = held(&now.person, &open.change);
                if open.change.took_effect(&now) {
                    WriteEnd::Verified
                } else {
                    WriteEnd::Differs(lost(Code::DirectoryVerify), now.iter().map(|value| value.sha256).collect())
                }
            }
        };
        context.store.journal_done(open.entry, &end, context.surroundings.now_ms())?;
    }
    Ok(())
}
