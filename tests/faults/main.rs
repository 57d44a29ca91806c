//! What goes wrong: each fault gives one clear error, leaves nothing half-written and removes nothing in the tenant.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

mod bad_input;
mod bench;
mod guards;
mod interrupted;
mod issuers;
mod killed;
mod locks;
mod pki;
#[path = "../ldap/scripted_server/mod.rs"]
#[expect(dead_code, reason = "shared with the tests of LDAP, which need more of it")]
mod scripted_server;
mod unread;
mod vanished;
mod writes;
