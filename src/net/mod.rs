//! What talks to the network for all rooms below: TLS, HTTP, which addresses may be spoken to, the way to an LDAP server.

pub mod address;
mod cause;
mod check_step;
mod client_certificate;
pub mod fetch;
pub mod http;
mod key_file;
pub mod ldap;
pub mod tls;

pub use cause::Cause;
pub use check_step::{CheckResult, CheckStep};
pub use client_certificate::ClientCertificate;
pub(crate) use key_file::{KeyFile, PrivateKey};
