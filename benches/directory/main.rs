//! Reading directories: everybody and what changed, on Samba's AD DC and slapd beside ldapsearch, and from LDIF.
//!
//!     cargo bench --bench directory -- [PEOPLE]            10,000 on both servers, 100,000 in LDIF, if not given
//!     cargo bench --bench directory -- 100000 1000000      people on the servers, people in LDIF
//!
//! Each read is a process of its own, whose peak memory is shown. ldapsearch asks for the same attributes with the same
//! page size and throws its output away; once it writes them to a file, in which the same values are counted. The servers
//! are started by the project's scripts and need Debian's packages; without them their part is left out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark says where it stops, and what it measured"
)]

mod ldif;
mod measure;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use measure::{Figures, Place};

struct Server {
    script: PathBuf,
    folder: tempfile::TempDir,
    facts: HashMap<String, String>,
    filter: &'static str,
    people_base: &'static str,
}

impl Server {
    /// `None` where the packages are absent.
    fn start(name: &str, port: &str, people: u64, filter: &'static str, people_base: &'static str) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(name);
        let folder = tempfile::Builder::new().prefix("bench").tempdir().unwrap();
        let mut server = Self { script, folder, facts: HashMap::new(), filter, people_base };
        server.script(&["-p", port, "load", &people.to_string()])?;
        for line in server.script(&["-p", port, "start"])?.lines() {
            if let Some((name, value)) = line.split_once('=') {
                let name = name.split_once('_').map_or(name, |(_, name)| name);
                server.facts.insert(name.to_owned(), value.trim_matches('\'').to_owned());
            }
        }
        Some(server)
    }

    fn script(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("bash");
        let output = command.arg(&self.script).arg("-d").arg(self.folder.path()).args(arguments).output().unwrap();
        if !output.status.success() {
            println!("left out: {}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default());
            return None;
        }
        Some(String::from_utf8(output.stdout).unwrap())
    }

    fn place(&self) -> Place {
        Place {
            url: self.facts["LDAP_URL"].clone(),
            base: self.people_base.into(),
            user: self.facts["SYNC_DN"].clone(),
            password: self.facts["SYNC_PASSWORD"].clone(),
        }
    }

    /// Seconds that ldapsearch takes for the same.
    fn ldapsearch(&self, output: Stdio) -> f64 {
        let place = self.place();
        let begun = Instant::now();
        let status = Command::new("ldapsearch")
            .args(["-x", "-LLL", "-H", &place.url, "-D", &place.user, "-w", &place.password, "-b", self.people_base])
            .args(["-E", "pr=1000/noprompt", self.filter])
            .args(smimesync::directory::ATTRIBUTES)
            .stdout(output)
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success());
        begun.elapsed().as_secs_f64()
    }

    /// Gives so many people another address, never the same one twice.
    fn change(&self, people: u64, dn: impl Fn(u64) -> String) {
        let records: String = (0..people)
            .map(|number| {
                format!(
                    "dn: {}\nchangetype: modify\nreplace: mail\nmail: b{number}-{people}@bench.test\n\n",
                    dn(number)
                )
            })
            .collect();
        let file = self.folder.path().join("changes.ldif");
        std::fs::write(&file, records).unwrap();
        let status = Command::new("ldapmodify")
            .args([
                "-x",
                "-H",
                &self.facts["LDAP_URL"],
                "-D",
                &self.facts["ADMIN_DN"],
                "-w",
                &self.facts["ADMIN_PASSWORD"],
            ])
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }

    fn measure(&self, name: &str, people: u64, dn: impl Fn(u64) -> String) {
        let export = self.folder.path().join("export.ldif");
        self.ldapsearch(std::fs::File::create(&export).unwrap().into());
        let same = Place::file(&export.display().to_string()).full();
        // each twice, the better one counts: the first one warms the server up
        let peer = self.ldapsearch(Stdio::null()).min(self.ldapsearch(Stdio::null()));
        let (one, two) = (self.place().full(), self.place().full());
        let ours = if one.seconds < two.seconds { one } else { two };
        let Figures { people: read, values, bytes, seconds, kib, .. } = ours;
        assert_eq!((read, values, bytes), (same.people, same.values, same.bytes), "ldapsearch got something else");
        println!(
            "{name}: {read} people, {values} values, {bytes} bytes: {seconds:.2} s, ldapsearch {peer:.2} s, \
             ratio {:.2}, {:.0} MiB",
            seconds / peer,
            kib as f64 / 1024.0
        );
        let (_, nothing, mut cursor) = self.place().delta(self.place().mark());
        println!("{name}: {} without a change {nothing:.3} s", cursor.method());
        for share in [100, 25] {
            self.change(people / share, &dn);
            let (changed, seconds, next) = self.place().delta(cursor);
            cursor = next;
            println!("{name}: {changed} changed {seconds:.3} s, {:.3} ms each", seconds * 1000.0 / changed as f64);
            assert!(changed >= people / share);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.script(&["stop"]);
    }
}

fn ldif(people: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.ldif");
    let size = ldif::write(&path, people) as f64 / 1e6;
    let place = Place::file(&path.display().to_string());
    let Figures { people: read, seconds, cpu_seconds, kib, .. } = place.full();
    assert_eq!(read, people);
    println!(
        "ldif: {people} people, {size:.0} MB: {seconds:.2} s, {:.0} MB/s by the clock, {:.0} MB/s of processor time, {:.0} MiB",
        size / seconds,
        size / cpu_seconds,
        kib as f64 / 1024.0
    );
    let (_, seconds, _) = place.delta(place.mark());
    println!("ldif: unchanged, recognised in {seconds:.2} s");
}

fn main() {
    if measure::is_child() {
        return;
    }
    // cargo adds --bench
    let mut sizes = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let on_servers = sizes.next().unwrap_or(10_000);
    ldif(sizes.next().unwrap_or(100_000));
    if on_servers == 0 {
        return;
    }
    let samba = "(&(objectCategory=person)(|(objectClass=user)(objectClass=contact)))";
    if let Some(server) = Server::start("ad-dc.sh", "24389", on_servers, samba, "OU=Load,DC=ad,DC=test") {
        server.measure("samba", on_servers, |number| format!("CN=user{number:06},OU=Load,DC=ad,DC=test"));
    }
    let slapd = "(|(objectClass=user)(objectClass=inetOrgPerson)(objectClass=contact))";
    let base = "ou=people,dc=example,dc=test";
    if let Some(server) = Server::start("openldap.sh", "25389", on_servers, slapd, base) {
        server.measure("slapd", on_servers, |number| format!("uid=user{number:06},{base}"));
    }
}
