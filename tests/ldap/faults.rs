//! Servers that fail: what was read is kept, nothing is taken for gone, and the reason is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use smimesync::config::Directory;
use smimesync::directory::{Selection, read};
use smimesync::error::{Category, Code};

use crate::reader::{anonymous, directory, everybody, failed, run, simple, steps};
use crate::scripted_server::{
    ACTIVE_DIRECTORY, Act, Answer, Operation, Request, entry, number, octets, page_end, person, result, serve_requests,
    tlv,
};

/// Takes the bind, has an empty root DSE, and leaves the rest to a script that gets the search's number from 0.
fn searched(script: impl Fn(usize, &Request) -> Act + Send + Sync + 'static) -> String {
    serve_requests(move |request| match request.operation {
        Operation::Bind { .. } => Act::Send(vec![result(0x61, 0, "")]),
        _ if request.is_root_dse() => Act::Send(vec![page_end(b"")]),
        _ => script(request.number - 2, request),
    })
}

fn config(url: &str) -> Directory {
    Directory { timeout_ms: Some(1500), ..directory(url, "dc=x", anonymous(), None) }
}

/// Everybody, and why it was not everybody.
fn incomplete(config: &Directory) -> (usize, String) {
    let (people, report) = everybody(config).unwrap();
    let reason = report.incomplete_reason.unwrap();
    assert_eq!((report.complete, reason.code()), (false, Code::DirectoryIncomplete));
    (people.len(), reason.to_string())
}

fn pages(pages: Vec<Vec<Answer>>) -> impl Fn(usize) -> Act + Send + Sync {
    move |number| Act::Send(pages[number].clone())
}

#[test]
fn a_server_killed_in_the_middle_of_a_page_is_replaced_by_the_next() {
    let dying = searched(|number, _| match number {
        0 => Act::Send(vec![person(1), person(2), page_end(b"next")]),
        _ => Act::SendAndClose(vec![person(3)]),
    });
    let all = pages(vec![vec![person(3), person(1), page_end(b"x")], vec![person(4), person(2), page_end(b"")]]);
    let standing = searched(move |number, request| {
        // the other server's cookie would mean nothing here
        assert_eq!(request.page().unwrap().1, if number == 0 { b"".to_vec() } else { b"x".to_vec() });
        all(number)
    });
    let mut config = config(&dying);
    config.urls.push(standing.clone());
    let (people, report) = everybody(&config).unwrap();
    let mut names: Vec<_> = people.iter().map(|person| person.distinguished_name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cn=u1,dc=x", "cn=u2,dc=x", "cn=u3,dc=x", "cn=u4,dc=x"], "nobody twice, nobody missed");
    assert_eq!((report.complete, report.server.as_deref()), (true, Some(standing.as_str())));
    assert_eq!((report.replaced.len(), report.replaced[0].get_target()), (1, Some(dying.as_str())));
}

#[test]
fn each_server_is_tried_once_and_the_read_ends_incomplete_when_none_is_left() {
    let begun = Arc::new(AtomicUsize::new(0));
    let dying = |begun: Arc<AtomicUsize>| {
        searched(move |number, _| {
            begun.fetch_add(usize::from(number == 0), Ordering::Relaxed);
            Act::SendAndClose(vec![person(1)])
        })
    };
    let mut config = config(&dying(Arc::clone(&begun)));
    config.urls.push(dying(Arc::clone(&begun)));
    let (people, reason) = incomplete(&config);
    assert_eq!((people, begun.load(Ordering::Relaxed)), (1, 2));
    assert!(reason.contains("closed the connection"), "{reason}");
}

#[test]
fn a_message_that_claims_two_gigabytes_is_not_waited_for() {
    let url = searched(|_, _| {
        let head = vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF, 0x02, 0x01, 0x03];
        Act::All(vec![Act::Raw(head), Act::Silence])
    });
    let started = Instant::now();
    let error = everybody(&Directory { timeout_ms: Some(20_000), ..config(&url) }).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!((error.code(), error.category()), (Code::DirectoryProtocol, Category::Network));
    assert!(error.to_string().contains("longer than 16 MiB"), "{error}");
}

#[test]
fn an_entry_above_sixteen_mebibytes_ends_the_read_with_its_name() {
    // the message is an entry's own, so pages of fewer people would change nothing
    let url = searched(|_, _| {
        let entry =
            [&[0x64, 0x84, 0x01, 0, 1, 0][..], &octets(b"cn=large,dc=x"), &[0x30, 0x84, 0x01, 0, 0, 0]].concat();
        let head = [&[0x30, 0x84, 0x01, 0, 2, 0][..], &number(0x02, 3), &entry].concat();
        Act::All(vec![Act::Send(vec![person(1), person(2)]), Act::Raw(head), Act::Silence])
    });
    let (people, reason) = incomplete(&config(&url));
    assert_eq!(people, 2);
    assert!(reason.contains("the entry cn=large,dc=x is longer than 16 MiB"), "{reason}");
}

#[test]
fn garbage_is_an_error_of_the_network_and_not_waited_for() {
    for bytes in
        [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), vec![0; 64], vec![0x30, 0x80, 0, 0], vec![0x15, 3, 3, 0]]
    {
        let shown = format!("{bytes:x?}");
        let url = searched(move |_, _| Act::All(vec![Act::Raw(bytes.clone()), Act::Silence]));
        let started = Instant::now();
        let error = everybody(&Directory { timeout_ms: Some(20_000), ..config(&url) }).unwrap_err();
        assert_eq!(error.category(), Category::Network, "{shown}: {error}");
        assert!(started.elapsed() < Duration::from_secs(10), "{shown}");
    }
}

#[test]
fn a_message_nested_deeper_than_any_of_ldap_does_no_harm() {
    // a library that follows it by recursion would be at the end of its stack
    let levels: u32 = 200_000;
    let mut nested = Vec::new();
    for inner in (0..levels).rev() {
        nested.extend_from_slice(&[0x30, 0x84]);
        nested.extend_from_slice(&(6 * inner).to_be_bytes());
    }
    let url = searched(move |_, _| Act::Raw(tlv(0x30, &[tlv(0x02, &[3]), tlv(0x64, &nested)].concat())));
    assert_eq!(everybody(&config(&url)).unwrap_err().code(), Code::DirectoryProtocol);
}

#[test]
fn an_answer_to_another_operation_is_malformed() {
    let url = searched(|_, _| Act::Send(vec![result(0x61, 0, "")]));
    let error = everybody(&config(&url)).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryProtocol);
}

#[test]
fn answers_nobody_waits_for_are_passed_over() {
    let late = tlv(0x30, &[number(0x02, 99), person(7).0].concat());
    let url = searched(move |_, _| Act::All(vec![Act::Raw(late.clone()), Act::Send(vec![person(1), page_end(b"")])]));
    let (people, report) = everybody(&config(&url)).unwrap();
    assert_eq!((people.len(), report.complete), (1, true));
}

#[test]
fn a_server_that_says_why_it_ends_the_connection_is_quoted() {
    let operation = [tlv(0x0A, &[52]), octets(b""), octets(b"the server is shutting down")].concat();
    // Active Directory puts the notice's name behind the operation
    let windows = tlv(0x30, &[tlv(0x02, &[0]), tlv(0x78, &operation), tlv(0x8A, b"1.3.6.1.4.1.1466.20036")].concat());
    let named = tlv(0x78, &[operation, tlv(0x8A, b"1.3.6.1.4.1.1466.20036")].concat());
    let standard = tlv(0x30, &[tlv(0x02, &[0]), named].concat());
    for notice in [windows, standard] {
        let url = searched(move |number, _| match number {
            0 => Act::Send(vec![person(1), page_end(b"next")]),
            _ => Act::All(vec![Act::Raw(notice.clone()), Act::Close]),
        });
        let (people, reason) = incomplete(&config(&url));
        assert_eq!(people, 1);
        assert!(reason.contains("result 52 the server is shutting down"), "{reason}");
    }
}

#[test]
fn a_connection_closed_while_idle_is_told_as_such() {
    let url = searched(|number, _| match number {
        0 => Act::All(vec![Act::Send(vec![person(1), page_end(b"next")]), Act::Close]),
        _ => Act::Silence,
    });
    let (people, reason) = incomplete(&config(&url));
    assert_eq!(people, 1);
    assert!(reason.contains("closed the connection"), "{reason}");
}

#[test]
fn a_server_slow_to_a_crawl_is_a_timeout_when_one_answer_takes_too_long() {
    let url = searched(|number, _| match number {
        0 => Act::Send(vec![person(1), page_end(b"next")]),
        _ => Act::Crawl(vec![person(2), page_end(b"")], Duration::from_millis(100)),
    });
    let started = Instant::now();
    let (people, reason) = incomplete(&config(&url));
    assert_eq!(people, 1);
    assert!(reason.contains("in time"), "{reason}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_slow_server_is_waited_for_as_long_as_each_answer_comes_in_time() {
    let slowly = (1..=4).flat_map(|number| [Act::Wait(Duration::from_millis(700)), Act::Send(vec![person(number)])]);
    let acts = std::sync::Mutex::new(Some(slowly.chain([Act::Send(vec![page_end(b"")])]).collect()));
    let url = searched(move |_, _| Act::All(acts.lock().unwrap().take().unwrap()));
    let (people, report) = everybody(&config(&url)).unwrap();
    assert_eq!((people.len(), report.complete), (4, true));
}

#[test]
fn busy_and_unavailable_servers_are_left_for_the_next_also_in_the_middle() {
    for code in [51, 52] {
        let busy = searched(move |number, _| match number {
            0 => Act::Send(vec![person(1), page_end(b"next")]),
            _ => Act::Send(vec![result(0x65, code, "come back later")]),
        });
        let (people, reason) = incomplete(&config(&busy));
        assert!(people == 1 && reason.contains("come back later"), "{reason}");
        let good = searched(|_, _| Act::Send(vec![person(1), person(2), page_end(b"")]));
        let mut config = config(&busy);
        config.urls.push(good);
        let (people, report) = everybody(&config).unwrap();
        assert_eq!((people.len(), report.complete, report.replaced.len()), (2, true, 1));
    }
}

#[test]
fn a_limit_of_the_server_is_no_reason_to_ask_another() {
    let limited = searched(|_, _| Act::Send(vec![person(1), result(0x65, 4, "")]));
    let other = searched(|_, _| Act::Send(vec![person(2), page_end(b"")]));
    let mut config = config(&limited);
    config.urls.push(other);
    assert_eq!(incomplete(&config).0, 1);
}

#[test]
fn every_reason_active_directory_gives_for_a_refused_bind_is_put_into_words() {
    for (sub_code, words) in [
        ("52e", "wrong user or password"),
        ("530", "at this time"),
        ("531", "from this computer"),
        ("532", "the password has expired"),
        ("533", "the account is disabled"),
        ("701", "the account has expired"),
        ("773", "the password must be changed"),
        ("775", "the account is locked"),
    ] {
        let said =
            format!("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {sub_code}, v1db1");
        let url = serve_requests(move |_| Act::Send(vec![result(0x61, 49, &said)]));
        let mut config = directory(&url, "dc=x", simple("cn=a", "p"), None);
        config.bind.allow_plaintext = true;
        let error = everybody(&config).unwrap_err();
        assert_eq!(error.code(), Code::DirectoryAuth);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(failed(&steps(&config)).step, "bind");
    }
}

#[test]
fn servers_that_require_protection_are_told_as_such() {
    for (code, said, words) in [
        (8, "BindSimple: Transport encryption required.", "signing or tls"),
        (
            8,
            "00002028: LdapErr: DSID-0C090254, comment: The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection, data 0, v4563",
            "signing or tls",
        ),
        (
            49,
            "80090346: LdapErr: DSID-0C090597, comment: AcceptSecurityContext error, data 80090346, v4563",
            "channel binding",
        ),
    ] {
        let url = serve_requests(move |_| Act::Send(vec![result(0x61, code, said)]));
        let mut config = directory(&url, "dc=x", simple("cn=a", "p"), None);
        config.bind.allow_plaintext = true;
        let error = everybody(&config).unwrap_err();
        assert_eq!(error.code(), Code::DirectoryAuth);
        assert!(error.to_string().to_lowercase().contains(words), "{error}");
    }
}

/// Groups by name and what else there is, each asked for by itself.
fn grouped(active_directory: bool, entries: Vec<Answer>) -> impl Fn(&Request) -> Act + Send + Sync {
    move |request| match (&request.operation, request.base()) {
        (Operation::Bind { .. }, _) => Act::Send(vec![result(0x61, 0, "")]),
        _ if request.is_root_dse() && active_directory => {
            Act::Send(vec![entry("", &[("supportedCapabilities", &[ACTIVE_DIRECTORY])]), result(0x65, 0, "")])
        }
        _ if request.is_root_dse() => Act::Send(vec![entry("", &[]), result(0x65, 0, "")]),
        (_, Some("dc=x")) => Act::Send((1..=4).map(person).chain([page_end(b"")]).collect()),
        (_, base) => {
            let wanted = octets(base.unwrap().as_bytes());
            let found = entries.iter().find(|entry| entry.0[6..].starts_with(&wanted));
            Act::Send(
                found.cloned().into_iter().chain([result(0x65, if found.is_some() { 0 } else { 32 }, "")]).collect(),
            )
        }
    }
}

#[test]
fn groups_within_groups_are_followed_once_each() {
    let class: (&str, &[&[u8]]) = ("objectClass", &[b"groupOfUniqueNames"]);
    let entries = vec![
        entry("cn=a,dc=x", &[class, ("uniqueMember", &[b"cn=u1,dc=x#'01'B", b"CN=b, DC=x", b"cn=a,dc=x"])]),
        entry("CN=b, DC=x", &[("objectClass", &[b"groupOfNames"]), ("member", &[b"cn=a,dc=x", b"cn=u3,dc=x"])]),
    ];
    let url = serve_requests(grouped(false, entries));
    let group = |dn: &str| Directory { group: Some(dn.into()), ..config(&url) };
    let (people, report) = everybody(&group("cn=a,dc=x")).unwrap();
    let names: Vec<_> = people.iter().map(|person| person.distinguished_name.as_str()).collect();
    assert_eq!((names, report.complete), (vec!["cn=u1,dc=x", "cn=u3,dc=x"], true));
    let error = everybody(&group("cn=c,dc=x")).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ConfigValue, Some("cn=c,dc=x")), "not a group that lost all");
    assert_eq!(everybody(&group("nonsense")).unwrap_err().get_target(), Some("/directory/group"));
}

#[test]
fn active_directory_is_asked_for_members_in_chain_and_by_primary_group() {
    let group = entry("CN=g (1),dc=x", &[("objectClass", &[b"top", b"group"]), ("primaryGroupToken", &[b"513"])]);
    let respond = grouped(true, vec![group]);
    let url = serve_requests(move |request| {
        if request.base() == Some("dc=x") {
            // an extensible match and an equality, in BER: rule and attribute, then attribute and value
            assert!(request.contains("1.2.840.113556.1.4.1941") && request.contains("memberOf"));
            assert!(request.contains("CN=g (1),dc=x") && request.contains("primaryGroupID"));
        }
        respond(request)
    });
    let config = Directory { group: Some("CN=g (1),dc=x".into()), ..config(&url) };
    assert_eq!(everybody(&config).unwrap().0.len(), 4);
}

#[test]
fn a_server_that_sends_all_at_once_is_held_back_by_who_reads() {
    const ENTRIES: usize = 200;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let value = vec![0x30; 32_768];
    let url = searched(move |_, _| {
        let entry = |number: usize| {
            let values = vec![value.as_slice(); 10];
            let (dn, class): (_, &[&[u8]]) = (format!("cn=u{number},dc=x"), &[b"inetOrgPerson"]);
            let entry = entry(&dn, &[("objectClass", class), ("userCertificate", &values)]);
            [Act::Send(vec![entry]), Act::Note(Arc::clone(&counter))]
        };
        Act::All((0..ENTRIES).flat_map(entry).chain([Act::Send(vec![page_end(b"")])]).collect())
    });
    let config = Directory { timeout_ms: Some(20_000), ..config(&url) };
    let (sink, mut source) = tokio::sync::mpsc::channel(1);
    let (report, early, people) = run(async {
        let selection = Selection::default();
        let taking = async {
            let first = source.recv().await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let early = sent.load(Ordering::Relaxed);
            let mut people = usize::from(first.is_some());
            while source.recv().await.is_some() {
                people += 1;
            }
            (early, people)
        };
        let (report, (early, people)) = tokio::join!(read(&config, None, &selection, sink), taking);
        (report.unwrap(), early, people)
    });
    assert!(early < ENTRIES * 3 / 4, "{early} of {ENTRIES} entries of 320 KiB were sent before anybody read");
    assert_eq!((people, report.complete), (ENTRIES, true));
}

#[test]
fn two_thousand_values_come_in_the_ranges_a_server_insists_on() {
    let url = searched(|number, request| {
        let from = number * 450;
        if number > 0 {
            assert_eq!(request.attributes(), [format!("userCertificate;range={from}-*")]);
        }
        let until = (from + 450).min(2000);
        let values: Vec<_> = (from..until).map(|value| format!("{value:04}").into_bytes()).collect();
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let last = if until == 2000 { "*".to_owned() } else { (until - 1).to_string() };
        let name = format!("userCertificate;range={from}-{last}");
        // Windows repeats the attribute without the option and without values
        let entry =
            entry("cn=a,dc=x", &[("objectClass", &[b"inetOrgPerson"]), ("userCertificate", &[]), (&name, &values)]);
        Act::Send(vec![entry, if number == 0 { page_end(b"") } else { result(0x65, 0, "") }])
    });
    let (people, report) = everybody(&config(&url)).unwrap();
    let values: std::collections::HashSet<_> = people[0].values.iter().map(|value| value.bytes.to_vec()).collect();
    assert_eq!((people.len(), values.len(), people[0].complete, report.complete), (1, 2000, true, true));
}

#[test]
fn a_domain_without_servers_in_dns_is_unreachable_by_name() {
    // a name that no name server has, by RFC 6761
    let config = Directory { domain: Some("corp.invalid".into()), urls: Vec::new(), base: None, ..config("") };
    let error = everybody(&config).unwrap_err();
    assert!(matches!(error.code(), Code::DirectoryUnreachable | Code::DirectoryTimeout), "{error}");
    let tried = steps(&config);
    assert_eq!(failed(&tried).step, "name");
}
