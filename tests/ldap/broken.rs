//! slapd that is killed or stopped in the middle of a read, and one that refers to other servers.

use std::net::TcpListener;

use smimesync::config::Directory;
use smimesync::directory::{ReadReport, Selection, read};
use smimesync::error::Code;

use crate::reader::{directory, everybody, run, simple};
use crate::servers::{RealServer, own_openldap};

const PEOPLE: usize = 600;

fn config(server: &RealServer) -> Directory {
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    let config = directory(server.fact("LDAPS_URL"), server.fact("BASE_DN"), bind, Some(server.ca_file()));
    Directory { page_size: Some(50), timeout_ms: Some(3000), ..config }
}

/// Reads, and does something to the server when the first people are there: who came, and how it ended.
fn interrupted(server: &RealServer, signal: &str) -> (usize, ReadReport) {
    let config = config(server);
    run(async {
        let (sink, mut source) = tokio::sync::mpsc::channel(1);
        let taking = async {
            let mut people = 0;
            while source.recv().await.is_some() {
                people += 1;
                if people == 120 {
                    server.signal(signal);
                }
            }
            people
        };
        let selection = Selection::default();
        let (report, people) = tokio::join!(read(&config, None, &selection, sink), taking);
        (people, report.unwrap())
    })
}

#[test]
fn a_server_killed_in_the_middle_of_a_page_leaves_who_came() {
    let Some(server) = own_openldap("broken::a_server_killed_in_the_middle_of_a_page", PEOPLE) else { return };
    let (people, report) = interrupted(&server, "-KILL");
    assert!((120..PEOPLE).contains(&people) && !report.complete, "{people}");
    let reason = report.incomplete_reason.unwrap();
    assert_eq!(reason.code(), Code::DirectoryIncomplete);
    assert!(reason.to_string().contains("closed the connection"), "{reason}");
}

#[test]
fn a_server_that_stands_still_in_the_middle_of_a_page_leaves_who_came() {
    let Some(server) = own_openldap("broken::a_server_that_stands_still_in_the_middle_of_a_page", PEOPLE) else {
        return;
    };
    let (people, report) = interrupted(&server, "-STOP");
    server.signal("-CONT");
    assert!((120..PEOPLE).contains(&people) && !report.complete, "{people}");
    let reason = report.incomplete_reason.unwrap();
    assert!(reason.code() == Code::DirectoryIncomplete && reason.to_string().contains("in time"), "{reason}");
}

#[test]
fn nobody_is_asked_to_whom_a_server_refers() {
    let Some(server) = own_openldap("broken::nobody_is_asked_to_whom_a_server_refers", 3) else { return };
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let url = format!("ldap://{}/ou=elsewhere,dc=example,dc=test", other.local_addr().unwrap());
    let referral =
        |dn: &str| format!("dn: {dn}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: {url}");
    server.add(&referral("ou=elsewhere,ou=people,dc=example,dc=test"));
    let config = config(&server);
    let (people, report) = everybody(&config).unwrap();
    assert_eq!((people.len(), report.referrals, report.complete), (3, 1, true));
    let below = Directory { base: Some("ou=x,ou=elsewhere,ou=people,dc=example,dc=test".into()), ..config };
    let error = everybody(&below).unwrap_err();
    assert!(error.code() == Code::DirectoryIncomplete && error.to_string().contains("referral"), "{error}");
    assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody called");
}
