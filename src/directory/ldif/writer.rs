//! LDIF content records (RFC 2849) of entries, one at a time.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::directory::entry::Entry;

use super::reader::is_description;

/// Columns of a line; what is longer goes on in the next one, behind a blank.
const COLUMNS: usize = 76;

/// Writes what every file begins with.
///
/// # Errors
/// Those of writing.
pub(in crate::directory) fn begin(out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"version: 1\n")
}

/// Writes an entry's record. Of an attribute whose values did not all come, the range that did stands in its name.
///
/// # Errors
/// Those of writing; `InvalidData` for an attribute whose name no file can hold.
pub(in crate::directory) fn record(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    line(out, "dn", entry.dn.as_bytes())?;
    for (description, missing_from, values) in entry.attributes() {
        let ranged = match missing_from {
            Some(missing) => format!("{description};range=0-{}", missing.saturating_sub(1)),
            None => description.to_owned(),
        };
        if !is_description(&ranged) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an attribute with a name that LDIF cannot hold"));
        }
        for value in values {
            line(out, &ranged, value)?;
        }
    }
    out.write_all(b"\n")
}

fn line(out: &mut impl Write, name: &str, value: &[u8]) -> io::Result<()> {
    let text = match value {
        [] => format!("{name}:"),
        value if is_safe(value) => format!("{name}: {}", String::from_utf8_lossy(value)),
        value => format!("{name}:: {}", STANDARD.encode(value)),
    };
    let (first, mut rest) = text.as_bytes().split_at(text.len().min(COLUMNS));
    out.write_all(first)?;
    while !rest.is_empty() {
        let (next, following) = rest.split_at(rest.len().min(COLUMNS - 1));
        out.write_all(b"\n ")?;
        out.write_all(next)?;
        rest = following;
    }
    out.write_all(b"\n")
}

/// Whether a value is a SAFE-STRING that does not end in a blank, which needs no base64.
fn is_safe(value: &[u8]) -> bool {
    let is_safe_octet = |octet: &u8| !matches!(octet, 0 | b'\n' | b'\r' | 0x80..);
    !matches!(value.first(), Some(b' ' | b':' | b'<')) && value.last() != Some(&b' ') && value.iter().all(is_safe_octet)
}

#[cfg(test)]
mod tests {
    use super::super::reader::{Reader, Record};
    use super::*;

    fn written(entries: &[Entry]) -> Vec<u8> {
        let mut file = Vec::new();
        begin(&mut file).unwrap();
        entries.iter().for_each(|entry| record(&mut file, entry).unwrap());
        file
    }

    fn read(file: &[u8]) -> Vec<Entry> {
        let mut reader = Reader::new(file);
        std::iter::from_fn(|| match reader.next().unwrap()? {
            Record::Entry { entry, .. } => Some(entry),
            Record::SearchResult { .. } => None,
        })
        .collect()
    }

    fn entry(dn: &str, attributes: &[(&str, &[&[u8]])]) -> Entry {
        let mut entry = Entry::new(dn.into());
        for (name, values) in attributes {
            assert!(entry.add(name, values.iter().map(|value| value.to_vec())));
        }
        entry
    }

    #[test]
    fn every_value_comes_back_as_it_was() {
        let all: Vec<u8> = (0..=255).collect();
        let long = "x".repeat(1000);
        let mut values: Vec<&[u8]> =
            vec![b"", b" a", b"a ", b"a b", b":a", b"<a", b"#a", b"-", b"a: b", &all, long.as_bytes()];
        let (one, two) = ([b'a'; 68], [b'a'; 69]);
        let umlaut = "J\u{fc}rgen".as_bytes();
        values.extend([&one[..], &two, umlaut, b"a\nb", b"a\rb", b"a\0b", b"\x7f"]);
        let entries = [
            entry("CN=a", &[("cn", &values), ("userCertificate;binary", &[&all]), ("sn;lang-de", &[b"b"])]),
            entry(r#"CN=\ a\,b\+c\"d\\e\<f\>g\;h\#i\=j\00\ ,DC=x"#, &[("cn", &[b"x"])]),
            entry("CN=J\u{fc}rgen \u{65e5}\u{672c}", &[]),
            entry(" cn=blank ", &[("cn", &[b"x"])]),
        ];
        let file = written(&entries);
        assert_eq!(read(&file), entries);
        let text = String::from_utf8(file).unwrap();
        assert!(text.starts_with("version: 1\ndn: CN=a\n"), "{text}");
        assert!(text.is_ascii() && text.lines().all(|line| line.len() <= COLUMNS));
        for line in ["cn:", "cn:: IGE=", "cn:: YSA=", "cn: a b", "cn:: OmE=", "cn:: PGE=", "cn: #a", "cn: -"] {
            assert!(text.lines().any(|other| other == line), "{line}");
        }
    }

    #[test]
    fn what_did_not_all_come_does_not_read_as_if_it_had() {
        let partly = entry("CN=a", &[("userCertificate;binary;range=0-1", &[b"0a", b"0b"])]);
        let file = written(std::slice::from_ref(&partly));
        assert!(String::from_utf8_lossy(&file).contains("userCertificate;binary;range=0-1: 0a"));
        assert_eq!(read(&file)[0].missing_from("userCertificate"), Some(2));
    }

    #[test]
    fn a_name_cannot_bring_lines_of_its_own() {
        let hostile = entry("CN=a", &[("cn: x\n\ndn: CN=b\ncn", &[b"y"])]);
        assert_eq!(record(&mut Vec::new(), &hostile).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn two_thousand_values_and_long_ones_come_back() {
        let values: Vec<Vec<u8>> = (0..2000u32).map(|number| number.to_be_bytes().repeat(64)).collect();
        let long = vec![0x30; 32_768];
        let mut values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        values.push(&long);
        let entries = [entry("CN=a", &[("userSMIMECertificate", &values)])];
        assert_eq!(read(&written(&entries)), entries);
    }
}
