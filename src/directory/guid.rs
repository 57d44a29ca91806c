//! GUIDs as directories keep them.

use uuid::Uuid;

/// The GUID in Active Directory's octets: the first three fields little-endian ([MS-DTYP] 2.3.4.2).
pub(super) fn from_object_guid(octets: &[u8]) -> Option<String> {
    match <[u8; 16]>::try_from(octets) {
        Ok(octets) => Some(Uuid::from_bytes_le(octets).to_string()),
        // some exports hold the text instead
        Err(_) => std::str::from_utf8(octets).ok().and_then(from_text),
    }
}

/// The GUID of a text, lower case; braces are allowed.
pub(super) fn from_text(text: &str) -> Option<String> {
    Uuid::try_parse(text.trim()).ok().filter(|_| text.contains('-')).map(|guid| guid.to_string())
}

/// The octets of `objectGUID` for a GUID's text.
pub(super) fn to_object_guid(text: &str) -> Option<[u8; 16]> {
    Uuid::try_parse(text).ok().map(|guid| guid.to_bytes_le())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_guid_is_mixed_endian() {
        let octets = *b"\x04\x03\x02\x01\x06\x05\x08\x07\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";
        let text = "01020304-0506-0708-090a-0b0c0d0e0f10";
        assert_eq!(from_object_guid(&octets).as_deref(), Some(text));
        assert_eq!(to_object_guid(text), Some(octets));
        assert_eq!(from_text("{01020304-0506-0708-090A-0B0C0D0E0F10}").as_deref(), Some(text));
        assert_eq!(from_text("ann@x.test"), None);
        assert_eq!(from_object_guid(b"short"), None);
    }
}
