//! Changes of several directories in one read: Samba's AD DC, slapd and an export, each by its own method.

use std::io::Write as _;

use smimesync::config::{Changes as Wish, Config, Directory, DirectoryKind};
use smimesync::directory::{
    ChangeReport, Changes, Cursor, Gone, Part, Selection, Since, WhyEverybody, read_changes_of, read_everybody_of,
};
use smimesync::people::Person;

use crate::deltas::taken;
use crate::reader::{directory, run, simple};
use crate::servers::{RealServer, free_port, own_active_directory, own_openldap};

const PEOPLE: usize = 20;

/// Both servers and a file.
struct Three {
    forest: RealServer,
    partner: RealServer,
    file: tempfile::NamedTempFile,
}

impl Three {
    /// The first person of each is one person, by the primary address; the partner's and the file's others are strangers.
    fn new(test: &str) -> Option<Self> {
        let (forest, partner) = (own_active_directory(test, PEOPLE)?, own_openldap(test, PEOPLE)?);
        let three = Self { forest, partner, file: tempfile::NamedTempFile::new().unwrap() };
        three.partner.modify(&format!(
            "dn: {}\nchangetype: modify\nreplace: mail\nmail: user000001@ad.test\n",
            three.at_partner(1)
        ));
        three.export(&[("one", "user000001@ad.test", "of the file"), ("two", "two@file.test", "2")]);
        Some(three)
    }

    fn export(&self, people: &[(&str, &str, &str)]) {
        let mut file = self.file.reopen().unwrap();
        file.set_len(0).unwrap();
        for (name, mail, value) in people {
            write!(file, "dn: cn={name}\nobjectClass: inetOrgPerson\nmail: {mail}\nuserCertificate: {value}\n\n")
                .unwrap();
        }
    }

    fn at_forest(&self, number: u32) -> String {
        format!("CN=user{number:06},OU=Load,{}", self.forest.fact("BASE_DN"))
    }

    fn at_partner(&self, number: u32) -> String {
        format!("uid=user{number:06},{}", self.partner.fact("PEOPLE_DN"))
    }

    fn config(&self) -> Config {
        let reader = |server: &RealServer| simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
        let at = |server: &RealServer, base: &str| {
            directory(server.fact("LDAPS_URL"), base, reader(server), Some(server.ca_file()))
        };
        let forest = at(&self.forest, &format!("OU=Load,{}", self.forest.fact("BASE_DN")));
        let partner = at(&self.partner, self.partner.fact("PEOPLE_DN"));
        let path = Some(self.file.path().to_path_buf());
        let file = Directory { kind: DirectoryKind::Ldif, path, ..Directory::default() };
        Config { directories: vec![forest, partner, file], ..Config::default() }
    }
}

fn mark(config: &Config) -> (Vec<Person>, Cursor) {
    let (report, people) = run(async {
        let (sink, source) = tokio::sync::mpsc::channel(16);
        taken(read_everybody_of(config, sink), source).await
    });
    let report = report.unwrap();
    assert!(report.complete, "{:?}", report.incomplete_reason);
    (people, report.cursor.ok_or(report.no_cursor).unwrap())
}

fn asked(config: &Config, cursor: &Cursor) -> (Vec<Person>, Result<ChangeReport, WhyEverybody>) {
    let since = Since { cursor: cursor.clone(), besides: Vec::new() };
    let (changes, people) = run(async {
        let (sink, source) = tokio::sync::mpsc::channel(16);
        taken(read_changes_of(config, &Selection::default(), &since, sink), source).await
    });
    match changes.unwrap() {
        Changes::Read(report) => (people, Ok(*report)),
        Changes::Everybody(why) => (people, Err(why)),
    }
}

/// Who changed, who is gone, and the next cursor, of a read that is complete.
fn changed(config: &Config, cursor: &Cursor) -> (Vec<Person>, Vec<String>, Cursor) {
    let (people, report) = asked(config, cursor);
    let report = report.unwrap();
    assert!(report.read.complete && report.reread.is_empty(), "{report:?}");
    let Gone::Named(gone) = report.gone else { panic!("{:?}", report.gone) };
    (people, gone, report.read.cursor.unwrap())
}

fn methods(cursor: &Cursor) -> Vec<&str> {
    let Cursor::Several { directories } = cursor else { panic!("{cursor:?}") };
    directories.iter().map(|part| part.cursor.as_ref().map_or("", Cursor::method)).collect()
}

fn damaged(cursor: &Cursor, damage: impl Fn(&mut [Part])) -> Cursor {
    let Cursor::Several { directories } = cursor else { panic!("{cursor:?}") };
    let mut directories = directories.clone();
    damage(&mut directories);
    Cursor::Several { directories }
}

/// Identities and numbers of values.
fn shown(people: &[Person]) -> Vec<(&str, usize)> {
    people.iter().map(|person| (person.identity.as_str(), person.values.len())).collect()
}

#[test]
fn each_directory_tells_by_its_own_method_and_each_person_is_whole() {
    let test = "several::each_directory_tells_by_its_own_method_and_each_person_is_whole";
    let Some(three) = Three::new(test) else { return };
    let config = three.config();
    let (people, cursor) = mark(&config);
    assert_eq!(methods(&cursor), ["dirsync", "syncrepl", "file"]);
    // the store has it as bytes
    let cursor = Cursor::from_bytes(&cursor.to_bytes()).unwrap();
    let at = |dn: &str| people.iter().find(|person| person.distinguished_name.eq_ignore_ascii_case(dn)).unwrap();
    let united = at(&three.at_forest(1)).clone();
    // Samba's and slapd's certificates have their own addresses, so none is the other's
    assert_eq!(people.len(), 2 * PEOPLE, "one of the partner and one of the file are people of the forest");
    assert!(united.values.len() > 2, "{:?}", united.values);
    let all = united.values.len();
    let (people, gone, cursor) = changed(&config, &cursor);
    assert!(people.is_empty() && gone.is_empty());

    // what changed is an entry of the partner, what comes is the person of the forest with everything
    three.partner.modify(&format!(
        "dn: {}\nchangetype: modify\ndelete: userCertificate;binary\n\n\
         dn: {}\nchangetype: modify\nreplace: sn\nsn: other\n\n",
        three.at_partner(1),
        three.at_partner(2),
    ));
    let (people, gone, cursor) = changed(&config, &cursor);
    assert_eq!((shown(&people), gone), (vec![(united.identity.as_str(), all - 1)], Vec::new()));
    assert!(people[0].values.iter().any(|value| &*value.bytes == b"of the file") && people[0].complete);

    // an entry of the forest, whose person has values that only the others hold
    three
        .forest
        .modify(&format!("dn: {}\nchangetype: modify\nreplace: displayName\ndisplayName: Ann\n", three.at_forest(1)));
    let (people, _, cursor) = changed(&config, &cursor);
    assert_eq!(shown(&people), [(united.identity.as_str(), all - 1)]);
    assert_eq!(people[0].display_name.as_deref(), Some("Ann"));

    // the file loses its entry, and another one leaves the directories altogether
    three.export(&[]);
    let (people, gone, cursor) = changed(&config, &cursor);
    assert_eq!((shown(&people), gone), (vec![(united.identity.as_str(), all - 2)], vec!["cn=two".to_owned()]));

    // the list of deletions of slapd begins anew, so that it tells who is there
    three.partner.restart();
    let (people, gone, cursor) = changed(&config, &cursor);
    assert!(people.is_empty() && gone.is_empty(), "{gone:?}");

    // who is deleted in one directory is still there by the other
    three.forest.modify(&format!(
        "dn: {}\nchangetype: delete\n\ndn: {}\nchangetype: delete\n",
        three.at_forest(1),
        three.at_forest(3)
    ));
    let (people, mut gone, cursor) = changed(&config, &cursor);
    assert_eq!(people.len(), 1);
    assert!(people[0].distinguished_name.eq_ignore_ascii_case(&three.at_partner(1)));
    let mut deleted = vec![united.identity.clone(), at(&three.at_forest(3)).identity.clone()];
    gone.sort();
    deleted.sort();
    assert_eq!(gone, deleted);
    three.partner.modify(&format!("dn: {}\nchangetype: delete\n", three.at_partner(1)));
    let (left, gone, _) = changed(&config, &cursor);
    assert_eq!((left.len(), gone), (0, vec![people[0].identity.clone()]));
}

#[test]
fn one_directory_that_cannot_go_on_is_read_alone() {
    let test = "several::one_directory_that_cannot_go_on_is_read_alone";
    let Some(three) = Three::new(test) else { return };
    let mut config = three.config();
    let (people, cursor) = mark(&config);
    let united = people.iter().find(|person| person.distinguished_name.eq_ignore_ascii_case(&three.at_forest(1)));
    let united = united.unwrap().clone();
    three.forest.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: displayName\ndisplayName: Ann\n\ndn: {}\nchangetype: delete\n",
        three.at_forest(1),
        three.at_forest(4),
    ));
    let deleted = people.iter().find(|person| person.distinguished_name.eq_ignore_ascii_case(&three.at_forest(4)));
    let deleted = deleted.unwrap().identity.clone();
    let set = |part: &mut Part, with: Cursor| part.cursor = Some(with);
    for (why, damage) in [
        (
            WhyEverybody::Refused,
            (&|parts: &mut [Part]| match &mut parts[0].cursor {
                Some(Cursor::Dirsync { cookie, .. }) => cookie.truncate(10),
                other => panic!("{other:?}"),
            }) as &dyn Fn(&mut [Part]),
        ),
        (WhyEverybody::Restored, &|parts: &mut [Part]| match &mut parts[0].cursor {
            Some(Cursor::Dirsync { usn, .. }) => *usn = u64::MAX,
            other => panic!("{other:?}"),
        }),
        (WhyEverybody::OtherServer, &|parts: &mut [Part]| match &mut parts[0].cursor {
            Some(Cursor::Dirsync { server, .. }) => server.push('x'),
            other => panic!("{other:?}"),
        }),
        (WhyEverybody::NoCursor, &|parts: &mut [Part]| parts[0].cursor = None),
    ] {
        let (people, report) = asked(&config, &damaged(&cursor, damage));
        let report = report.unwrap();
        // by comparison, the same comes out as by a cursor
        assert_eq!(shown(&people), [(united.identity.as_str(), united.values.len())], "{why:?}");
        assert_eq!(report.gone, Gone::Named(vec![deleted.clone()]));
        assert_eq!(report.reread.iter().map(|(_, why)| *why).collect::<Vec<_>>(), [why]);
        assert!(report.reread[0].0.starts_with("OU=Load,"), "{:?}", report.reread);
        assert_eq!(methods(&report.read.cursor.unwrap()), ["dirsync", "syncrepl", "file"]);
    }
    // another way to read one of them is that one's matter, too
    config.directories[0].changes = Wish::Usn;
    let (_, report) = asked(&config, &cursor);
    let report = report.unwrap();
    assert_eq!(report.reread[0].1, WhyEverybody::OtherMethod);
    assert_eq!(methods(&report.read.cursor.unwrap()), ["usn", "syncrepl", "file"]);
    // where none can go on there is nothing left of a read of changes
    let none = damaged(&cursor, |parts| {
        parts.iter_mut().for_each(|part| {
            set(part, Cursor::Usn { server: "another".into(), usn: 1 });
        })
    });
    assert!(asked(&config, &none).1.is_err());
}

#[test]
fn a_directory_that_is_down_makes_nobody_gone_and_leaves_the_others_whole() {
    let test = "several::a_directory_that_is_down_makes_nobody_gone_and_leaves_the_others_whole";
    let Some(three) = Three::new(test) else { return };
    let config = three.config();
    let (people, cursor) = mark(&config);
    let united = people.iter().find(|person| person.distinguished_name.eq_ignore_ascii_case(&three.at_forest(1)));
    let united = united.unwrap().clone();
    three.forest.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: displayName\ndisplayName: Ann\n\ndn: {}\nchangetype: delete\n",
        three.at_forest(1),
        three.at_forest(4),
    ));
    three
        .partner
        .modify(&format!("dn: {}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n", three.at_partner(2)));
    let without = |place: usize| {
        let mut config = config.clone();
        config.directories[place].urls = vec![format!("ldaps://127.0.0.1:{}", free_port())];
        let (people, report) = asked(&config, &cursor);
        let report = report.unwrap();
        assert!(!report.read.complete && report.read.incomplete_reason.is_some());
        assert!(people.iter().all(|person| !person.complete), "a value that was not read is not gone");
        people
    };
    let people = without(1);
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].identity, united.identity);
    assert!(people[0].values.iter().any(|value| &*value.bytes == b"of the file"));
    let people = without(0);
    assert_eq!(people.len(), 1);
    assert!(people[0].distinguished_name.eq_ignore_ascii_case(&three.at_partner(2)));
    // when it is back, everything since the cursor is told
    let (people, gone, _) = changed(&config, &cursor);
    assert_eq!((people.len(), gone.len()), (2, 1));
}
