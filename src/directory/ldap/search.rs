//! Searches in pages (RFC 2696), entry by entry, with attributes in ranges fetched to their end.

use ldap3::asn1::{PL, StructureTag, parse_tag};
use ldap3::controls::{Control, ControlType, PagedResults, RawControl};
use ldap3::{LdapResult, ResultEntry, Scope, SearchStream};

use crate::directory::entry::Entry;
use crate::error::{Code, Error, Result};

use super::connect::Connection;
use super::failure::{self, Doing};

/// Pages without an entry that are taken in a row; a server may send some while it looks (time limit per page).
const MAX_EMPTY_PAGES: u32 = 1000;
/// Requests for further ranges of one attribute.
const MAX_RANGES: u32 = 1000;

/// What is searched for.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// DN of the base.
    pub(super) base: String,
    /// The base alone or all below.
    pub(super) scope: Scope,
    /// The filter.
    pub(super) filter: String,
    /// Names of the attributes wanted.
    pub(super) attributes: Vec<String>,
    /// Entries per page.
    pub(super) page_size: u32,
    /// Controls besides that of the pages.
    pub(super) controls: Vec<RawControl>,
}

/// The answers to one search request. The server is held back while they are not taken, so however many it sends, a
/// bounded part of them is in memory.
pub(super) struct Items {
    stream: SearchStream<'static, String, Vec<String>>,
    id: i32,
}

impl Items {
    /// Sends a search request with these controls alone: neither those of the request nor that of its pages.
    ///
    /// # Errors
    /// Those of a search; the target is the server.
    pub(super) async fn of(request: &Request, controls: Vec<RawControl>, connection: &mut Connection) -> Result<Self> {
        let Request { base, scope, filter, attributes, .. } = request;
        let mut ldap = connection.operation();
        ldap.with_controls(controls);
        match ldap.streaming_search(base, *scope, filter, attributes.clone()).await {
            Ok(mut stream) => {
                let id = stream.ldap_handle().last_id();
                connection.relay().account(id);
                Ok(Self { stream, id })
            }
            Err(error) => Err(connection.failed(error, Doing::Search).await),
        }
    }

    /// The next entry, reference or intermediate message; `None` when the result has come.
    pub(super) async fn next(&mut self, connection: &Connection) -> ldap3::result::Result<Option<ResultEntry>> {
        let next = self.stream.next().await;
        connection.relay().took(self.id);
        next
    }

    /// The result, after the last item.
    pub(super) async fn finish(&mut self) -> LdapResult {
        self.stream.finish().await
    }
}

/// A search under way.
pub(super) struct Search {
    request: Request,
    stream: Option<Items>,
    cookie: Vec<u8>,
    pages: u32,
    empty_pages: u32,
    page_has_entry: bool,
    done: bool,
    /// References to other servers that came along and were left alone (RFC 4511 4.5.3).
    pub(super) referrals: u64,
    /// The result code the search ended with, where it failed by one.
    pub(super) result: u32,
}

impl Search {
    /// A search that begins with the first call of `next`.
    pub(super) fn new(request: Request) -> Self {
        Self {
            request,
            stream: None,
            cookie: Vec::new(),
            pages: 0,
            empty_pages: 0,
            page_has_entry: false,
            done: false,
            referrals: 0,
            result: failure::SUCCESS,
        }
    }

    /// Asks for pages of one entry, where the first is all that is wanted.
    pub(super) fn one_by_one(&mut self) {
        self.request.page_size = 1;
    }

    /// The next entry, complete where the server gives all values; `None` at the end.
    ///
    /// # Errors
    /// Those of a search; the target is the server. After an error the search is over.
    pub(super) async fn next(&mut self, connection: &mut Connection) -> Result<Option<Entry>> {
        while !self.done {
            match self.item(connection).await {
                Ok(Some(mut entry)) => {
                    fetch_ranges(connection, &mut entry).await;
                    return Ok(Some(entry));
                }
                Ok(None) => {}
                Err(error) => {
                    self.done = true;
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    /// One item of the current page; `None` for what is no entry: a reference, a page's beginning or end.
    async fn item(&mut self, connection: &mut Connection) -> Result<Option<Entry>> {
        let Some(stream) = &mut self.stream else {
            self.stream = Some(self.begin(connection).await?);
            return Ok(None);
        };
        match stream.next(connection).await {
            Ok(Some(item)) if item.is_ref() => {
                self.referrals += 1;
                Ok(None)
            }
            Ok(Some(item)) if item.is_intermediate() => Ok(None),
            Ok(Some(item)) => {
                self.page_has_entry = true;
                let entry = entry(item.0).ok_or_else(|| malformed(connection))?;
                Ok(Some(entry))
            }
            Ok(None) => {
                let result = stream.finish().await;
                self.stream = None;
                self.end_of_page(&result, connection)?;
                Ok(None)
            }
            Err(error) => Err(connection.failed(error, Doing::Search).await),
        }
    }

    async fn begin(&mut self, connection: &mut Connection) -> Result<Items> {
        self.pages += 1;
        self.page_has_entry = false;
        let size = i32::try_from(self.request.page_size).unwrap_or(i32::MAX);
        let paged = PagedResults { size, cookie: std::mem::take(&mut self.cookie) };
        let controls = self.request.controls.iter().cloned().chain([paged.into()]).collect();
        Items::of(&self.request, controls, connection).await
    }

    fn end_of_page(&mut self, result: &LdapResult, connection: &Connection) -> Result<()> {
        let incomplete =
            |detail| Err(Error::new(Code::DirectoryIncomplete).with("detail", detail).target(connection.url.clone()));
        self.result = result.rc;
        if result.rc != failure::SUCCESS {
            return Err(failure::of_result(result, Doing::Search).target(connection.url.clone()));
        }
        self.empty_pages = if self.page_has_entry { 0 } else { self.empty_pages + 1 };
        let control = result.ctrls.iter().find(|Control(kind, _)| matches!(kind, Some(ControlType::PagedResults)));
        match control.map(|Control(_, raw)| cookie(raw.val.as_deref().unwrap_or_default())) {
            Some(None) => return Err(malformed(connection)),
            Some(Some(cookie)) if cookie.is_empty() => self.done = true,
            Some(Some(_)) if self.empty_pages > MAX_EMPTY_PAGES => {
                return incomplete("pages without entries, without end");
            }
            Some(Some(cookie)) => self.cookie = cookie,
            // a server without paging sends everything at once and no control
            None if self.pages == 1 => self.done = true,
            None => return incomplete("a page came without saying whether more follow"),
        }
        Ok(())
    }
}

/// A message that cannot be understood.
pub(super) fn malformed(connection: &Connection) -> Error {
    Error::new(Code::DirectoryProtocol).with("detail", "a malformed message").target(connection.url.clone())
}

/// Asks for what the server held back of ranged attributes ([MS-ADTS] 3.1.1.3.1.3.3). What cannot be had stays
/// marked in the entry; a connection that failed shows at the search's next item.
async fn fetch_ranges(connection: &mut Connection, entry: &mut Entry) {
    let incomplete: Vec<String> = entry.incomplete().map(|(name, _)| name.to_owned()).collect();
    for name in incomplete {
        for _ in 0..MAX_RANGES {
            let Some(from) = entry.missing_from(&name) else { break };
            let wanted = vec![format!("{name};range={from}-*")];
            let found = connection.operation().search(&entry.dn, Scope::Base, "(objectClass=*)", wanted).await;
            let answer = found.ok().filter(|found| found.1.rc == failure::SUCCESS);
            let answer = answer.and_then(|found| found.0.into_iter().find_map(|item| self::entry(item.0)));
            if !answer.is_some_and(|answer| entry.continue_range(&name, answer)) {
                break;
            }
        }
    }
}

/// The entry of a SearchResultEntry (RFC 4511 4.5.2); `None` if it is malformed. ldap3's own form of it panics then.
pub(super) fn entry(tag: StructureTag) -> Option<Entry> {
    let text = |tag: StructureTag| String::from_utf8(tag.expect_primitive()?).ok();
    let mut parts = tag.match_id(4)?.expect_constructed()?.into_iter();
    let mut entry = Entry::new(text(parts.next()?)?);
    for attribute in parts.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let description = text(parts.next()?)?;
        let values = parts.next()?.expect_constructed()?;
        let values = values.into_iter().map(StructureTag::expect_primitive).collect::<Option<Vec<_>>>()?;
        if !entry.add(&description, values) {
            return None;
        }
    }
    Some(entry)
}

/// The cookie of a paged results control's value.
fn cookie(value: &[u8]) -> Option<Vec<u8>> {
    let (_, tag) = parse_tag(value).ok()?;
    match tag.expect_constructed()?.into_iter().nth(1)?.payload {
        PL::P(cookie) => Some(cookie),
        PL::C(_) => None,
    }
}

/// One entry by its DN, with these attributes; `None` where there is none to be seen.
///
/// # Errors
/// Those of a search; the target is the server.
pub(super) async fn one(connection: &mut Connection, dn: &str, attributes: &[&str]) -> Result<Option<Entry>> {
    let attributes: Vec<String> = attributes.iter().map(|name| (*name).to_owned()).collect();
    match connection.operation().search(dn, Scope::Base, "(objectClass=*)", attributes).await {
        Ok(found) if found.1.rc == failure::NO_SUCH_OBJECT => Ok(None),
        Ok(found) if found.1.rc != failure::SUCCESS => {
            Err(failure::of_result(&found.1, Doing::Search).target(connection.url.clone()))
        }
        Ok(found) => {
            let mut found = found.0.into_iter().find_map(|item| entry(item.0));
            if let Some(entry) = &mut found {
                fetch_ranges(connection, entry).await;
            }
            Ok(found)
        }
        Err(error) => Err(connection.failed(error, Doing::Search).await),
    }
}
