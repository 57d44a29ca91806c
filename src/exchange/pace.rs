//! How fast one server may be asked: the pauses it asked for, and the calls it says are left.

use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::net::http::Response;

use super::failure::http_date_ms;

/// Below this share of the limit (a tenth) calls are spread over the time until the limit is renewed.
const LOW_WATER: u64 = 10;
/// Longest wait that `Rate-Limit-*` headers alone bring about, in milliseconds: they are a hint, not a refusal.
const MAX_HINT_MS: i64 = 60_000;

/// What the `Rate-Limit-*` headers of an answer say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// Calls in all.
    limit: u64,
    /// Calls left.
    remaining: u64,
    /// Milliseconds until there are as many again as the limit says.
    reset_ms: i64,
}

impl Allowance {
    /// What an answer says; nothing where it says nothing that can be understood. `now_ms` is the machine's clock, for a
    /// service that does not tell its own.
    pub(super) fn of(response: &Response, now_ms: i64) -> Option<Self> {
        let number = |name: &str| response.header(name)?.trim().parse::<u64>().ok();
        let (limit, remaining) = (number("rate-limit-limit")?, number("rate-limit-remaining")?);
        let reset = OffsetDateTime::parse(response.header("rate-limit-reset")?.trim(), &Rfc3339).ok()?;
        let reset_at_ms = i64::try_from(reset.unix_timestamp_nanos() / 1_000_000).ok()?;
        // the service's own clock made the time, so its own clock tells the distance
        let now_ms = response.header("date").and_then(http_date_ms).unwrap_or(now_ms);
        Some(Self { limit, remaining, reset_ms: reset_at_ms.saturating_sub(now_ms).clamp(0, MAX_HINT_MS) })
    }
}

/// When one server may be asked next. Times are of a clock that nobody sets.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Nobody sends before this moment.
    quiet_until_ms: i64,
    /// Milliseconds between two requests; 0 while there is enough left.
    gap_ms: i64,
    /// The first place in the line that nobody has taken.
    next_ms: i64,
}

impl Pace {
    /// Nobody sends for so long from now on. A longer pause that is under way stays.
    pub(super) fn pause(&self, now_ms: i64, wait_ms: u64) {
        let end = now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX));
        let mut state = self.state();
        state.quiet_until_ms = state.quiet_until_ms.max(end);
    }

    /// Slows down where little is left, before anything is refused.
    pub(super) fn heed(&self, now_ms: i64, allowance: Allowance) {
        let Allowance { limit, remaining, reset_ms } = allowance;
        if remaining == 0 {
            return self.pause(now_ms, reset_ms.unsigned_abs());
        }
        let low = remaining.saturating_mul(LOW_WATER) <= limit;
        let calls = i64::try_from(remaining).unwrap_or(i64::MAX).saturating_add(1);
        let mut state = self.state();
        state.gap_ms = if low { reset_ms / calls } else { 0 };
        if !low {
            state.next_ms = 0;
        }
    }

    /// Takes the next place in the line: the moment of a request.
    pub(super) fn take(&self, now_ms: i64) -> i64 {
        let mut state = self.state();
        let place = state.next_ms.max(now_ms);
        state.next_ms = place + state.gap_ms;
        place
    }

    /// Milliseconds to wait until a request may be sent that took this place.
    pub(super) fn wait_ms(&self, now_ms: i64, place_ms: i64) -> u64 {
        u64::try_from(self.state().quiet_until_ms.max(place_ms) - now_ms).unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn answer(headers: &[(&'static str, &'static str)]) -> Response {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Response { status: 200, headers: HeaderMap::from_iter(headers), body: Vec::new() }
    }

    #[test]
    fn headers_are_read_by_the_services_own_clock() {
        let mut headers = vec![
            ("rate-limit-limit", "3000"),
            ("rate-limit-remaining", "12"),
            ("rate-limit-reset", "1994-11-06T08:49:47.500Z"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        let expected = Allowance { limit: 3000, remaining: 12, reset_ms: 10_500 };
        assert_eq!(Allowance::of(&answer(&headers), 7), Some(expected));
        headers[2].1 = "2094-11-06T08:49:47Z";
        assert_eq!(Allowance::of(&answer(&headers), 7).unwrap().reset_ms, MAX_HINT_MS);
        headers[2].1 = "1994-11-06T08:49:00Z";
        assert_eq!(Allowance::of(&answer(&headers), 7).unwrap().reset_ms, 0);
        for nonsense in ["", "soon", "17"] {
            headers[2].1 = nonsense;
            assert_eq!(Allowance::of(&answer(&headers), 7), None, "{nonsense}");
        }
        assert_eq!(Allowance::of(&answer(&headers[..2]), 7), None);
    }

    #[test]
    fn while_there_is_enough_nobody_waits_and_then_the_rest_is_spread() {
        let pace = Pace::default();
        pace.heed(1_000, Allowance { limit: 100, remaining: 11, reset_ms: 1_000 });
        for _ in 0..5 {
            assert_eq!(pace.take(1_000), 1_000);
        }
        pace.heed(1_000, Allowance { limit: 100, remaining: 9, reset_ms: 1_000 });
        assert_eq!([pace.take(1_000), pace.take(1_000), pace.take(1_050)], [1_000, 1_100, 1_200]);
        assert_eq!(pace.wait_ms(1_050, 1_200), 150);
        pace.heed(1_060, Allowance { limit: 100, remaining: 50, reset_ms: 1_000 });
        assert_eq!(pace.take(1_060), 1_060);
        pace.heed(1_060, Allowance { limit: 100, remaining: 0, reset_ms: 2_000 });
        assert_eq!(pace.wait_ms(1_060, 0), 2_000);
    }

    #[test]
    fn a_pause_is_never_shortened() {
        let pace = Pace::default();
        pace.pause(0, 7_000);
        pace.pause(1_000, 2_000);
        assert_eq!(pace.wait_ms(1_000, 0), 6_000);
        assert_eq!(pace.wait_ms(6_999, 0), 1);
        assert_eq!(pace.wait_ms(7_000, 0), 0);
        pace.pause(7_000, u64::MAX);
        assert!(pace.wait_ms(7_000, 0) > 1 << 60);
    }
}
