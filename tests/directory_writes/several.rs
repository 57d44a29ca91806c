//! Entries of one person in several directories: each is written where it is.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};
use smimesync::error::{Code, Error};
use smimesync::session::{Row, Session, Step, Value, Verb};
use tempfile::TempDir;

use crate::pki::AT;
use crate::servers::{RealServer, active_directory, free_port, openldap};
use crate::stage::{Stage, code, shown, text};

/// A person of Samba, of slapd and of a file, all with one address.
struct Three {
    forest: Stage,
    partner: Stage,
    folder: TempDir,
    directories: Vec<Json>,
    authorities: Json,
}

fn at(server: &RealServer, base: &str) -> Json {
    json!({
        "urls": [server.fact("LDAPS_URL")], "base": base, "ca_files": [server.ca_file()],
        "bind": { "user": server.fact("ADMIN_DN"), "password": server.fact("ADMIN_PASSWORD") },
    })
}

impl Three {
    fn new(test: &str, name: &str) -> Option<Self> {
        let (samba, slapd) = (active_directory(test)?, openldap(test)?);
        let forest = at(&samba, &format!("CN=Users,{}", samba.fact("BASE_DN")));
        let partner = at(&slapd, slapd.fact("PEOPLE_DN"));
        let (directories, folder) =
            (vec![forest, partner, json!({ "kind": "ldif", "path": "people.ldif" })], TempDir::new().unwrap());
        let (forest, partner) = (Stage::new(samba, true, name), Stage::new(slapd, false, name));
        let authorities = json!([forest.folder.path().join("root.pem")]);
        Some(Self { forest, partner, folder, directories, authorities })
    }

    /// A certificate of the person.
    fn issue(&self, from: i32, to: i32) -> Vec<u8> {
        self.forest.authority.issue(&self.forest.address, from, to)
    }

    fn export(&self, value: &[u8]) {
        let (address, value) = (&self.forest.address, BASE64_STANDARD.encode(value));
        let record = format!("dn: cn=file\nobjectClass: inetOrgPerson\nmail: {address}\nuserCertificate:: {value}\n");
        std::fs::write(self.folder.path().join("people.ldif"), record).unwrap();
    }

    fn run(&self, directories: &[Json], verb: Verb, options: &Json) -> (Vec<Row>, Option<Error>) {
        let config = json!({
            "base_dir": self.folder.path(), "directories": directories, "trust": { "anchors": self.authorities },
            "revocation": { "mode": "off" }, "policy": { "at": AT }, "store": { "path": "state.db" },
        });
        let session = Session::open(&config.to_string()).unwrap();
        let mut cursor = session.start(verb, &options.to_string()).unwrap();
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

    fn of_person(&self, mut options: Json) -> Json {
        options["identities"] = json!([self.forest.address]);
        options
    }
}

/// Directory, action, result and the error's code of each row, in the directories' order.
fn told(rows: &[Row]) -> Vec<(String, &str, &str, bool)> {
    let refused = i64::from(Code::ConfigUnsupported.number());
    let mut told: Vec<_> = rows
        .iter()
        .map(|row| {
            let is_refused = row.get("error_code") == Some(&Value::Integer(refused));
            (text(row, "directory").to_owned(), text(row, "action"), text(row, "result"), is_refused)
        })
        .collect();
    told.sort();
    told
}

#[test]
fn each_entry_loses_what_is_expired_where_it_is() {
    let Some(three) = Three::new("several::each_entry_loses_what_is_expired_where_it_is", "several1") else { return };
    let expired = [2022, 2023, 2024].map(|to| three.issue(2021, to));
    let good = three.issue(2026, 2030);
    three.forest.set("userCertificate", &[&good, &expired[0]]);
    three.partner.set("userCertificate", &[&expired[1]]);
    three.export(&expired[2]);
    let [forest, partner] = [0, 1].map(|place| three.directories[place]["base"].as_str().unwrap().to_owned());
    let refused = ("people.ldif".to_owned(), "skip", "failed", true);
    let options = three.of_person(json!({ "backup_to": "saved" }));
    let (rows, error) = three.run(&three.directories, Verb::Prune, &three.of_person(json!({ "staging": true })));
    let planned =
        [(forest.clone(), "set", "planned", false), (partner.clone(), "clear", "planned", false), refused.clone()];
    assert_eq!((told(&rows), code(&error)), (planned.to_vec(), None));
    let (rows, error) = three.run(&three.directories, Verb::Prune, &options);
    let applied =
        [(forest.clone(), "set", "applied", false), (partner.clone(), "clear", "applied", false), refused.clone()];
    assert_eq!((told(&rows), code(&error)), (applied.to_vec(), None));
    assert_eq!(three.forest.held("userCertificate"), HashSet::from([good]));
    assert!(three.partner.held("userCertificate").is_empty());
    // the list of what was saved and the record of the run say where it stood
    let saved = std::fs::read_dir(three.folder.path().join("saved")).unwrap().next().unwrap().unwrap().path();
    let list = std::fs::read_to_string(saved.join("removed.csv")).unwrap();
    assert_eq!(list.lines().count(), 3);
    for name in [&forest, &partner] {
        assert_eq!(list.matches(&format!("\"{name}\"")).count(), 1, "{list}");
    }
    let (rows, _) = three.run(&three.directories, Verb::Changes, &json!({ "last": 1 }));
    assert_eq!(told(&rows), applied);
    assert_eq!(rows.iter().map(|row| text(row, "directory")).collect::<HashSet<_>>().len(), 3);
    let (rows, _) = three.run(&three.directories, Verb::Prune, &options);
    assert_eq!(told(&rows), [refused]);
}

#[test]
fn a_certificate_goes_to_every_entry_of_the_person() {
    let Some(three) = Three::new("several::a_certificate_goes_to_every_entry_of_the_person", "several2") else {
        return;
    };
    let good = three.issue(2026, 2030);
    three.export(&three.issue(2025, 2030));
    let options = json!({ "certificates": [{ "der": BASE64_STANDARD.encode(&good) }] });
    let (rows, error) = three.run(&three.directories, Verb::Publish, &options);
    let results: Vec<_> = told(&rows).into_iter().map(|(_, action, result, _)| (action, result)).collect();
    assert_eq!((results, code(&error)), (vec![("set", "applied"), ("set", "applied"), ("skip", "failed")], None));
    assert_eq!(three.forest.held("userCertificate"), HashSet::from([good.clone()]));
    assert_eq!(three.partner.held("userCertificate"), HashSet::from([good]));
    let (rows, _) = three.run(&three.directories, Verb::Publish, &options);
    let results: Vec<_> = told(&rows).into_iter().map(|(_, action, result, _)| (action, result)).collect();
    assert_eq!(results, [("none", "skipped"), ("none", "skipped"), ("skip", "failed")]);
    let (rows, error) = three.run(&three.directories[2..], Verb::Publish, &options);
    assert_eq!((rows.len(), code(&error)), (0, Some(Code::ConfigUnsupported)), "a file alone is not written at all");
}

#[test]
fn an_identity_of_two_directories_is_two_entries_and_not_ambiguous() {
    let test = "several::an_identity_of_two_directories_is_two_entries_and_not_ambiguous";
    let Some(three) = Three::new(test, "several3") else { return };
    let expired = three.issue(2021, 2023);
    three.partner.set("userCertificate", &[&expired]);
    // the same server twice, so that the second entry is the first one
    let mut twice = vec![three.directories[1].clone(), three.directories[1].clone()];
    let options = three.of_person(json!({}));
    let (rows, error) = three.run(&twice, Verb::Prune, &three.of_person(json!({ "staging": true })));
    assert_eq!((shown(&rows), code(&error)), (vec![["userCertificate", "clear", "planned", "expired"]; 2], None));
    let names: HashSet<_> = rows.iter().map(|row| text(row, "directory")).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    // a directory that is down keeps everybody's values
    twice[1]["urls"] = json!([format!("ldaps://127.0.0.1:{}", free_port())]);
    let (rows, error) = three.run(&twice, Verb::Prune, &options);
    assert_eq!((rows.len(), code(&error)), (0, Some(Code::DirectoryUnreachable)));
    let (_, error) = three.run(&twice, Verb::Prune, &three.of_person(json!({ "staging": true })));
    assert_eq!(code(&error), Some(Code::DirectoryIncomplete));
    assert_eq!(three.partner.held("userCertificate"), HashSet::from([expired]));
    twice.swap_remove(1);
    twice.push(three.directories[1].clone());
    let (rows, error) = three.run(&twice, Verb::Prune, &options);
    let results: Vec<_> = rows.iter().map(|row| (text(row, "action"), text(row, "result"))).collect();
    // what is gone already when its turn comes is no change
    assert_eq!((results, code(&error)), (vec![("clear", "applied"), ("none", "")], None));
    assert!(three.partner.held("userCertificate").is_empty());
    let (_, error) = three.run(&twice, Verb::Prune, &json!({ "identities": ["nobody@writes.test"] }));
    assert_eq!(code(&error), Some(Code::DirectoryNotFound));
}
