//! What evidence made to cost time costs: each case is judged once from cold, and once more.
//!
//!     cargo bench --bench hostile
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on says best where")]

use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, SigningKey as _,
    date_time_ymd,
};
use smimesync::certificate::{Certificate, Crl};
use smimesync::validation::{Anchor, Evidence, RevocationCheck, Rules, judge};

/// Far more than any case may take, on a machine however busy.
const LIMIT: Duration = Duration::from_secs(10);

/// How long verdicts after the first are asked for; the fastest is shown.
const AGAIN: Duration = Duration::from_millis(200);

struct Authority {
    params: CertificateParams,
    key: KeyPair,
    certificate: Certificate,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2035, 1, 1);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn person() -> CertificateParams {
    let mut params = named("Ann Lee");
    params.is_ca = IsCa::ExplicitNoCa;
    params.serial_number = Some(SerialNumber::from(4711_u64));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    params.subject_alt_names = vec![SanType::Rfc822Name("ann@contoso.com".try_into().unwrap())];
    params
}

impl Authority {
    fn root() -> Self {
        let (params, key) = (authority("Root"), key());
        let certificate = Certificate::parse(params.self_signed(&key).unwrap().der()).unwrap();
        Self { params, key, certificate }
    }

    fn child(&self, params: CertificateParams) -> Self {
        let key = key();
        let certificate = self.issue(&params, &key);
        Self { params, key, certificate }
    }

    fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Certificate {
        let issuer = Issuer::from_params(&self.params, &self.key);
        Certificate::parse(params.signed_by(key, &issuer).unwrap().der()).unwrap()
    }

    fn trusting(&self, pool: Vec<Certificate>, lists: Vec<Crl>) -> Evidence {
        Evidence::new(vec![Anchor { certificate: self.certificate.clone(), domains: None }], pool, lists)
    }
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().to_be_bytes();
    let start = length.iter().position(|&byte| byte != 0).unwrap_or(length.len() - 1);
    let head = match contents.len() {
        0..0x80 => vec![tag, contents.len() as u8],
        _ => [&[tag, 0x80 | (length.len() - start) as u8], &length[start..]].concat(),
    };
    [&head[..], contents].concat()
}

/// An extension below 2.5.29.
fn extension(arc: u64, contents: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&[2, 5, 29, arc], contents)
}

/// Shows the first verdict, for which nothing is remembered, and one of those after it.
#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn show(name: &str, certificate: &Certificate, evidence: &Evidence, revocation: RevocationCheck) -> Duration {
    let rules = Rules {
        // 2026-06-01T00:00:00Z
        at_ms: 1_780_272_000_000,
        min_rsa_bits: 2048,
        allow_sha1: false,
        allow_no_address: false,
        expiring_days: 30,
        revocation,
        fetch_issuers: false,
    };
    let timed = || {
        let start = Instant::now();
        let verdict = judge(certificate, &[], None, evidence, &rules);
        (start.elapsed(), verdict)
    };
    let (first, verdict) = timed();
    assert!(first < LIMIT, "{name}: {first:?}");
    let begun = Instant::now();
    let mut again = timed().0;
    while begun.elapsed() < AGAIN {
        again = again.min(timed().0);
    }
    let codes: Vec<&str> = verdict.findings.iter().map(|finding| finding.code).collect();
    let said = if codes.is_empty() { "valid".to_owned() } else { codes.join(", ") };
    println!("{name:<44} {:>12.1} {:>12.1}  {said}", micros(first), micros(again));
    again
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Each of 1,000 authorities is certified by ten others, and none by the root.
fn cross_signing(root: &Authority) {
    let all: Vec<Authority> = (0..1000).map(|number| root.child(authority(&format!("CA {number}")))).collect();
    let pairs = (0..all.len()).flat_map(|issuer| (1..=10).map(move |step| (issuer, issuer + step)));
    let pool = pairs.map(|(issuer, subject)| {
        let subject = &all[subject % all.len()];
        all[issuer].issue(&subject.params, &subject.key)
    });
    let pool: Vec<Certificate> = pool.collect();
    let ann = all[0].issue(&person(), &key());
    show("1,000 authorities that certify each other", &ann, &root.trusting(pool, Vec::new()), RevocationCheck::Off);
}

fn policy(number: usize) -> Vec<u8> {
    tlv(6, &[0x2a, 1, number as u8])
}

/// Ten authorities, each with 100 policies and every one of 20 mapped to every other: a tree would have 20^10 leaves.
fn policies(root: &Authority) {
    let listed: Vec<u8> = (0..100).flat_map(|number| tlv(0x30, &policy(number))).collect();
    let pairs = (0..20).flat_map(|from| (0..20).map(move |to| (from, to)));
    let mapped: Vec<u8> = pairs.flat_map(|(from, to)| tlv(0x30, &[policy(from), policy(to)].concat())).collect();
    let mut path: Vec<Authority> = Vec::new();
    for number in 0..10 {
        let mut params = authority(&format!("CA {number}"));
        params.custom_extensions = vec![
            extension(32, tlv(0x30, &listed)),
            extension(33, tlv(0x30, &mapped)),
            // requireExplicitPolicy
            extension(36, tlv(0x30, &tlv(0x80, &[0]))),
        ];
        let next = path.last().unwrap_or(root).child(params);
        path.push(next);
    }
    let mut params = person();
    params.custom_extensions = vec![extension(32, tlv(0x30, &listed))];
    let ann = path[path.len() - 1].issue(&params, &key());
    let pool = path.into_iter().map(|authority| authority.certificate).collect();
    show("policies mapped to each other, 10 levels", &ann, &root.trusting(pool, Vec::new()), RevocationCheck::Off);
}

/// As many constraints as there are, held against one name and against a thousand.
fn name_constraints(root: &Authority) {
    let mut params = authority("Issuing");
    let subtree = |number| GeneralSubtree::Rfc822Name(format!("host{number}.example.com"));
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: Vec::new(), excluded_subtrees: (0..10_000).map(subtree).collect() });
    let issuing = root.child(params);
    let evidence = root.trusting(vec![issuing.certificate.clone()], Vec::new());
    for names in [1, 1000] {
        let mut params = person();
        let name = |number| SanType::Rfc822Name(format!("ann{number}@contoso.com").try_into().unwrap());
        params.subject_alt_names = (0..names).map(name).collect();
        let ann = issuing.issue(&params, &key());
        show(&format!("10,000 name constraints, {names} names"), &ann, &evidence, RevocationCheck::Off);
    }
}

/// 1 MB of one extension: read and judged.
#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn long_extensions(root: &Authority) {
    let names: Vec<u8> =
        (0..40_000).flat_map(|number| tlv(0x81, format!("ann{number:06}@contoso.com").as_bytes())).collect();
    let uri = tlv(0x86, b"http://contoso.com/a.crl");
    let point = tlv(0x30, &tlv(0xa0, &tlv(0xa0, &uri)));
    let policies: Vec<u8> = (0..90_000_u32)
        .flat_map(|number| {
            let arc = [0x2a, 0x81, 0x80 | (number >> 14) as u8, 0x80 | (number >> 7) as u8, number as u8 & 0x7f];
            tlv(0x30, &tlv(6, &arc))
        })
        .collect();
    for (name, arc, contents) in [
        ("1 MB of subjectAltName", 17, tlv(0x30, &names)),
        ("1 MB of cRLDistributionPoints", 31, tlv(0x30, &point.repeat(28_000))),
        ("1 MB of certificatePolicies", 32, tlv(0x30, &policies)),
        ("1 MB of an unknown extension", 1000, vec![0; 1 << 20]),
    ] {
        let mut params = person();
        if arc == 17 {
            params.subject_alt_names.clear();
        }
        params.custom_extensions = vec![extension(arc, contents)];
        let ann = root.issue(&params, &key());
        let start = Instant::now();
        let read = Certificate::parse(&ann.der).unwrap();
        let spent = start.elapsed();
        assert!(spent < LIMIT, "{name}: {spent:?}");
        println!("{:<44} {:>12.1}", format!("{name}, read"), micros(spent));
        show(name, &read, &root.trusting(Vec::new(), Vec::new()), RevocationCheck::Off);
    }
}

/// More authorities above each other than a path may have.
fn long_path(root: &Authority) {
    let mut path: Vec<Authority> = Vec::new();
    for number in 0..100 {
        let next = path.last().unwrap_or(root).child(authority(&format!("CA {number}")));
        path.push(next);
    }
    for length in [9, 99] {
        let ann = path[length].issue(&person(), &key());
        let pool = path.iter().map(|authority| authority.certificate.clone()).collect();
        let name = format!("{} authorities above each other", length + 1);
        show(&name, &ann, &root.trusting(pool, Vec::new()), RevocationCheck::Offline);
    }
}

/// A list of so many certificates, each with a reason.
fn list(root: &Authority, listed: u32) -> Vec<u8> {
    const ALGORITHM: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let time = |text: &[u8]| tlv(0x17, text);
    let reason = tlv(0x30, &tlv(0x30, &[&tlv(6, &[0x55, 0x1d, 21])[..], &tlv(4, &tlv(10, &[4]))].concat()));
    let revoked = time(b"260401000000Z");
    let entry = |number: u32| {
        let serial = [&[0x10][..], &number.wrapping_mul(2_654_435_761).to_be_bytes(), &number.to_be_bytes()].concat();
        tlv(0x30, &[&tlv(2, &serial)[..], &revoked, &reason].concat())
    };
    let mut entries = Vec::with_capacity(listed as usize * 44);
    (0..listed).for_each(|number| entries.extend(entry(number)));
    let entries = if listed == 0 { Vec::new() } else { tlv(0x30, &entries) };
    let name = tlv(0x30, &tlv(0x31, &tlv(0x30, &[tlv(6, &[0x55, 4, 3]), tlv(12, b"Root")].concat())));
    let number = tlv(0x30, &[tlv(6, &[0x55, 0x1d, 20]), tlv(4, &tlv(2, &[1]))].concat());
    let (from, to) = (time(b"260501000000Z"), time(b"260701000000Z"));
    let parts = [&[2, 1, 1], ALGORITHM, &name, &from, &to, &entries, &tlv(0xa0, &tlv(0x30, &number))];
    let tbs = tlv(0x30, &parts.concat());
    let signature = tlv(3, &[&[0], &root.key.sign(&tbs).unwrap()[..]].concat());
    tlv(0x30, &[&tbs[..], ALGORITHM, &signature].concat())
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn long_list(root: &Authority) {
    let ann = root.issue(&person(), &key());
    let mut fastest = Vec::new();
    for listed in [0, 1_000_000] {
        let der = list(root, listed);
        let start = Instant::now();
        let list = Crl::parse(&der).unwrap();
        println!(
            "{:<44} {:>12.1}",
            format!("a CRL of {listed}, {} KiB, indexed", der.len() >> 10),
            micros(start.elapsed())
        );
        let evidence = root.trusting(Vec::new(), vec![list]);
        fastest.push(show(&format!("a CRL of {listed}, looked up"), &ann, &evidence, RevocationCheck::Offline));
    }
    println!(
        "{:<44} {:>12} {:>12.1}",
        "what the million adds to a verdict",
        "",
        micros(fastest[1]) - micros(fastest[0])
    );
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn main() {
    println!("{:<44} {:>12} {:>12}  verdict", "", "first, µs", "again, µs");
    let root = Authority::root();
    cross_signing(&root);
    policies(&root);
    name_constraints(&root);
    long_extensions(&root);
    long_path(&root);
    long_list(&root);
}
