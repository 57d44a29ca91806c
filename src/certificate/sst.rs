//! Microsoft's serialized certificate store ([MS-OSHARED] 2.3.9.1), the form of `SMIMECertificateIssuingCA`.

const SIGNATURE: [u8; 8] = [0, 0, 0, 0, b'C', b'E', b'R', b'T'];
const CERTIFICATE: u32 = 0x20;
const CRL: u32 = 0x21;

/// What a store holds, as DER.
#[derive(Debug, Default)]
pub(super) struct Store<'a> {
    pub(super) certificates: Vec<&'a [u8]>,
    pub(super) crls: Vec<&'a [u8]>,
    /// Whether it ended with its end marker.
    pub(super) complete: bool,
}

/// Whether these bytes are a store.
pub(super) fn is_store(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// Reads a store: elements of `ID u32 | ENCODING u32 | LENGTH u32 | DATA`, little-endian, up to an element whose ID is 0.
/// Properties are passed over; what was read before an element that does not fit stays.
pub(super) fn read(bytes: &[u8]) -> Store<'_> {
    let mut store = Store::default();
    let mut rest = bytes.get(SIGNATURE.len()..).unwrap_or_default();
    while let Some((header, after)) = rest.split_first_chunk::<12>() {
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let id = word(0);
        if id == 0 {
            store.complete = true;
            break;
        }
        let data = usize::try_from(word(8)).ok().and_then(|length| after.split_at_checked(length));
        let Some((data, after)) = data else { break };
        match id {
            CERTIFICATE => store.certificates.push(data),
            CRL => store.crls.push(data),
            _ => {}
        }
        rest = after;
    }
    store
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: u32, data: &[u8]) -> Vec<u8> {
        [&id.to_le_bytes()[..], &1u32.to_le_bytes(), &(data.len() as u32).to_le_bytes(), data].concat()
    }

    #[test]
    fn properties_are_passed_over() {
        let bytes =
            [&SIGNATURE[..], &element(3, b"hash"), &element(0x20, b"cert"), &element(0x21, b"crl"), &[0; 12]].concat();
        let store = read(&bytes);
        assert_eq!((store.certificates, store.crls, store.complete), (vec![&b"cert"[..]], vec![&b"crl"[..]], true));
    }

    #[test]
    fn a_store_cut_off_keeps_what_was_whole() {
        let bytes = [&SIGNATURE[..], &element(0x20, b"cert"), &element(0x20, b"second")].concat();
        for length in 0..bytes.len() {
            let store = read(&bytes[..length]);
            assert!(!store.complete);
            assert_eq!(store.certificates.len(), usize::from(length >= 24));
        }
    }
}
