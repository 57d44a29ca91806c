//! The serialised certificate store (SST) that `Set-SmimeConfig` takes.

const MAGIC: u32 = 0x5452_4543;
const CERTIFICATE: u32 = 0x20;
const CRL: u32 = 0x21;
const CTL: u32 = 0x22;
const X509_ASN_ENCODING: u32 = 1;

/// The DER of every certificate in the store; `None` when it is no store, or holds CRLs or trust lists.
pub(crate) fn certificates(store: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = store;
    if take_u32(&mut rest)? != 0 || take_u32(&mut rest)? != MAGIC {
        return None;
    }
    let mut certificates = Vec::new();
    let mut properties_pending = false;
    loop {
        let id = take_u32(&mut rest)?;
        let encoding = take_u32(&mut rest)?;
        let length = usize::try_from(take_u32(&mut rest)?).ok()?;
        match id {
            0 => {
                return (encoding == 0 && length == 0 && rest.is_empty() && !properties_pending)
                    .then_some(certificates);
            }
            CRL | CTL => return None,
            _ if encoding != X509_ASN_ENCODING || id > 0xFFFF => return None,
            _ => {}
        }
        let (value, after) = rest.split_at_checked(length)?;
        rest = after;
        properties_pending = id != CERTIFICATE;
        if id == CERTIFICATE {
            certificates.push(value);
        }
    }
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*number))
}
