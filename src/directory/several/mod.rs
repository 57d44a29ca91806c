//! Several directories in one read: everybody of each, or who changed, united by person.

mod apart;
mod aside;
mod changes;
mod news;
mod roster;

use std::collections::HashSet;
use std::path::Path;

use futures_util::future::join_all;
use tokio::sync::mpsc::{self, Sender};

use crate::config;
use crate::error::{Category, Code, Error, Result};
use crate::people::{Person, groups};

use super::changes::Part;
use super::{Cursor, ReadReport, Selection, incomplete, read_and_mark, scope};

pub(super) use apart::read_apart;
use aside::{Aside, Entries};
pub(super) use changes::read_changes;
pub use roster::{Known, Roster};

/// People that wait between one directory and where they are set aside.
const WAITING: usize = 256;

/// Reads the selected people of several directories, each person once, with the values of all.
///
/// A selection says who is delivered and not what is read: a person selected by what one directory says has what the
/// others hold as well. What cannot be read of one directory makes the whole incomplete. With `cursor`, what changes from
/// then on can be read afterwards: of each directory that can tell of changes, of the others by comparison.
///
/// # Errors
/// As of one directory; what keeps every directory from being read.
pub(super) async fn read_united(
    directories: &[&config::Directory],
    base_dir: Option<&Path>,
    selection: &Selection,
    cursor: bool,
    sink: Sender<Person>,
) -> Result<ReadReport> {
    let everybody = Selection::default();
    let chosen = match *selection == everybody {
        true => None,
        false => Some(chosen(directories, base_dir, selection).await?),
    };
    let mut report = ReadReport { complete: true, ..ReadReport::default() };
    let mut lists = Vec::with_capacity(directories.len());
    let aside = Aside::new()?;
    let mut failures = Vec::new();
    let mut parts = Vec::new();
    let reads = directories.iter().map(async |directory| {
        let (mut entries, mut known) = (Entries::default(), Vec::new());
        let take = |person: Person| {
            known.extend(cursor.then(|| Known::of(&person)));
            aside.add(&mut entries, person)
        };
        let read = read_one(directory, base_dir, &everybody, cursor, take).await;
        (entries, known, read)
    });
    for (directory, (entries, known, outcome)) in directories.iter().zip(join_all(reads).await) {
        let (entries, known, read) = match outcome {
            Ok(read) => (entries, known, read),
            Err(error) if concerns_one_server(&error) => {
                failures.push(error.clone());
                let read = ReadReport { incomplete_reason: Some(incomplete(error)), ..ReadReport::default() };
                (Entries::default(), Vec::new(), read)
            }
            Err(error) => return Err(error),
        };
        report.complete &= read.complete;
        report.incomplete_reason = report.incomplete_reason.or(read.incomplete_reason);
        report.referrals += read.referrals;
        report.replaced.extend(read.replaced);
        report.server = report.server.or(read.server);
        report.no_cursor = report.no_cursor.or(read.no_cursor);
        if cursor {
            let entries = known.into_iter().collect();
            parts.push(Part { scope: scope(directory), cursor: read.cursor, entries });
        }
        lists.push(entries);
    }
    // where one directory can tell of changes, the others are compared with what they held
    if report.complete && parts.iter().any(|part| part.cursor.is_some()) {
        report.cursor = Some(Cursor::Several { directories: parts });
        report.no_cursor = None;
    }
    if let (true, Some(first)) = (failures.len() == directories.len(), failures.into_iter().next()) {
        return Err(first);
    }
    let (chosen, unresolved) = chosen.map_or((None, Vec::new()), |chosen| (Some(chosen.people), chosen.unresolved));
    report.unresolved = unresolved;
    let keys: Vec<_> = lists.iter_mut().map(|entries| std::mem::take(&mut entries.keys)).collect();
    for group in groups(&keys) {
        let Some(mut person) = aside.united(&lists, &group)? else { continue };
        let is_chosen = chosen.as_ref().is_none_or(|chosen| person.parts.iter().any(|part| chosen.contains(part)));
        if !is_chosen {
            continue;
        }
        if selection.limit.is_some_and(|limit| report.people >= limit) {
            (report.limit_reached, report.complete) = (true, false);
            break;
        }
        // what an unread directory holds is not gone
        person.complete &= report.incomplete_reason.is_none();
        sink.send(person).await.map_err(|_| Error::new(Code::Cancelled))?;
        report.people += 1;
    }
    Ok(report)
}

/// Who is selected: the directory's number and the identity there.
struct Chosen {
    people: HashSet<(usize, String)>,
    unresolved: Vec<Error>,
}

/// Asks every directory for the selected; who is unknown to one may be known to another.
async fn chosen(directories: &[&config::Directory], base_dir: Option<&Path>, selection: &Selection) -> Result<Chosen> {
    let asked = Selection { limit: None, ..selection.clone() };
    let reads = directories.iter().map(async |directory| {
        let mut found = Vec::new();
        let take = |person: Person| {
            found.push(person.identity);
            Ok(())
        };
        let read = read_one(directory, base_dir, &asked, false, take).await;
        read.map(|report| (found, report))
    });
    let outcomes = join_all(reads).await;
    let mut people = HashSet::new();
    let mut unresolved: Vec<Vec<Error>> = Vec::new();
    let mut elsewhere = Vec::new();
    for (directory, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok((found, report)) => {
                people.extend(found.into_iter().map(|identity| (directory, identity)));
                unresolved.push(report.unresolved);
            }
            Err(error) if matches!(error.code(), Code::DirectoryNotFound | Code::DirectoryAmbiguous) => {
                unresolved.push(vec![error]);
            }
            // a base of the selection is one directory's alone
            Err(error) if error.code() == Code::OptionValue && !selection.bases.is_empty() => elsewhere.push(error),
            // the read of everybody tells
            Err(error) if concerns_one_server(&error) => {}
            Err(error) => return Err(error),
        }
    }
    if let (true, Some(error)) = (elsewhere.len() == directories.len(), elsewhere.pop()) {
        return Err(error);
    }
    let unresolved = unknown_everywhere(&unresolved);
    match (unresolved.as_slice(), selection.identities.len()) {
        ([failed], 1) => Err(failed.clone()),
        _ => Ok(Chosen { people, unresolved }),
    }
}

/// Identities that no directory knows, and those that are ambiguous in one.
fn unknown_everywhere(unresolved: &[Vec<Error>]) -> Vec<Error> {
    let mut left: Vec<Error> = Vec::new();
    for error in unresolved.iter().flatten() {
        let is_there = |errors: &Vec<Error>| errors.iter().any(|other| other.get_target() == error.get_target());
        let counts = error.code() == Code::DirectoryAmbiguous || unresolved.iter().all(is_there);
        if counts && !left.iter().any(|other| other.get_target() == error.get_target()) {
            left.push(error.clone());
        }
    }
    left
}

/// Reads everybody a selection stands for in one directory.
async fn read_one(
    directory: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    cursor: bool,
    mut take: impl FnMut(Person) -> Result<()>,
) -> Result<ReadReport> {
    let (sink, source) = mpsc::channel(WAITING);
    let taking = async {
        // given up on a failure, so that nobody waits for it to be emptied
        let mut source = source;
        while let Some(person) = source.recv().await {
            take(person)?;
        }
        Ok::<_, Error>(())
    };
    let (report, taken) = tokio::join!(read_and_mark(directory, base_dir, selection, cursor, None, sink), taking);
    taken?;
    report
}

/// Whether a failure leaves the other directories as they are, so that they can be read.
fn concerns_one_server(error: &Error) -> bool {
    use Category::{Auth, Certificate, Denied, DirectoryIncomplete, Network, Timeout};
    matches!(error.category(), Auth | Certificate | Denied | DirectoryIncomplete | Network | Timeout)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::config::{Directory, DirectoryKind};

    fn file(records: &str) -> (tempfile::NamedTempFile, Directory) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(records.as_bytes()).unwrap();
        let path = Some(file.path().to_path_buf());
        (file, Directory { kind: DirectoryKind::Ldif, path, ..Directory::default() })
    }

    fn record(name: &str, mail: &str, value: &str) -> String {
        format!("dn: cn={name},dc=x\nobjectClass: inetOrgPerson\nmail: {mail}\nuserCertificate: {value}\n\n")
    }

    fn outcome(directories: &[&Directory], selection: &Selection) -> Result<(Vec<Person>, ReadReport)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (sink, mut source) = mpsc::channel(64);
            let report = read_united(directories, None, selection, false, sink).await?;
            let mut people = Vec::new();
            while let Some(person) = source.recv().await {
                people.push(person);
            }
            Ok((people, report))
        })
    }

    fn named(identity: &str) -> Selection {
        Selection { identities: vec![identity.into()], ..Selection::default() }
    }

    #[test]
    fn each_person_comes_once_with_the_values_of_all() {
        let (_one, one) = file(&(record("ann", "ann@x.test", "1") + &record("bob", "bob@x.test", "2")));
        let (_two, two) = file(&(record("a.lee", "ANN@x.test", "3") + &record("zoe", "zoe@x.test", "4")));
        let (people, report) = outcome(&[&one, &two], &Selection::default()).unwrap();
        let shown: Vec<_> = people.iter().map(|person| (person.identity.as_str(), person.values.len())).collect();
        assert_eq!(shown, [("cn=ann,dc=x", 2), ("cn=bob,dc=x", 1), ("cn=zoe,dc=x", 1)]);
        assert_eq!((report.people, report.complete), (3, true));
    }

    #[test]
    fn a_person_selected_in_one_directory_has_what_the_others_hold() {
        let (_one, one) = file(&record("ann", "ann@x.test", "1"));
        let (_two, two) = file(&(record("a.lee", "ann@x.test", "3") + &record("zoe", "zoe@x.test", "4")));
        let (people, report) = outcome(&[&one, &two], &named("cn=a.lee,dc=x")).unwrap();
        assert_eq!((people.len(), people[0].values.len(), report.unresolved.len()), (1, 2, 0));
        let error = outcome(&[&one, &two], &named("nobody@x.test")).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::DirectoryNotFound, Some("nobody@x.test")));
        let some = Selection { identities: vec!["ann@x.test".into(), "nobody@x.test".into()], ..Selection::default() };
        let (people, report) = outcome(&[&one, &two], &some).unwrap();
        assert_eq!((people.len(), report.unresolved.len()), (1, 1));
    }

    #[test]
    fn a_directory_that_cannot_be_read_makes_the_whole_incomplete() {
        let (_one, one) = file(&record("ann", "ann@x.test", "1"));
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let down = Directory {
            urls: vec![format!("ldap://{closed}")],
            base: Some("dc=x".into()),
            bind: config::Bind { method: config::BindMethod::Anonymous, ..config::Bind::default() },
            ..Directory::default()
        };
        let (people, report) = outcome(&[&one, &down], &Selection::default()).unwrap();
        assert_eq!((people.len(), people[0].complete, report.complete), (1, false, false));
        assert_eq!(report.incomplete_reason.unwrap().code(), Code::DirectoryIncomplete);
        assert_eq!(outcome(&[&down, &down], &Selection::default()).unwrap_err().code(), Code::DirectoryUnreachable);
    }

    #[test]
    fn a_limit_counts_persons_and_not_entries() {
        let (_one, one) = file(&(record("ann", "ann@x.test", "1") + &record("bob", "bob@x.test", "2")));
        let (_two, two) = file(&record("a.lee", "ann@x.test", "3"));
        let limited = |limit| Selection { limit: Some(limit), ..Selection::default() };
        let (people, report) = outcome(&[&one, &two], &limited(1)).unwrap();
        assert_eq!((people.len(), people[0].values.len()), (1, 2));
        assert!(report.limit_reached && !report.complete);
        assert!(outcome(&[&one, &two], &limited(2)).unwrap().1.complete);
    }
}
