//! A session: a configuration, the threads its verbs work on, and one file per verb: options in, rows out.

pub mod columns;
mod context;
mod cursor;
mod log;
mod options;
mod output;
pub mod panics;
mod row;
mod rows;
mod verbs;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{self, LogLevel};
use crate::error::{Code, Error, Result};
use crate::text::Culture;

use context::Context;
pub use cursor::{Cursor, Step};
use output::Output;
pub use output::{Event, Progress, ProgressView};
pub use row::{Row, Value};

/// Rows and events that wait for the caller, at most; a verb pauses when they are not fetched.
const QUEUE: usize = 512;

/// How long closing waits for a write in flight.
const CLOSE_WAIT: Duration = Duration::from_secs(30);

/// What can be asked of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// What must work before a run can.
    Check,
    /// People and their certificates.
    Fetch,
    /// Verdicts on certificates.
    Validate,
    /// Who can be encrypted to, and if not, why.
    Coverage,
    /// Keys that should not exist.
    Keys,
    /// Recipients of Exchange Online.
    Recipients,
    /// What a run would change.
    Compare,
    /// A run.
    Sync,
    /// Certificates into the directory.
    Publish,
    /// Values out of the directory.
    Prune,
    /// Authorities that the tenant should trust.
    Issuers,
    /// Runs of the past.
    Runs,
    /// Changes of runs of the past.
    Changes,
    /// Settings in the store.
    Settings,
    /// The columns of all verbs.
    Columns,
}

impl Verb {
    /// All verbs.
    pub const ALL: [Self; 15] = [
        Self::Check,
        Self::Fetch,
        Self::Validate,
        Self::Coverage,
        Self::Keys,
        Self::Recipients,
        Self::Compare,
        Self::Sync,
        Self::Publish,
        Self::Prune,
        Self::Issuers,
        Self::Runs,
        Self::Changes,
        Self::Settings,
        Self::Columns,
    ];

    /// The name: `smimesync_<name>` at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Fetch => "fetch",
            Self::Validate => "validate",
            Self::Coverage => "coverage",
            Self::Keys => "keys",
            Self::Recipients => "recipients",
            Self::Compare => "compare",
            Self::Sync => "sync",
            Self::Publish => "publish",
            Self::Prune => "prune",
            Self::Issuers => "issuers",
            Self::Runs => "runs",
            Self::Changes => "changes",
            Self::Settings => "settings",
            Self::Columns => "columns",
        }
    }
}

/// A configuration and the threads its verbs work on.
pub struct Session {
    runtime: Option<Runtime>,
    context: Arc<Context>,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

impl Session {
    /// Opens a session. Reads the files the configuration names secrets in; uses no network.
    ///
    /// # Errors
    /// Those of the configuration, with the JSON pointer as target.
    pub fn open(configuration: &str) -> Result<Self> {
        let context = Arc::new(Context::new(config::parse(configuration)?)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("smimesync")
            .on_thread_start(|| {
                panics::record_on_this_thread(true);
            })
            .enable_all()
            .build()
            .map_err(|error| Error::new(Code::Internal).with("detail", error.to_string()))?;
        Ok(Self { runtime: Some(runtime), context, cancel: CancellationToken::new(), tasks: TaskTracker::new() })
    }

    /// The language of this session's sentences.
    pub fn culture(&self) -> Culture {
        self.context.culture()
    }

    /// Replaces a value below `/exchange/auth` or `/directory/bind`, for example by a fresh token. Verbs begun later use it.
    ///
    /// # Errors
    /// `config_unknown_key` for any other pointer, `config_type` for a value of the wrong type.
    pub fn set(&self, pointer: &str, value: &str) -> Result<()> {
        self.context.set(pointer, value)
    }

    /// Begins a verb. Its options are read at once; everything else happens on the session's threads.
    ///
    /// # Errors
    /// Those of the options, with the JSON pointer as target.
    pub fn start(&self, verb: Verb, options: &str) -> Result<Cursor> {
        let Some(runtime) = &self.runtime else { return Err(Error::new(Code::Cancelled)) };
        let cancel = self.cancel.child_token();
        let (sender, receiver) = mpsc::channel(QUEUE);
        let progress = Arc::new(Progress::default());
        let output = Output::new(
            sender,
            Arc::clone(&progress),
            cancel.clone(),
            self.context.log().clone(),
            verb,
            self.culture(),
        );
        let work = verbs::prepare(verb, options, Arc::clone(&self.context), output)?;
        let context = Arc::clone(&self.context);
        let work = async move {
            let ended = work.await.map_err(|error| context.about_store(error));
            if let Err(error) = &ended {
                context.log().write(LogLevel::Error, error.code().number(), &error.text(), Some(error));
            }
            ended
        };
        let task = self.tasks.spawn_on(caught(work), runtime.handle());
        Ok(Cursor::new(columns::of(verb), receiver, task, progress, cancel))
    }
}

/// A verb's work; a defect in it is an error of the verb and of nothing else.
async fn caught(work: impl Future<Output = Result<()>>) -> Result<()> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(panics::as_error(panic.as_ref())),
    }
}

impl Drop for Session {
    /// Cancels what runs and waits for the write in flight, bounded.
    fn drop(&mut self) {
        self.cancel.cancel();
        self.tasks.close();
        if let Some(runtime) = self.runtime.take() {
            let tasks = self.tasks.clone();
            // a time-out here leaves the journal's entry pending, which the next run settles
            let _ = runtime.block_on(async move { tokio::time::timeout(CLOSE_WAIT, tasks.wait()).await });
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cursor: &mut Cursor) -> Result<usize> {
        let mut count = 0;
        while cursor.next(Duration::from_secs(10))? == Step::Row {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn a_defect_in_a_verb_is_its_error_with_the_place() {
        let session = Session::open("{}").unwrap();
        let handle = session.runtime.as_ref().unwrap().handle().clone();
        let work = handle.spawn(caught(async { panic!("a broken verb") }));
        let error = handle.block_on(work).unwrap().unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        assert!(error.to_string().contains("a broken verb"), "{error}");
        assert!(error.get_location().unwrap().contains("session/mod.rs"));
        assert!(rows(&mut session.start(Verb::Columns, "").unwrap()).unwrap() > 100);
    }

    #[test]
    fn a_cursor_outlives_its_session() {
        let session = Session::open("{}").unwrap();
        let mut cursors: Vec<_> = (0..20).map(|_| session.start(Verb::Columns, "").unwrap()).collect();
        let started = std::time::Instant::now();
        drop(session);
        assert!(started.elapsed() < Duration::from_secs(5), "closing waits for nobody who does not fetch");
        for cursor in &mut cursors {
            // what was queued before the close may still be fetched
            if let Err(error) = rows(cursor) {
                assert_eq!(error.code(), Code::Cancelled);
                assert_eq!(cursor.next(Duration::ZERO).unwrap_err().code(), Code::Cancelled);
            }
        }
    }

    #[test]
    fn a_thread_that_waits_for_rows_is_woken_by_the_close() {
        let session = Session::open("{}").unwrap();
        let (sender, receiver) = mpsc::channel(1);
        let cancel = session.cancel.child_token();
        let waiting = cancel.clone();
        let work = async move {
            waiting.cancelled().await;
            drop(sender);
            Err(Error::new(Code::Cancelled))
        };
        let task = session.tasks.spawn_on(caught(work), session.runtime.as_ref().unwrap().handle());
        let mut cursor = Cursor::new(columns::of(Verb::Columns), receiver, task, Arc::default(), cancel);
        assert_eq!(cursor.next(Duration::from_millis(20)).unwrap(), Step::Timeout);
        let thread = std::thread::spawn(move || cursor.next(Duration::from_secs(60)).unwrap_err().code());
        std::thread::sleep(Duration::from_millis(50));
        drop(session);
        assert_eq!(thread.join().unwrap(), Code::Cancelled);
    }
}
