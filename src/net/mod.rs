//! What talks to the network for all rooms below: TLS, and later which addresses may be spoken to.

mod check_step;
pub mod http;
pub mod tls;

pub use check_step::{CheckResult, CheckStep};
