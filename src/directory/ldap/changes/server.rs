//! What a server is and has, as far as reading changes needs it.

use std::collections::HashSet;

use ldap3::Scope;

use crate::directory::entry::Entry;
use crate::directory::guid;
use crate::directory::name::Name;
use crate::directory::selection::Wanted;
use crate::error::Result;

use super::super::connect::Connection;
use super::super::failure;
use super::super::people::is_active_directory;
use super::super::search::{Request, Search, one};
use super::usn::show_deleted;

const ROOT: [&str; 6] = [
    "supportedCapabilities",
    "supportedControl",
    "namingContexts",
    "dsServiceName",
    "highestCommittedUSN",
    "vendorName",
];

/// What a server says about itself.
pub(super) struct Server {
    /// Whether it is Active Directory.
    pub(super) active_directory: bool,
    /// Whether it is Samba's.
    pub(super) samba: bool,
    /// invocationId, or entryUUID of the naming context; a restored or new database has another one.
    pub(super) identity: Option<String>,
    /// highestCommittedUSN.
    pub(super) usn: Option<u64>,
    /// The naming context all bases are in, if they are in one.
    pub(super) context: Option<String>,
    controls: HashSet<String>,
}

impl Server {
    /// Reads the root DSE and what it refers to.
    ///
    /// # Errors
    /// Those of the connection.
    pub(super) async fn look(connection: &mut Connection, wanted: &Wanted) -> Result<Self> {
        let root = one(connection, "", &ROOT).await?.unwrap_or_default();
        let active_directory = is_active_directory(&root);
        let context = context(&root, wanted);
        let identity = match (active_directory, text(&root, "dsServiceName"), &context) {
            (true, Some(service), _) => {
                let service = seen(connection, &service, "invocationId").await?;
                service.and_then(|entry| entry.plain("invocationId").find_map(guid::from_object_guid))
            }
            (false, _, Some(context)) => {
                seen(connection, context, "entryUUID").await?.and_then(|entry| text(&entry, "entryUUID"))
            }
            _ => None,
        };
        Ok(Self {
            active_directory,
            samba: text(&root, "vendorName").is_some_and(|name| name.starts_with("Samba")),
            identity,
            usn: text(&root, "highestCommittedUSN").and_then(|number| number.parse().ok()),
            context,
            controls: texts(&root, "supportedControl").collect(),
        })
    }

    /// Whether it knows a control.
    pub(super) fn has(&self, control: &str) -> bool {
        self.controls.contains(control)
    }

    /// Whether the account sees deleted objects: one of them, or, where nothing was deleted yet, what the container itself
    /// holds, which the same right shows.
    ///
    /// # Errors
    /// Those of the connection.
    pub(super) async fn shows_deletions(&self, connection: &mut Connection) -> Result<bool> {
        let Some(context) = &self.context else { return Ok(false) };
        for (scope, filter) in [(Scope::OneLevel, "(isDeleted=TRUE)"), (Scope::Base, "(objectClass=*)")] {
            let mut search = Search::new(Request {
                base: format!("CN=Deleted Objects,{context}"),
                scope,
                filter: filter.into(),
                attributes: vec!["isDeleted".into()],
                page_size: 1,
                controls: vec![show_deleted()],
            });
            match search.next(connection).await {
                // the container's name shows to everybody
                Ok(Some(entry)) if scope == Scope::OneLevel || entry.has("isDeleted") => return Ok(true),
                Ok(_) => {}
                Err(_) if search.result != failure::SUCCESS => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// An entry's attribute; `None` where the account does not see the entry.
async fn seen(connection: &mut Connection, dn: &str, attribute: &str) -> Result<Option<Entry>> {
    let mut search = Search::new(Request {
        base: dn.to_owned(),
        scope: Scope::Base,
        filter: "(objectClass=*)".into(),
        attributes: vec![attribute.to_owned()],
        page_size: 1,
        controls: Vec::new(),
    });
    match search.next(connection).await {
        Ok(found) => Ok(found),
        Err(_) if search.result != failure::SUCCESS => Ok(None),
        Err(error) => Err(error),
    }
}

/// The longest naming context that all bases are in.
fn context(root: &Entry, wanted: &Wanted) -> Option<String> {
    let mut contexts: Vec<(usize, String)> = texts(root, "namingContexts")
        .filter_map(|text| {
            let name = Name::parse(&text)?;
            wanted.bases.iter().all(|base| base.name.is_within(&name)).then_some((name.depth(), text))
        })
        .collect();
    contexts.sort();
    contexts.pop().map(|(_, text)| text)
}

fn texts<'a>(entry: &'a Entry, name: &'a str) -> impl Iterator<Item = String> {
    entry.all(name).filter_map(|value| String::from_utf8(value.to_vec()).ok())
}

fn text(entry: &Entry, name: &str) -> Option<String> {
    texts(entry, name).next()
}
