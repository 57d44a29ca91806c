//! What real servers cannot be brought to do.

use std::time::{Duration, Instant};

use smimesync::config::Directory;
use smimesync::directory::Selection;
use smimesync::error::Code;

use crate::reader::{anonymous, directory, everybody, failed, people, simple, steps};
use crate::scripted_server::{Act, entry, page_end, person, reference, result, serve, tlv};

/// A configuration for a server that takes the bind, has an empty root DSE, and is asked for people from request 2 on.
fn asked(script: impl Fn(usize, &[u8]) -> Act + Send + Sync + 'static) -> Directory {
    let url = serve(move |number, request| match number {
        0 => Act::Send(vec![result(0x61, 0, "")]),
        1 => Act::Send(vec![page_end(b"")]),
        number => script(number - 2, request),
    });
    directory(&url, "dc=x", anonymous(), None)
}

fn contains(request: &[u8], part: &[u8]) -> bool {
    request.windows(part.len()).any(|window| window == part)
}

fn incomplete(config: &Directory, people: usize) -> String {
    let (read, report) = everybody(config).unwrap();
    let reason = report.incomplete_reason.unwrap();
    assert_eq!((read.len(), report.people, report.complete), (people, people as u64, false), "{reason}");
    assert_eq!(reason.code(), Code::DirectoryIncomplete);
    assert!(reason.get_target().unwrap().starts_with("ldap://"));
    reason.to_string()
}

#[test]
fn a_server_that_stops_in_the_middle_of_a_page() {
    let config = asked(|number, _| match number {
        0 => Act::Send(vec![person(1), person(2), page_end(b"next")]),
        _ => Act::SendAndClose(vec![person(3)]),
    });
    let reason = incomplete(&config, 3);
    assert!(reason.contains("closed the connection"), "{reason}");
}

#[test]
fn a_message_cut_in_its_middle() {
    let config = asked(|number, _| match number {
        0 => Act::Send(vec![person(1), page_end(b"next")]),
        _ => Act::Raw(vec![0x30, 0x84, 0, 0, 0, 90, 0x02, 0x01, 0x04]),
    });
    let config = Directory { timeout_ms: Some(300), ..config };
    let reason = incomplete(&config, 1);
    assert!(reason.contains("in time"), "{reason}");
}

#[test]
fn a_page_that_does_not_say_whether_more_follow() {
    let config = asked(|number, _| match number {
        0 => Act::Send(vec![person(1), page_end(b"next")]),
        _ => Act::Send(vec![person(2), result(0x65, 0, "")]),
    });
    incomplete(&config, 2);
}

#[test]
fn limits_of_the_server_in_the_middle() {
    for code in [3, 4, 11] {
        let config = asked(move |_, _| Act::Send(vec![person(1), result(0x65, code, "enough")]));
        assert!(incomplete(&config, 1).contains("enough"));
        let config = asked(move |_, _| Act::Send(vec![result(0x65, code, "")]));
        assert_eq!(everybody(&config).unwrap_err().code(), Code::DirectoryIncomplete);
    }
}

#[test]
fn a_right_that_is_lost_and_a_server_that_is_busy_between_two_pages() {
    for code in [3, 4, 10, 11, 50, 51, 52, 53, 80] {
        let config = asked(move |number, _| match number {
            0 => Act::Send(vec![person(1), page_end(b"next")]),
            _ => Act::Send(vec![result(0x65, code, "no more")]),
        });
        assert!(incomplete(&config, 1).contains("no more"), "{code}");
    }
}

#[test]
fn references_are_counted_and_referrals_are_not_followed() {
    let config = asked(|_, _| Act::Send(vec![person(1), reference("ldap://127.0.0.1:1/dc=y"), page_end(b"")]));
    let (people, report) = everybody(&config).unwrap();
    assert_eq!((people.len(), report.referrals, report.complete), (1, 1, true));
    let config = asked(|_, _| Act::Send(vec![person(1), result(0x65, 10, "")]));
    assert!(incomplete(&config, 1).contains("referral"));
}

#[test]
fn pages_without_entries_are_no_end() {
    let config = asked(|number, _| match number {
        0 | 1 => Act::Send(vec![page_end(b"next")]),
        _ => Act::Send(vec![person(1), page_end(b"")]),
    });
    let (people, report) = everybody(&config).unwrap();
    assert_eq!((people.len(), report.complete), (1, true));
}

#[test]
fn an_entry_that_comes_twice_is_one_person() {
    let config = asked(|number, _| match number {
        0 => Act::Send(vec![person(1), page_end(b"next")]),
        _ => Act::Send(vec![person(1), person(2), page_end(b"")]),
    });
    let (people, report) = everybody(&config).unwrap();
    assert_eq!((people.len(), report.complete), (2, true));
}

#[test]
fn every_spelling_of_options_is_accepted_and_ranges_are_fetched_to_their_end() {
    let config = asked(|number, request| match number {
        0 => Act::Send(vec![
            entry(
                "cn=a,dc=x",
                &[
                    ("OBJECTCLASS", &[b"inetOrgPerson"]),
                    ("UserCertificate;BINARY;Range=0-1", &[b"0a", b"0b"]),
                    ("usersmimecertificate;Binary", &[b"0s"]),
                ],
            ),
            page_end(b""),
        ]),
        1 => {
            assert!(contains(request, b"UserCertificate;range=2-*"));
            Act::Send(vec![entry("cn=a,dc=x", &[("userCertificate;range=2-2", &[b"0c"])]), result(0x65, 0, "")])
        }
        _ => {
            Act::Send(vec![entry("cn=a,dc=x", &[("userCertificate;binary;range=3-*", &[b"0d"])]), result(0x65, 0, "")])
        }
    });
    let (people, report) = everybody(&config).unwrap();
    assert_eq!((people.len(), people[0].values.len(), people[0].complete), (1, 5, true));
    assert!(report.complete);
}

#[test]
fn a_range_that_cannot_be_fetched_leaves_its_person_incomplete() {
    let config = asked(|number, _| match number {
        0 => Act::Send(vec![
            entry("cn=a,dc=x", &[("objectClass", &[b"inetOrgPerson"]), ("userCertificate;range=0-0", &[b"0a"])]),
            person(2),
            page_end(b""),
        ]),
        _ => Act::Send(vec![result(0x65, 50, "")]),
    });
    let (people, report) = everybody(&config).unwrap();
    assert!(!people[0].complete && people[1].complete && report.complete);
    assert_eq!(people[0].problems[0].code, "values_missing");
}

#[test]
fn malformed_messages_are_ordinary_errors() {
    let entry_without_attributes = tlv(0x64, &tlv(0x04, b"cn=a"));
    let malformed = [
        // a message without content, on which ldap3 panics
        vec![0x30, 0x00],
        // no message at all
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        // a search answered by an operation there is no such thing as
        tlv(0x30, &[tlv(0x02, &[3]), tlv(0x7E, b"")].concat()),
        tlv(0x30, &[tlv(0x02, &[3]), entry_without_attributes].concat()),
        vec![0xFF; 64],
    ];
    for bytes in malformed {
        let at_once = bytes.clone();
        let config = Directory { timeout_ms: Some(500), ..asked(move |_, _| Act::Raw(at_once.clone())) };
        let error = everybody(&config).unwrap_err();
        assert!(matches!(error.code(), Code::DirectoryProtocol | Code::DirectoryTimeout), "{bytes:x?}: {error}");
        let config = Directory {
            timeout_ms: Some(500),
            ..asked(move |number, _| match number {
                0 => Act::Send(vec![person(1), page_end(b"next")]),
                _ => Act::Raw(bytes.clone()),
            })
        };
        incomplete(&config, 1);
    }
}

#[test]
fn a_malformed_answer_to_the_bind_is_an_ordinary_error() {
    let url = serve(|_, _| Act::Raw(tlv(0x30, &[tlv(0x02, &[1]), tlv(0x61, b"")].concat())));
    let error = everybody(&directory(&url, "dc=x", anonymous(), None)).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryProtocol);
}

#[test]
fn silence_is_a_timeout() {
    let url = serve(|_, _| Act::Silence);
    let config = Directory { timeout_ms: Some(300), ..directory(&url, "dc=x", anonymous(), None) };
    let started = Instant::now();
    let error = everybody(&config).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryTimeout, Some(url.as_str())));
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn the_reason_of_a_refused_bind_is_put_into_words() {
    let words = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 775, v1db1";
    let url = serve(move |_, _| Act::Send(vec![result(0x61, 49, words)]));
    let mut config = directory(&url, "dc=x", simple("cn=a", "p"), None);
    config.bind.allow_plaintext = true;
    let error = everybody(&config).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryAuth);
    assert!(error.to_string().contains("the account is locked"), "{error}");
    assert_eq!(failed(&steps(&config)).step, "bind");
}

#[test]
fn a_busy_server_is_left_for_the_next() {
    let busy = serve(|_, _| Act::Send(vec![result(0x61, 51, "")]));
    let mut config = asked(|_, _| Act::Send(vec![person(1), page_end(b"")]));
    let good = config.urls[0].clone();
    config.urls.insert(0, busy);
    let (people, report) = everybody(&config).unwrap();
    assert_eq!((people.len(), report.server), (1, Some(good)));
}

#[test]
fn a_limit_asks_for_no_more_than_it_needs() {
    let config = asked(|_, request| {
        assert!(contains(request, &[0x02, 0x01, 0x03]), "a page of three for a limit of two");
        Act::Send(vec![person(1), person(2), person(3), page_end(b"next")])
    });
    let (read, report) = people(&config, &Selection { limit: Some(2), ..Selection::default() }).unwrap();
    assert_eq!((read.len(), report.limit_reached, report.complete), (2, true, false));
}
