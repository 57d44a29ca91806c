//! How often a request is repeated, and how long the wait before it is.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;

use crate::error::{Code, Error};

use super::pace::{Allowance, Pace};
use super::surroundings::Surroundings;
use super::terms::Terms;

/// Tries of one request, the first included, as Exchange's own module has it.
const MAX_TRIES: u32 = 6;
/// Tries where waiting seldom helps: server errors and answers cut short.
const FEW_TRIES: u32 = 3;
/// Tries after a request's time ran out: its time is long already.
const TIMEOUT_TRIES: u32 = 2;
/// The first wait that the service did not name; it doubles with each try.
const BASE_DELAY_MS: u64 = 2_000;
/// Longest time one request waits in all, in milliseconds; a service that asks for more is reported instead.
pub const PATIENCE_MS: u64 = 15 * 60_000;

/// Why a request may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// There were too many calls, everybody's together; the service may have said for how long to wait, in milliseconds.
    Throttled(Option<u64>),
    /// There were too many calls at a time, everybody's together.
    Crowded(Option<u64>),
    /// The service is busy; it may have said for how long, in milliseconds.
    Busy(Option<u64>),
    /// The service met an exception that passes by itself.
    Passing,
    /// The service failed, or its answer arrived broken.
    Broken,
    /// The request's time ran out.
    Timeout,
    /// No connection came about.
    Unreachable,
}

impl Cause {
    /// How long the service asked to wait, in milliseconds.
    fn asked_ms(self) -> Option<u64> {
        match self {
            Self::Throttled(asked) | Self::Crowded(asked) | Self::Busy(asked) => asked,
            Self::Passing | Self::Broken | Self::Timeout | Self::Unreachable => None,
        }
    }

    /// Whether everybody who asks this server has to wait, not this request alone.
    fn concerns_everybody(self) -> bool {
        matches!(self, Self::Throttled(_)) || self.asked_ms().is_some()
    }
}

/// What one server is known to do and to want.
#[derive(Debug, Default)]
pub(super) struct Contact {
    answered: AtomicBool,
    pace: Pace,
    /// Whoever has it is the next to send: those behind decide by what is known when their turn comes.
    line: Mutex<()>,
}

impl Contact {
    /// Remembers that the server has answered.
    pub(super) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Heeds what an answer says about the calls that are left.
    pub(super) fn heed(&self, surroundings: &dyn Surroundings, allowance: Option<Allowance>) {
        self.pace.heed(surroundings.monotonic_ms(), allowance);
    }

    /// Learns from whether a request that was sent then was one too many.
    pub(super) fn learn(&self, surroundings: &dyn Surroundings, sent_ms: i64, refusal: Option<Cause>) {
        match refusal {
            Some(Cause::Throttled(asked_ms)) => {
                self.pace.refused(sent_ms, surroundings.monotonic_ms(), asked_ms.unwrap_or(BASE_DELAY_MS));
            }
            // nothing is said of the rate
            Some(Cause::Crowded(_) | Cause::Busy(_) | Cause::Unreachable | Cause::Timeout) => {}
            Some(Cause::Passing | Cause::Broken) | None => self.pace.let_in(),
        }
    }

    /// Waits until a request may be sent, and tells when that is: while a pause runs that the server asked for, nobody sends.
    ///
    /// # Errors
    /// `exchange_throttled` with the time that is left of a pause longer than [`PATIENCE_MS`].
    pub(super) async fn turn(&self, surroundings: &dyn Surroundings, terms: &Terms) -> Result<i64, Error> {
        let _next = self.line.lock().await;
        loop {
            let now_ms = surroundings.monotonic_ms();
            match self.pace.wait_ms(now_ms) {
                0 => {
                    self.pace.sent(now_ms);
                    return Ok(now_ms);
                }
                wait if wait > PATIENCE_MS => {
                    let wait = i64::try_from(wait).unwrap_or(i64::MAX);
                    return Err(Error::new(Code::ExchangeThrottled).retry_after_ms(wait));
                }
                wait => {
                    tracing::debug!(wait_ms = wait, "request waits for its turn");
                    tokio::join!(terms.waiting(wait, None), surroundings.sleep(wait));
                }
            }
        }
    }
}

/// The tries of one request.
#[derive(Debug)]
pub(super) struct Tries<'a> {
    surroundings: &'a dyn Surroundings,
    contact: &'a Contact,
    terms: &'a Terms,
    made: u32,
    waited_ms: u64,
}

impl<'a> Tries<'a> {
    /// No try made yet, on somebody's behalf.
    pub(super) fn new(surroundings: &'a dyn Surroundings, contact: &'a Contact, terms: &'a Terms) -> Self {
        Self { surroundings, contact, terms, made: 0, waited_ms: 0 }
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
            Cause::Throttled(_) | Cause::Crowded(_) | Cause::Busy(_) | Cause::Passing => MAX_TRIES,
            Cause::Broken => FEW_TRIES,
            Cause::Timeout => TIMEOUT_TRIES,
            // a wrong name or a closed port does not mend by waiting; a server that answered before may come back
            Cause::Unreachable if self.contact.answered.load(Ordering::Relaxed) => MAX_TRIES,
            Cause::Unreachable => 1,
        };
        let delay = cause.asked_ms().unwrap_or_else(|| {
            let backoff = BASE_DELAY_MS << (self.made - 1).min(16);
            backoff + self.surroundings.random_below(backoff / 2)
        });
        let now_ms = self.surroundings.monotonic_ms();
        if cause.concerns_everybody() {
            // also where this request is given up: what was asked for holds for the others
            self.contact.pace.pause(now_ms, delay);
        }
        let ready_ms = now_ms.saturating_add(i64::try_from(delay).unwrap_or(i64::MAX));
        let too_late = self.terms.deadline_ms.is_some_and(|deadline| ready_ms > deadline);
        if self.made >= tries || self.waited_ms.saturating_add(delay) > PATIENCE_MS || too_late {
            let known = error.get_retry_after_ms().is_some() || error.code() != Code::ExchangeThrottled;
            return Err(if known { error } else { error.retry_after_ms(i64::try_from(delay).unwrap_or(i64::MAX)) });
        }
        tracing::warn!(
            wait_ms = delay,
            attempt = self.made,
            code = error.code().info().name,
            request_id = error.get_request_id(),
            connection_id = error.get_connection_id(),
            "request is repeated"
        );
        self.waited_ms += delay;
        tokio::join!(self.terms.waiting(delay, Some(&error)), self.surroundings.sleep(delay));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Simulated;
    use super::*;

    async fn run(cause: Cause, contact: &Contact) -> (Vec<u64>, Error) {
        let simulated = Simulated::default();
        let terms = Terms::default();
        let mut tries = Tries::new(&simulated, contact, &terms);
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
    async fn while_a_wait_runs_that_was_asked_for_nobody_sends() {
        let (simulated, contact) = (Simulated::default(), Contact::default());
        for (cause, waits) in [
            (Cause::Throttled(Some(7_000)), true),
            (Cause::Busy(Some(7_000)), true),
            (Cause::Throttled(None), true),
            (Cause::Busy(None), false),
            (Cause::Passing, false),
            (Cause::Broken, false),
        ] {
            let simulated = Simulated::default();
            let contact = Contact::default();
            // of two requests one was refused; the other has to be told before the first has waited to its end
            let terms = Terms { deadline_ms: Some(-1), ..Terms::default() };
            let mut refused = Tries::new(&simulated, &contact, &terms);
            refused.wait(cause, Error::new(Code::ExchangeThrottled)).await.unwrap_err();
            contact.turn(&simulated, &Terms::default()).await.unwrap();
            assert_eq!(!simulated.slept().is_empty(), waits, "{cause:?}");
        }
        contact.pace.pause(0, PATIENCE_MS + 5);
        let error = contact.turn(&simulated, &Terms::default()).await.unwrap_err();
        assert_eq!((error.code(), error.get_retry_after_ms()), (Code::ExchangeThrottled, Some(900_005)));
        assert!(simulated.slept().is_empty());
    }

    #[tokio::test]
    async fn after_its_deadline_nothing_is_repeated() {
        let (simulated, contact) = (Simulated::default(), Contact::default());
        let terms = Terms { deadline_ms: Some(9_000), ..Terms::default() };
        let mut tries = Tries::new(&simulated, &contact, &terms);
        tries.wait(Cause::Passing, Error::new(Code::ExchangeRefused)).await.unwrap();
        tries.wait(Cause::Passing, Error::new(Code::ExchangeRefused)).await.unwrap();
        tries.wait(Cause::Passing, Error::new(Code::ExchangeRefused)).await.unwrap_err();
        assert!(simulated.slept().iter().sum::<u64>() <= 9_000);
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
