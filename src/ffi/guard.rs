//! The guard around every export: results become numbers, panics become errors, errors become handles.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Code, Error, Result};
use crate::session::panics;
use crate::text::Culture;

use super::error::SmimesyncError;

/// Runs `body`; its error goes to `out` if that is not NULL, its code is the return value.
///
/// # Safety
/// `out` is NULL or writable.
pub(super) unsafe fn run(out: *mut *mut SmimesyncError, culture: Culture, body: impl FnOnce() -> Result<i32>) -> i32 {
    match caught(body) {
        Ok(value) => value,
        Err(error) => {
            let code = error.code().number();
            if !out.is_null() {
                // SAFETY: not NULL, and the caller promises that it is writable.
                unsafe { out.write(SmimesyncError::into_handle(&error, culture)) };
            }
            code
        }
    }
}

/// Runs `body` for an export without an error handle.
pub(super) fn plain(body: impl FnOnce() -> Result<i32>) -> i32 {
    caught(body).unwrap_or_else(|error| error.code().number())
}

fn caught(body: impl FnOnce() -> Result<i32>) -> Result<i32> {
    let before = panics::record_on_this_thread(true);
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(panics::as_error(panic.as_ref())));
    panics::record_on_this_thread(before);
    result
}

/// Remembers that a call on a handle ended in a defect; then only freeing it still works.
#[derive(Debug, Default)]
pub(super) struct Poison(AtomicBool);

impl Poison {
    /// Runs `body` unless the handle is poisoned; poisons it if `body` panics.
    pub(super) fn guard<T>(&self, body: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.0.load(Ordering::Acquire) {
            return Err(Error::new(Code::Poisoned));
        }
        struct OnPanic<'a>(&'a AtomicBool);
        impl Drop for OnPanic<'_> {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    self.0.store(true, Ordering::Release);
                }
            }
        }
        let _on_panic = OnPanic(&self.0);
        body()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_place_and_poisons() {
        let poison = Poison::default();
        let panicking = || -> Result<i32> { panic!("boom") };
        let error = caught(|| poison.guard(panicking)).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(error.to_string().contains("boom") && error.get_location().unwrap().contains("guard.rs"));
        assert_eq!(caught(|| poison.guard(|| Ok(0))).unwrap_err().code(), Code::Poisoned);
    }
}
