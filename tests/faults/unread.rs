//! A directory that is not read to its end: additions are made, nothing is removed, the run says so.

use serde_json::{Value as Json, json};
use smimesync::error::Code;
use smimesync::session::Verb;
use smimesync_tenant::{Fault, FaultKind, Switches, When};

use crate::bench::{Bench, Human, text};
use crate::scripted_server::{Act, entry, page_end, reference, result, serve};

fn ldap(url: &str) -> Json {
    json!({ "directory": {
        "kind": "ldap", "path": null, "urls": [url], "base": "dc=x", "bind": { "method": "anonymous" }, "timeout_ms": 500,
        // the script counts requests, and a cursor takes some
        "changes": "none",
    } })
}

fn person(human: &Human) -> (Vec<u8>, Vec<u8>) {
    let (identity, address) = (human.identity(), human.address());
    let values: Vec<&[u8]> = human.values.iter().map(Vec::as_slice).collect();
    entry(
        &format!("cn={identity},dc=x"),
        &[
            ("objectClass", &[b"inetOrgPerson"]),
            ("entryUUID", &[identity.as_bytes()]),
            ("mail", &[address.as_bytes()]),
            ("userCertificate;binary", &values),
        ],
    )
}

/// The first of two people comes on a page of its own; what follows is up to the act.
fn stops(bench: &Bench, act: impl Fn((Vec<u8>, Vec<u8>)) -> Act + Send + Sync + 'static) -> String {
    let (first, second) = (person(&bench.people[0]), person(&bench.people[1]));
    serve(move |number, _| match number {
        0 => Act::Send(vec![result(0x61, 0, "")]),
        1 => Act::Send(vec![page_end(b"")]),
        2 => Act::Send(vec![first.clone(), page_end(b"next")]),
        _ => act(second.clone()),
    })
}

fn only_additions(bench: &Bench, url: &str, read: &[&Human]) {
    let before: Vec<_> = bench.people.iter().map(|human| bench.held(human)).collect();
    let outcome = bench.run(&ldap(url), Verb::Sync, &json!({}));
    assert_eq!(outcome.failure(), (Code::DirectoryIncomplete, "directory_incomplete", url));
    assert!(outcome.error.as_ref().unwrap().is_transient());
    assert_eq!(outcome.with_result("applied").len(), read.len());
    for (human, before) in bench.people.iter().zip(before) {
        let now = bench.held(human);
        assert!(before.iter().all(|value| now.contains(value)), "a value of {} is gone", human.address());
        let was_read = read.iter().any(|other| other.identity() == human.identity());
        assert_eq!(human.values.iter().all(|value| now.contains(value)), was_read, "{}", human.address());
    }
    bench.assert_recorded("incomplete", Some(Code::DirectoryIncomplete));
    assert!(bench.store().last_complete_read().unwrap().is_none(), "an incomplete read is no base for who vanished");
}

#[test]
fn in_the_middle_of_a_page() {
    let bench = Bench::with_expired(3);
    let url = stops(&bench, |second| Act::SendAndClose(vec![second]));
    only_additions(&bench, &url, &[&bench.people[0], &bench.people[1]]);
}

#[test]
fn in_the_middle_of_a_message() {
    let bench = Bench::with_expired(3);
    let url = stops(&bench, |_| Act::Raw(vec![0x30, 0x84, 0, 0, 0, 90, 0x02, 0x01, 0x04]));
    only_additions(&bench, &url, &[&bench.people[0]]);
}

#[test]
fn by_silence() {
    let bench = Bench::with_expired(3);
    let url = stops(&bench, |_| Act::Silence);
    only_additions(&bench, &url, &[&bench.people[0]]);
}

#[test]
fn by_a_limit_of_the_server() {
    let bench = Bench::with_expired(3);
    let url = stops(&bench, |second| Act::Send(vec![second, result(0x65, 4, "enough")]));
    only_additions(&bench, &url, &[&bench.people[0], &bench.people[1]]);
}

#[test]
fn references_to_other_servers_do_not_make_it_incomplete() {
    let bench = Bench::new(2);
    let url = stops(&bench, |second| Act::Send(vec![second, reference("ldap://127.0.0.1:1/dc=y"), page_end(b"")]));
    let outcome = bench.run(&ldap(&url), Verb::Sync, &json!({}));
    assert!(outcome.error.is_none());
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
}

#[test]
fn nobody_vanishes_by_an_incomplete_read() {
    let bench = Bench::new(3);
    let complete = stops(&bench, {
        let third = person(&bench.people[2]);
        move |second| Act::Send(vec![second, third.clone(), page_end(b"")])
    });
    assert!(bench.run(&ldap(&complete), Verb::Sync, &json!({})).error.is_none());
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
    let writes = bench.writes();
    let url = stops(&bench, |_| Act::SendAndClose(Vec::new()));
    let outcome = bench.run(&ldap(&url), Verb::Sync, &json!({}));
    assert_eq!(outcome.failure(), (Code::DirectoryIncomplete, "directory_incomplete", url.as_str()));
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
    assert_eq!(bench.writes(), writes);
}

#[test]
fn an_export_that_breaks_off() {
    let bench = Bench::with_expired(3);
    let path = bench.path("people.ldif");
    let export = std::fs::read_to_string(&path).unwrap();
    let second = export.find("dn: cn=u2").unwrap();
    std::fs::write(&path, format!("{}this is no LDIF\n", &export[..second])).unwrap();
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({}));
    let path = path.display().to_string();
    assert_eq!(outcome.failure(), (Code::DirectoryIncomplete, "directory_incomplete", path.as_str()));
    assert_eq!(outcome.with_result("applied").len(), 1);
    assert_eq!(text(outcome.of(&bench.people[0]), "action"), "set");
    assert_eq!(bench.held(&bench.people[0]).len(), 2, "the expired value stays");
    bench.assert_recorded("incomplete", Some(Code::DirectoryIncomplete));
}

#[test]
fn a_list_of_recipients_that_breaks_off() {
    let bench = Bench::with_expired(5);
    let before = bench.tenant.state().recipients;
    let cuts = Fault { after: 2, count: 100, ..Fault::once(FaultKind::Reset { when: When::Before }) };
    bench.tenant.set_switches(Switches { page_size: 2, faults: vec![cuts], ..Switches::default() }).unwrap();
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({}));
    assert_eq!(outcome.failure(), (Code::ExchangeIncomplete, "network", bench.url()));
    assert!(outcome.rows.is_empty());
    assert_eq!((bench.tenant.state().recipients, bench.writes()), (before, 0));
    bench.assert_recorded("failed", Some(Code::ExchangeIncomplete));
}

#[test]
fn a_right_that_is_lost_between_two_pages() {
    for (fault, code, category) in
        [(FaultKind::Forbidden, Code::ExchangeDenied, "denied"), (FaultKind::TokenExpired, Code::ExchangeAuth, "auth")]
    {
        let bench = Bench::with_expired(5);
        let faults = vec![Fault { after: 2, ..Fault::once(fault) }];
        bench.tenant.set_switches(Switches { page_size: 2, faults, ..Switches::default() }).unwrap();
        let patch = json!({"exchange": {"auth": {"method": "token", "token": bench.token()}}});
        let outcome = bench.run(&patch, Verb::Sync, &json!({}));
        assert_eq!(outcome.failure(), (code, category, bench.url()));
        assert_eq!(bench.writes(), 0);
        bench.assert_recorded("failed", Some(code));
    }
}
