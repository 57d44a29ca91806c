//! From what was gathered to a plan: judged, matched, held against what Exchange holds.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::config::LogLevel;
use crate::directory::{self, Selection};
use crate::error::{Code, Error, Result};
use crate::people::{Match, Person, Recipient};
use crate::planning::{
    Change, Circumstances, GuardInput, Plan, Policy, Subject, Value, plan_recipient, plan_vanished, reason, skip_person,
};
use crate::store::{KnownPerson, LastRead, SeenPerson, Vanished};
use crate::trust::Sources;
use crate::validation::Fitness;

use super::gather::{Gathered, gather};
use super::settle::settle;
use super::{Job, Judge, Phase};

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
}

/// Whose absence means what.
pub(super) struct Scope {
    pub(super) hash: String,
    pub(super) last: Option<LastRead>,
    /// Whether everybody was wanted and read, so that who is absent is gone.
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

/// `settles` says that the run holds the lock, so that it may settle what an earlier one left open.
pub(super) async fn prepare(job: &Job<'_>, selection: &Selection, force: &[String], settles: bool) -> Result<Prepared> {
    let at_ms = job.at_ms()?;
    let judge = Judge::new(job.config, &Sources::of(job.config), at_ms)?;
    let mut gathered = gather(job, selection).await?;
    if settles {
        settle(job, &gathered.recipients)?;
    }
    let scope = scope(job, selection, &gathered, force).await?;
    let policy = Policy::new(&job.config.policy, job.config.revocation.undetermined, at_ms);
    job.observer.begin(Phase::Judging, gathered.people.len());
    let judged = |person| {
        job.observer.step();
        go_on(job).map(|()| judge.person(person))
    };
    let values = gathered.people.iter().map(judged).collect::<Result<_>>()?;
    let known = scope.last.as_ref().map(|last| job.store.known_people(&last.scope)).transpose()?.unwrap_or_default();
    if gathered.report.incomplete_reason.is_some() {
        part_from_unread(&mut gathered, &known);
    }
    let behind = behind(&gathered);
    let gone = gone(job, &gathered, &scope, &behind)?;
    let plan = Plan::default();
    let mut prepared = Prepared { gathered, judge, policy, plan, scope, values, behind, gone, known };
    prepared.plan = prepared.planned(job)?;
    Ok(prepared)
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

/// People of the last complete read who are not in this one; a recipient somebody else stands behind now is theirs.
fn gone(job: &Job<'_>, gathered: &Gathered, scope: &Scope, behind: &HashMap<String, usize>) -> Result<Vec<Gone>> {
    let Some(last) = scope.last.as_ref().filter(|_| scope.everybody) else { return Ok(Vec::new()) };
    let seen: HashSet<&str> = gathered.people.iter().map(|person| person.identity.as_str()).collect();
    let places: HashMap<&str, usize> =
        gathered.recipients.iter().enumerate().map(|(place, recipient)| (recipient.identity.as_str(), place)).collect();
    let vanished = job.store.vanished(&last.scope, &seen)?;
    Ok(vanished
        .into_iter()
        .map(|Vanished { identity, recipient }| {
            let left = recipient.filter(|recipient| !behind.contains_key(recipient));
            let recipient = left.and_then(|recipient| places.get(recipient.as_str()).copied());
            let contested = recipient.is_some_and(|place| gathered.contested.contains(&place));
            Gone { identity, recipient, contested }
        })
        .collect())
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

/// Judging and planning never wait, so they have to look for a caller who wants no more.
fn go_on(job: &Job<'_>) -> Result<()> {
    if job.observer.is_cancelled() { Err(Error::new(Code::Cancelled)) } else { Ok(()) }
}

impl Prepared {
    fn planned(&self, job: &Job<'_>) -> Result<Plan> {
        job.observer.begin(Phase::Planning, self.gathered.people.len());
        let mut changes = Vec::new();
        for (place, person) in self.gathered.people.iter().enumerate() {
            job.observer.step();
            go_on(job)?;
            match self.gathered.matches.get(place) {
                Some(Match::One(recipient)) => {
                    if let Some(recipient) = self.gathered.recipients.get(*recipient) {
                        changes.extend(self.of_person(job, place, recipient)?);
                    }
                }
                Some(Match::None(unmatched)) => changes.push(skip_person(person, unmatched.reason())),
                Some(Match::Ambiguous) | None => changes.push(skip_person(person, reason::AMBIGUOUS)),
            }
        }
        if !self.scope.everybody {
            changes.extend(self.gathered.deleted.iter().map(|person| skip_person(person, reason::VANISHED)));
        }
        for gone in self.gone.iter().filter(|gone| !gone.contested) {
            if let Some(recipient) = gone.recipient.and_then(|place| self.gathered.recipients.get(place)) {
                changes.extend(self.of_gone(job, &gone.identity, recipient)?);
            }
        }
        Ok(Plan::new(changes))
    }

    /// Plans a recipient anew from what it holds now, with the numbers of the rows it replaces.
    pub(super) fn anew(&self, job: &Job<'_>, person: &str, now: &Recipient) -> Result<Vec<Change>> {
        let mut changes = match self.behind.get(&now.identity) {
            Some(place) => self.of_person(job, *place, now)?,
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

    fn of_person(&self, job: &Job<'_>, place: usize, recipient: &Recipient) -> Result<Vec<Change>> {
        let (Some(person), Some(values)) = (self.gathered.people.get(place), self.values.get(place)) else {
            return Ok(Vec::new());
        };
        let subject = Subject {
            person: &person.identity,
            recipient,
            values,
            before: &self.judge.recipient(recipient, &person.addresses),
            ours: &job.store.ours(&recipient.identity)?,
            circumstances: self.circumstances(person.complete),
        };
        Ok(plan_recipient(&subject, &self.policy))
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
        Ok(GuardInput {
            removals: self.plan.recipients_losing(),
            removals_in_window: removals,
            people_losing_last: self.plan.people_losing_last(),
            people_losing_last_in_window: losing_last,
            people_now: same_scope.then_some(self.gathered.people.len() as u64),
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
        let people = self.gathered.people.iter().zip(&self.values).zip(&self.gathered.matches);
        people
            .map(|((person, values), found)| SeenPerson {
                identity: &person.identity,
                recipient: match found {
                    Match::One(place) => self.gathered.recipients.get(*place).map(|it| it.identity.as_str()),
                    _ => None,
                },
                fitness: best(values),
            })
            .collect()
    }

    /// People who are gone and need not stay known for what nobody can decide yet, with the recipient each left behind.
    pub(super) fn forgettable(&self) -> impl Iterator<Item = (&str, Option<&Recipient>)> {
        let clear = self.gone.iter().filter(|gone| !gone.contested);
        clear.map(|gone| (gone.identity.as_str(), gone.recipient.and_then(|it| self.gathered.recipients.get(it))))
    }

    /// How many recipients somebody stands behind.
    pub(super) fn recipients(&self) -> usize {
        self.behind.len()
    }
}

/// The fitness of the best value; `None` without any.
fn best(values: &[Value]) -> Option<Fitness> {
    let all = || values.iter().map(|value| value.verdict.fitness());
    [Fitness::Fit, Fitness::Undetermined, Fitness::Unfit].into_iter().find(|wanted| all().any(|found| found == *wanted))
}
