//! Changes on slapd: content synchronisation in both phases, and time stamps.

use std::collections::BTreeMap;
use std::time::Duration;

use smimesync::config::{Changes, Directory};
use smimesync::directory::{Cursor, Gone, Selection, Since, WhyEverybody, person_key};

use crate::deltas::{asked, changed, mark, marked, names, refused};
use crate::reader::{anonymous, directory, simple};
use crate::servers::{RealServer, own_openldap};

const PEOPLE: usize = 30;

fn config(server: &RealServer) -> Directory {
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    directory(server.fact("LDAPS_URL"), "ou=people,dc=example,dc=test", bind, Some(server.ca_file()))
}

fn user(number: u32) -> String {
    format!("uid=user{number:06},ou=people,dc=example,dc=test")
}

#[test]
fn both_phases_of_syncrepl_say_who_changed_and_who_is_gone() {
    let test = "changes_openldap::both_phases_of_syncrepl_say_who_changed_and_who_is_gone";
    let Some(server) = own_openldap(test, PEOPLE) else { return };
    let config = config(&server);
    let (people, report) = marked(&config);
    let identity =
        |number: u32| people.iter().find(|person| person.distinguished_name == user(number)).unwrap().identity.clone();
    let (gone_one, gone_two, there) = (identity(2), identity(4), identity(5));
    let cursor = report.cursor.unwrap();
    assert_eq!(cursor.method(), "syncrepl");
    let (people, report) = changed(&config, &cursor);
    assert_eq!((people.len(), report.gone), (0, Gone::Named(Vec::new())));
    server.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: mail\nmail: new@example.test\n\ndn: {}\nchangetype: delete\n\n\
         dn: {}\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n",
        user(1),
        user(2),
        user(3),
    ));
    let (people, report) = changed(&config, &cursor);
    assert_eq!(names(&people), ["uid=renamed", "uid=user000001"]);
    assert!(report.deletions_show);
    assert_eq!(report.gone, Gone::Named(vec![gone_one.clone()]));
    let cursor = report.read.cursor.unwrap();
    // the list of deletions is in memory only, so a server that began anew says who is there instead
    server.modify(&format!("dn: {}\nchangetype: delete\n", user(4)));
    server.restart();
    let (people, report) = changed(&config, &cursor);
    assert!(people.is_empty());
    let Gone::AllBut(present) = &report.gone else { panic!("{:?}", report.gone) };
    assert!(present.contains(&person_key(&there)));
    assert!(!present.contains(&person_key(&gone_two)) && !present.contains(&person_key(&gone_one)));
    assert_eq!(present.len(), PEOPLE - 2);
    let (people, report) = changed(&config, &report.read.cursor.unwrap());
    assert_eq!((people.len(), report.read.complete), (0, true));
}

#[test]
fn a_selection_narrows_what_changed_and_makes_nobody_gone() {
    let test = "changes_openldap::a_selection_narrows_what_changed_and_makes_nobody_gone";
    let Some(server) = own_openldap(test, PEOPLE) else { return };
    let config = config(&server);
    let since = Since { cursor: mark(&config), besides: Vec::new() };
    let mail = |number: u32| {
        format!("dn: {}\nchangetype: modify\nreplace: mail\nmail: m{number}@example.test\n\n", user(number))
    };
    server.modify(&(mail(1) + &mail(2) + &format!("dn: {}\nchangetype: delete\n", user(3))));
    let selection = Selection { filter: Some("(mail=m1@example.test)".into()), ..Selection::default() };
    let (people, report) = asked(&config, &selection, &since).unwrap();
    assert_eq!((names(&people), report.unwrap().gone), (vec!["uid=user000001".to_owned()], Gone::Named(Vec::new())));
}

#[test]
fn cookies_from_the_future_and_of_another_database_have_everybody_read() {
    let test = "changes_openldap::cookies_from_the_future_and_of_another_database_have_everybody_read";
    let Some(mut server) = own_openldap(test, PEOPLE) else { return };
    let config = config(&server);
    let cursor = mark(&config);
    let Cursor::Syncrepl { server: from, cookies, .. } = &cursor else { panic!("{cursor:?}") };
    let with = |cookie: Vec<u8>| Cursor::Syncrepl {
        server: from.clone(),
        cookies: vec![(cookies[0].0.clone(), cookie)],
        containers: BTreeMap::new(),
    };
    let future = String::from_utf8(cookies[0].1.clone()).unwrap().replace("csn=20", "csn=29");
    assert_eq!(refused(&config, &with(future.into_bytes())), WhyEverybody::Refused);
    let narrower = Directory { bases: vec![user(1)], ..config.clone() };
    assert_eq!(refused(&narrower, &cursor), WhyEverybody::OtherMethod);
    let off = Directory { changes: Changes::None, ..config.clone() };
    assert_eq!(refused(&off, &cursor), WhyEverybody::Off);
    assert_eq!(marked(&off).1.no_cursor, Some(WhyEverybody::Off));
    server.load(PEOPLE + 1);
    let why = {
        let since = Since { cursor, besides: Vec::new() };
        asked(&config, &Selection::default(), &since).unwrap().1
    };
    // a database made anew is another one, whatever its change numbers say
    assert_eq!(why.unwrap_err(), WhyEverybody::OtherServer);
}

#[test]
fn time_stamps_show_changes_where_there_is_nothing_better() {
    let test = "changes_openldap::time_stamps_show_changes_where_there_is_nothing_better";
    let Some(server) = own_openldap(test, PEOPLE) else { return };
    let mut config = config(&server);
    let identity = {
        let Cursor::Syncrepl { server, .. } = mark(&config) else { panic!() };
        server
    };
    let newest = "20000101000000".to_owned();
    let cursor = Cursor::Timestamps { server: identity, newest, is_over: true, containers: BTreeMap::new() };
    let (people, report) = changed(&config, &cursor);
    assert_eq!((people.len(), report.deletions_show), (PEOPLE, false));
    // once more for whoever changed in the newest second after the read, and no more after that
    std::thread::sleep(Duration::from_millis(1100));
    let (_, report) = changed(&config, &report.read.cursor.unwrap());
    let (people, report) = changed(&config, &report.read.cursor.unwrap());
    assert!(people.is_empty());
    server.modify(&format!("dn: {}\nchangetype: modify\nreplace: mail\nmail: n@example.test\n", user(1)));
    let (people, _) = changed(&config, &report.read.cursor.unwrap());
    assert_eq!(names(&people), ["uid=user000001"]);
    // a size limit ends the search for the cursor, and the complete read says so itself
    config.bind = anonymous();
    config.filter = Some("(uid=user000001)".into());
    assert!(marked(&config).1.cursor.is_some());
}

#[test]
fn a_container_that_is_moved_into_or_out_of_the_bases_has_everybody_read() {
    let test = "changes_openldap::a_container_that_is_moved_into_or_out_of_the_bases_has_everybody_read";
    let Some(server) = own_openldap(test, PEOPLE) else { return };
    let config = config(&server);
    server.modify(
        "dn: ou=elsewhere,dc=example,dc=test\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: ou=team,ou=elsewhere,dc=example,dc=test\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: uid=moved,ou=team,ou=elsewhere,dc=example,dc=test\nchangetype: add\nobjectClass: inetOrgPerson\n\
         cn: moved\nsn: moved\nmail: moved@example.test\n\n",
    );
    let by_stamps = |cursor: &Cursor| {
        let Cursor::Syncrepl { server, containers, .. } = cursor else { panic!("{cursor:?}") };
        let newest = "20000101000000".to_owned();
        Cursor::Timestamps { server: server.clone(), newest, is_over: false, containers: containers.clone() }
    };
    let cursor = mark(&config);
    // what happens to a container on its side of the border makes no difference
    server.modify(
        "dn: ou=team,ou=elsewhere,dc=example,dc=test\nchangetype: modify\nreplace: description\ndescription: d\n\n\
         dn: ou=new,ou=people,dc=example,dc=test\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: uid=inner,ou=new,ou=people,dc=example,dc=test\nchangetype: add\nobjectClass: inetOrgPerson\n\
         cn: inner\nsn: inner\n\n\
         dn: ou=new,ou=people,dc=example,dc=test\nchangetype: modrdn\nnewrdn: ou=old\ndeleteoldrdn: 1\n",
    );
    let (people, report) = changed(&config, &cursor);
    assert_eq!(names(&people), ["uid=inner"]);
    let cursor = report.read.cursor.unwrap();
    let move_team = |from: &str, to: &str| {
        server.modify(&format!(
            "dn: ou=team,{from}\nchangetype: modrdn\nnewrdn: ou=team\ndeleteoldrdn: 1\nnewsuperior: {to}\n"
        ));
    };
    let (inside, outside) = ("ou=people,dc=example,dc=test", "ou=elsewhere,dc=example,dc=test");
    move_team(outside, inside);
    assert_eq!(refused(&config, &cursor), WhyEverybody::ContainerMoved);
    assert_eq!(refused(&config, &by_stamps(&cursor)), WhyEverybody::ContainerMoved);
    let (people, report) = marked(&config);
    assert_eq!(people.len(), PEOPLE + 2, "a complete read finds who was moved with it");
    let cursor = report.cursor.unwrap();
    assert!(changed(&config, &cursor).0.is_empty());
    move_team(inside, outside);
    assert_eq!(refused(&config, &cursor), WhyEverybody::ContainerMoved);
    assert_eq!(refused(&config, &by_stamps(&cursor)), WhyEverybody::ContainerMoved);
    // with everything below the context, no move makes a difference
    let whole = Directory { base: Some("dc=example,dc=test".into()), ..config };
    let cursor = mark(&whole);
    move_team(outside, inside);
    assert!(changed(&whole, &cursor).0.is_empty());
}
