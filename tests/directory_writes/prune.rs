//! Values out of the directory.

use std::collections::HashSet;

use rcgen::ExtendedKeyUsagePurpose;
use serde_json::json;
use smimesync::error::Code;
use smimesync::session::Verb;

use crate::servers::{active_directory, openldap};
use crate::stage::{Stage, code, shown};

fn takes_what_is_expired_and_leaves_the_rest(stage: &Stage) {
    let good = stage.authority.issue(&stage.address, 2026, 2030);
    let expired = stage.authority.issue(&stage.address, 2022, 2024);
    let other = stage.authority.issue("else@writes.test", 2026, 2030);
    stage.set("userCertificate", &[&good, &expired, &other]);
    stage.set("userSMIMECertificate", &[&expired]);
    let (planned, error) = stage.run(Verb::Prune, json!({ "staging": true, "backup_to": "saved" }));
    let rows =
        [["userCertificate", "set", "planned", "expired"], ["userSMIMECertificate", "clear", "planned", "expired"]];
    assert_eq!((shown(&planned), code(&error)), (rows.to_vec(), None));
    assert!(!stage.folder.path().join("saved").exists());
    let (rows, error) = stage.run(Verb::Prune, json!({ "backup_to": "saved" }));
    assert_eq!(code(&error), None);
    assert_eq!(
        shown(&rows),
        [["userCertificate", "set", "applied", "expired"], ["userSMIMECertificate", "clear", "applied", "expired"]]
    );
    assert_eq!(stage.held("userCertificate"), HashSet::from([good.clone(), other]));
    assert!(stage.held("userSMIMECertificate").is_empty());
    let saved = std::fs::read_dir(stage.folder.path().join("saved")).unwrap().next().unwrap().unwrap().path();
    let files: Vec<_> = std::fs::read_dir(saved).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.iter().any(|file| std::fs::read(file).unwrap() == expired));
    let (rows, _) = stage.run(Verb::Prune, json!({ "only": "unfit" }));
    assert_eq!(shown(&rows), [["userCertificate", "set", "applied", "other_person"]]);
    assert_eq!(stage.held("userCertificate"), HashSet::from([good]));
    assert!(stage.run(Verb::Prune, json!({ "only": "unfit" })).0.is_empty());
    assert!(stage.store().open_directory_writes().unwrap().is_empty());
}

#[test]
fn slapd_loses_what_is_expired_and_nothing_else() {
    let Some(server) = openldap("prune::slapd_loses_what_is_expired_and_nothing_else") else { return };
    takes_what_is_expired_and_leaves_the_rest(&Stage::new(server, false, "prune1"));
}

#[test]
fn samba_loses_what_is_expired_and_nothing_else() {
    let Some(server) = active_directory("prune::samba_loses_what_is_expired_and_nothing_else") else { return };
    takes_what_is_expired_and_leaves_the_rest(&Stage::new(server, true, "prune1"));
}

#[test]
fn a_certificate_of_another_system_stays() {
    let Some(server) = openldap("prune::a_certificate_of_another_system_stays") else { return };
    let stage = Stage::new(server, false, "prune2");
    let logon = stage.authority.issue_for(ExtendedKeyUsagePurpose::ClientAuth, &stage.address, 2022, 2024);
    stage.set("userCertificate", &[&logon]);
    for only in ["expired", "unfit"] {
        let (rows, error) = stage.run(Verb::Prune, json!({ "only": only }));
        assert_eq!((shown(&rows), code(&error)), (vec![["userCertificate", "skip", "skipped", "other_purpose"]], None));
    }
    assert_eq!(stage.held("userCertificate"), HashSet::from([logon]));
}

#[test]
fn thumbprints_name_what_goes() {
    let Some(server) = openldap("prune::thumbprints_name_what_goes") else { return };
    let stage = Stage::new(server, false, "prune3");
    let expired = [2023, 2024].map(|to| stage.authority.issue(&stage.address, 2022, to));
    stage.set("userCertificate", &[&expired[0], &expired[1]]);
    let certificate = smimesync::certificate::Certificate::parse(&expired[0]).unwrap();
    let (rows, _) = stage.run(Verb::Prune, json!({ "thumbprints": [certificate.thumbprint.to_lowercase()] }));
    assert_eq!(shown(&rows), [["userCertificate", "set", "applied", "expired"]]);
    assert_eq!(stage.held("userCertificate"), HashSet::from([expired[1].clone()]));
    let (_, error) = stage.run(Verb::Prune, json!({ "thumbprints": [] }));
    assert_eq!(error.unwrap().get_target(), Some("/thumbprints"));
}

#[test]
fn a_read_that_does_not_end_removes_nothing() {
    let Some(server) = openldap("prune::a_read_that_does_not_end_removes_nothing") else { return };
    let stage = Stage::new(server, false, "prune4");
    let expired = stage.authority.issue(&stage.address, 2022, 2024);
    stage.set("userCertificate", &[&expired]);
    // whoever may not read everybody is cut short by slapd's size limit
    let (rows, error) = stage.run_anonymously(Verb::Prune);
    assert_eq!((rows.len(), code(&error)), (0, Some(Code::DirectoryIncomplete)));
    assert_eq!(stage.held("userCertificate"), HashSet::from([expired]));
}

#[test]
fn a_connection_lost_before_reading_back_leaves_the_end_to_the_next_run() {
    let Some(server) = openldap("prune::a_connection_lost_before_reading_back") else { return };
    let stage = Stage::new(server, false, "prune7");
    let expired = stage.authority.issue(&stage.address, 2022, 2024);
    stage.set("userCertificate", &[&expired]);
    let (rows, error) = stage.run_cut(Verb::Prune);
    assert!(error.is_some() && shown(&rows)[0][2] == "failed", "{:?} {error:?}", shown(&rows));
    assert!(stage.held("userCertificate").is_empty(), "it had its effect all the same");
    assert_eq!(stage.store().open_directory_writes().unwrap().len(), 1);
    // what went counts for the guards
    assert_eq!(stage.store().directory_removals_since(0).unwrap(), (1, 1));
    let (rows, error) = stage.run(Verb::Prune, json!({}));
    assert_eq!((rows.len(), code(&error)), (0, None));
    assert!(stage.store().open_directory_writes().unwrap().is_empty());
    assert_eq!(stage.store().directory_removals_since(0).unwrap(), (1, 1));
}

#[test]
fn a_guard_stops_it_before_the_first_change() {
    let Some(server) = openldap("prune::a_guard_stops_it_before_the_first_change") else { return };
    let stage = Stage::new(server, false, "prune5");
    let expired = stage.authority.issue(&stage.address, 2022, 2024);
    stage.set("userCertificate", &[&expired]);
    let (rows, error) = stage.run_with(Verb::Prune, json!({}), &json!({ "max_people_losing_last": 0 }));
    let error = error.unwrap();
    assert_eq!((rows.len(), error.code(), error.get_target()), (0, Code::GuardStopped, Some("max_people_losing_last")));
    assert_eq!(stage.held("userCertificate"), HashSet::from([expired]));
    let forced = json!({ "force": ["max_people_losing_last"] });
    let (rows, _) = stage.run_with(Verb::Prune, forced, &json!({ "max_people_losing_last": 0 }));
    assert_eq!(shown(&rows), [["userCertificate", "clear", "applied", "expired"]]);
}
