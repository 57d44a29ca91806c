//! What a run does to one attribute of one recipient, and the rows of a whole run.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::certificate::{Attribute, Sha256};
use crate::people::RawValue;

use super::{Reason, Value};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing: Exchange holds what it should.
    None,
    /// The attribute gets the values of `after`.
    Set,
    /// The attribute loses all its values.
    Clear,
    /// Nothing, for the row's reason.
    Skip,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 4] = [Self::None, Self::Set, Self::Clear, Self::Skip];

    /// The name at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Set => "set",
            Self::Clear => "clear",
            Self::Skip => "skip",
        }
    }

    /// The action of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether Exchange is written.
    pub fn writes(self) -> bool {
        matches!(self, Self::Set | Self::Clear)
    }
}

/// A value as a row shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// SHA-256 of the value's bytes.
    pub sha256: Sha256,
    /// SHA-1 of the judged certificate, upper-case hexadecimal.
    pub thumbprint: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// The end of its validity, milliseconds since 1970 UTC.
    pub not_after_ms: Option<i64>,
    /// Why it goes or lost; `None` for a value that is added.
    pub reason: Option<Reason>,
}

impl Item {
    pub(super) fn new(value: &Value, reason: Option<&'static str>) -> Self {
        let certificate = value.certificate.as_deref();
        Self {
            sha256: value.sha256,
            thumbprint: certificate.map(|certificate| certificate.thumbprint.clone()),
            subject: certificate.map(|certificate| certificate.subject.clone()),
            not_after_ms: certificate.map(|certificate| certificate.not_after_ms),
            reason: reason.map(Reason::Borrowed),
        }
    }
}

/// What a run does to one attribute of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number within the run, from 1; 0 until the whole plan gave it one.
    pub number: u32,
    /// Identity of the person.
    pub person: Option<String>,
    /// Identity of the recipient; `None` where the person has none.
    pub recipient: Option<String>,
    /// The directory the entry is in, where the change is about an entry.
    pub directory: Option<String>,
    /// The recipient's primary address, the person's where there is no recipient.
    pub primary_smtp_address: Option<String>,
    /// The attribute; `None` where there is no recipient.
    pub attribute: Option<Attribute>,
    /// What is done.
    pub action: Action,
    /// The values held when this was planned, in Exchange's order; empty where they could not be read.
    pub before: Vec<RawValue>,
    /// The values that should be held, those of the directory first.
    pub after: Vec<RawValue>,
    /// What `after` has and `before` has not.
    pub added: Vec<Item>,
    /// What `before` has and `after` has not, each with its reason.
    pub removed: Vec<Item>,
    /// The directory's values that are not published, and values that stay although they hide a better one.
    pub losers: Vec<Item>,
    /// Why the row is skipped, or why the first removed value goes.
    pub reason: Option<Reason>,
    /// Whether writing this is (part of) what leaves the person without any value in either attribute.
    pub loses_last: bool,
}

impl Change {
    /// Leaves the attribute as it is, for this reason.
    pub(crate) fn skip(&mut self, reason: &'static str) {
        self.action = Action::Skip;
        self.reason = Some(Reason::Borrowed(reason));
        self.loses_last = false;
    }

    /// Whether writing it takes a value away.
    pub fn removes(&self) -> bool {
        self.action.writes() && !self.removed.is_empty()
    }

    /// The order of a run's rows: by person, recipient and attribute, whatever order they were planned in.
    pub fn order(&self, other: &Self) -> Ordering {
        let by_person = self.person.cmp(&other.person).then_with(|| self.recipient.cmp(&other.recipient));
        let by_attribute = || self.attribute.cmp(&other.attribute).then_with(|| self.reason.cmp(&other.reason));
        by_person.then_with(by_attribute).then_with(|| self.directory.cmp(&other.directory))
    }

    /// Whether an attribute that holds `now` is as if this had been written, whatever else came to it since.
    pub fn took_effect(&self, now: &[RawValue]) -> bool {
        let held: BTreeSet<_> = now.iter().map(|value| value.sha256).collect();
        self.added.iter().all(|item| held.contains(&item.sha256))
            && !self.removed.iter().any(|item| held.contains(&item.sha256))
    }

    /// Whether an attribute holds exactly what `before` says, whatever the order.
    pub fn still_holds(&self, now: &[RawValue]) -> bool {
        same_values(&self.before, now)
    }

    /// Whether an attribute holds exactly what `after` says, whatever the order.
    pub fn is_made(&self, now: &[RawValue]) -> bool {
        same_values(&self.after, now)
    }
}

fn same_values(one: &[RawValue], other: &[RawValue]) -> bool {
    let digests = |values: &[RawValue]| values.iter().map(|value| value.sha256).collect::<BTreeSet<_>>();
    digests(one) == digests(other)
}

/// The rows of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The rows, numbered from 1.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Puts rows in [`Change::order`] and numbers them.
    pub fn new(mut changes: Vec<Change>) -> Self {
        changes.sort_by(Change::order);
        for (number, change) in (1..).zip(&mut changes) {
            change.number = number;
        }
        Self { changes }
    }

    /// How many recipients lose a value.
    pub fn recipients_losing(&self) -> u64 {
        self.distinct_recipients(Change::removes)
    }

    /// How many people lose their last value.
    pub fn people_losing_last(&self) -> u64 {
        self.distinct_recipients(|change| change.loses_last)
    }

    fn distinct_recipients(&self, counts: impl Fn(&Change) -> bool) -> u64 {
        let recipients: BTreeSet<_> = self
            .changes
            .iter()
            .filter(|change| counts(change))
            .filter_map(|change| Some((change.directory.as_ref(), change.recipient.as_ref()?)))
            .collect();
        recipients.len() as u64
    }
}
