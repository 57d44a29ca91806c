//! What becomes of one recipient: the directory's values held against those in Exchange.

use std::collections::{BTreeMap, BTreeSet};

use crate::certificate::{Attribute, Sha256};
use crate::config::Foreign;
use crate::people::{Person, Recipient};
use crate::validation::Use;

use super::select::ranked;
use super::{Action, Before, Change, Item, Policy, Reason, Selection, Value, reason, select, senders_pick};

/// The values of one recipient that SmimeSync itself wrote there; every other one is foreign.
pub type Ours = BTreeSet<(Attribute, Sha256)>;

/// What about the run limits what may be done to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Whether all values of the person were read; only then is one that is absent gone.
    pub complete: bool,
    /// Whether the scope differs from that of the last complete read, so that nothing is taken for vanished.
    pub scope_changed: bool,
    /// Whether the read of the directory ended early, so that nothing at all is removed.
    pub additions_only: bool,
    /// Whether an undo put the recipient on hold.
    pub held: bool,
}

impl Default for Circumstances {
    fn default() -> Self {
        Self { complete: true, scope_changed: false, additions_only: false, held: false }
    }
}

impl Circumstances {
    fn absent_is_gone(self) -> bool {
        self.complete && !self.scope_changed
    }
}

/// A recipient, the one person behind it, and what is known of both.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Identity of the person.
    pub person: &'a str,
    /// The recipient.
    pub recipient: &'a Recipient,
    /// The directory's values of both attributes, judged.
    pub values: &'a [Value],
    /// The recipient's values, judged.
    pub before: &'a Before,
    /// Which of those SmimeSync wrote.
    pub ours: &'a Ours,
    /// What limits what may be done.
    pub circumstances: Circumstances,
}

/// One row for each attribute of the policy.
pub fn plan_recipient(subject: &Subject<'_>, policy: &Policy) -> Vec<Change> {
    let mut outcomes: Vec<Outcome<'_>> = Vec::new();
    // userCertificate is decided first: whether userSMIMECertificate hides something better depends on it
    for attribute in Attribute::ALL {
        let better_behind = outcomes.iter().any(|outcome| outcome.has_one_to_encrypt(policy));
        outcomes.push(if policy.attributes.contains(&attribute) {
            decide(subject, policy, attribute, better_behind)
        } else {
            Outcome::untouched(subject.before, attribute)
        });
    }
    report_hiding(&mut outcomes, policy);
    rows(subject, policy, outcomes)
}

/// One row for each attribute of the policy for a recipient whose person vanished: what SmimeSync wrote goes.
///
/// Only for recipients nobody else stands behind now. `subject.values` is not looked at. With a changed scope, what would go is skipped instead.
pub fn plan_vanished(subject: &Subject<'_>, policy: &Policy) -> Vec<Change> {
    let outcomes = Attribute::ALL.into_iter().map(|attribute| {
        let mut outcome = Outcome::untouched(subject.before, attribute);
        let goes = policy.attributes.contains(&attribute) && subject.circumstances.complete;
        if goes && !subject.circumstances.additions_only {
            let (gone, stays): (Vec<_>, Vec<_>) =
                outcome.after.drain(..).partition(|value| subject.ours.contains(&(attribute, value.sha256)));
            outcome.after = stays;
            outcome.removed = gone.into_iter().map(|value| (value, reason::VANISHED)).collect();
        }
        outcome
    });
    let mut rows = rows(subject, policy, outcomes.collect());
    if subject.circumstances.scope_changed {
        for change in rows.iter_mut().filter(|change| change.action.writes()) {
            change.skip(reason::SCOPE_CHANGED);
        }
    }
    rows
}

/// The row of a person without a recipient; the reason is `no_recipient`, `ambiguous` or `no_address`.
pub fn skip_person(person: &Person, reason: &'static str) -> Change {
    let primary_smtp_address = person.primary_address().map(ToString::to_string);
    Change { person: Some(person.identity.clone()), ..skip_nobody(primary_smtp_address, reason) }
}

/// The row of an identity that could not be resolved; the reason is `not_found` or `ambiguous`.
pub fn skip_unresolved(identity: &str, reason: &'static str) -> Change {
    skip_nobody(Some(identity.to_owned()), reason)
}

fn skip_nobody(primary_smtp_address: Option<String>, reason: &'static str) -> Change {
    Change {
        number: 0,
        person: None,
        recipient: None,
        directory: None,
        primary_smtp_address,
        attribute: None,
        action: Action::Skip,
        before: Vec::new(),
        after: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
        losers: Vec::new(),
        reason: Some(Reason::Borrowed(reason)),
        loses_last: false,
    }
}

/// A value that goes, and why.
type Removed<'a> = (&'a Value, &'static str);

/// What becomes of one attribute.
struct Outcome<'a> {
    attribute: Attribute,
    /// `None` where they could not be read.
    before: Option<Vec<&'a Value>>,
    after: Vec<&'a Value>,
    removed: Vec<Removed<'a>>,
    losers: Vec<Item>,
    /// Whether values stay only because the directory may hold them unseen.
    withheld: bool,
}

impl<'a> Outcome<'a> {
    fn untouched(before: &'a Before, attribute: Attribute) -> Self {
        let before = before.values(attribute).map(without_repetition);
        Self {
            attribute,
            after: before.clone().unwrap_or_default(),
            before,
            removed: Vec::new(),
            losers: Vec::new(),
            withheld: false,
        }
    }

    fn has_one_to_encrypt(&self, policy: &Policy) -> bool {
        self.after.iter().any(|value| policy.counts_as_fit(value, Use::Encrypt))
    }
}

fn without_repetition(values: &[Value]) -> Vec<&Value> {
    let mut seen = BTreeSet::new();
    values.iter().filter(|value| seen.insert(value.sha256)).collect()
}

fn decide<'a>(subject: &Subject<'a>, policy: &Policy, attribute: Attribute, better_behind: bool) -> Outcome<'a> {
    let readable = subject.before.values(attribute).is_some();
    let before = subject.before.values(attribute).map(without_repetition).unwrap_or_default();
    let fate = Fate { subject, policy, attribute };
    let mut selection = select(attribute, subject.values, policy, false);
    let (mut kept, mut removed) = fate.divide(&before, &selection);
    if better_behind && !kept.iter().any(|value| policy.counts_as_fit(value, Use::Encrypt)) {
        selection = select(attribute, subject.values, policy, true);
        (kept, removed) = fate.divide(&before, &selection);
    }
    make_room(&mut selection, policy, &before, kept.len());
    let losers = selection.losers.iter().map(|loser| Item::new(loser.value, Some(loser.reason))).collect();
    if !readable {
        return Outcome { attribute, before: None, after: Vec::new(), removed: Vec::new(), losers, withheld: false };
    }
    let withheld = !subject.circumstances.complete && kept.iter().any(|value| fate.would_be_gone(value));
    let nothing_new = selection.chosen.iter().all(|value| before.iter().any(|held| held.sha256 == value.sha256));
    // what is not written keeps the order Exchange has, and with it the one that senders find first
    let after = if nothing_new && removed.is_empty() {
        before.clone()
    } else {
        selection.chosen.into_iter().chain(kept).collect()
    };
    Outcome { attribute, before: Some(before), after, removed, losers, withheld }
}

/// Values that stay are never dropped for room, and a value already there is not new.
fn make_room(selection: &mut Selection<'_>, policy: &Policy, before: &[&Value], kept: usize) {
    let is_new = |value: &Value| !before.iter().any(|held| held.sha256 == value.sha256);
    while selection.chosen.len() + kept > policy.max_values {
        if !selection.lose_lowest(reason::NO_ROOM, policy, is_new) {
            break;
        }
    }
    selection.losers.sort_by_key(|loser| loser.value.rank());
}

/// Why a value in Exchange that is not chosen goes; `None` where it stays.
struct Fate<'a> {
    subject: &'a Subject<'a>,
    policy: &'a Policy,
    attribute: Attribute,
}

impl Fate<'_> {
    /// What stays of the values in Exchange that were not chosen, and what goes.
    fn divide<'v>(&self, before: &[&'v Value], selection: &Selection<'_>) -> (Vec<&'v Value>, Vec<Removed<'v>>) {
        let lost: BTreeMap<_, _> = selection
            .losers
            .iter()
            .filter(|loser| loser.reason != reason::DUPLICATE)
            .map(|loser| (loser.value.sha256, loser.reason))
            .collect();
        let chosen: BTreeSet<_> = selection.chosen.iter().map(|value| value.sha256).collect();
        let (mut kept, mut removed) = (Vec::new(), Vec::new());
        for value in ranked(before.iter().copied().filter(|value| !chosen.contains(&value.sha256))) {
            let goes = match lost.get(&value.sha256) {
                Some(reason) => self.of_loser(value, reason),
                None => self.of_absent(value),
            };
            match goes {
                Some(reason) => removed.push((value, reason)),
                None => kept.push(value),
            }
        }
        (kept, removed)
    }

    fn is_ours(&self, value: &Value) -> bool {
        self.subject.ours.contains(&(self.attribute, value.sha256))
    }

    /// Whether a value would be taken for gone if all of the person's had been read.
    fn would_be_gone(&self, value: &Value) -> bool {
        let mut shown = self.subject.values.iter().filter(|shown| shown.attribute == self.attribute);
        let is_shown = shown.any(|shown| shown.sha256 == value.sha256);
        !is_shown && (self.is_ours(value) || self.policy.foreign == Foreign::Replace)
    }

    /// A value that the directory has, too, and that lost there.
    fn of_loser(&self, value: &Value, lost: &'static str) -> Option<&'static str> {
        let ours = self.is_ours(value);
        let goes = match lost {
            // what is older than the newest would be picked by some senders
            reason::NEWER_CHOSEN => ours.then_some(reason::HIDES_BETTER),
            _ if ours || self.policy.foreign == Foreign::Replace => reason::REMOVING.contains(&lost).then_some(lost),
            _ => reason::REMOVING_FOREIGN.contains(&lost).then_some(lost),
        };
        goes.filter(|_| !self.subject.circumstances.additions_only)
    }

    /// A value that the directory does not have.
    fn of_absent(&self, value: &Value) -> Option<&'static str> {
        let circumstances = self.subject.circumstances;
        let gone = circumstances.absent_is_gone().then_some(reason::VANISHED);
        let goes = if self.is_ours(value) {
            gone
        } else {
            let unfit = value.unfit_reason(self.policy).filter(|reason| reason::REMOVING_FOREIGN.contains(reason));
            unfit.or(gone.filter(|_| self.policy.foreign == Foreign::Replace))
        };
        goes.filter(|_| !circumstances.additions_only)
    }
}

/// Says of a value that stays and that senders will take although a better one is there that it hides it.
fn report_hiding(outcomes: &mut [Outcome<'_>], policy: &Policy) {
    let after: Vec<_> = Attribute::ALL
        .into_iter()
        .flat_map(|attribute| outcomes.iter().filter(move |outcome| outcome.attribute == attribute))
        .flat_map(|outcome| outcome.after.iter().copied())
        .collect();
    let better = after.iter().any(|value| policy.counts_as_fit(value, Use::Encrypt));
    let Some(pick) = senders_pick(&after, policy.at_ms) else { return };
    if !better || policy.counts_as_fit(pick, Use::Encrypt) {
        return;
    }
    // an attribute that is not synchronised has no row of its own
    let shown = policy.attributes.iter().copied().find(|attribute| *attribute == pick.attribute);
    let shown = shown.or(policy.attributes.first().copied());
    for outcome in outcomes.iter_mut().filter(|outcome| Some(outcome.attribute) == shown) {
        if !outcome.losers.iter().any(|item| item.sha256 == pick.sha256) {
            outcome.losers.push(Item::new(pick, Some(reason::HIDES_BETTER)));
        }
    }
}

fn rows(subject: &Subject<'_>, policy: &Policy, outcomes: Vec<Outcome<'_>>) -> Vec<Change> {
    // what cannot be read may hold something, so nobody loses the last value then
    let readable = outcomes.iter().all(|outcome| outcome.before.is_some());
    let loses_last = readable && outcomes.iter().all(|outcome| outcome.after.is_empty());
    outcomes
        .into_iter()
        .filter(|outcome| policy.attributes.contains(&outcome.attribute))
        .map(|outcome| row(subject, policy, outcome, loses_last))
        .collect()
}

fn row(subject: &Subject<'_>, policy: &Policy, outcome: Outcome<'_>, loses_last: bool) -> Change {
    let readable = outcome.before.is_some();
    let before = outcome.before.unwrap_or_default();
    let held: BTreeSet<_> = before.iter().map(|value| value.sha256).collect();
    let added: Vec<_> = outcome
        .after
        .iter()
        .filter(|value| !held.contains(&value.sha256))
        .map(|value| Item::new(value, None))
        .collect();
    let removed: Vec<_> = outcome.removed.iter().map(|(value, reason)| Item::new(value, Some(reason))).collect();
    let action = if added.is_empty() && removed.is_empty() {
        Action::None
    } else if outcome.after.is_empty() {
        Action::Clear
    } else {
        Action::Set
    };
    let mut change = Change {
        number: 0,
        person: Some(subject.person.to_owned()),
        recipient: Some(subject.recipient.identity.clone()),
        directory: None,
        primary_smtp_address: subject.recipient.primary_address().map(ToString::to_string),
        attribute: Some(outcome.attribute),
        action,
        before: before.iter().map(|value| value.raw()).collect(),
        after: outcome.after.iter().map(|value| value.raw()).collect(),
        reason: removed.first().and_then(|item| item.reason.clone()),
        loses_last: loses_last && !removed.is_empty(),
        added,
        removed,
        losers: outcome.losers,
    };
    if !readable {
        change.skip(reason::UNREADABLE);
    } else if change.action == Action::None && outcome.withheld {
        change.skip(reason::UNREAD);
    } else if change.action.writes() && subject.circumstances.held {
        change.skip(reason::HELD);
    } else if change.action.writes() && !subject.recipient.is_mastered_in_cloud() && !policy.write_dir_synced {
        change.skip(reason::DIR_SYNCED);
    }
    change
}
