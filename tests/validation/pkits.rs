//! NIST's Public Key Interoperability Test Suite: 247 verdicts, each with a reason that fits the case.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use smimesync::certificate::{Certificate, Crl, PolicyId};
use smimesync::validation::{Anchor, Demands, Evidence, RevocationCheck, Rules, Verdict, judge_demanding};

/// 2011-04-15T00:00:00Z.
const AT: i64 = 1_302_825_600_000;

#[derive(Deserialize)]
struct Case {
    title: String,
    num: String,
    should: bool,
    certs: Vec<String>,
    crls: Vec<String>,
    initial_policy_set: Vec<String>,
    explicit: bool,
    pmi: bool,
    iap: bool,
}

impl Case {
    fn demands(&self) -> Demands {
        // the suite's policies are numbered below one arc
        let policy = |name: &String| match name.strip_prefix("NIST-test-policy-") {
            Some(number) => PolicyId::parse(&format!("2.16.840.1.101.3.2.1.48.{number}")).unwrap(),
            None => PolicyId::parse(name).unwrap(),
        };
        Demands {
            policies: self.initial_policy_set.iter().map(policy).collect(),
            explicit_policy: self.explicit,
            inhibit_mapping: self.pmi,
            inhibit_any: self.iap,
            known_revocation: true,
        }
    }

    fn judged(&self, folder: &Path) -> Verdict {
        let mut certificates: Vec<Certificate> = self.certs.iter().map(|name| certificate(folder, name)).collect();
        let leaf = certificates.pop().unwrap();
        let anchor = Anchor { certificate: certificates.remove(0), domains: None };
        let crls = self.crls.iter().map(|name| crl(folder, name)).collect();
        let evidence = Evidence::new(vec![anchor], certificates, crls);
        let rules = Rules {
            at_ms: AT,
            min_rsa_bits: 1024,
            allow_sha1: true,
            allow_no_address: true,
            expiring_days: 0,
            revocation: RevocationCheck::Offline,
            fetch_issuers: false,
        };
        judge_demanding(&leaf, &[], None, &evidence, &rules, &self.demands())
    }

    /// The findings of which one has to be among those about an invalid path, by the suite's sections.
    fn reasons(&self) -> &'static [&'static str] {
        let section = |prefix: &str| self.num.starts_with(prefix);
        match () {
            () if section("4.1.") => &["signature_invalid"],
            () if section("4.2.") => &["issuer_not_yet_valid", "not_yet_valid", "issuer_expired", "expired"],
            () if section("4.3.") => &["issuer_not_found"],
            () if section("4.4.") || section("4.14.") || section("4.15.") => {
                &["revoked", "issuer_revoked", "revocation_unknown"]
            }
            // self-issued certificates: what is wrong with them is a revocation, or the wrong key
            () if section("4.5.") => &["revoked", "issuer_revoked", "revocation_unknown", "issuer_key_usage"],
            () if section("4.6.") => &["issuer_not_ca", "path_length_exceeded"],
            () if section("4.7.") => &["issuer_key_usage", "revocation_unknown"],
            () if section("4.10.7") || section("4.10.8") => &["policy_mapping_any"],
            () if ["4.8.", "4.9.", "4.10.", "4.11.", "4.12."].into_iter().any(section) => &["policy_required"],
            () if section("4.13.") => &["name_not_permitted", "name_excluded"],
            () => &["unknown_critical_extension"],
        }
    }
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
#[expect(clippy::print_stdout, reason = "says what was left out")]
fn all_of_pkits() {
    let Some(folder) = folder() else {
        println!("skipped: all_of_pkits, SMIMESYNC_PKITS does not name the folder of the vectors");
        return;
    };
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/pkits/expected.json")).unwrap();
    assert_eq!(cases.len(), 247);
    let mut wrong = Vec::new();
    for case in &cases {
        let verdict = case.judged(&folder);
        let codes: Vec<&str> = verdict.findings.iter().map(|finding| finding.code).collect();
        let explained = case.should || case.reasons().iter().any(|reason| codes.contains(reason));
        if verdict.path_valid != case.should || !explained {
            let seen: Vec<_> = verdict.findings.iter().filter_map(|finding| finding.observed.as_deref()).collect();
            wrong.push(format!("{} (should be {}): {codes:?} {seen:?}", case.title, case.should));
        }
    }
    assert!(wrong.is_empty(), "{} of 247 right\n{}", 247 - wrong.len(), wrong.join("\n"));
}
