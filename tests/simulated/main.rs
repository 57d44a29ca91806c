//! Whole runs over streams in memory, at simulated time, against a service that fails as it pleases.
#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod chance;
mod long;
mod patience;
#[path = "../faults/pki.rs"]
#[expect(dead_code, reason = "shared with the tests of faults, which need more of it")]
mod pki;
mod rate;
mod scene;
mod storm;
mod wire;
