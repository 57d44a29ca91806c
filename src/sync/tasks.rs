//! What a run is to write, recipient by recipient, taken from what it set aside.

use crate::error::Result;
use crate::people::{Recipient, RecipientIndex};
use crate::store::{Spool, Tally};

use super::apply::Task;

/// The recipients that are yet to be written, by identity.
pub(super) struct Tasks<'a> {
    spool: &'a Spool,
    recipients: &'a RecipientIndex,
    tally: Tally,
    /// The identity of the last one that was taken out of the spool.
    last: String,
    /// The next one, where it was looked at already.
    next: Option<Task>,
}

impl<'a> Tasks<'a> {
    /// All that the rows set aside come to.
    pub(super) fn new(spool: &'a Spool, recipients: &'a RecipientIndex, tally: Tally) -> Self {
        Self { spool, recipients, tally, last: String::new(), next: None }
    }

    /// How many recipients there were in the beginning.
    pub(super) fn recipients(&self) -> u64 {
        self.tally.recipients_written
    }

    /// How many rows there were in the beginning.
    pub(super) fn rows(&self) -> usize {
        usize::try_from(self.tally.writes).unwrap_or(usize::MAX)
    }

    /// The next one, which stays the next.
    pub(super) fn peek(&mut self) -> Result<Option<&Task>> {
        while self.next.is_none() {
            let Some((identity, changes)) = self.spool.next_to_write(&self.last)? else { return Ok(None) };
            if let Some(place) = self.recipients.identified(&identity).last() {
                let found = self.spool.recipient(place)?;
                self.next = found.map(|(recipient, read_ms)| Task { recipient, read_ms, changes });
            }
            self.last = identity;
        }
        Ok(self.next.as_ref())
    }

    /// Takes the next one, as [`Tasks::peek`] showed it.
    pub(super) fn take(&mut self) -> Option<Task> {
        self.next.take()
    }

    /// What was read again of somebody; of use where it is somebody yet to be written.
    pub(super) fn read_again(&mut self, recipient: Recipient, read_ms: i64) -> Result<()> {
        if let Some(next) = self.next.as_mut().filter(|next| next.recipient.identity == recipient.identity) {
            (next.recipient, next.read_ms) = (recipient, read_ms);
        } else if recipient.identity > self.last
            && self.spool.is_written(&recipient.identity)?
            && let Some(place) = self.recipients.identified(&recipient.identity).last()
        {
            self.spool.put_recipient(place, &recipient, read_ms)?;
        }
        Ok(())
    }
}
