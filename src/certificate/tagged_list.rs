//! Microsoft's tagged list, the older form of `userSMIMECertificate` ([MS-OXOABK] 2.2.4.36).

use super::{Certificate, ParseError};

const KEYEX_CERT: u16 = 0x0003;
const SIGN_CERTIFICATE: u16 = 0x0008;
const SIGN_SHA1_HASH: u16 = 0x0009;
const KEYEX_SHA1_HASH: u16 = 0x0022;
const KNOWN: [u16; 10] =
    [0x0001, 0x0002, KEYEX_CERT, 0x0006, SIGN_CERTIFICATE, SIGN_SHA1_HASH, 0x000B, 0x0020, KEYEX_SHA1_HASH, 0x0051];

/// What a tagged list carries.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Its certificates: the one to encrypt to before the one to verify with.
    pub(super) certificates: Vec<Certificate>,
    /// How many certificates could not be read.
    pub(super) unreadable: usize,
    /// Whether it names certificates by hash alone.
    pub(super) reference_only: bool,
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
    let mut contents = Contents::default();
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
}
