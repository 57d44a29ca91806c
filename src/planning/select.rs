//! Which of the directory's values a recipient should hold, and why each other one lost.

use std::collections::BTreeSet;

use crate::certificate::Attribute;
use crate::config::Publish;
use crate::validation::Use;

use super::{Policy, Value, reason};

/// A value of the directory that is not published.
#[derive(Debug, Clone, Copy)]
pub struct Loser<'a> {
    /// The value.
    pub value: &'a Value,
    /// Why it lost.
    pub reason: &'static str,
}

/// What the directory has for one attribute, divided.
#[derive(Debug, Clone, Default)]
pub struct Selection<'a> {
    /// The values to publish, the newest first.
    pub chosen: Vec<&'a Value>,
    /// All others, the newest first.
    pub losers: Vec<Loser<'a>>,
}

/// Chooses among the directory's values of one attribute; values of the other attribute are passed over.
///
/// `better_behind`: whether senders would find a value fit to encrypt in `userCertificate` if `userSMIMECertificate`
/// were empty, and nothing that stays in `userSMIMECertificate` is fit to encrypt.
pub fn select<'a>(attribute: Attribute, values: &'a [Value], policy: &Policy, better_behind: bool) -> Selection<'a> {
    let mut selection = Selection::default();
    let mut seen = BTreeSet::new();
    for value in ranked(values.iter().filter(|value| value.attribute == attribute)) {
        let lost = if !seen.insert(value.sha256) {
            Some(reason::DUPLICATE)
        } else if let Some(unfit) = value.unfit_reason(policy) {
            Some(unfit)
        } else {
            (value.bytes.len() > policy.max_value_bytes).then_some(reason::OVER_LIMIT)
        };
        match lost {
            Some(reason) => selection.losers.push(Loser { value, reason }),
            None => selection.chosen.push(value),
        }
    }
    let encrypts = |value: &&Value| policy.counts_as_fit(value, Use::Encrypt);
    // Outlook takes userSMIMECertificate first and does not fall back, so a value fit only to sign stands in the way
    if attribute == Attribute::UserSmimeCertificate && better_behind && !selection.chosen.iter().any(encrypts) {
        selection.lose_all_but(reason::HIDES_BETTER, |_| false);
    }
    if policy.publish == Publish::Newest {
        let newest_encrypt = selection.chosen.iter().find(|value| encrypts(value)).map(|value| value.sha256);
        let newest_sign =
            selection.chosen.iter().find(|value| policy.counts_as_fit(value, Use::Sign)).map(|value| value.sha256);
        selection.lose_all_but(reason::NEWER_CHOSEN, |value| {
            Some(value.sha256) == newest_encrypt || Some(value.sha256) == newest_sign
        });
    }
    while selection.chosen.len() > policy.max_values {
        selection.lose_lowest(reason::OVER_LIMIT, policy, |_| true);
    }
    selection.losers.sort_by_key(|loser| loser.value.rank());
    selection
}

/// Values in the order they are ranked in.
pub(super) fn ranked<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut ranked: Vec<_> = values.collect();
    ranked.sort_by_key(|value| value.rank());
    ranked
}

impl<'a> Selection<'a> {
    fn lose_all_but(&mut self, reason: &'static str, stays: impl Fn(&Value) -> bool) {
        let (chosen, lost): (Vec<_>, Vec<_>) = self.chosen.drain(..).partition(|value| stays(value));
        self.chosen = chosen;
        self.losers.extend(lost.into_iter().map(|value| Loser { value, reason }));
    }

    /// Gives up the lowest-ranked value that may go; the only one fit to encrypt goes last. `false` if none may go.
    pub(super) fn lose_lowest(
        &mut self,
        reason: &'static str,
        policy: &Policy,
        may_go: impl Fn(&Value) -> bool,
    ) -> bool {
        let encrypts = |value: &Value| policy.counts_as_fit(value, Use::Encrypt);
        let only_one = self.chosen.iter().filter(|value| encrypts(value)).count() == 1;
        let lowest = self.chosen.iter().rposition(|value| may_go(value) && !(only_one && encrypts(value)));
        let Some(index) = lowest.or_else(|| self.chosen.iter().rposition(|value| may_go(value))) else {
            return false;
        };
        let value = self.chosen.remove(index);
        self.losers.push(Loser { value, reason });
        true
    }
}
