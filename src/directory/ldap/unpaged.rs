//! Searches in one go, with controls of their own: each message as it comes, with what its controls say.

use ldap3::asn1::StructureTag;
use ldap3::controls::{Control, RawControl};
use ldap3::{LdapResult, Scope};

use crate::directory::entry::Entry;
use crate::error::Result;

use super::connect::Connection;
use super::failure::Doing;
use super::search::{Items, Request, entry, malformed};

/// What came.
pub(super) enum Message {
    /// An entry and the controls that came with it.
    Entry(Entry, Vec<RawControl>),
    /// An intermediate response (RFC 4511 4.13).
    Intermediate(StructureTag),
    /// The end, whatever its result code.
    End(LdapResult),
}

/// A search under way.
pub(super) struct Unpaged {
    items: Items,
}

impl Unpaged {
    /// Sends the search, of everything below the base.
    ///
    /// # Errors
    /// Those of the connection.
    pub(super) async fn begin(
        connection: &mut Connection,
        base: &str,
        filter: &str,
        attributes: Vec<String>,
        controls: Vec<RawControl>,
    ) -> Result<Self> {
        let (base, filter) = (base.to_owned(), filter.to_owned());
        let request = Request { base, scope: Scope::Subtree, filter, attributes, page_size: 0, controls: Vec::new() };
        Ok(Self { items: Items::of(&request, controls, connection).await? })
    }

    /// The next message; not to be asked again after the end. References to other servers are left alone.
    ///
    /// # Errors
    /// Those of the connection, `directory_protocol` for an entry that is none.
    pub(super) async fn next(&mut self, connection: &mut Connection) -> Result<Message> {
        loop {
            match self.items.next(connection).await {
                Ok(Some(item)) if item.is_ref() => {}
                Ok(Some(item)) if item.is_intermediate() => return Ok(Message::Intermediate(item.0)),
                Ok(Some(item)) => {
                    let controls = item.1.into_iter().map(|Control(_, raw)| raw).collect();
                    let entry = entry(item.0).ok_or_else(|| malformed(connection))?;
                    return Ok(Message::Entry(entry, controls));
                }
                Ok(None) => return Ok(Message::End(self.items.finish().await)),
                Err(error) => return Err(connection.failed(error, Doing::Search).await),
            }
        }
    }
}

/// The value of the control of this kind in a result.
pub(super) fn control_value<'a>(controls: impl IntoIterator<Item = &'a RawControl>, oid: &str) -> Option<&'a [u8]> {
    controls.into_iter().find(|control| control.ctype == oid)?.val.as_deref()
}
