//! What talks to the network for all rooms below: TLS, HTTP, and which addresses may be spoken to.

pub mod address;
mod cause;
mod check_step;
pub mod fetch;
pub mod http;
pub mod tls;

pub use cause::Cause;
pub use check_step::{CheckResult, CheckStep};
