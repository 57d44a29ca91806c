//! People from a directory: a live server (RFC 4511) or an LDIF export (RFC 2849).

mod absence;
mod changes;
mod check;
mod claims;
mod entry;
mod export;
mod filter;
mod guid;
mod identity;
mod label;
mod ldap;
mod ldif;
mod name;
mod person;
mod published;
mod scope;
mod selection;
mod several;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;

use crate::certificate::Sha256;
use crate::config::{self, DirectoryKind};
use crate::error::{Code, Error, Result};
use crate::net::{Cause, CheckStep};
use crate::people::Person;

pub use absence::confirmed_without;
pub use changes::{ChangeReport, Changes, Cursor, Gone, Part, Since, WhyEverybody};
pub use claims::{MOST_CLAIMED, claims, claims_of};
pub use export::Export;
pub use label::labels;
pub use ldap::OwnDirectory;
pub use ldap::{Standing, Writer};
pub use ldif::content_sha256;
pub use person::ATTRIBUTES;
pub use published::{LdapPlace, Published};
pub use scope::{scope, scope_of};
pub use selection::{PersonKey, Selection, person_key};
pub use several::{Known, Roster};

/// How a read ended.
#[derive(Debug, Clone, Default)]
pub struct ReadReport {
    /// People delivered.
    pub people: u64,
    /// Whether everybody selected was read; only then can somebody be taken for gone.
    pub complete: bool,
    /// Why not, unless it was the limit; always `directory_incomplete`.
    pub incomplete_reason: Option<Error>,
    /// Whether there are more people than the selection's limit, which makes the read incomplete.
    pub limit_reached: bool,
    /// `directory_not_found` or `directory_ambiguous` for identities of several that could not be resolved;
    /// the target is the identity.
    pub unresolved: Vec<Error>,
    /// References to other servers that were left alone.
    pub referrals: u64,
    /// The server that answered.
    pub server: Option<String>,
    /// Why each server that was read from before was given up, in their order.
    pub replaced: Vec<Error>,
    /// SHA-256 of the LDIF file, where it was read to its end.
    pub content_sha256: Option<Sha256>,
    /// Where a read of changes goes on, where one was wanted and can be had; worth something only if `complete`.
    pub cursor: Option<Cursor>,
    /// Why none can be had.
    pub no_cursor: Option<WhyEverybody>,
}

impl ReadReport {
    /// Whether everything there is to tell of was read; a verb ends with this, after its rows.
    ///
    /// # Errors
    /// `directory_incomplete`.
    pub fn ended(&self) -> Result<()> {
        self.incomplete_reason.clone().map_or(Ok(()), Err)
    }
}

/// Reads the selected people and sends them as they come; the sink's capacity holds the reader back.
///
/// An end in the middle is no error: the people so far were sent, `complete` is false, `incomplete_reason` says why.
///
/// # Errors
/// What keeps the read from its first person, area `directory` or `config`; `directory_not_found` or
/// `directory_ambiguous` when the only identity selected cannot be resolved; `cancelled` when the sink is closed.
pub async fn read(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    sink: Sender<Person>,
) -> Result<ReadReport> {
    read_and_mark(config, base_dir, selection, false, None, sink).await
}

/// Reads the selected people of a configuration's directory, and has their entries written to a file; who reads keeps the
/// file, or not.
///
/// # Errors
/// `config_missing`, `config_unsupported` for several directories; those of [`read`]; `file_unwritable`.
pub async fn read_and_export(
    config: &config::Config,
    selection: &Selection,
    export: Arc<Export>,
    sink: Sender<Person>,
) -> Result<ReadReport> {
    let base_dir = config.base_dir.as_deref();
    read_and_mark(config.only_directory()?, base_dir, selection, false, Some(export), sink).await
}

/// Reads the selected people of all directories of a configuration: as [`read`] where there is one, else each person
/// once with what all directories hold.
///
/// # Errors
/// `config_missing`; those of [`read`].
pub async fn read_all(config: &config::Config, selection: &Selection, sink: Sender<Person>) -> Result<ReadReport> {
    let base_dir = config.base_dir.as_deref();
    match config.all_directories()?.as_slice() {
        [only] => read(only, base_dir, selection, sink).await,
        several => several::read_united(several, base_dir, selection, false, sink).await,
    }
}

/// Reads the selected entries of all directories of a configuration, each with the number of its directory. A person of two
/// directories comes twice.
///
/// # Errors
/// `config_missing`; those of [`read`].
pub async fn read_apart(
    config: &config::Config,
    selection: &Selection,
    sink: Sender<(usize, Person)>,
) -> Result<ReadReport> {
    several::read_apart(&config.all_directories()?, config.base_dir.as_deref(), selection, sink).await
}

/// As [`read_all`], of everybody, with a cursor.
///
/// # Errors
/// Those of [`read_all`].
pub async fn read_everybody_of(config: &config::Config, sink: Sender<Person>) -> Result<ReadReport> {
    let base_dir = config.base_dir.as_deref();
    match config.all_directories()?.as_slice() {
        [only] => read_everybody(only, base_dir, sink).await,
        several => several::read_united(several, base_dir, &Selection::default(), true, sink).await,
    }
}

/// As [`read_changes`], of all directories of a configuration, each person once with what all directories hold.
///
/// # Errors
/// `config_missing`; those of [`read_changes`].
pub async fn read_changes_of(
    config: &config::Config,
    selection: &Selection,
    since: &Since,
    sink: Sender<Person>,
) -> Result<Changes> {
    let base_dir = config.base_dir.as_deref();
    match config.all_directories()?.as_slice() {
        [only] => read_changes(only, base_dir, selection, since, sink).await,
        several => several::read_changes(several, base_dir, selection, since, sink).await,
    }
}

/// As [`read`], of everybody, with a cursor: a read of changes from it on tells of everything that happens from the
/// beginning of this one.
///
/// # Errors
/// Those of [`read`].
pub async fn read_everybody(
    config: &config::Directory,
    base_dir: Option<&Path>,
    sink: Sender<Person>,
) -> Result<ReadReport> {
    read_and_mark(config, base_dir, &Selection::default(), true, None, sink).await
}

async fn read_and_mark(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    cursor: bool,
    export: Option<Arc<Export>>,
    sink: Sender<Person>,
) -> Result<ReadReport> {
    match config.kind {
        DirectoryKind::Ldif => {
            let (config, selection) = (config.clone(), selection.clone());
            let base_dir = base_dir.map(Path::to_path_buf);
            blocking(move || ldif::read(&config, base_dir.as_deref(), &selection, export.as_deref(), &sink)).await?
        }
        DirectoryKind::Ldap => ldap::read(config, base_dir, selection, cursor, export, sink).await,
    }
}

/// Reads who changed since a cursor, as far as the selection wants them, and who was asked for besides. What is sent may
/// hold people of whom nothing changed that a person is made of.
///
/// # Errors
/// Those of [`read`]; nobody is missed by one: the old cursor still holds.
pub async fn read_changes(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    since: &Since,
    sink: Sender<Person>,
) -> Result<Changes> {
    match config.kind {
        DirectoryKind::Ldif => {
            let (config, selection, since) = (config.clone(), selection.clone(), since.clone());
            let base_dir = base_dir.map(Path::to_path_buf);
            blocking(move || ldif::read_changes(&config, base_dir.as_deref(), &selection, &since, &sink)).await?
        }
        DirectoryKind::Ldap => ldap::read_changes(config, base_dir, selection, since, sink).await,
    }
}

/// Tries what reading needs, step by step; never fails itself.
///
/// # Errors
/// Only defects of this library.
pub async fn check(config: &config::Directory, base_dir: Option<&Path>) -> Result<Vec<CheckStep>> {
    match config.kind {
        DirectoryKind::Ldif => {
            let config = config.clone();
            let base_dir = base_dir.map(Path::to_path_buf);
            blocking(move || ldif::check(&config, base_dir.as_deref())).await
        }
        DirectoryKind::Ldap => ldap::check(config, base_dir).await,
    }
}

/// Reads what an authority publishes at a server that a certificate names: anonymously, the entry itself, without
/// following referrals, and not at addresses that may not be spoken to.
///
/// # Errors
/// Why nothing came.
pub async fn read_published(
    host: &(String, u16),
    place: &LdapPlace,
    what: Published,
    timeout: Duration,
    allow_loopback: bool,
) -> std::result::Result<Vec<Vec<u8>>, Cause> {
    ldap::from_server(host, place.dn.clone(), what, timeout, allow_loopback).await
}

/// A failure that ends a read after people were already delivered.
fn incomplete(error: Error) -> Error {
    if error.code() == Code::DirectoryIncomplete {
        return error;
    }
    let incomplete = Error::new(Code::DirectoryIncomplete).with("detail", error.to_string());
    match error.get_target() {
        Some(target) => incomplete.target(target),
        None => incomplete,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|error| Error::new(Code::Internal).with("detail", error.to_string()))
}
