//! What only OpenSSL's command line makes: weak keys, old hashes, RSASSA-PSS, other curves.

use std::fs;
use std::path::Path;
use std::process::Command;

use aws_lc_rs::signature::{self, KeyPair as _, PqdsaKeyPair};
use smimesync::certificate::{Bundle, Certificate};
use smimesync::validation::{Fitness, Rules, judge, reason};
use tempfile::TempDir;

use crate::pki::{codes, evidence, rules};
use crate::raw::{ecdsa, extension, integer, name, sequence, tlv};

const CONFIG: &str = "
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Ann Lee
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[person]
keyUsage = critical, digitalSignature, keyEncipherment, keyAgreement
extendedKeyUsage = emailProtection
subjectAltName = email:ann@contoso.com
[malformed]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = emailProtection
subjectAltName = DER:30:04:81:02:41
";

fn openssl(dir: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn read(dir: &TempDir, name: &str) -> Certificate {
    Bundle::read(&fs::read(dir.path().join(name)).unwrap()).certificates.remove(0)
}

/// An authority with this kind of key, and a person it signed with these options.
fn chain(authority_key: &[&str], person_key: &[&str], section: &str, sign: &[&str]) -> (Certificate, Certificate) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("config"), CONFIG).unwrap();
    let root =
        ["req", "-x509", "-config", "config", "-nodes", "-days", "30", "-extensions", "authority", "-subj", "/CN=CA"];
    openssl(dir.path(), &[&root[..], &["-keyout", "ca.key", "-out", "ca.pem", "-newkey"], authority_key].concat());
    let request = ["req", "-config", "config", "-nodes", "-keyout", "ann.key", "-out", "ann.csr", "-newkey"];
    openssl(dir.path(), &[&request[..], person_key].concat());
    let issue =
        ["x509", "-req", "-in", "ann.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "7", "-days", "9"];
    let extensions = ["-extfile", "config", "-extensions", section, "-out", "ann.pem"];
    openssl(dir.path(), &[&issue[..], &extensions, sign].concat());
    (read(&dir, "ca.pem"), read(&dir, "ann.pem"))
}

fn found(
    chain: &(Certificate, Certificate),
    change: impl FnOnce(&mut Rules),
) -> (Vec<&'static str>, Fitness, Option<&'static str>) {
    let (root, ann) = chain;
    let mut rules = Rules { at_ms: ann.not_before_ms, expiring_days: 0, ..rules() };
    change(&mut rules);
    let verdict = judge(ann, &[], None, &evidence(&[root], &[], &[]), &rules);
    (codes(&verdict), verdict.fitness(), reason(&verdict))
}

const RSA: &[&str] = &["rsa:2048"];

fn curve(name: &str) -> Vec<String> {
    vec!["ec".into(), "-pkeyopt".into(), format!("ec_paramgen_curve:{name}")]
}

#[test]
fn sha1_is_refused_unless_allowed() {
    let chain = chain(RSA, RSA, "person", &["-sha1"]);
    assert_eq!(chain.1.signature, "sha1WithRSA");
    assert_eq!(found(&chain, |_| {}), (vec!["weak_signature"], Fitness::Unfit, Some("weak")));
    assert_eq!(found(&chain, |rules| rules.allow_sha1 = true), (vec![], Fitness::Fit, None));
}

#[test]
fn md5_is_refused_always() {
    let chain = chain(RSA, RSA, "person", &["-md5"]);
    let (codes, fitness, reason) = found(&chain, |rules| rules.allow_sha1 = true);
    assert_eq!(
        (codes, fitness, reason),
        (vec!["weak_signature", "signature_algorithm_unsupported"], Fitness::Unfit, Some("weak"))
    );
}

#[test]
fn an_rsa_key_without_a_usable_exponent_is_refused() {
    let (root, ann) = chain(RSA, RSA, "person", &["-sha256"]);
    let usual = [2, 3, 1, 0, 1];
    for exponent in [[2, 3, 1, 0, 0], [2, 3, 0, 0, 1]] {
        let mut der = ann.der.to_vec();
        let place = der.windows(5).position(|bytes| bytes == usual).unwrap();
        der[place..place + 5].copy_from_slice(&exponent);
        let (codes, fitness, reason) = found(&(root.clone(), Certificate::parse(&der).unwrap()), |_| {});
        assert!(codes.contains(&"rsa_exponent"), "{exponent:?}: {codes:?}");
        assert_eq!((fitness, reason), (Fitness::Unfit, Some("weak")));
    }
}

#[test]
fn short_keys_are_refused_by_the_operators_measure() {
    let chain = chain(RSA, &["rsa:1024"], "person", &["-sha256"]);
    assert_eq!(found(&chain, |_| {}), (vec!["weak_key"], Fitness::Unfit, Some("weak")));
    assert_eq!(found(&chain, |rules| rules.min_rsa_bits = 1024), (vec![], Fitness::Fit, None));
}

#[test]
fn every_supported_signature_is_verified() {
    let pss = ["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"];
    for (sign, name) in [
        (&["-sha256"][..], "sha256WithRSA"),
        (&["-sha384"], "sha384WithRSA"),
        (&["-sha512"], "sha512WithRSA"),
        (&pss, "RSASSA-PSS"),
    ] {
        let chain = chain(RSA, RSA, "person", sign);
        assert_eq!(chain.1.signature, name);
        assert_eq!(found(&chain, |_| {}), (vec![], Fitness::Fit, None), "{name}");
    }
    // what is encoded counts, not what is usual
    let mut odd: Vec<Vec<&str>> = vec![vec!["-sha224"]];
    for option in ["rsa_pss_saltlen:10", "rsa_pss_saltlen:0", "rsa_pss_saltlen:max", "rsa_mgf1_md:sha1"] {
        odd.push(vec!["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", option]);
    }
    odd.push(vec!["-sha1", "-sigopt", "rsa_padding_mode:pss"]);
    // of a modulus of 1025 bits the encoded message is a byte shorter
    for sign in odd {
        for key in [RSA, &["rsa:1025"], &["rsa:1030"]] {
            let chain = chain(key, RSA, "person", &sign);
            let allow = |rules: &mut Rules| (rules.min_rsa_bits, rules.allow_sha1) = (1024, true);
            assert_eq!(found(&chain, allow), (vec![], Fitness::Fit, None), "{key:?} {sign:?}");
            let mut der = chain.1.der.to_vec();
            let last = der.len() - 1;
            der[last] ^= 1;
            let changed = (chain.0.clone(), Certificate::parse(&der).unwrap());
            assert_eq!(found(&changed, allow).0, ["signature_invalid"], "{key:?} {sign:?}");
        }
    }
    for (key, hash) in [("P-256", "-sha256"), ("P-384", "-sha384"), ("P-521", "-sha512")] {
        let key = curve(key);
        let key: Vec<&str> = key.iter().map(String::as_str).collect();
        assert_eq!(found(&chain(&key, RSA, "person", &[hash]), |_| {}), (vec![], Fitness::Fit, None), "{key:?}");
    }
    assert_eq!(found(&chain(&["ed25519"], RSA, "person", &[]), |_| {}), (vec![], Fitness::Fit, None));
}

#[test]
fn nobody_encrypts_to_ed448() {
    let (root, ann) = chain(RSA, &["ed448"], "person", &[]);
    let verdict = judge(&ann, &[], None, &evidence(&[&root], &[], &[]), &Rules { at_ms: ann.not_before_ms, ..rules() });
    assert_eq!((verdict.encrypt, verdict.sign), (Fitness::Unfit, Fitness::Fit));
    assert!(codes(&verdict).contains(&"key_usage_encrypt"));
}

#[test]
fn what_cannot_be_verified_is_left_open() {
    let open = (vec!["signature_algorithm_unsupported"], Fitness::Undetermined, Some("undetermined"));
    assert_eq!(found(&chain(&["ed448"], RSA, "person", &[]), |_| {}), open);
    let key = curve("brainpoolP256r1");
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    assert_eq!(found(&chain(&key, RSA, "person", &["-sha256"]), |_| {}), open);
}

#[test]
fn a_malformed_alternative_name_is_refused() {
    let chain = chain(RSA, RSA, "malformed", &["-sha256"]);
    assert_eq!(found(&chain, |_| {}).0, ["san_malformed"]);
}

#[test]
fn dsa_is_verified() {
    let dir = tempfile::tempdir().unwrap();
    openssl(dir.path(), &["dsaparam", "-out", "parameters", "1024"]);
    let key = format!("dsa:{}", dir.path().join("parameters").display());
    for hash in ["-sha1", "-sha256"] {
        let chain = chain(&[&key], RSA, "person", &[hash]);
        assert!(chain.1.signature.starts_with("dsa-with-SHA"));
        let allow = |rules: &mut Rules| rules.allow_sha1 = true;
        assert_eq!(found(&chain, allow), (vec![], Fitness::Fit, None), "{hash}");
        let der = chain.1.der.to_vec();
        let at = der.windows(7).position(|window| window == b"Ann Lee").unwrap();
        let changed = [&der[..at], b"Bob Lee", &der[at + 7..]].concat();
        let changed = (chain.0, Certificate::parse(&changed).unwrap());
        assert_eq!(found(&changed, allow).0, ["signature_invalid"], "{hash}");
    }
}

#[test]
fn ml_dsa_is_verified() {
    let pairs =
        [(17, &signature::ML_DSA_44_SIGNING), (18, &signature::ML_DSA_65_SIGNING), (19, &signature::ML_DSA_87_SIGNING)];
    for (number, algorithm) in pairs {
        let key = PqdsaKeyPair::generate(algorithm).unwrap();
        let oid = sequence(&[&tlv(6, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, number])]);
        let spki = sequence(&[&oid, &tlv(3, &[&[0], key.public_key().as_ref()].concat())]);
        let validity = sequence(&[&tlv(0x17, b"260101000000Z"), &tlv(0x17, b"270101000000Z")]);
        let issue = |subject: &str, extensions: &[u8]| {
            let extensions = tlv(0xa3, &tlv(0x30, extensions));
            let version = tlv(0xa0, &integer(2));
            let (issuer, subject) = (name(&["Root"]), name(&[subject]));
            let tbs = sequence(&[&version, &integer(7), &oid, &issuer, &validity, &subject, &spki, &extensions]);
            let mut value = vec![0; algorithm.signature_len()];
            let length = key.sign(&tbs, &mut value).unwrap();
            sequence(&[&tbs, &oid, &tlv(3, &[&[0], &value[..length]].concat())])
        };
        let root = Certificate::parse(&issue("Root", &extension(19, true, &[0x30, 3, 1, 1, 0xff]))).unwrap();
        let ann = issue("Ann Lee", &extension(15, true, &[3, 2, 7, 0x80]));
        let judged = |der: &[u8]| {
            let certificate = Certificate::parse(der).unwrap();
            let rules = Rules { at_ms: crate::pki::NOW, ..rules() };
            judge(&certificate, &[], None, &evidence(&[&root], &[], &[]), &rules)
        };
        let good = judged(&ann);
        assert!(good.path_valid && good.sign == Fitness::Fit && good.encrypt == Fitness::Unfit, "{:?}", codes(&good));
        let mut changed = ann.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(codes(&judged(&changed)).contains(&"signature_invalid"));
    }
}

#[test]
fn what_is_not_signed_is_not_believed() {
    let root = crate::pki::Authority::root("Root");
    let ann = root.person(|_| {});
    let unsigned = sequence(&[&tlv(6, &[0x2b, 6, 1, 5, 5, 7, 6, 36])]);
    let der = ann.der.windows(ecdsa().len()).enumerate().filter(|(_, window)| *window == ecdsa()).map(|(at, _)| at);
    let [inner, outer] = der.collect::<Vec<_>>()[..] else { unreachable!() };
    // both algorithm identifiers are of one length, so that nothing else moves
    assert_eq!(unsigned.len(), ecdsa().len());
    let mut changed = ann.der.to_vec();
    for at in [inner, outer] {
        changed[at..at + unsigned.len()].copy_from_slice(&unsigned);
    }
    let changed = Certificate::parse(&changed).unwrap();
    assert_eq!(changed.signature, "unsigned");
    let verdict = judge(&changed, &[], None, &evidence(&[&root.certificate], &[], &[]), &rules());
    assert_eq!(codes(&verdict), ["signature_invalid"]);
}
