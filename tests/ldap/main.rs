//! People from live servers: OpenLDAP's slapd, Samba's AD DC, and a scripted server for what these cannot be brought to do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

mod absence;
mod accounts;
mod active_directory;
mod broken;
mod changes_active_directory;
mod changes_openldap;
mod changes_scripted;
mod deltas;
mod export;
mod external;
mod faults;
#[cfg(feature = "gssapi")]
mod kerberos;
mod odd;
mod openldap;
mod pkits;
#[path = "../validation/pkits_cases.rs"]
mod pkits_cases;
mod published;
mod reader;
mod scripted;
#[expect(dead_code, reason = "what content synchronisation and DirSync need is here before its first user")]
mod scripted_server;
#[expect(dead_code, reason = "other tests restart them")]
mod servers;
mod several;
mod tls;
