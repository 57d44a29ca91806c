//! People from an LDIF export (RFC 2849).

mod people;
mod reader;

pub use people::content_sha256;
pub(super) use people::{check, read, read_changes};
