//! Who is told what a run does while it does it.

use std::pin::Pin;

use crate::config::LogLevel;
use crate::error::{Code, Error, Result};
use crate::planning::Change;
use crate::store::ChangeResult;

/// A future that an observer hands back.
pub type Told<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a verb is busy with; the numbers are the ABI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Getting ready.
    Starting = 0,
    /// Reading people from the directory.
    ReadingPeople = 1,
    /// Reading recipients from Exchange Online.
    ReadingRecipients = 2,
    /// Computing verdicts.
    Judging = 3,
    /// Computing changes.
    Planning = 4,
    /// Applying changes.
    Writing = 5,
}

/// Who is told, and who may cancel.
pub trait Observer: Send + Sync {
    /// A phase of so many objects begins; 0 where the number is not known.
    fn begin(&self, phase: Phase, total: usize);

    /// One object more is done.
    fn step(&self);

    /// One object more failed.
    fn failed(&self);

    /// Whether the run should end before its next write.
    fn is_cancelled(&self) -> bool;

    /// Ends once the run should end.
    fn cancelled(&self) -> Told<'_, ()>;

    /// Something happened.
    fn event(&self, level: LogLevel, code: Code, parameters: Vec<(&'static str, String)>) -> Told<'_, ()>;

    /// A row: a change and what became of it; nothing for a change that is none.
    fn row<'a>(
        &'a self,
        run: i64,
        change: &'a Change,
        result: Option<ChangeResult>,
        error: Option<&'a Error>,
    ) -> Told<'a, ()>;
}

/// Runs work that may be dropped in the middle: everything that only reads.
///
/// # Errors
/// `cancelled` if the observer cancelled first.
pub(super) async fn until_cancelled<T>(observer: &dyn Observer, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        () = observer.cancelled() => Err(Error::new(Code::Cancelled)),
        done = work => done,
    }
}
