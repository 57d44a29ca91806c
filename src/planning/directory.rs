//! What is changed in the directory itself: certificates published to a person, values pruned.

use crate::certificate::Attribute;
use crate::people::{Person, RawValue};

use super::change::{Action, Change, Item};
use super::{CertificateSummary, Policy, Reason, Value, reason, skip_person};

/// Which values are pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prune {
    /// Those whose time is over.
    Expired,
    /// Those that are unfit for any reason that removes.
    Unfit,
}

impl Prune {
    /// Why a value goes; `None` where it stays.
    fn reason(self, value: &Value, policy: &Policy) -> Option<&'static str> {
        let found = value.unfit_reason(policy)?;
        let goes = match self {
            Self::Expired => found == reason::EXPIRED,
            Self::Unfit => reason::REMOVING_FOREIGN.contains(&found) || found == reason::WEAK,
        };
        goes.then_some(found)
    }
}

/// What goes of a person's values: one row per attribute that loses one, or that keeps one for `other_purpose`.
/// Of `thumbprints` (SHA-1, upper-case hexadecimal) one has to be the certificate's, unless there are none.
pub fn plan_prune(
    person: &Person,
    values: &[Value],
    which: Prune,
    thumbprints: &[String],
    policy: &Policy,
) -> Vec<Change> {
    let named = |value: &Value| {
        let of = |certificate: &CertificateSummary| thumbprints.contains(&certificate.thumbprint);
        thumbprints.is_empty() || value.certificate.as_deref().is_some_and(of)
    };
    let goes = |value: &Value| which.reason(value, policy).filter(|_| named(value));
    let mut rows: Vec<Change> = Vec::new();
    for attribute in Attribute::ALL {
        let mut row = Change { attribute: Some(attribute), ..row(person) };
        for value in values.iter().filter(|value| value.attribute == attribute) {
            row.before.push(value.raw());
            match goes(value) {
                Some(_) if !value.is_for_mail() => row.losers.push(Item::new(value, Some(reason::OTHER_PURPOSE))),
                Some(reason) => {
                    row.removed.push(Item::new(value, Some(reason)));
                    continue;
                }
                None => {}
            }
            row.after.push(value.raw());
        }
        if row.removed.is_empty() {
            row.action = Action::Skip;
            row.reason = Some(Reason::Borrowed(reason::OTHER_PURPOSE));
        } else if !person.complete {
            // what was not read may be what makes it right
            row.action = Action::Skip;
            row.reason = Some(Reason::Borrowed(reason::UNREADABLE));
        } else {
            row.action = if row.after.is_empty() { Action::Clear } else { Action::Set };
            row.reason = row.removed.first().and_then(|item| item.reason.clone());
        }
        if !(row.removed.is_empty() && row.losers.is_empty()) {
            rows.push(row);
        }
    }
    let removed: usize = rows.iter().filter(|row| row.action.writes()).map(|row| row.removed.len()).sum();
    for row in &mut rows {
        row.loses_last = row.removes() && removed == values.len();
    }
    rows
}

/// What a person gets of `wanted`, which were judged for this person: one row per attribute that is meant. What is
/// unfit, undetermined or too much loses, with its reason.
pub fn plan_publish(person: &Person, values: &[Value], wanted: &[Value], policy: &Policy) -> Vec<Change> {
    let mut rows = Vec::new();
    for attribute in Attribute::ALL {
        let mut meant = wanted.iter().filter(|value| value.attribute == attribute).peekable();
        if meant.peek().is_none() {
            continue;
        }
        let before: Vec<RawValue> =
            values.iter().filter(|value| value.attribute == attribute).map(Value::raw).collect();
        let mut row = Change { attribute: Some(attribute), after: before.clone(), before, ..row(person) };
        for value in meant {
            if row.after.iter().any(|held| held.sha256 == value.sha256) {
                continue;
            }
            let lost = value.unfit_reason(policy).or_else(|| {
                let too_much = value.bytes.len() > policy.max_value_bytes || row.after.len() >= policy.max_values;
                too_much.then_some(reason::OVER_LIMIT)
            });
            match lost {
                Some(reason) => row.losers.push(Item::new(value, Some(reason))),
                None => {
                    row.added.push(Item::new(value, None));
                    row.after.push(value.raw());
                }
            }
        }
        if !person.complete {
            row.action = Action::Skip;
            row.reason = Some(Reason::Borrowed(reason::UNREADABLE));
        } else if !row.added.is_empty() {
            row.action = Action::Set;
        } else if let Some(loser) = row.losers.first() {
            row.action = Action::Skip;
            row.reason = loser.reason.clone();
        }
        rows.push(row);
    }
    rows
}

/// A row about a person's entry, which is what `recipient` names; nothing is done yet.
fn row(person: &Person) -> Change {
    Change {
        recipient: Some(person.distinguished_name.clone()),
        action: Action::None,
        reason: None,
        ..skip_person(person, reason::UNFIT)
    }
}
