//! What is read, written as LDIF: read back here, by slapd and by its clients, to the same people.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use smimesync::config::{Config, Directory, DirectoryKind};
use smimesync::directory::{Export, ReadReport, Selection, read_and_export};
use smimesync::error::{Code, Error};
use smimesync::people::Person;
use smimesync::session::{Session, Step, Verb};

use crate::odd;
use crate::reader::{anonymous, directory, everybody, named, run, simple};
use crate::scripted_server::{Act, Operation, page_end, person, result, serve_requests};
use crate::servers::{PEOPLE, active_directory, openldap, openldap_with, own_openldap};

/// Reads into a file and puts it into its place if all was read.
fn exported(directory: &Directory, selection: &Selection, path: &Path) -> Result<(Vec<Person>, ReadReport), Error> {
    let config = Config { directory: Some(directory.clone()), ..Config::default() };
    let export = Arc::new(Export::create(path.to_path_buf(), false)?);
    let (people, report) = run(async {
        let (sink, mut source) = tokio::sync::mpsc::channel(16);
        let collect = async {
            let mut people = Vec::new();
            while let Some(person) = source.recv().await {
                people.push(person);
            }
            people
        };
        let (report, people) = tokio::join!(read_and_export(&config, selection, Arc::clone(&export), sink), collect);
        report.map(|report| (people, report))
    })?;
    report.ended()?;
    export.keep()?;
    Ok((people, report))
}

fn file(path: &Path) -> Directory {
    Directory { kind: DirectoryKind::Ldif, path: Some(PathBuf::from(path)), ..Directory::default() }
}

#[test]
fn a_file_of_slapd_s_people_is_read_back_here_by_slapd_and_by_its_clients() {
    let test = "export::a_file_of_slapd_s_people_is_read_back";
    let Some(server) = own_openldap(test, 0) else { return };
    let (config, base) = odd::on_openldap(&server);
    // without their family name slapd would not take them
    let config = Directory { source_anchor: Some("sn".into()), ..config };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.ldif");
    let (people, _) = exported(&config, &Selection::default(), &path).unwrap();
    let back = Directory { source_anchor: config.source_anchor.clone(), ..file(&path) };
    let (read, report) = everybody(&back).unwrap();
    assert_eq!((read.len(), report.complete), (people.len(), true));
    assert!(read == people, "the file holds other people");
    // slapadd knows no version line
    let text = std::fs::read_to_string(&path).unwrap();
    let bare = folder.path().join("slapadd.ldif");
    std::fs::write(&bare, text.strip_prefix("version: 1\n").unwrap()).unwrap();
    let Some(other) = openldap_with(&bare, test) else { return };
    let there =
        Directory { urls: vec![other.fact("LDAPS_URL").into()], ca_files: vec![other.ca_file().into()], ..config };
    let loaded = odd::hold(&Directory { source_anchor: None, ..there.clone() }, base);
    assert_eq!(loaded.len(), people.len());
    let (loaded, _) = everybody(&there).unwrap();
    assert!(people.iter().all(|person| loaded.iter().any(|other| same(other, person))), "slapd read other people");
    let added =
        Command::new("ldapadd").args(["-n", "-x", "-H", other.fact("LDAP_URL"), "-f"]).arg(&path).output().unwrap();
    let shown = String::from_utf8_lossy(&added.stdout).matches("adding new entry").count();
    assert_eq!((added.status.success(), shown), (true, people.len()), "{}", String::from_utf8_lossy(&added.stderr));
}

/// Whether they are the same but for the order of values, which an attribute does not have.
fn same(one: &Person, other: &Person) -> bool {
    let sorted = |person: &Person| {
        let mut person = person.clone();
        person.values.sort_by_key(|value| value.sha256);
        person
    };
    sorted(one) == sorted(other)
}

#[test]
fn a_file_of_active_directory_s_people_is_read_back() {
    let Some(server) = active_directory("export::a_file_of_active_directory_s_people_is_read_back") else { return };
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    let config = directory(server.fact("LDAPS_URL"), "OU=Load,DC=ad,DC=test", bind, Some(server.ca_file()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.ldif");
    let (people, _) = exported(&config, &Selection::default(), &path).unwrap();
    let (read, _) = everybody(&file(&path)).unwrap();
    assert!(people.len() == PEOPLE && read == people, "{} people, {} in the file", people.len(), read.len());
    // those who are named are written as well, and nobody else
    let some = folder.path().join("some.ldif");
    let identities = [people[3].identity.as_str(), people[7].distinguished_name.as_str(), "nobody@ad.test"];
    let (named, report) = exported(&config, &named(&identities), &some).unwrap();
    assert_eq!((named.len(), report.unresolved.len()), (2, 1));
    assert_eq!(everybody(&file(&some)).unwrap().0, named);
    // and so is a file that is read
    let copy = folder.path().join("copy.ldif");
    exported(&file(&path), &Selection::default(), &copy).unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&path).unwrap());
}

#[test]
fn a_read_that_does_not_end_leaves_no_file() {
    let url = serve_requests(|request| match (&request.operation, request.number) {
        (Operation::Bind { .. }, _) => Act::Send(vec![result(0x61, 0, "")]),
        _ if request.is_root_dse() => Act::Send(vec![page_end(b"")]),
        (_, 2) => Act::Send(vec![person(1), page_end(b"next")]),
        _ => Act::SendAndClose(vec![person(2)]),
    });
    let config = directory(&url, "dc=x", anonymous(), None);
    let folder = tempfile::tempdir().unwrap();
    let error = exported(&config, &Selection::default(), &folder.path().join("people.ldif")).unwrap_err();
    assert_eq!(error.code(), Code::DirectoryIncomplete);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Rows and the end of the verb `fetch`.
fn fetch(session: &Session, options: &serde_json::Value) -> (usize, Option<Error>) {
    let mut cursor = match session.start(Verb::Fetch, &options.to_string()) {
        Ok(cursor) => cursor,
        Err(error) => return (0, Some(error)),
    };
    let mut rows = 0;
    loop {
        match cursor.next(Duration::from_secs(30)) {
            Ok(Step::Row) => rows += 1,
            Ok(_) => return (rows, None),
            Err(error) => return (rows, Some(error)),
        }
    }
}

#[test]
fn fetch_writes_a_file_beside_its_rows_and_overwrites_none() {
    let Some(server) = openldap("export::fetch_writes_a_file_beside_its_rows") else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = json!({
        "base_dir": folder.path(),
        "directory": {
            "urls": [server.fact("LDAPS_URL")], "base": server.fact("BASE_DN"), "ca_files": [server.ca_file()],
            "bind": { "user": server.fact("SYNC_DN"), "password": server.fact("SYNC_PASSWORD") },
        },
    });
    let session = Session::open(&config.to_string()).unwrap();
    let path = folder.path().join("people.ldif");
    let (rows, error) = fetch(&session, &json!({ "ldif_path": "people.ldif" }));
    assert!(error.is_none() && rows == PEOPLE, "{error:?}");
    assert_eq!(everybody(&file(&path)).unwrap().0.len(), PEOPLE);
    let (rows, error) = fetch(&session, &json!({ "ldif_path": "people.ldif" }));
    let error = error.unwrap();
    assert_eq!((rows, error.code(), error.get_target()), (0, Code::FileExists, path.to_str()));
    let few = json!({ "ldif_path": "people.ldif", "overwrite": true, "filter": "(uid=user00000*)" });
    assert_eq!(fetch(&session, &few).0, 10);
    assert_eq!(everybody(&file(&path)).unwrap().0.len(), 10);
    for (options, pointer) in [
        (json!({ "ldif_path": "" }), "/ldif_path"),
        (json!({ "ldif_path": "a.ldif", "policy_type": "delta" }), "/policy_type"),
        (json!({ "ldif_path": "a.ldif", "limit": 5 }), "/limit"),
        (json!({ "overwrite": true }), "/overwrite"),
    ] {
        let error = fetch(&session, &options).1.unwrap();
        assert_eq!((error.code(), error.get_target()), (Code::OptionValue, Some(pointer)));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}
