//! Changes as real servers here cannot be brought to tell them: many rounds, refused cookies, ends in the middle.

use std::sync::Mutex;

use smimesync::config::Directory;
use smimesync::directory::{Cursor, Gone, Selection, Since, WhyEverybody};
use smimesync::error::Code;

use crate::deltas::{asked, changed, mark, names, refused};
use crate::reader::{anonymous, directory};
use crate::scripted_server::{
    ACTIVE_DIRECTORY, Act, Answer, Operation, Request, SyncState, dir_sync_end, entry, number, octets, page_end,
    result, serve_requests, sync_done, sync_entry, sync_id_set, sync_phase_end, tlv,
};

const SERVICE: &str = "CN=NTDS Settings,CN=DC,DC=x";
const INVOCATION: [u8; 16] = [7; 16];

fn guid(number: u8) -> [u8; 16] {
    [number; 16]
}

/// The identity of a GUID whose octets are all the same.
fn identity(number: u8) -> String {
    let pair = format!("{number:02x}");
    let part = |count: usize| pair.repeat(count);
    [part(4), part(2), part(2), part(2), part(6)].join("-")
}

fn invocation() -> String {
    identity(INVOCATION[0])
}

/// A domain controller that asks `script` about everything but binds, its root DSE and its own identity.
fn domain_controller(script: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Directory {
    let url = serve_requests(move |request| match &request.operation {
        Operation::Bind { .. } => Act::Send(vec![result(0x61, 0, "")]),
        Operation::Search { .. } if request.is_root_dse() => {
            let attributes: &[(&str, &[&[u8]])] = &[
                ("supportedCapabilities", &[ACTIVE_DIRECTORY]),
                ("supportedControl", &[b"1.2.840.113556.1.4.841"]),
                ("namingContexts", &[b"CN=Configuration,DC=x", b"DC=x"]),
                ("dsServiceName", &[SERVICE.as_bytes()]),
                ("highestCommittedUSN", &[b"100"]),
            ];
            Act::Send(vec![entry("", attributes), result(0x65, 0, "")])
        }
        Operation::Search { base, .. } if base == SERVICE => {
            Act::Send(vec![entry(SERVICE, &[("invocationId", &[&INVOCATION])]), page_end(b"")])
        }
        _ => script(request),
    });
    directory(&url, "DC=x", anonymous(), None)
}

fn cookie(text: &[u8]) -> Cursor {
    Cursor::Dirsync { server: invocation(), usn: 90, cookie: text.to_vec(), object_security: false }
}

fn user(number: u8) -> Answer {
    let (dn, mail) = (format!("CN=u{number},DC=x"), format!("u{number}@x.test"));
    entry(&dn, &[("objectClass", &[b"user"]), ("objectGUID", &[&guid(number)]), ("mail", &[mail.as_bytes()])])
}

fn touched(number: u8) -> Answer {
    entry(&format!("CN=u{number},DC=x"), &[("objectGUID", &[&guid(number)]), ("mail", &[])])
}

fn tombstone(number: u8) -> Answer {
    let dn = format!("CN=u{number}\\0ADEL:{},CN=Deleted Objects,DC=x", identity(number));
    entry(&dn, &[("objectGUID", &[&guid(number)]), ("isDeleted", &[b"TRUE"]), ("mail", &[])])
}

/// Those a search asks for by GUID, of the ones that exist.
fn asked_for(request: &Request, there: &[u8]) -> Act {
    let is_asked = |number: &&u8| request.bytes.windows(16).any(|window| window == guid(**number));
    let mut answers: Vec<_> = there.iter().filter(is_asked).map(|number| user(*number)).collect();
    answers.push(page_end(b""));
    Act::Send(answers)
}

#[test]
fn dirsync_goes_on_until_there_is_no_more() {
    let config = domain_controller(|request| match request.dir_sync() {
        Some(asked) => {
            assert_eq!(asked.flags, 0);
            assert!(request.attributes().iter().any(|name| name == "name"), "renames show by name alone");
            match asked.cookie.as_slice() {
                b"begin" => Act::Send(vec![touched(1), dir_sync_end(1, b"one")]),
                // a round may be empty
                b"one" => Act::Send(vec![dir_sync_end(1, b"two")]),
                b"two" => Act::Send(vec![touched(2), tombstone(3), dir_sync_end(0, b"end")]),
                other => panic!("{other:?}"),
            }
        }
        None => asked_for(request, &[1, 2]),
    });
    let (people, report) = changed(&config, &cookie(b"begin"));
    assert_eq!(names(&people), ["CN=u1", "CN=u2"]);
    assert_eq!(report.gone, Gone::Named(vec![identity(3)]));
    assert!(report.deletions_show, "whoever may replicate sees tombstones on Windows");
    let next = Cursor::Dirsync { server: invocation(), usn: 100, cookie: b"end".to_vec(), object_security: false };
    assert_eq!(report.read.cursor, Some(next));
}

#[test]
fn without_the_right_to_replicate_the_account_s_own_rights_do() {
    let config = domain_controller(|request| match request.dir_sync() {
        Some(asked) if asked.flags == 0 => Act::Send(vec![result(0x65, 50, "")]),
        Some(asked) => {
            assert_eq!(asked.flags, 1);
            Act::Send(vec![dir_sync_end(0, b"mine")])
        }
        None => asked_for(request, &[]),
    });
    let Cursor::Dirsync { cookie, object_security, usn, .. } = mark(&config) else { panic!() };
    assert_eq!((cookie, object_security, usn), (b"mine".to_vec(), true, 100));
}

#[test]
fn a_server_without_dirsync_counts() {
    let config = domain_controller(|request| match request.dir_sync() {
        Some(_) => Act::Send(vec![result(0x65, 12, "")]),
        None => asked_for(request, &[]),
    });
    assert_eq!(mark(&config), Cursor::Usn { server: invocation(), usn: 100 });
}

#[test]
fn a_refused_cookie_has_everybody_read_and_an_end_in_the_middle_is_an_error() {
    for code in [1, 12, 53] {
        let config = domain_controller(move |_| Act::Send(vec![result(0x65, code, "")]));
        assert_eq!(refused(&config, &cookie(b"begin")), WhyEverybody::Refused, "{code}");
    }
    let future = Cursor::Dirsync { server: invocation(), usn: 101, cookie: Vec::new(), object_security: false };
    assert_eq!(refused(&domain_controller(|_| Act::Close), &future), WhyEverybody::Restored);
    let ends: [fn() -> Act; 3] = [
        || Act::Close,
        || Act::Send(vec![result(0x65, 4, "enough")]),
        || Act::Send(vec![touched(2), result(0x65, 12, "")]),
    ];
    for end in ends {
        let config = domain_controller(move |request| match request.dir_sync() {
            Some(asked) if asked.cookie == b"begin" => Act::Send(vec![touched(1), dir_sync_end(1, b"one")]),
            Some(_) => end(),
            None => panic!("people are read before the changes are known"),
        });
        let since = Since { cursor: cookie(b"begin"), besides: Vec::new() };
        let error = asked(&config, &Selection::default(), &since).unwrap_err();
        let code = error.code();
        assert!(
            matches!(code, Code::DirectoryUnreachable | Code::DirectoryIncomplete | Code::DirectoryProtocol),
            "{error}"
        );
    }
}

#[test]
fn an_end_while_people_are_read_keeps_those_who_came_and_makes_nobody_gone() {
    let config = domain_controller(|request| match request.dir_sync() {
        Some(_) => Act::Send(vec![touched(1), tombstone(3), dir_sync_end(0, b"end")]),
        None => Act::SendAndClose(vec![user(1)]),
    });
    let (people, report) = changed(&config, &cookie(b"begin"));
    assert_eq!((people.len(), report.read.complete), (1, false));
    assert_eq!(report.read.incomplete_reason.unwrap().code(), Code::DirectoryIncomplete);
}

#[test]
fn who_cannot_be_seen_any_more_is_neither_changed_nor_gone() {
    let config = domain_controller(|request| match request.dir_sync() {
        Some(_) => Act::Send(vec![touched(1), touched(2), touched(3), dir_sync_end(0, b"end")]),
        // 2 exists and is not among the wanted, 3 is not to be seen
        None if request.contains("objectCategory") => asked_for(request, &[1]),
        None => asked_for(request, &[2]),
    });
    let (people, report) = changed(&config, &cookie(b"begin"));
    assert_eq!(names(&people), ["CN=u1"]);
    assert_eq!((report.gone, report.unseen), (Gone::Named(vec![identity(2)]), vec![identity(3)]));
}

const CONTEXT: [u8; 16] = [9; 16];
const SYNC: &[u8] = b"1.3.6.1.4.1.4203.1.9.1.1";

/// A standard server that asks `script` about content synchronisations, told apart by base and cookie.
fn standard(
    bases: &[&str],
    script: impl Fn(&str, &[u8]) -> Vec<Answer> + Send + Sync + 'static,
) -> (Directory, Cursor) {
    let url = serve_requests(move |request| match &request.operation {
        Operation::Bind { .. } => Act::Send(vec![result(0x61, 0, "")]),
        Operation::Search { .. } if request.is_root_dse() => {
            let attributes: &[(&str, &[&[u8]])] = &[("supportedControl", &[SYNC]), ("namingContexts", &[b"dc=x"])];
            Act::Send(vec![entry("", attributes), result(0x65, 0, "")])
        }
        Operation::Search { base, scope: 0, .. } if base == "dc=x" => {
            let text = identity(CONTEXT[0]);
            Act::Send(vec![entry("dc=x", &[("entryUUID", &[text.as_bytes()])]), page_end(b"")])
        }
        Operation::Search { base, .. } => match request.sync_cookie() {
            Some(cookie) => Act::Send(script(base, &cookie)),
            None => Act::Send(vec![page_end(b"")]),
        },
        _ => Act::Close,
    });
    let config = Directory {
        bases: bases.iter().map(|base| (*base).to_owned()).collect(),
        ..directory(&url, "dc=x", anonymous(), None)
    };
    let cookies = bases.iter().map(|base| ((*base).to_owned(), b"old".to_vec())).collect();
    (config, Cursor::Syncrepl { server: Some(identity(CONTEXT[0])), cookies, containers: Default::default() })
}

fn person(number: u8, state: SyncState) -> Answer {
    let (dn, id) = (format!("cn=u{number},ou=a,dc=x"), identity(number));
    let attributes: &[(&str, &[&[u8]])] = &[("objectClass", &[b"inetOrgPerson"]), ("entryUUID", &[id.as_bytes()])];
    sync_entry(entry(&dn, attributes), state, guid(number), None)
}

#[test]
fn deletions_come_as_entries_and_as_sets() {
    let (config, cursor) = standard(&["ou=a,dc=x"], |_, cookie| {
        assert_eq!(cookie, b"old");
        vec![
            person(1, SyncState::Add),
            person(2, SyncState::Modify),
            person(3, SyncState::Delete),
            sync_id_set(true, &[guid(4), guid(5)], Some(b"between")),
            sync_phase_end(true, true, None),
            sync_done(0, b"new", true),
        ]
    });
    let (people, report) = changed(&config, &cursor);
    assert_eq!(names(&people), ["cn=u1", "cn=u2"]);
    assert_eq!(report.gone, Gone::Named([3, 4, 5].map(identity).to_vec()));
    let Some(Cursor::Syncrepl { cookies, .. }) = report.read.cursor else { panic!() };
    assert_eq!(cookies, [("ou=a,dc=x".to_owned(), b"new".to_vec())]);
}

#[test]
fn a_present_phase_leaves_out_who_is_gone() {
    let (config, cursor) = standard(&["ou=a,dc=x"], |_, _| {
        vec![
            person(1, SyncState::Present),
            person(2, SyncState::Modify),
            sync_id_set(false, &[guid(3)], None),
            sync_phase_end(false, true, None),
            sync_done(0, b"new", false),
        ]
    });
    let (people, report) = changed(&config, &cursor);
    assert_eq!(names(&people), ["cn=u2"]);
    let there = [1, 2, 3].map(|number| smimesync::directory::person_key(&identity(number)));
    assert_eq!(report.gone, Gone::AllBut(there.into_iter().collect()));
}

#[test]
fn one_base_s_present_phase_says_nothing_of_another_s() {
    let (config, cursor) = standard(&["ou=a,dc=x", "ou=b,dc=x"], |base, _| match base {
        "ou=a,dc=x" => vec![person(1, SyncState::Present), sync_done(0, b"new", false)],
        _ => vec![sync_done(0, b"new", true)],
    });
    assert_eq!(refused(&config, &cursor), WhyEverybody::Refused);
}

#[test]
fn a_refresh_that_is_required_and_an_answer_without_an_end_have_everybody_read() {
    let required = || (tlv(0x65, &[number(0x0A, 4096), octets(b""), octets(b"")].concat()), Vec::new());
    let (config, cursor) = standard(&["ou=a,dc=x"], move |_, _| vec![required()]);
    assert_eq!(refused(&config, &cursor), WhyEverybody::Refused);
    let (config, cursor) = standard(&["ou=a,dc=x"], |_, _| vec![result(0x65, 0, "")]);
    assert_eq!(refused(&config, &cursor), WhyEverybody::Unsupported);
}

#[test]
fn a_limit_within_a_synchronisation_is_no_end_of_it() {
    let (config, cursor) =
        standard(&["ou=a,dc=x"], |_, _| vec![person(1, SyncState::Present), sync_done(4, b"new", false)]);
    let since = Since { cursor, besides: Vec::new() };
    assert_eq!(asked(&config, &Selection::default(), &since).unwrap_err().code(), Code::DirectoryIncomplete);
}

#[test]
fn the_cursor_is_taken_before_the_people_are_read() {
    let order: &'static Mutex<Vec<&str>> = Box::leak(Box::new(Mutex::new(Vec::new())));
    let config = domain_controller(move |request| {
        let is_dirsync = request.dir_sync().is_some();
        order.lock().unwrap().push(if is_dirsync { "cookie" } else { "people" });
        if is_dirsync { Act::Send(vec![dir_sync_end(0, b"c")]) } else { asked_for(request, &[]) }
    });
    mark(&config);
    assert_eq!(*order.lock().unwrap(), ["cookie", "people"]);
}
