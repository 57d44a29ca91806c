//! How fast one server may be asked: the pauses it asked for, the calls it says are left, and where it says nothing of them
//! the rate it was seen to allow.

use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::net::http::Response;

use super::failure::http_date_ms;
use super::observed_rate::ObservedRate;

/// Below this share of the limit (half of it) calls are spread over the time until the limit is renewed. Where it is renewed
/// bit by bit this settles at the very rate that is allowed, with room for the requests that are under way.
const LOW_WATER: u64 = 2;
/// Longest wait that `Rate-Limit-*` headers alone bring about, in milliseconds: they are a hint, not a refusal.
const MAX_HINT_MS: i64 = 60_000;

/// What the `Rate-Limit-*` headers of an answer say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// Calls in all.
    limit: u64,
    /// Calls left.
    remaining: u64,
    /// When there are as many again as the limit says, by the service's clock.
    reset_at_ms: i64,
    /// The service's clock when it answered, cut to the second.
    server_ms: i64,
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
        let server_ms = response.header("date").and_then(http_date_ms).unwrap_or(now_ms);
        Some(Self { limit, remaining, reset_at_ms, server_ms })
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
    /// When the last request was sent.
    last_ms: i64,
    /// By how much the service's clock is ahead of ours, as far as is known: its seconds are cut off, so the most that was
    /// ever seen is the nearest to the truth.
    ahead_ms: Option<i64>,
    /// Whether the last answer said how many calls are left: then what was observed does not count.
    is_told: bool,
    observed: ObservedRate,
}

impl Pace {
    /// Nobody sends for so long from now on. A longer pause that is under way stays.
    pub(super) fn pause(&self, now_ms: i64, wait_ms: u64) {
        let end = now_ms.saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX));
        let mut state = self.state();
        state.quiet_until_ms = state.quiet_until_ms.max(end);
    }

    /// Slows down where little is left, before anything is refused, as an answer says.
    pub(super) fn heed(&self, now_ms: i64, allowance: Option<Allowance>) {
        let mut state = self.state();
        state.is_told = allowance.is_some();
        let Some(Allowance { limit, remaining, reset_at_ms, server_ms }) = allowance else { return };
        let seen_ms = server_ms.saturating_sub(now_ms);
        let ahead_ms = state.ahead_ms.map_or(seen_ms, |ahead| ahead.max(seen_ms));
        state.ahead_ms = Some(ahead_ms);
        let reset_ms = reset_at_ms.saturating_sub(now_ms.saturating_add(ahead_ms)).clamp(0, MAX_HINT_MS);
        if remaining == 0 {
            state.quiet_until_ms = state.quiet_until_ms.max(now_ms.saturating_add(reset_ms));
            return;
        }
        let low = remaining.saturating_mul(LOW_WATER) <= limit;
        let calls = i64::try_from(remaining).unwrap_or(i64::MAX).saturating_add(1);
        state.gap_ms = if low { reset_ms / calls } else { 0 };
    }

    /// Milliseconds to wait until a request may be sent.
    pub(super) fn wait_ms(&self, now_ms: i64) -> u64 {
        let state = self.state();
        let next_ms = state.last_ms.saturating_add(state.gap_ms);
        let told_ms = state.quiet_until_ms.max(next_ms).saturating_sub(now_ms);
        let observed_ms = if state.is_told { 0 } else { state.observed.wait_ms(now_ms) };
        u64::try_from(told_ms.max(observed_ms)).unwrap_or(0)
    }

    /// Remembers when a request was sent.
    pub(super) fn sent(&self, now_ms: i64) {
        let mut state = self.state();
        state.last_ms = now_ms;
        state.observed.sent(now_ms);
    }

    /// Learns that a request was not too much.
    pub(super) fn let_in(&self) {
        self.state().observed.let_in();
    }

    /// Learns that a request sent then was one too many, where the answer does not say how many there may be. The wait is the
    /// one that was asked for.
    pub(super) fn refused(&self, sent_ms: i64, now_ms: i64, wait_ms: u64) {
        let mut state = self.state();
        if !state.is_told {
            state.observed.refused(sent_ms, now_ms, wait_ms);
        }
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
        let expected =
            Allowance { limit: 3000, remaining: 12, reset_at_ms: 784_111_787_500, server_ms: 784_111_777_000 };
        assert_eq!(Allowance::of(&answer(&headers), 7), Some(expected));
        headers[3].0 = "other";
        assert_eq!(Allowance::of(&answer(&headers), 7), Some(Allowance { server_ms: 7, ..expected }));
        for nonsense in ["", "soon", "17"] {
            headers[2].1 = nonsense;
            assert_eq!(Allowance::of(&answer(&headers), 7), None, "{nonsense}");
        }
        assert_eq!(Allowance::of(&answer(&headers[..2]), 7), None);
    }

    fn left(remaining: u64, reset_at_ms: i64, server_ms: i64) -> Option<Allowance> {
        Some(Allowance { limit: 100, remaining, reset_at_ms, server_ms })
    }

    #[test]
    fn while_there_is_enough_nobody_waits_and_then_the_rest_is_spread() {
        let pace = Pace::default();
        pace.heed(1_000, left(51, 2_000, 1_000));
        pace.sent(1_000);
        assert_eq!(pace.wait_ms(1_000), 0);
        pace.heed(1_000, left(9, 2_000, 1_000));
        assert_eq!([pace.wait_ms(1_000), pace.wait_ms(1_100)], [100, 0]);
        pace.sent(1_100);
        assert_eq!(pace.wait_ms(1_150), 50);
        pace.heed(1_060, left(60, 2_060, 1_000));
        assert_eq!(pace.wait_ms(1_100), 0);
        pace.heed(1_060, left(0, 3_060, 1_000));
        assert_eq!(pace.wait_ms(1_060), 2_000);
        pace.heed(1_060, left(0, 999_060, 1_000));
        assert_eq!(pace.wait_ms(1_060), 60_000);
    }

    #[test]
    fn a_clock_of_whole_seconds_is_read_to_the_millisecond_in_the_end() {
        let pace = Pace::default();
        // the service's clock is 500,700 ms ahead, and its answers say the second before
        for now_ms in [0, 299, 300, 301] {
            let server_ms = (now_ms + 500_700) / 1000 * 1000;
            pace.heed(now_ms, left(0, now_ms + 500_700 + 100, server_ms));
        }
        // the last one that was asked for before the clock was known to the millisecond
        assert_eq!(pace.wait_ms(301), 299 + 800 - 301);
        let pace = Pace::default();
        pace.heed(300, left(50, 0, 501_000));
        pace.heed(400, left(0, 501_200, 501_000));
        assert_eq!(pace.wait_ms(400), 100);
    }

    #[test]
    fn what_the_service_says_counts_before_what_was_observed() {
        let pace = Pace::default();
        for now_ms in 0..10 {
            pace.sent(now_ms);
            pace.let_in();
        }
        pace.heed(20, left(60, 2_000, 0));
        pace.refused(9, 20, 1_000);
        pace.sent(2_000);
        assert_eq!(pace.wait_ms(2_000), 0);
        pace.heed(2_040, None);
        pace.refused(2_000, 2_040, 1_000);
        pace.sent(3_040);
        assert!(pace.wait_ms(3_040) > 0);
        pace.heed(3_050, left(60, 5_000, 3_000));
        assert_eq!(pace.wait_ms(3_050), 0);
    }

    #[test]
    fn a_pause_is_never_shortened() {
        let pace = Pace::default();
        pace.pause(0, 7_000);
        pace.pause(1_000, 2_000);
        assert_eq!(pace.wait_ms(1_000), 6_000);
        assert_eq!(pace.wait_ms(6_999), 1);
        assert_eq!(pace.wait_ms(7_000), 0);
        pace.pause(7_000, u64::MAX);
        assert!(pace.wait_ms(7_000) > 1 << 60);
    }
}
