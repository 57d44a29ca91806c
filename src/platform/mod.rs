//! What only the operating system can do. `unsafe` is allowed here and in `ffi/`.

mod files;
mod lock;

pub use files::{file_error, others_can_read};
pub use lock::{FileLock, HolderLock};
