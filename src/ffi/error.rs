//! Error handles.

use std::ffi::c_char;

use crate::error::{Code, Error};
use crate::text::Culture;

use super::guard;
use super::text::outgoing;

/// What went wrong. Owned by the caller who received it; texts live until it is freed.
pub struct SmimesyncError {
    code: i32,
    transient: bool,
    retry_after_ms: i64,
    message: String,
    category: &'static str,
    area: &'static str,
    target: Option<String>,
    request_id: Option<String>,
    location: Option<String>,
}

impl SmimesyncError {
    pub(super) fn into_handle(error: &Error, culture: Culture) -> *mut Self {
        Box::into_raw(Box::new(Self {
            code: error.code().number(),
            transient: error.is_transient(),
            retry_after_ms: error.get_retry_after_ms().unwrap_or(-1),
            message: error.message(culture),
            category: error.category().name(),
            area: error.area().name(),
            target: error.get_target().map(str::to_owned),
            request_id: error.get_request_id().map(str::to_owned),
            location: error.get_location().map(str::to_owned),
        }))
    }
}

/// # Safety
/// As for every getter below.
unsafe fn text(
    error: *const SmimesyncError,
    out: *mut *const c_char,
    len: *mut usize,
    get: impl FnOnce(&SmimesyncError) -> Option<&str>,
) -> i32 {
    guard::plain(|| {
        // SAFETY: the caller promises a handle that is NULL or alive.
        let error = unsafe { error.as_ref() }.ok_or_else(|| Error::new(Code::NullPointer))?;
        // SAFETY: the caller promises that both are NULL or writable.
        unsafe { outgoing(get(error), out, len) }?;
        Ok(0)
    })
}

/// The stable code, negative; 0 for NULL. Codes are the values of `smimesync_code`.
///
/// # Safety
/// `error` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_code(error: *const SmimesyncError) -> i32 {
    // SAFETY: the caller promises a handle that is NULL or alive.
    unsafe { error.as_ref() }.map_or(0, |error| error.code)
}

/// 1 if the same call may succeed later without anything being mended, else 0; 0 for NULL.
///
/// # Safety
/// `error` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_is_transient(error: *const SmimesyncError) -> i32 {
    // SAFETY: the caller promises a handle that is NULL or alive.
    unsafe { error.as_ref() }.map_or(0, |error| i32::from(error.transient))
}

/// How many milliseconds the service asked to wait; -1 if it did not say, and for NULL.
///
/// # Safety
/// `error` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_retry_after_ms(error: *const SmimesyncError) -> i64 {
    // SAFETY: the caller promises a handle that is NULL or alive.
    unsafe { error.as_ref() }.map_or(-1, |error| error.retry_after_ms)
}

/// The sentence, in the session's language: one line. Borrowed from `error` until it is freed.
///
/// # Safety
/// `error` is NULL or a live handle; `text` and `len` are NULL or writable. NULL gives `SMIMESYNC_CODE_NULL_POINTER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_message(
    error: *const SmimesyncError,
    text_out: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { text(error, text_out, len, |error| Some(&error.message)) }
}

/// The category's name, such as `not_found`. Static.
///
/// # Safety
/// `error` is NULL or a live handle; `text` and `len` are NULL or writable. NULL gives `SMIMESYNC_CODE_NULL_POINTER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_category(
    error: *const SmimesyncError,
    text_out: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { text(error, text_out, len, |error| Some(error.category)) }
}

/// The area's name: config, directory, exchange, trust, store or host. Static.
///
/// # Safety
/// `error` is NULL or a live handle; `text` and `len` are NULL or writable. NULL gives `SMIMESYNC_CODE_NULL_POINTER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_area(
    error: *const SmimesyncError,
    text_out: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { text(error, text_out, len, |error| Some(error.area)) }
}

/// What it is about (JSON pointer, file, URL, DN, identity); NULL and 0 if nothing can be named. Borrowed from `error`.
///
/// # Safety
/// `error` is NULL or a live handle; `text` and `len` are NULL or writable. NULL gives `SMIMESYNC_CODE_NULL_POINTER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_target(
    error: *const SmimesyncError,
    text_out: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { text(error, text_out, len, |error| error.target.as_deref()) }
}

/// The service's own id of the request; NULL and 0 if there is none. Borrowed from `error`.
///
/// # Safety
/// `error` is NULL or a live handle; `text` and `len` are NULL or writable. NULL gives `SMIMESYNC_CODE_NULL_POINTER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_request_id(
    error: *const SmimesyncError,
    text_out: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { text(error, text_out, len, |error| error.request_id.as_deref()) }
}

/// Where in the library a defect happened; NULL and 0 for every other error. Borrowed from `error`.
///
/// # Safety
/// `error` is NULL or a live handle; `text` and `len` are NULL or writable. NULL gives `SMIMESYNC_CODE_NULL_POINTER`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_location(
    error: *const SmimesyncError,
    text_out: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { text(error, text_out, len, |error| error.location.as_deref()) }
}

/// Frees an error. NULL is fine.
///
/// # Safety
/// `error` is NULL or a live handle that nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_error_free(error: *mut SmimesyncError) {
    if !error.is_null() {
        // SAFETY: not NULL, made by `into_handle`, and given up by the caller.
        drop(unsafe { Box::from_raw(error) });
    }
}
