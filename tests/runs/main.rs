//! Whole runs against the tenant's double: whose values a run may touch, and what it remembers of its own.

#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

mod chosen;
mod deltas;
mod few;
mod forms;
mod issuers;
mod many;
mod ownership;
mod rivals;
mod scene;
#[path = "../ldap/servers.rs"]
#[expect(dead_code, reason = "these tests need only slapd")]
mod servers;
mod several;
mod unread;
