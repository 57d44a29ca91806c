//! All writes of a run: some at a time, read back in whichever way takes fewer requests.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use crate::error::{Code, Error, Result};
use crate::exchange::Selection;
use crate::people::Recipient;

use super::apply::{Applied, Outcome, Task, WhenStale, Written, apply, leave, read_back, verify};
use super::outage::Outage;
use super::record::Record;
use super::{Job, Phase};

/// Requests at a time where the configuration does not say.
const CONCURRENCY: u32 = 4;
/// Writes for each page of a list, at least, for reading them back by page: fewer are read back one by one, each at once.
const WORTH_A_PAGE: u64 = 10;
/// Writes for each page of a list, at most, before they are read back: the list is then a fiftieth of the requests, and
/// no more than so many writes wait for it.
const WRITES_PER_PAGE: u64 = 50;
/// Pages that a run still reads after it was cancelled, fewer than this.
const FEW_PAGES: u64 = 10;
/// Pages that wait to be looked at.
const WAITING_PAGES: usize = 2;

/// Writes recipient by recipient, a few at a time. Cancelling ends it after the writes in flight, and so does what
/// [`Outage`] takes for one.
pub(super) async fn write_all(
    job: &Job<'_>,
    record: &mut Record<'_>,
    tasks: Vec<Task>,
    stale: WhenStale<'_>,
) -> Result<()> {
    job.observer.begin(Phase::Writing, tasks.iter().map(|task| task.changes.len()).sum());
    let configured = job.config.exchange.as_ref().and_then(|exchange| exchange.concurrency);
    let mut writing = Writing {
        job,
        run: record.run,
        stale,
        concurrency: usize::try_from(configured.unwrap_or(CONCURRENCY)).unwrap_or(1),
        outage: Outage::default(),
        ended: Arc::default(),
    };
    // without a list nobody knows what one costs, so everybody is read back alone
    let pages = job.exchange.pages().filter(|pages| tasks.len() as u64 > pages.saturating_mul(WORTH_A_PAGE));
    let batch =
        pages.map_or(usize::MAX, |pages| usize::try_from(pages.saturating_mul(WRITES_PER_PAGE)).unwrap_or(usize::MAX));
    let mut tasks = tasks.into_iter().peekable();
    while tasks.peek().is_some() && !writing.is_over() {
        writing.batch(record, tasks.by_ref().take(batch).collect(), pages).await;
    }
    match writing.ended.get() {
        Some(error) => Err(error.clone()),
        None if job.observer.is_cancelled() => Err(Error::new(Code::Cancelled)),
        None => Ok(()),
    }
}

/// The writes of one run.
struct Writing<'a> {
    job: &'a Job<'a>,
    run: i64,
    stale: WhenStale<'a>,
    concurrency: usize,
    outage: Outage,
    /// Why the run ends early; from then on nothing is begun.
    ended: Arc<OnceLock<Error>>,
}

impl Writing<'_> {
    fn is_over(&self) -> bool {
        self.ended.get().is_some() || self.job.observer.is_cancelled()
    }

    /// Writes some recipients. Each is read back before its place is given to the next; where `pages` says what a list
    /// of everybody takes, those whose write was accepted are read back together afterwards.
    async fn batch(&mut self, record: &mut Record<'_>, tasks: Vec<Task>, pages: Option<u64>) {
        let (job, run, stale) = (self.job, self.run, self.stale);
        let ended = Arc::clone(&self.ended);
        let mut writes = futures_util::stream::iter(tasks)
            .take_while(|_| std::future::ready(ended.get().is_none() && !job.observer.is_cancelled()))
            .map(|task| async move {
                let mut applied = apply(job, run, task, stale).await;
                if let Some(written) = applied.written.take_if(|it| pages.is_none() || !it.is_accepted()) {
                    applied.outcomes.extend(read_back(job, run, written).await);
                }
                applied
            })
            .buffer_unordered(self.concurrency);
        let mut waiting = HashMap::new();
        while let Some(Applied { outcomes, written }) = writes.next().await {
            self.tell(record, &outcomes).await;
            waiting.extend(written.map(|written| (written.recipient.identity.clone(), written)));
        }
        drop(writes);
        let cancelled = job.observer.is_cancelled();
        // whoever cancels waits for a few pages and not for hundreds
        let most = if cancelled { FEW_PAGES.min(waiting.len() as u64) } else { waiting.len() as u64 };
        if pages.is_some_and(|pages| most > pages) {
            self.verify_by_page(record, &mut waiting).await;
        }
        if cancelled {
            for written in waiting.into_values() {
                record.tell_outcomes(&leave(job, run, written, &Error::new(Code::Cancelled))).await;
            }
            return;
        }
        let ended = &ended;
        let mut readings = futures_util::stream::iter(waiting.into_values())
            .map(|written| async move {
                match ended.get() {
                    Some(error) => leave(job, run, written, error),
                    None => read_back(job, run, written).await,
                }
            })
            .buffer_unordered(self.concurrency);
        while let Some(outcomes) = readings.next().await {
            self.tell(record, &outcomes).await;
        }
    }

    /// Lists everybody, and ends the changes of those who hold what was written; all others stay.
    async fn verify_by_page(&mut self, record: &mut Record<'_>, waiting: &mut HashMap<String, Written>) {
        let (sink, mut pages) = mpsc::channel::<Vec<Recipient>>(WAITING_PAGES);
        let exchange = self.job.exchange;
        let listing = async move {
            // whoever is not met in a list that breaks off is read alone
            let listed = exchange.list(Selection::default(), &sink).await;
            tracing::info!(complete = listed.is_ok(), "writes were read back by page");
        };
        let looking = async {
            while let Some(page) = pages.recv().await {
                for recipient in &page {
                    let Some(written) = waiting.remove(&recipient.identity) else { continue };
                    match verify(self.job, self.run, written, recipient) {
                        Ok(outcomes) => self.tell(record, &outcomes).await,
                        // another of the service's servers may have answered
                        Err(written) => drop(waiting.insert(recipient.identity.clone(), *written)),
                    }
                }
            }
        };
        tokio::join!(listing, looking);
    }

    /// Tells of a recipient's changes.
    async fn tell(&mut self, record: &mut Record<'_>, outcomes: &[Outcome]) {
        record.tell_outcomes(outcomes).await;
        let error = outcomes.iter().find_map(|outcome| outcome.error.as_ref());
        if self.outage.ends_the_run(error)
            && let Some(error) = error
        {
            // the first reason counts
            let _ = self.ended.set(error.clone());
        }
    }
}
