use std::io::Write as _;

use tokio::sync::mpsc;

use super::*;
use crate::config::{Bind, BindMethod, Directory, DirectoryKind};
use crate::directory::several::read_united;

/// An export that can be written anew.
struct Export {
    file: tempfile::NamedTempFile,
    config: Directory,
}

impl Export {
    fn new(records: &[String]) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = Some(file.path().to_path_buf());
        let export = Self { file, config: Directory { kind: DirectoryKind::Ldif, path, ..Directory::default() } };
        export.write(records);
        export
    }

    fn write(&self, records: &[String]) {
        let mut file = self.file.reopen().unwrap();
        file.set_len(0).unwrap();
        file.write_all(records.concat().as_bytes()).unwrap();
    }
}

fn guid(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn record(number: u32, mail: &str, values: &[&str]) -> String {
    let values: String = values.iter().map(|value| format!("userCertificate: {value}\n")).collect();
    format!("dn: cn={number},dc=x\nobjectClass: inetOrgPerson\nentryUUID: {}\nmail: {mail}\n{values}\n", guid(number))
}

fn run<T>(reading: impl AsyncFnOnce(Sender<Person>) -> Result<T>) -> Result<(T, Vec<Person>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (sink, mut source) = mpsc::channel(256);
        let told = reading(sink).await?;
        let mut people = Vec::new();
        while let Some(person) = source.recv().await {
            people.push(person);
        }
        Ok((told, people))
    })
}

fn mark(directories: &[&Directory]) -> Cursor {
    let everybody = Selection::default();
    let (report, _) = run(async |sink| read_united(directories, None, &everybody, true, sink).await).unwrap();
    report.cursor.ok_or(report.no_cursor).unwrap()
}

fn told(directories: &[&Directory], since: &Since, selection: &Selection) -> (ChangeReport, Vec<Person>) {
    let (told, mut people) = run(async |sink| read_changes(directories, None, selection, since, sink).await).unwrap();
    people.sort_by(|one, other| one.identity.cmp(&other.identity));
    match told {
        Changes::Read(report) => (*report, people),
        Changes::Everybody(why) => panic!("{why:?}"),
    }
}

/// Who changed, as number and values, who is gone, and the next cursor.
fn changed(directories: &[&Directory], cursor: &Cursor) -> (Vec<(u32, String)>, Vec<u32>, Cursor) {
    let since = Since { cursor: cursor.clone(), besides: Vec::new() };
    let (report, people) = told(directories, &since, &Selection::default());
    assert!(report.read.complete && people.iter().all(|person| person.complete));
    let Gone::Named(gone) = report.gone else { panic!("{:?}", report.gone) };
    (
        people.iter().map(shown).collect(),
        gone.iter().map(|identity| number(identity)).collect(),
        report.read.cursor.unwrap(),
    )
}

fn number(identity: &str) -> u32 {
    identity.rsplit('-').next().unwrap().parse().unwrap()
}

fn shown(person: &Person) -> (u32, String) {
    let values: Vec<_> = person.values.iter().map(|value| String::from_utf8_lossy(&value.bytes).into_owned()).collect();
    (number(&person.identity), values.join(" "))
}

fn down() -> Directory {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Directory {
        urls: vec![format!("ldap://{closed}")],
        base: Some("dc=x".into()),
        bind: Bind { method: BindMethod::Anonymous, ..Bind::default() },
        ..Directory::default()
    }
}

/// The cursor of a directory that is there, put in the place of one that is not.
fn moved_to(cursor: &Cursor, place: usize, directory: &Directory) -> Cursor {
    let Cursor::Several { directories } = cursor else { panic!() };
    let mut directories = directories.clone();
    directories[place].scope = scope(directory);
    directories[place].cursor = Some(Cursor::Usn { server: "s".into(), usn: 1 });
    Cursor::Several { directories }
}

const ANN: &str = "ann@x.test";

#[test]
fn a_change_in_one_directory_brings_what_the_others_hold() {
    let (one, two) =
        (Export::new(&[record(1, ANN, &["a"])]), Export::new(&[record(2, ANN, &["b"]), record(3, "z@x.test", &["z"])]));
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    let (people, gone, cursor) = changed(&both, &cursor);
    assert!(people.is_empty() && gone.is_empty());
    two.write(&[record(2, ANN, &["c"]), record(3, "z@x.test", &["z"])]);
    let (people, gone, cursor) = changed(&both, &cursor);
    assert_eq!((people, gone), (vec![(1, "a c".into())], vec![]));
    assert_eq!(changed(&both, &cursor).0, []);
    // and the other way round
    one.write(&[record(1, ANN, &["d"])]);
    assert_eq!(changed(&both, &cursor).0, [(1, "d c".into())]);
}

#[test]
fn a_person_is_gone_when_no_directory_has_one_any_more() {
    let start = || (Export::new(&[record(1, ANN, &["a"])]), Export::new(&[record(2, ANN, &["b"])]));
    let (one, two) = start();
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    two.write(&[]);
    let (people, gone, cursor) = changed(&both, &cursor);
    assert_eq!((people, gone), (vec![(1, "a".into())], vec![]));
    one.write(&[]);
    assert_eq!(changed(&both, &cursor).1, [1]);
    // the second entry takes the name over
    let (one, two) = start();
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    one.write(&[]);
    let (people, gone, cursor) = changed(&both, &cursor);
    assert_eq!((people, gone), (vec![(2, "b".into())], vec![1]));
    two.write(&[]);
    assert_eq!(changed(&both, &cursor).1, [2]);
    let (one, two) = start();
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    one.write(&[]);
    two.write(&[]);
    assert_eq!(changed(&both, &cursor).1, [1], "what was one person is gone once");
}

#[test]
fn whom_an_entry_leaves_and_whom_it_joins_change_with_it() {
    let one = Export::new(&[record(1, ANN, &["a"]), record(4, "zoe@x.test", &["z"])]);
    let two = Export::new(&[record(2, ANN, &["b"])]);
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    two.write(&[record(2, "zoe@x.test", &["b"])]);
    let (people, gone, _) = changed(&both, &cursor);
    assert_eq!((people, gone), (vec![(1, "a".into()), (4, "z b".into())], vec![]));
}

#[test]
fn two_of_one_directory_that_could_be_a_third_stay_apart_until_it_is_clear() {
    let one = Export::new(&[record(1, ANN, &["a"])]);
    let two = Export::new(&[record(2, ANN, &["b"]), record(3, ANN, &["c"])]);
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    two.write(&[record(2, ANN, &["b"]), record(3, "cat@x.test", &["c"])]);
    let (people, gone, cursor) = changed(&both, &cursor);
    assert_eq!((people, gone), (vec![(1, "a b".into()), (3, "c".into())], vec![2]));
    two.write(&[record(2, ANN, &["b"]), record(3, ANN, &["c"])]);
    let (report, people) = told(&both, &Since { cursor, besides: Vec::new() }, &Selection::default());
    let apart: Vec<_> = people.iter().map(shown).collect();
    assert_eq!((apart, report.gone), (vec![(1, "a".into()), (2, "b".into()), (3, "c".into())], Gone::Named(vec![])));
    assert!(people.iter().all(|person| !person.complete), "nobody knows whose values are whose");
}

#[test]
fn a_person_of_three_directories_is_found_through_different_keys() {
    let anchored = |number, mail: &str, value: &str, anchor: &str| {
        record(number, mail, &[value]).trim_end().to_owned() + &format!("\nmS-DS-ConsistencyGuid: {anchor}\n\n")
    };
    let one = Export::new(&[anchored(1, ANN, "a", "anchor")]);
    let two = Export::new(&[record(2, ANN, &["b"])]);
    let three = Export::new(&[anchored(3, "other@x.test", "c", "anchor")]);
    let all = [&one.config, &two.config, &three.config];
    let cursor = mark(&all);
    three.write(&[anchored(3, "other@x.test", "d", "anchor")]);
    let (people, _, cursor) = changed(&all, &cursor);
    assert_eq!(people, [(1, "a b d".into())]);
    // the link between them goes
    one.write(&[]);
    let (people, gone, _) = changed(&all, &cursor);
    assert_eq!((people, gone), (vec![(2, "b".into()), (3, "d".into())], vec![1]));
}

#[test]
fn an_entry_that_stands_twice_in_a_file_is_seen_twice() {
    let one = Export::new(&[record(1, "one@x.test", &["a"])]);
    let two = Export::new(&[record(2, ANN, &["b"]), record(2, ANN, &["b"])]);
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    assert_eq!(changed(&both, &cursor).0, []);
    two.write(&[record(2, ANN, &["b"])]);
    let (people, gone, cursor) = changed(&both, &cursor);
    assert_eq!((people, gone), (vec![(2, "b".into())], vec![]));
    two.write(&[record(2, ANN, &["b"]), record(2, ANN, &["c"])]);
    let (people, _, _) = changed(&both, &cursor);
    assert_eq!(people, [(2, "b".into()), (2, "c".into())]);
}

#[test]
fn a_directory_without_a_cursor_is_read_and_compared() {
    let (one, mut two) =
        (Export::new(&[record(1, ANN, &["a"])]), Export::new(&[record(2, ANN, &["b"]), record(3, "z@x.test", &[])]));
    two.config.changes = config::Changes::None;
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    assert_eq!(changed(&both, &cursor).0, []);
    two.write(&[record(2, ANN, &["c"])]);
    let (people, gone, _) = changed(&both, &cursor);
    assert_eq!((people, gone), (vec![(1, "a c".into())], vec![3]));
    // a cursor that is not its directory's costs the reading of this one, and an event says so
    two.config.changes = config::Changes::Auto;
    let both = [&one.config, &two.config];
    let Cursor::Several { mut directories } = mark(&both) else { panic!() };
    directories[0].cursor = Some(Cursor::Usn { server: "s".into(), usn: 1 });
    one.write(&[record(1, ANN, &["e"])]);
    let since = Since { cursor: Cursor::Several { directories: directories.clone() }, besides: Vec::new() };
    let (report, people) = told(&both, &since, &Selection::default());
    assert_eq!(people.iter().map(shown).collect::<Vec<_>>(), [(1, "e c".into())]);
    assert_eq!(report.reread.iter().map(|(_, why)| *why).collect::<Vec<_>>(), [WhyEverybody::OtherMethod]);
    // where it is every directory's, nothing is left of a read of changes
    directories[1].cursor = None;
    let since = Since { cursor: Cursor::Several { directories }, besides: Vec::new() };
    let everybody = Selection::default();
    let outcome = run(async |sink| read_changes(&both, None, &everybody, &since, sink).await).unwrap();
    assert!(matches!(outcome.0, Changes::Everybody(WhyEverybody::OtherMethod)) && outcome.1.is_empty());
}

#[test]
fn other_directories_or_another_order_have_everybody_read() {
    let (one, mut two) = (Export::new(&[record(1, ANN, &[])]), Export::new(&[record(2, ANN, &[])]));
    two.config.filter = Some("(mail=*)".into());
    let cursor = mark(&[&one.config, &two.config]);
    let since = Since { cursor, besides: Vec::new() };
    let everybody = Selection::default();
    for others in [vec![&two.config, &one.config], vec![&one.config], vec![&one.config, &two.config, &one.config]] {
        let outcome = run(async |sink| read_changes(&others, None, &everybody, &since, sink).await).unwrap();
        assert!(matches!(outcome.0, Changes::Everybody(WhyEverybody::OtherMethod)));
    }
}

#[test]
fn who_is_asked_for_besides_comes_whole_and_a_selection_narrows() {
    let (one, two) =
        (Export::new(&[record(1, ANN, &["a"])]), Export::new(&[record(2, ANN, &["b"]), record(3, "z@x.test", &["z"])]));
    let both = [&one.config, &two.config];
    let cursor = mark(&both);
    let besides = vec![guid(1), guid(9)];
    let (report, people) = told(&both, &Since { cursor: cursor.clone(), besides }, &Selection::default());
    assert_eq!(people.iter().map(shown).collect::<Vec<_>>(), [(1, "a b".into())]);
    assert!(report.read.complete && report.read.unresolved.is_empty());
    two.write(&[record(2, ANN, &["c"])]);
    let since = Since { cursor, besides: Vec::new() };
    let select = |identity: u32| Selection { identities: vec![guid(identity)], ..Selection::default() };
    let (report, people) = told(&both, &since, &select(2));
    assert_eq!(people.iter().map(shown).collect::<Vec<_>>(), [(1, "a c".into())]);
    assert_eq!(report.gone, Gone::Named(Vec::new()), "who is not selected is not gone");
    assert!(told(&both, &since, &select(9)).1.is_empty());
    let (report, people) = told(&both, &since, &Selection { limit: Some(0), ..Selection::default() });
    assert!(people.is_empty() && report.read.limit_reached && !report.read.complete);
}

#[test]
fn a_directory_that_is_down_takes_nothing_and_gives_the_name() {
    let (one, two) =
        (Export::new(&[record(1, ANN, &["a"])]), Export::new(&[record(2, ANN, &["b"]), record(3, "z@x.test", &["z"])]));
    let down = down();
    let cursor = mark(&[&one.config, &two.config]);
    two.write(&[record(2, ANN, &["b", "c"])]);
    let since = Since { cursor: moved_to(&cursor, 0, &down), besides: Vec::new() };
    let (report, people) = told(&[&down, &two.config], &since, &Selection::default());
    // the person keeps the name it has by the entry that cannot be read
    assert_eq!(people.iter().map(shown).collect::<Vec<_>>(), [(1, "b c".into())]);
    assert!(!people[0].complete && !report.read.complete);
    assert_eq!(report.read.incomplete_reason.unwrap().code(), Code::DirectoryIncomplete);
    let everybody = Selection::default();
    let Cursor::Several { directories } = moved_to(&since.cursor, 1, &down) else { panic!() };
    let since = Since { cursor: Cursor::Several { directories }, besides: Vec::new() };
    let outcome = run(async |sink| read_changes(&[&down, &down], None, &everybody, &since, sink).await);
    assert_eq!(outcome.map(|_| ()).unwrap_err().code(), Code::DirectoryUnreachable);
}
