//! Microsoft's serialized certificate store ([MS-OSHARED] 2.3.9.1), the form of `SMIMECertificateIssuingCA`.

use super::Sha256;

const SIGNATURE: [u8; 8] = [0, 0, 0, 0, b'C', b'E', b'R', b'T'];
const CERTIFICATE: u32 = 0x20;
const CRL: u32 = 0x21;
const TRUST_LIST: u32 = 0x22;
/// The encoding of every element: X509_ASN_ENCODING.
const ENCODING: u32 = 1;
/// An element whose ID is 0, and nothing else in it.
const END: [u8; 12] = [0; 12];

/// A serialized store that is changed entry by entry: what is not touched keeps every byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SerializedStore {
    /// The entries, in the store's order.
    pub entries: Vec<StoreEntry>,
}

/// An entry of a store, with the properties that stand before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreEntry {
    bytes: Vec<u8>,
    /// Where in `bytes` its content begins.
    content: usize,
    is_certificate: bool,
}

impl StoreEntry {
    /// A certificate without properties.
    fn new(der: &[u8]) -> Option<Self> {
        let length = u32::try_from(der.len()).ok()?;
        let header = [CERTIFICATE.to_le_bytes(), ENCODING.to_le_bytes(), length.to_le_bytes()].concat();
        let content = header.len();
        Some(Self { bytes: [&header, der].concat(), content, is_certificate: true })
    }

    /// What it holds: DER, where somebody put DER there.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(self.content..).unwrap_or_default()
    }

    /// Whether it says to hold a certificate, and not a CRL or a list of trusted certificates.
    pub fn is_certificate(&self) -> bool {
        self.is_certificate
    }

    /// SHA-256 of what it holds.
    pub fn sha256(&self) -> Sha256 {
        Sha256::of(self.content())
    }
}

impl SerializedStore {
    /// Reads a store that is whole, from its signature to its end marker; `None` for any other bytes, because what would
    /// be written back is then not what was there.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&SIGNATURE)?;
        let mut entries = Vec::new();
        let mut begun: Option<&[u8]> = None;
        loop {
            let (header, after) = rest.split_first_chunk::<12>()?;
            let id = word(header, 0);
            if id == 0 {
                return (*header == END && after.is_empty() && begun.is_none()).then_some(Self { entries });
            }
            let (_, after) = after.split_at_checked(usize::try_from(word(header, 8)).ok()?)?;
            let start = *begun.get_or_insert(rest);
            if matches!(id, CERTIFICATE | CRL | TRUST_LIST) {
                let bytes = start.get(..start.len() - after.len())?;
                let content = start.len() - rest.len() + header.len();
                entries.push(StoreEntry { bytes: bytes.to_vec(), content, is_certificate: id == CERTIFICATE });
                begun = None;
            }
            rest = after;
        }
    }

    /// Adds a certificate behind all others; `false` for one longer than a store can say.
    pub fn add(&mut self, der: &[u8]) -> bool {
        let entry = StoreEntry::new(der);
        self.entries.extend(entry.clone());
        entry.is_some()
    }

    /// The store's bytes. The same entries always give the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        self.entries.iter().for_each(|entry| bytes.extend_from_slice(&entry.bytes));
        bytes.extend_from_slice(&END);
        bytes
    }
}

fn word(header: &[u8; 12], at: usize) -> u32 {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

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
        let id = word(header, 0);
        if id == 0 {
            store.complete = true;
            break;
        }
        let data = usize::try_from(word(header, 8)).ok().and_then(|length| after.split_at_checked(length));
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

    /// By [MS-OSHARED] 2.3.9.1, byte by byte.
    #[test]
    fn what_is_written_is_the_format_to_the_byte() {
        let mut store = SerializedStore::default();
        assert!(store.add(b"\x30\x03abc") && store.add(b"\x30\x00"));
        let expected = b"\0\0\0\0CERT\
            \x20\0\0\0\x01\0\0\0\x05\0\0\0\x30\x03abc\
            \x20\0\0\0\x01\0\0\0\x02\0\0\0\x30\x00\
            \0\0\0\0\0\0\0\0\0\0\0\0";
        assert_eq!(store.to_bytes(), expected);
        assert_eq!(SerializedStore::parse(expected), Some(store));
        let empty = b"\0\0\0\0CERT\0\0\0\0\0\0\0\0\0\0\0\0";
        assert_eq!(SerializedStore::default().to_bytes(), empty);
    }

    #[test]
    fn what_is_not_touched_keeps_every_byte() {
        let foreign = [&SIGNATURE[..], &element(3, b"hash"), &element(11, b""), &element(0x20, b"cert")].concat();
        let foreign = [&foreign[..], &element(0x21, b"crl"), &element(9, b"usage"), &element(0x22, b"ctl")].concat();
        let bytes = [&foreign[..], &element(0x20, b"garbage"), &END].concat();
        let mut store = SerializedStore::parse(&bytes).unwrap();
        assert_eq!(store.to_bytes(), bytes);
        let held: Vec<_> = store.entries.iter().map(|entry| (entry.content(), entry.is_certificate())).collect();
        assert_eq!(held, [(&b"cert"[..], true), (b"crl", false), (b"ctl", false), (b"garbage", true)]);
        store.add(b"new");
        assert_eq!(store.to_bytes(), [&bytes[..bytes.len() - 12], &element(0x20, b"new"), &END].concat());
        // an entry goes with its properties
        store.entries.remove(0);
        assert!(store.to_bytes().starts_with(&[&SIGNATURE[..], &element(0x21, b"crl")].concat()));
        assert_eq!(read(&store.to_bytes()).certificates, [&b"garbage"[..], b"new"]);
    }

    #[test]
    fn what_is_not_whole_is_not_changed() {
        let bytes = [&SIGNATURE[..], &element(3, b"hash"), &element(0x20, b"cert"), &END].concat();
        assert!(SerializedStore::parse(&bytes).is_some());
        for length in 0..bytes.len() {
            assert_eq!(SerializedStore::parse(&bytes[..length]), None, "{length}");
        }
        assert_eq!(SerializedStore::parse(&[&bytes[..], b"x"].concat()), None);
        // a property without an entry
        assert_eq!(SerializedStore::parse(&[&SIGNATURE[..], &element(3, b"hash"), &END].concat()), None);
        let mut endless = bytes.clone();
        endless[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(SerializedStore::parse(&endless), None);
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
