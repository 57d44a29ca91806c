//! Who changed in the directory since the watermark, held against what the store knows.

use std::collections::HashSet;

use tokio::sync::mpsc;

use crate::config::{Config, LogLevel};
use crate::directory::{self, Changes, Cursor, Gone, ReadReport, Selection, Since, WhyEverybody, person_key};
use crate::error::{Code, Error, Result};
use crate::people::{Person, digest};
use crate::store::Store;
use crate::text::{Culture, Text};

use super::Observer;

/// People that wait between the directory and memory.
const WAITING: usize = 256;

/// What a read of changes told besides the people who changed.
#[derive(Debug, Default)]
pub struct Delta {
    /// How many people were handed on.
    pub changed: usize,
    /// Identities of people the store knows who are gone.
    pub gone: Vec<String>,
    /// Identities that changed and that the account does not see.
    pub unseen: Vec<String>,
    /// Whether deletions show.
    pub deletions_show: bool,
    /// Of several directories those that were read to their end all the same, by name, and why.
    pub reread: Vec<(String, WhyEverybody)>,
    /// How the read ended, with the next cursor.
    pub report: ReadReport,
}

impl Delta {
    /// Says how many there are, what of them did not show, and where more was read than what changed.
    pub async fn announce(&self, observer: &dyn Observer, culture: Culture) {
        let count = vec![("count", self.changed.to_string())];
        observer.event(LogLevel::Info, Code::PeopleRead, count).await;
        for (directory, why) in &self.reread {
            let parameters = vec![("directory", directory.clone()), ("why", why.text().render(culture))];
            let detail = Text::new("changes", "one_of_several", parameters).render(culture);
            observer.event(LogLevel::Warn, Code::EverybodyRead, vec![("detail", detail)]).await;
        }
        if !self.deletions_show {
            observer.event(LogLevel::Warn, Code::DeletionsUnseen, Vec::new()).await;
        }
    }
}

/// Reads what changed, and hands on those of whom anything is other than the store knows, and those asked for besides;
/// `Err` within where everybody has to be read instead, whoever was handed on.
///
/// # Errors
/// Those of the directory and of the store, and those of `take`.
pub async fn delta(
    store: &Store,
    config: &Config,
    selection: &Selection,
    cursor: Cursor,
    besides: Vec<String>,
    step: impl Fn(),
    mut take: impl FnMut(Person) -> Result<()>,
) -> Result<std::result::Result<Delta, WhyEverybody>> {
    let scope = directory::scope_of(config)?;
    let wanted: HashSet<String> = besides.iter().cloned().collect();
    let since = Since { cursor, besides };
    let (sink, source) = mpsc::channel::<Person>(WAITING);
    let reading = directory::read_changes_of(config, selection, &since, sink);
    let taking = async {
        // given up on a failure, so that nobody waits for it to be emptied
        let mut source = source;
        let (mut changed, mut there, mut tombstones) = (0, HashSet::new(), Vec::new());
        while let Some(person) = source.recv().await {
            step();
            if person.deleted {
                // a tombstone that is an entry of its own
                tombstones.push(person.identity);
            } else if wanted.contains(&person.identity) || is_changed(store, &scope, &person)? {
                changed += 1;
                there.insert(person.identity.clone());
                take(person)?;
            }
        }
        Ok::<_, Error>((changed, there, tombstones))
    };
    let (changes, met) = tokio::join!(reading, taking);
    let (changed, there, tombstones) = met?;
    let told = match changes? {
        Changes::Everybody(why) => return Ok(Err(why)),
        Changes::Read(told) => *told,
    };
    let mut gone = match told.gone {
        _ if !told.read.complete => Vec::new(),
        Gone::Named(identities) => known_of(store, &scope, identities)?,
        Gone::AllBut(left) => {
            let gone = store.vanished(&scope, |identity| left.contains(&person_key(identity)))?;
            gone.into_iter().map(|gone| gone.identity).collect()
        }
    };
    gone.extend(known_of(store, &scope, tombstones)?);
    gone.retain(|identity| !there.contains(identity));
    gone.sort();
    gone.dedup();
    let (unseen, deletions_show) = (told.unseen, told.deletions_show);
    Ok(Ok(Delta { changed, gone, unseen, deletions_show, reread: told.reread, report: told.read }))
}

fn is_changed(store: &Store, scope: &str, person: &Person) -> Result<bool> {
    // two entries with one identity have to be seen together
    if person.problems.iter().any(|problem| problem.code == "duplicate_entry") {
        return Ok(true);
    }
    let known = store.known_person(scope, &person.identity)?;
    Ok(known.and_then(|known| known.digest) != Some(digest(person)))
}

fn known_of(store: &Store, scope: &str, identities: Vec<String>) -> Result<Vec<String>> {
    let mut known = Vec::new();
    for identity in identities {
        if store.known_person(scope, &identity)?.is_some() {
            known.push(identity);
        }
    }
    Ok(known)
}
