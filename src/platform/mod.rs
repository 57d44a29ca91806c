//! What only the operating system can do. `unsafe` is allowed here and in `ffi/`.

mod files;

pub use files::{file_error, others_can_read};
