//! Certificates, values and bundles made by OpenSSL, read by `smimesync::certificate`.
#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use smimesync::certificate::{Bundle, Certificate, Container, Crl, ParseError, SmimeValue};
use tempfile::TempDir;

const CONFIG: &str = "
[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
utf8 = yes
[dn]
C = DE
O = Contoso\\, Söhne
CN = Ann Lee
emailAddress = ann@contoso.com
[person]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = emailProtection, clientAuth, 1.2.3.4
subjectAltName = @names
[names]
email.1 = Ann.Lee@contoso.com
email.2 = ann@contoso.com
otherName.1 = 1.3.6.1.5.5.7.8.9;FORMAT:UTF8,UTF8:änn@contoso.com
URI.1 = http://contoso.com
[sign]
keyUsage = critical, digitalSignature
extendedKeyUsage = emailProtection
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[ca]
default_ca = ca_default
[ca_default]
database = index.txt
default_md = sha256
default_crl_days = 30
";

/// What the tests read, made once.
struct Files {
    dir: TempDir,
}

impl Files {
    fn get() -> &'static Self {
        static FILES: OnceLock<Files> = OnceLock::new();
        FILES.get_or_init(Self::make)
    }

    fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("config"), CONFIG).unwrap();
        fs::write(dir.path().join("index.txt"), "").unwrap();
        fs::write(dir.path().join("message"), "Empty Body").unwrap();
        let made = |name: &str, key: &[&str], section: &str, subject: &[&str]| {
            let (key_file, pem, der) = (format!("{name}.key"), format!("{name}.pem"), format!("{name}.der"));
            let common = ["req", "-x509", "-config", "config", "-nodes", "-days", "365", "-sha256"];
            let named = ["-extensions", section, "-set_serial", "0xAB12", "-keyout", &key_file, "-out", &pem];
            openssl(dir.path(), &[&common[..], &named, key, subject].concat());
            openssl(dir.path(), &["x509", "-in", &pem, "-outform", "DER", "-out", &der]);
        };
        made("person", &["-newkey", "rsa:2048"], "person", &[]);
        made("sign", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "sign", &["-subj", "/CN=Sign"]);
        made("ca", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "authority", &["-subj", "/CN=CA"]);
        made("ed", &["-newkey", "ed25519"], "sign", &["-subj", "/CN=Ed"]);
        let list = ["ca", "-config", "config", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem", "-out", "ca.crl"];
        openssl(dir.path(), &list);
        openssl(dir.path(), &["crl", "-in", "ca.crl", "-outform", "DER", "-out", "crl.der"]);
        let signed = |name: &str, extra: &[&str]| {
            let common = ["cms", "-sign", "-in", "message", "-binary", "-signer", "person.pem", "-inkey", "person.key"];
            let named = ["-certfile", "ca.pem", "-outform", "DER", "-out", name];
            openssl(dir.path(), &[&common[..], &named, extra].concat());
        };
        signed("attached.cms", &["-nodetach"]);
        signed("stream.cms", &["-nodetach", "-stream"]);
        signed("detached.cms", &[]);
        let bag = ["-certfile", "ca.pem", "-certfile", "person.pem", "-certfile", "sign.pem"];
        openssl(dir.path(), &[&["crl2pkcs7", "-nocrl", "-out", "bag.p7b"][..], &bag].concat());
        openssl(
            dir.path(),
            &[&["crl2pkcs7", "-in", "ca.crl", "-outform", "DER", "-out", "bag.p7c"][..], &bag].concat(),
        );
        Self { dir }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir.path().join(name)).unwrap()
    }

    fn certificate(&self, name: &str) -> Certificate {
        Certificate::parse(&self.read(&format!("{name}.der"))).unwrap()
    }
}

fn openssl(dir: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn value(bytes: impl Into<Arc<[u8]>>) -> SmimeValue {
    SmimeValue::parse(bytes.into())
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let header = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [header, content].concat()
}

fn entry(tag: u16, data: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &((data.len() + 4) as u16).to_le_bytes(), data].concat()
}

const LONG_AFTER: i64 = 4_102_444_800_000;

/// A SignedData whose signer has one signed attribute, with a signature that nobody checks.
fn signed_data(certificates: &[&[u8]], attribute: &[u8]) -> Vec<u8> {
    let oid = |bytes: &[u8]| tlv(6, &[bytes]);
    let algorithm = tlv(0x30, &[&oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1])]);
    let signer = [
        tlv(2, &[&[3]]),
        tlv(0x80, &[&[1, 2, 3]]),
        algorithm.clone(),
        tlv(0xa0, &[attribute]),
        algorithm.clone(),
        tlv(4, &[&[9; 64]]),
    ];
    let data = [
        tlv(2, &[&[3]]),
        tlv(0x31, &[&algorithm]),
        tlv(0x30, &[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1])]),
        tlv(0xa0, certificates),
        tlv(0x31, &[&tlv(0x30, &[&signer.concat()])]),
    ];
    let data = tlv(0x30, &[&data.concat()]);
    tlv(0x30, &[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]), &tlv(0xa0, &[&data])])
}

fn issuer_and_serial(certificate: &[u8]) -> Vec<u8> {
    use x509_parser::prelude::FromDer;
    let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(certificate).unwrap();
    [parsed.issuer().as_raw(), &tlv(2, &[parsed.raw_serial()])].concat()
}

fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(6, &[oid]), &tlv(0x31, &[value])])
}

#[test]
fn every_column_of_a_certificate() {
    let certificate = Files::get().certificate("person");
    assert_eq!(certificate.subject, "emailAddress=ann@contoso.com,CN=Ann Lee,O=Contoso\\, Söhne,C=DE");
    assert_eq!(certificate.issuer, certificate.subject);
    assert_eq!(certificate.serial, "AB12");
    assert_eq!(certificate.key, "RSA 2048");
    assert_eq!(certificate.signature, "sha256WithRSA");
    assert_eq!(certificate.usages, ["digitalSignature", "keyEncipherment", "emailProtection", "clientAuth", "1.2.3.4"]);
    assert_eq!(certificate.emails, ["Ann.Lee@contoso.com", "ann@contoso.com", "änn@contoso.com"]);
    assert_eq!(certificate.not_after_ms - certificate.not_before_ms, 365 * 86_400_000);
    assert_eq!(certificate.thumbprint.len(), 40);
    assert!(!certificate.is_ca() && certificate.is_self_issued());
}

#[test]
fn keys_and_signatures_have_their_usual_names() {
    let name = |file: &str| {
        let certificate = Files::get().certificate(file);
        let ca = certificate.is_ca();
        (certificate.key, certificate.signature, ca)
    };
    assert_eq!(name("sign"), ("EC P-256".into(), "ecdsa-with-SHA256".into(), false));
    assert_eq!(name("ca"), ("EC P-384".into(), "ecdsa-with-SHA256".into(), true));
    assert_eq!(name("ed"), ("Ed25519".into(), "Ed25519".into(), false));
}

#[test]
fn a_certificate_ends_with_its_last_byte() {
    let mut der = Files::get().read("person.der");
    der.push(0);
    assert_eq!(Certificate::parse(&der).unwrap_err(), ParseError::TrailingBytes);
    assert_eq!(Certificate::parse(&[]).unwrap_err(), ParseError::Empty);
}

#[test]
fn every_form_of_cms_is_read() {
    let files = Files::get();
    let person = files.certificate("person");
    for name in ["attached.cms", "stream.cms", "detached.cms"] {
        let value = value(files.read(name));
        assert_eq!((value.container, value.error, value.unreadable), (Container::Cms, None, 0), "{name}");
        assert_eq!(value.certificates.len(), 2, "{name}");
        assert_eq!(value.chosen(person.not_before_ms), Some(&person), "{name}: the authority is not chosen");
    }
    // stream.cms is what it is here for only if its lengths are indefinite
    assert_eq!(files.read("stream.cms")[1], 0x80);
}

#[test]
fn certs_only_is_read() {
    let files = Files::get();
    let value = value(files.read("bag.p7c"));
    assert_eq!((value.container, value.certificates.len()), (Container::Cms, 3));
    let first = value.certificates.iter().find(|certificate| !certificate.is_ca());
    assert_eq!(value.chosen(files.certificate("ed").not_before_ms), first);
    assert_eq!(value.chosen(LONG_AFTER), first, "none is valid: the first that is no authority's");
}

#[test]
fn both_key_preferences_are_honoured() {
    let files = Files::get();
    let (sign, person) = (files.read("sign.der"), files.read("person.der"));
    let named = issuer_and_serial(&person);
    let smime = attribute(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 11], &tlv(0xa0, &[&named]));
    let microsoft = attribute(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 16, 4], &tlv(0x30, &[&named]));
    let neither = attribute(&[0x2a, 3], &tlv(0x30, &[&named]));
    let chosen = |attribute: &[u8]| {
        let value = value(signed_data(&[&sign, &person], attribute));
        assert_eq!((value.error, value.certificates.len()), (None, 2));
        value.chosen(files.certificate("ed").not_before_ms).unwrap().key.clone()
    };
    assert_eq!(chosen(&smime), "RSA 2048");
    assert_eq!(chosen(&microsoft), "RSA 2048");
    assert_eq!(chosen(&neither), "EC P-256", "without a preference the first");
}

#[test]
fn an_unreadable_certificate_leaves_the_others() {
    let broken = tlv(0x30, &[&tlv(2, &[&[1]])]);
    let data = signed_data(&[&broken, &Files::get().read("person.der")], &attribute(&[0x2a, 3], &[5, 0]));
    let value = value(data);
    assert_eq!((value.error, value.certificates.len(), value.unreadable), (None, 1, 1));
}

#[test]
fn the_tagged_list_is_read() {
    let files = Files::get();
    let (sign, person) = (files.read("sign.der"), files.read("person.der"));
    let version = entry(1, &1u32.to_le_bytes());
    let list =
        [&version[..], &entry(0x7777, b"unknown"), &entry(8, &sign), &entry(3, &person), &entry(0x20, &[7, 0, 0, 0])];
    let list = list.concat();
    let both = value(list.clone());
    assert_eq!((both.container, both.certificates.len(), both.error), (Container::Tlv, 2, None));
    assert_eq!(both.chosen(LONG_AFTER), Some(&files.certificate("person")));
    let signing_only = value([&version[..], &entry(8, &sign)].concat());
    assert_eq!(signing_only.chosen(0), Some(&files.certificate("sign")));
    let hashes = value([&version[..], &entry(0x22, &[1; 20])].concat());
    assert!(hashes.reference_only && hashes.chosen(0).is_none() && hashes.error.is_none());
    for length in 0..list.len() {
        let cut = value(&list[..length]);
        assert!(cut.certificates.len() < 2 || length + 8 >= list.len(), "cut to {length}");
    }
}

#[test]
fn bare_x509_and_garbage() {
    let bare = value(Files::get().read("person.der"));
    assert_eq!((bare.container, bare.certificates.len()), (Container::None, 1));
    for garbage in [&b""[..], b"garbage bytes", &[0x30], &[0x30, 0x80], &[0x30, 0x03, 0x06, 0x01, 0x2a], &[0xff; 64]] {
        let value = value(garbage);
        assert!(value.error.is_some() && value.chosen(0).is_none(), "{garbage:?}");
    }
}

#[test]
fn truncated_at_every_length_nothing_is_taken_for_whole() {
    let files = Files::get();
    for name in ["person.der", "attached.cms", "stream.cms", "bag.p7c"] {
        let whole = files.read(name);
        for length in 0..whole.len() {
            let value = value(&whole[..length]);
            assert!(value.error.is_some() && value.certificates.is_empty(), "{name} cut to {length}");
        }
    }
    let crl = files.read("crl.der");
    assert!(Crl::parse(&crl).is_ok());
    assert!((0..crl.len()).all(|length| Crl::parse(&crl[..length]).is_err()));
}

#[test]
fn changed_at_every_byte_nothing_panics() {
    let files = Files::get();
    for name in ["person.der", "stream.cms", "crl.der"] {
        let whole = files.read(name);
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= change;
                Bundle::read(&changed);
                value(changed);
            }
        }
    }
}

#[test]
fn bundles_are_told_apart_by_content() {
    let files = Files::get();
    let count = |bytes: &[u8]| {
        let bundle = Bundle::read(bytes);
        (bundle.certificates.len(), bundle.crls.len(), bundle.unreadable)
    };
    let text = |name: &str| String::from_utf8(files.read(name)).unwrap();
    let several = ["person.pem", "person.key", "ca.crl", "ca.pem"].map(text).concat();
    assert_eq!(count(several.as_bytes()), (2, 1, 0), "the key is left out");
    assert_eq!(count(several.replace('\n', "\r\n").as_bytes()), (2, 1, 0));
    assert_eq!(count(&files.read("bag.p7b")), (3, 0, 0));
    assert_eq!(count(&files.read("bag.p7c")), (3, 1, 0));
    assert_eq!(count(&files.read("person.der")), (1, 0, 0));
    assert_eq!(count(&files.read("crl.der")), (0, 1, 0));
    assert_eq!(count(b"neither"), (0, 0, 1));
    let trusted = text("person.pem").replace("CERTIFICATE", "TRUSTED CERTIFICATE");
    assert_eq!(count(trusted.as_bytes()), (0, 0, 0));
    let cut = text("person.pem").replace("-----END CERTIFICATE-----", "") + &text("ca.pem");
    assert_eq!(count(cut.as_bytes()), (1, 0, 1), "one cut off does not swallow the next");
    let person = files.read("person.der");
    let length = (person.len() as u32).to_le_bytes();
    let element = |id: u8| [&[id, 0, 0, 0, 1, 0, 0, 0][..], &length, &person].concat();
    let store = [&b"\0\0\0\0CERT"[..], &element(3), &element(0x20), &[0; 12]].concat();
    assert_eq!(count(&store), (1, 0, 0));
    assert_eq!(count(&store[..store.len() - 1]), (1, 0, 1), "a store without its end");
}

#[test]
fn a_crl_says_whose_it_is_and_how_long_it_holds() {
    let crl = Crl::parse(&Files::get().read("crl.der")).unwrap();
    assert_eq!(crl.issuer, "CN=CA");
    assert_eq!(crl.next_update_ms.map(|next| next - crl.this_update_ms), Some(30 * 86_400_000));
}
