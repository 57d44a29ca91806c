//! One export per verb, all of the same form.

use std::ffi::c_char;

use crate::error::{Code, Error};
use crate::session::Verb;

use super::cursor::SmimesyncCursor;
use super::error::SmimesyncError;
use super::guard;
use super::session::SmimesyncSession;
use super::text::incoming;

/// # Safety
/// As for every verb below.
unsafe fn start(
    verb: Verb,
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    let body = || {
        if cursor.is_null() {
            return Err(Error::new(Code::NullPointer));
        }
        // SAFETY: this function's own contract.
        let (handle, options) = unsafe { (SmimesyncSession::borrow(session)?, incoming(options, options_len)?) };
        let started = handle.poison.guard(|| handle.session.start(verb, options))?;
        // SAFETY: not NULL, and writable by this function's own contract.
        unsafe { cursor.write(SmimesyncCursor::of_verb(started, handle.session.culture())) };
        Ok(0)
    };
    // SAFETY: this function's own contract.
    unsafe { guard::run(error, SmimesyncSession::culture(session), body) }
}

/// Checks everything that must work before a run can: directory, Exchange Online, trust, store. A row is a thing that was checked.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_check(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Check, session, options, options_len, cursor, error) }
}

/// Reads people and their certificates from the directory. A row is a person.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_fetch(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Fetch, session, options, options_len, cursor, error) }
}

/// Judges certificates: of files, handed in, or of people in the directory. A row is a certificate and its verdict.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_validate(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Validate, session, options, options_len, cursor, error) }
}

/// Says of each person whether senders in Exchange Online can encrypt to them, and if not, why. A row is a person.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_coverage(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Coverage, session, options, options_len, cursor, error) }
}

/// Looks for keys that should not exist: weak ones, and those that people share or that share a factor. A row is a weakness of a certificate's key.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_keys(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Keys, session, options, options_len, cursor, error) }
}

/// Reads recipients of Exchange Online and their certificates. A row is a recipient.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_recipients(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Recipients, session, options, options_len, cursor, error) }
}

/// Says what a run would change, and records it as a staging run. A row is an attribute of a recipient.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_compare(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Compare, session, options, options_len, cursor, error) }
}

/// Makes Exchange Online hold the right certificates: plans, guards, journals, writes, verifies. A row is an attribute of a recipient, after it was done.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_sync(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Sync, session, options, options_len, cursor, error) }
}

/// Lists runs of the past. A row is a run.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_runs(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Runs, session, options, options_len, cursor, error) }
}

/// Lists changes of a run with the bytes before and after. A row is a change.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_changes(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Changes, session, options, options_len, cursor, error) }
}

/// Lists and sets settings in the store. A row is a setting.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_settings(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Settings, session, options, options_len, cursor, error) }
}

/// Adds certificates to people in the directory, each to those it is fit for. A row is a change of an entry.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_publish(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Publish, session, options, options_len, cursor, error) }
}

/// Takes expired or unfit values out of the directory. A row is a change of an entry.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_prune(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Prune, session, options, options_len, cursor, error) }
}

/// Says which authorities the tenant should trust for people's certificates, writes them to a file, uploads them. A row is an
/// authority, or an entry of the tenant's collection that is none.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_issuers(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Issuers, session, options, options_len, cursor, error) }
}

/// Lists the columns of all verbs. A row is a column.
/// Options are UTF-8 JSON; NULL with length 0 is `{}`. On success `*cursor` is owned by the caller and ends with
/// `smimesync_cursor_free`; on failure it is untouched and `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `session` is NULL or a live handle; `options` is NULL with length 0 or readable; `cursor` and `error` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_columns(
    session: *mut SmimesyncSession,
    options: *const c_char,
    options_len: usize,
    cursor: *mut *mut SmimesyncCursor,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    unsafe { start(Verb::Columns, session, options, options_len, cursor, error) }
}
