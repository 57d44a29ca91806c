//! Who changed in several directories, united by person with what the others hold.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use futures_util::future::join_all;
use tokio::sync::mpsc::Sender;

use crate::config;
use crate::directory::changes::Part;
use crate::directory::{
    ChangeReport, Changes, Cursor, Gone, ReadReport, Selection, Since, WhyEverybody, incomplete, labels, scope,
};
use crate::error::{Code, Error, Result};
use crate::people::{Group, Person, UnitingKey, groups, merge, uniting_keys};
use crate::text::Culture;

use super::news::{self, News};
use super::roster::{Known, Roster};
use super::{Chosen, chosen, concerns_one_server};

/// Reads who changed since the cursors of all directories. Of every person an entry of whom changed, in whichever directory,
/// the other entries are read as well, so that nothing they hold is lost; and so is who was or may now be united with them.
///
/// A directory that cannot tell of its changes is read to its end and compared, the others are not. One that cannot be
/// reached makes the whole incomplete: people with an entry there have what the others hold, and nobody is gone.
///
/// # Errors
/// What keeps every directory from being read; `cancelled`.
pub(in crate::directory) async fn read_changes(
    directories: &[&config::Directory],
    base_dir: Option<&Path>,
    selection: &Selection,
    since: &Since,
    sink: Sender<Person>,
) -> Result<Changes> {
    let Cursor::Several { directories: parts } = &since.cursor else {
        return Ok(Changes::Everybody(WhyEverybody::OtherMethod));
    };
    // their order says which entry gives a person its identity
    if !parts.iter().map(|part| part.scope.clone()).eq(directories.iter().map(|directory| scope(directory))) {
        return Ok(Changes::Everybody(WhyEverybody::OtherMethod));
    }
    let chosen = match *selection == Selection::default() {
        true => None,
        false => Some(who(directories, base_dir, selection).await?),
    };
    let mut sides = match sides(directories, base_dir, parts).await? {
        Ok(sides) => sides,
        Err(why) => return Ok(Changes::Everybody(why)),
    };
    let touched = touched(&mut sides, base_dir, &since.besides).await?;
    let (united, gone) = united(&mut sides, &touched);
    let failure = sides.iter().find_map(|side| side.failed.clone());
    let mut read = ReadReport { complete: failure.is_none(), ..ReadReport::default() };
    read.incomplete_reason = failure.map(incomplete);
    for Whole { mut person, parts } in united {
        if chosen.as_ref().is_some_and(|chosen| !parts.iter().any(|part| chosen.contains(part))) {
            continue;
        }
        if selection.limit.is_some_and(|limit| read.people >= limit) {
            (read.limit_reached, read.complete) = (true, false);
            break;
        }
        // what an unread directory holds is not gone
        person.complete &= read.incomplete_reason.is_none();
        person.parts = parts;
        sink.send(person).await.map_err(|_| Error::new(Code::Cancelled))?;
        read.people += 1;
    }
    let names = labels(directories);
    let mut told = ChangeReport {
        read,
        gone: Gone::Named(if chosen.is_some() { Vec::new() } else { gone }),
        unseen: Vec::new(),
        deletions_show: sides.iter().all(|side| side.failed.is_some() || side.news.deletions_show),
        reread: Vec::new(),
    };
    let mut next = Vec::with_capacity(sides.len());
    for (side, name) in sides.into_iter().zip(names) {
        let Side { part, news, entries, .. } = side;
        told.unseen.extend(news.unseen);
        told.reread.extend(news.everybody.filter(|why| *why != WhyEverybody::Off).map(|why| (name, why)));
        told.read.referrals += news.report.referrals;
        told.read.replaced.extend(news.report.replaced);
        told.read.server = told.read.server.or(news.report.server);
        next.push(Part { scope: part.scope.clone(), cursor: news.report.cursor, entries });
    }
    told.read.cursor = Some(Cursor::Several { directories: next });
    Ok(Changes::Read(Box::new(told)))
}

/// Who is selected by what any of the directories says; that nobody of a name is there is no error.
async fn who(
    directories: &[&config::Directory],
    base_dir: Option<&Path>,
    selection: &Selection,
) -> Result<HashSet<(usize, String)>> {
    match chosen(directories, base_dir, selection).await {
        Ok(Chosen { people, .. }) => Ok(people),
        Err(error) if matches!(error.code(), Code::DirectoryNotFound | Code::DirectoryAmbiguous) => Ok(HashSet::new()),
        Err(error) => Err(error),
    }
}

/// One of the directories, and how far it is known.
struct Side<'a> {
    directory: &'a config::Directory,
    part: &'a Part,
    /// All it told so far.
    news: News,
    /// What keeps it from being asked more.
    failed: Option<Error>,
    /// Identities that are remembered and could not be read.
    unreadable: HashSet<String>,
    /// What is remembered of it from now on.
    entries: Roster,
}

impl Side<'_> {
    /// What is still to be asked of an entry that matters.
    fn lacks(&self, identity: &str) -> bool {
        let news = &self.news;
        !(news.content.contains_key(identity) || news.gone.contains(identity) || self.unreadable.contains(identity))
    }

    /// The keys an entry had and has.
    fn keys(&self, identity: &str) -> Vec<UnitingKey> {
        let before = self.part.entries.of(identity).iter().flat_map(Known::keys);
        let now = self.news.content.get(identity).into_iter().flatten().flat_map(uniting_keys);
        before.chain(now).collect()
    }

    /// Asks for identities, and for what changed meanwhile; gives those that changed.
    async fn ask(&mut self, base_dir: Option<&Path>, asked: HashSet<String>) -> Result<Vec<String>> {
        // of a directory that was read to its end there is nothing more to know
        let cursor = self.news.report.cursor.clone().filter(|_| self.failed.is_none() && self.news.everybody.is_none());
        let mut changed = Vec::new();
        if let Some(cursor) = cursor {
            match news::since(self.directory, base_dir, &self.part.entries, cursor, &asked).await {
                Ok(Ok(told)) => changed = self.take(told),
                Ok(Err(why)) => {
                    let detail = why.text().render(Culture::English);
                    self.fail(Error::new(Code::DirectoryIncomplete).with("detail", detail));
                }
                Err(error) if concerns_one_server(&error) => self.fail(error),
                Err(error) => return Err(error),
            }
        }
        let lacking: Vec<_> = asked.into_iter().filter(|identity| self.lacks(identity)).collect();
        self.unreadable.extend(lacking);
        Ok(changed)
    }

    fn take(&mut self, told: News) -> Vec<String> {
        let news = &mut self.news;
        told.gone.iter().for_each(|identity| _ = news.content.remove(identity));
        news.gone.retain(|identity| !told.content.contains_key(identity));
        let changed = told.changed.into_iter().chain(told.gone.iter().cloned()).collect();
        news.gone.extend(told.gone);
        news.content.extend(told.content);
        news.unseen.extend(told.unseen);
        news.report = told.report;
        if let Some(error) = self.news.report.incomplete_reason.clone() {
            self.fail(error);
        }
        changed
    }

    fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
    }
}

/// Asks every directory for what changed, and reads those to their end that cannot tell. `Err` within where that is all.
async fn sides<'a>(
    directories: &[&'a config::Directory],
    base_dir: Option<&Path>,
    parts: &'a [Part],
) -> Result<std::result::Result<Vec<Side<'a>>, WhyEverybody>> {
    let nobody = HashSet::new();
    let first = directories.iter().zip(parts).map(async |(directory, part)| match &part.cursor {
        _ if directory.changes == config::Changes::None => Ok(Err(WhyEverybody::Off)),
        None => Ok(Err(WhyEverybody::NoCursor)),
        Some(cursor) => news::since(directory, base_dir, &part.entries, cursor.clone(), &nobody).await,
    });
    let first = join_all(first).await;
    let whys: Vec<_> = first.iter().filter_map(|told| told.as_ref().ok()?.as_ref().err().copied()).collect();
    if let (Some(why), true) = (whys.first(), whys.len() == directories.len()) {
        return Ok(Err(*why));
    }
    let all = directories.iter().zip(parts).zip(first).map(async |((directory, part), told)| match told {
        Ok(Err(why)) => news::everybody(directory, base_dir, &part.entries, why).await,
        Ok(Ok(news)) => Ok(news),
        Err(error) => Err(error),
    });
    let mut sides = Vec::with_capacity(directories.len());
    for ((directory, part), told) in directories.iter().zip(parts).zip(join_all(all).await) {
        let (news, failed) = match told {
            Ok(news) => (news, None),
            Err(error) if concerns_one_server(&error) => (News::default(), Some(error)),
            Err(error) => return Err(error),
        };
        let failed = failed.or_else(|| news.report.incomplete_reason.clone());
        let (unreadable, entries) = (HashSet::new(), Roster::default());
        sides.push(Side { directory, part, news, failed, unreadable, entries });
    }
    // a directory that told something before it failed is worth more than an error
    let is_down = |side: &Side<'_>| side.failed.is_some() && side.news.content.is_empty();
    match sides.iter().all(is_down).then(|| sides.first().and_then(|side| side.failed.clone())).flatten() {
        Some(error) => Err(error),
        None => Ok(Ok(sides)),
    }
}

/// Every entry whose person may be another one than before, by directory and identity: those that changed, and whatever
/// shares a key with one of these, before or now. Of all of them it is known when this returns what they hold, or that they
/// cannot be read.
async fn touched(
    sides: &mut [Side<'_>],
    base_dir: Option<&Path>,
    besides: &[String],
) -> Result<BTreeSet<(usize, String)>> {
    let mut touched = BTreeSet::new();
    let mut waiting: Vec<(usize, String)> = Vec::new();
    for (number, side) in sides.iter().enumerate() {
        let known = besides.iter().filter(|identity| !side.part.entries.of(identity).is_empty());
        let all = side.news.changed.iter().chain(&side.news.gone).chain(known);
        waiting.extend(all.map(|identity| (number, identity.clone())));
    }
    if waiting.is_empty() {
        return Ok(touched);
    }
    let index = Index::of(sides);
    let mut followed: HashSet<UnitingKey> = HashSet::new();
    loop {
        while let Some((number, identity)) = waiting.pop() {
            if touched.contains(&(number, identity.clone())) {
                continue;
            }
            for key in sides[number].keys(&identity) {
                if followed.insert(key) {
                    waiting.extend(index.entries(sides, &key));
                }
            }
            // a DN of two directories names two people, whom the store knows by one identity
            let namesakes = sides.iter().enumerate().filter(|(_, side)| !side.part.entries.of(&identity).is_empty());
            waiting.extend(namesakes.map(|(other, _)| (other, identity.clone())).filter(|(other, _)| *other != number));
            touched.insert((number, identity));
        }
        let mut asked: Vec<HashSet<String>> = vec![HashSet::new(); sides.len()];
        for (number, identity) in touched.iter().filter(|(number, identity)| sides[*number].lacks(identity)) {
            asked[*number].insert(identity.clone());
        }
        if asked.iter().all(HashSet::is_empty) {
            return Ok(touched);
        }
        let asking = sides.iter_mut().zip(&asked).map(async |(side, asked)| match asked.is_empty() {
            true => Ok(Vec::new()),
            false => side.ask(base_dir, asked.clone()).await,
        });
        for (number, changed) in join_all(asking).await.into_iter().enumerate() {
            // what was read just now may have other keys than it had
            for identity in changed?.into_iter().chain(asked[number].iter().cloned()) {
                touched.remove(&(number, identity.clone()));
                waiting.push((number, identity));
            }
        }
    }
}

/// Which remembered entries have a key.
struct Index(Vec<(UnitingKey, usize, usize)>);

impl Index {
    fn of(sides: &[Side<'_>]) -> Self {
        let entries = |(number, side): (usize, &Side<'_>)| {
            let places = side.part.entries.entries().iter().enumerate();
            places.flat_map(|(place, known)| known.keys().map(move |key| (key, number, place))).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = sides.iter().enumerate().flat_map(entries).collect();
        all.sort_unstable();
        Self(all)
    }

    fn entries(&self, sides: &[Side<'_>], key: &UnitingKey) -> Vec<(usize, String)> {
        let start = self.0.partition_point(|(other, ..)| other < key);
        let same = self.0.iter().skip(start).take_while(|(other, ..)| other == key);
        let identity = |number: usize, place: usize| {
            let known = sides.get(number)?.part.entries.entries().get(place)?;
            Some((number, known.identity.clone()))
        };
        same.filter_map(|(_, number, place)| identity(*number, *place)).collect()
    }
}

/// A person of what the directories hold now.
struct Whole {
    person: Person,
    /// The directories' numbers, and the identities there.
    parts: Vec<(usize, String)>,
}

/// The people of the touched entries as they are now, and the identities of those they were who are nobody now. What is
/// remembered of each directory is made anew.
fn united(sides: &mut [Side<'_>], touched: &BTreeSet<(usize, String)>) -> (Vec<Whole>, Vec<String>) {
    struct Entry {
        identity: String,
        person: Option<Person>,
        keys: Vec<UnitingKey>,
    }
    let mut now: Vec<Vec<Entry>> = Vec::with_capacity(sides.len());
    let mut before: Vec<Vec<Known>> = Vec::with_capacity(sides.len());
    for (number, side) in sides.iter_mut().enumerate() {
        let of_side: HashMap<&str, ()> =
            touched.iter().filter(|(other, _)| *other == number).map(|(_, identity)| (identity.as_str(), ())).collect();
        let (old, kept): (Vec<Known>, Vec<Known>) = side
            .part
            .entries
            .entries()
            .iter()
            .cloned()
            .partition(|known| of_side.contains_key(known.identity.as_str()));
        let mut entries = Vec::new();
        let mut known = kept;
        for (_, identity) in touched.iter().filter(|(other, _)| *other == number) {
            match side.news.content.remove(identity) {
                Some(people) => entries.extend(people.into_iter().map(|person| {
                    known.push(Known::of(&person));
                    Entry { identity: identity.clone(), keys: uniting_keys(&person), person: Some(person) }
                })),
                None if side.unreadable.contains(identity) => {
                    let left = side.part.entries.of(identity).iter().cloned();
                    entries.extend(left.map(|entry| {
                        known.push(entry.clone());
                        Entry { keys: entry.keys().collect(), identity: entry.identity, person: None }
                    }));
                }
                None => {}
            }
        }
        side.entries = known.into_iter().collect();
        now.push(entries);
        before.push(old);
    }
    let keys: Vec<Vec<_>> =
        now.iter().map(|entries| entries.iter().map(|entry| entry.keys.clone()).collect()).collect();
    let mut still: HashSet<String> = HashSet::new();
    let mut people = Vec::new();
    for Group { places, is_clear } in groups(&keys) {
        let mut parts = Vec::with_capacity(places.len());
        let (mut whole, mut is_complete): (Option<Person>, bool) = (None, is_clear);
        for (directory, place) in places {
            let Some(entry) = now.get_mut(directory).and_then(|entries| entries.get_mut(place)) else { continue };
            parts.push((directory, entry.identity.clone()));
            match (entry.person.take(), whole.take()) {
                (Some(person), Some(first)) => whole = Some(merge(first, person)),
                (Some(person), None) => whole = Some(person),
                (None, first) => (whole, is_complete) = (first, false),
            }
        }
        let Some((_, identity)) = parts.first().cloned() else { continue };
        still.insert(identity.clone());
        people.extend(whole.map(|person| {
            // a person keeps the name of an entry that cannot be read just now
            let complete = person.complete && is_complete;
            Whole { person: Person { identity, complete, ..person }, parts }
        }));
    }
    let keys: Vec<Vec<_>> =
        before.iter().map(|known| known.iter().map(|entry| entry.keys().collect()).collect()).collect();
    let first = |group: Group| {
        let (directory, place) = group.places.first()?;
        Some(before.get(*directory)?.get(*place)?.identity.clone())
    };
    let were = groups(&keys).into_iter().filter_map(first);
    let gone: BTreeSet<String> = were.filter(|identity| !still.contains(identity)).collect();
    (people, gone.into_iter().collect())
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
