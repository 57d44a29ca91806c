//! What only the operating system can do. `unsafe` is allowed here and in `ffi/`.

mod files;
#[cfg(all(unix, feature = "gssapi"))]
mod kerberos;
mod lock;

pub use files::{file_error, others_can_read};
#[cfg(all(unix, feature = "gssapi"))]
pub use kerberos::kerberos_credentials;
pub use lock::{FileLock, HolderLock};
