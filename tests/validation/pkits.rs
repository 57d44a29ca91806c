//! NIST's Public Key Interoperability Test Suite: 247 verdicts, each with a reason that fits the case.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use smimesync::certificate::{Certificate, Crl};
use smimesync::session::{Session, Step, Value, Verb};
use smimesync::validation::{Anchor, Evidence, Verdict, judge_demanding};

use crate::pkits_cases::{self as suite, Case, RULES};

fn judged(case: &Case, folder: &Path) -> Verdict {
    let read = |name: &String| Certificate::parse(&suite::certificate(folder, name)).unwrap();
    let mut certificates: Vec<Certificate> = case.certs.iter().map(read).collect();
    let leaf = certificates.pop().unwrap();
    let anchor = Anchor { certificate: certificates.remove(0), domains: None };
    let crls = case.crls.iter().map(|name| Crl::parse(&suite::crl(folder, name)).unwrap()).collect();
    let evidence = Evidence::new(vec![anchor], certificates, crls);
    judge_demanding(&leaf, &[], None, &evidence, &RULES, &case.demands())
}

#[test]
#[expect(clippy::print_stdout, reason = "says what was left out")]
fn all_of_pkits() {
    let Some(folder) = suite::folder() else {
        println!("skipped: all_of_pkits, SMIMESYNC_PKITS does not name the folder of the vectors");
        return;
    };
    let wrong: Vec<String> = suite::all().iter().filter_map(|case| case.against(&judged(case, &folder))).collect();
    assert!(wrong.is_empty(), "{} of 247 right\n{}", 247 - wrong.len(), wrong.join("\n"));
}

/// What the verb `validate` says of a case that is handed in as files.
fn path_valid(case: &Case, folder: &Path, session: &Session) -> bool {
    let certificate = |name: &String| folder.join("certs").join(format!("{name}.crt"));
    let mut files: Vec<_> = case.certs.iter().map(certificate).collect();
    let (leaf, anchor) = (files.pop().unwrap(), files.remove(0));
    let options = json!({
        "files": [leaf],
        "anchors": [anchor],
        "intermediates": files,
        "crls": case.crls.iter().map(|name| folder.join("crls").join(format!("{name}.crl"))).collect::<Vec<_>>(),
        "at": "2011-04-15T00:00:00Z",
        "initial_policies": case.policies(),
        "explicit_policy": case.explicit,
        "inhibit_mapping": case.pmi,
        "inhibit_any": case.iap,
        "revocation_mode": "offline",
        "undetermined": "reject",
    });
    let mut cursor = session.start(Verb::Validate, &options.to_string()).unwrap();
    assert_eq!(cursor.next(Duration::from_secs(60)).unwrap(), Step::Row, "{}", case.title);
    cursor.row().unwrap().get("path_valid") == Some(&Value::Boolean(true))
}

#[test]
#[expect(clippy::print_stdout, reason = "says what was left out")]
fn all_of_pkits_through_validate() {
    let Some(folder) = suite::folder() else {
        println!("skipped: all_of_pkits_through_validate, SMIMESYNC_PKITS does not name the folder of the vectors");
        return;
    };
    let policy = json!({ "min_rsa_bits": 1024, "allow_sha1": true, "allow_no_address": true });
    let offline = json!({ "policy": policy, "trust": { "fetch_issuers": false } });
    let session = Session::open(&offline.to_string()).unwrap();
    let is_wrong = |case: &&Case| path_valid(case, &folder, &session) != case.should;
    let cases = suite::all();
    let wrong: Vec<&str> = cases.iter().filter(is_wrong).map(|case| case.title.as_str()).collect();
    assert!(wrong.is_empty(), "{} of 247 right\n{}", 247 - wrong.len(), wrong.join("\n"));
}
