//! Cursors: the reading end of a verb, polled by the caller's thread.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error, Result};

use super::columns::Column;
use super::output::{Event, Item, Progress};
use super::row::Row;

/// What a step of a cursor found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A row is current.
    Row,
    /// There are no more rows.
    Done,
    /// Nothing came in the given time.
    Timeout,
}

/// The reading end of a verb. Dropping it ends the verb after the write in flight.
pub struct Cursor {
    columns: &'static [Column],
    items: mpsc::Receiver<Item>,
    task: Option<JoinHandle<Result<()>>>,
    end: Option<Result<()>>,
    row: Option<Row>,
    events: VecDeque<Event>,
    progress: Arc<Progress>,
    cancel: CancellationToken,
}

impl Cursor {
    pub(super) fn new(
        columns: &'static [Column],
        items: mpsc::Receiver<Item>,
        task: JoinHandle<Result<()>>,
        progress: Arc<Progress>,
        cancel: CancellationToken,
    ) -> Self {
        let events = VecDeque::new();
        Self { columns, items, task: Some(task), end: None, row: None, events, progress, cancel }
    }

    /// The columns of its rows.
    pub fn columns(&self) -> &'static [Column] {
        self.columns
    }

    /// Goes to the next row; waits at most `timeout`. Events met on the way are kept for [`Cursor::event`].
    ///
    /// # Errors
    /// What ended the verb; every later call gives the same error.
    pub fn next(&mut self, timeout: Duration) -> Result<Step> {
        self.row = None;
        let deadline = Instant::now() + timeout;
        while self.end.is_none() {
            match self.receive(deadline) {
                Some(Item::Row(row)) => {
                    self.row = Some(row);
                    return Ok(Step::Row);
                }
                Some(Item::Event(event)) => self.events.push_back(event),
                None if self.end.is_none() => return Ok(Step::Timeout),
                None => {}
            }
        }
        self.end.clone().unwrap_or(Ok(())).map(|()| Step::Done)
    }

    /// The current row.
    pub fn row(&self) -> Option<&Row> {
        self.row.as_ref()
    }

    /// The oldest event not yet taken.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The counters, readable from any thread.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// What cancels the verb, from any thread.
    pub fn canceller(&self) -> CancellationToken {
        self.cancel.clone()
    }

    fn receive(&mut self, deadline: Instant) -> Option<Item> {
        match self.items.try_recv() {
            Ok(item) => return Some(item),
            Err(mpsc::error::TryRecvError::Disconnected) => {
                self.finish();
                return None;
            }
            Err(mpsc::error::TryRecvError::Empty) => {}
        }
        let received = wait(std::pin::pin!(self.items.recv()), Some(deadline));
        if let Some(None) = received {
            self.finish();
        }
        received.flatten()
    }

    /// The sending end is gone, so the task is at its end: take its result.
    fn finish(&mut self) {
        let Some(task) = self.task.take() else { return };
        self.end = Some(match wait(std::pin::pin!(task), None) {
            Some(Ok(result)) => result,
            // panics are caught inside the task, so all that is left is a runtime that shuts down
            Some(Err(_)) | None => Err(Error::new(Code::Cancelled)),
        });
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Waits on the caller's own thread, not on the session's runtime, which may be gone and whose timers then panic.
/// `None` when the deadline came first.
fn wait<F: Future>(mut future: Pin<&mut F>, deadline: Option<Instant>) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let Some(deadline) = deadline else {
            std::thread::park();
            continue;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::park_timeout(left);
    }
}
