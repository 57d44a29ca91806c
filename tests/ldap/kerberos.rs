//! Kerberos: Samba's own key distribution centre, a keytab, with TLS and without.

use std::path::Path;
use std::process::Command;

use smimesync::config::{Bind, BindMethod, Directory};
use smimesync::error::Code;

use crate::reader::{directory, everybody, shown, steps};
use crate::servers::{PEOPLE, kerberos_domain};

const LOADED: &str = "OU=Load,DC=ad,DC=test";
/// Says which servers there are to the process that reads.
const SERVERS: &str = "SMIMESYNC_TEST_KERBEROS";

#[test]
fn a_keytab_binds_over_tls_and_without_it() {
    const TEST: &str = "kerberos::a_keytab_binds_over_tls_and_without_it";
    if let Ok(servers) = std::env::var(SERVERS) {
        return read(&servers);
    }
    let Some(domain) = kerberos_domain(TEST) else { return };
    let keytab = domain.keytab("svc-sync");
    let servers = [domain.fact("LDAP_URL"), domain.fact("LDAPS_URL"), keytab.to_str().unwrap(), domain.fact("CA_FILE")];
    // the Kerberos library takes the name of its configuration from the environment of a process
    let read = Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture"])
        .env("KRB5_CONFIG", domain.fact("KRB5_CONFIG"))
        .env(SERVERS, servers.join("\n"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&read.stdout).into_owned() + &String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success() && said.contains("1 passed"), "{said}");
}

fn read(servers: &str) {
    let [plain, tls, keytab, ca_file] = servers.split('\n').collect::<Vec<_>>()[..] else { panic!("{servers}") };
    let bind = |keytab: &str, user: Option<&str>| Bind {
        method: BindMethod::Gssapi,
        keytab: Some(keytab.into()),
        user: user.map(str::to_owned),
        ..Bind::default()
    };
    for (url, user) in [(plain, None), (tls, None), (plain, Some("svc-sync@AD.TEST"))] {
        let config = directory(url, LOADED, bind(keytab, user), Some(Path::new(ca_file)));
        let (people, report) = everybody(&config).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!((people.len(), report.complete), (PEOPLE, true), "{url}");
        assert!(shown(&steps(&config)).contains("bind pass, search pass"), "{url}");
    }
    let start_tls =
        Directory { start_tls: true, ..directory(plain, LOADED, bind(keytab, None), Some(Path::new(ca_file))) };
    assert_eq!(everybody(&start_tls).unwrap().0.len(), PEOPLE);
    for wrong in [bind("/nowhere.keytab", None), bind(keytab, Some("somebody@AD.TEST"))] {
        let error = everybody(&directory(plain, LOADED, wrong, None)).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::DirectoryAuth, Some(plain)), "{error}");
        assert!(error.to_string().contains("kerberos"), "{error}");
    }
}
