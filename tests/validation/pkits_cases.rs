//! The cases of NIST's Public Key Interoperability Test Suite, and what has to be said of each.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use smimesync::certificate::PolicyId;
use smimesync::validation::{Demands, RevocationCheck, Rules, Verdict};

/// The suite's clock: 2011-04-15T00:00:00Z, certificates of 1024 bits and SHA-1 are its contents.
pub(crate) const RULES: Rules = Rules {
    at_ms: 1_302_825_600_000,
    min_rsa_bits: 1024,
    allow_sha1: true,
    allow_no_address: true,
    expiring_days: 0,
    revocation: RevocationCheck::Offline,
    fetch_issuers: false,
};

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) title: String,
    num: String,
    should: bool,
    pub(crate) certs: Vec<String>,
    pub(crate) crls: Vec<String>,
    initial_policy_set: Vec<String>,
    explicit: bool,
    pmi: bool,
    iap: bool,
}

impl Case {
    pub(crate) fn demands(&self) -> Demands {
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

    /// What is wrong about a verdict on the case; `None` if it is right and says why.
    pub(crate) fn against(&self, verdict: &Verdict) -> Option<String> {
        let codes: Vec<&str> = verdict.findings.iter().map(|finding| finding.code).collect();
        let explained = self.should || self.reasons().iter().any(|reason| codes.contains(reason));
        if verdict.path_valid == self.should && explained {
            return None;
        }
        let seen: Vec<_> = verdict.findings.iter().filter_map(|finding| finding.observed.as_deref()).collect();
        Some(format!("{} (should be {}): {codes:?} {seen:?}", self.title, self.should))
    }
}

/// All 247 of them.
pub(crate) fn all() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/pkits/expected.json")).unwrap();
    assert_eq!(cases.len(), 247);
    cases
}

/// The folder of the suite's files, where there is one.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("SMIMESYNC_PKITS").map(PathBuf::from)
}

/// The bytes of a certificate.
pub(crate) fn certificate(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join("certs").join(format!("{name}.crt"))).unwrap()
}

/// The bytes of a CRL.
pub(crate) fn crl(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join("crls").join(format!("{name}.crl"))).unwrap()
}
