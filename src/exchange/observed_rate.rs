//! The rate that a service allows without stating it, learned from what it lets in and what it refuses.
//!
//! Additive increase, multiplicative decrease, as TCP does it, with both measured in what a refusal costs: a refusal tells
//! that the rate lies below what was let in while calls were sent, and not below what that is with the wait counted in.

/// Of the rate that was let in before a refusal, at most this part is asked for afterwards.
const BACK_OFF: f64 = 0.9;
/// The way back to that rate takes so many times the wait that was asked for, at most, so that refusals cost a small part of
/// the time.
const RECOVERY: f64 = 20.0;
/// A refusal costs at least this, in milliseconds.
const MIN_COST_MS: f64 = 1_000.0;
/// Longest way back, in milliseconds of calls at full pace: one refusal with a very long wait must not count for ever.
const MAX_RECOVERY_MS: f64 = 600_000.0;
/// Who sends nothing for longer has been idle, and what was seen before says nothing of what is allowed.
const IDLE_MS: f64 = 1_000.0;
/// Longest time between two requests, in milliseconds: it is only a guess.
const MAX_GAP_MS: f64 = 60_000.0;

/// What was seen of one service. Times are milliseconds of a clock that nobody sets.
#[derive(Debug, Default)]
pub(super) struct ObservedRate {
    /// Calls a millisecond; nothing as long as nothing was refused.
    rate: Option<f64>,
    /// What every call that is let in adds to the rate.
    step: f64,
    /// When the first request was sent since the last refusal or idleness.
    since_ms: Option<i64>,
    /// The rate then.
    since_rate: Option<f64>,
    /// Calls let in since then.
    let_in: u32,
    /// When the last request was sent.
    last_ms: i64,
    /// When the last refusal came that was learned from.
    refused_ms: Option<i64>,
    /// When the next request is due, to a fraction of a millisecond.
    due_ms: f64,
}

impl ObservedRate {
    /// Milliseconds between two requests.
    fn gap_ms(&self) -> f64 {
        self.rate.map_or(0.0, |rate| (1.0 / rate).min(MAX_GAP_MS))
    }

    /// Milliseconds until the next request is due.
    pub(super) fn wait_ms(&self, now_ms: i64) -> i64 {
        if self.rate.is_none() { 0 } else { (self.due_ms - now_ms as f64).ceil().max(0.0) as i64 }
    }

    /// A request is sent.
    pub(super) fn sent(&mut self, now_ms: i64) {
        let (now, gap) = (now_ms as f64, self.gap_ms());
        let is_idle = now_ms.saturating_sub(self.last_ms) as f64 > IDLE_MS.max(2.0 * gap);
        if self.since_ms.is_none() || is_idle {
            (self.since_ms, self.since_rate, self.let_in) = (Some(now_ms), self.rate, 0);
        }
        self.last_ms = now_ms;
        // who comes late by less than a turn, as timers make everybody, may make up for it
        self.due_ms = if now - self.due_ms < gap { self.due_ms } else { now } + gap;
    }

    /// A request was let in, whatever became of it.
    pub(super) fn let_in(&mut self) {
        self.let_in = self.let_in.saturating_add(1);
        if let Some(rate) = &mut self.rate {
            *rate += self.step;
        }
    }

    /// A request that was sent at `sent_ms` was refused, and the service wants a wait of so long. Those that were under way
    /// with one that was learned from tell nothing new.
    pub(super) fn refused(&mut self, sent_ms: i64, now_ms: i64, wait_ms: u64) {
        if self.refused_ms.is_some_and(|refused_ms| sent_ms <= refused_ms) {
            return;
        }
        let since_ms = self.since_ms.take().unwrap_or(sent_ms);
        let active_ms = (now_ms.saturating_sub(since_ms) as f64).max(1.0);
        let calls = f64::from(self.let_in.max(1));
        let cost_ms = (wait_ms as f64).max(MIN_COST_MS);
        let mean = calls / active_ms;
        // evenly from the rate then to the rate now, unless something else kept it low
        let most = match (self.since_rate, self.rate) {
            (Some(then), Some(now)) => (2.0 * mean - then).min(now).max(mean),
            _ => mean,
        };
        // a wait counts as at most the time it came after: a long one tells nothing more of a short time
        let least = calls / (active_ms + cost_ms.min(active_ms));
        // between the two, and below what was refused
        let rate = (most * least).sqrt().min(most * BACK_OFF);
        // what was seen for a short time only is found out anew the sooner
        let known = active_ms / (active_ms + cost_ms);
        let calls_on_the_way = rate * (cost_ms * RECOVERY * known).min(MAX_RECOVERY_MS);
        self.step = (most - rate) / calls_on_the_way.max(1.0);
        self.rate = Some(rate);
        (self.refused_ms, self.let_in) = (Some(now_ms), 0);
        tracing::info!(calls_per_second = rate * 1000.0, "the service refuses the rate, it is asked more slowly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that allows so many calls a second and saves up ten, asked by four at a time that take 40 ms each, for a
    /// minute: the share of what it allows that was used, and how many calls it refused.
    fn asked_for_a_minute(calls_per_second: i64, retry_after_ms: i64) -> (f64, u32) {
        let mut observed = ObservedRate::default();
        let (mut left, mut reckoned_ms, mut quiet_until_ms) = (10_000, 0, 0);
        let (mut under_way, mut used, mut refused) = (Vec::<(i64, bool)>::new(), 0_u32, 0_u32);
        for now_ms in 0..60_000 {
            for (sent_ms, is_let_in) in under_way.extract_if(.., |(sent_ms, _)| *sent_ms + 40 == now_ms) {
                if is_let_in {
                    used += 1;
                    observed.let_in();
                } else {
                    refused += 1;
                    quiet_until_ms = quiet_until_ms.max(now_ms + retry_after_ms);
                    observed.refused(sent_ms, now_ms, retry_after_ms.unsigned_abs());
                }
            }
            while under_way.len() < 4 && now_ms >= quiet_until_ms && observed.wait_ms(now_ms) == 0 {
                left = (left + (now_ms - reckoned_ms) * calls_per_second).min(10_000);
                reckoned_ms = now_ms;
                under_way.push((now_ms, left >= 1000));
                left -= if left >= 1000 { 1000 } else { 0 };
                observed.sent(now_ms);
            }
        }
        (f64::from(used) / (60 * calls_per_second) as f64, refused)
    }

    #[test]
    fn a_rate_nobody_stated_is_found_and_kept_to() {
        // three waits of three seconds alone are a seventh of the minute
        for (calls_per_second, retry_after_ms, least) in
            [(5, 1_000, 0.8), (20, 1_000, 0.8), (50, 1_000, 0.8), (80, 1_000, 0.8), (50, 3_000, 0.75)]
        {
            let (share, refused) = asked_for_a_minute(calls_per_second, retry_after_ms);
            assert!(share > least, "{:.1} % of {calls_per_second} a second", share * 100.0);
            assert!(refused <= 20, "{refused} of {calls_per_second} a second");
        }
        // where nothing is refused, nothing is slowed down
        let (share, refused) = asked_for_a_minute(200, 1_000);
        assert!(share > 0.49 && refused == 0, "{share}");
    }

    #[test]
    fn those_that_were_under_way_count_once() {
        let mut observed = ObservedRate::default();
        for now_ms in 0..10 {
            observed.sent(now_ms);
            observed.let_in();
        }
        observed.refused(8, 20, 1_000);
        let rate = observed.rate;
        observed.refused(9, 25, 1_000);
        assert!(rate.is_some() && observed.rate == rate);
        observed.sent(1_020);
        observed.refused(1_020, 1_040, 1_000);
        assert!(observed.rate < rate);
    }

    #[test]
    fn what_was_seen_before_a_rest_does_not_count() {
        let mut observed = ObservedRate::default();
        observed.sent(0);
        observed.let_in();
        for now_ms in 100_000..100_100 {
            observed.sent(now_ms);
            observed.let_in();
        }
        observed.refused(100_099, 100_200, 1_000);
        // a hundred calls in two tenths of a second, not in a hundred seconds
        assert!(observed.rate.unwrap() > 0.1, "{:?}", observed.rate);
    }

    #[test]
    fn nobody_waits_longer_than_a_minute_by_a_guess() {
        let mut observed = ObservedRate::default();
        observed.sent(0);
        observed.refused(0, 900_000, 900_000);
        observed.sent(1_800_000);
        assert_eq!(observed.wait_ms(1_800_000), 60_000);
    }
}
