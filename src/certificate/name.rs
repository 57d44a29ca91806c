//! Distinguished names: as RFC 4514 text for people, as a key for comparison.

use std::fmt::Write as _;

use stringprep::x520prep;
use unicode_normalization::UnicodeNormalization as _;
use x509_parser::asn1_rs::{Any, Class, Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name};

use super::der;

/// A name as names are compared in a path: RFC 5280 7.1 with the string preparation of RFC 4518, whatever string type the
/// value was written in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NameKey(Box<[u8]>);

impl NameKey {
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        let mut key = Vec::with_capacity(128);
        for rdn in name.iter() {
            append(&mut key, &Self::of_rdn(rdn));
        }
        Self(key.into())
    }

    /// The key of one relative name.
    pub(super) fn of_rdn(rdn: &RelativeDistinguishedName<'_>) -> Box<[u8]> {
        let mut attributes: Vec<Vec<u8>> = rdn.iter().map(attribute_key).collect();
        // the attributes of one RDN are a set
        attributes.sort();
        attributes.concat().into()
    }

    /// The name one step below this one.
    pub(super) fn below(&self, rdn: &[u8]) -> Self {
        let mut key = self.0.to_vec();
        append(&mut key, rdn);
        Self(key.into())
    }

    /// Whether it is this name or one below it: its first relative names are those of the other.
    pub(crate) fn is_within(&self, base: &Self) -> bool {
        // every part carries its length in front, so that bytes in common are whole parts in common
        self.0.starts_with(&base.0)
    }

    /// Whether it has no parts.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key's bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn append(key: &mut Vec<u8>, part: &[u8]) {
    key.extend_from_slice(&(part.len() as u64).to_be_bytes());
    key.extend_from_slice(part);
}

fn attribute_key(attribute: &AttributeTypeAndValue<'_>) -> Vec<u8> {
    let mut key = Vec::new();
    append(&mut key, attribute.attr_type().as_bytes());
    match text(attribute.attr_value()) {
        Some(text) => {
            key.push(b's');
            append(&mut key, prepared(&text).as_bytes());
        }
        None => {
            key.push(b'b');
            append(&mut key, &encoded(attribute.attr_value()));
        }
    }
    key
}

/// A string as strings compare: mapped, normalised (NFKC), case-folded, without insignificant space (RFC 4518 2). What may
/// not be in a string at all is compared by its lower case alone.
fn prepared(text: &str) -> String {
    let folded = if text.is_ascii() { None } else { x520prep(text, true).ok() };
    // the folding is made for a normalisation that follows, which x520prep leaves out with it
    let folded = folded.map_or_else(|| text.to_lowercase(), |folded| folded.nfkc().collect());
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A string value, whatever string type it has; `None` for what is no string.
pub(crate) fn text(value: &Any<'_>) -> Option<String> {
    if value.class() != Class::Universal {
        return None;
    }
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            std::str::from_utf8(value.data).ok().map(str::to_owned)
        }
        // what calls itself Teletex is Latin 1 in practice, or UTF-8
        Tag::T61String => Some(match std::str::from_utf8(value.data) {
            Ok(text) => text.to_owned(),
            Err(_) => value.data.iter().map(|&byte| char::from(byte)).collect(),
        }),
        Tag::BmpString => {
            let pairs = value.data.chunks_exact(2);
            if !pairs.remainder().is_empty() {
                return None;
            }
            char::decode_utf16(pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]]))).collect::<Result<_, _>>().ok()
        }
        Tag::UniversalString => {
            let words = value.data.chunks_exact(4);
            if !words.remainder().is_empty() {
                return None;
            }
            words.map(|word| char::from_u32(u32::from_be_bytes([word[0], word[1], word[2], word[3]]))).collect()
        }
        _ => None,
    }
}

fn encoded(value: &Any<'_>) -> Vec<u8> {
    value.to_der_vec().unwrap_or_else(|_| value.data.to_vec())
}

/// The name as RFC 4514 text: last RDN first, registered short names, everything else by number and in hexadecimal.
pub(super) fn to_rfc4514(name: &X509Name<'_>) -> String {
    let mut rdns: Vec<String> =
        name.iter().map(|rdn| rdn.iter().map(attribute_text).collect::<Vec<_>>().join("+")).collect();
    rdns.reverse();
    rdns.join(",")
}

fn attribute_text(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = der::dotted(attribute.attr_type());
    match (short_name(&oid), text(attribute.attr_value())) {
        (Some(name), Some(text)) => format!("{name}={}", escape(&text)),
        (name, _) => format!("{}=#{}", name.unwrap_or(&oid), hex::encode(encoded(attribute.attr_value()))),
    }
}

/// Short names of RFC 4514 3, RFC 4519 2 and RFC 2985 5.2.1.
fn short_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "sn",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.41" => "name",
        "2.5.4.42" => "givenName",
        "2.5.4.43" => "initials",
        "2.5.4.44" => "generationQualifier",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

/// RFC 4514 2.4; control characters go as hexadecimal pairs so that a name stays one line.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', character]),
            ' ' if index == 0 || index == last => out.push_str("\\ "),
            '#' if index == 0 => out.push_str("\\#"),
            _ if character.is_control() => {
                for byte in character.to_string().bytes() {
                    // writing to a String cannot fail
                    let _ = write!(out, "\\{byte:02X}");
                }
            }
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::FromDer;

    use super::*;

    /// Type, string tag and value of an attribute.
    type Part<'a> = (&'a [u8], u8, &'a [u8]);

    fn name(rdns: &[&[Part<'_>]]) -> Vec<u8> {
        let tlv = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
        let rdns: Vec<u8> = rdns
            .iter()
            .flat_map(|rdn| {
                let set: Vec<u8> = rdn
                    .iter()
                    .flat_map(|(oid, tag, value)| tlv(0x30, &[tlv(6, oid), tlv(*tag, value)].concat()))
                    .collect();
                tlv(0x31, &set)
            })
            .collect();
        tlv(0x30, &rdns)
    }

    const CN: &[u8] = &[0x55, 4, 3];
    const O: &[u8] = &[0x55, 4, 10];

    fn key(der: &[u8]) -> NameKey {
        NameKey::of(&X509Name::from_der(der).unwrap().1)
    }

    fn shown(der: &[u8]) -> String {
        to_rfc4514(&X509Name::from_der(der).unwrap().1)
    }

    #[test]
    fn text_is_escaped_and_reversed() {
        let der = name(&[&[(O, 12, "Müller, Söhne + Co".as_bytes())], &[(CN, 12, b" #a\nb ")]]);
        assert_eq!(shown(&der), "CN=\\ #a\\0Ab\\ ,O=Müller\\, Söhne \\+ Co");
    }

    #[test]
    fn unknown_attributes_are_shown_in_hexadecimal() {
        assert_eq!(shown(&name(&[&[(&[0x2a, 3, 4], 12, b"x")]])), "1.2.3.4=#0c0178");
    }

    #[test]
    fn keys_ignore_case_space_and_string_type() {
        assert_eq!(key(&name(&[&[(CN, 19, b"Ann  Lee")]])), key(&name(&[&[(CN, 12, b" ann lee ")]])));
        assert_eq!(key(&name(&[&[(CN, 30, &[0, 0x41])]])), key(&name(&[&[(CN, 12, b"a")]])));
        assert_ne!(
            key(&name(&[&[(CN, 12, b"a")], &[(O, 12, b"b")]])),
            key(&name(&[&[(O, 12, b"b")], &[(CN, 12, b"a")]]))
        );
        assert_eq!(key(&name(&[&[(CN, 12, b"a"), (O, 12, b"b")]])), key(&name(&[&[(O, 12, b"b"), (CN, 12, b"a")]])));
    }

    #[test]
    fn keys_are_prepared_as_directories_prepare_them() {
        let same =
            |left: &[u8], tag: u8, right: &[u8]| key(&name(&[&[(CN, 12, left)]])) == key(&name(&[&[(CN, tag, right)]]));
        let utf8 = |left: &str, right: &str| same(left.as_bytes(), 12, right.as_bytes());
        // Teletex and BMP say the same as UTF-8
        assert!(same("Müller".as_bytes(), 20, b"M\xfcLLER"));
        assert!(same("Müller".as_bytes(), 30, &[0, b'm', 0, 0xdc, 0, b'l', 0, b'l', 0, b'e', 0, b'r']));
        assert!(same(
            "Müller".as_bytes(),
            28,
            &[0, 0, 0, b'M', 0, 0, 0, 0xfc, 0, 0, 0, b'l', 0, 0, 0, b'l', 0, 0, 0, b'e', 0, 0, 0, b'r']
        ));
        // composed and decomposed, compatible forms, folded case
        assert!(utf8("Müller", "Mu\u{308}ller"));
        assert!(utf8("\u{fb01}nance \u{ff21}", "FINANCE a"));
        assert!(utf8("Straße", "STRASSE"));
        assert!(utf8("ΣΊΣΥΦΟΣ", "σίσυφος"));
        // space that is not ASCII is space, and characters that say nothing are nothing
        assert!(utf8(" Änne\u{a0}\u{2003} Lee ", "änne lee"));
        assert!(utf8("Än\u{ad}ne\u{200b}", "änne"));
        assert!(!utf8("Müller", "Muller"));
        assert!(!utf8("Änne Lee", "ÄnneLee"));
        // private use may not be compared so, and is still itself
        assert!(utf8("Ä\u{e000}", "ä\u{e000}"));
        assert!(!utf8("Ä\u{e000}", "ä\u{e001}"));
    }

    #[test]
    fn one_rdn_is_not_two() {
        assert_ne!(key(&name(&[&[(CN, 12, b"a"), (O, 12, b"b")]])), key(&name(&[&[(CN, 12, b"a")], &[(O, 12, b"b")]])));
    }
}
