//! The double's clock: wall time that follows tokio's clock, so that a paused runtime makes it simulated time.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use tokio::time::Instant;

/// Wall time counted from a fixed moment with tokio's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start_ms: i64,
    started: Instant,
}

impl Clock {
    /// A clock that shows `now` at this moment.
    pub(crate) fn starting_at(now: SystemTime) -> Self {
        let start_ms = match now.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Self { start_ms, started: Instant::now() }
    }

    /// Milliseconds since 1970, UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        self.start_ms.saturating_add(i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Seconds since 1970, UTC.
    pub(crate) fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }
}

/// `seconds` since 1970 as a date and time; what no calendar holds becomes 1970.
pub(crate) fn utc(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
