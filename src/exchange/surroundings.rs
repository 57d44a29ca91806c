//! Time and chance, handed in so that tests need neither.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Zero of the clock that only goes forward.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

use super::sign_in::Machine;

/// What the client takes from outside besides the network.
pub trait Surroundings: fmt::Debug + Send + Sync {
    /// Milliseconds since 1970 UTC.
    fn now_ms(&self) -> i64;

    /// Milliseconds of a clock that only goes forward, whatever becomes of the time of day; its zero means nothing.
    fn monotonic_ms(&self) -> i64 {
        self.now_ms()
    }

    /// Waits at least this long.
    fn sleep(&self, milliseconds: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Where the machine's managed identity is asked for.
    fn machine(&self) -> Machine {
        Machine::this()
    }

    /// A random number below `bound`; 0 where `bound` is 0.
    fn random_below(&self, bound: u64) -> u64;
}

/// The machine's clock, tokio's timer, the operating system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSurroundings;

impl Surroundings for SystemSurroundings {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic_ms(&self) -> i64 {
        i64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep(&self, milliseconds: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(Duration::from_millis(milliseconds)))
    }

    fn random_below(&self, bound: u64) -> u64 {
        let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
        // the lower bits of the high half hold the version, the upper 48 are random
        (high >> 16).checked_rem(bound).unwrap_or(0)
    }
}
