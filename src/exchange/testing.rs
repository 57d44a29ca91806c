//! Time that passes only when somebody waits, for the tests of this room.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use super::surroundings::Surroundings;

/// A clock that waiting moves, and a fixed chance.
#[derive(Debug, Default)]
pub(super) struct Simulated {
    now_ms: AtomicI64,
    slept: Mutex<Vec<u64>>,
}

impl Simulated {
    /// All waits so far.
    pub(super) fn slept(&self) -> Vec<u64> {
        self.slept.lock().unwrap().clone()
    }
}

impl Surroundings for Simulated {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn sleep(&self, milliseconds: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.now_ms.fetch_add(i64::try_from(milliseconds).unwrap(), Ordering::Relaxed);
        self.slept.lock().unwrap().push(milliseconds);
        Box::pin(std::future::ready(()))
    }

    fn random_below(&self, bound: u64) -> u64 {
        bound / 3
    }
}
