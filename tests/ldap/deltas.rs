//! Reading changes as a sync does: a cursor before a complete read, and reads from it on.

use smimesync::config::Directory;
use smimesync::directory::{
    ChangeReport, Changes, Cursor, ReadReport, Selection, Since, WhyEverybody, read_changes, read_everybody,
};
use smimesync::error::Error;
use smimesync::people::Person;

use crate::reader::run;

pub(crate) async fn taken<T>(
    reading: impl Future<Output = T>,
    mut source: tokio::sync::mpsc::Receiver<Person>,
) -> (T, Vec<Person>) {
    let collect = async {
        let mut people = Vec::new();
        while let Some(person) = source.recv().await {
            people.push(person);
        }
        people
    };
    tokio::join!(reading, collect)
}

/// Everybody, and how the read ended.
pub(crate) fn marked(config: &Directory) -> (Vec<Person>, ReadReport) {
    let (report, people) = run(async {
        let (sink, source) = tokio::sync::mpsc::channel(16);
        taken(read_everybody(config, None, sink), source).await
    });
    (people, report.unwrap())
}

/// The cursor of a complete read.
pub(crate) fn mark(config: &Directory) -> Cursor {
    let (_, report) = marked(config);
    assert!(report.complete, "{:?}", report.incomplete_reason);
    report.cursor.ok_or(report.no_cursor).unwrap()
}

/// What came of asking for changes.
pub(crate) fn asked(
    config: &Directory,
    selection: &Selection,
    since: &Since,
) -> Result<(Vec<Person>, Result<ChangeReport, WhyEverybody>), Error> {
    let (changes, people) = run(async {
        let (sink, source) = tokio::sync::mpsc::channel(16);
        taken(read_changes(config, None, selection, since, sink), source).await
    });
    changes.map(|changes| match changes {
        Changes::Read(report) => (people, Ok(*report)),
        Changes::Everybody(why) => (people, Err(why)),
    })
}

/// What changed since a cursor.
pub(crate) fn changed(config: &Directory, cursor: &Cursor) -> (Vec<Person>, ChangeReport) {
    let since = Since { cursor: cursor.clone(), besides: Vec::new() };
    let (people, report) = asked(config, &Selection::default(), &since).unwrap();
    (people, report.unwrap())
}

/// Why everybody has to be read.
pub(crate) fn refused(config: &Directory, cursor: &Cursor) -> WhyEverybody {
    let since = Since { cursor: cursor.clone(), besides: Vec::new() };
    let (people, report) = asked(config, &Selection::default(), &since).unwrap();
    assert!(people.is_empty());
    report.unwrap_err()
}

/// The first parts of people's names, sorted.
pub(crate) fn names(people: &[Person]) -> Vec<String> {
    let mut names: Vec<_> = people.iter().map(|person| first(&person.distinguished_name).to_owned()).collect();
    names.sort();
    names
}

fn first(dn: &str) -> &str {
    dn.split(',').next().unwrap_or_default()
}
