//! How much the tenant may be asked: calls a second, calls at a time, and what the headers say of it.

use serde::{Deserialize, Serialize};
use time::macros::format_description;

use crate::clock::utc;
use crate::http::Reply;
use crate::tenant::Tenant;

/// Calls a minute the headers speak of where no rate is enforced.
const SAID_LIMIT: u64 = 30_000;

/// A rate that is enforced: what was not used is saved up to the burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Calls a second, in the long run; at least 1.
    pub calls_per_second: u32,
    /// Calls at once after a rest; at least 1.
    pub burst: u32,
}

impl RateLimit {
    pub(crate) fn check(self) -> Result<(), String> {
        if self.calls_per_second == 0 || self.burst == 0 {
            return Err("switch rate allows no call at all".to_owned());
        }
        Ok(())
    }
}

/// What was asked so far.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Thousandths of calls that are left, and when that was reckoned; nothing before the first call.
    left: Option<(u64, i64)>,
    /// The minute of `calls`.
    minute: i64,
    calls: u64,
    /// Calls being answered.
    pub(crate) at_a_time: u32,
}

impl Usage {
    fn left(&self, rate: RateLimit, now_ms: i64) -> u64 {
        let full = u64::from(rate.burst) * 1000;
        self.left.map_or(full, |(left, at_ms)| {
            let since = now_ms.saturating_sub(at_ms).max(0).unsigned_abs();
            left.saturating_add(since.saturating_mul(u64::from(rate.calls_per_second))).min(full)
        })
    }

    /// Takes a call.
    ///
    /// # Errors
    /// The seconds after which there is one.
    fn take(&mut self, rate: RateLimit, now_ms: i64) -> Result<(), u64> {
        let left = self.left(rate, now_ms);
        match left.checked_sub(1000) {
            Some(rest) => {
                self.left = Some((rest, now_ms));
                Ok(())
            }
            None => {
                self.left = Some((left, now_ms));
                Err((1000 - left).div_ceil(u64::from(rate.calls_per_second) * 1000).max(1))
            }
        }
    }
}

/// A call that is being answered; dropping it makes room for another.
pub(crate) struct Place<'a>(&'a Tenant);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut core = self.0.core();
        core.usage.at_a_time = core.usage.at_a_time.saturating_sub(1);
    }
}

/// Lets a call in.
///
/// # Errors
/// The refusal and its name in the log.
pub(crate) fn admit(tenant: &Tenant) -> Result<Place<'_>, (Reply, &'static str)> {
    let now_ms = tenant.clock().now_ms();
    let mut core = tenant.core();
    if core.switches.max_concurrent.is_some_and(|most| core.usage.at_a_time >= most) {
        return Err((crate::faults::crowded(), "concurrency"));
    }
    if let Some(rate) = core.switches.rate
        && let Err(seconds) = core.usage.take(rate, now_ms)
    {
        return Err((crate::faults::throttled(seconds), "rate"));
    }
    core.usage.at_a_time += 1;
    drop(core);
    Ok(Place(tenant))
}

/// Adds what the service tells of the limits.
pub(crate) fn add_headers(tenant: &Tenant, reply: &mut Reply) {
    let mut core = tenant.core();
    if !core.switches.rate_limit_headers {
        return;
    }
    let now_ms = tenant.clock().now_ms();
    let (limit, remaining, reset_ms) = match core.switches.rate {
        Some(rate) => {
            let left = core.usage.left(rate, now_ms);
            let missing = u64::from(rate.burst) * 1000 - left;
            let full_ms = missing.div_ceil(u64::from(rate.calls_per_second));
            (u64::from(rate.burst), left / 1000, now_ms.saturating_add_unsigned(full_ms))
        }
        None => {
            let minute = now_ms.div_euclid(60_000);
            if core.usage.minute != minute {
                (core.usage.minute, core.usage.calls) = (minute, 0);
            }
            core.usage.calls += 1;
            (SAID_LIMIT, SAID_LIMIT.saturating_sub(core.usage.calls), (minute + 1) * 60_000)
        }
    };
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let second = utc(reset_ms.div_euclid(1000)).format(&format).unwrap_or_default();
    reply.headers.push(("rate-limit-limit", limit.to_string()));
    reply.headers.push(("rate-limit-remaining", remaining.to_string()));
    reply.headers.push(("rate-limit-reset", format!("{second}.{:03}Z", reset_ms.rem_euclid(1000))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_saved_up_to_the_burst_and_no_further() {
        let rate = RateLimit { calls_per_second: 10, burst: 3 };
        let mut usage = Usage::default();
        let mut take = |now_ms| usage.take(rate, now_ms);
        assert_eq!([take(0), take(0), take(0), take(0)], [Ok(()), Ok(()), Ok(()), Err(1)]);
        assert_eq!([take(99), take(100), take(101)], [Err(1), Ok(()), Err(1)]);
        assert_eq!([take(9_000), take(9_000), take(9_000), take(9_000)], [Ok(()), Ok(()), Ok(()), Err(1)]);
    }
}
