//! One server for changes: an entry read again, changed, read back.

use std::path::Path;

use crate::certificate::Attribute;
use crate::config;
use crate::directory::person::{ATTRIBUTES, person};
use crate::error::{Code, Error, Result};
use crate::people::{Person, RawValue};

use super::connect::{self, Connection};
use super::modify::{Modification, Modified, modify};
use super::people::is_active_directory;
use super::search::one;

/// The operational attribute that changes with an entry (OpenLDAP; draft-zeilenga-ldup-sync 2.2).
const ENTRY_CSN: &str = "entryCSN";

/// A connection that changes entries. Everything goes to one server, as another one may not know yet what was changed.
pub struct Writer {
    connection: Connection,
    active_directory: bool,
    source_anchor: Option<String>,
}

/// An entry as it is now.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The person.
    pub person: Person,
    /// entryCSN, where the server has one.
    entry_csn: Option<String>,
}

impl Writer {
    /// A connection to the first configured server that can be spoken to.
    ///
    /// # Errors
    /// `config_unsupported` for an LDIF file, which is not written; those of connecting and binding.
    pub async fn open(config: &config::Directory, base_dir: Option<&Path>) -> Result<Self> {
        if config.kind == config::DirectoryKind::Ldif {
            let detail = "writing to an LDIF file";
            return Err(Error::new(Code::ConfigUnsupported).target("/directory/kind").with("detail", detail));
        }
        let mut connection = connect::open(config, base_dir).await?;
        let root = one(&mut connection, "", &["supportedCapabilities"]).await?.unwrap_or_default();
        let active_directory = is_active_directory(&root);
        Ok(Self { connection, active_directory, source_anchor: config.source_anchor.clone() })
    }

    /// A person's entry by its distinguished name; `None` where it is gone or somebody else's.
    ///
    /// # Errors
    /// Those of a search.
    pub async fn read(&mut self, identity: &str, distinguished_name: &str) -> Result<Option<Standing>> {
        let attributes = ATTRIBUTES.iter().copied().chain(self.source_anchor.as_deref()).chain([ENTRY_CSN]);
        let attributes: Vec<&str> = attributes.collect();
        let Some(entry) = one(&mut self.connection, distinguished_name, &attributes).await? else { return Ok(None) };
        let csn = entry.all(ENTRY_CSN).next();
        let entry_csn = csn.and_then(|value| String::from_utf8(value.to_vec()).ok());
        let found = person(&entry, self.source_anchor.as_deref()).filter(|person| person.identity == identity);
        Ok(found.map(|person| Standing { person, entry_csn }))
    }

    /// Takes those of `before` away that `after` has not, and adds the others. `false` where the values are no longer as
    /// they were read, which leaves the entry as it is.
    ///
    /// # Errors
    /// `directory_refused`, `directory_denied`; those of the connection, after which nobody knows whether it was made.
    pub async fn change(
        &mut self,
        standing: &Standing,
        attribute: Attribute,
        before: &[RawValue],
        after: &[RawValue],
    ) -> Result<bool> {
        let (dn, entry_csn) = (standing.person.distinguished_name.as_str(), standing.entry_csn.as_deref());
        let modification = Modification { dn, attribute, before, after, entry_csn };
        Ok(modify(&mut self.connection, self.active_directory, &modification).await? == Modified::Done)
    }

    /// Says goodbye.
    pub async fn close(self) {
        self.connection.close().await;
    }
}
