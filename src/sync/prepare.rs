//! From what was gathered to a plan: judged, matched, held against what Exchange holds.

use std::collections::HashSet;

use crate::config::LogLevel;
use crate::directory::{self, Selection};
use crate::error::{Code, Result};
use crate::people::{Match, Recipient};
use crate::planning::{Circumstances, GuardInput, Policy};
use crate::store::{LastRead, Tally, Vanished};
use crate::trust::Sources;

use super::extent::Extent;
use super::gather::{Gathered, Wish, gather};
use super::settle::{settle, settle_one_by_one};
use super::tenant::TenantTrust;
use super::{Job, Judge};

/// A plan and everything that is needed to carry it out. The rows are in the spool.
pub(super) struct Prepared {
    pub(super) gathered: Gathered,
    pub(super) policy: Policy,
    pub(super) scope: Scope,
    /// What the rows come to.
    pub(super) tally: Tally,
    /// People who had a fit value at the last run and certainly have none now.
    pub(super) newly_unfit: u64,
    /// The place of the person who stands behind a recipient, by the recipient's place.
    pub(super) behind: Vec<Option<u32>>,
    /// By identity.
    pub(super) gone: Vec<Gone>,
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
pub(super) struct Gone {
    pub(super) identity: String,
    /// The place of the recipient left behind; `None` where it is gone as well or somebody else's now.
    pub(super) recipient: Option<u32>,
    /// Whether somebody could mean that recipient who has no clear match: then nobody knows whose it is.
    pub(super) contested: bool,
}

/// The plan, and what it was judged by. `writes` says that the run holds the lock, so that it may settle what an earlier one left open and move the watermark.
pub(super) async fn prepare(
    job: &Job<'_>,
    selection: &Selection,
    extent: Extent,
    trust: &TenantTrust,
    force: &[String],
    writes: bool,
) -> Result<(Prepared, Judge)> {
    let at_ms = job.at_ms()?;
    let mut judge = Judge::new(job.config, &Sources::of(job.config), at_ms)?;
    judge.evidence.set_tenant(trust.judging(job).await?);
    let mut gathered = gather(job, Wish { selection, extent, marks: writes }).await?;
    match (writes, gathered.all_recipients) {
        (true, true) => settle(job, |identity| match gathered.place_of(identity) {
            Some(place) => gathered.recipient(place),
            None => Ok(None),
        })?,
        (true, false) => settle_one_by_one(job).await?,
        (false, _) => {}
    }
    let scope = scope(job, selection, &gathered, force).await?;
    let policy = Policy::new(&job.config.policy, job.config.revocation.undetermined, at_ms);
    if gathered.report.incomplete_reason.is_some() && gathered.changed.is_none() {
        part_from_unread(job, &mut gathered, &scope)?;
    }
    let behind = behind(&gathered);
    let gone = gone(job, &gathered, &scope, &behind)?;
    let (tally, newly_unfit) = (Tally::default(), 0);
    let mut prepared = Prepared { gathered, policy, scope, tally, newly_unfit, behind, gone };
    prepared.newly_unfit = prepared.plan(job, &mut judge, writes).await?;
    prepared.tally = prepared.gathered.spool.tally()?;
    Ok((prepared, judge))
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

fn behind(gathered: &Gathered) -> Vec<Option<u32>> {
    let mut behind = vec![None; gathered.recipients.count() as usize];
    for (person, found) in (0..).zip(&gathered.matches) {
        if let Some(place) = found.place().and_then(|place| behind.get_mut(place as usize)) {
            *place = Some(person);
        }
    }
    behind
}

/// People seen earlier who are not there any more; a recipient somebody else stands behind now is theirs.
fn gone(job: &Job<'_>, gathered: &Gathered, scope: &Scope, behind: &[Option<u32>]) -> Result<Vec<Gone>> {
    let Some(last) = scope.last.as_ref().filter(|_| scope.everybody) else { return Ok(Vec::new()) };
    let vanished = match &gathered.changed {
        None => job.store.vanished(&last.scope, |identity| gathered.people.contains(identity))?,
        Some(changed) => {
            let known = |identity: &String| {
                let known = job.store.known_person(&last.scope, identity)?;
                Ok(known.map(|known| Vanished { identity: identity.clone(), recipient: known.recipient }))
            };
            changed.gone.iter().filter_map(|identity| known(identity).transpose()).collect::<Result<_>>()?
        }
    };
    let all_gone: HashSet<&str> = vanished.iter().map(|gone| gone.identity.as_str()).collect();
    let has_somebody = |place: u32| behind.get(place as usize).is_some_and(Option::is_some);
    let mut gone = Vec::new();
    for Vanished { identity, recipient } in &vanished {
        let is_left = |recipient: &&String| !gathered.recipients.identified(recipient).any(has_somebody);
        let left = recipient.as_ref().filter(is_left);
        // an entry that is somebody else's part by now is there, so nothing of it has vanished
        if left.is_some() && gathered.people.has_part(identity) {
            continue;
        }
        let place = left.and_then(|recipient| gathered.place_of(recipient));
        // a read of changes does not meet those who claim it and did not change
        let unmet = match (left, &gathered.changed) {
            (Some(recipient), Some(_)) => {
                let others = job.store.claimants(&last.scope, recipient)?;
                others.iter().any(|other| !gathered.people.contains(other) && !all_gone.contains(other.as_str()))
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
fn part_from_unread(job: &Job<'_>, gathered: &mut Gathered, scope: &Scope) -> Result<()> {
    let Some(last) = &scope.last else { return Ok(()) };
    let mut taken = HashSet::new();
    job.store.each_known(&last.scope, |identity, known| {
        if let Some(recipient) = known.recipient.filter(|_| !gathered.people.contains(&identity)) {
            taken.extend(gathered.recipients.identified(&recipient));
        }
    })?;
    for found in &mut gathered.matches {
        if found.place().is_some_and(|place| taken.contains(&place)) {
            *found = Match::Ambiguous;
        }
    }
    Ok(())
}

impl Prepared {
    pub(super) fn circumstances(&self, complete: bool) -> Circumstances {
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
            (None, _) => Some(self.gathered.count() as u64),
            (Some(_), Some(last)) => Some(last.people.saturating_sub(self.gone.len() as u64)),
            (Some(_), None) => None,
        };
        Ok(GuardInput {
            removals: self.tally.recipients_losing,
            removals_in_window: removals,
            people_losing_last: self.tally.people_losing_last,
            people_losing_last_in_window: losing_last,
            people_now: people_now.filter(|_| same_scope),
            people_at_last_read: self.scope.last.as_ref().filter(|_| !self.scope.changed).map(|last| last.people),
            people_looked_at: self.gathered.count() as u64,
            newly_unfit: self.newly_unfit,
            clock_skew_ms: job.exchange.clock_skew_ms(),
        })
    }

    /// The recipient somebody left behind who is gone, unless nobody can decide about it yet.
    pub(super) fn left_behind(&self, gone: &Gone) -> Result<Option<Recipient>> {
        match gone.recipient.filter(|_| !gone.contested) {
            Some(place) => self.gathered.recipient(place),
            None => Ok(None),
        }
    }

    /// How many recipients somebody stands behind.
    pub(super) fn recipients(&self) -> usize {
        self.behind.iter().flatten().count()
    }
}
