//! What a verb writes to while it works: rows, events, progress; and the wish of its caller to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::LogLevel;
use crate::error::{Code, Error, Result};
use crate::text::Text;

use super::log::Log;
use super::row::Row;

/// How long a change that was made waits for a caller who cancelled to fetch its row.
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

/// Counters of a verb, readable at any time.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU32,
    done: AtomicU64,
    total: AtomicU64,
    failed: AtomicU64,
    waiting_ms: AtomicU64,
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
            waiting_ms: self.waiting_ms.load(Ordering::Relaxed),
        }
    }

    /// Begins a phase of so many objects.
    pub fn begin(&self, phase: Phase, total: usize) {
        self.phase.store(phase as u32, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total as u64, Ordering::Relaxed);
    }

    /// One object more is done.
    pub fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// One object more failed.
    pub fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// So much time more went into waiting.
    pub fn waited(&self, milliseconds: u64) {
        self.waiting_ms.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

/// The writing end of a cursor.
#[derive(Clone)]
pub struct Output {
    items: mpsc::Sender<Item>,
    progress: Arc<Progress>,
    cancel: CancellationToken,
    log: Log,
}

impl Output {
    pub(super) fn new(items: mpsc::Sender<Item>, progress: Arc<Progress>, cancel: CancellationToken, log: Log) -> Self {
        Self { items, progress, cancel, log }
    }

    /// Hands a row to the caller; waits while the queue is full.
    ///
    /// # Errors
    /// `cancelled` once the caller wants no more.
    pub async fn row(&self, row: Row) -> Result<()> {
        self.until_cancelled(self.items.send(Item::Row(row))).await?.map_err(|_| Error::new(Code::Cancelled))
    }

    /// Hands a row to the caller even after a cancellation: a change that was made is reported while anybody listens.
    pub async fn row_of_change(&self, row: Row) {
        let nobody_listens = async {
            self.cancel.cancelled().await;
            tokio::time::sleep(LAST_ROWS_WAIT).await;
        };
        tokio::select! {
            biased;
            _ = self.items.send(Item::Row(row)) => {}
            () = nobody_listens => {}
        }
    }

    /// Tells the caller of an event and logs it.
    ///
    /// # Errors
    /// `cancelled` once the caller wants no more.
    pub async fn event(&self, level: LogLevel, code: Code, parameters: Vec<(&'static str, String)>) -> Result<()> {
        let text = Text::new("error", code.info().name, parameters);
        self.log.write(level, code.number(), &text);
        let event = Event { level, code, text };
        self.until_cancelled(self.items.send(Item::Event(event))).await?.map_err(|_| Error::new(Code::Cancelled))
    }

    /// The counters.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Runs work that may be dropped in the middle: everything that only reads.
    ///
    /// # Errors
    /// `cancelled` if the caller cancelled first.
    pub async fn until_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::new(Code::Cancelled)),
            done = work => Ok(done),
        }
    }

    /// Whether the caller cancelled; asked between two writes.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled() || self.items.is_closed()
    }
}
