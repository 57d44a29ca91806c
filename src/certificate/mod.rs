//! What a certificate is: facts read from bytes, without any opinion on them. Pure: no I/O, no clock.

mod attribute;
mod digest;
mod facts;

pub use attribute::Attribute;
pub use digest::Sha256;
pub use facts::Certificate;
