//! The verb `keys`, through a session: options in, rows out.
#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dashu_int::UBig;
use smimesync::error::Code;
use smimesync::session::{Row, Session, Step, Value, Verb};
use tempfile::TempDir;

/// Primes of 1,024 bits.
const PRIMES: [&str; 6] = [
    "c87e3341ca26f5a428b440b9d58a0ff82c6a0fc3fdb740575ec38b4697e4da34\
     8ed658a8da7c84dea8d2340b1eecdae63018cddce467d023561e68c71eea0626\
     96894168452c4b4ff8808df0d83cb09cc149aa9a5edc89c6570a4764f95e5b24\
     3a6dc17608089971ae57555e7d7adbfe12d19cdc4e7a55aee9182ccbe7d73f45",
    "fa55c74ae6058bd8233adfb85b8c1311763e424f1130f32aa33c6737856bca69\
     577ada3e7424c6052a014e11bba93474dbf0af45305c91460fb8aa25b7fc5cc8\
     3fd26f090f81e120fe1d55875580337e3cc5429348c2e8ace7e8f8f07492e146\
     bd79cffb4a5283af38e1c7f119efbd9f7f595ec8bc8f3bea5e8715887046fdf3",
    "d49fe83e8e77d551fa85cb09c296fff2b701a5384e9b71d31252ba5c9bfc13af\
     47dc9905a8c3daf3b81044cc0c8e542b73e523b6591b16d706921e2524400c91\
     0acc2e6c43523233da00589151f7ebcaf4ac5ac2d0c6c5a00f3e259f58101eff\
     dbb45662b6a0c2ebabd00673b9a3c3abab98e32c7f67a1447171a2cb15ed749f",
    "fd2c0fe885a9bce226a44babc95b5f94b21207798e9de16b065d19daf4ec626b\
     58cf07b97f152bd3886d4e34734a53caaf3a332f6da2298e7e3514ca688a4d99\
     47e31a55e98cdf1d9c81fbe343b551476d49a731f0e9bf95854cdfe3a69587d7\
     8966ee6d16d45a7f4071baedeec499d426fc15b04381626901bc5bacb4f44211",
    "f332b8b9482636155f8c23ef8c26d8f6af5ef33f08244d337064af952e2bc05d\
     7243aed559cea87da6ef4f1d12da4b7cfafa901b92c5d3622ddbeb3b9eb6807e\
     52f2356f7df04080c08866a0af984ed1287fc599592dd1cf06ef8028feaa6eb2\
     da01494e9453df831593a7eef30d4eb49eb584838e070f7083c1f8420e18a1bf",
    "eb604d3bd2cee8ea33d71b076a4971a1327324862f1910d2ab09969109c2aa68\
     73e210ae2974f1c3dbb4d0fa823431fca23d7abbbc8ba0516ad7fa2fe6eb3c8f\
     a4efe1976ccfd229e495bb115dbf82cd103696263960ebeb37cff17aa31b5c13\
     08a511a39d364de0074333432f0141c793cb344ea64e24dd839efa88ebae3da3",
];

const USUAL: u32 = 65_537;

fn prime(index: usize) -> UBig {
    UBig::from_str_radix(PRIMES[index], 16).unwrap()
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let header = match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![tag, short],
        _ => {
            let [.., high, low] = length.to_be_bytes();
            vec![tag, 0x82, high, low]
        }
    };
    [header, content.to_vec()].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn integer(number: &UBig) -> Vec<u8> {
    element(2, &[&[0], &*number.to_be_bytes()].concat())
}

fn rsa(modulus: &UBig, exponent: u32) -> Vec<u8> {
    let key = sequence(&[&integer(modulus), &integer(&UBig::from(exponent))]);
    let algorithm = sequence(&[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], &[5, 0]]);
    sequence(&[&algorithm, &element(3, &[&[0], key.as_slice()].concat())])
}

fn p256(point: &[u8]) -> Vec<u8> {
    let curve = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let algorithm = sequence(&[&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1], &curve]);
    sequence(&[&algorithm, &element(3, &[&[0], point].concat())])
}

/// A certificate whose signature is nonsense: nobody asks for it here.
fn certificate(name: &str, serial: u8, key: &[u8], is_ca: bool) -> Vec<u8> {
    let signature = sequence(&[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], &[5, 0]]);
    let name = sequence(&[&[6, 3, 0x55, 4, 3], &element(0x0c, name.as_bytes())]);
    let name = sequence(&[&element(0x31, &name)]);
    let time = |text: &str| element(0x17, text.as_bytes());
    let validity = sequence(&[&time("260101000000Z"), &time("280101000000Z")]);
    let basic = sequence(&[&[6, 3, 0x55, 0x1d, 0x13], &element(4, &sequence(&[&[1, 1, 0xff]]))]);
    let extensions = if is_ca { element(0xa3, &sequence(&[&basic])) } else { Vec::new() };
    let version = element(0xa0, &[2, 1, 2]);
    let signed = sequence(&[&version, &[2, 1, serial], &signature, &name, &validity, &name, key, &extensions]);
    sequence(&[&signed, &signature, &element(3, &[0, 1, 2, 3])])
}

/// Values of a person, by attribute.
type Values<'a> = &'a [(&'a str, Vec<u8>)];

/// A session whose directory holds these people; the folder lives as long as the pair.
fn people(people: &[(&str, Values<'_>)]) -> (Session, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("version: 1\n");
    for (name, values) in people {
        write!(text, "\ndn: CN={name},DC=x,DC=test\nobjectClass: user\nmail: {name}@x.test\n").unwrap();
        for (attribute, value) in *values {
            writeln!(text, "{attribute}:: {}", BASE64_STANDARD.encode(value)).unwrap();
        }
    }
    let path = folder.path().join("people.ldif");
    std::fs::write(&path, text).unwrap();
    let path = serde_json::Value::from(path.to_str().unwrap());
    let session = Session::open(&format!(r#"{{"directory":{{"kind":"ldif","path":{path}}}}}"#)).unwrap();
    (session, folder)
}

fn rows(session: &Session, options: &str) -> Vec<Row> {
    let mut cursor = session.start(Verb::Keys, options).unwrap();
    let mut rows = Vec::new();
    while cursor.next(Duration::from_secs(60)).unwrap() == Step::Row {
        rows.push(cursor.row().unwrap().clone());
    }
    rows
}

fn text(row: &Row, column: &str) -> String {
    match row.get(column).unwrap() {
        Value::Text(text) => text.clone(),
        Value::List(texts) => texts.join(" "),
        Value::Null => String::new(),
        other => format!("{other:?}"),
    }
}

/// Whose key, which weakness, shared with whom.
fn summary(rows: &[Row]) -> Vec<(String, String, String)> {
    let short = |text: String| text.replace(",DC=x,DC=test", "").replace("CN=", "");
    rows.iter()
        .map(|row| (short(text(row, "person")), text(row, "weakness"), short(text(row, "shared_with"))))
        .collect()
}

fn expect(rows: &[Row], expected: &[(&str, &str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect();
    assert_eq!(summary(rows), expected);
}

const ONE: &str = "userCertificate";
const OTHER: &str = "userSMIMECertificate";

#[test]
fn what_people_share_is_told_with_whom() {
    let shared = &prime(0) * &prime(1);
    let factor = &prime(2) * &prime(3);
    let neighbour = &prime(2) * &prime(4);
    let good = &prime(5) * ((UBig::ONE << 607) - 1_u8);
    let (session, _folder) = people(&[
        ("ann", &[(ONE, certificate("ann", 1, &rsa(&shared, USUAL), false))]),
        ("bob", &[(ONE, certificate("bob", 2, &rsa(&shared, USUAL), false))]),
        ("cat", &[(ONE, certificate("cat", 3, &rsa(&factor, USUAL), false))]),
        ("dan", &[(OTHER, certificate("dan", 4, &rsa(&neighbour, USUAL), false))]),
        ("eve", &[(ONE, certificate("eve", 5, &rsa(&good, USUAL), false))]),
    ]);
    let found = rows(&session, "{}");
    expect(
        &found,
        &[
            ("ann", "shared_modulus", "bob"),
            ("bob", "shared_modulus", "ann"),
            ("cat", "shared_factor", "dan"),
            ("dan", "shared_factor", "cat"),
        ],
    );
    assert_eq!(text(&found[3], "attribute"), OTHER);
    assert_eq!(text(&found[0], "key"), "RSA 2048");
    assert_eq!(text(&found[0], "severity"), "block");
    for column in ["message", "remedy", "rule", "thumbprint", "subject", "value_sha256"] {
        assert!(!text(&found[0], column).is_empty(), "{column}");
    }
    // no part of a private key in what people read
    assert!(!format!("{found:?}").to_lowercase().contains(&PRIMES[2][..32]));
}

#[test]
fn a_renewal_with_the_same_key_and_one_certificate_in_both_attributes_share_nothing() {
    let key = rsa(&(&prime(0) * &prime(1)), USUAL);
    let (first, renewed) = (certificate("ann", 1, &key, false), certificate("ann", 2, &key, false));
    let (session, _folder) = people(&[("ann", &[(ONE, first.clone()), (OTHER, first), (ONE, renewed)])]);
    expect(&rows(&session, "{}"), &[]);
}

#[test]
fn an_authority_s_certificate_beside_many_is_nobody_s_and_told_once() {
    let key = rsa(&(&prime(0) * &prime(1)), 3);
    let authority = certificate("issuer", 1, &key, true);
    let (session, _folder) = people(&[("ann", &[(ONE, authority.clone())]), ("bob", &[(ONE, authority)])]);
    expect(&rows(&session, "{}"), &[("ann", "exponent_small", "")]);
}

#[test]
fn weak_keys_of_all_kinds_come_as_a_row_each() {
    let good = &prime(0) * &prime(1);
    let base = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    let point = [&[4][..], &UBig::from_str_radix(base, 16).unwrap().to_be_bytes()].concat();
    let mut moved = point.clone();
    *moved.last_mut().unwrap() ^= 1;
    let value = |key: &[u8]| vec![(ONE, certificate("x", 1, key, false))];
    let keys = [
        ("one", value(&rsa(&good, 1))),
        ("even", value(&rsa(&(&prime(2) * &prime(3)), 4))),
        ("small", value(&rsa(&(&prime(4) * 751_u32), USUAL))),
        ("short", value(&rsa(&((UBig::ONE << 521) - 1_u8), USUAL))),
        ("point", value(&p256(&point))),
        ("moved", value(&p256(&moved))),
        ("infinity", value(&p256(&[0]))),
        ("garbage", vec![(ONE, vec![0x30, 3, 1, 2, 3])]),
    ];
    let keys: Vec<_> = keys.iter().map(|(name, values)| (*name, values.as_slice())).collect();
    let (session, _folder) = people(&keys);
    let found = rows(&session, "{}");
    expect(
        &found,
        &[
            ("one", "exponent_one", ""),
            ("even", "exponent_even", ""),
            ("small", "modulus_small_factor", ""),
            ("short", "rsa_too_short", ""),
            ("moved", "point_not_on_curve", ""),
            ("infinity", "point_at_infinity", ""),
            ("garbage", "", ""),
        ],
    );
    assert_eq!(found[6].get("error_code"), Some(&Value::Integer(i64::from(Code::TrustUnreadable.number()))));
}

#[test]
fn an_elliptic_curve_key_of_two_people_is_shared() {
    let key = p256(&[2; 33]);
    let value = |name: &str| vec![(ONE, certificate(name, 1, &key, false))];
    let (ann, bob) = (value("ann"), value("bob"));
    let (session, _folder) = people(&[("ann", &ann), ("bob", &bob)]);
    let found = rows(&session, "{}");
    let shared: Vec<_> = summary(&found).into_iter().filter(|(_, code, _)| code == "shared_key").collect();
    assert_eq!(shared.len(), 2);
    assert_eq!(shared[0].2, "bob");
}

#[test]
fn selection_decides_what_is_compared() {
    let value = |name: &str| vec![(ONE, certificate(name, 1, &rsa(&(&prime(0) * &prime(1)), USUAL), false))];
    let (ann, bob) = (value("ann"), value("bob"));
    let (session, _folder) = people(&[("ann", &ann), ("bob", &bob)]);
    assert_eq!(rows(&session, "{}").len(), 2);
    assert!(rows(&session, r#"{"identities":["ann@x.test"]}"#).is_empty());
    let missing = rows(&session, r#"{"identities":["ann@x.test","nobody@x.test"]}"#);
    assert_eq!(summary(&missing), [("nobody@x.test".to_owned(), String::new(), String::new())]);
    assert_ne!(missing[0].get("error_code"), Some(&Value::Null));
}

#[test]
fn certificates_handed_in_belong_to_their_subjects() {
    let session = Session::open("{}").unwrap();
    let key = rsa(&(&prime(0) * &prime(1)), USUAL);
    let der = |name: &str, serial| BASE64_STANDARD.encode(certificate(name, serial, &key, false));
    let options =
        |second: String| format!(r#"{{"certificates":[{{"der":"{}"}},{{"der":"{second}"}}]}}"#, der("ann", 1));
    assert!(rows(&session, &options(der("ann", 2))).is_empty());
    let found = rows(&session, &options(der("bob", 2)));
    assert_eq!(found.len(), 2);
    assert_eq!((text(&found[0], "shared_with"), text(&found[1], "shared_with")), ("CN=bob".into(), "CN=ann".into()));
    let refused = session.start(Verb::Keys, r#"{"files":["x"],"limit":1}"#).err().unwrap();
    assert_eq!((refused.code(), refused.get_target()), (Code::OptionValue, Some("/identities")));
}

#[test]
fn options_nobody_knows_are_refused() {
    let session = Session::open("{}").unwrap();
    let refused = session.start(Verb::Keys, r#"{"anchors":[]}"#).err().unwrap();
    assert_eq!((refused.code(), refused.get_target()), (Code::OptionUnknown, Some("/anchors")));
}
