//! Guards put to use.

use crate::config::{Guard, LogLevel};
use crate::error::{Code, Result};
use crate::planning::{GuardInput, tripped};

use super::RunContext;

/// Tells of every guard that says no. A run that writes ends with the first of them.
///
/// # Errors
/// `guard_stopped`; the target is the guard's name.
pub(super) async fn stop(
    context: &RunContext<'_>,
    input: &GuardInput,
    guard: &Guard,
    force: &[String],
    staging: bool,
) -> Result<()> {
    let tripped = tripped(input, guard, force);
    for tripped in &tripped {
        context.observer.event(LogLevel::Warn, Code::GuardStopped, tripped.parameters().into()).await;
    }
    match tripped.first() {
        Some(first) if !staging => Err((*first).into()),
        _ => Ok(()),
    }
}
