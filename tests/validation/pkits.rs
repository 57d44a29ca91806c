//! NIST's Public Key Interoperability Test Suite: 247 verdicts, each with a reason that fits the case.

use std::path::Path;

use smimesync::certificate::{Certificate, Crl};
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
