//! What talks to the network for all rooms below: TLS, HTTP, the way to an LDAP server.

mod check_step;
pub mod http;
pub mod ldap;
pub mod tls;

pub use check_step::{CheckResult, CheckStep};
