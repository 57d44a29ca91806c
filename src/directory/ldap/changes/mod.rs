//! What changed on a server: which way it has, the cursor before a complete read, and the read of changes itself.

mod ber;
mod containers;
mod dirsync;
mod feed;
mod server;
mod syncrepl;
mod usn;

use std::collections::{BTreeMap, HashSet};

use ldap3::{LdapResult, Scope};

use crate::config::{self, Changes as Wish};
use crate::directory::identity::Identity;
use crate::directory::name::Name;
use crate::directory::person::{self, ATTRIBUTES};
use crate::directory::selection::{Wanted, person_key};
use crate::directory::{Cursor, Gone, Since, WhyEverybody, filter};
use crate::error::{Code, Result};

use super::connect::Connection;
use super::failure;
use super::people::{Questions, Reading};
use super::search::{Request, Search};
use feed::{Feed, PEOPLE};
use server::Server;

/// People read anew in one search.
const AT_ONCE: usize = 100;
/// Attributes that show memberships, which change without a change of the member.
const MEMBERSHIPS: [&str; 3] = ["memberof", "tokengroups", "msds-memberoftransitive"];

/// `Err` is why changes cannot be read; what fails is an error.
type Way<T> = std::result::Result<T, WhyEverybody>;

/// What a read of changes told besides the people it delivered.
pub(super) struct Told {
    pub(super) gone: Gone,
    pub(super) unseen: Vec<String>,
    pub(super) deletions_show: bool,
    pub(super) cursor: Cursor,
    /// What ended the reading early; the people so far were delivered.
    pub(super) ended: Result<()>,
}

/// The cursor for what changes from now on, to be had before a complete read. Where only time stamps show changes the
/// reading looks for the newest, and [`after`] puts it into the cursor.
///
/// # Errors
/// Those of the connection.
pub(super) async fn begin(connection: &mut Connection, reading: &mut Reading<'_>) -> Result<Way<Cursor>> {
    if let Some(why) = never(reading.config, reading.wanted)? {
        return Ok(Err(why));
    }
    let server = Server::look(connection, reading.wanted).await?;
    let wish = reading.config.changes;
    if server.active_directory {
        return begin_active_directory(connection, &server, wish).await;
    }
    let mut why = WhyEverybody::Unsupported;
    if matches!(wish, Wish::Auto | Wish::Syncrepl) && server.has(syncrepl::REQUEST) {
        match begin_syncrepl(connection, reading, &server).await? {
            Ok(cursor) => return Ok(Ok(cursor)),
            Err(refused) => why = refused,
        }
    }
    if wish != Wish::Auto {
        return Ok(Err(why));
    }
    reading.newest = Some(String::new());
    let containers = containers::list(connection, reading.wanted, &server, page_size(reading.config)).await?;
    Ok(Ok(Cursor::Timestamps { server: server.identity, newest: String::new(), is_over: false, containers }))
}

/// Whether the account sees deleted objects; `None` where the server keeps none that could be seen.
///
/// # Errors
/// Those of the connection.
pub(super) async fn shows_deletions(connection: &mut Connection, wanted: &Wanted) -> Result<Option<bool>> {
    let server = Server::look(connection, wanted).await?;
    if !server.active_directory {
        return Ok(None);
    }
    server.shows_deletions(connection).await.map(Some)
}

/// The cursor of before a complete read after it, when the newest time stamp is known.
pub(super) fn after(reading: &Reading<'_>, begun: Cursor) -> Way<Cursor> {
    match (begun, &reading.newest) {
        (Cursor::Timestamps { server, is_over, containers, .. }, Some(newest)) if !newest.is_empty() => {
            Ok(Cursor::Timestamps { server, newest: newest.clone(), is_over, containers })
        }
        (Cursor::Timestamps { .. }, _) => Err(WhyEverybody::Unsupported),
        (begun, _) => Ok(begun),
    }
}

async fn begin_active_directory(connection: &mut Connection, server: &Server, wish: Wish) -> Result<Way<Cursor>> {
    let (Some(invocation), Some(usn)) = (server.identity.clone(), server.usn) else {
        return Ok(Err(WhyEverybody::Unsupported));
    };
    let mut why = WhyEverybody::Unsupported;
    if matches!(wish, Wish::Auto | Wish::Dirsync)
        && server.has(dirsync::OID)
        && let Some(context) = &server.context
    {
        match dirsync::begin(connection, context).await? {
            Ok((cookie, object_security)) => {
                return Ok(Ok(Cursor::Dirsync { server: invocation, usn, cookie, object_security }));
            }
            Err(refused) => why = refused,
        }
    }
    // numbers are read below the context, too: who moves out of a base is not below it any more
    match (wish, &server.context) {
        (Wish::Auto | Wish::Usn, Some(_)) => Ok(Ok(Cursor::Usn { server: invocation, usn })),
        _ => Ok(Err(why)),
    }
}

async fn begin_syncrepl(connection: &mut Connection, reading: &Reading<'_>, server: &Server) -> Result<Way<Cursor>> {
    // before the people: what moves in between shows the next time
    let containers = containers::list(connection, reading.wanted, server, page_size(reading.config)).await?;
    let questions = Questions::new(connection, reading.config, reading.wanted).await?;
    let mut cookies = Vec::new();
    for base in &reading.wanted.bases {
        // a cookie belongs to its search, so it is this filter's; the entries come with the complete read
        let nothing = ["1.1".to_owned()];
        match syncrepl::refresh(connection, &base.text, questions.filter(), &nothing, None).await {
            Ok(Ok(told)) => cookies.push((base.text.clone(), told.cookie)),
            Ok(Err(why)) => return Ok(Err(why)),
            // the complete read will meet the same limit and say so
            Err(error) if error.code() == Code::DirectoryIncomplete => return Ok(Err(WhyEverybody::Unsupported)),
            Err(error) => return Err(error),
        }
    }
    Ok(Ok(Cursor::Syncrepl { server: server.identity.clone(), cookies, containers }))
}

/// Why this configuration has everybody read every time.
fn never(config: &config::Directory, whole: &Wanted) -> Result<Option<WhyEverybody>> {
    if config.changes == Wish::None {
        return Ok(Some(WhyEverybody::Off));
    }
    let named = filter_attributes(whole)?;
    let membership = |name: &String| MEMBERSHIPS.iter().any(|other| name.eq_ignore_ascii_case(other));
    // who is a member changes without a change of the person
    Ok((config.group.is_some() || named.iter().any(membership)).then_some(WhyEverybody::Selection))
}

fn filter_attributes(whole: &Wanted) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for filter in &whole.filters {
        names.extend(filter::attributes(filter)?);
    }
    Ok(names)
}

/// Reads what changed within `whole`, what the configuration covers, and delivers who is among the reading's wanted.
///
/// # Errors
/// What happens before anybody is delivered, and `cancelled`.
pub(super) async fn read(
    connection: &mut Connection,
    reading: &mut Reading<'_>,
    whole: &Wanted,
    since: &Since,
) -> Result<Way<Told>> {
    if let Some(why) = never(reading.config, whole)? {
        return Ok(Err(why));
    }
    let wish = reading.config.changes;
    let wished = match &since.cursor {
        Cursor::Dirsync { .. } => matches!(wish, Wish::Auto | Wish::Dirsync),
        Cursor::Usn { .. } => matches!(wish, Wish::Auto | Wish::Usn),
        Cursor::Syncrepl { .. } => matches!(wish, Wish::Auto | Wish::Syncrepl),
        Cursor::Timestamps { .. } => wish == Wish::Auto,
        Cursor::File { .. } | Cursor::Several { .. } => false,
    };
    if !wished {
        return Ok(Err(WhyEverybody::OtherMethod));
    }
    let server = Server::look(connection, whole).await?;
    if since.cursor.server() != server.identity.as_deref() {
        return Ok(Err(WhyEverybody::OtherServer));
    }
    match &since.cursor {
        Cursor::Dirsync { usn, cookie, object_security, .. } => {
            let Some(now) = server.usn.filter(|now| now >= usn) else { return Ok(Err(WhyEverybody::Restored)) };
            let Some(context) = &server.context else { return Ok(Err(WhyEverybody::OtherMethod)) };
            let asked = dirsync::Asked {
                context,
                attributes: shown(reading.config, whole)?,
                containers: is_part_of(whole, context),
                object_security: *object_security,
            };
            let (feed, cookie) = match dirsync::since(connection, &asked, cookie).await? {
                Ok(told) => told,
                Err(why) => return Ok(Err(why)),
            };
            let (identity, object_security) = (server.identity.clone().unwrap_or_default(), *object_security);
            let cursor = Cursor::Dirsync { server: identity, usn: now, cookie, object_security };
            // Windows shows tombstones to whoever may replicate
            let shows = (!object_security && !server.samba) || server.shows_deletions(connection).await?;
            Ok(Ok(fed(connection, reading, since, feed, Some(context), shows, cursor).await?))
        }
        Cursor::Usn { usn, .. } => {
            let Some(now) = server.usn.filter(|now| now >= usn) else { return Ok(Err(WhyEverybody::Restored)) };
            let Some(context) = &server.context else { return Ok(Err(WhyEverybody::OtherMethod)) };
            let containers = is_part_of(whole, context);
            let page_size = page_size(reading.config);
            let feed = match usn::since(connection, context, *usn, page_size, containers).await? {
                Ok(feed) => feed,
                Err(why) => return Ok(Err(why)),
            };
            let cursor = Cursor::Usn { server: server.identity.clone().unwrap_or_default(), usn: now };
            let shows = server.shows_deletions(connection).await?;
            Ok(Ok(fed(connection, reading, since, feed, Some(context), shows, cursor).await?))
        }
        Cursor::Syncrepl { cookies, containers, .. } => {
            if !cookies.iter().map(|(base, _)| base).eq(whole.bases.iter().map(|base| &base.text)) {
                return Ok(Err(WhyEverybody::OtherMethod));
            }
            let now = containers::list(connection, whole, &server, page_size(reading.config)).await?;
            match containers::moved(containers, &now) {
                true => Ok(Err(WhyEverybody::ContainerMoved)),
                false => synchronised(connection, reading, whole, since, &server, cookies, now).await,
            }
        }
        Cursor::Timestamps { newest, is_over, containers, .. } => {
            let now = containers::list(connection, whole, &server, page_size(reading.config)).await?;
            if containers::moved(containers, &now) {
                return Ok(Err(WhyEverybody::ContainerMoved));
            }
            let (feed, newest, is_over) = stamped(connection, reading, whole, newest, *is_over).await?;
            let cursor = Cursor::Timestamps { server: server.identity, newest, is_over, containers: now };
            Ok(Ok(fed(connection, reading, since, feed, None, false, cursor).await?))
        }
        Cursor::File { .. } | Cursor::Several { .. } => Ok(Err(WhyEverybody::OtherMethod)),
    }
}

fn page_size(config: &config::Directory) -> u32 {
    config.page_size.unwrap_or(1000)
}

/// Attributes whose change is a change of a person: DirSync tells of no others. `name` shows renames and moves.
fn shown(config: &config::Directory, whole: &Wanted) -> Result<Vec<String>> {
    let mut names: Vec<String> = ATTRIBUTES.iter().map(|name| (*name).to_owned()).collect();
    names.push("name".into());
    names.extend(config.source_anchor.clone());
    names.extend(filter_attributes(whole)?);
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.to_ascii_lowercase()));
    Ok(names)
}

/// Whether the wanted are a part of the context only, so that a moved container can move people in or out.
fn is_part_of(whole: &Wanted, context: &str) -> bool {
    let context = Name::parse(context);
    !whole.bases.iter().any(|base| Some(&base.name) == context.as_ref())
}

/// Reads those anew of whom a feed says that they changed.
async fn fed(
    connection: &mut Connection,
    reading: &mut Reading<'_>,
    since: &Since,
    feed: Feed,
    context: Option<&str>,
    deletions_show: bool,
    cursor: Cursor,
) -> Result<Told> {
    let mut told = Told { gone: Gone::Named(feed.deleted), unseen: Vec::new(), deletions_show, cursor, ended: Ok(()) };
    let questions = Questions::new(connection, reading.config, reading.wanted).await?;
    let missing = match anew(connection, reading, &questions, &feed.changed).await {
        Ok(missing) => missing,
        Err(error) if error.code() == Code::Cancelled => return Err(error),
        Err(error) => return Ok(Told { ended: Err(error), ..told }),
    };
    // who is there and not among the wanted has left; who is not to be seen has only become invisible
    let seen = match visible(connection, &questions, reading, context, &missing).await {
        Ok(seen) => seen,
        Err(error) => return Ok(Told { ended: Err(error), ..told }),
    };
    for identity in missing {
        match &mut told.gone {
            Gone::Named(gone) if seen.contains(&identity) => gone.push(identity),
            _ => told.unseen.push(identity),
        }
    }
    told.ended = besides(connection, reading, &questions, since).await;
    Ok(told)
}

/// Reads who was asked for besides; who is not there any more shows as a change.
async fn besides(
    connection: &mut Connection,
    reading: &mut Reading<'_>,
    questions: &Questions,
    since: &Since,
) -> Result<()> {
    anew(connection, reading, questions, &since.besides).await.map(|_| ())
}

/// Reads these people if they are wanted, and gives those back that were not found.
async fn anew(
    connection: &mut Connection,
    reading: &mut Reading<'_>,
    questions: &Questions,
    identities: &[String],
) -> Result<Vec<String>> {
    let mut found: HashSet<String> = HashSet::new();
    for chunk in identities.chunks(AT_ONCE) {
        let (filter, names) = by_identity(chunk, questions.active_directory());
        let mut searches: Vec<Search> = Vec::new();
        if !filter.is_empty() {
            let filter = format!("(&{}(|{filter}))", questions.filter());
            let bases = reading.wanted.bases.iter();
            searches.extend(bases.map(|base| questions.search(&base.text, Scope::Subtree, filter.clone())));
        }
        searches.extend(names.into_iter().map(|dn| questions.search(dn, Scope::Base, questions.filter().to_owned())));
        for mut search in searches {
            loop {
                match search.next(connection).await {
                    Ok(Some(entry)) => {
                        found.insert(person::identity(&entry));
                        if !reading.hand_on(&entry).await? {
                            return Ok(Vec::new());
                        }
                    }
                    Ok(None) => break,
                    Err(_) if search.result == failure::NO_SUCH_OBJECT => break,
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(identities.iter().filter(|identity| !found.contains(*identity)).cloned().collect())
}

/// Which of these exist for this account, wanted or not.
async fn visible(
    connection: &mut Connection,
    questions: &Questions,
    reading: &Reading<'_>,
    context: Option<&str>,
    identities: &[String],
) -> Result<HashSet<String>> {
    let bases: Vec<String> = match context {
        Some(context) => vec![context.to_owned()],
        None => reading.wanted.bases.iter().map(|base| base.text.clone()).collect(),
    };
    let mut found = HashSet::new();
    for chunk in identities.chunks(AT_ONCE) {
        let (filter, _) = by_identity(chunk, questions.active_directory());
        if filter.is_empty() {
            continue;
        }
        for base in &bases {
            let mut search = Search::new(Request {
                base: base.clone(),
                scope: Scope::Subtree,
                filter: format!("(|{filter})"),
                attributes: vec!["objectGUID".into(), "entryUUID".into()],
                page_size: 1000,
                controls: Vec::new(),
            });
            while let Some(entry) = search.next(connection).await? {
                found.insert(person::identity(&entry));
            }
        }
    }
    Ok(found)
}

/// Filters for the identities that are GUIDs, one behind the other, and those that are DNs.
fn by_identity(identities: &[String], active_directory: bool) -> (String, Vec<&str>) {
    let (mut filter, mut names) = (String::new(), Vec::new());
    for text in identities {
        match Identity::new(text).filter(active_directory) {
            Some(part) => filter.push_str(&part),
            None => names.push(text.as_str()),
        }
    }
    (filter, names)
}

async fn synchronised(
    connection: &mut Connection,
    reading: &mut Reading<'_>,
    whole: &Wanted,
    since: &Since,
    server: &Server,
    cookies: &[(String, Vec<u8>)],
    containers: BTreeMap<String, bool>,
) -> Result<Way<Told>> {
    // a cookie belongs to its search, so a caller's selection comes after it
    let questions = Questions::new(connection, reading.config, whole).await?;
    let mut entries = Vec::new();
    let (mut deleted, mut present, mut phases, mut next) = (Vec::new(), HashSet::new(), 0, Vec::new());
    for (base, cookie) in cookies {
        match syncrepl::refresh(connection, base, questions.filter(), questions.attributes(), Some(cookie)).await? {
            Ok(mut told) => {
                entries.append(&mut told.entries);
                deleted.append(&mut told.deleted);
                if let Some(there) = told.present {
                    present.extend(there);
                    phases += 1;
                }
                next.push((base.clone(), told.cookie));
            }
            Err(why) => return Ok(Err(why)),
        }
    }
    // one base's list of who is there says nothing of another's
    if phases != 0 && phases != cookies.len() {
        return Ok(Err(WhyEverybody::Refused));
    }
    let changed: HashSet<String> = entries.iter().map(person::identity).collect();
    let gone = if phases == 0 {
        Gone::Named(deleted.into_iter().filter(|identity| !changed.contains(identity)).collect())
    } else {
        Gone::AllBut(present.iter().chain(&changed).map(|identity| person_key(identity)).collect())
    };
    let cursor = Cursor::Syncrepl { server: server.identity.clone(), cookies: next, containers };
    let mut told = Told { gone, unseen: Vec::new(), deletions_show: true, cursor, ended: Ok(()) };
    let questions = Questions::new(connection, reading.config, reading.wanted).await?;
    if reading.is_selected {
        let changed: Vec<String> = changed.into_iter().collect();
        told.ended = anew(connection, reading, &questions, &changed).await.map(|_| ());
    } else {
        for entry in &entries {
            if !reading.hand_on(entry).await? {
                break;
            }
        }
    }
    if told.ended.is_ok() {
        told.ended = besides(connection, reading, &questions, since).await;
    }
    Ok(Ok(told))
}

/// Who has a time stamp since the newest one of the last read, the newest now, and whether its second is over.
async fn stamped(
    connection: &mut Connection,
    reading: &Reading<'_>,
    whole: &Wanted,
    newest: &str,
    is_over: bool,
) -> Result<(Feed, String, bool)> {
    let mut feed = Feed::default();
    let mut latest = newest.to_owned();
    for base in &whole.bases {
        let mut search = Search::new(Request {
            base: base.text.clone(),
            scope: Scope::Subtree,
            // the filters are not asked, so that who no longer matches them shows
            filter: format!("(&(modifyTimestamp>={newest}Z){PEOPLE})"),
            attributes: vec!["entryUUID".into(), "modifyTimestamp".into()],
            page_size: page_size(reading.config),
            controls: Vec::new(),
        });
        while let Some(entry) = search.next(connection).await? {
            let stamp = super::people::stamp(&entry).unwrap_or_default();
            // a second that was over at the last read was read to its end
            if is_over && stamp == newest {
                continue;
            }
            if stamp > latest {
                latest.clone_from(&stamp);
            }
            feed.changed.push(person::identity(&entry));
        }
    }
    // a read that began in the newest second may have missed its rest; one that comes later has not
    let is_over = latest == newest;
    Ok((feed, latest, is_over))
}

/// Whether a server's answer is a refusal that a complete read can make good for.
fn is_refusal(result: &LdapResult) -> bool {
    let meaning = failure::of_result(result, failure::Doing::Search);
    !matches!(meaning.code(), Code::DirectoryUnreachable | Code::DirectoryIncomplete)
}
