//! A person whose certificates the directory's account may not read any more, at slapd.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use smimesync::error::Code;
use smimesync::session::{Value, Verb};

use crate::scene::{Outcome, Scene};
use crate::servers::own_openldap;

const ANN: &str = "uid=ann,ou=people,dc=example,dc=test";

fn told(outcome: &Outcome) -> bool {
    outcome.events.iter().any(|(code, _)| *code == Code::CertificatesUnread)
}

#[test]
fn what_may_not_be_read_is_not_taken_for_gone() {
    let Some(server) = own_openldap("unread::what_may_not_be_read_is_not_taken_for_gone", 0) else { return };
    let scene = Scene::new(&["ann@x.test"]);
    let certificate = scene.certificate("ann@x.test");
    server.add(&format!(
        "dn: {ANN}\nobjectClass: inetOrgPerson\nuid: ann\ncn: Ann\nsn: Lee\nmail: ann@x.test\nuserCertificate;binary:: {}",
        BASE64_STANDARD.encode(&certificate)
    ));
    let directory = json!({
        "urls": [server.fact("LDAPS_URL")], "base": server.fact("PEOPLE_DN"), "ca_files": [server.ca_file()],
        "bind": { "user": server.fact("SYNC_DN"), "password": server.fact("SYNC_PASSWORD") },
    });
    let sync = |options: &str| scene.run_with(&json!({ "directory": directory }), Verb::Sync, options);
    sync("{}").fine();
    assert_eq!(scene.held(1), std::slice::from_ref(&certificate));

    // the administrator alone may read it from now on
    server.restart_with(&["-a", &format!("access to dn.exact=\"{ANN}\" attrs=userCertificate by * none")]);
    for policy_type in ["initial", "delta", "initial"] {
        let outcome = sync(&json!({ "policy_type": policy_type }).to_string()).fine();
        assert_eq!((outcome.column("action"), outcome.column("reason")), (vec!["skip".into()], vec!["unread".into()]));
        assert!(told(&outcome) && scene.held(1) == std::slice::from_ref(&certificate), "{policy_type}");
    }

    let fetched = |identity: &str| {
        let options = json!({ "identities": [identity] }).to_string();
        let outcome = scene.run_with(&json!({ "directory": directory }), Verb::Fetch, &options).fine();
        let Some(Value::Rows(problems)) = outcome.rows[0].get("problems").cloned() else { return Vec::new() };
        problems.iter().map(|problem| problem.get("code").cloned()).collect::<Vec<_>>()
    };
    assert_eq!(fetched("ann@x.test"), [Some(Value::Text("certificates_unread".into()))]);

    server.restart_with(&[]);
    assert_eq!(fetched("ann@x.test"), []);
    let outcome = sync("{}").fine();
    assert!(!told(&outcome) && scene.held(1) == [certificate]);
    server.modify(&format!("dn: {ANN}\nchangetype: modify\ndelete: userCertificate;binary\n"));
    let outcome = sync("{}").fine();
    assert_eq!((outcome.column("action"), outcome.column("reason")), (vec!["clear".into()], vec!["vanished".into()]));
    assert!(!told(&outcome) && scene.held(1).is_empty());
}

#[test]
fn a_directory_that_does_not_answer_the_question_confirms_nobody() {
    let Some(server) = own_openldap("unread::a_directory_that_does_not_answer_confirms_nobody", 0) else { return };
    let scene = Scene::new(&["ann@x.test"]);
    let certificate = scene.certificate("ann@x.test");
    scene.hold(1, std::slice::from_ref(&certificate));
    server.add(&format!("dn: {ANN}\nobjectClass: inetOrgPerson\nuid: ann\ncn: Ann\nsn: Lee\nmail: ann@x.test"));
    // the filter that would tell is the one thing this account may not ask
    server.restart_with(&["-a", "access to attrs=userCertificate by * auth"]);
    let sections = json!({
        "directory": {
            "urls": [server.fact("LDAPS_URL")], "base": server.fact("PEOPLE_DN"), "ca_files": [server.ca_file()],
            "bind": { "user": server.fact("SYNC_DN"), "password": server.fact("SYNC_PASSWORD") },
        },
        "policy": { "at": "2026-06-01T00:00:00Z", "foreign": "replace" },
    });
    let outcome = scene.run_with(&sections, Verb::Sync, "{}").fine();
    assert!(told(&outcome) && scene.held(1) == std::slice::from_ref(&certificate));
    server.restart_with(&[]);
    let outcome = scene.run_with(&sections, Verb::Sync, r#"{"policy_type":"initial"}"#).fine();
    assert!(!told(&outcome) && scene.held(1).is_empty());
}
