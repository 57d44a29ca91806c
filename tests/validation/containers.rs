//! What is found of containers: made by OpenSSL, by a small writer where OpenSSL writes no such attribute, and changed in
//! one place; nothing that `openssl cms -verify` refuses may be called good.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use aws_lc_rs::digest;
use rcgen::{KeyPair, SigningKey as _};
use smimesync::certificate::{Certificate, SmimeValue};
use smimesync::people::Address;
use smimesync::validation::{Audience, Evidence, Fitness, Rules, Verdict, judge_value};
use tempfile::TempDir;

use crate::pki::{ADDRESS, Authority, DAY, codes, evidence, key, person_params, rules};
use crate::raw::{sequence, tlv};

const CONFIG: &str = "
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Ann Lee
[ann]
basicConstraints = critical, CA:FALSE
subjectKeyIdentifier = hash
subjectAltName = email:ann@contoso.com
[bob]
basicConstraints = critical, CA:FALSE
subjectKeyIdentifier = hash
subjectAltName = email:bob@contoso.com
";

const PKCS9: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9];
const DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
const MICROSOFT_PREFERENCE: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 16, 4];
const AES_256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a];
const TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];

/// People and their keys, made once by openssl; `None` where there is no openssl.
fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<TempDir>> = OnceLock::new();
    let made = FOLDER.get_or_init(|| {
        Command::new("openssl").arg("version").output().ok()?;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config"), CONFIG).unwrap();
        fs::write(folder.path().join("body"), "Empty Body").unwrap();
        fs::write(folder.path().join("nothing"), "").unwrap();
        let ec = |curve: &'static str| ["ec", "-pkeyopt", curve];
        for (name, section, key) in [
            ("rsa", "ann", &["rsa:2048"][..]),
            ("p256", "ann", &ec("ec_paramgen_curve:P-256")),
            ("p521", "ann", &ec("ec_paramgen_curve:P-521")),
            ("k256", "ann", &ec("ec_paramgen_curve:secp256k1")),
            ("bob", "bob", &["rsa:2048"]),
        ] {
            let (pem, key_file) = (format!("{name}.pem"), format!("{name}.key"));
            let common: &[&str] =
                &["req", "-x509", "-config", "config", "-nodes", "-days", "3650", "-extensions", section];
            let output = run(folder.path(), &[common, &["-keyout", &key_file, "-out", &pem, "-newkey"], key].concat());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Some(folder)
    });
    made.as_ref().map(TempDir::path)
}

#[expect(clippy::print_stdout, reason = "what is not tested is said by name")]
fn folder_for(test: &str) -> Option<&'static Path> {
    let folder = folder();
    if folder.is_none() {
        println!("SKIPPED containers::{test}: no openssl");
    }
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("openssl").args(arguments).current_dir(folder).output().unwrap()
}

/// What `openssl cms -sign` writes about a content for a signer.
fn signed_by(folder: &Path, signer: &str, content: &str, more: &[&str]) -> Vec<u8> {
    let (pem, key) = (format!("{signer}.pem"), format!("{signer}.key"));
    let common = ["cms", "-sign", "-binary", "-outform", "DER", "-in", content, "-signer", &pem, "-inkey", &key];
    let output = run(folder, &[&common, more].concat());
    assert!(output.status.success(), "{signer} {more:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn verdict(bytes: &[u8], trust: &Evidence) -> Verdict {
    verdict_at(bytes, trust, &rules())
}

fn verdict_at(bytes: &[u8], trust: &Evidence, rules: &Rules) -> Verdict {
    let addresses = [Address::parse(ADDRESS).unwrap()];
    judge_value(&SmimeValue::parse(bytes.into()), Some(&Audience { addresses: &addresses }), trust, rules)
}

/// What is found of the container itself: code and what was seen.
fn found(bytes: &[u8]) -> Vec<(&'static str, Option<String>)> {
    let findings = verdict(bytes, &evidence(&[], &[], &[])).findings;
    let of_container = findings.into_iter().filter(|finding| finding.code.starts_with("container_"));
    of_container.map(|finding| (finding.code, finding.observed)).collect()
}

fn names(bytes: &[u8]) -> Vec<&'static str> {
    found(bytes).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn every_kind_of_signature_is_verified() {
    let Some(folder) = folder_for("every_kind_of_signature_is_verified") else { return };
    let pss = ["-nodetach", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20"];
    for (signer, more) in [
        ("rsa", &["-nodetach"][..]),
        ("rsa", &["-nodetach", "-stream"]),
        ("rsa", &["-nodetach", "-md", "sha1"]),
        ("rsa", &["-nodetach", "-md", "sha384", "-keyid"]),
        ("rsa", &pss),
        ("p256", &["-nodetach"]),
        ("p521", &["-nodetach", "-md", "sha512", "-stream"]),
    ] {
        assert_eq!(found(&signed_by(folder, signer, "body", more)), [], "{signer} {more:?}");
    }
    // nothing is signed, and it is not there
    assert_eq!(found(&signed_by(folder, "rsa", "nothing", &[])), []);
    for more in [&["-nodetach", "-noattr"][..], &["-nodetach", "-nosmimecap"]] {
        assert_eq!(names(&signed_by(folder, "p256", "body", more)), ["container_capabilities_absent"], "{more:?}");
    }
}

#[test]
fn what_cannot_be_checked_is_said() {
    let Some(folder) = folder_for("what_cannot_be_checked_is_said") else { return };
    let unsupported = |seen: &str| ("container_unsupported", Some(seen.to_owned()));
    assert_eq!(found(&signed_by(folder, "rsa", "body", &[])), [unsupported("eContent")], "the content is elsewhere");
    let bare = found(&signed_by(folder, "rsa", "body", &["-noattr"]));
    assert_eq!(bare[0], unsupported("eContent"));
    let curve = found(&signed_by(folder, "k256", "body", &["-nodetach"]));
    assert_eq!(curve, [unsupported("ecdsa-with-SHA256")]);
}

#[test]
fn signers_are_looked_for_in_the_bag() {
    let Some(folder) = folder_for("signers_are_looked_for_in_the_bag") else { return };
    let both = ["-nodetach", "-signer", "bob.pem", "-inkey", "bob.key"];
    let both = found(&signed_by(folder, "p256", "body", &both));
    assert_eq!(both, [("container_signer_other", Some("bob@contoso.com".to_owned()))]);
    for more in [
        &["-nodetach", "-nocerts", "-certfile", "p256.pem"][..],
        &["-nodetach", "-keyid", "-nocerts", "-certfile", "p256.pem"],
    ] {
        assert_eq!(names(&signed_by(folder, "rsa", "body", more)), ["container_signer_unknown"], "{more:?}");
    }
    let bag = run(folder, &["crl2pkcs7", "-nocrl", "-certfile", "rsa.pem", "-certfile", "bob.pem", "-outform", "DER"]);
    assert_eq!(names(&bag.stdout), ["container_certs_only"]);
}

#[test]
fn nothing_that_openssl_refuses_is_called_good() {
    let Some(folder) = folder_for("nothing_that_openssl_refuses_is_called_good") else { return };
    let (mut refused, mut caught) = (0, 0);
    let pss = ["-nodetach", "-keyopt", "rsa_padding_mode:pss"];
    for (name, whole) in [
        ("attached", signed_by(folder, "rsa", "body", &["-nodetach"])),
        ("stream", signed_by(folder, "p256", "body", &["-nodetach", "-stream"])),
        ("pss", signed_by(folder, "rsa", "body", &pss)),
        ("keyid", signed_by(folder, "p256", "body", &["-nodetach", "-keyid", "-noattr"])),
    ] {
        // the signer is trusted as he is, so that a changed certificate is known for one
        let signer = SmimeValue::parse(whole.as_slice().into()).certificates.remove(0);
        let trust = evidence(&[&signer], &[], &[]);
        let at = Rules { at_ms: signer.not_before_ms + DAY, ..rules() };
        assert!(accepts(folder, &whole) && is_good(&verdict_at(&whole, &trust, &at)), "{name}");
        // the first tenth holds the content, the last fifth the SignerInfo
        let (front, back) = (whole.len() / 10, whole.len() * 4 / 5);
        let places = (0..front).step_by(7).chain((front..back).step_by(97)).chain((back..whole.len()).step_by(19));
        for place in places {
            let mut changed = whole.clone();
            changed[place] ^= 1 << (place % 8);
            if accepts(folder, &changed) {
                continue;
            }
            refused += 1;
            let verdict = verdict_at(&changed, &trust, &at);
            assert!(!is_good(&verdict), "{name} changed at {place}: {:?}", codes(&verdict));
            caught += usize::from(codes(&verdict).contains(&"container_signature_invalid"));
        }
    }
    assert!(refused >= 60 && caught >= 20, "{refused} refused, {caught} by their signature");
}

/// Fit, and nothing against the signature.
fn is_good(verdict: &Verdict) -> bool {
    let against = ["container_signature_invalid", "container_signer_unknown", "container_unsupported"];
    verdict.fitness() == Fitness::Fit && !codes(verdict).iter().any(|code| against.contains(code))
}

fn accepts(folder: &Path, value: &[u8]) -> bool {
    fs::write(folder.join("changed"), value).unwrap();
    run(folder, &["cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", "changed", "-out", "out"])
        .status
        .success()
}

fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(6, kind), &tlv(0x31, value)])
}

fn pkcs9(arcs: &[u8], value: &[u8]) -> Vec<u8> {
    attribute(&[PKCS9, arcs].concat(), value)
}

fn capabilities(kinds: &[&[u8]]) -> Vec<u8> {
    let each: Vec<u8> = kinds.iter().flat_map(|kind| sequence(&[&tlv(6, kind)])).collect();
    pkcs9(&[15], &tlv(0x30, &each))
}

fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    use x509_parser::prelude::FromDer;
    let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(&certificate.der).unwrap();
    [parsed.issuer().as_raw(), &tlv(2, parsed.raw_serial())].concat()
}

/// CMS without content, signed by the first certificate's key with these attributes besides; `sorted` is as DER wants.
fn signed(certificates: &[&Certificate], key: &KeyPair, attributes: &[Vec<u8>], sorted: bool) -> Vec<u8> {
    let nothing = digest::digest(&digest::SHA256, b"");
    let mut attributes = attributes.to_vec();
    attributes.extend([pkcs9(&[4], &tlv(4, nothing.as_ref())), pkcs9(&[3], DATA)]);
    attributes.sort();
    if !sorted {
        attributes.reverse();
    }
    let attributes = attributes.concat();
    let signature = key.sign(&tlv(0x31, &attributes)).unwrap();
    let sha256 = sequence(&[&tlv(6, &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1])]);
    let ecdsa = sequence(&[&tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
    let sid = tlv(0x30, &issuer_and_serial(certificates[0]));
    let signer = sequence(&[&[2, 1, 1], &sid, &sha256, &tlv(0xa0, &attributes), &ecdsa, &tlv(4, &signature)]);
    let bag: Vec<u8> = certificates.iter().flat_map(|certificate| certificate.der.to_vec()).collect();
    let data = sequence(&[&[2, 1, 1], &tlv(0x31, &sha256), &sequence(&[DATA]), &tlv(0xa0, &bag), &tlv(0x31, &signer)]);
    sequence(&[&tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]), &tlv(0xa0, &data)])
}

#[test]
fn what_the_attributes_promise_is_held_against_the_bag() {
    let root = Authority::root("Root");
    let (own, other) = (key(), key());
    let ann = root.issue(&person_params(ADDRESS), &own);
    let mut params = person_params(ADDRESS);
    params.serial_number = Some(4712_u64.into());
    let second = root.issue(&params, &other);
    let strong = capabilities(&[TRIPLE_DES, AES_256]);
    let named = issuer_and_serial(&second);
    let id = tlv(4, &[9; 20]);
    for preference in [pkcs9(&[16, 2, 11], &tlv(0xa0, &named)), attribute(MICROSOFT_PREFERENCE, &tlv(0x30, &named))] {
        let attributes = [preference, strong.clone()];
        let here = signed(&[&ann, &second], &own, &attributes, true);
        assert_eq!(found(&here), []);
        assert_eq!(SmimeValue::parse(here.as_slice().into()).chosen(0), Some(&second));
        assert_eq!(names(&signed(&[&ann], &own, &attributes, true)), ["container_preference_missing"]);
    }
    for missing in [tlv(0xa1, &id), tlv(0x82, &[9; 20])] {
        let value = signed(&[&ann], &own, &[pkcs9(&[16, 2, 11], &missing), strong.clone()], true);
        assert_eq!(found(&value), [("container_preference_missing", Some("09".repeat(20)))]);
    }
    let weak = signed(&[&ann], &own, &[capabilities(&[TRIPLE_DES])], true);
    assert_eq!(found(&weak), [("container_capabilities_weak", Some("DES-EDE3-CBC".to_owned()))]);
    let value = SmimeValue::parse(signed(&[&ann], &own, &[strong], true).as_slice().into());
    assert_eq!(value.capabilities.unwrap(), ["DES-EDE3-CBC", "AES-256-CBC"]);
}

#[test]
fn a_forged_container_is_not_fit_and_a_true_one_is() {
    let root = Authority::root("Root");
    let own = key();
    let ann = root.issue(&person_params(ADDRESS), &own);
    let trust = evidence(&[&root.certificate], &[], &[]);
    let strong = [capabilities(&[AES_256])];
    for sorted in [true, false] {
        let good = verdict(&signed(&[&ann], &own, &strong, sorted), &trust);
        assert_eq!((codes(&good), good.encrypt), (vec![], Fitness::Fit), "sorted: {sorted}");
    }
    let forged = verdict(&signed(&[&ann], &key(), &strong, true), &trust);
    assert_eq!((codes(&forged), forged.encrypt), (vec!["container_signature_invalid"], Fitness::Undetermined));
    assert!(forged.path_valid, "the certificate itself is as good as it was");
    // an attribute that has to be there once
    let twice = [strong[0].clone(), pkcs9(&[3], DATA)];
    let found = found(&signed(&[&ann], &own, &twice, true));
    assert_eq!(found, [("container_signature_invalid", Some("contentType".to_owned()))]);
}
