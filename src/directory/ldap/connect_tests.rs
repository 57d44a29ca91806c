use super::*;
use crate::config::Secret;

#[test]
fn urls_are_hosts_and_ports() {
    let server = |url, start_tls| Server::parse(url, start_tls).map(|s| (s.host, s.port, s.protection));
    assert_eq!(server("ldaps://dc1.x.test", false), Some(("dc1.x.test".into(), 636, Protection::Ldaps)));
    assert_eq!(server("ldap://dc1.x.test:3268/", true), Some(("dc1.x.test".into(), 3268, Protection::StartTls)));
    assert_eq!(server("LDAP://127.0.0.1", false), Some(("127.0.0.1".into(), 389, Protection::Plain)));
    #[cfg(unix)]
    assert_eq!(server("ldapi://%2Frun%2Fslapd%2Fldapi", true), Some(("/run/slapd/ldapi".into(), 0, Protection::Local)));
    for url in ["dc1", "http://dc1", "ldap://", "ldapi:///x", "ldap://u:p@dc1", "ldap://dc1/dc=x", "ldap://dc1?x"] {
        assert_eq!(server(url, false), None, "{url}");
    }
}

#[test]
fn a_domain_s_servers_are_spoken_to_by_ldaps_unless_told_otherwise() {
    let records = vec![
        ("_ldap._tcp.dc._msdcs.x.test", 0, 0, 389, "dc1.x.test"),
        ("_ldap._tcp.dc._msdcs.x.test", 1, 0, 3268, "gc.x.test"),
        ("_ldap._tcp.dc._msdcs.x.test", 2, 0, 10636, "dc2.x.test"),
    ];
    let found = |config: &config::Directory| -> Vec<String> {
        let locator = crate::net::ldap::locate_tests::locator(records.clone(), |_| 0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let servers = runtime.block_on(located(config, "x.test", locator)).unwrap();
        servers.into_iter().map(|server| format!("{} {:?}", server.url, server.protection)).collect()
    };
    let secure = ["ldaps://dc1.x.test:636 Ldaps", "ldaps://gc.x.test:3269 Ldaps", "ldaps://dc2.x.test:10636 Ldaps"];
    assert_eq!(found(&config::Directory::default()), secure);
    let start_tls = config::Directory { start_tls: true, ..config::Directory::default() };
    assert_eq!(found(&start_tls)[0], "ldap://dc1.x.test:389 StartTls");
    let bind = config::Bind { allow_plaintext: true, ..config::Bind::default() };
    assert_eq!(found(&config::Directory { bind, ..config::Directory::default() })[0], "ldap://dc1.x.test:389 Plain");
}

#[test]
fn passwords_are_neither_empty_nor_sent_in_the_clear() {
    let server = |url| Server::parse(url, false).unwrap();
    let bind = |user: &str, password: &str, allow_plaintext| config::Bind {
        user: Some(user.into()),
        password: Some(Secret::new(password.into())),
        allow_plaintext,
        ..config::Bind::default()
    };
    let code = |bind: &config::Bind, url| credentials_allowed(bind, &server(url)).err().map(|error| error.code());
    assert_eq!(code(&bind("a", "p", false), "ldaps://x"), None);
    assert_eq!(code(&bind("a", "p", false), "ldap://127.0.0.1"), Some(Code::DirectoryPlaintext));
    assert_eq!(code(&bind("a", "p", true), "ldap://x"), None);
    assert_eq!(code(&bind("a", "", true), "ldaps://x"), Some(Code::ConfigMissing));
    assert_eq!(code(&bind("", "p", true), "ldaps://x"), Some(Code::ConfigMissing));
    let anonymous = config::Bind { method: BindMethod::Anonymous, ..config::Bind::default() };
    assert_eq!(code(&anonymous, "ldap://x"), None);
}

#[test]
fn external_needs_a_connection_that_says_who_made_it() {
    let bind = |file: Option<&str>| config::Bind {
        method: BindMethod::External,
        certificate_file: file.map(Into::into),
        allow_plaintext: true,
        ..config::Bind::default()
    };
    let refused = |bind: &config::Bind, url, start_tls| {
        let server = Server::parse(url, start_tls).unwrap();
        let error = credentials_allowed(bind, &server).err()?;
        Some((error.code(), error.get_target().unwrap_or_default().to_owned()))
    };
    assert_eq!(refused(&bind(Some("x")), "ldaps://x", false), None);
    assert_eq!(refused(&bind(Some("x")), "ldap://x", true), None);
    let at = |key: &str| format!("/directory/bind/{key}");
    assert_eq!(refused(&bind(Some("x")), "ldap://x", false), Some((Code::ConfigValue, at("method"))));
    assert_eq!(refused(&bind(None), "ldaps://x", false), Some((Code::ConfigMissing, at("certificate_file"))));
    #[cfg(unix)]
    assert_eq!(refused(&bind(None), "ldapi://%2Fx", false), None);
}
