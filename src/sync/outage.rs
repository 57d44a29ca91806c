//! When a run goes on after a recipient failed, and when it ends.
//!
//! A recipient whose write fails is a row, and the run goes on, with two exceptions. What would meet everybody ends it at
//! once: a credential or right that is lost, a certificate that is not trusted, a store that fails, a service that asks
//! for a longer wait than anybody has patience for. And an outage ends it: [`ROWS`] recipients one after the other
//! that failed, after all their repetitions, for a reason that passes by itself — the service is busy, broken or silent.
//! One success, or one refusal that is about the recipient, shows that the service works and starts the count anew.

use crate::error::{Area, Category, Code, Error};
use crate::exchange::PATIENCE_MS;

/// Recipients in a row that fail for a reason of the service's before the run ends.
const ROWS: u32 = 3;

/// How the service has fared with the last recipients.
#[derive(Debug, Default)]
pub(super) struct Outage {
    in_a_row: u32,
}

impl Outage {
    /// Counts a recipient whose write ended, with its error if it failed. Whether the run ends.
    pub(super) fn ends_the_run(&mut self, error: Option<&Error>) -> bool {
        match error {
            Some(error) if meets_everybody(error) => return true,
            Some(error) if is_about_the_service(error) => self.in_a_row += 1,
            _ => self.in_a_row = 0,
        }
        self.in_a_row >= ROWS
    }
}

/// Whether an error will meet every other recipient, too, so that going on would only make a storm of it.
fn meets_everybody(error: &Error) -> bool {
    let patience = i64::try_from(PATIENCE_MS).unwrap_or(i64::MAX);
    match error.code() {
        Code::ExchangeAuth
        | Code::ExchangeCertificate
        | Code::ExchangeIdentity
        | Code::ExchangeDenied
        | Code::ExchangeTls => true,
        Code::ExchangeThrottled => error.get_retry_after_ms().is_some_and(|asked| asked > patience),
        _ => matches!(error.category(), Category::Store | Category::Locked | Category::Internal),
    }
}

fn is_about_the_service(error: &Error) -> bool {
    // what was read back differs for a reason of its own
    error.area() == Area::Exchange && error.is_transient() && error.category() != Category::Conflict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(errors: &[Option<Error>]) -> Option<usize> {
        let mut outage = Outage::default();
        errors.iter().position(|error| outage.ends_the_run(error.as_ref()))
    }

    #[test]
    fn three_in_a_row_are_an_outage_and_two_are_not() {
        let busy = || Some(Error::new(Code::ExchangeThrottled).retry_after_ms(64_000));
        let silent = || Some(Error::new(Code::ExchangeTimeout));
        let passing = || Some(Error::new(Code::ExchangeRefused).passing());
        let refused = || Some(Error::new(Code::ExchangeRefused));
        let differs = || Some(Error::new(Code::ExchangeVerify));
        assert_eq!(run(&[busy(), silent(), passing()]), Some(2));
        assert_eq!(run(&[busy(), busy(), None, busy(), silent(), refused(), busy(), busy()]), None);
        assert_eq!(run(&[busy(), busy(), differs(), busy(), busy()]), None);
        assert_eq!(run(&[refused(), refused(), refused(), refused()]), None);
    }

    #[test]
    fn what_meets_everybody_ends_at_once() {
        for code in [Code::ExchangeAuth, Code::ExchangeDenied, Code::ExchangeTls, Code::StoreFailed, Code::StoreLocked]
        {
            assert_eq!(run(&[Some(Error::new(code))]), Some(0), "{code:?}");
        }
        let long = Error::new(Code::ExchangeThrottled).retry_after_ms(86_400_000);
        assert_eq!(run(&[Some(long)]), Some(0));
        assert_eq!(run(&[Some(Error::new(Code::ExchangeDirSynced))]), None);
    }
}
