//! Changes on Samba's AD DC, by DirSync and by numbers.

use smimesync::config::{Changes, Directory};
use smimesync::directory::{Cursor, Gone, Selection, Since, WhyEverybody};

use crate::deltas::{asked, changed, mark, marked, names, refused};
use crate::reader::{directory, simple};
use crate::servers::{RealServer, own_active_directory};

/// People loaded.
const PEOPLE: usize = 30;
const LOADED: &str = "OU=Load,DC=ad,DC=test";

fn config(server: &RealServer, who: &str, changes: Changes) -> Directory {
    let bind = simple(server.fact(who), server.fact("SYNC_PASSWORD"));
    let mut config = directory(server.fact("LDAPS_URL"), LOADED, bind, Some(server.ca_file()));
    config.changes = changes;
    config
}

fn user(number: u32) -> String {
    format!("CN=user{number:06},{LOADED}")
}

/// Everything that can happen to a person, one after the other, by one method.
fn everything(server: &RealServer, changes: Changes) {
    let config = config(server, "SYNC_DN", changes);
    let (people, report) = marked(&config);
    let identity = |number: u32| {
        let dn = user(number).to_lowercase();
        people.iter().find(|person| person.distinguished_name.to_lowercase() == dn).unwrap().identity.clone()
    };
    let (moved, deleted) = (identity(5), identity(6));
    let cursor = report.cursor.unwrap();
    let (people, report) = changed(&config, &cursor);
    // numbers also count the binds of the reader's own account, which lives elsewhere
    let strangers = usize::from(changes == Changes::Usn);
    assert!(people.is_empty() && report.read.complete);
    assert!(report.deletions_show, "nothing was deleted yet, and would show");
    assert!(matches!(&report.gone, Gone::Named(gone) if gone.len() <= strangers), "{:?}", report.gone);
    server.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: mail\nmail: new@ad.test\n\n\
         dn: {}\nchangetype: modrdn\nnewrdn: CN=Renamed\ndeleteoldrdn: 1\n\n\
         dn: {}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n\n\
         dn: {}\nchangetype: modify\ndelete: userCertificate\n\n\
         dn: {}\nchangetype: modrdn\nnewrdn: CN=user000005\ndeleteoldrdn: 1\nnewsuperior: CN=Users,DC=ad,DC=test\n\n\
         dn: {}\nchangetype: delete\n\n\
         dn: CN=Contact,{LOADED}\nchangetype: add\nobjectClass: contact\nmail: contact@y.test\n\n\
         dn: CN=Group,{LOADED}\nchangetype: add\nobjectClass: group\n",
        user(1),
        user(2),
        user(3),
        user(4),
        user(5),
        user(6),
    ));
    let (people, report) = changed(&config, &cursor);
    assert_eq!(names(&people), ["CN=Contact", "CN=Renamed", "CN=user000001", "CN=user000003", "CN=user000004"]);
    let person = |name: &str| people.iter().find(|person| person.distinguished_name.starts_with(name)).unwrap();
    assert!(person("CN=user000001,").addresses.iter().any(|address| address.as_str() == "new@ad.test"));
    assert_eq!(person("CN=user000003,").enabled, Some(false));
    assert!(person("CN=user000004,").values.iter().all(|value| value.attribute.name() != "userCertificate"));
    let gone = match &report.gone {
        Gone::Named(gone) => gone.as_slice(),
        Gone::AllBut(_) => &[],
    };
    assert!(gone.contains(&moved) && gone.contains(&deleted), "{gone:?}");
    assert!(report.deletions_show && report.unseen.is_empty());
    // from the new cursor on nothing has happened
    let next = report.read.cursor.unwrap();
    let (people, report) = changed(&config, &next);
    assert_eq!((people.len(), report.read.complete), (0, true));
    // who is asked for besides comes without a change
    let since = Since { cursor: next, besides: vec![identity(7)] };
    let (people, _) = asked(&config, &Selection::default(), &since).unwrap();
    assert_eq!(names(&people), ["CN=user000007"]);
    server.modify(&format!(
        "dn: CN=user000005,CN=Users,DC=ad,DC=test\nchangetype: modrdn\nnewrdn: CN=user000005\ndeleteoldrdn: 1\nnewsuperior: {LOADED}\n"
    ));
    let (people, report) = changed(&config, &since.cursor);
    assert_eq!(names(&people), ["CN=user000005"]);
    // a container that is renamed moves people without a change of theirs
    server.modify("dn: OU=Load,DC=ad,DC=test\nchangetype: modrdn\nnewrdn: OU=Elsewhere\ndeleteoldrdn: 1\n");
    assert_eq!(refused(&config, &report.read.cursor.unwrap()), WhyEverybody::ContainerMoved);
}

#[test]
fn everything_shows_by_dirsync() {
    let Some(server) = own_active_directory("changes_active_directory::everything_shows_by_dirsync", PEOPLE) else {
        return;
    };
    everything(&server, Changes::Auto);
}

#[test]
fn everything_shows_by_numbers() {
    let Some(server) = own_active_directory("changes_active_directory::everything_shows_by_numbers", PEOPLE) else {
        return;
    };
    everything(&server, Changes::Usn);
}

#[test]
fn without_rights_changes_show_and_deletions_do_not() {
    let test = "changes_active_directory::without_rights_changes_show_and_deletions_do_not";
    let Some(server) = own_active_directory(test, PEOPLE) else { return };
    for changes in [Changes::Dirsync, Changes::Usn] {
        let number = if changes == Changes::Usn { 8 } else { 9 };
        let config = config(&server, "PLAIN_DN", changes);
        let cursor = mark(&config);
        if let Cursor::Dirsync { object_security, .. } = &cursor {
            assert!(object_security);
        }
        let mail = format!("plain{number}@ad.test");
        server.modify(&format!(
            "dn: {}\nchangetype: modify\nreplace: mail\nmail: {mail}\n\ndn: {}\nchangetype: delete\n",
            user(1),
            user(number),
        ));
        let (people, report) = changed(&config, &cursor);
        assert_eq!(names(&people), ["CN=user000001"]);
        assert_eq!((report.gone, report.deletions_show), (Gone::Named(Vec::new()), false));
    }
}

#[test]
fn a_restored_domain_and_a_damaged_cookie_have_everybody_read() {
    let test = "changes_active_directory::a_restored_domain_and_a_damaged_cookie_have_everybody_read";
    let Some(mut server) = own_active_directory(test, PEOPLE) else { return };
    let dirsync = config(&server, "SYNC_DN", Changes::Dirsync);
    let usn = config(&server, "SYNC_DN", Changes::Usn);
    let (by_cookie, by_number) = (mark(&dirsync), mark(&usn));
    let Cursor::Dirsync { server: from, usn: highest, cookie, object_security } = by_cookie.clone() else { panic!() };
    let with = |cookie: &[u8]| Cursor::Dirsync {
        server: from.clone(),
        usn: highest,
        cookie: cookie.to_vec(),
        object_security,
    };
    for damaged in [&cookie[..20], &cookie[..cookie.len() / 2], b"garbage"] {
        assert_eq!(refused(&dirsync, &with(damaged)), WhyEverybody::Refused);
    }
    let elsewhere = Cursor::Usn { server: "00000000-0000-0000-0000-000000000001".into(), usn: 1 };
    assert_eq!(refused(&usn, &elsewhere), WhyEverybody::OtherServer);
    assert_eq!(refused(&dirsync, &by_number), WhyEverybody::OtherMethod);
    // the same domain controller from a copy of before the people came
    server.load(0);
    assert_eq!(refused(&dirsync, &by_cookie), WhyEverybody::Restored);
    assert_eq!(refused(&usn, &by_number), WhyEverybody::Restored);
}

#[test]
fn memberships_cannot_be_followed() {
    let Some(server) = own_active_directory("changes_active_directory::memberships_cannot_be_followed", PEOPLE) else {
        return;
    };
    let mut config = config(&server, "SYNC_DN", Changes::Auto);
    let cursor = mark(&config);
    config.filter = Some("(!(memberOf=CN=Nobody,DC=ad,DC=test))".into());
    let (people, report) = marked(&config);
    assert_eq!((people.len(), report.cursor, report.no_cursor), (PEOPLE, None, Some(WhyEverybody::Selection)));
    assert_eq!(refused(&config, &cursor), WhyEverybody::Selection);
    // other filters can: who no longer matches is gone, who matches from now on comes
    config.filter = Some("(department=IT)".into());
    let cursor = mark(&config);
    let set = |number, text: &str| {
        format!("dn: {}\nchangetype: modify\nreplace: department\ndepartment: {text}\n\n", user(number))
    };
    server.modify(&(set(10, "IT") + &set(11, "IT")));
    let (people, report) = changed(&config, &cursor);
    assert_eq!(names(&people), ["CN=user000010", "CN=user000011"]);
    let is_ten = |person: &&smimesync::people::Person| person.distinguished_name.starts_with("CN=user000010,");
    let identity = people.iter().find(is_ten).unwrap().identity.clone();
    server.modify(&set(10, "HR"));
    let (people, report) = changed(&config, &report.read.cursor.unwrap());
    assert_eq!((people.len(), report.gone), (0, Gone::Named(vec![identity])));
}
