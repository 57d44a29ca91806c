//! Writes that a run before this one began and did not see the end of.

use std::collections::{BTreeSet, HashMap};

use crate::error::{Code, Error, Result};
use crate::people::Recipient;
use crate::store::{OpenWrite, StoredError, WriteEnd};

use super::Job;
use super::apply::held;
use super::observer::until_cancelled;

/// Says of each open write whether its recipient holds what was written; what cannot be read stays open. `recipient` is
/// asked for recipients by identity.
pub(super) fn settle(job: &Job<'_>, recipient: impl Fn(&str) -> Result<Option<Recipient>>) -> Result<()> {
    for write in job.store.open_writes()? {
        let identity = write.change.recipient.as_deref().unwrap_or_default();
        if let Some(end) = end(job, &write, identity, recipient(identity)?.as_ref()) {
            job.store.journal_done(write.entry, &end, job.surroundings.now_ms())?;
        }
    }
    Ok(())
}

/// As [`settle`], for a run that does not list all recipients: those of open writes are read one by one.
pub(super) async fn settle_one_by_one(job: &Job<'_>) -> Result<()> {
    let mut recipients = HashMap::new();
    let open = job.store.open_writes()?;
    let identities: BTreeSet<_> = open.iter().filter_map(|write| write.change.recipient.as_deref()).collect();
    for identity in identities {
        match until_cancelled(job.observer, job.exchange.get(identity)).await {
            Ok(recipient) => drop(recipients.insert(recipient.identity.clone(), recipient)),
            Err(error) if error.code() == Code::ExchangeNotFound => {}
            Err(error) => return Err(error),
        }
    }
    settle(job, |identity| Ok(recipients.get(identity).cloned()))
}

fn end(job: &Job<'_>, write: &OpenWrite, identity: &str, recipient: Option<&Recipient>) -> Option<WriteEnd> {
    let lost = |code| StoredError::new(&Error::new(code).target(identity), job.culture);
    let Some(recipient) = recipient else { return Some(WriteEnd::Failed(lost(Code::ExchangeNotFound))) };
    let now = held(recipient, write.change.attribute).ok()?;
    if write.change.took_effect(&now) {
        return Some(WriteEnd::Verified);
    }
    Some(WriteEnd::Differs(lost(Code::ExchangeVerify), now.iter().map(|value| value.sha256).collect()))
}
