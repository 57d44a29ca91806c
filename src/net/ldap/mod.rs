//! The way to an LDAP server: TCP, TLS, and a relay that lets nothing through to the LDAP library that could harm it.

#[cfg(feature = "gssapi")]
mod kerberos;
mod local;
mod locate;
mod message;
mod relay;
#[cfg(feature = "gssapi")]
mod sealed;
mod transport;

#[cfg(feature = "gssapi")]
pub use kerberos::{Bound, Principal, bind as kerberos_bind};
#[cfg(test)]
pub(crate) use locate::tests as locate_tests;
pub use locate::{Found, Locator};
pub use relay::{Relay, relayed};
pub use transport::Transport;

/// The largest LDAP message that is accepted, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;
