//! Fetching what verdicts lack, from servers that behave and servers that do not, with a clock of the test's own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says best where it fails")]

mod cache;
mod places;
mod rounds;
mod scene;
mod server;
mod verbs;
