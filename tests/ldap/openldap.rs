//! A standard server: OpenLDAP's slapd.

use smimesync::certificate::Attribute;
use smimesync::config::Directory;
use smimesync::directory::Selection;
use smimesync::error::Code;
use smimesync::net::CheckResult;
use smimesync::people::PersonKind;

use crate::reader::{anonymous, directory, everybody, failed, named, people, shown, simple, steps};
use crate::servers::{PEOPLE, RealServer, free_port, openldap, stranger};

fn ldaps(server: &RealServer) -> Directory {
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    directory(server.fact("LDAPS_URL"), server.fact("BASE_DN"), bind, Some(server.ca_file()))
}

#[test]
fn all_pages_are_read_over_ldaps() {
    let Some(server) = openldap("openldap::all_pages_are_read_over_ldaps") else { return };
    let (people, report) = everybody(&ldaps(&server)).unwrap();
    assert_eq!((people.len(), report.people, report.complete), (PEOPLE, PEOPLE as u64, true));
    assert_eq!(report.server.as_deref(), Some(server.fact("LDAPS_URL")));
    let certificates = people.iter().flat_map(|person| &person.values);
    let (user, smime): (Vec<_>, Vec<_>) = certificates.partition(|value| value.attribute == Attribute::UserCertificate);
    assert_eq!((user.len(), smime.len()), (PEOPLE, PEOPLE / 10));
    assert!(user.iter().all(|value| value.bytes.starts_with(&[0x30, 0x82])));
    let person = &people[0];
    assert_eq!((person.kind, person.identity.len(), person.enabled), (PersonKind::User, 36, None));
    assert!(person.complete && person.problems.is_empty() && !person.addresses.is_empty());
}

#[test]
fn start_tls_protects_the_same_read() {
    let Some(server) = openldap("openldap::start_tls_protects_the_same_read") else { return };
    let mut config = ldaps(&server);
    config.urls = vec![server.fact("LDAP_URL").into()];
    config.start_tls = true;
    assert_eq!(everybody(&config).unwrap().0.len(), PEOPLE);
    config.ca_files = vec![stranger().into_temp_path().to_path_buf()];
    assert_eq!(everybody(&config).unwrap_err().code(), Code::FileNotFound);
    let stranger = stranger();
    config.ca_files = vec![stranger.path().to_path_buf()];
    assert_eq!(everybody(&config).unwrap_err().code(), Code::DirectoryTls);
}

#[test]
fn an_untrusted_certificate_is_refused() {
    let Some(server) = openldap("openldap::an_untrusted_certificate_is_refused") else { return };
    let stranger = stranger();
    let mut config = ldaps(&server);
    config.ca_files = vec![stranger.path().to_path_buf()];
    let error = everybody(&config).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryTls, Some(server.fact("LDAPS_URL"))));
    config.ca_files.clear();
    assert_eq!(everybody(&config).unwrap_err().code(), Code::DirectoryTls);
    let tried = steps(&config);
    assert_eq!(shown(&tried), "name pass, connect pass, tls fail");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let Some(server) = openldap("openldap::a_certificate_for_another_name_is_refused") else { return };
    let mut config = ldaps(&server);
    config.urls = vec![server.fact("LDAPS_URL").replace("127.0.0.1", "127.0.0.2")];
    // slapd listens on 127.0.0.1 alone, so a relay takes its other name
    let listener = std::net::TcpListener::bind(("127.0.0.2", 0)).unwrap();
    let (port, to) = (listener.local_addr().unwrap().port(), server.fact("LDAPS_URL").replace("ldaps://", ""));
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let upstream = std::net::TcpStream::connect(to).unwrap();
        let (mut from, mut into) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
        let there = std::thread::spawn(move || std::io::copy(&mut from, &mut into));
        let _ = std::io::copy(&mut &upstream, &mut &client);
        let _ = there.join();
    });
    config.urls = vec![format!("ldaps://127.0.0.2:{port}")];
    assert_eq!(everybody(&config).unwrap_err().code(), Code::DirectoryTls);
}

#[test]
fn wrong_passwords_are_refused_and_not_tried_elsewhere() {
    let Some(server) = openldap("openldap::wrong_passwords_are_refused_and_not_tried_elsewhere") else { return };
    let mut config = ldaps(&server);
    config.bind = simple(server.fact("SYNC_DN"), "wrong-secret");
    config.urls.push("ldaps://127.0.0.1:1".into());
    let error = everybody(&config).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryAuth, Some(server.fact("LDAPS_URL"))));
    assert!(!error.to_string().contains("wrong-secret"));
    config.urls.pop();
    let tried = steps(&config);
    assert_eq!(shown(&tried), "name pass, connect pass, tls pass, bind fail");
    assert!(failed(&tried).remedy.is_some());
}

#[test]
fn a_password_travels_in_the_clear_only_when_allowed() {
    let Some(server) = openldap("openldap::a_password_travels_in_the_clear_only_when_allowed") else { return };
    let mut config = ldaps(&server);
    config.urls = vec![server.fact("LDAP_URL").into()];
    let error = everybody(&config).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryPlaintext, Some(server.fact("LDAP_URL"))));
    assert_eq!(shown(&steps(&config)), "name pass, connect pass, tls skipped, bind fail");
    config.bind.allow_plaintext = true;
    assert_eq!(everybody(&config).unwrap().0.len(), PEOPLE);
}

#[test]
fn a_closed_port_is_unreachable_and_the_next_server_takes_over() {
    let closed = format!("ldaps://127.0.0.1:{}", free_port());
    let config = directory(&closed, "dc=x", anonymous(), None);
    let error = everybody(&config).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryUnreachable, Some(closed.as_str())));
    assert_eq!(shown(&steps(&config)), "name pass, connect fail");
    let Some(server) = openldap("openldap::a_closed_port_is_unreachable_and_the_next_server_takes_over") else {
        return;
    };
    let mut config = ldaps(&server);
    config.urls.insert(0, closed);
    assert_eq!(everybody(&config).unwrap().1.server.as_deref(), Some(server.fact("LDAPS_URL")));
}

#[test]
fn a_size_limit_makes_the_read_incomplete_and_keeps_who_came() {
    let Some(server) = openldap("openldap::a_size_limit_makes_the_read_incomplete_and_keeps_who_came") else { return };
    let mut config = ldaps(&server);
    config.bind = anonymous();
    config.page_size = Some(300);
    let (people, report) = everybody(&config).unwrap();
    assert_eq!((people.len(), report.people, report.complete), (1000, 1000, false));
    let reason = report.incomplete_reason.unwrap();
    assert_eq!(reason.code(), Code::DirectoryIncomplete);
    assert!(reason.to_string().contains("sizeLimitExceeded"), "{reason}");
}

#[test]
fn identities_filters_bases_and_limits_select() {
    let Some(server) = openldap("openldap::identities_filters_bases_and_limits_select") else { return };
    let config = ldaps(&server);
    let one = |identity: &str| {
        let (people, _) = people(&config, &named(&[identity])).unwrap_or_else(|error| panic!("{identity}: {error}"));
        assert_eq!(people.len(), 1, "{identity}");
        people.into_iter().next().unwrap()
    };
    let seven = one("USER000007@example.test");
    assert_eq!(one(&seven.identity).distinguished_name, seven.distinguished_name);
    assert_eq!(one("UID=user000007, ou=People,dc=example,dc=test").identity, seven.identity);
    for identity in ["nobody@example.test", "uid=nobody,dc=example,dc=test", "user*", "cn=x,dc=elsewhere"] {
        let error = people(&config, &named(&[identity])).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::DirectoryNotFound, Some(identity)));
    }
    let select = |filter: Option<&str>, bases: &[&str], limit| {
        let bases = bases.iter().map(|base| (*base).to_owned()).collect();
        people(&config, &Selection { filter: filter.map(str::to_owned), bases, limit, ..Selection::default() })
    };
    assert_eq!(select(Some("(uid=user00000*)"), &[], None).unwrap().0.len(), 10);
    assert_eq!(select(None, &["ou=people,dc=example,dc=test", "dc=example,dc=test"], None).unwrap().0.len(), PEOPLE);
    let (few, report) = select(None, &[], Some(5)).unwrap();
    assert_eq!((few.len(), report.limit_reached, report.complete), (5, true, false));
    assert_eq!(select(Some("(uid="), &[], None).unwrap_err().code(), Code::DirectoryFilter);
    let missing = select(None, &["ou=nowhere,dc=example,dc=test"], None).unwrap_err();
    assert_eq!((missing.code(), missing.get_target()), (Code::OptionValue, Some("ou=nowhere,dc=example,dc=test")));
}

#[test]
fn a_base_that_does_not_exist_is_the_configuration_s_fault() {
    let Some(server) = openldap("openldap::a_base_that_does_not_exist_is_the_configuration_s_fault") else { return };
    let mut config = ldaps(&server);
    config.base = Some("dc=nowhere,dc=example,dc=test".into());
    let error = everybody(&config).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ConfigValue, config.base.as_deref()));
    assert_eq!(failed(&steps(&config)).step, "search");
}

#[test]
fn check_passes_where_reading_works() {
    let Some(server) = openldap("openldap::check_passes_where_reading_works") else { return };
    let tried = steps(&ldaps(&server));
    assert_eq!(
        shown(&tried),
        "name pass, connect pass, tls pass, bind pass, search pass, attributes pass, changes pass"
    );
    let asked = tried.iter().filter(|step| step.step != "deleted");
    assert!(asked.clone().all(|step| step.latency_ms.is_some()), "{tried:?}");
    assert!(asked.filter(|step| step.step != "attributes").all(|step| step.remedy.is_none()), "{tried:?}");
    let mut nobody = ldaps(&server);
    nobody.filter = Some("(uid=nobody)".into());
    let tried = steps(&nobody);
    assert_eq!((failed(&tried).step, failed(&tried).result), ("search", CheckResult::Fail));
}

/// A record that adds a group with these members.
fn group(dn: &str, members: &[String]) -> String {
    let members: String = members.iter().map(|member| format!("member: {member}\n")).collect();
    format!("dn: {dn}\nchangetype: add\nobjectClass: groupOfNames\n{members}\n")
}

#[test]
fn members_of_a_group_and_of_the_groups_within_it_alone_are_people() {
    let Some(server) = openldap("openldap::members_of_a_group_and_of_the_groups_within_it_alone_are_people") else {
        return;
    };
    let (outer, inner) = ("cn=outer,dc=example,dc=test", "cn=inner,dc=example,dc=test");
    let user = |number: u32| format!("uid=user{number:06},ou=people,dc=example,dc=test");
    server.modify(&group(inner, &[user(3), "uid=gone,dc=example,dc=test".into(), outer.into()]));
    server.modify(&group(outer, &[user(1), inner.into(), user(2)]));
    let config = Directory { group: Some(outer.into()), ..ldaps(&server) };
    let (people, report) = everybody(&config).unwrap();
    let mut names: Vec<_> = people.iter().map(|person| person.distinguished_name.clone()).collect();
    names.sort_unstable();
    assert_eq!((names, report.complete), (vec![user(1), user(2), user(3)], true));
    let missing = Directory { group: Some("cn=nobody,dc=example,dc=test".into()), ..config };
    let error = everybody(&missing).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ConfigValue, missing.group.as_deref()));
}
