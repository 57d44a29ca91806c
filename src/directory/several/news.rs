//! What one of several directories tells: who changed, or everybody, held against what is remembered of it.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use tokio::sync::mpsc;

use crate::config;
use crate::directory::{
    Changes, Cursor, Gone, ReadReport, Selection, Since, WhyEverybody, person_key, read_and_mark, read_changes,
};
use crate::error::Result;
use crate::people::{Person, PersonDigest, digest};

use super::WAITING;
use super::roster::Roster;

/// What a directory told.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Entries by identity, as they are now: with all of each identity. Everybody's if everybody was read.
    pub(super) content: HashMap<String, Vec<Person>>,
    /// Identities whose entries are others than those remembered.
    pub(super) changed: Vec<String>,
    /// Identities remembered that are gone.
    pub(super) gone: HashSet<String>,
    /// Identities that changed and that the account does not see.
    pub(super) unseen: Vec<String>,
    /// Whether deletions show.
    pub(super) deletions_show: bool,
    /// Why everybody was read, if everybody was.
    pub(super) everybody: Option<WhyEverybody>,
    /// How the read ended, with the next cursor.
    pub(super) report: ReadReport,
}

/// Asks for what changed since a cursor, and for these identities besides.
///
/// # Errors
/// Those of reading changes; `Err` within where everybody has to be read.
pub(super) async fn since(
    directory: &config::Directory,
    base_dir: Option<&Path>,
    roster: &Roster,
    cursor: Cursor,
    asked: &HashSet<String>,
) -> Result<std::result::Result<News, WhyEverybody>> {
    let since = Since { cursor, besides: asked.iter().cloned().collect() };
    let (sink, mut source) = mpsc::channel::<Person>(WAITING);
    let taking = async {
        let mut content: HashMap<String, Vec<Person>> = HashMap::new();
        let mut any = false;
        while let Some(person) = source.recv().await {
            any = true;
            if asked.contains(&person.identity) || is_changed(roster, &person) {
                content.entry(person.identity.clone()).or_default().push(person);
            }
        }
        (content, any)
    };
    let everybody = Selection::default();
    let reading = Box::pin(read_changes(directory, base_dir, &everybody, &since, sink));
    let (changes, (mut content, any)) = tokio::join!(reading, taking);
    let told = match changes? {
        Changes::Everybody(why) => return Ok(Err(why)),
        Changes::Read(told) => *told,
    };
    let gone: HashSet<String> = match &told.gone {
        _ if !told.read.complete => HashSet::new(),
        Gone::Named(identities) => identities.iter().filter(|it| !roster.of(it).is_empty()).cloned().collect(),
        Gone::AllBut(there) => absent(roster, |identity| there.contains(&person_key(identity))),
    };
    let gone = gone.into_iter().filter(|identity| !content.contains_key(identity)).collect::<HashSet<_>>();
    // of two entries with one identity the other may not have changed: they are asked for together
    let mut changed: HashSet<String> = content.keys().cloned().collect();
    if any || matches!(told.gone, Gone::AllBut(_)) {
        changed.extend(roster.repeated().filter(|identity| !gone.contains(*identity)).map(str::to_owned));
    }
    let is_part = |identity: &String, people: &[Person]| {
        !asked.contains(identity) && (roster.of(identity).len() > 1 || people.iter().any(is_repeated))
    };
    content.retain(|identity, people| !is_part(identity, people));
    Ok(Ok(News {
        content,
        changed: changed.into_iter().collect(),
        gone,
        unseen: told.unseen,
        deletions_show: told.deletions_show,
        everybody: None,
        report: told.read,
    }))
}

/// Reads everybody and compares.
///
/// # Errors
/// Those of a complete read.
pub(super) async fn everybody(
    directory: &config::Directory,
    base_dir: Option<&Path>,
    roster: &Roster,
    why: WhyEverybody,
) -> Result<News> {
    let (sink, mut source) = mpsc::channel::<Person>(WAITING);
    let taking = async {
        let mut content: HashMap<String, Vec<Person>> = HashMap::new();
        while let Some(person) = source.recv().await {
            content.entry(person.identity.clone()).or_default().push(person);
        }
        content
    };
    let everybody = Selection::default();
    let (report, content) = tokio::join!(read_and_mark(directory, base_dir, &everybody, true, None, sink), taking);
    let report = report?;
    let is_other = |(identity, people): &(&String, &Vec<Person>)| {
        let known: HashSet<PersonDigest> = roster.of(identity).iter().map(|entry| entry.digest).collect();
        let now: HashSet<PersonDigest> = people.iter().map(digest).collect();
        people.len() != roster.of(identity).len() || now != known
    };
    let changed = content.iter().filter(is_other).map(|(identity, _)| identity.clone()).collect();
    let gone = match report.complete {
        true => absent(roster, |identity| content.contains_key(identity)),
        false => HashSet::new(),
    };
    let everybody = Some(why);
    Ok(News { content, changed, gone, unseen: Vec::new(), deletions_show: true, everybody, report })
}

fn is_changed(roster: &Roster, person: &Person) -> bool {
    match roster.of(&person.identity) {
        [known] => known.digest != digest(person),
        _ => true,
    }
}

fn is_repeated(person: &Person) -> bool {
    person.problems.iter().any(|problem| problem.code == "duplicate_entry")
}

/// Identities remembered that are not there.
fn absent(roster: &Roster, is_there: impl Fn(&str) -> bool) -> HashSet<String> {
    let identities = roster.entries().iter().map(|entry| entry.identity.as_str());
    identities.filter(|identity| !is_there(identity)).map(str::to_owned).collect()
}
