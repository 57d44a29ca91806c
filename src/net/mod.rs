//! What talks to the network for all rooms below: TLS, and later which addresses may be spoken to.

pub mod check_step;
pub mod http;
pub mod tls;
