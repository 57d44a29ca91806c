//! Defects: a panic on one of our threads becomes an error with its place, and nothing is printed.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::Once;

use crate::error::{Code, Error};

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Says whether panics of the current thread are recorded instead of printed; returns what held before.
pub fn record_on_this_thread(record: bool) -> bool {
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if OURS.try_with(Cell::get).unwrap_or(false) {
                let place = info.location().map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
                let _ = PLACE.try_with(|kept| kept.replace(place));
            } else {
                previous(info);
            }
        }));
    });
    OURS.with(|ours| ours.replace(record))
}

/// The error for a panic caught on this thread.
pub fn as_error(payload: &(dyn Any + Send)) -> Error {
    let words = payload
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let error = Error::new(Code::Internal).with("detail", words);
    match PLACE.with(|kept| kept.borrow_mut().take()) {
        Some(place) => error.location(place),
        None => error,
    }
}
