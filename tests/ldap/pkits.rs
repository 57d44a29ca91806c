//! NIST's PKITS from end to end: its directory loaded into slapd, people read by this client, everybody judged with all
//! that the directory holds about authorities, and the same 247 verdicts.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ldap3::{LdapConnAsync, Scope, SearchEntry};
use smimesync::certificate::{Certificate, Crl};
use smimesync::validation::{Anchor, Evidence, judge_demanding};

use crate::pkits_cases::{self as suite, RULES};
use crate::reader::{directory, everybody, run, simple};
use crate::servers::{RealServer, openldap_with, skipped};

/// Attributes of authorities, as slapd wants them asked for; a signer of CRLs has its certificate as people have theirs.
const OF_AUTHORITIES: [&str; 5] = [
    "cACertificate;binary",
    "userCertificate;binary",
    "certificateRevocationList;binary",
    "authorityRevocationList;binary",
    "deltaRevocationList;binary",
];

/// Classes of the suite's own schema, which slapd's parser does not read.
const FOREIGN_CLASSES: [&str; 4] =
    ["entrustDNQualifierUser", "entrustNamedObject", "naturalPerson", "opencaEmailAddress"];

/// The one certificate that the suite's LDIF leaves out.
const FORGOTTEN: &str = "ValidDNnameConstraintsTest14EE";

/// The suite's LDIF as slapd takes it: below this server's suffix, its files in it, and who has a certificate of a person
/// of the class that makes a person of an entry. Cross pairs, which nobody here reads, are left out.
fn ldif(folder: &Path, suffix: &str) -> String {
    let text = fs::read_to_string(folder.join("pkits.ldif")).unwrap().replace("\n ", "");
    let mut out = format!("dn: c=US,{suffix}\nobjectClass: country\nc: US\n");
    for entry in text.split("\n\n").filter_map(|block| Some(&block[block.find("dn:")?..])) {
        out.push('\n');
        let person = entry.contains("objectClass: pkiUser") && !entry.contains("objectClass: pkiCA");
        let mut rest = String::new();
        for line in entry.lines() {
            let (name, value) = line.split_once(':').unwrap();
            match (name, value.trim_start_matches([':', ' '])) {
                ("crossCertificatePair;binary", _) => {}
                ("dn", dn) => rest.push_str(&format!("dn: {dn},{suffix}\n")),
                ("objectClass", "organizationalRole" | "person" | "organizationalPerson" | "inetOrgPerson")
                    if person =>
                {
                    if !rest.contains(": inetOrgPerson\n") {
                        rest.push_str("objectClass: inetOrgPerson\n");
                    }
                }
                ("objectClass", class) if FOREIGN_CLASSES.contains(&class) => {
                    rest.push_str("objectClass: extensibleObject\n");
                }
                (name, file) if file.starts_with("< file:///tmp/") => {
                    let bytes = fs::read(folder.join(file.trim_start_matches("< file:///tmp/").trim())).unwrap();
                    rest.push_str(&format!("{name}:: {}\n", BASE64_STANDARD.encode(bytes)));
                }
                _ => rest.push_str(&format!("{line}\n")),
            }
        }
        if rest.contains(": inetOrgPerson\n") && !rest.contains("\nsn:") {
            rest.push_str("sn: -\n");
        }
        out.push_str(&rest);
    }
    let forgotten = BASE64_STANDARD.encode(suite::certificate(folder, FORGOTTEN));
    out.push_str(&format!(
        "\ndn: cn={FORGOTTEN},c=US,{suffix}\nobjectClass: inetOrgPerson\nobjectClass: pkiUser\ncn: {FORGOTTEN}\nsn: -\n\
         userCertificate;binary:: {forgotten}\n"
    ));
    out
}

/// Everything the directory says about authorities: certificates, and lists.
fn authorities(server: &RealServer) -> (Vec<Certificate>, Vec<Crl>) {
    let found = run(async {
        let (connection, mut ldap) = LdapConnAsync::new(server.fact("LDAP_URL")).await.unwrap();
        ldap3::drive!(connection);
        ldap.simple_bind(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD")).await.unwrap().success().unwrap();
        let filter = "(&(!(objectClass=inetOrgPerson))(|(objectClass=pkiUser)(objectClass=pkiCA)(objectClass=cRLDistributionPoint)))";
        let found = ldap.search(server.fact("BASE_DN"), Scope::Subtree, filter, OF_AUTHORITIES).await.unwrap();
        found.success().unwrap().0
    });
    let (mut certificates, mut lists) = (Vec::new(), Vec::new());
    for (name, values) in found.into_iter().flat_map(|entry| SearchEntry::construct(entry).bin_attrs) {
        for value in values {
            match name.contains("Certificate;") {
                true => certificates.push(Certificate::parse(&value).unwrap()),
                false => lists.push(Crl::parse(&value).unwrap()),
            }
        }
    }
    (certificates, lists)
}

#[test]
fn pkits_through_a_directory() {
    const TEST: &str = "pkits::pkits_through_a_directory";
    let Some(folder) = suite::folder() else {
        skipped::<()>(TEST, "SMIMESYNC_PKITS does not name the folder of the vectors");
        return;
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), ldif(&folder, "dc=example,dc=test")).unwrap();
    let Some(server) = openldap_with(file.path(), TEST) else { return };
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    let config = directory(server.fact("LDAPS_URL"), server.fact("BASE_DN"), bind, Some(server.ca_file()));
    let (people, report) = everybody(&config).unwrap();
    assert!(report.complete && people.iter().all(|person| person.problems.is_empty()));
    let mut read: HashMap<Vec<u8>, Certificate> = HashMap::new();
    for value in people.iter().flat_map(|person| &person.values) {
        read.insert(value.bytes.to_vec(), Certificate::parse(&value.bytes).unwrap());
    }
    assert_eq!(read.len(), 211, "certificates of people");
    let (certificates, lists) = authorities(&server);
    let anchor = suite::certificate(&folder, "TrustAnchorRootCertificate");
    // a few cases end at an authority
    read.extend(certificates.iter().map(|certificate| (certificate.der.to_vec(), certificate.clone())));
    let anchor = Anchor { certificate: read[&anchor].clone(), domains: None };
    let evidence = Evidence::new(vec![anchor], certificates, lists);
    let mut wrong = Vec::new();
    for case in suite::all() {
        for name in &case.crls {
            let list = Crl::parse(&suite::crl(&folder, name)).unwrap();
            assert!(evidence.crls().iter().any(|known| known.sha256 == list.sha256), "{name} is in the directory");
        }
        let leaf = &read[&suite::certificate(&folder, case.certs.last().unwrap())];
        wrong.extend(case.against(&judge_demanding(leaf, &[], None, &evidence, &RULES, &case.demands())));
    }
    assert!(wrong.is_empty(), "{} of 247 right\n{}", 247 - wrong.len(), wrong.join("\n"));
}
