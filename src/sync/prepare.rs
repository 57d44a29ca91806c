//! From what was gathered to a plan: judged, matched, held against what Exchange holds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::certificate::Attribute;
use crate::config::LogLevel;
use crate::directory::{self, Selection};
use crate::error::{Code, Error, Result};
use crate::people::{Match, Person, Recipient};
use crate::planning::{
    Change, Circumstances, GuardInput, Plan, Policy, Subject, Value, plan_recipient, plan_vanished, reason, skip_person,
};
use crate::store::{KnownPerson, LastRead, SeenPerson, Vanished};
use crate::trust::Sources;
use crate::validation::{Fitness, Need, RevocationCheck};

use super::digest::digest;
use super::extent::Extent;
use super::gather::{Gathered, Wish, gather};
use super::judge::needs;
use super::settle::{settle, settle_one_by_one};
use super::tenant::{Remarks, TenantTrust};
use super::{Job, Judge, Phase, judge_all};

/// How long until somebody is looked at again whose evidence could not be fetched.
const LACKING_AGAIN_MS: i64 = 3_600_000;
/// How long until revocation is looked at again where it is asked for online, unless a value is due before.
const ONLINE_AGAIN_MS: i64 = 86_400_000;

/// A plan and everything that is needed to carry it out.
pub(super) struct Prepared {
    pub(super) gathered: Gathered,
    pub(super) judge: Judge,
    pub(super) policy: Policy,
    pub(super) plan: Plan,
    pub(super) scope: Scope,
    /// The directory's values of each person, judged; in the order of the people.
    values: Vec<Vec<Value>>,
    /// The place of the person who stands behind a recipient, by the recipient's identity.
    behind: HashMap<String, usize>,
    gone: Vec<Gone>,
    known: BTreeMap<String, KnownPerson>,
    /// When time alone may change a person's rows, in milliseconds since 1970 UTC; in the order of the people.
    dues: Vec<Option<i64>>,
}

/// Whose absence means what.
pub(super) struct Scope {
    pub(super) hash: String,
    pub(super) last: Option<LastRead>,
    /// Whether nobody was selected and all was read, of everybody or of what changed, so that who is gone is known.
    pub(super) everybody: bool,
    pub(super) changed: bool,
    /// Whether the operator said that the new scope takes the old one's place.
    pub(super) forced: bool,
}

/// A person of an earlier run who is gone.
struct Gone {
    identity: String,
    /// The place of the recipient left behind; `None` where it is gone as well or somebody else's now.
    recipient: Option<usize>,
    /// Whether somebody could mean that recipient who has no clear match: then nobody knows whose it is.
    contested: bool,
}

/// `writes` says that the run holds the lock, so that it may settle what an earlier one left open and move the watermark.
pub(super) async fn prepare(
    job: &Job<'_>,
    selection: &Selection,
    extent: Extent,
    trust: &TenantTrust,
    force: &[String],
    writes: bool,
) -> Result<Prepared> {
    let at_ms = job.at_ms()?;
    let mut judge = Judge::new(job.config, &Sources::of(job.config), at_ms)?;
    let tenant = trust.judging(job).await?;
    let is_held_against = tenant.is_some();
    judge.evidence.set_tenant(tenant);
    let mut gathered = gather(job, Wish { selection, extent, marks: writes }).await?;
    match (writes, gathered.all_recipients) {
        (true, true) => settle(job, &gathered.recipients)?,
        (true, false) => settle_one_by_one(job).await?,
        (false, _) => {}
    }
    let scope = scope(job, selection, &gathered, force).await?;
    let policy = Policy::new(&job.config.policy, job.config.revocation.undetermined, at_ms);
    job.observer.begin(Phase::Judging, gathered.people.len());
    let values = judged(job, &mut judge, &gathered).await?;
    if is_held_against {
        let mut remarks = Remarks::default();
        values.iter().for_each(|values| remarks.add(Remarks::of(values)));
        remarks.tell(job).await;
    }
    let known = known(job, &scope, &gathered)?;
    if gathered.report.incomplete_reason.is_some() && gathered.changed.is_none() {
        part_from_unread(&mut gathered, &known);
    }
    let behind = behind(&gathered);
    let gone = gone(job, &gathered, &scope, &behind)?;
    let plan = Plan::default();
    let dues = Vec::new();
    let mut prepared = Prepared { gathered, judge, policy, plan, scope, values, behind, gone, known, dues };
    (prepared.plan, prepared.dues) = prepared.planned(job)?;
    Ok(prepared)
}

/// The directory's values of each person, judged, once everything was fetched that these and the recipients' values need.
async fn judged(job: &Job<'_>, judge: &mut Judge, gathered: &Gathered) -> Result<Vec<Vec<Value>>> {
    struct Item<'a> {
        person: &'a Person,
        recipient: Option<&'a Recipient>,
        values: Vec<Value>,
        needs: BTreeSet<Need>,
    }
    let mut retriever = job.retriever();
    // without one nobody asks what is lacking
    let fetches = retriever.is_some();
    let recipient = |found: &Match| match found {
        Match::One(place) if fetches => gathered.recipients.get(*place),
        _ => None,
    };
    let pairs = gathered.people.iter().zip(&gathered.matches);
    let mut items: Vec<_> = pairs
        .map(|(person, found)| Item { person, recipient: recipient(found), values: Vec::new(), needs: BTreeSet::new() })
        .collect();
    let rejudge = |judge: &Judge, item: &mut Item<'_>| {
        item.values = judge.person(item.person);
        let before = item.recipient.map(|it| judge.recipient(it, &item.person.addresses)).unwrap_or_default();
        item.needs = needs(&item.values, &before);
    };
    judge_all(judge, retriever.as_mut(), job.observer, &mut items, rejudge, |item| item.needs.clone()).await?;
    Ok(items.into_iter().map(|item| item.values).collect())
}

/// What is known of everybody, or of those who changed.
fn known(job: &Job<'_>, scope: &Scope, gathered: &Gathered) -> Result<BTreeMap<String, KnownPerson>> {
    let Some(last) = &scope.last else { return Ok(BTreeMap::new()) };
    if gathered.changed.is_none() {
        return job.store.known_people(&last.scope);
    }
    let mut known = BTreeMap::new();
    for person in &gathered.people {
        if let Some(found) = job.store.known_person(&last.scope, &person.identity)? {
            known.insert(person.identity.clone(), found);
        }
    }
    Ok(known)
}

async fn scope(job: &Job<'_>, selection: &Selection, gathered: &Gathered, force: &[String]) -> Result<Scope> {
    let hash = directory::scope_of(job.config)?;
    let last = job.store.last_complete_read()?;
    let changed = last.as_ref().is_some_and(|last| last.scope != hash);
    let forced = force.iter().any(|name| name == "scope");
    if changed && !forced {
        job.observer.event(LogLevel::Warn, Code::ScopeChanged, Vec::new()).await;
    }
    let everybody = *selection == Selection::default() && gathered.report.complete;
    Ok(Scope { hash, last, everybody, changed, forced })
}

fn behind(gathered: &Gathered) -> HashMap<String, usize> {
    let pairs = gathered.matches.iter().enumerate();
    pairs
        .filter_map(|(person, found)| match found {
            Match::One(recipient) => Some((gathered.recipients.get(*recipient)?.identity.clone(), person)),
            Match::None(_) | Match::Ambiguous => None,
        })
        .collect()
}

/// People seen earlier who are not there any more; a recipient somebody else stands behind now is theirs.
fn gone(job: &Job<'_>, gathered: &Gathered, scope: &Scope, behind: &HashMap<String, usize>) -> Result<Vec<Gone>> {
    let Some(last) = scope.last.as_ref().filter(|_| scope.everybody) else { return Ok(Vec::new()) };
    let seen: HashSet<&str> = gathered.people.iter().map(|person| person.identity.as_str()).collect();
    let places: HashMap<&str, usize> =
        gathered.recipients.iter().enumerate().map(|(place, recipient)| (recipient.identity.as_str(), place)).collect();
    let vanished = match &gathered.changed {
        None => job.store.vanished(&last.scope, &seen)?,
        Some(changed) => {
            let known = |identity: &String| {
                let known = job.store.known_person(&last.scope, identity)?;
                Ok(known.map(|known| Vanished { identity: identity.clone(), recipient: known.recipient }))
            };
            changed.gone.iter().filter_map(|identity| known(identity).transpose()).collect::<Result<_>>()?
        }
    };
    let all_gone: HashSet<&str> = vanished.iter().map(|gone| gone.identity.as_str()).collect();
    let mut gone = Vec::new();
    for Vanished { identity, recipient } in &vanished {
        let left = recipient.as_ref().filter(|recipient| !behind.contains_key(*recipient));
        let place = left.and_then(|recipient| places.get(recipient.as_str()).copied());
        // a read of changes does not meet those who claim it and did not change
        let unmet = match (left, &gathered.changed) {
            (Some(recipient), Some(_)) => {
                let others = job.store.claimants(&last.scope, recipient)?;
                others.iter().any(|other| !seen.contains(other.as_str()) && !all_gone.contains(other.as_str()))
            }
            _ => false,
        };
        let contested = place.is_some_and(|place| gathered.contested.contains(&place)) || unmet;
        gone.push(Gone { identity: identity.clone(), recipient: place, contested });
    }
    Ok(gone)
}

/// After a read that ended early only the store can tell of rivals that were not reached: a recipient whose person of an
/// earlier run was not met is nobody else's for now.
fn part_from_unread(gathered: &mut Gathered, known: &BTreeMap<String, KnownPerson>) {
    let met: HashSet<&str> = gathered.people.iter().map(|person| person.identity.as_str()).collect();
    let unread = known.iter().filter(|(identity, _)| !met.contains(identity.as_str()));
    let taken: HashSet<&str> = unread.filter_map(|(_, known)| known.recipient.as_deref()).collect();
    for found in &mut gathered.matches {
        let Match::One(place) = found else { continue };
        let recipient = gathered.recipients.get(*place);
        if recipient.is_some_and(|recipient| taken.contains(recipient.identity.as_str())) {
            *found = Match::Ambiguous;
        }
    }
}

/// Planning never waits, so it has to look for a caller who wants no more.
fn go_on(job: &Job<'_>) -> Result<()> {
    if job.observer.is_cancelled() { Err(Error::new(Code::Cancelled)) } else { Ok(()) }
}

impl Prepared {
    /// The plan, and when each person falls due.
    fn planned(&self, job: &Job<'_>) -> Result<(Plan, Vec<Option<i64>>)> {
        job.observer.begin(Phase::Planning, self.gathered.people.len());
        let evidence_due = self.judge.due_ms();
        let (mut changes, mut dues) = (Vec::new(), Vec::new());
        for (place, person) in self.gathered.people.iter().enumerate() {
            job.observer.step();
            go_on(job)?;
            let mut due = None;
            match self.gathered.matches.get(place) {
                Some(Match::One(recipient)) => {
                    if let Some(recipient) = self.gathered.recipients.get(*recipient) {
                        let planned = self.of_person(job, place, recipient)?;
                        changes.extend(planned.changes);
                        due = earliest(planned.due_ms, evidence_due.filter(|_| planned.has_values));
                    }
                }
                Some(Match::None(unmatched)) => changes.push(skip_person(person, unmatched.reason())),
                Some(Match::Ambiguous) | None => changes.push(skip_person(person, reason::AMBIGUOUS)),
            }
            dues.push(due);
        }
        if !self.scope.everybody {
            changes.extend(self.gathered.deleted.iter().map(|person| skip_person(person, reason::VANISHED)));
        }
        for gone in self.gone.iter().filter(|gone| !gone.contested) {
            if let Some(recipient) = gone.recipient.and_then(|place| self.gathered.recipients.get(place)) {
                changes.extend(self.of_gone(job, &gone.identity, recipient)?);
            }
        }
        Ok((Plan::new(changes), dues))
    }

    /// Plans a recipient anew from what it holds now, with the numbers of the rows it replaces.
    pub(super) fn anew(&self, job: &Job<'_>, person: &str, now: &Recipient) -> Result<Vec<Change>> {
        let mut changes = match self.behind.get(&now.identity) {
            Some(place) => self.of_person(job, *place, now)?.changes,
            None => self.of_gone(job, person, now)?,
        };
        for change in &mut changes {
            let wanted = (&change.person, &change.recipient, change.attribute);
            // a plan's rows are in this order
            let search =
                self.plan.changes.binary_search_by(|old| (&old.person, &old.recipient, old.attribute).cmp(&wanted));
            change.number = search.ok().and_then(|place| self.plan.changes.get(place)).map_or(0, |old| old.number);
        }
        Ok(changes)
    }

    fn of_person(&self, job: &Job<'_>, place: usize, recipient: &Recipient) -> Result<Planned> {
        let (Some(person), Some(values)) = (self.gathered.people.get(place), self.values.get(place)) else {
            return Ok(Planned::default());
        };
        let before = self.judge.recipient(recipient, &person.addresses);
        let subject = Subject {
            person: &person.identity,
            recipient,
            values,
            before: &before,
            ours: &job.store.ours(&recipient.identity)?,
            circumstances: self.circumstances(person.complete),
        };
        let held = Attribute::ALL.into_iter().filter_map(|attribute| before.values(attribute)).flatten();
        let all: Vec<&Value> = values.iter().chain(held).collect();
        let at_ms = self.judge.rules.at_ms;
        let by_time = all.iter().filter_map(|value| value.due_ms(at_ms)).min();
        // what could not be fetched may be had soon, and what responders say is asked again
        let lacks = all.iter().any(|value| !value.verdict.needs.is_empty());
        let is_online = self.judge.rules.revocation == RevocationCheck::Online;
        let again = lacks.then_some(LACKING_AGAIN_MS).or(is_online.then_some(ONLINE_AGAIN_MS));
        let due_ms = earliest(by_time, again.filter(|_| !all.is_empty()).map(|wait| at_ms + wait));
        Ok(Planned { changes: plan_recipient(&subject, &self.policy), due_ms, has_values: !all.is_empty() })
    }

    fn of_gone(&self, job: &Job<'_>, person: &str, recipient: &Recipient) -> Result<Vec<Change>> {
        let subject = Subject {
            person,
            recipient,
            values: &[],
            before: &self.judge.recipient(recipient, &recipient.addresses),
            ours: &job.store.ours(&recipient.identity)?,
            circumstances: self.circumstances(true),
        };
        Ok(plan_vanished(&subject, &self.policy))
    }

    fn circumstances(&self, complete: bool) -> Circumstances {
        Circumstances {
            complete,
            scope_changed: self.scope.changed && !self.scope.forced,
            additions_only: self.gathered.report.incomplete_reason.is_some(),
            held: false,
        }
    }

    /// What the guards look at.
    pub(super) fn guard_input(&self, job: &Job<'_>, window_hours: u32) -> Result<GuardInput> {
        let window_ms = i64::from(window_hours) * 3_600_000;
        let (removals, losing_last) = job.store.removals_since(job.surroundings.now_ms() - window_ms)?;
        let same_scope = self.scope.everybody && !self.scope.changed;
        let people_now = match (&self.gathered.changed, &self.scope.last) {
            (None, _) => Some(self.gathered.people.len() as u64),
            (Some(_), Some(last)) => Some(last.people.saturating_sub(self.gone.len() as u64)),
            (Some(_), None) => None,
        };
        Ok(GuardInput {
            removals: self.plan.recipients_losing(),
            removals_in_window: removals,
            people_losing_last: self.plan.people_losing_last(),
            people_losing_last_in_window: losing_last,
            people_now: people_now.filter(|_| same_scope),
            people_at_last_read: self.scope.last.as_ref().filter(|_| !self.scope.changed).map(|last| last.people),
            people_looked_at: self.gathered.people.len() as u64,
            newly_unfit: self.newly_unfit(),
            clock_skew_ms: job.exchange.clock_skew_ms(),
        })
    }

    fn newly_unfit(&self) -> u64 {
        let was_fit =
            |person: &Person| self.known.get(&person.identity).is_some_and(|known| known.fitness == Some(Fitness::Fit));
        let pairs = self.gathered.people.iter().zip(&self.values);
        pairs.filter(|(person, values)| was_fit(person) && best(values) != Some(Fitness::Fit)).count() as u64
    }

    /// Everybody of this read, for the store.
    pub(super) fn seen(&self) -> Vec<SeenPerson<'_>> {
        let recipient = |place: &usize| self.gathered.recipients.get(*place).map(|it| it.identity.as_str());
        let people = self.gathered.people.iter().zip(&self.values).enumerate();
        people
            .map(|(place, (person, values))| SeenPerson {
                identity: &person.identity,
                recipient: match self.gathered.matches.get(place) {
                    Some(Match::One(place)) => recipient(place),
                    _ => None,
                },
                fitness: best(values),
                claims: self.gathered.claims.get(place).and_then(|place| recipient(place.as_ref()?)),
                digest: Some(digest(person)),
                due_ms: self.dues.get(place).copied().flatten(),
            })
            .collect()
    }

    /// People who are gone, with the recipient each left behind; `None` within for one whose recipient nobody can decide
    /// about yet.
    pub(super) fn gone(&self) -> impl Iterator<Item = (&str, Option<Option<&Recipient>>)> {
        self.gone.iter().map(|gone| {
            let left = gone.recipient.and_then(|place| self.gathered.recipients.get(place));
            (gone.identity.as_str(), (!gone.contested).then_some(left))
        })
    }

    /// How many recipients somebody stands behind.
    pub(super) fn recipients(&self) -> usize {
        self.behind.len()
    }
}

/// What is to be done about one recipient.
#[derive(Default)]
struct Planned {
    changes: Vec<Change>,
    /// When one of the values on either side begins or ends to be valid in time.
    due_ms: Option<i64>,
    has_values: bool,
}

/// The earlier of two times there may be.
fn earliest(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// The fitness of the best value; `None` without any.
fn best(values: &[Value]) -> Option<Fitness> {
    let all = || values.iter().map(|value| value.verdict.fitness());
    [Fitness::Fit, Fitness::Undetermined, Fitness::Unfit].into_iter().find(|wanted| all().any(|found| found == *wanted))
}
