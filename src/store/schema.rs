//! Opening a database: what it must be, how it is set up, how an older one becomes today's.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{Code, Error, Result};

use super::is_busy;

/// Marks the file as SmimeSync's own (`PRAGMA application_id`): "SMIM".
const APPLICATION_ID: i32 = 0x534D_494D;

/// Each step makes the next version of the schema; a released step never changes.
const MIGRATIONS: [&str; 5] = [
    include_str!("schema.sql"),
    include_str!("fetched.sql"),
    include_str!("deltas.sql"),
    include_str!("directories.sql"),
    include_str!("read_forms.sql"),
];

/// How long a statement waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens a file, which is made where there is none, readable by its owner alone.
pub(super) fn open_file(path: &Path) -> Result<Connection> {
    let about = |refusal: Refusal| Error::from(refusal).target(path.display().to_string());
    create(path).map_err(|error| about(Refusal::File(error)))?;
    let mut connection = open_known(path).map_err(about)?;
    prepare(&mut connection).map_err(about)?;
    Ok(connection)
}

/// Opens a database that nothing survives in.
pub(super) fn open_memory() -> Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    prepare(&mut connection)?;
    Ok(connection)
}

/// Why a database is not opened.
enum Refusal {
    File(std::io::Error),
    Sqlite(rusqlite::Error),
    OtherProgram,
    NewerVersion,
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let refused = |detail: String| Self::new(Code::StoreOpen).with("detail", detail);
        match refusal {
            Refusal::File(error) => refused(error.to_string()),
            Refusal::Sqlite(error) if is_busy(&error) => Self::new(Code::StoreLocked),
            Refusal::Sqlite(error) => refused(error.to_string()),
            Refusal::OtherProgram => refused("the database belongs to another program".into()),
            Refusal::NewerVersion => Self::new(Code::StoreVersion),
        }
    }
}

enum Application {
    /// Nothing is in it yet.
    Empty,
    /// SmimeSync, with this version of the schema.
    Ours(usize),
    Other,
}

fn application_of(connection: &Connection) -> rusqlite::Result<Application> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (id, objects) {
        (APPLICATION_ID, _) => Application::Ours(usize::try_from(version).unwrap_or(usize::MAX)),
        (0, 0) => Application::Empty,
        _ => Application::Other,
    })
}

/// Another program's database, or a newer version's, is left as it is: nothing was written to it up to here.
fn open_known(path: &Path) -> std::result::Result<Connection, Refusal> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    version_of(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    Ok(connection)
}

fn version_of(connection: &Connection) -> std::result::Result<usize, Refusal> {
    match application_of(connection)? {
        Application::Ours(version) if version > MIGRATIONS.len() => Err(Refusal::NewerVersion),
        Application::Ours(version) => Ok(version),
        Application::Empty => Ok(0),
        Application::Other => Err(Refusal::OtherProgram),
    }
}

fn prepare(connection: &mut Connection) -> std::result::Result<(), Refusal> {
    // FULL: what the journal says before a write must be on the disk before the write
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // asked again inside the transaction: another process may have been faster
    let version = version_of(&transaction)?;
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration)?;
    }
    if version < MIGRATIONS.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    }
    transaction.commit()?;
    Ok(())
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}
