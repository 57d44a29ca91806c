//! Certificates into the directory.

use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};
use smimesync::certificate::{Container, SmimeValue};
use smimesync::error::Code;
use smimesync::session::Verb;

use crate::servers::{active_directory, openldap};
use crate::stage::{Stage, code, shown, text};

fn item(der: &[u8]) -> Json {
    json!({ "der": BASE64_STANDARD.encode(der) })
}

fn adds_beside_what_is_there(stage: &Stage) {
    let old = stage.authority.issue(&stage.address, 2025, 2030);
    stage.set("userCertificate", &[&old]);
    let new = stage.authority.issue(&stage.address, 2026, 2031);
    // nobody is named: the certificate's address says who is meant
    let options = json!({ "certificates": [item(&new)], "identities": null });
    let (planned, _) = stage.run(Verb::Publish, {
        let mut staged = options.clone();
        staged["staging"] = json!(true);
        staged
    });
    assert_eq!(shown(&planned), [["userCertificate", "set", "planned", ""]]);
    assert_eq!(stage.held("userCertificate"), HashSet::from([old.clone()]));
    let (rows, error) = stage.run(Verb::Publish, options.clone());
    assert_eq!((shown(&rows), code(&error)), (vec![["userCertificate", "set", "applied", ""]], None));
    assert_eq!(text(&rows[0], "distinguished_name").to_lowercase(), stage.dn.to_lowercase());
    assert_eq!(stage.held("userCertificate"), HashSet::from([old, new]));
    let (again, _) = stage.run(Verb::Publish, options);
    assert_eq!(shown(&again), [["userCertificate", "none", "skipped", ""]]);
    assert!(stage.store().open_directory_writes().unwrap().is_empty());
}

fn builds_a_container_where_asked_for(stage: &Stage) {
    let der = stage.authority.issue(&stage.address, 2026, 2031);
    let options = json!({ "certificates": [item(&der)], "container": "cms" });
    let (rows, error) = stage.run(Verb::Publish, options.clone());
    assert_eq!((shown(&rows), code(&error)), (vec![["userSMIMECertificate", "set", "applied", ""]], None));
    let held: Vec<_> = stage.held("userSMIMECertificate").into_iter().collect();
    let value = SmimeValue::parse(Arc::from(held[0].as_slice()));
    assert_eq!((held.len(), value.container, &*value.certificates[0].der), (1, Container::Cms, &*der));
    // a second one next to it, where the attribute may have no equality rule
    let newer = stage.authority.issue(&stage.address, 2026, 2032);
    let (rows, error) = stage.run(Verb::Publish, json!({ "certificates": [item(&newer)], "container": "cms" }));
    assert_eq!((shown(&rows), code(&error)), (vec![["userSMIMECertificate", "set", "applied", ""]], None));
    assert_eq!(stage.held("userSMIMECertificate").len(), 2);
}

#[test]
fn slapd_gets_certificates_beside_those_it_has() {
    let Some(server) = openldap("publish::slapd_gets_certificates_beside_those_it_has") else { return };
    adds_beside_what_is_there(&Stage::new(server, false, "publish1"));
}

#[test]
fn samba_gets_certificates_beside_those_it_has() {
    let Some(server) = active_directory("publish::samba_gets_certificates_beside_those_it_has") else { return };
    adds_beside_what_is_there(&Stage::new(server, true, "publish1"));
}

#[test]
fn slapd_gets_containers() {
    let Some(server) = openldap("publish::slapd_gets_containers") else { return };
    builds_a_container_where_asked_for(&Stage::new(server, false, "publish2"));
}

#[test]
fn samba_gets_containers() {
    let Some(server) = active_directory("publish::samba_gets_containers") else { return };
    builds_a_container_where_asked_for(&Stage::new(server, true, "publish2"));
}

#[test]
fn what_is_unfit_for_the_person_is_not_published() {
    let Some(server) = openldap("publish::what_is_unfit_for_the_person_is_not_published") else { return };
    let stage = Stage::new(server, false, "publish3");
    let (expired, other) =
        (stage.authority.issue(&stage.address, 2022, 2024), stage.authority.issue("else@writes.test", 2026, 2030));
    for (der, reason) in [(expired, "expired"), (other, "other_person")] {
        let (rows, _) = stage.run(Verb::Publish, json!({ "certificates": [item(&der)] }));
        assert_eq!(shown(&rows), [["userCertificate", "skip", "skipped", reason]]);
    }
    assert!(stage.held("userCertificate").is_empty());
}

#[test]
fn who_may_not_write_is_told_and_nothing_stays_open() {
    let Some(server) = openldap("publish::who_may_not_write_is_told_and_nothing_stays_open") else { return };
    let stage = Stage::new(server, false, "publish4");
    let der = stage.authority.issue(&stage.address, 2026, 2031);
    let (rows, error) = stage.run_as_reader(Verb::Publish, &json!({ "certificates": [item(&der)] }));
    assert_eq!(code(&error), Some(Code::DirectoryDenied));
    assert_eq!(shown(&rows), [["userCertificate", "set", "failed", ""]]);
    assert!(stage.held("userCertificate").is_empty());
    assert!(stage.store().open_directory_writes().unwrap().is_empty());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let Some(server) = openldap("publish::options_that_make_no_sense_are_refused") else { return };
    let stage = Stage::new(server, false, "publish5");
    let der = stage.authority.issue(&stage.address, 2026, 2031);
    for (options, pointer) in [
        (json!({}), "/certificates"),
        (json!({ "certificates": [] }), "/certificates"),
        (json!({ "certificates": [item(b"nothing")] }), "/certificates/0"),
        (json!({ "certificates": [item(&der)], "container": "cms", "attribute": "userCertificate" }), "/container"),
        (json!({ "certificates": [item(&der)], "force": ["everything"] }), "/force/0"),
    ] {
        let (_, error) = stage.run(Verb::Publish, options.clone());
        let error = error.unwrap_or_else(|| panic!("{options} was accepted"));
        assert_eq!(error.get_target(), Some(pointer), "{error}");
    }
}
