//! Who has no certificate, told from whose certificates the account may not read: slapd and Samba's AD DC.

use std::collections::HashSet;
use std::io::Write as _;

use smimesync::certificate::Attribute;
use smimesync::config::{Config, Directory, DirectoryKind};
use smimesync::directory::{confirmed_without, read_everybody_of};
use smimesync::people::Person;

use crate::deltas::taken;
use crate::reader::{directory, everybody, run, simple};
use crate::servers::{free_port, openldap_by, own_active_directory};

/// schemaIDGUID of userCertificate.
const USER_CERTIFICATE: &str = "bf967a7f-0de6-11d0-a285-00aa003049e2";

/// The first parts of the names of those who certainly have no value.
fn without(config: &Directory, people: &[Person], attribute: Attribute) -> Vec<String> {
    without_of(&Config { directory: Some(config.clone()), ..Config::default() }, people, attribute)
}

fn without_of(config: &Config, people: &[Person], attribute: Attribute) -> Vec<String> {
    let asked: Vec<_> = people.iter().collect();
    let confirmed: HashSet<String> = run(confirmed_without(config, attribute, &asked)).unwrap();
    let mut names: Vec<_> = people
        .iter()
        .filter(|person| confirmed.contains(&person.identity))
        .map(|person| person.distinguished_name.split(',').next().unwrap().to_lowercase())
        .collect();
    names.sort();
    names
}

/// How many of these people show no user certificate.
fn bare(people: &[Person]) -> usize {
    let shows = |person: &&Person| person.values.iter().any(|value| value.attribute == Attribute::UserCertificate);
    people.len() - people.iter().filter(shows).count()
}

#[test]
fn slapd_confirms_only_whose_certificates_it_would_show() {
    for right in ["none", "search", "compare"] {
        let denied = "uid=user000001,ou=people,dc=example,dc=test";
        let rule = format!("access to dn.exact=\"{denied}\" attrs=userCertificate by * {right}");
        let Some(server) = openldap_by(&["-a", &rule], "absence::slapd_confirms_only", 3) else { return };
        server.modify(
            "dn: uid=user000002,ou=people,dc=example,dc=test\nchangetype: modify\ndelete: userCertificate;binary\n",
        );
        let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
        let config = directory(server.fact("LDAPS_URL"), server.fact("BASE_DN"), bind, Some(server.ca_file()));
        let (people, _) = everybody(&config).unwrap();
        assert_eq!((people.len(), bare(&people)), (3, 2), "two show none, whether they have one or not");
        assert_eq!(without(&config, &people, Attribute::UserCertificate), ["uid=user000002"], "{right}");
        let smime = without(&config, &people, Attribute::UserSmimeCertificate);
        assert_eq!(smime, ["uid=user000001", "uid=user000002"]);
    }
}

#[test]
fn somebody_in_several_directories_has_none_where_each_of_them_says_so() {
    let user = |number: u32| format!("uid=user{number:06},ou=people,dc=example,dc=test");
    let rule = format!("access to dn.exact=\"{}\" attrs=userCertificate by * none", user(1));
    let Some(server) = openldap_by(&["-a", &rule], "absence::somebody_in_several_directories", 3) else { return };
    server.modify(&format!("dn: {}\nchangetype: modify\ndelete: userCertificate;binary\n", user(2)));
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    let partner = directory(server.fact("LDAPS_URL"), server.fact("BASE_DN"), bind, Some(server.ca_file()));
    let (people, _) = everybody(&partner).unwrap();
    // the file knows the first two by their addresses, and a stranger, all without certificates
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let address = |number: u32| {
        let there = people.iter().find(|person| person.distinguished_name == user(number)).unwrap();
        there.primary_address().unwrap().to_string()
    };
    for (name, mail) in [("one", address(1)), ("two", address(2)), ("stranger", "stranger@file.test".into())] {
        write!(file, "dn: cn={name}\nobjectClass: inetOrgPerson\nmail: {mail}\n\n").unwrap();
    }
    let path = Some(file.path().to_path_buf());
    let file = Directory { kind: DirectoryKind::Ldif, path, ..Directory::default() };
    for (directories, confirmed) in [
        (vec![file.clone(), partner.clone()], ["cn=stranger", "cn=two"]),
        (vec![partner.clone(), file.clone()], ["cn=stranger", "uid=user000002"]),
    ] {
        let mut config = Config { directories, ..Config::default() };
        let (report, people) = run(async {
            let (sink, source) = tokio::sync::mpsc::channel(16);
            taken(read_everybody_of(&config, sink), source).await
        });
        assert!(report.unwrap().complete);
        assert_eq!((people.len(), bare(&people)), (4, 3));
        assert_eq!(without_of(&config, &people, Attribute::UserCertificate), confirmed);
        // one that does not answer confirms nobody
        let down = config.directories.iter_mut().find(|it| it.kind == DirectoryKind::Ldap).unwrap();
        down.urls = vec![format!("ldaps://127.0.0.1:{}", free_port())];
        let asked: Vec<_> = people.iter().collect();
        assert!(run(confirmed_without(&config, Attribute::UserCertificate, &asked)).is_err());
    }
}

#[test]
fn active_directory_confirms_by_the_access_control_list() {
    let Some(server) = own_active_directory("absence::active_directory_confirms", 3) else { return };
    let user = |number: u32| format!("CN=user{number:06},OU=Load,DC=ad,DC=test");
    server.modify(&format!("dn: {}\nchangetype: modify\ndelete: userCertificate\n", user(2)));
    let config = |account: &str| {
        let bind = simple(server.fact(account), server.fact("SYNC_PASSWORD"));
        directory(server.fact("LDAPS_URL"), "OU=Load,DC=ad,DC=test", bind, Some(server.ca_file()))
    };
    let (people, _) = everybody(&config("PLAIN_DN")).unwrap();
    assert_eq!(without(&config("PLAIN_DN"), &people, Attribute::UserCertificate), ["cn=user000002"]);
    server.deny("AU", USER_CERTIFICATE, &user(1));
    let (people, _) = everybody(&config("PLAIN_DN")).unwrap();
    assert_eq!((people.len(), bare(&people)), (3, 2), "two show none, whether they have one or not");
    for account in ["PLAIN_DN", "SYNC_DN"] {
        assert_eq!(without(&config(account), &people, Attribute::UserCertificate), ["cn=user000002"], "{account}");
        let smime = without(&config(account), &people, Attribute::UserSmimeCertificate);
        assert_eq!(smime, ["cn=user000001", "cn=user000002"], "user000000 has one");
    }
}
