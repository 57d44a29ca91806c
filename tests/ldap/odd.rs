//! People who are like nobody else: names with every escape, two thousand values, long ones, no address, one address twice.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smimesync::certificate::Attribute;
use smimesync::config::Directory;
use smimesync::error::Code;
use smimesync::people::Person;

use crate::reader::{anonymous, directory, everybody, named, people, simple};
use crate::scripted_server::{Act, Operation, entry, page_end, result, serve_requests};
use crate::servers::{RealServer, own_active_directory, own_openldap};

/// Common names with everything that RFC 4514 escapes, and what is not of ASCII.
const NAMES: [&str; 10] = [
    "Lee, Ann",
    "a+b",
    "say \"hi\"",
    "back\\slash",
    "<a>;b=c",
    "#hash",
    " blank ",
    "J\u{fc}rgen \u{65e5}\u{672c}",
    "e\u{301}combined",
    "many",
];

/// A name as RFC 4514 2.4 writes it, with a backslash before what is special.
fn escaped(name: &str) -> String {
    let last = name.chars().count() - 1;
    let is_special = |(place, char): (usize, char)| match char {
        ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => true,
        '#' => place == 0,
        ' ' => place == 0 || place == last,
        _ => false,
    };
    let escape = |(place, char)| if is_special((place, char)) { format!("\\{char}") } else { char.to_string() };
    name.chars().enumerate().map(escape).collect()
}

/// The same with every octet as a hex pair.
fn hex(name: &str) -> String {
    name.bytes().map(|octet| format!("\\{octet:02x}")).collect()
}

/// Records that add these people below a base.
pub(crate) fn records(base: &str, class: &str, rest: &str) -> String {
    let encoded = |text: &str| STANDARD.encode(text);
    let mut records = String::new();
    for (number, name) in NAMES.into_iter().enumerate() {
        let dn = encoded(&format!("cn={},{base}", escaped(name)));
        write!(records, "dn:: {dn}\nobjectClass: {class}\ncn:: {}\n{rest}", encoded(name)).unwrap();
        // the first two have one address, the third has none
        match number {
            0 | 1 => records.push_str("mail: twice@odd.test\n"),
            2 => {}
            number => writeln!(records, "mail: p{number}@odd.test").unwrap(),
        }
        if name == "many" {
            for value in 0..2000u32 {
                writeln!(records, "userSMIMECertificate:: {}", STANDARD.encode(value.to_be_bytes().repeat(50)))
                    .unwrap();
            }
        } else {
            let value = vec![u8::try_from(number).unwrap(); 32_768];
            writeln!(records, "userSMIMECertificate:: {}", STANDARD.encode(value)).unwrap();
        }
        records.push('\n');
    }
    records.trim_end().to_owned()
}

/// Holds what was read against what was written.
pub(crate) fn hold(config: &Directory, base: &str) -> Vec<Person> {
    let (read, report) = everybody(config).unwrap();
    assert_eq!((read.len(), report.complete), (NAMES.len(), true), "{:?}", report.incomplete_reason);
    for (number, name) in NAMES.into_iter().enumerate() {
        let find = |identity: &str| {
            let (found, _) =
                people(config, &named(&[identity])).map_err(|error| format!("{identity}: {error}")).unwrap();
            found.into_iter().next().unwrap()
        };
        let person = find(&format!("cn={},{base}", escaped(name)));
        assert_eq!(person.display_name.as_deref(), Some(name.trim()), "{name}");
        assert_eq!(find(&format!("CN={},{}", hex(name), base.to_uppercase())), person, "{name}");
        assert_eq!(find(&person.identity), person, "{name}");
        assert!(read.contains(&person) && person.complete && person.problems.is_empty(), "{name}");
        let values: Vec<_> = person.values.iter().map(|value| value.bytes.len()).collect();
        let expected = if name == "many" { vec![200; 2000] } else { vec![32_768] };
        assert_eq!(values, expected, "{name}");
        assert!(person.values.iter().all(|value| value.attribute == Attribute::UserSmimeCertificate));
        match number {
            2 => assert!(person.addresses.is_empty()),
            _ => assert_eq!(person.addresses.len(), 1),
        }
    }
    let error = people(config, &named(&["TWICE@odd.test"])).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::DirectoryAmbiguous, Some("TWICE@odd.test")));
    read
}

/// What `slapd` needs to be given of such people, and where they are.
pub(crate) fn on_openldap(server: &RealServer) -> (Directory, &str) {
    let base = server.fact("PEOPLE_DN");
    server.add(&records(base, "inetOrgPerson", "sn: x\n"));
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    (directory(server.fact("LDAPS_URL"), base, bind, Some(server.ca_file())), base)
}

#[test]
fn slapd_s_odd_people_come_as_they_are() {
    let Some(server) = own_openldap("odd::slapd_s_odd_people_come_as_they_are", 0) else { return };
    let (config, base) = on_openldap(&server);
    hold(&config, base);
}

#[test]
fn active_directory_s_odd_people_come_as_they_are() {
    let Some(server) = own_active_directory("odd::active_directory_s_odd_people_come_as_they_are", 0) else { return };
    let base = "OU=Odd,DC=ad,DC=test";
    server.add(&format!("dn: {base}\nobjectClass: organizationalUnit\n\n{}", records(base, "contact", "")));
    let bind = simple(server.fact("SYNC_DN"), server.fact("SYNC_PASSWORD"));
    let config = directory(server.fact("LDAPS_URL"), base, bind, Some(server.ca_file()));
    hold(&config, base);
}

#[test]
fn a_name_with_a_zero_octet_is_one() {
    let url = serve_requests(|request| match request.operation {
        Operation::Bind { .. } => Act::Send(vec![result(0x61, 0, "")]),
        _ if request.is_root_dse() => Act::Send(vec![page_end(b"")]),
        _ => {
            let class: (&str, &[&[u8]]) = ("objectClass", &[b"inetOrgPerson"]);
            Act::Send(vec![entry("cn=a\\00b,dc=x", &[class]), entry("cn=ab,dc=x", &[class]), page_end(b"")])
        }
    });
    let config = directory(&url, "dc=x", anonymous(), None);
    let (read, report) = everybody(&config).unwrap();
    assert_eq!((read.len(), report.complete), (2, true));
    let (found, _) = people(&config, &named(&["CN=a\\00b,DC=x"])).unwrap();
    assert_eq!(found[0].distinguished_name, "cn=a\\00b,dc=x");
}
