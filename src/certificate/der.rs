//! Walking DER where x509-parser keeps only part of what the engine needs.

use std::fmt::Write as _;

use x509_parser::asn1_rs::{Any, Class, FromDer, Oid, Tag};

/// An object identifier as text. A certificate has dozens of them, so this allocates once and not for each arc.
pub(crate) fn dotted(oid: &Oid<'_>) -> String {
    let Some(arcs) = oid.iter() else { return oid.to_id_string() };
    let mut text = String::with_capacity(32);
    for arc in arcs {
        let dot = if text.is_empty() { "" } else { "." };
        // writing to a String cannot fail
        let _ = write!(text, "{dot}{arc}");
    }
    text
}

/// The last arc of a standard extension's object identifier, below id-ce, 2.5.29 (RFC 5280 4.2.1).
pub(super) fn standard_extension(oid: &Oid<'_>) -> Option<u8> {
    match oid.as_bytes() {
        [0x55, 0x1d, arc @ 0..0x80] => Some(*arc),
        _ => None,
    }
}

/// The one element these bytes consist of; `None` if there is none, or something behind it.
pub(crate) fn whole(bytes: &[u8]) -> Option<Any<'_>> {
    match Any::from_der(bytes) {
        Ok(([], any)) => Some(any),
        _ => None,
    }
}

/// The elements these bytes consist of; `None` if they are not elements to the last byte.
pub(crate) fn elements(mut bytes: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (rest, any) = Any::from_der(bytes).ok()?;
        found.push(any);
        bytes = rest;
    }
    Some(found)
}

/// Whether it is an element of a universal type, encoded as DER does: SEQUENCE and SET constructed, all others not.
pub(super) fn is(any: &Any<'_>, tag: Tag) -> bool {
    let constructed = tag == Tag::Sequence || tag == Tag::Set;
    any.class() == Class::Universal && any.tag() == tag && any.header.is_constructed() == constructed
}

/// The parts of an AlgorithmIdentifier whose parameters are absent, NULL or a SEQUENCE, its number first; x509-parser takes
/// other tags too, and a number that does not end.
pub(super) fn algorithm(bytes: &[u8]) -> Option<Vec<Any<'_>>> {
    let parts = elements(constructed(bytes)?)?;
    let usual = |any: &Any<'_>| is(any, Tag::Sequence) || is(any, Tag::Null) && any.data.is_empty();
    let right = match &parts[..] {
        [number] => is_number(number),
        [number, parameters] => is_number(number) && usual(parameters),
        _ => false,
    };
    right.then_some(parts)
}

/// Whether it is an OBJECT IDENTIFIER that ends.
pub(super) fn is_number(any: &Any<'_>) -> bool {
    is(any, Tag::Oid) && any.data.last().is_some_and(|&last| last < 0x80)
}

/// The number of a context-specific tag; `None` for another class, or an encoding that is not the one expected.
pub(super) fn context(any: &Any<'_>, constructed: bool) -> Option<u32> {
    let right = any.class() == Class::ContextSpecific && any.header.is_constructed() == constructed;
    right.then_some(any.tag().0)
}

/// Whether the fields of a structure come in their order, and none twice.
pub(super) fn in_order(fields: &[Any<'_>]) -> bool {
    fields.iter().zip(fields.iter().skip(1)).all(|(field, next)| field.tag().0 < next.tag().0)
}

/// Whether the algorithm inside what is signed equals the one outside to the byte (RFC 5280 4.1.1.2, 5.1.1.2).
/// `None` unless the outermost tags are those of DER: no signature covers them, and x509-parser takes others too.
///
/// `before` says, from the first element of what is signed, how many elements stand before the algorithm.
pub(super) fn algorithms_match(signed: &[u8], before: fn(u8) -> usize) -> Option<bool> {
    let [message, algorithm, signature] = *raw_elements(constructed(signed)?)? else { return None };
    let inner = raw_elements(constructed(message)?)?;
    let first = inner.first()?.first()?;
    if algorithm.first() != Some(&0x30) || signature.first() != Some(&0x03) {
        return None;
    }
    Some(inner.get(before(*first)) == Some(&algorithm))
}

/// The contents of a SEQUENCE.
pub(super) fn constructed(bytes: &[u8]) -> Option<&[u8]> {
    whole(bytes).filter(|_| bytes.first() == Some(&0x30)).map(|any| any.data)
}

/// The elements these bytes consist of, tags and lengths included.
pub(crate) fn raw_elements(mut bytes: &[u8]) -> Option<Box<[&[u8]]>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (rest, _) = Any::from_der(bytes).ok()?;
        found.push(bytes.get(..bytes.len() - rest.len())?);
        bytes = rest;
    }
    Some(found.into())
}

/// An INTEGER's contents in the shortest form, by which serial numbers compare: a negative one is not its positive twin.
pub(super) fn shortest(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes
        && rest.first().is_some_and(|&next| next < 0x80)
    {
        bytes = rest;
    }
    bytes
}

/// An integer's bytes without the zeros in front.
pub(super) fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| byte != 0).unwrap_or(bytes.len().saturating_sub(1));
    bytes.get(start..).unwrap_or_default()
}

/// An element of this tag and these contents.
pub(super) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().to_be_bytes();
    let length = without_leading_zeros(&length);
    let mut out = vec![tag];
    match length {
        [short] if *short < 0x80 => out.push(*short),
        // a usize has eight bytes at most
        long => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(contents);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_are_shown_by_their_arcs() {
        for text in ["1.2.840.113549.1.1.11", "2.5.29.19", "0.9.2342.19200300.100.1.25"] {
            assert_eq!(dotted(&text.parse().unwrap()), text);
        }
        // an arc that no integer holds
        let long = Oid::new([&[0x2a], &[0xff; 20][..], &[1]].concat().into());
        assert_eq!(dotted(&long), long.to_id_string());
        assert_eq!(standard_extension(&"2.5.29.19".parse().unwrap()), Some(19));
        assert_eq!(standard_extension(&"2.5.29.19.1".parse().unwrap()), None);
        assert_eq!(standard_extension(&"2.5.4.19".parse().unwrap()), None);
    }

    #[test]
    fn zeros_in_front_do_not_count() {
        assert_eq!(without_leading_zeros(&[0, 0, 5]), [5]);
        assert_eq!(without_leading_zeros(&[0, 0]), [0]);
        assert!(without_leading_zeros(&[]).is_empty());
    }

    #[test]
    fn serial_numbers_keep_their_sign() {
        assert_eq!(shortest(&[0, 0, 5]), shortest(&[5]));
        assert_ne!(shortest(&[0, 0xff]), shortest(&[0xff]));
        assert_eq!(shortest(&[0]), [0]);
    }

    #[test]
    fn elements_end_with_the_last_byte() {
        assert_eq!(elements(&[2, 1, 7, 4, 0]).map(|found| found.len()), Some(2));
        assert!(elements(&[2, 1, 7, 4]).is_none());
        assert!(whole(&[2, 1, 7, 0]).is_none());
    }
}
