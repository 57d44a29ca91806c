//! Which ABI and which version this is.

use std::ffi::c_char;

/// The ABI's version, `major << 16 | minor`. Within a major only additions happen.
pub const SMIMESYNC_ABI_VERSION: u32 = 1;

/// The ABI this library was built with; equals `SMIMESYNC_ABI_VERSION` of a header that fits. Never fails.
#[unsafe(no_mangle)]
pub extern "C" fn smimesync_abi_version() -> u32 {
    SMIMESYNC_ABI_VERSION
}

/// The product's version such as `1.2.3`: static, NUL-terminated, never to be freed. Never fails.
#[unsafe(no_mangle)]
pub extern "C" fn smimesync_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
