//! The few elements of BER (X.690) that controls of changes are made of.

/// A BER element of definite length.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = significant(content.len() as u64);
            out.push(0x80 | octets.len() as u8);
            out.extend(octets);
        }
    }
    out.extend(content);
    out
}

/// An INTEGER that is not negative.
pub(super) fn integer(value: u32) -> Vec<u8> {
    let mut octets = significant(value.into());
    if octets[0] & 0x80 != 0 {
        octets.insert(0, 0);
    }
    tlv(0x02, &octets)
}

/// Big-endian, without leading zeros but for zero itself.
fn significant(value: u64) -> Vec<u8> {
    let octets = value.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count().min(octets.len() - 1);
    octets[zeros..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_the_shortest_length() {
        assert_eq!(tlv(4, b"ab"), b"\x04\x02ab");
        assert_eq!(tlv(4, &[0; 128])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[0; 300])[..4], [4, 0x82, 1, 44]);
        assert_eq!(integer(0), [2, 1, 0]);
        assert_eq!(integer(128), [2, 2, 0, 128]);
        assert_eq!(integer(1 << 20), [2, 3, 0x10, 0, 0]);
    }
}
