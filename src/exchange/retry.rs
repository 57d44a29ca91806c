//! How often a request is repeated, and how long the wait before it is.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Code, Error};

use super::surroundings::Surroundings;

/// Tries of one request, the first included, as Exchange's own module has it.
const MAX_TRIES: u32 = 6;
/// Tries where waiting seldom helps: server errors and answers cut short.
const FEW_TRIES: u32 = 3;
/// Tries after a request's time ran out: its time is long already.
const TIMEOUT_TRIES: u32 = 2;
/// The first wait that the service did not name; it doubles with each try.
const BASE_DELAY_MS: u64 = 2_000;
/// Longest time one request waits in all; a service that asks for more is reported instead.
const MAX_WAIT_MS: u64 = 15 * 60_000;

/// Why a request may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The service is busy; it may have said for how long, in milliseconds.
    Busy(Option<u64>),
    /// The service failed, or its answer arrived broken.
    Broken,
    /// The request's time ran out.
    Timeout,
    /// No connection came about.
    Unreachable,
}

/// What one server is known to do.
#[derive(Debug, Default)]
pub(super) struct Contact {
    answered: AtomicBool,
}

impl Contact {
    /// Remembers that the server has answered.
    pub(super) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }
}

/// The tries of one request.
#[derive(Debug)]
pub(super) struct Tries<'a> {
    surroundings: &'a dyn Surroundings,
    contact: &'a Contact,
    made: u32,
    waited_ms: u64,
}

impl<'a> Tries<'a> {
    /// No try made yet.
    pub(super) fn new(surroundings: &'a dyn Surroundings, contact: &'a Contact) -> Self {
        Self { surroundings, contact, made: 0, waited_ms: 0 }
    }

    /// Tries that failed and were waited for.
    pub(super) fn failed(&self) -> u32 {
        self.made
    }

    /// Waits until the request may be repeated.
    ///
    /// # Errors
    /// `error` itself where it is not repeated any more, with the wait the service asked for.
    pub(super) async fn wait(&mut self, cause: Cause, error: Error) -> Result<(), Error> {
        self.made += 1;
        let tries = match cause {
            Cause::Busy(_) => MAX_TRIES,
            Cause::Broken => FEW_TRIES,
            Cause::Timeout => TIMEOUT_TRIES,
            // a wrong name or a closed port does not mend by waiting; a server that answered before may come back
            Cause::Unreachable if self.contact.answered.load(Ordering::Relaxed) => MAX_TRIES,
            Cause::Unreachable => 1,
        };
        let delay = match cause {
            Cause::Busy(Some(asked)) => asked,
            _ => {
                let backoff = BASE_DELAY_MS << (self.made - 1).min(16);
                backoff + self.surroundings.random_below(backoff / 2)
            }
        };
        if self.made >= tries || self.waited_ms.saturating_add(delay) > MAX_WAIT_MS {
            let known = error.get_retry_after_ms().is_some() || error.code() != Code::ExchangeThrottled;
            return Err(if known { error } else { error.retry_after_ms(i64::try_from(delay).unwrap_or(i64::MAX)) });
        }
        tracing::warn!(wait_ms = delay, attempt = self.made, code = error.code().info().name, "request is repeated");
        self.waited_ms += delay;
        self.surroundings.sleep(delay).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Simulated;
    use super::*;

    async fn run(cause: Cause, contact: &Contact) -> (Vec<u64>, Error) {
        let simulated = Simulated::default();
        let mut tries = Tries::new(&simulated, contact);
        loop {
            if let Err(error) = tries.wait(cause, Error::new(Code::ExchangeThrottled)).await {
                return (simulated.slept(), error);
            }
        }
    }

    #[tokio::test]
    async fn what_the_service_asks_for_is_kept_to_the_millisecond() {
        let (slept, _) = run(Cause::Busy(Some(7_000)), &Contact::default()).await;
        assert_eq!(slept, [7_000; 5]);
    }

    #[tokio::test]
    async fn without_a_word_of_the_service_waits_double_and_never_shrink() {
        let (slept, error) = run(Cause::Busy(None), &Contact::default()).await;
        assert_eq!(slept.len(), 5);
        for (index, delay) in slept.iter().enumerate() {
            let base = 2_000 << index;
            assert!((base..base + base / 2).contains(delay), "{delay} at {index}");
        }
        assert!(error.get_retry_after_ms().is_some());
    }

    #[tokio::test]
    async fn a_wait_beyond_all_patience_is_reported_at_once() {
        let (slept, error) = run(Cause::Busy(Some(3_600_000)), &Contact::default()).await;
        assert!(slept.is_empty());
        assert_eq!(error.get_retry_after_ms(), Some(3_600_000));
    }

    #[tokio::test]
    async fn a_server_never_heard_of_is_not_waited_for() {
        let contact = Contact::default();
        assert!(run(Cause::Unreachable, &contact).await.0.is_empty());
        contact.answered();
        assert_eq!(run(Cause::Unreachable, &contact).await.0.len(), 5);
    }
}
