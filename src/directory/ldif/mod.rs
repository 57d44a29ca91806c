//! People from an LDIF export (RFC 2849).

mod people;
mod reader;
mod writer;

pub use people::content_sha256;
pub(super) use people::{check, read, read_changes};
pub(super) use writer::{begin, record};
