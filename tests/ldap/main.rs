//! People from live servers: OpenLDAP's slapd, Samba's AD DC, and a scripted server for what these cannot be brought to do.
#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod active_directory;
mod openldap;
mod pkits;
#[path = "../validation/pkits_cases.rs"]
mod pkits_cases;
mod reader;
mod scripted;
mod scripted_server;
mod servers;
