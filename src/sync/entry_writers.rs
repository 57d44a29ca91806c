//! The directories that a run writes entries of, each by its name.

use crate::config::{Config, DirectoryKind};
use crate::directory::{self, Standing, Writer};
use crate::error::{Code, Error, Result};
use crate::planning::Change;

/// One open connection for every directory that can be written.
pub(super) struct EntryWriters(Vec<(String, Option<Writer>)>);

impl EntryWriters {
    /// Connects to all of them, so that nothing is written where one cannot be.
    ///
    /// # Errors
    /// `config_missing`; `config_unsupported` where there is none that could be written; those of connecting.
    pub(super) async fn open(config: &Config) -> Result<Self> {
        let directories = config.all_directories()?;
        let no_server = directories.iter().all(|directory| directory.kind == DirectoryKind::Ldif);
        let mut writers = Vec::with_capacity(directories.len());
        for (directory, name) in directories.iter().zip(directory::labels(&directories)) {
            let writer = match directory.kind {
                DirectoryKind::Ldif if !no_server => None,
                _ => Some(Writer::open(directory, config.base_dir.as_deref()).await?),
            };
            writers.push((name, writer));
        }
        Ok(Self(writers))
    }

    /// The writer of the directory that a change is about.
    ///
    /// # Errors
    /// `config_unsupported` for a directory that is not written.
    pub(super) fn of(&mut self, change: &Change) -> Result<&mut Writer> {
        let name = change.directory.as_deref().unwrap_or_default();
        let found = self.0.iter_mut().find(|(other, _)| other == name);
        found.and_then(|(_, writer)| writer.as_mut()).ok_or_else(|| not_written(name))
    }

    /// The entry of a change of an earlier run: in the directory it names, or in any where it names none that there is.
    /// `None` within where nobody can tell, because that directory is not among these.
    ///
    /// # Errors
    /// Those of a search.
    pub(super) async fn find(&mut self, change: &Change, person: &str, dn: &str) -> Result<Option<Option<Standing>>> {
        let is_named = self.0.iter().any(|(name, _)| Some(name) == change.directory.as_ref());
        for (name, writer) in &mut self.0 {
            let Some(writer) = writer.as_mut().filter(|_| !is_named || Some(&*name) == change.directory.as_ref())
            else {
                continue;
            };
            if let Some(standing) = writer.read(person, dn).await? {
                return Ok(Some(Some(standing)));
            }
        }
        Ok((is_named || change.directory.is_none()).then_some(None))
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        for writer in self.0.into_iter().filter_map(|(_, writer)| writer) {
            writer.close().await;
        }
    }
}

/// What a change of a directory that is not written ends with.
pub(super) fn not_written(directory: &str) -> Error {
    Error::new(Code::ConfigUnsupported).target(directory).with("detail", "writing to an LDIF file")
}
