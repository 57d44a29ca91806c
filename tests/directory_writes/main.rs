//! `publish` and `prune` on real servers: OpenLDAP's slapd and Samba's AD DC.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

#[path = "../faults/pki.rs"]
#[expect(dead_code, reason = "these tests need only the authority")]
mod pki;
mod prune;
mod publish;
#[path = "../ldap/servers.rs"]
#[expect(dead_code, reason = "these tests need only the servers")]
mod servers;
mod several;
mod stage;
