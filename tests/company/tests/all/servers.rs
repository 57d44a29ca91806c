//! The company in a real Samba domain and a real slapd, loaded by the scripts in tests/servers/.

use crate::common::{Outcome, ReadEntry, read_ldif, run, written};
use smimesync_company::company::Company;
use smimesync_company::directory::Directory;
use smimesync_company::expected::{Expected, ExpectedChange};
use smimesync_company::ldif;
use smimesync_company::person::Attribute;
use smimesync_company::verify::read_json;
use std::error::Error;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server of this test, stopped and removed in the end.
struct Server {
    script: PathBuf,
    dir: PathBuf,
    cache: (&'static str, PathBuf),
}

impl Server {
    fn run(&self, arguments: &[&str]) -> Outcome {
        let output = Command::new(&self.script)
            .arg("-d")
            .arg(&self.dir)
            .args(arguments)
            .env(self.cache.0, &self.cache.1)
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{} {arguments:?}: {}", self.script.display(), String::from_utf8_lossy(&output.stderr)).into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.run(&["clean"]) {
            // a test that failed is not to be hidden by its server's end
            let _ = writeln!(std::io::stderr(), "{error}");
        }
    }
}

fn skip(test: &str, program: &str) -> bool {
    let installed =
        ["/usr/sbin", "/usr/bin", "/usr/local/bin"].iter().any(|dir| Path::new(dir).join(program).is_file());
    if !installed {
        let _ = writeln!(std::io::stderr(), "skipped: {test}: {program} is not installed");
    }
    !installed
}

fn free_port() -> Result<String, Box<dyn Error>> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string())
}

/// `name` is the script's, `variable` the one that names its cache.
fn server(name: &str, variable: &'static str) -> Server {
    Server {
        script: Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../servers/{name}.sh")),
        // short, because Samba puts sockets below it
        dir: std::env::temp_dir().join(format!("company-{name}-{}", std::process::id())),
        cache: (variable, Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("../servers/{name}-cache"))),
    }
}

struct Account<'a> {
    url: String,
    dn: &'a str,
    password: &'a str,
    base: &'a str,
}

impl Account<'_> {
    fn search(&self) -> Result<Vec<ReadEntry>, Box<dyn Error>> {
        let output = run(
            "ldapsearch",
            &[
                "-x",
                "-LLL",
                "-H",
                &self.url,
                "-D",
                self.dn,
                "-w",
                self.password,
                "-b",
                self.base,
                "-E",
                "pr=1000/noprompt",
                "mail=*",
                "*",
                "+",
            ],
        )?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        read_ldif(std::str::from_utf8(&output.stdout)?)
    }
}

fn compare(entries: &[ReadEntry], expected: &Expected, identity: impl Fn(&ReadEntry) -> Option<String>) {
    let mut compared = 0;
    for person in expected.people.iter().filter(|person| person.primary_smtp_address.is_some()) {
        let entry = entries.iter().find(|entry| identity(entry).as_deref() == Some(&person.identity));
        assert!(entry.is_some(), "{} is not found by {}", person.key, person.identity);
        for (entry, attribute) in entry.into_iter().flat_map(|entry| Attribute::ALL.map(|attribute| (entry, attribute)))
        {
            let mut wanted: Vec<&str> = Vec::new();
            for value in person.values.iter().filter(|value| value.attribute == attribute) {
                wanted.push(&value.sha256);
            }
            wanted.sort_unstable();
            assert_eq!(entry.hashes(attribute.name()), wanted, "{}", person.key);
            assert_eq!(entry.text("mail"), person.primary_smtp_address, "{}", person.key);
        }
        compared += 1;
    }
    assert!(compared > 290, "{compared} people compared");
}

fn apply_change(account: &Account<'_>, admin: (&str, &str), dir: &Path, directory: Directory) -> Outcome {
    let file = dir.join(format!("change-{}.ldif", directory.name()));
    let file = file.to_string_lossy();
    let output = run("ldapmodify", &["-x", "-H", &account.url, "-D", admin.0, "-w", admin.1, "-f", &file])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let change: ExpectedChange = read_json(&dir.join("expected-change.json"))?;
    let entries = account.search()?;
    let entry = entries
        .iter()
        .find(|entry| entry.text("mail").as_ref() == Some(&change.key))
        .ok_or("the changed person is gone")?;
    assert_eq!(Some(&entry.hashes("userCertificate")), change.after.get(&Attribute::UserCertificate));
    Ok(())
}

/// What the generator leaves out for slapd is what slapd refuses, with result 21, invalidAttributeSyntax.
fn refuses_garbage(account: &Account<'_>, company: &Company) -> Outcome {
    let mut refused = 0;
    for person in &company.people {
        for value in person.values.iter().filter(|value| Directory::OpenLdap.refuses(value).is_some()) {
            let attribute = Directory::OpenLdap.attribute_description(value.attribute);
            let record = ldif::replace(&Directory::OpenLdap.dn(person), attribute, &[&value.bytes]);
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused.ldif");
            std::fs::write(&file, record)?;
            let (url, file) = (&account.url, file.to_string_lossy());
            let admin = ["-D", "cn=admin,dc=example,dc=test", "-w", "secret"];
            let output = run("ldapmodify", &[&["-x", "-H", url, "-f", &file], admin.as_slice()].concat())?;
            assert_eq!(output.status.code(), Some(21), "{}", String::from_utf8_lossy(&output.stderr));
            refused += 1;
        }
    }
    assert!(refused >= 2);
    Ok(())
}

#[test]
fn slapd_holds_the_company() -> Outcome {
    if skip("slapd_holds_the_company", "slapd") || skip("slapd_holds_the_company", "ldapsearch") {
        return Ok(());
    }
    let (company, dir) = written("slapd")?;
    let port = free_port()?;
    let server = server("openldap", "OPENLDAP_CACHE");
    server.run(&["-p", &port, "-t", &free_port()?, "start"])?;
    server.run(&["load-ldif", &dir.join("people-openldap.ldif").to_string_lossy()])?;
    let account = Account {
        url: format!("ldap://127.0.0.1:{port}"),
        dn: "cn=svc-sync,dc=example,dc=test",
        password: "SyncPassw0rd!",
        base: "ou=people,dc=example,dc=test",
    };
    refuses_garbage(&account, &company)?;
    let expected: Expected = read_json(&dir.join("expected-openldap.json"))?;
    compare(&account.search()?, &expected, |entry| entry.text("entryUUID"));
    apply_change(&account, ("cn=admin,dc=example,dc=test", "secret"), &dir, Directory::OpenLdap)
}

#[test]
fn samba_holds_the_company() -> Outcome {
    if skip("samba_holds_the_company", "samba") || skip("samba_holds_the_company", "ldapsearch") {
        return Ok(());
    }
    let (_, dir) = written("samba")?;
    let port = free_port()?;
    let server = server("ad-dc", "AD_DC_CACHE");
    server.run(&["-p", &port, "-t", &free_port()?, "start"])?;
    server.run(&["load-ldif", &dir.join("people-ad.ldif").to_string_lossy()])?;
    let account = Account {
        url: format!("ldap://127.0.0.1:{port}"),
        dn: "CN=svc-sync,CN=Users,DC=ad,DC=test",
        password: "SyncPassw0rd!",
        base: "DC=ad,DC=test",
    };
    let expected: Expected = read_json(&dir.join("expected-ad.json"))?;
    compare(&account.search()?, &expected, |entry| {
        let bytes = entry.values.get("objectguid")?.first()?.as_slice().try_into().ok()?;
        Some(uuid::Uuid::from_bytes_le(bytes).to_string())
    });
    apply_change(&account, ("CN=Administrator,CN=Users,DC=ad,DC=test", "Passw0rd!"), &dir, Directory::Ad)
}
