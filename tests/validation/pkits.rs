//! NIST's Public Key Interoperability Test Suite: no false accept, and as many right verdicts as were ever reached.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use smimesync::certificate::{Certificate, Crl};
use smimesync::validation::{Anchor, Evidence, RevocationCheck, Rules, judge};

/// 2011-04-15T00:00:00Z.
const AT: i64 = 1_302_825_600_000;
/// How many of the 247 verdicts are right; raise it with the engine.
const FLOOR: usize = 1;

#[derive(Deserialize)]
struct Case {
    num: String,
    title: String,
    should: bool,
    certs: Vec<String>,
    crls: Vec<String>,
    explicit: bool,
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("SMIMESYNC_PKITS").map(PathBuf::from)
}

fn certificate(folder: &Path, name: &str) -> Certificate {
    let path = folder.join("certs").join(format!("{name}.crt"));
    Certificate::parse(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn crl(folder: &Path, name: &str) -> Crl {
    let path = folder.join("crls").join(format!("{name}.crl"));
    Crl::parse(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn pkits_has_no_false_accept() {
    let Some(folder) = folder() else {
        println!("skipped: pkits_has_no_false_accept, SMIMESYNC_PKITS does not name the folder of the vectors");
        return;
    };
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/pkits/expected.json")).unwrap();
    assert_eq!(cases.len(), 247);
    let rules = Rules {
        at_ms: AT,
        min_rsa_bits: 1024,
        allow_sha1: true,
        allow_no_address: true,
        expiring_days: 0,
        revocation: RevocationCheck::Offline,
    };
    let (mut right, mut open, mut wrong) = (0, Vec::new(), Vec::new());
    for case in &cases {
        let mut certificates: Vec<Certificate> = case.certs.iter().map(|name| certificate(&folder, name)).collect();
        let leaf = certificates.pop().unwrap();
        let anchor = Anchor { certificate: certificates.remove(0), domains: None };
        let crls = case.crls.iter().map(|name| crl(&folder, name)).collect();
        let verdict = judge(&leaf, &[], None, &Evidence::new(vec![anchor], certificates, crls), &rules);
        let codes: Vec<&str> = verdict.findings.iter().map(|finding| finding.code).collect();
        // as with `undetermined: reject`; a demand for policies from outside cannot be made yet
        let accepted = verdict.path_valid && !codes.contains(&"revocation_unknown") && !case.explicit;
        let is_open = case.explicit || verdict.findings.iter().any(|finding| finding.leaves_open);
        let line = format!("{} {} (should be {}): {codes:?}", case.num, case.title, case.should);
        if accepted == case.should && !(is_open && !accepted) {
            right += 1;
        } else if is_open && !accepted {
            open.push(line);
        } else {
            wrong.push(line);
        }
    }
    println!("right {right}, undetermined {}, wrong {} of {}", open.len(), wrong.len(), cases.len());
    open.iter().for_each(|line| println!("undetermined: {line}"));
    assert!(wrong.is_empty(), "wrong verdicts:\n{}", wrong.join("\n"));
    assert!(right >= FLOOR, "{right} right verdicts, {FLOOR} were reached before");
}
