//! Text across the boundary: UTF-8 as pointer and length, never NUL-terminated.

use std::ffi::c_char;

use crate::error::{Code, Error, Result};

/// Text handed in; NULL with length 0 is empty text.
///
/// # Safety
/// `data` is NULL or points to `len` readable bytes that stay unchanged for `'a`.
pub(super) unsafe fn incoming<'a>(data: *const c_char, len: usize) -> Result<&'a str> {
    if data.is_null() {
        return if len == 0 { Ok("") } else { Err(Error::new(Code::NullPointer)) };
    }
    // no memory is longer, and Rust's slices must not be
    if isize::try_from(len).is_err() {
        return Err(Error::new(Code::InvalidUtf8));
    }
    // SAFETY: the caller promises `len` readable bytes.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) };
    std::str::from_utf8(bytes).map_err(|_| Error::new(Code::InvalidUtf8))
}

/// Hands out borrowed text; absent text is NULL and 0.
///
/// # Safety
/// `text` and `len` are NULL or writable.
pub(super) unsafe fn outgoing(value: Option<&str>, text: *mut *const c_char, len: *mut usize) -> Result<()> {
    let (data, size) = value.map_or((std::ptr::null(), 0), |value| (value.as_ptr().cast::<c_char>(), value.len()));
    // SAFETY: the caller promises that both are NULL or writable.
    unsafe { write_pair(data, size, text, len) }
}

/// Writes pointer and length, both or neither.
///
/// # Safety
/// `out` and `len` are NULL or writable.
pub(super) unsafe fn write_pair<T>(data: *const T, size: usize, out: *mut *const T, len: *mut usize) -> Result<()> {
    if out.is_null() || len.is_null() {
        return Err(Error::new(Code::NullPointer));
    }
    // SAFETY: both were checked for NULL, and the caller promises that they are writable.
    unsafe {
        out.write(data);
        len.write(size);
    }
    Ok(())
}
