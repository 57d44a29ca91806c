//! NIST's Public Key Interoperability Test Suite: no false accept, and as many right verdicts as were ever reached.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use smimesync::certificate::{Certificate, Crl};
use smimesync::validation::{Anchor, Evidence, RevocationCheck, Rules, Severity, judge};

/// 2011-04-15T00:00:00Z.
const AT: i64 = 1_302_825_600_000;
/// How many of the 247 verdicts are right; raise it with the engine.
const FLOOR: usize = 70;
/// How many agree where what is undetermined is not accepted.
const AGREEING: usize = 174;

/// Blocks of the S/MIME rules, which PKITS is not about.
const NOT_OF_THE_PATH: [&str; 3] = ["ca_certificate", "key_usage_encrypt", "key_usage_sign"];

#[derive(Deserialize)]
struct Case {
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
    Certificate::parse(&fs::read(&path).unwrap()).map_err(|error| (name.to_owned(), error)).unwrap()
}

fn crl(folder: &Path, name: &str) -> Crl {
    let path = folder.join("crls").join(format!("{name}.crl"));
    Crl::parse(&fs::read(&path).unwrap()).map_err(|error| (name.to_owned(), error)).unwrap()
}

#[test]
#[expect(clippy::print_stdout, reason = "says what was left out, and what is still undetermined")]
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
    let (mut right, mut agreeing, mut open, mut wrong) = (0, 0, Vec::new(), Vec::new());
    for case in &cases {
        let mut certificates: Vec<Certificate> = case.certs.iter().map(|name| certificate(&folder, name)).collect();
        let leaf = certificates.pop().unwrap();
        let anchor = Anchor { certificate: certificates.remove(0), domains: None };
        let crls = case.crls.iter().map(|name| crl(&folder, name)).collect();
        let verdict = judge(&leaf, &[], None, &Evidence::new(vec![anchor], certificates, crls), &rules);
        let codes: Vec<&str> = verdict.findings.iter().map(|finding| finding.code).collect();
        let is_open = case.explicit || verdict.findings.iter().any(|finding| finding.leaves_open);
        let refused = verdict
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Block && !NOT_OF_THE_PATH.contains(&finding.code));
        // as with `undetermined: reject`; a demand for policies from outside cannot be made yet
        let accepted = verdict.path_valid && !is_open;
        let causes = verdict.findings.iter().filter_map(|finding| finding.observed.as_deref()).collect::<Vec<_>>();
        let line = format!("{} (should be {}): {codes:?} {causes:?}", case.title, case.should);
        agreeing += usize::from(accepted == case.should);
        match (case.should, accepted, refused) {
            (true, true, _) | (false, false, true) => right += 1,
            (_, false, false) if is_open => open.push(line),
            _ => wrong.push(line),
        }
    }
    println!(
        "right {right}, undetermined {}, wrong {} of {}; {agreeing} agree under reject",
        open.len(),
        wrong.len(),
        cases.len()
    );
    open.iter().for_each(|line| println!("undetermined: {line}"));
    assert!(wrong.is_empty(), "wrong verdicts:\n{}", wrong.join("\n"));
    assert!(agreeing >= AGREEING, "{agreeing} agree, {AGREEING} were reached before");
    assert!(right >= FLOOR, "{right} right verdicts, {FLOOR} were reached before");
}
