//! A server with one more person than it is shared with, and sessions that may write to it.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Mod, Scope, SearchEntry};
use serde_json::{Value as Json, json};
use smimesync::error::{Code, Error};
use smimesync::session::{Row, Session, Step, Value, Verb};
use smimesync::store::Store;
use tempfile::TempDir;

use crate::pki::{AT, Authority};
use crate::servers::RealServer;

/// A person of the test's own on a server.
pub(crate) struct Stage {
    server: Arc<RealServer>,
    active_directory: bool,
    pub(crate) folder: TempDir,
    pub(crate) authority: Authority,
    pub(crate) address: String,
    pub(crate) dn: String,
}

impl Stage {
    /// A person with this name.
    pub(crate) fn new(server: Arc<RealServer>, active_directory: bool, name: &str) -> Self {
        let (folder, authority) = (TempDir::new().unwrap(), Authority::new());
        std::fs::write(folder.path().join("root.pem"), authority.pem()).unwrap();
        let address = format!("{name}@writes.test");
        let dn = match active_directory {
            true => format!("CN={name},CN=Users,{}", server.fact("BASE_DN")),
            false => format!("uid={name},{}", server.fact("PEOPLE_DN")),
        };
        let stage = Self { server, active_directory, folder, authority, address: address.clone(), dn };
        let class = if active_directory { "contact" } else { "inetOrgPerson" };
        let mut attributes = vec![("objectClass", class.to_owned()), ("mail", address), ("sn", name.to_owned())];
        if !active_directory {
            attributes.extend([("cn", name.to_owned()), ("uid", name.to_owned())]);
        }
        let attributes =
            attributes.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), HashSet::from([value.into_bytes()])));
        let attributes: Vec<_> = attributes.collect();
        stage.as_admin(async |ldap, stage| {
            ldap.add(&stage.dn, attributes).await.unwrap().success().unwrap();
        });
        stage
    }

    /// The attribute's description as this server takes it.
    fn description(&self, attribute: &str) -> String {
        let binary = !self.active_directory && attribute == "userCertificate";
        format!("{attribute}{}", if binary { ";binary" } else { "" })
    }

    /// Sets an attribute behind SmimeSync's back.
    pub(crate) fn set(&self, attribute: &str, values: &[&[u8]]) {
        let values: HashSet<Vec<u8>> = values.iter().map(|value| value.to_vec()).collect();
        let change = vec![Mod::Replace(self.description(attribute).into_bytes(), values)];
        self.as_admin(async |ldap, stage| {
            ldap.modify(&stage.dn, change).await.unwrap().success().unwrap();
        });
    }

    /// What the entry holds.
    pub(crate) fn held(&self, attribute: &str) -> HashSet<Vec<u8>> {
        let description = self.description(attribute);
        let mut found = HashSet::new();
        self.as_admin(async |ldap, stage| {
            let answer = ldap.search(&stage.dn, Scope::Base, "(objectClass=*)", vec![attribute]).await.unwrap();
            let entry = SearchEntry::construct(answer.0.into_iter().next().unwrap());
            found.extend(entry.bin_attrs.get(&description).into_iter().flatten().cloned());
            found.extend(entry.attrs.get(&description).into_iter().flatten().map(|text| text.clone().into_bytes()));
        });
        found
    }

    fn as_admin(&self, work: impl AsyncFnOnce(&mut Ldap, &Self)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let settings = LdapConnSettings::new().set_conn_timeout(Duration::from_secs(20));
            let url = self.server.fact("LDAP_URL");
            let (driver, mut ldap) = LdapConnAsync::with_settings(settings, url).await.unwrap();
            tokio::spawn(driver.drive());
            let (user, password) = (self.server.fact("ADMIN_DN"), self.server.fact("ADMIN_PASSWORD"));
            ldap.simple_bind(user, password).await.unwrap().success().unwrap();
            work(&mut ldap, self).await;
        });
    }

    /// Runs a verb as the administrator; the person alone is looked at unless the options say otherwise.
    pub(crate) fn run(&self, verb: Verb, options: Json) -> (Vec<Row>, Option<Error>) {
        self.run_with(verb, options, &json!({}))
    }

    /// Like [`Stage::run`], with guards of its own.
    pub(crate) fn run_with(&self, verb: Verb, mut options: Json, guard: &Json) -> (Vec<Row>, Option<Error>) {
        let who = options.as_object_mut().unwrap();
        who.entry("identities").or_insert_with(|| json!([self.address]));
        if who["identities"].is_null() {
            who.remove("identities");
        }
        let admin = json!({ "user": self.server.fact("ADMIN_DN"), "password": self.server.fact("ADMIN_PASSWORD") });
        self.run_as(&admin, verb, &options, guard)
    }

    /// Runs a verb over a connection that is lost with the answer to the first modification.
    pub(crate) fn run_cut(&self, verb: Verb) -> (Vec<Row>, Option<Error>) {
        let server = self.server.fact("LDAP_URL").trim_start_matches("ldap://").trim_end_matches('/').to_owned();
        let relay = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ldap://{}", relay.local_addr().unwrap());
        std::thread::spawn(move || {
            for client in relay.incoming() {
                let server = server.clone();
                std::thread::spawn(move || relay_until_modified(client.unwrap(), &server));
            }
        });
        let bind = json!({
            "user": self.server.fact("ADMIN_DN"), "password": self.server.fact("ADMIN_PASSWORD"), "allow_plaintext": true,
        });
        self.run_at(&url, &bind, verb, &json!({ "identities": [self.address] }), &json!({}))
    }

    /// Runs a verb as somebody who may only read.
    pub(crate) fn run_as_reader(&self, verb: Verb, options: &Json) -> (Vec<Row>, Option<Error>) {
        let reader = json!({ "user": self.server.fact("SYNC_DN"), "password": self.server.fact("SYNC_PASSWORD") });
        self.run_as(&reader, verb, options, &json!({}))
    }

    /// Runs a verb over everybody as nobody.
    pub(crate) fn run_anonymously(&self, verb: Verb) -> (Vec<Row>, Option<Error>) {
        self.run_as(&json!({ "method": "anonymous" }), verb, &json!({}), &json!({}))
    }

    fn run_as(&self, bind: &Json, verb: Verb, options: &Json, guard: &Json) -> (Vec<Row>, Option<Error>) {
        self.run_at(self.server.fact("LDAPS_URL"), bind, verb, options, guard)
    }

    fn run_at(&self, url: &str, bind: &Json, verb: Verb, options: &Json, guard: &Json) -> (Vec<Row>, Option<Error>) {
        let config = json!({
            "base_dir": self.folder.path(),
            "directory": {
                "urls": [url],
                "base": self.server.fact("BASE_DN"),
                "ca_files": [self.server.ca_file()],
                "bind": bind,
            },
            "trust": { "anchors": ["root.pem"] },
            "revocation": { "mode": "off" },
            "policy": { "at": AT },
            "guard": guard,
            "store": { "path": "state.db" },
        });
        let session = Session::open(&config.to_string()).unwrap();
        let mut cursor = match session.start(verb, &options.to_string()) {
            Ok(cursor) => cursor,
            Err(error) => return (Vec::new(), Some(error)),
        };
        let mut rows = Vec::new();
        loop {
            match cursor.next(Duration::from_secs(60)) {
                Ok(Step::Row) => rows.push(cursor.row().unwrap().clone()),
                Ok(Step::Done) => return (rows, None),
                Ok(Step::Timeout) => panic!("the verb takes too long"),
                Err(error) => return (rows, Some(error)),
            }
        }
    }

    /// The store, opened as the next process would.
    pub(crate) fn store(&self) -> Store {
        Store::open(&self.folder.path().join("state.db"), 0).unwrap()
    }
}

/// Passes a connection's bytes on, up to and with the answer to a modification.
fn relay_until_modified(mut client: TcpStream, server: &str) {
    /// The tag of a ModifyResponse (RFC 4511 4.6).
    const MODIFY_RESPONSE: u8 = 0x67;
    let mut server = TcpStream::connect(server).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    // either side may hang up first
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let mut bytes = vec![0; 65_536];
    while let Ok(count @ 1..) = server.read(&mut bytes) {
        if client.write_all(&bytes[..count]).is_err() {
            break;
        }
        // a short message: its head, its number of one octet or two, its operation
        let operation = bytes.get(3).map(|length| bytes[4 + usize::from(*length).min(4)]);
        if operation == Some(MODIFY_RESPONSE) {
            break;
        }
    }
    // both may be gone already
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

/// A column's text; empty for NULL.
pub(crate) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    match row.get(column) {
        Some(Value::Text(text)) => text,
        Some(Value::Null) => "",
        other => panic!("{column} is {other:?}"),
    }
}

/// Attribute, action, result and reason of each row.
pub(crate) fn shown(rows: &[Row]) -> Vec<[&str; 4]> {
    rows.iter().map(|row| ["attribute", "action", "result", "reason"].map(|column| text(row, column))).collect()
}

/// The code of the error that ended a verb.
pub(crate) fn code(error: &Option<Error>) -> Option<Code> {
    error.as_ref().map(Error::code)
}
