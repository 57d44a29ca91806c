//! What a verb writes to while it works: rows, events, progress; and the wish of its caller to stop.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::LogLevel;
use crate::error::{Code, Error, Result};
use crate::exchange::Listener;
use crate::planning::Change;
use crate::store::ChangeResult;
use crate::sync::{Observer, Phase, Told};
use crate::text::{Culture, Text};

use super::columns;
use super::log::Log;
use super::row::Row;
use super::{Verb, rows};

/// How long the row of a change that was made waits for a caller who cancelled to fetch it.
const LAST_ROWS_WAIT: Duration = Duration::from_secs(1);

/// Something that happened during a verb and is no row.
#[derive(Debug, Clone)]
pub struct Event {
    /// How much it weighs.
    pub level: LogLevel,
    /// Which event it is.
    pub code: Code,
    /// What a person reads.
    pub text: Text,
}

/// What comes out of a verb.
pub(super) enum Item {
    Row(Row),
    Event(Event),
}

/// Counters of a verb, readable at any time.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU32,
    done: AtomicU64,
    total: AtomicU64,
    failed: AtomicU64,
    waiting: Mutex<Waiting>,
}

/// Time spent waiting; waits that overlap count once.
#[derive(Debug, Default)]
struct Waiting {
    milliseconds: u64,
    /// The end of the last wait.
    until: Option<Instant>,
}

impl Waiting {
    fn add(&mut self, now: Instant, wait: Duration) {
        let end = now + wait;
        let from = self.until.map_or(now, |until| until.max(now));
        let more = end.saturating_duration_since(from);
        self.milliseconds += u64::try_from(more.as_millis()).unwrap_or(u64::MAX);
        self.until = Some(from.max(end));
    }
}

/// A moment's view of the counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProgressView {
    /// Number of the phase.
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

impl Progress {
    /// The counters now.
    pub fn view(&self) -> ProgressView {
        ProgressView {
            phase: self.phase.load(Ordering::Relaxed),
            done: self.done.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            waiting_ms: self.waiting.lock().unwrap_or_else(PoisonError::into_inner).milliseconds,
        }
    }

    fn wait(&self, milliseconds: u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.add(Instant::now(), Duration::from_millis(milliseconds));
    }
}

/// The writing end of a cursor.
#[derive(Clone)]
pub(crate) struct Output {
    items: mpsc::Sender<Item>,
    progress: Arc<Progress>,
    cancel: CancellationToken,
    log: Log,
    verb: Verb,
    culture: Culture,
    /// Set once a caller who cancelled did not fetch the last rows in time; from then on nothing waits.
    deaf: Arc<AtomicBool>,
}

impl Output {
    pub(super) fn new(
        items: mpsc::Sender<Item>,
        progress: Arc<Progress>,
        cancel: CancellationToken,
        log: Log,
        verb: Verb,
        culture: Culture,
    ) -> Self {
        Self { items, progress, cancel, log, verb, culture, deaf: Arc::default() }
    }

    /// Hands a row to the caller; waits while the queue is full.
    ///
    /// # Errors
    /// `cancelled` once the caller wants no more.
    pub(crate) async fn row(&self, row: Row) -> Result<()> {
        self.until_cancelled(self.items.send(Item::Row(row))).await?.map_err(|_| Error::new(Code::Cancelled))
    }

    /// Hands over a row of what was done, also to a caller who wants no more and still listens.
    pub(crate) async fn last_row(&self, row: Row) {
        self.send(Item::Row(row)).await;
    }

    /// Runs work that may be dropped in the middle: everything that only reads.
    ///
    /// # Errors
    /// `cancelled` if the caller cancelled first.
    pub(crate) async fn until_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::new(Code::Cancelled)),
            done = work => Ok(done),
        }
    }

    /// An item that must not hold up a run whose caller has stopped listening.
    async fn send(&self, item: Item) {
        let Err(full) = self.items.try_send(item) else { return };
        if self.deaf.load(Ordering::Relaxed) {
            return;
        }
        let nobody_listens = async {
            self.cancel.cancelled().await;
            tokio::time::sleep(LAST_ROWS_WAIT).await;
        };
        tokio::select! {
            biased;
            _ = self.items.send(full.into_inner()) => {}
            () = nobody_listens => self.deaf.store(true, Ordering::Relaxed),
        }
    }
}

impl Observer for Output {
    fn begin(&self, phase: Phase, total: usize) {
        self.progress.phase.store(phase as u32, Ordering::Relaxed);
        self.progress.done.store(0, Ordering::Relaxed);
        self.progress.total.store(total as u64, Ordering::Relaxed);
    }

    fn step(&self) {
        self.progress.done.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self) {
        self.progress.failed.fetch_add(1, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled() || self.items.is_closed()
    }

    fn cancelled(&self) -> Told<'_, ()> {
        Box::pin(async {
            tokio::select! {
                () = self.cancel.cancelled() => {}
                () = self.items.closed() => {}
            }
        })
    }

    fn event(&self, level: LogLevel, code: Code, parameters: Vec<(&'static str, String)>) -> Told<'_, ()> {
        let text = Text::new("error", code.info().name, parameters);
        self.log.write(level, code.number(), &text, None);
        Box::pin(self.send(Item::Event(Event { level, code, text })))
    }

    fn row<'a>(
        &'a self,
        run: i64,
        change: &'a Change,
        result: Option<ChangeResult>,
        error: Option<&'a Error>,
    ) -> Told<'a, ()> {
        let mut row = rows::change(columns::of(self.verb), run, change);
        if matches!(self.verb, Verb::Sync | Verb::Publish | Verb::Prune) {
            row = row.set("result", result.map(ChangeResult::name));
        }
        if let Some(error) = error {
            self.log.write(LogLevel::Error, error.code().number(), &error.text(), Some(error));
        }
        Box::pin(self.send(Item::Row(rows::failure(row, error, self.culture))))
    }
}

impl Listener for Output {
    fn waiting<'a>(
        &'a self,
        milliseconds: u64,
        because: Option<&'a Error>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.progress.wait(milliseconds);
        let event = because.map(|error| {
            let (level, code) = (LogLevel::Warn, Code::Retrying);
            // what is tried again needs no remedy yet
            let detail = error.text().render(self.culture);
            let parameters = vec![("wait_ms", milliseconds.to_string()), ("detail", detail)];
            let text = Text::new("error", code.info().name, parameters);
            self.log.write(level, code.number(), &text, Some(error));
            Event { level, code, text }
        });
        Box::pin(async {
            if let Some(event) = event {
                self.send(Item::Event(event)).await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_that_overlap_count_once() {
        let (mut waiting, begun) = (Waiting::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        for (from, length, expected) in [(0, 10, 10), (2, 5, 10), (8, 4, 12), (20, 1, 13)] {
            waiting.add(at(from), Duration::from_secs(length));
            assert_eq!(waiting.milliseconds, expected * 1000, "{from}");
        }
    }
}
