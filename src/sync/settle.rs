//! Writes that a run before this one began and did not see the end of.

use std::collections::HashMap;

use crate::error::{Code, Error, Result};
use crate::people::Recipient;
use crate::store::{StoredError, WriteEnd};

use super::Job;
use super::apply::{held, same};

/// Says of each open write whether its recipient holds what was written; what cannot be read stays open.
pub(super) fn settle(job: &Job<'_>, recipients: &[Recipient]) -> Result<()> {
    let open = job.store.open_writes()?;
    if open.is_empty() {
        return Ok(());
    }
    let by_identity: HashMap<&str, &Recipient> =
        recipients.iter().map(|recipient| (recipient.identity.as_str(), recipient)).collect();
    for write in open {
        let identity = write.change.recipient.as_deref().unwrap_or_default();
        let lost = |code| WriteEnd::Failed(StoredError::new(&Error::new(code).target(identity), job.culture));
        let end = match by_identity.get(identity) {
            None => lost(Code::ExchangeNotFound),
            Some(recipient) => match held(recipient, write.change.attribute) {
                Ok(now) if same(&now, &write.change.after) => WriteEnd::Verified,
                Ok(_) => lost(Code::ExchangeVerify),
                Err(_) => continue,
            },
        };
        job.store.journal_done(write.entry, &end, job.surroundings.now_ms())?;
    }
    Ok(())
}
