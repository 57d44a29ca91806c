//! All writes of a run: some at a time, read back in whichever way takes fewer requests.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use crate::error::{Code, Error, Result};
use crate::exchange::Selection;
use crate::people::Recipient;

use super::apply::{Applied, Outcome, Task, Waiting, WhenStale, apply, leave, read_back, verify};
use super::outage::Outage;
use super::record::Record;
use super::tasks::Tasks;
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
    mut tasks: Tasks<'_>,
    stale: WhenStale<'_>,
) -> Result<()> {
    job.observer.begin(Phase::Writing, tasks.rows());
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
    let pages = job.exchange.pages().filter(|pages| tasks.recipients() > pages.saturating_mul(WORTH_A_PAGE));
    while tasks.peek()?.is_some() && !writing.is_over() {
        writing.batch(record, &mut tasks, pages).await;
    }
    match writing.ended.get() {
        Some(error) => Err(error.clone()),
        None if job.observer.is_cancelled() => Err(Error::new(Code::Cancelled)),
        None => Ok(()),
    }
}

/// Whether a batch of writes that are read back by page goes on after so many: not for ever, and, once a list is worth it,
/// only as long as the reading of the next recipient holds.
fn goes_on(job: &Job<'_>, task: &Task, begun: u64, pages: u64) -> bool {
    let is_worth_a_list = begun >= pages.saturating_mul(WORTH_A_PAGE);
    begun < pages.saturating_mul(WRITES_PER_PAGE) && !(is_worth_a_list && task.is_stale(job))
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
    async fn batch(&mut self, record: &mut Record<'_>, tasks: &mut Tasks<'_>, pages: Option<u64>) {
        let (job, run, stale) = (self.job, self.run, self.stale);
        let ended = Arc::clone(&self.ended);
        let mut begun = 0;
        let next = std::iter::from_fn(|| {
            let over = ended.get().is_some() || job.observer.is_cancelled();
            let next = tasks.peek().unwrap_or_else(|error| {
                // the first reason counts
                let _ = ended.set(error);
                None
            });
            next.filter(|task| !over && pages.is_none_or(|pages| goes_on(job, task, begun, pages)))?;
            begun += 1;
            tasks.take()
        });
        let mut writes = futures_util::stream::iter(next)
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
            waiting.extend(written.map(|written| (written.identity.clone(), written.wait())));
        }
        drop(writes);
        let cancelled = job.observer.is_cancelled();
        // whoever cancels waits for a few pages and not for hundreds
        let most = if cancelled { FEW_PAGES.min(waiting.len() as u64) } else { waiting.len() as u64 };
        if pages.is_some_and(|pages| most > pages) {
            self.verify_by_page(record, &mut waiting, tasks).await;
        }
        if cancelled {
            for (identity, waiting) in waiting {
                match waiting.written(job, run, identity) {
                    Ok(written) => record.tell_outcomes(&leave(job, run, written, &Error::new(Code::Cancelled))).await,
                    Err(error) => self.end(error),
                }
            }
            return;
        }
        let ended = &ended;
        let mut readings = futures_util::stream::iter(waiting)
            .map(|(identity, waiting)| async move {
                let written = waiting.written(job, run, identity)?;
                Ok(match ended.get() {
                    Some(error) => leave(job, run, written, error),
                    None => read_back(job, run, written).await,
                })
            })
            .buffer_unordered(self.concurrency);
        while let Some(outcomes) = readings.next().await {
            match outcomes {
                Ok(outcomes) => self.tell(record, &outcomes).await,
                Err(error) => self.end(error),
            }
        }
    }

    /// Lists everybody, and ends the changes of those who hold what was written; all others stay. Those who are to be
    /// written next have been read again by it, too.
    async fn verify_by_page(
        &mut self,
        record: &mut Record<'_>,
        waiting: &mut HashMap<String, Waiting>,
        tasks: &mut Tasks<'_>,
    ) {
        let read_ms = self.job.surroundings.now_ms();
        let (sink, mut pages) = mpsc::channel::<Vec<Recipient>>(WAITING_PAGES);
        let exchange = self.job.exchange;
        let listing = async move {
            // whoever is not met in a list that breaks off is read alone
            let listed = exchange.list(Selection::default(), &sink).await;
            tracing::info!(complete = listed.is_ok(), "writes were read back by page");
        };
        let looking = async {
            while let Some(page) = pages.recv().await {
                for recipient in page {
                    let read = match waiting.remove(&recipient.identity) {
                        Some(written) => self.verify(record, waiting, written, recipient).await,
                        None => tasks.read_again(recipient, read_ms),
                    };
                    read.unwrap_or_else(|error| self.end(error));
                }
            }
        };
        tokio::join!(listing, looking);
    }

    /// Ends the changes of one recipient if it holds what was written; else they wait on.
    async fn verify(
        &mut self,
        record: &mut Record<'_>,
        waiting: &mut HashMap<String, Waiting>,
        written: Waiting,
        now: Recipient,
    ) -> Result<()> {
        let written = written.written(self.job, self.run, now.identity.clone())?;
        match verify(self.job, self.run, written, &now) {
            Ok(outcomes) => self.tell(record, &outcomes).await,
            // another of the service's servers may have answered
            Err(written) => drop(waiting.insert(now.identity, written.wait())),
        }
        Ok(())
    }

    /// Has the run end with an error; the first reason counts.
    fn end(&self, error: Error) {
        let _ = self.ended.set(error);
    }

    /// Tells of a recipient's changes.
    async fn tell(&mut self, record: &mut Record<'_>, outcomes: &[Outcome]) {
        record.tell_outcomes(outcomes).await;
        let error = outcomes.iter().find_map(|outcome| outcome.error.as_ref());
        if self.outage.ends_the_run(error)
            && let Some(error) = error
        {
            self.end(error.clone());
        }
    }
}
