//! An LDIF file as `ldifde` writes it, made fast and always the same.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Bytes of a certificate, about what a 2048-bit one of AD CS has.
const CERTIFICATE_BYTES: usize = 1400;
const CERTIFICATES: u64 = 97;

/// Writes so many people; the file's size.
pub(crate) fn write(path: &Path, people: u64) -> u64 {
    let mut out = BufWriter::with_capacity(1 << 20, std::fs::File::create(path).unwrap());
    let certificates: Vec<String> = (0..CERTIFICATES).map(certificate).collect();
    let mut text = String::new();
    for number in 0..people {
        text.clear();
        let guid = BASE64_STANDARD.encode((u128::from(number) << 64 | 0x4000_8000_0000_0000).to_be_bytes());
        write!(
            text,
            "dn: CN=User {number:07},OU=Staff,DC=contoso,DC=com\nchangetype: add\nobjectClass: top\nobjectClass: person\n\
             objectClass: organizationalPerson\nobjectClass: user\ncn: User {number:07}\ndisplayName: User {number:07}\n\
             objectGUID:: {guid}\nuserAccountControl: 512\nsAMAccountName: user{number:07}\n\
             userPrincipalName: user{number:07}@contoso.com\nmail: user{number:07}@contoso.com\n\
             proxyAddresses: SMTP:user{number:07}@contoso.com\nproxyAddresses: smtp:u{number:07}@contoso.com\n\
             objectCategory: \n CN=Person,CN=Schema,CN=Configuration,DC=contoso,DC=com\n{}\n",
            certificates[(number % CERTIFICATES) as usize],
        )
        .unwrap();
        out.write_all(text.as_bytes()).unwrap();
    }
    out.flush().unwrap();
    std::fs::metadata(path).unwrap().len()
}

/// The folded lines of a value that looks like a certificate from outside.
fn certificate(seed: u64) -> String {
    let mut word = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = vec![0x30, 0x82, 0x05, 0x74, 0x30, 0x82];
    while bytes.len() < CERTIFICATE_BYTES {
        // xorshift
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        bytes.extend(word.to_le_bytes());
    }
    let line = format!("userCertificate:: {}", BASE64_STANDARD.encode(bytes));
    let (first, rest) = line.split_at(76);
    let mut text = format!("{first}\n");
    for part in rest.as_bytes().chunks(75) {
        text.push(' ');
        text.push_str(std::str::from_utf8(part).unwrap());
        text.push('\n');
    }
    text
}
