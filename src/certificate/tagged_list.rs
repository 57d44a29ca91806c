//! Microsoft's tagged list, the older form of `userSMIMECertificate` ([MS-OXOABK] 2.2.4.36; tags also KB 312900).

use super::{Certificate, ParseError, capabilities};

/// The ten tags there are, in the order of the table.
const VERSION: u16 = 0x0001;
const ASYMMETRIC_CAPABILITIES: u16 = 0x0002;
const KEYEX_CERT: u16 = 0x0003;
const MESSAGE_ENCODING: u16 = 0x0006;
const SIGN_CERTIFICATE: u16 = 0x0008;
const SIGN_SHA1_HASH: u16 = 0x0009;
const DISPLAY_NAME_A: u16 = 0x000B;
const DEFAULTS: u16 = 0x0020;
const KEYEX_SHA1_HASH: u16 = 0x0022;
const DISPLAY_NAME_W: u16 = 0x0051;
const KNOWN: [u16; 10] = [
    VERSION,
    ASYMMETRIC_CAPABILITIES,
    KEYEX_CERT,
    MESSAGE_ENCODING,
    SIGN_CERTIFICATE,
    SIGN_SHA1_HASH,
    DISPLAY_NAME_A,
    DEFAULTS,
    KEYEX_SHA1_HASH,
    DISPLAY_NAME_W,
];

/// What a tagged list carries.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Its certificates: the one to encrypt to before the one to verify with.
    pub(super) certificates: Vec<Certificate>,
    /// How many certificates could not be read.
    pub(super) unreadable: usize,
    /// Whether it names certificates by hash alone.
    pub(super) reference_only: bool,
    /// ASYMETRIC_CAPS.
    pub(super) capabilities: Option<Vec<String>>,
    /// Where it is not as the table says: the tag and what is wrong with it.
    pub(super) irregular: Vec<String>,
}

/// Reads a list: `TAG u16 | LENGTH u16, the four header bytes included | DATA`, little-endian. Unknown tags are
/// ignored, of a tag that comes twice the first counts.
pub(super) fn read(bytes: &[u8]) -> Result<Contents, ParseError> {
    if bytes.is_empty() {
        return Err(ParseError::Empty);
    }
    let entries = entries(bytes).ok_or(ParseError::Malformed)?;
    // random bytes can be framed by chance
    if !entries.iter().any(|(tag, _)| KNOWN.contains(tag)) {
        return Err(ParseError::Malformed);
    }
    let find = |wanted: u16| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, data)| *data);
    let mut contents = Contents {
        capabilities: find(ASYMMETRIC_CAPABILITIES).and_then(capabilities::read),
        irregular: irregular(&entries),
        ..Contents::default()
    };
    for der in [KEYEX_CERT, SIGN_CERTIFICATE].into_iter().filter_map(find) {
        match Certificate::parse(der) {
            Ok(certificate) => contents.certificates.push(certificate),
            Err(_) => contents.unreadable += 1,
        }
    }
    contents.reference_only = contents.certificates.is_empty()
        && contents.unreadable == 0
        && [SIGN_SHA1_HASH, KEYEX_SHA1_HASH].into_iter().any(|tag| find(tag).is_some());
    Ok(contents)
}

fn irregular(entries: &[(u16, &[u8])]) -> Vec<String> {
    let mut found = Vec::new();
    for tag in KNOWN {
        let mut of_tag = entries.iter().filter(|(found, _)| *found == tag).map(|(_, data)| *data);
        let Some(data) = of_tag.next() else { continue };
        if of_tag.next().is_some() {
            found.push(format!("0x{tag:04X} repeated"));
        }
        if !has_its_form(tag, data) {
            found.push(format!("0x{tag:04X} malformed"));
        }
    }
    let has = |tag: u16| entries.iter().any(|(found, _)| *found == tag);
    if has(SIGN_CERTIFICATE) && has(SIGN_SHA1_HASH) {
        found.push(format!("0x{SIGN_CERTIFICATE:04X} with 0x{SIGN_SHA1_HASH:04X}"));
    }
    found
}

/// Whether data is what its tag promises; certificates count where they are read.
fn has_its_form(tag: u16, data: &[u8]) -> bool {
    match tag {
        // the version is 1, and so is S/MIME as encoding
        VERSION | MESSAGE_ENCODING => data == [1, 0, 0, 0],
        DEFAULTS => data.len() == 4,
        SIGN_SHA1_HASH | KEYEX_SHA1_HASH => data.len() == 20,
        ASYMMETRIC_CAPABILITIES => capabilities::read(data).is_some(),
        DISPLAY_NAME_A => data.last() == Some(&0),
        DISPLAY_NAME_W => data.len().is_multiple_of(2) && data.ends_with(&[0, 0]),
        _ => true,
    }
}

fn entries(mut bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (header, _) = bytes.split_first_chunk::<4>()?;
        let tag = u16::from_le_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_le_bytes([header[2], header[3]]));
        found.push((tag, bytes.get(4..length)?));
        bytes = bytes.get(length..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_bounded_and_include_the_header() {
        assert!(entries(&[1, 0, 8, 0, 1, 0, 0, 0]).is_some());
        for bad in [&[1, 0, 9, 0, 1, 0, 0, 0][..], &[1, 0, 3, 0], &[1, 0, 0, 0], &[1, 0, 4]] {
            assert!(entries(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn hashes_alone_are_a_reference() {
        let mut list = vec![1, 0, 8, 0, 1, 0, 0, 0, 0x22, 0, 24, 0];
        list.extend([7; 20]);
        let contents = read(&list).unwrap();
        assert!(contents.reference_only && contents.certificates.is_empty());
    }

    #[test]
    fn a_list_of_unknown_tags_alone_is_no_list() {
        assert!(read(&[0x77, 0x77, 4, 0]).is_err());
    }

    fn entry(tag: u16, data: &[u8]) -> Vec<u8> {
        [&tag.to_le_bytes()[..], &((data.len() + 4) as u16).to_le_bytes(), data].concat()
    }

    /// One entry of every tag of the table, without certificates.
    fn whole() -> Vec<(u16, Vec<u8>)> {
        let capabilities = hex::decode("300d300b060960864801650304012a").unwrap();
        vec![
            (VERSION, vec![1, 0, 0, 0]),
            (ASYMMETRIC_CAPABILITIES, capabilities),
            (MESSAGE_ENCODING, vec![1, 0, 0, 0]),
            (SIGN_SHA1_HASH, vec![7; 20]),
            (DISPLAY_NAME_A, b"Ann\0".to_vec()),
            (DEFAULTS, vec![7, 0, 0, 0]),
            (KEYEX_SHA1_HASH, vec![8; 20]),
            (DISPLAY_NAME_W, vec![b'A', 0, 0, 0]),
            (0x7777, b"unknown".to_vec()),
        ]
    }

    fn irregular(entries: &[(u16, Vec<u8>)]) -> Vec<String> {
        let list: Vec<u8> = entries.iter().flat_map(|(tag, data)| entry(*tag, data)).collect();
        read(&list).unwrap().irregular
    }

    #[test]
    fn a_list_is_held_against_the_whole_table() {
        let good = whole();
        assert_eq!(irregular(&good), [""; 0]);
        for index in 0..good.len() - 1 {
            let mut changed = good.clone();
            // one byte more is right for no tag: lengths are fixed, even, or end with zero
            changed[index].1.push(9);
            assert_eq!(irregular(&changed), [format!("0x{:04X} malformed", good[index].0)]);
            let mut repeated = good.clone();
            repeated.push(good[index].clone());
            assert_eq!(irregular(&repeated), [format!("0x{:04X} repeated", good[index].0)]);
        }
        let mut both = good;
        both.push((SIGN_CERTIFICATE, vec![0x30, 0]));
        assert_eq!(irregular(&both), ["0x0008 with 0x0009"]);
    }

    #[test]
    fn capabilities_are_read() {
        let list: Vec<u8> = whole().iter().flat_map(|(tag, data)| entry(*tag, data)).collect();
        assert_eq!(read(&list).unwrap().capabilities.unwrap(), ["AES-256-CBC"]);
    }
}
