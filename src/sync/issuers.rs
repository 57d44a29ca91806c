//! A run over the authorities that the tenant trusts: which ones people need, held against those it has, and uploaded.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use crate::certificate::{Attribute, Certificate, SerializedStore, Sha256, SmimeValue};
use crate::config::LogLevel;
use crate::directory::{self, ReadReport, Selection};
use crate::error::{Code, Error, Result};
use crate::exchange::{Exchange, MAX_STORE_BYTES};
use crate::people::{Person, RawValue};
use crate::planning::{
    Action, Change, GuardInput, IssuerLimits, IssuerPlan, IssuersPlan, Needed, Policy, TenantStore, Value, plan_issuers,
};
use crate::store::{ChangeResult, PolicyType, StoredError, WriteEnd};
use crate::trust::Sources;
use crate::validation::{Audience, Use, authorities};

use super::apply::{is_answer, is_definite};
use super::learn::judge_all;
use super::observer::until_cancelled;
use super::record::{Record, policy_hash};
use super::tenant::{self, TenantTrust};
use super::{Job, Judge, Phase, RunContext, guard};

/// People that wait between the directory and being judged.
const WAITING_PEOPLE: usize = 256;
/// People that are judged, and fetched for, at a time.
const BATCH: usize = 1000;
/// Waits before each reading back, in milliseconds: the tenant's servers do not all know at once.
const READ_BACK_MS: [u64; 4] = [0, 2_000, 4_000, 8_000];

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct IssuersRequest {
    /// Whose certificates count.
    pub selection: Selection,
    /// Where the collection is written to.
    pub path: Option<PathBuf>,
    /// Whether the tenant gets it.
    pub upload: bool,
    /// Guards that are lifted.
    pub force: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Issuers {
    /// The run, of an upload.
    pub run: Option<i64>,
    /// The authorities.
    pub issuers: Vec<IssuerPlan>,
    /// What became of additions and removals; `None` where nothing was to be written.
    pub result: Option<ChangeResult>,
    /// Why they failed.
    pub failure: Option<Error>,
    /// Identities nobody was found for.
    pub unresolved: Vec<Error>,
    /// What ended it, once the rows are told.
    pub error: Option<Error>,
}

/// Says which authorities the tenant should trust for people's certificates, and makes it so where that is asked. An
/// upload is a run of its own, on record with the bytes before and after. Without a tenant nobody says what it has.
///
/// # Errors
/// None by itself: they come with what was found out before.
pub async fn issuers(context: &RunContext<'_>, exchange: Option<&Exchange>, request: &IssuersRequest) -> Issuers {
    let mut found = Issuers::default();
    let ended = match exchange {
        Some(exchange) if request.upload => upload(&Job { context: *context, exchange }, request, &mut found).await,
        Some(exchange) => list(context, Some(&Job { context: *context, exchange }), request, &mut found).await,
        None => list(context, None, request, &mut found).await,
    };
    found.error = ended.err();
    found
}

async fn list(
    context: &RunContext<'_>,
    job: Option<&Job<'_>>,
    request: &IssuersRequest,
    found: &mut Issuers,
) -> Result<()> {
    let trust = match job {
        Some(job) => Some(tenant::read(job).await?),
        None => None,
    };
    if let Some(trust) = &trust {
        trust.judging(context).await?;
    }
    let (needed, report) = needed(context, &request.selection).await?;
    found.unresolved.clone_from(&report.unresolved);
    let plan = plan(context, needed, &report, trust.as_ref().map_or(TenantStore::Unknown, TenantTrust::store))?;
    found.issuers.clone_from(&plan.issuers);
    save(request, &plan)?;
    report.ended()
}

/// The plan for what the tenant has.
fn plan(
    context: &RunContext<'_>,
    needed: Vec<Needed>,
    report: &ReadReport,
    store: TenantStore<'_>,
) -> Result<IssuersPlan> {
    let limits = IssuerLimits {
        at_ms: context.at_ms()?,
        now_ms: context.surroundings.now_ms(),
        max_bytes: MAX_STORE_BYTES,
        additions_only: report.incomplete_reason.is_some(),
    };
    Ok(plan_issuers(needed, store, &limits))
}

/// Writes the collection to a file, where one is named.
fn save(request: &IssuersRequest, plan: &IssuersPlan) -> Result<()> {
    let Some(path) = &request.path else { return Ok(()) };
    let bytes = whole(plan)?;
    write_file(path, bytes).map_err(|error| {
        Error::new(Code::FileUnwritable).target(path.display().to_string()).with("detail", error.to_string())
    })
}

/// A file that is there already is replaced whole or not at all.
fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.partial", uuid::Uuid::new_v4().simple()));
    let beside = path.with_file_name(name);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    let placed = written.and_then(|()| std::fs::rename(&beside, path));
    placed.inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

/// The collection that is planned.
///
/// # Errors
/// `exchange_issuers_too_large`, `exchange_issuers` where what there is cannot be added to.
fn whole(plan: &IssuersPlan) -> Result<&[u8]> {
    if let Some(bytes) = plan.too_large {
        let error = Error::new(Code::ExchangeIssuersTooLarge).with("bytes", bytes.to_string());
        return Err(error.with("limit", MAX_STORE_BYTES.to_string()));
    }
    let broken = || Error::new(Code::ExchangeIssuers).with("detail", "it is not a whole serialized store");
    plan.after.as_deref().ok_or_else(broken)
}

async fn upload(job: &Job<'_>, request: &IssuersRequest, found: &mut Issuers) -> Result<()> {
    let _lock = job.store.lock_for_writing(job.surroundings.now_ms())?;
    let scope = directory::scope_of(job.config)?;
    let hash = policy_hash(job, None);
    let mut record = Record::begin(job.context, "issuers", PolicyType::Initial, false, &scope, hash).await?;
    found.run = Some(record.run);
    let calls_before = job.exchange.calls().requests;
    let outcome = work(job, request, &mut record, found).await;
    record.counters.requests = job.exchange.calls().requests - calls_before;
    record.end(outcome).await
}

async fn work(job: &Job<'_>, request: &IssuersRequest, record: &mut Record<'_>, found: &mut Issuers) -> Result<()> {
    // a lacking right shows before everybody is read
    let held = held(job).await?;
    settle(job, held.as_deref())?;
    let (needed, report) = needed(job, &request.selection).await?;
    found.unresolved.clone_from(&report.unresolved);
    record.counters.people = report.people;
    record.counters.recipients = 1;
    // others may have changed it while people were read
    let held = self::held(job).await?;
    let plan = plan(job, needed, &report, held.as_deref().map_or(TenantStore::Absent, TenantStore::Held))?;
    found.issuers.clone_from(&plan.issuers);
    save(request, &plan)?;
    let after = whole(&plan)?;
    let change = change(job, &plan, held.as_deref(), after);
    if change.action == Action::None {
        record.count(&change, None);
        return report.ended();
    }
    job.store.record_changes(record.run, [(&change, ChangeResult::Planned)])?;
    found.result = Some(ChangeResult::Planned);
    stop(job, request, &change, report.people).await?;
    if job.observer.is_cancelled() {
        return Err(Error::new(Code::Cancelled));
    }
    job.observer.begin(Phase::Writing, 1);
    let written = write(job, record.run, &change).await;
    let result = if written.is_ok() { ChangeResult::Applied } else { ChangeResult::Failed };
    (found.result, found.failure) = (Some(result), written.as_ref().err().cloned());
    record.count(&change, found.result);
    written?;
    job.observer.step();
    report.ended()
}

/// The tenant's collection; `None` where it has none.
async fn held(job: &Job<'_>) -> Result<Option<Vec<u8>>> {
    until_cancelled(job.observer, job.exchange.issuing_certificates()).await
}

/// What an upload does, as the store keeps it: the whole collection before and after.
fn change(job: &Job<'_>, plan: &IssuersPlan, before: Option<&[u8]>, after: &[u8]) -> Change {
    let value = |bytes: &[u8]| RawValue::new(Attribute::IssuingCertificates, bytes);
    let tenant = job.config.exchange.as_ref().and_then(|exchange| exchange.organization.clone());
    let removed = plan.removed();
    Change {
        number: 1,
        person: None,
        recipient: tenant,
        directory: None,
        primary_smtp_address: None,
        attribute: Some(Attribute::IssuingCertificates),
        action: if plan.changes() { Action::Set } else { Action::None },
        before: before.map(value).into_iter().collect(),
        after: vec![value(after)],
        added: plan.added(),
        reason: removed.first().and_then(|item| item.reason.clone()),
        removed,
        losers: Vec::new(),
        loses_last: false,
    }
}

/// The tenant counts as one recipient.
async fn stop(job: &Job<'_>, request: &IssuersRequest, change: &Change, people: u64) -> Result<()> {
    let limits = job.store.guard(job.config)?;
    let window_ms = i64::from(limits.window_hours) * 3_600_000;
    let input = GuardInput {
        removals: u64::from(change.removes()),
        removals_in_window: job.store.issuer_removals_since(job.surroundings.now_ms() - window_ms)?,
        people_at_last_read: job.store.last_complete_read()?.map(|last| last.people),
        people_looked_at: people,
        clock_skew_ms: job.exchange.clock_skew_ms(),
        ..GuardInput::default()
    };
    guard::stop(job, &input, &limits, &request.force, false).await
}

/// How an upload ended.
enum End {
    Verified,
    /// It had no effect.
    Refused(Error),
    /// It may have had one: the journal's entry stays open, and the next upload looks again.
    Unknown(Error),
}

async fn write(job: &Job<'_>, run: i64, change: &Change) -> Result<()> {
    let now_ms = || job.surroundings.now_ms();
    let Some(after) = change.after.first() else { return Ok(()) };
    let entry = job.store.journal_begin(run, change, now_ms())?;
    let refused = job.exchange.for_one_object().set_issuing_certificates(&after.bytes).await.err();
    if refused.is_none() {
        job.store.journal_written(entry, now_ms())?;
    }
    let end = match refused {
        Some(error) if is_definite(&error) => End::Refused(error),
        refused => read_back(job, change, refused).await,
    };
    let stored = |error: &Error| StoredError::new(error, job.culture);
    match end {
        End::Verified => job.store.journal_done(entry, &WriteEnd::Verified, now_ms()),
        End::Refused(error) => {
            job.store.journal_done(entry, &WriteEnd::Failed(stored(&error)), now_ms())?;
            Err(error)
        }
        End::Unknown(error) => {
            job.store.finish_change(run, change.number, ChangeResult::Failed, Some(&stored(&error)))?;
            Err(error)
        }
    }
}

/// Reads the collection until it is what was written, some times.
async fn read_back(job: &Job<'_>, change: &Change, refused: Option<Error>) -> End {
    let exchange = job.exchange.for_one_object();
    let is =
        |values: &[RawValue], now: Option<&[u8]>| contents(values.first().map(|it| &it.bytes[..])) == contents(now);
    for wait_ms in READ_BACK_MS {
        if wait_ms > 0 {
            if job.observer.is_cancelled() {
                return End::Unknown(Error::new(Code::Cancelled));
            }
            job.surroundings.sleep(wait_ms).await;
        }
        match (exchange.issuing_certificates().await, &refused) {
            (Ok(now), _) if is(&change.after, now.as_deref()) => return End::Verified,
            // the service has answered and nothing came of it
            (Ok(now), Some(error)) if is_answer(error) && is(&change.before, now.as_deref()) => {
                return End::Refused(error.clone());
            }
            (Ok(_), _) => {}
            (Err(error), refused) => return End::Unknown(refused.clone().unwrap_or(error)),
        }
    }
    End::Unknown(refused.unwrap_or_else(|| Error::new(Code::ExchangeVerify)))
}

/// What a collection holds, whatever its order and properties; bytes that are no collection are themselves.
fn contents(store: Option<&[u8]>) -> Vec<Sha256> {
    let Some(bytes) = store else { return Vec::new() };
    let mut digests = match SerializedStore::parse(bytes) {
        Some(store) => store.entries.iter().map(|entry| entry.sha256()).collect(),
        None => vec![Sha256::of(bytes)],
    };
    digests.sort();
    digests.dedup();
    digests
}

/// Says of each upload that an earlier run left open whether the tenant has what was uploaded.
fn settle(job: &Job<'_>, now: Option<&[u8]>) -> Result<()> {
    let store = match now.map(SerializedStore::parse) {
        None => SerializedStore::default(),
        Some(Some(store)) => store,
        // what cannot be read says nothing about what became of an upload
        Some(None) => return Ok(()),
    };
    for open in job.store.open_issuer_writes()? {
        let value = |content: &[u8]| RawValue::new(Attribute::IssuingCertificates, content);
        let held: Vec<_> = store.entries.iter().map(|entry| value(entry.content())).collect();
        let end = if open.change.took_effect(&held) {
            WriteEnd::Verified
        } else {
            let error = Error::new(Code::ExchangeVerify);
            let digests = held.iter().map(|value| value.sha256).collect();
            WriteEnd::Differs(StoredError::new(&error, job.culture), digests)
        };
        job.store.journal_done(open.entry, &end, job.surroundings.now_ms())?;
    }
    Ok(())
}

/// Somebody under judgement.
struct Item {
    person: Person,
    values: Vec<Value>,
}

/// The authorities above every certificate that would be published, whatever the tenant trusts now.
async fn needed(context: &RunContext<'_>, selection: &Selection) -> Result<(Vec<Needed>, ReadReport)> {
    let at_ms = context.at_ms()?;
    let mut judge = Judge::new(context.config, &Sources::of(context.config), at_ms)?;
    let mut retriever = context.retriever();
    let policy = Policy::new(&context.config.policy, context.config.revocation.undetermined, at_ms);
    context.observer.begin(Phase::ReadingPeople, 0);
    let (sink, mut source) = mpsc::channel(WAITING_PEOPLE);
    let taking = async {
        let (mut found, mut people) = (HashMap::<Sha256, Needed>::new(), Vec::new());
        while source.recv_many(&mut people, BATCH).await > 0 {
            let living = people.drain(..).filter(|person: &Person| !person.deleted);
            let mut items: Vec<_> = living.map(|person| Item { person, values: Vec::new() }).collect();
            let rejudge = |judge: &Judge, item: &mut Item| item.values = judge.person(&item.person);
            let needs = |item: &Item| item.values.iter().flat_map(|it| it.verdict.needs.iter().cloned()).collect();
            judge_all(&mut judge, retriever.as_mut(), context.observer, &mut items, rejudge, needs).await?;
            for item in &items {
                for (digest, certificate) in of_person(&judge, &policy, item) {
                    found.entry(digest).or_insert(Needed { certificate, people: 0 }).people += 1;
                }
            }
        }
        Ok::<_, Error>(found)
    };
    let both = async {
        let (report, found) = tokio::join!(directory::read_all(context.config, selection, sink), taking);
        Ok((found?, report?))
    };
    let (found, report) = until_cancelled(context.observer, both).await?;
    let count = vec![("count", report.people.to_string())];
    context.observer.event(LogLevel::Info, Code::PeopleRead, count).await;
    Ok((found.into_values().collect(), report))
}

fn of_person(judge: &Judge, policy: &Policy, item: &Item) -> HashMap<Sha256, Certificate> {
    let audience = Audience { addresses: &item.person.addresses };
    let published = item
        .values
        .iter()
        .filter(|value| policy.attributes.contains(&value.attribute) && policy.counts_as_fit(value, Use::Both));
    let above = published.flat_map(|value| {
        let value = SmimeValue::parse(std::sync::Arc::clone(&value.bytes));
        authorities(&value, Some(&audience), &judge.evidence, &judge.rules)
    });
    above.map(|certificate| (certificate.sha256, certificate)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_lies_beside_a_file_is_neither_followed_nor_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let [path, beside, elsewhere] =
            ["issuers.sst", "issuers.sst.new", "elsewhere"].map(|name| folder.path().join(name));
        std::fs::write(&elsewhere, "mine").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &beside).unwrap();
        write_file(&path, b"1").unwrap();
        write_file(&path, b"2").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"2");
        assert_eq!(std::fs::read(&elsewhere).unwrap(), b"mine");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left behind");
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        assert!(write_file(&folder.path().join("folder"), b"3").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4, "nor by a failure");
    }
}
