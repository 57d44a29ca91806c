//! Whether people have no value of an attribute, or the account may not read it: a search answers both the same.
//!
//! To a standard server an item about an attribute that may not be read is Undefined (RFC 4511 4.5.1.7), so only who
//! certainly has none matches `(!(attribute=*))`. Samba takes what may not be read for absent in filters as well, so of
//! Active Directory the entry's own access control list is asked, too.

use std::collections::HashSet;
use std::path::Path;

use ldap3::Scope;
use ldap3::controls::RawControl;

use crate::config;
use crate::directory::entry::Entry;
use crate::directory::identity::Identity;
use crate::directory::name::Name;
use crate::directory::person::identity;
use crate::directory::selection::config_bases;
use crate::error::Result;

use super::connect::{self, Connection};
use super::descriptor::{Secured, may_read};
use super::on_own_task;
use super::people::is_active_directory;
use super::search::{Request, Search, one};

/// People asked for in one search.
const AT_ONCE: usize = 100;
const PAGE_SIZE: u32 = 100;
/// LDAP_SERVER_SD_FLAGS_OID ([MS-ADTS] 3.1.1.3.4.1.11): of a descriptor the access control list alone, which everybody
/// who may read the descriptor may have.
const SD_FLAGS: &str = "1.2.840.113556.1.4.801";
const DACL_ALONE: [u8; 5] = [0x30, 0x03, 0x02, 0x01, 0x04];
const DESCRIPTOR: &str = "nTSecurityDescriptor";

/// Those of these people who certainly have no value of an attribute.
///
/// # Errors
/// Those of connecting and searching; nothing is known of anybody then.
pub(in crate::directory) async fn without(
    config: &config::Directory,
    base_dir: Option<&Path>,
    attribute: &'static str,
    identities: Vec<String>,
) -> Result<HashSet<String>> {
    let (config, base_dir) = (config.clone(), base_dir.map(Path::to_path_buf));
    on_own_task(async move {
        let bases: Vec<String> = config_bases(&config)?.into_iter().map(|base| base.text).collect();
        let mut connection = connect::open(&config, base_dir.as_deref()).await?;
        let root = one(&mut connection, "", &["supportedCapabilities", "schemaNamingContext", "tokenGroups"]).await?;
        let root = root.unwrap_or_default();
        let question = Question { attribute, rights: Rights::of(&mut connection, &root, attribute).await? };
        let mut without = HashSet::new();
        if !question.is_hopeless() {
            for some in identities.chunks(AT_ONCE) {
                question.ask(&mut connection, &bases, some, &mut without).await?;
            }
        }
        connection.close().await;
        Ok(without)
    })
    .await
}

/// What says whether the account may read the attribute, besides the filter.
enum Rights {
    /// Nothing: the filter is enough.
    Filter,
    /// Each entry's access control list, held against the account's SIDs.
    List { sids: Vec<Vec<u8>>, secured: Secured },
    /// What the list is to be held against cannot be had.
    Unknown,
}

impl Rights {
    async fn of(connection: &mut Connection, root: &Entry, attribute: &str) -> Result<Self> {
        if !is_active_directory(root) {
            return Ok(Self::Filter);
        }
        let sids: Vec<Vec<u8>> = root.all("tokenGroups").map(<[u8]>::to_vec).collect();
        let schema = root.all("schemaNamingContext").find_map(|name| String::from_utf8(name.to_vec()).ok());
        let secured = match schema {
            Some(schema) => secured(connection, schema, attribute).await?,
            None => None,
        };
        Ok(match secured {
            Some(secured) if !sids.is_empty() => Self::List { sids, secured },
            _ => Self::Unknown,
        })
    }
}

/// The attribute in the schema; `None` where the account does not see it.
async fn secured(connection: &mut Connection, schema: String, attribute: &str) -> Result<Option<Secured>> {
    const BIT_CONFIDENTIAL: i64 = 0x80;
    let attributes = ["schemaIDGUID", "attributeSecurityGUID", "searchFlags"].map(str::to_owned).to_vec();
    let filter = format!("(&(objectClass=attributeSchema)(lDAPDisplayName={attribute}))");
    let (scope, page_size) = (Scope::OneLevel, 1);
    let request = Request { base: schema, scope, filter, attributes, page_size, controls: Vec::new() };
    let Some(found) = Search::new(request).next(connection).await? else { return Ok(None) };
    let guid = |name: &str| found.all(name).find_map(|octets| octets.try_into().ok());
    let flags = found.all("searchFlags").find_map(|text| std::str::from_utf8(text).ok()?.parse::<i64>().ok());
    Ok(guid("schemaIDGUID").map(|attribute| Secured {
        attribute,
        property_set: guid("attributeSecurityGUID"),
        confidential: flags.is_some_and(|flags| flags & BIT_CONFIDENTIAL != 0),
    }))
}

struct Question {
    attribute: &'static str,
    rights: Rights,
}

impl Question {
    /// Whether no answer would say anything.
    fn is_hopeless(&self) -> bool {
        matches!(self.rights, Rights::Unknown)
    }

    async fn ask(
        &self,
        connection: &mut Connection,
        bases: &[String],
        identities: &[String],
        without: &mut HashSet<String>,
    ) -> Result<()> {
        let active_directory = !matches!(self.rights, Rights::Filter);
        let (mut filters, mut names) = (String::new(), Vec::new());
        for identity in identities {
            // an identity that is no GUID is the name of an entry that has none
            match Identity::new(identity).filter(active_directory) {
                Some(filter) => filters += &filter,
                None => names.push(identity.as_str()),
            }
        }
        if !filters.is_empty() {
            for base in bases {
                let filter = format!("(|{filters})");
                self.collect(connection, base, Scope::Subtree, &filter, without).await?;
            }
        }
        for name in names.into_iter().filter(|name| Name::parse(name).is_some()) {
            self.collect(connection, name, Scope::Base, "", without).await?;
        }
        Ok(())
    }

    async fn collect(
        &self,
        connection: &mut Connection,
        base: &str,
        scope: Scope,
        filter: &str,
        without: &mut HashSet<String>,
    ) -> Result<()> {
        let attributes = ["objectGUID", "entryUUID", DESCRIPTOR].map(str::to_owned).to_vec();
        let only_list = RawControl { ctype: SD_FLAGS.into(), crit: true, val: Some(DACL_ALONE.to_vec()) };
        let request = Request {
            base: base.to_owned(),
            scope,
            filter: format!("(&{filter}(!({}=*)))", self.attribute),
            attributes,
            page_size: PAGE_SIZE,
            controls: if matches!(self.rights, Rights::List { .. }) { vec![only_list] } else { Vec::new() },
        };
        let mut search = Search::new(request);
        while let Some(entry) = search.next(connection).await? {
            let is_readable = match &self.rights {
                Rights::Filter => true,
                Rights::List { sids, secured } => {
                    entry.all(DESCRIPTOR).any(|descriptor| may_read(descriptor, sids, secured))
                }
                Rights::Unknown => false,
            };
            if is_readable {
                without.insert(identity(&entry));
            }
        }
        Ok(())
    }
}
