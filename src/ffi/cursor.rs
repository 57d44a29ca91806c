//! Cursor handles: next, event, progress, cancel.

use std::ffi::c_char;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error, Result};
use crate::session::columns::Column;
use crate::session::{Cursor, Event, Progress, Row, Step};
use crate::text::Culture;

use super::error::SmimesyncError;
use super::guard::{self, Poison};
use super::text::outgoing;

/// `smimesync_cursor_next`: a row is current.
pub const SMIMESYNC_ROW: i32 = 1;
/// `smimesync_cursor_next`: there are no more rows.
pub const SMIMESYNC_DONE: i32 = 2;
/// `smimesync_cursor_next`: nothing came in the given time.
pub const SMIMESYNC_TIMEOUT: i32 = 3;
/// `smimesync_cursor_event`: an event was taken.
pub const SMIMESYNC_EVENT: i32 = 1;
/// `smimesync_cursor_event`: there is none now.
pub const SMIMESYNC_NO_EVENT: i32 = 2;

/// Rows of a verb or nested rows. Owned by whoever received it; one thread at a time, cancel and progress excepted.
pub struct SmimesyncCursor {
    columns: &'static [Column],
    culture: Culture,
    cancel: CancellationToken,
    progress: Arc<Progress>,
    poison: Poison,
    state: Mutex<State>,
}

struct State {
    source: Source,
    /// Text of the event taken last: borrowed by the caller until the next call.
    event: String,
}

enum Source {
    Verb(Box<Cursor>),
    Nested { rows: Arc<[Row]>, next: usize },
}

impl State {
    fn row(&self) -> Option<&Row> {
        match &self.source {
            Source::Verb(cursor) => cursor.row(),
            Source::Nested { rows, next } => next.checked_sub(1).and_then(|current| rows.get(current)),
        }
    }

    fn next(&mut self, timeout: Duration) -> Result<Step> {
        match &mut self.source {
            Source::Verb(cursor) => cursor.next(timeout),
            Source::Nested { rows, next } if *next < rows.len() => {
                *next += 1;
                Ok(Step::Row)
            }
            Source::Nested { rows, next } => {
                *next = rows.len() + 1;
                Ok(Step::Done)
            }
        }
    }

    fn event(&mut self) -> Option<Event> {
        match &mut self.source {
            Source::Verb(cursor) => cursor.event(),
            Source::Nested { .. } => None,
        }
    }
}

impl SmimesyncCursor {
    pub(super) fn of_verb(cursor: Cursor, culture: Culture) -> *mut Self {
        let (columns, cancel, progress) = (cursor.columns(), cursor.canceller(), cursor.progress());
        Self::handle(columns, culture, cancel, progress, Source::Verb(Box::new(cursor)))
    }

    pub(super) fn of_rows(columns: &'static [Column], rows: Arc<[Row]>, culture: Culture) -> *mut Self {
        let source = Source::Nested { rows, next: 0 };
        Self::handle(columns, culture, CancellationToken::new(), Arc::default(), source)
    }

    fn handle(
        columns: &'static [Column],
        culture: Culture,
        cancel: CancellationToken,
        progress: Arc<Progress>,
        source: Source,
    ) -> *mut Self {
        let state = Mutex::new(State { source, event: String::new() });
        Box::into_raw(Box::new(Self { columns, culture, cancel, progress, poison: Poison::default(), state }))
    }

    /// # Safety
    /// `handle` is NULL or alive for `'a`.
    pub(super) unsafe fn borrow<'a>(handle: *const Self) -> Result<&'a Self> {
        // SAFETY: this function's own contract.
        unsafe { handle.as_ref() }.ok_or_else(|| Error::new(Code::NullPointer))
    }

    pub(super) fn columns(&self) -> &'static [Column] {
        self.columns
    }

    pub(super) fn culture(&self) -> Culture {
        self.culture
    }

    /// Gives the current row to `read`. What `read` borrows lives until the cursor's next call.
    pub(super) fn with_row<T>(&self, read: impl FnOnce(Option<&Row>) -> Result<T>) -> Result<T> {
        self.poison.guard(|| read(self.state().row()))
    }

    /// A panic while locked is remembered by `poison`; the lock itself need not be told twice.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counters of a cursor. The caller sets `struct_size` to `sizeof(smimesync_progress)`; a library that knows fewer
/// members leaves the rest alone.
#[repr(C)]
pub struct SmimesyncProgress {
    /// In: size of this struct in bytes.
    pub struct_size: u32,
    /// 0 starting, 1 reading people, 2 reading recipients, 3 judging, 4 planning, 5 writing.
    pub phase: u32,
    /// Objects done in this phase.
    pub done: u64,
    /// Objects in all; 0 while unknown.
    pub total: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Milliseconds spent waiting because a service asked for it.
    pub waiting_ms: u64,
}

/// Goes to the next row; waits at most `timeout_ms` milliseconds. Returns `SMIMESYNC_ROW`, `SMIMESYNC_DONE`,
/// `SMIMESYNC_TIMEOUT`, or a negative code, after which every call returns the same. Texts and blobs of the row before
/// become invalid. `*error`, unless `error` is NULL, is owned by the caller.
///
/// # Safety
/// `cursor` is NULL or a live handle; `error` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_cursor_next(
    cursor: *mut SmimesyncCursor,
    timeout_ms: u32,
    error: *mut *mut SmimesyncError,
) -> i32 {
    // SAFETY: this function's own contract.
    let culture = unsafe { cursor.as_ref() }.map_or_else(Culture::default, |cursor| cursor.culture);
    let body = || {
        // SAFETY: this function's own contract.
        let cursor = unsafe { SmimesyncCursor::borrow(cursor) }?;
        let timeout = Duration::from_millis(u64::from(timeout_ms));
        Ok(match cursor.poison.guard(|| cursor.state().next(timeout))? {
            Step::Row => SMIMESYNC_ROW,
            Step::Done => SMIMESYNC_DONE,
            Step::Timeout => SMIMESYNC_TIMEOUT,
        })
    };
    // SAFETY: this function's own contract.
    unsafe { guard::run(error, culture, body) }
}

/// Takes the oldest event that `smimesync_cursor_next` met. Returns `SMIMESYNC_EVENT` or `SMIMESYNC_NO_EVENT`. Level is
/// 1 error, 2 warning, 3 information, 4 debug; code is a value of `smimesync_code`; the text is borrowed until the
/// cursor's next call. Outputs that are NULL are left out.
///
/// # Safety
/// `cursor` is NULL or a live handle; the outputs are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_cursor_event(
    cursor: *mut SmimesyncCursor,
    level: *mut i32,
    code: *mut i32,
    text: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    guard::plain(|| {
        // SAFETY: this function's own contract.
        let cursor = unsafe { SmimesyncCursor::borrow(cursor) }?;
        cursor.poison.guard(|| {
            let mut state = cursor.state();
            let Some(event) = state.event() else { return Ok(SMIMESYNC_NO_EVENT) };
            state.event = event.text.render(cursor.culture);
            // SAFETY: the outputs are NULL or writable by this function's own contract.
            unsafe {
                if let Some(level) = level.as_mut() {
                    *level = event.level as i32 + 1;
                }
                if let Some(code) = code.as_mut() {
                    *code = event.code.number();
                }
                if !text.is_null() && !len.is_null() {
                    outgoing(Some(&state.event), text, len)?;
                }
            }
            Ok(SMIMESYNC_EVENT)
        })
    })
}

/// Reads the counters; any thread may. Nested rows have none: all zero. Returns 0, or `SMIMESYNC_CODE_NULL_POINTER` for NULL or a `struct_size` that is too small.
///
/// # Safety
/// `cursor` is NULL or a live handle; `progress` is NULL or points to `struct_size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_cursor_progress(
    cursor: *const SmimesyncCursor,
    progress: *mut SmimesyncProgress,
) -> i32 {
    guard::plain(|| {
        // SAFETY: this function's own contract.
        let cursor = unsafe { SmimesyncCursor::borrow(cursor) }?;
        // SAFETY: this function's own contract; the first member is there in every version.
        let known = !progress.is_null()
            && unsafe { std::ptr::addr_of!((*progress).struct_size).read() } as usize
                >= std::mem::size_of::<SmimesyncProgress>();
        if !known {
            return Err(Error::new(Code::NullPointer));
        }
        let view = cursor.progress.view();
        // SAFETY: `struct_size` says that all members are there, and they are writable by contract.
        let progress = unsafe { &mut *progress };
        progress.phase = view.phase;
        progress.done = view.done;
        progress.total = view.total;
        progress.failed = view.failed;
        progress.waiting_ms = view.waiting_ms;
        Ok(0)
    })
}

/// Asks the verb to stop: after the write in flight, at once where nothing is written. May be called from any thread,
/// also during `smimesync_cursor_next`, which then ends with `SMIMESYNC_CODE_CANCELLED`. Returns 0.
///
/// # Safety
/// `cursor` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_cursor_cancel(cursor: *mut SmimesyncCursor) -> i32 {
    guard::plain(|| {
        // SAFETY: this function's own contract; only the token is touched, which any thread may do.
        unsafe { SmimesyncCursor::borrow(cursor) }?.cancel.cancel();
        Ok(0)
    })
}

/// Frees a cursor and cancels its verb; a write in flight is finished by the session. NULL is fine.
///
/// # Safety
/// `cursor` is NULL or a live handle that nobody uses any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_cursor_free(cursor: *mut SmimesyncCursor) {
    guard::plain(|| {
        if !cursor.is_null() {
            // SAFETY: not NULL, made by `handle`, and given up by the caller.
            drop(unsafe { Box::from_raw(cursor) });
        }
        Ok(0)
    });
}
