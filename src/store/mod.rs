//! What must survive a run: runs and their changes with every byte, the journal of writes, who was seen, what was fetched,
//! settings. And what must not: the [`Spool`], where a run sets aside what it looks at.
//!
//! The only room that knows SQL. Time comes in from outside, in milliseconds since 1970 UTC. Everything a function does
//! is one transaction; what it returned successfully is on the disk.

mod changes;
mod fetched;
mod journal;
mod people;
mod read_forms;
mod record;
mod runs;
mod schema;
mod settings;
mod spool;
mod watermark;
mod written;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Code, Error, Result};
use crate::platform::{FileLock, HolderLock};

pub use changes::{ChangeFilter, ChangeResult, StoredChange, StoredError};
pub use fetched::{FetchKey, Fetched};
pub use journal::{JournalState, OpenWrite, WriteEnd};
pub use people::{KnownPerson, LastRead, PersonDigest, SeenPerson, Vanished};
pub use runs::{Counters, NewRun, PolicyType, RunFilter, RunResult, StoredRun};
pub use settings::{Setting, SettingValue};
pub use spool::{Spool, Tally};
pub use watermark::{DirectoryRead, KeptCursor, Retry, Watermark};

/// An open store. It can be shared between threads, which take turns.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    /// `None` in memory.
    file: Option<StoreFile>,
}

#[derive(Debug)]
struct StoreFile {
    path: PathBuf,
    /// Shared by every process that has the store open; whoever gets it alone knows that no run is under way.
    _in_use: FileLock,
}

/// The right to write to the tenant or the directory; given back when dropped.
#[derive(Debug)]
pub struct WriterLock {
    /// `None` for a store in memory, which nobody else can have.
    _lock: Option<HolderLock>,
}

impl Store {
    /// Opens the store in a file, which is made where there is none. A run that a dead process left is ended as
    /// interrupted, as soon as no other process has the store open.
    ///
    /// # Errors
    /// `store_open` for what is no store of SmimeSync's or cannot be opened, `store_version` for a newer version's.
    pub fn open(path: &Path, now_ms: i64) -> Result<Self> {
        let refused = |error: std::io::Error| {
            Error::new(Code::StoreOpen).target(path.display().to_string()).with("detail", error.to_string())
        };
        let in_use = beside(path, ".use");
        // the lock comes first, so that two processes do not set up the same new file at once
        let (lock, alone) = match FileLock::exclusive(&in_use).map_err(refused)? {
            Some(lock) => (lock, true),
            None => (FileLock::shared(&in_use).map_err(refused)?, false),
        };
        let connection = schema::open_file(path)?;
        let in_use = if alone {
            runs::interrupt(&connection, now_ms, false)?;
            lock.into_shared().map_err(refused)?
        } else {
            lock
        };
        let file = StoreFile { path: path.to_path_buf(), _in_use: in_use };
        Ok(Self { connection: Mutex::new(connection), file: Some(file) })
    }

    /// A store that ends with the process, for configurations without `store.path`.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn in_memory() -> Result<Self> {
        Ok(Self { connection: Mutex::new(schema::open_memory()?), file: None })
    }

    /// Whether what it holds survives; nothing may be written to the tenant otherwise.
    pub fn is_durable(&self) -> bool {
        self.file.is_some()
    }

    /// Takes the lock that verbs which write must hold before they begin their run. Writing runs that did not end are
    /// ended as interrupted: their process would hold the lock.
    ///
    /// # Errors
    /// `store_locked` with the holder (process id and since when), `store_failed`.
    pub fn lock_for_writing(&self, now_ms: i64) -> Result<WriterLock> {
        let lock = match &self.file {
            Some(file) => Some(HolderLock::take(&beside(&file.path, ".lock"), &holder(now_ms))?),
            None => None,
        };
        runs::interrupt(&self.connection(), now_ms, true)?;
        Ok(WriterLock { _lock: lock })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // a panic elsewhere rolled its transaction back, so the connection is as good as before
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does everything or nothing.
    fn transaction<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        if is_busy(&error) {
            return Self::new(Code::StoreLocked);
        }
        Self::new(Code::StoreFailed).with("detail", error.to_string())
    }
}

/// Whether another process's transaction took longer than this one could wait.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
}

/// What the store holds and this version does not understand.
fn not_understood(what: &str) -> Error {
    Error::new(Code::StoreFailed).with("detail", format!("{what} is not understood"))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn holder(now_ms: i64) -> String {
    let since = time::OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok());
    let process = std::process::id();
    since.map_or_else(|| format!("process {process}"), |since| format!("process {process} since {since}"))
}
