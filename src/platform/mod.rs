//! What only the operating system can do. `unsafe` is allowed here and in `ffi/`.

#[cfg(windows)]
mod certificate_store;
mod files;
#[cfg(all(unix, feature = "gssapi"))]
mod kerberos;
mod lock;

#[cfg(windows)]
pub use certificate_store::{StoreCertificate, StoreFailure};
pub use files::{file_error, others_can_read};
#[cfg(all(unix, feature = "gssapi"))]
pub use kerberos::kerberos_credentials;
pub use lock::{FileLock, HolderLock};
