//! Real servers, started by the project's scripts, shared by the tests that run at the same time.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

/// People loaded into a server: more than two pages.
pub(crate) const PEOPLE: usize = 2500;

/// A running server; the last test to let go of it stops it.
pub(crate) struct RealServer {
    script: PathBuf,
    directory: TempDir,
    /// What the script says about it, without the prefix of the names: `LDAP_URL`, `BASE_DN`, …
    facts: HashMap<String, String>,
}

impl RealServer {
    /// One of the script's facts.
    pub(crate) fn fact(&self, name: &str) -> &str {
        &self.facts[name]
    }

    /// The file with the authority of its certificate.
    pub(crate) fn ca_file(&self) -> &Path {
        Path::new(self.fact("CA_FILE"))
    }

    /// A file with the keys of an account.
    #[cfg(feature = "gssapi")]
    pub(crate) fn keytab(&self, account: &str) -> PathBuf {
        let file = self.directory.path().join(format!("{account}.keytab"));
        let made = Command::new("samba-tool")
            .args(["domain", "exportkeytab"])
            .arg(&file)
            .arg(format!("--principal={account}@AD.TEST"))
            .arg(format!("--configfile={}", self.directory.path().join("dc/etc/smb.conf").display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        file
    }

    /// Applies change records as the administrator.
    pub(crate) fn modify(&self, records: &str) {
        let mut ldapmodify = Command::new("ldapmodify")
            .args(["-x", "-H", self.fact("LDAP_URL"), "-D", self.fact("ADMIN_DN"), "-w", self.fact("ADMIN_PASSWORD")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        ldapmodify.stdin.take().unwrap().write_all(records.as_bytes()).unwrap();
        let done = ldapmodify.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Stops the server and starts it again on the same ports, with what it holds.
    pub(crate) fn restart(&self) {
        self.run(&["stop"]).unwrap();
        self.run(&["start"]).unwrap();
    }

    /// The same with these options of the script besides.
    pub(crate) fn restart_with(&self, options: &[&str]) {
        self.run(&["stop"]).unwrap();
        let ports = ["-p", self.fact("LDAP_PORT"), "-t", self.fact("LDAPS_PORT")];
        self.run(&[&ports, options, &["start"]].concat()).unwrap();
    }

    /// Sends the server's process a signal, as `kill` names it.
    pub(crate) fn signal(&self, signal: &str) {
        let status = self.run(&["status"]).unwrap();
        let pid = status.lines().find_map(|line| line.split_once("_PID=")).unwrap().1.trim_matches('\'');
        assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
    }

    /// Keeps an account from reading an attribute, by its schemaIDGUID, of an entry of Active Directory.
    pub(crate) fn deny(&self, account: &str, schema_id: &str, dn: &str) {
        let done = Command::new("samba-tool")
            .args(["dsacl", "set", "-H", self.fact("LDAP_URL"), "--simple-bind-dn", self.fact("ADMIN_DN")])
            .args(["--password", self.fact("ADMIN_PASSWORD"), "--objectdn", dn])
            .arg(format!("--sddl=(OD;;RP;{schema_id};;{account})"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Adds entries as the administrator.
    pub(crate) fn add(&self, records: &str) {
        let added: String = records
            .split("\n\n")
            .map(|record| record.trim().replacen('\n', "\nchangetype: add\n", 1) + "\n\n")
            .collect();
        self.modify(&added);
    }

    /// Resets the server to so many people.
    pub(crate) fn load(&mut self, people: usize) {
        self.run(&["load", &people.to_string()]).unwrap();
    }

    fn start(script: &str, prefix: &str, more: &[&str], load: &[&str]) -> Result<Self, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(script);
        // Samba's socket paths must be short, so the system's folder and not the target's
        let directory = tempfile::Builder::new().prefix("ldap").tempdir().unwrap();
        let mut server = Self { script, directory, facts: HashMap::new() };
        let (port, tls_port) = (free_port().to_string(), free_port().to_string());
        let ports = [&["-p", &port, "-t", &tls_port], more].concat();
        server.run(&[&ports[..], load].concat())?;
        let facts = server.run(&[&ports[..], &["start"]].concat())?;
        for line in facts.lines() {
            if let Some((name, value)) = line.split_once('=')
                && let Some(name) = name.strip_prefix(prefix)
            {
                server.facts.insert(name.to_owned(), value.trim_matches('\'').to_owned());
            }
        }
        Ok(server)
    }

    /// Runs the script; `Err` with the reason when the server's packages are absent.
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let Output { status, stdout, stderr } = Command::new("bash")
            .arg(&self.script)
            .arg("-d")
            .arg(self.directory.path())
            .args(arguments)
            .env("AD_DC_CERTS", "20")
            .env("OPENLDAP_CERTS", "20")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("no bash: {error}"))?;
        let words = String::from_utf8_lossy(&stderr);
        if !status.success() {
            let missing = words.lines().find(|line| line.contains("missing packages"));
            assert!(missing.is_some(), "{}: {words}", self.script.display());
            return Err(missing.unwrap_or_default().to_owned());
        }
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.run(&["stop"]);
    }
}

static OPENLDAP: Mutex<Weak<RealServer>> = Mutex::new(Weak::new());
static ACTIVE_DIRECTORY: Mutex<Weak<RealServer>> = Mutex::new(Weak::new());

/// slapd with `PEOPLE` people; `None`, said aloud, where it is not installed.
pub(crate) fn openldap(test: &str) -> Option<Arc<RealServer>> {
    shared(&OPENLDAP, "openldap.sh", "OL_", test)
}

/// Samba's AD DC with `PEOPLE` people; `None`, said aloud, where it is not installed.
pub(crate) fn active_directory(test: &str) -> Option<Arc<RealServer>> {
    shared(&ACTIVE_DIRECTORY, "ad-dc.sh", "AD_", test)
}

fn shared(place: &Mutex<Weak<RealServer>>, script: &str, prefix: &str, test: &str) -> Option<Arc<RealServer>> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = place.upgrade() {
        return Some(server);
    }
    match RealServer::start(script, prefix, &[], &["load", &PEOPLE.to_string()]) {
        Ok(server) => {
            let server = Arc::new(server);
            *place = Arc::downgrade(&server);
            Some(server)
        }
        Err(reason) => skipped(test, &reason),
    }
}

/// Samba's AD DC with its key distribution centre; `None`, said aloud, where it is not installed.
#[cfg(feature = "gssapi")]
pub(crate) fn kerberos_domain(test: &str) -> Option<RealServer> {
    let port = free_port().to_string();
    RealServer::start("ad-dc.sh", "AD_", &["-k", &port], &["load", &PEOPLE.to_string()])
        .map_or_else(|reason| skipped(test, &reason), Some)
}

/// slapd with the entries of an LDIF file and nobody else; `None`, said aloud, where it is not installed.
pub(crate) fn openldap_with(ldif: &Path, test: &str) -> Option<RealServer> {
    let started = RealServer::start("openldap.sh", "OL_", &[], &["load-ldif", ldif.to_str()?]);
    started.map_or_else(|reason| skipped(test, &reason), Some)
}

/// Says that a test was left out.
pub(crate) fn skipped<T>(test: &str, reason: &str) -> Option<T> {
    // not eprintln, which the test harness keeps to itself
    std::io::stderr().write_all(format!("SKIPPED {test}: {reason}\n").as_bytes()).unwrap();
    None
}

/// A slapd for one test alone, which may change what is in it.
pub(crate) fn own_openldap(test: &str, people: usize) -> Option<RealServer> {
    RealServer::start("openldap.sh", "OL_", &[], &["load", &people.to_string()])
        .map_or_else(|reason| skipped(test, &reason), Some)
}

/// A slapd with these options of its script.
pub(crate) fn openldap_by(options: &[&str], test: &str, people: usize) -> Option<RealServer> {
    RealServer::start("openldap.sh", "OL_", options, &["load", &people.to_string()])
        .map_or_else(|reason| skipped(test, &reason), Some)
}

/// Samba's AD DC for one test alone, which may change what is in it.
pub(crate) fn own_active_directory(test: &str, people: usize) -> Option<RealServer> {
    RealServer::start("ad-dc.sh", "AD_", &[], &["load", &people.to_string()])
        .map_or_else(|reason| skipped(test, &reason), Some)
}

/// A port nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The certificate of an authority no server here has to do with.
pub(crate) fn stranger() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=Stranger CA", "-keyout", "/dev/null", "-out"])
        .arg(file.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    file
}
