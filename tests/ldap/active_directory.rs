//! Active Directory: Samba's AD DC.

use std::collections::HashSet;

use ldap3::{LdapConnAsync, Scope};
use smimesync::certificate::Attribute;
use smimesync::config::Directory;
use smimesync::error::Code;
use smimesync::people::PersonKind;

use crate::reader::{anonymous, directory, everybody, named, people, run, shown, simple, steps};
use crate::servers::{PEOPLE, RealServer, active_directory, stranger};

/// Below this unit the script loads its users.
const LOADED: &str = "OU=Load,DC=ad,DC=test";

fn ldaps(server: &RealServer) -> Directory {
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    directory(server.fact("LDAPS_URL"), LOADED, bind, Some(server.ca_file()))
}

#[test]
fn all_pages_are_read_over_ldaps_and_start_tls() {
    let Some(server) = active_directory("active_directory::all_pages_are_read_over_ldaps_and_start_tls") else {
        return;
    };
    let mut config = ldaps(&server);
    for start_tls in [false, true] {
        if start_tls {
            config.urls = vec![server.fact("LDAP_URL").into()];
            config.start_tls = true;
        }
        let (people, report) = everybody(&config).unwrap();
        assert_eq!((people.len(), report.complete), (PEOPLE, true));
        let count =
            |attribute| people.iter().flat_map(|person| &person.values).filter(|v| v.attribute == attribute).count();
        assert_eq!((count(Attribute::UserCertificate), count(Attribute::UserSmimeCertificate)), (PEOPLE, PEOPLE / 10));
        let person = &people[0];
        assert_eq!((person.kind, person.enabled.is_some(), person.deleted), (PersonKind::User, true, false));
        assert!(person.source_anchor.is_some() && person.user_principal_name.is_some() && person.complete);
    }
}

#[test]
fn computers_groups_and_the_like_are_no_people() {
    let Some(server) = active_directory("active_directory::computers_groups_and_the_like_are_no_people") else {
        return;
    };
    let mut config = ldaps(&server);
    config.base = Some(server.fact("BASE_DN").into());
    let (people, report) = everybody(&config).unwrap();
    assert!(report.complete, "{:?}", report.incomplete_reason);
    assert!(people.len() > PEOPLE && people.len() < PEOPLE + 20, "{}", people.len());
    assert!(people.iter().all(|person| !person.distinguished_name.contains("Domain Controllers")));
    assert!(people.iter().any(|person| person.distinguished_name.starts_with("CN=Administrator,")));
}

#[test]
fn every_form_of_user_name_binds_and_a_wrong_password_is_put_into_words() {
    let Some(server) = active_directory("active_directory::every_form_of_user_name_binds") else { return };
    let mut config = ldaps(&server);
    config.filter = Some("(sAMAccountName=user000001)".into());
    for user in [server.fact("SYNC_DN"), "svc-sync@ad.test", "ADTEST\\svc-sync"] {
        config.bind = simple(user, server.fact("SYNC_PASSWORD"));
        assert_eq!(everybody(&config).unwrap().0.len(), 1, "{user}");
    }
    config.bind = simple("svc-sync@ad.test", "wrong");
    let error = everybody(&config).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryAuth);
    assert!(error.to_string().contains("wrong user or password"), "{error}");
    config.bind = anonymous();
    assert_eq!(everybody(&config).unwrap_err().code(), Code::DirectoryDenied);
    let stranger = stranger();
    config.ca_files = vec![stranger.path().to_path_buf()];
    assert_eq!(everybody(&config).unwrap_err().code(), Code::DirectoryTls);
}

#[test]
fn identities_of_every_kind_find_their_person() {
    let Some(server) = active_directory("active_directory::identities_of_every_kind_find_their_person") else { return };
    let config = ldaps(&server);
    let one = |identity: &str| {
        let (people, _) = people(&config, &named(&[identity])).unwrap_or_else(|error| panic!("{identity}: {error}"));
        assert_eq!(people.len(), 1, "{identity}");
        people.into_iter().next().unwrap()
    };
    let seven = one(&format!("cn=user000007,{LOADED}"));
    assert_eq!(
        one(&seven.identity).distinguished_name,
        seven.distinguished_name,
        "objectGUID's octets are mixed-endian"
    );
    assert_eq!(one(&format!("{{{}}}", seven.identity.to_uppercase())).identity, seven.identity);
    assert_eq!(one(seven.user_principal_name.as_deref().unwrap()).identity, seven.identity);
    assert_eq!(one(&seven.primary_address().unwrap().as_str().to_uppercase()).identity, seven.identity);
    let error = people(&config, &named(&["00000000-0000-0000-0000-000000000001"])).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryNotFound);
}

#[test]
fn check_passes_where_reading_works() {
    let Some(server) = active_directory("active_directory::check_passes_where_reading_works") else { return };
    let tried = steps(&ldaps(&server));
    assert_eq!(
        shown(&tried),
        "name pass, connect pass, tls pass, bind pass, search pass, attributes pass, changes pass, deleted pass"
    );
    let detail = |name: &str| {
        let step = tried.iter().find(|step| step.step == name).unwrap();
        step.detail.as_ref().map(|detail| detail.render(Default::default())).unwrap_or_default()
    };
    assert!(detail("tls").contains("the server sent CN="), "{}", detail("tls"));
    assert!(detail("attributes").contains("userSMIMECertificate"), "{}", detail("attributes"));
    assert!(detail("changes").contains("DirSync, with the right to replicate"), "{}", detail("changes"));
    let mut plain = ldaps(&server);
    plain.bind = simple(server.fact("PLAIN_DN"), server.fact("SYNC_PASSWORD"));
    let changes = steps(&plain).into_iter().find(|step| step.step == "changes").unwrap();
    let detail = changes.detail.unwrap().render(Default::default());
    assert!(detail.contains("as far as the account may read"), "{detail}");
}

#[test]
fn contacts_come_with_all_their_values_byte_for_byte() {
    let Some(server) = active_directory("active_directory::contacts_come_with_all_their_values_byte_for_byte") else {
        return;
    };
    let dn = "CN=Lee\\, Ann (Jürgen),CN=Users,DC=ad,DC=test";
    let values: HashSet<Vec<u8>> = (0..20).map(|number| vec![number; 32_768]).collect();
    let text = |values: &[&str]| values.iter().map(|value| value.as_bytes().to_vec()).collect::<HashSet<_>>();
    run(async {
        let (driver, mut ldap) = LdapConnAsync::new(server.fact("LDAP_URL")).await.unwrap();
        tokio::spawn(driver.drive());
        let (admin, password) = (server.fact("ADMIN_DN"), server.fact("ADMIN_PASSWORD"));
        ldap.simple_bind(admin, password).await.unwrap().success().unwrap();
        let attributes = vec![
            (b"objectClass".to_vec(), text(&["contact"])),
            (b"mail".to_vec(), text(&["partner@y.test"])),
            (b"proxyAddresses".to_vec(), text(&["SMTP:Partner@y.test", "smtp:p@y.test", "X400:c=us"])),
            (b"userCertificate".to_vec(), values.clone()),
            (b"userSMIMECertificate".to_vec(), HashSet::from([vec![0, 1, 2]])),
        ];
        ldap.add(dn, attributes).await.unwrap().success().unwrap();
        let found = ldap.search(dn, Scope::Base, "(objectClass=contact)", vec!["cn"]).await.unwrap();
        assert_eq!(found.0.len(), 1);
    });
    let mut config = ldaps(&server);
    config.base = Some(server.fact("BASE_DN").into());
    for identity in [dn, "P@Y.test"] {
        let (found, _) = people(&config, &named(&[identity])).unwrap();
        let contact = &found[0];
        assert_eq!((contact.kind, contact.enabled, contact.complete), (PersonKind::Contact, None, true));
        assert_eq!(contact.display_name.as_deref(), Some("Lee, Ann (Jürgen)"));
        let addresses: Vec<_> = contact.addresses.iter().map(|address| address.as_str()).collect();
        assert_eq!(addresses, ["Partner@y.test", "p@y.test"]);
        let read: HashSet<Vec<u8>> = contact.values[..20].iter().map(|value| value.bytes.to_vec()).collect();
        assert_eq!(read, values);
        assert_eq!((contact.values.len(), &contact.values[20].bytes[..]), (21, &[0, 1, 2][..]));
        assert!(contact.problems.is_empty(), "{:?}", contact.problems);
    }
}

/// A record that adds a group with these members.
fn group(dn: &str, members: &[String]) -> String {
    let members: String = members.iter().map(|member| format!("member: {member}\n")).collect();
    format!("dn: {dn}\nchangetype: add\nobjectClass: group\n{members}\n")
}

#[test]
fn members_of_a_group_and_of_the_groups_within_it_alone_are_people() {
    let Some(server) = active_directory("active_directory::members_of_a_group_and_of_the_groups_within_it") else {
        return;
    };
    let (outer, inner) = ("CN=Outer (all),CN=Users,DC=ad,DC=test", "CN=Inner,CN=Users,DC=ad,DC=test");
    let mut config = ldaps(&server);
    let (loaded, _) = everybody(&config).unwrap();
    let dn = |place: usize| loaded[place].distinguished_name.clone();
    server.modify(&group(inner, &[dn(2)]));
    server.modify(&group(outer, &[dn(0), inner.into(), dn(1)]));
    config.group = Some(outer.into());
    let (people, report) = everybody(&config).unwrap();
    let names: HashSet<_> = people.iter().map(|person| person.distinguished_name.clone()).collect();
    assert_eq!((names, report.complete), (HashSet::from([dn(0), dn(1), dn(2)]), true));
    // everybody has it as primary group, and it has no `member`
    config.group = Some("CN=Domain Users,CN=Users,DC=ad,DC=test".into());
    assert_eq!(everybody(&config).unwrap().0.len(), PEOPLE);
    config.group = Some("CN=Nobody,CN=Users,DC=ad,DC=test".into());
    let error = everybody(&config).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ConfigValue, config.group.as_deref()));
}
