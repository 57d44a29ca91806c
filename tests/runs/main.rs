//! Whole runs against the tenant's double: whose values a run may touch, and what it remembers of its own.

#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

mod chosen;
mod deltas;
mod few;
mod issuers;
mod ownership;
mod rivals;
mod scene;
