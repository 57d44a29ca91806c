//! Session handles.

use std::ffi::c_char;

use crate::error::{Code, Error, Result};
use crate::session::Session;
use crate::text::Culture;

use super::error::SmimesyncError;
use super::guard::{self, Poison};
use super::text::incoming;

/// A session: a configuration, connections, a store. Owned by whoever opened it; any thread may use it.
pub struct SmimesyncSession {
    pub(super) session: Session,
    pub(super) poison: Poison,
}

impl SmimesyncSession {
    /// # Safety
    /// `handle` is NULL or alive for `'a`.
    pub(super) unsafe fn borrow<'a>(handle: *const Self) -> Result<&'a Self> {
        // SAFETY: this function's own contract.
        unsafe { handle.as_ref() }.ok_or_else(|| Error::new(Code::NullPointer))
    }

    /// # Safety
    /// `handle` is NULL or alive.
    pub(super) unsafe fn culture(handle: *const Self) -> Culture {
        // SAFETY: this function's own contract.
        unsafe { handle.as_ref() }.map_or_else(Culture::default, |handle| handle.session.culture())
    }
}

/// Opens a session from a configuration (UTF-8 JSON, see the contract). Uses no network; reads the files that the
/// configuration names secrets in. On success `*session` is owned by the caller and ends with
/// `smimesync_session_close`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `config` is NULL with length 0 or points to `config_len` readable bytes; `session` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_session_open(
    config: *const c_char,
    config_len: usize,
    session: *mut *mut SmimesyncSession,
    error: *mut *mut SmimesyncError,
) -> i32 {
    let body = || {
        if session.is_null() {
            return Err(Error::new(Code::NullPointer));
        }
        // SAFETY: this function's own contract.
        let config = unsafe { incoming(config, config_len) }?;
        let handle = SmimesyncSession { session: Session::open(config)?, poison: Poison::default() };
        // SAFETY: not NULL, and writable by this function's own contract.
        unsafe { session.write(Box::into_raw(Box::new(handle))) };
        Ok(0)
    };
    // SAFETY: `error` is NULL or writable by this function's own contract.
    unsafe { guard::run(error, Culture::default(), body) }
}

/// Replaces one value below `/exchange/auth`, `/directory/bind` or, of several directories, `/directories/N/bind` by a
/// JSON value, for example a fresh token. Cursors opened later use it. The texts are read during the call only.
///
/// # Safety
/// `session` is NULL or a live handle; the texts are NULL with length 0 or readable; `error` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_session_set(
    session: *mut SmimesyncSession,
    pointer: *const c_char,
    pointer_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut SmimesyncError,
) -> i32 {
    let body = || {
        // SAFETY: this function's own contract.
        let (handle, pointer, value) = unsafe {
            (SmimesyncSession::borrow(session)?, incoming(pointer, pointer_len)?, incoming(value, value_len)?)
        };
        handle.poison.guard(|| handle.session.set(pointer, value))?;
        Ok(0)
    };
    // SAFETY: this function's own contract.
    unsafe { guard::run(error, SmimesyncSession::culture(session), body) }
}

/// Closes a session: cancels what runs, waits at most half a minute for a write in flight, and frees it. Cursors of it
/// stay valid, end with `SMIMESYNC_CODE_CANCELLED`, and are still freed by their owner. NULL is fine.
///
/// # Safety
/// `session` is NULL or a live handle that nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_session_close(session: *mut SmimesyncSession) {
    guard::plain(|| {
        if !session.is_null() {
            // SAFETY: not NULL, made by `smimesync_session_open`, and given up by the caller.
            drop(unsafe { Box::from_raw(session) });
        }
        Ok(0)
    });
}
