//! The wanted people of a server.

use ldap3::Scope;
use tokio::sync::mpsc::Sender;

use crate::config;
use crate::directory::Export;
use crate::directory::entry::Entry;
use crate::directory::name::Name;
use crate::directory::person::{ATTRIBUTES, person};
use crate::directory::selection::{Base, Finder, Next, Wanted};
use crate::error::{Code, Error, Result};
use crate::people::Person;

use super::connect::Connection;
use super::failure::{INVALID_DN_SYNTAX, NO_SUCH_OBJECT};
use super::group::Membership;
use super::search::{Request, Search, one};

/// Entries per page unless configured; Active Directory gives no more than this (MaxPageSize).
const DEFAULT_PAGE_SIZE: u32 = 1000;
/// LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] 3.1.1.3.4.3.1).
const ACTIVE_DIRECTORY: &[u8] = b"1.2.840.113556.1.4.800";

/// How to ask this server for people.
pub(super) struct Questions {
    /// Whether it is Active Directory.
    active_directory: bool,
    filter: String,
    attributes: Vec<String>,
    page_size: u32,
    /// Whose members alone are people.
    members: Option<Membership>,
}

impl Questions {
    /// Looks at the server's root DSE and the configuration's group, and puts the filters together.
    ///
    /// # Errors
    /// Those of the connection; those of [`Membership::of`].
    pub(super) async fn new(connection: &mut Connection, config: &config::Directory, wanted: &Wanted) -> Result<Self> {
        let root = one(connection, "", &["supportedCapabilities"]).await?.unwrap_or_default();
        let active_directory = is_active_directory(&root);
        let people = if active_directory {
            "(objectCategory=person)(|(objectClass=user)(objectClass=contact))"
        } else {
            // with Active Directory's class too, or a server that hides what it is would seem to have lost its people
            "(|(objectClass=user)(objectClass=inetOrgPerson)(objectClass=contact))"
        };
        let mut attributes: Vec<String> = ATTRIBUTES.iter().map(|name| (*name).to_owned()).collect();
        attributes.extend(config.source_anchor.clone());
        let page_size = config.page_size.unwrap_or(DEFAULT_PAGE_SIZE);
        // one more than the limit shows that there is more
        let enough = wanted.limit.and_then(|limit| u32::try_from(limit.saturating_add(1)).ok());
        let members = match &config.group {
            Some(group) => Some(Membership::of(connection, group, active_directory).await?),
            None => None,
        };
        let member = members.as_ref().and_then(Membership::filter).unwrap_or_default();
        Ok(Self {
            active_directory,
            filter: format!("(&{people}{}{member})", wanted.filters.concat()),
            attributes,
            members,
            page_size: page_size.min(enough.filter(|_| wanted.identities.is_empty()).unwrap_or(page_size)),
        })
    }

    /// The search for everybody below a base.
    pub(super) fn all(&self, base: &str) -> Search {
        self.search(base, Scope::Subtree, self.filter.clone())
    }

    /// The search for those who have an attribute, for one of them to be looked at.
    pub(super) fn having(&self, base: &str, attribute: &str) -> Search {
        let mut search = self.search(base, Scope::Subtree, format!("(&{}({attribute}=*))", self.filter));
        search.one_by_one();
        search
    }

    /// A search for people with another filter.
    pub(super) fn search(&self, base: &str, scope: Scope, filter: String) -> Search {
        let (attributes, page_size) = (self.attributes.clone(), self.page_size);
        Search::new(Request { base: base.to_owned(), scope, filter, attributes, page_size, controls: Vec::new() })
    }

    /// What the wanted match.
    pub(super) fn filter(&self) -> &str {
        &self.filter
    }

    /// What is read of each.
    pub(super) fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// Whether the server is Active Directory.
    pub(super) fn active_directory(&self) -> bool {
        self.active_directory
    }
}

/// Reads people and hands them on.
pub(super) struct Reading<'a> {
    /// The configuration.
    pub(super) config: &'a config::Directory,
    /// Who is wanted.
    pub(super) wanted: &'a Wanted,
    /// Whether the bases are the caller's and not the configuration's.
    pub(super) bases_selected: bool,
    /// Finds them.
    pub(super) finder: &'a mut Finder,
    /// The file their entries go into, where one is wanted.
    pub(super) export: Option<&'a Export>,
    /// Where they go.
    pub(super) sink: &'a Sender<Person>,
    /// References left alone.
    pub(super) referrals: u64,
    /// Whether the wanted are a caller's selection.
    pub(super) is_selected: bool,
    /// The newest `modifyTimestamp` seen, where it is to be looked for.
    pub(super) newest: Option<String>,
    /// Whose members alone are wanted; known when the reading runs.
    pub(super) members: Option<Membership>,
}

impl Reading<'_> {
    /// Reads all that is wanted, or up to the limit.
    ///
    /// # Errors
    /// Those of a search; `config_value` or `option_value` for a base that does not exist; `cancelled`.
    pub(super) async fn run(&mut self, connection: &mut Connection) -> Result<()> {
        let mut questions = Questions::new(connection, self.config, self.wanted).await?;
        if self.newest.is_some() {
            questions.attributes.push("modifyTimestamp".into());
        }
        self.members = questions.members.take();
        let wanted = self.wanted;
        if wanted.identities.is_empty() {
            for base in &wanted.bases {
                if !self.below(base, questions.all(&base.text), connection).await? {
                    break;
                }
            }
            return Ok(());
        }
        for identity in &wanted.identities {
            match identity.filter(questions.active_directory) {
                Some(filter) => {
                    let filter = format!("(&{}{filter})", questions.filter);
                    for base in &wanted.bases {
                        let search = questions.search(&base.text, Scope::Subtree, filter.clone());
                        self.below(base, search, connection).await?;
                    }
                }
                None => {
                    self.at(
                        &identity.text,
                        questions.search(&identity.text, Scope::Base, questions.filter.clone()),
                        connection,
                    )
                    .await?;
                }
            }
        }
        Ok(())
    }

    /// Everybody a search finds below a base; `false` when the limit is reached.
    async fn below(&mut self, base: &Base, mut search: Search, connection: &mut Connection) -> Result<bool> {
        match self.drain(&mut search, connection).await {
            Err(error) if search.result == NO_SUCH_OBJECT && error.code() == Code::DirectoryProtocol => {
                Err(base_missing(base, self.bases_selected))
            }
            other => other,
        }
    }

    /// The one entry of a DN. What does not exist or is outside of the bases is found by nobody.
    async fn at(&mut self, dn: &str, mut search: Search, connection: &mut Connection) -> Result<()> {
        if !Name::parse(dn).is_some_and(|name| self.wanted.covers(&name)) {
            return Ok(());
        }
        match self.drain(&mut search, connection).await {
            Err(_) if matches!(search.result, NO_SUCH_OBJECT | INVALID_DN_SYNTAX) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    async fn drain(&mut self, search: &mut Search, connection: &mut Connection) -> Result<bool> {
        let drained = loop {
            match search.next(connection).await {
                Ok(Some(entry)) => match self.hand_on(&entry).await {
                    Ok(true) => {}
                    other => break other,
                },
                Ok(None) => break Ok(true),
                Err(error) => break Err(error),
            }
        };
        self.referrals += search.referrals;
        drained
    }

    /// Hands a person on if it is wanted; `false` when the limit is reached.
    ///
    /// # Errors
    /// `directory_protocol` for what is no DN, `cancelled`, `file_unwritable`.
    pub(super) async fn hand_on(&mut self, entry: &Entry) -> Result<bool> {
        if let (Some(newest), Some(stamp)) = (&mut self.newest, stamp(entry))
            && stamp > *newest
        {
            *newest = stamp;
        }
        let Some(person) = person(entry, self.config.source_anchor.as_deref()) else { return Ok(true) };
        let name = Name::parse(&entry.dn)
            .ok_or_else(|| Error::new(Code::DirectoryProtocol).with("detail", format!("{} is no DN", entry.dn)))?;
        if self.members.as_ref().is_some_and(|members| !members.covers(&name)) {
            return Ok(true);
        }
        match self.finder.take(person, &name) {
            Next::Deliver(person) => {
                if let Some(export) = self.export {
                    export.add(entry)?;
                }
                self.deliver(*person).await.map(|()| true)
            }
            Next::Named => {
                if let Some(export) = self.export {
                    export.hold(entry);
                }
                Ok(true)
            }
            Next::Continue => Ok(true),
            Next::Full => Ok(false),
        }
    }

    async fn deliver(&self, person: Person) -> Result<()> {
        self.sink.send(person).await.map_err(|_| Error::new(Code::Cancelled))
    }
}

/// Whether a root DSE is Active Directory's.
pub(super) fn is_active_directory(root: &Entry) -> bool {
    root.all("supportedCapabilities").any(|value| value == ACTIVE_DIRECTORY)
}

/// An entry's `modifyTimestamp` to the second, as 14 digits, which sort as times do.
pub(super) fn stamp(entry: &Entry) -> Option<String> {
    let digits = entry.plain("modifyTimestamp").next()?.get(..14)?;
    let text = std::str::from_utf8(digits).ok()?;
    text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.to_owned())
}

/// A base that the server does not know or does not show.
pub(super) fn base_missing(base: &Base, selected: bool) -> Error {
    let code = if selected { Code::OptionValue } else { Code::ConfigValue };
    let detail = "the base does not exist, or the account may not see it";
    Error::new(code).target(base.text.clone()).with("detail", detail)
}
