//! People from a directory: a live server (RFC 4511) or an LDIF export (RFC 2849).

mod check;
mod claims;
mod entry;
mod filter;
mod guid;
mod identity;
mod ldap;
mod ldif;
mod name;
mod person;
mod scope;
mod selection;

use std::path::Path;

use tokio::sync::mpsc::Sender;

use crate::certificate::Sha256;
use crate::config::{self, DirectoryKind};
use crate::error::{Code, Error, Result};
use crate::net::CheckStep;
use crate::people::Person;

pub use claims::claims;
pub use ldif::content_sha256;
pub use scope::scope;
pub use selection::Selection;

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
    match config.kind {
        DirectoryKind::Ldif => {
            let (config, selection) = (config.clone(), selection.clone());
            let base_dir = base_dir.map(Path::to_path_buf);
            blocking(move || ldif::read(&config, base_dir.as_deref(), &selection, &sink)).await?
        }
        DirectoryKind::Ldap => ldap::read(config, base_dir, selection, sink).await,
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
