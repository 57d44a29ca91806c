//! SMIMECapabilities (RFC 8551 2.5.2): what the sender of a container can decrypt, in the order it prefers.

use x509_parser::asn1_rs::{Any, Oid, Tag};

use super::der;

/// The capabilities of `SEQUENCE OF SEQUENCE { OID, parameters OPTIONAL }` by name, else by number; `None` for another form.
pub(super) fn read(value: &[u8]) -> Option<Vec<String>> {
    let list = der::whole(value).filter(|any| der::is(any, Tag::Sequence))?;
    der::elements(list.data)?.iter().map(capability).collect()
}

fn capability(any: &Any<'_>) -> Option<String> {
    let parts = der::elements(any.data).filter(|_| der::is(any, Tag::Sequence))?;
    let (number, parameters) = parts.split_first()?;
    let number = Oid::try_from(number.clone()).ok().filter(|_| der::is(number, Tag::Oid))?.to_id_string();
    let name = name(&number);
    Some(match parameters.first() {
        // the length of the key in bits (RFC 8551 2.5.2), of RC2 as Outlook writes it
        Some(bits) if name == "RC2-CBC" && der::is(bits, Tag::Integer) => {
            let bits = bits.data.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
            format!("{name} {bits}")
        }
        _ => name.to_owned(),
    })
}

/// Names of RFC 8551, 5084, 8103 and 5753; of what else Outlook lists those of OpenSSL.
fn name(number: &str) -> &str {
    match number {
        "2.16.840.1.101.3.4.1.2" => "AES-128-CBC",
        "2.16.840.1.101.3.4.1.22" => "AES-192-CBC",
        "2.16.840.1.101.3.4.1.42" => "AES-256-CBC",
        "2.16.840.1.101.3.4.1.6" => "AES-128-GCM",
        "2.16.840.1.101.3.4.1.26" => "AES-192-GCM",
        "2.16.840.1.101.3.4.1.46" => "AES-256-GCM",
        "1.2.840.113549.1.9.16.3.18" => "ChaCha20-Poly1305",
        "1.2.840.113549.3.7" => "DES-EDE3-CBC",
        "1.2.840.113549.3.2" => "RC2-CBC",
        "1.2.840.113549.3.4" => "RC4",
        "1.3.14.3.2.7" => "DES-CBC",
        "2.16.840.1.101.3.4.1.5" => "AES-128-wrap",
        "2.16.840.1.101.3.4.1.25" => "AES-192-wrap",
        "2.16.840.1.101.3.4.1.45" => "AES-256-wrap",
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.113549.1.1.7" => "RSAES-OAEP",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.3.14.3.2.26" => "SHA-1",
        "2.16.840.1.101.3.4.2.1" => "SHA-256",
        "2.16.840.1.101.3.4.2.2" => "SHA-384",
        "2.16.840.1.101.3.4.2.3" => "SHA-512",
        "1.2.840.113549.1.9.16.11.1" => "preferBinaryInside",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_the_list() {
        let list = "3027300b060960864801650304012a300a06082a864886f70d0307300c06082a864886f70d030202023a";
        let cut = hex::decode(list).unwrap();
        assert_eq!(read(&cut), None, "the last one is cut off");
        let entries = "300b060960864801650304012a300a06082a864886f70d0307300e06082a864886f70d030202020080";
        let list = der::element(0x30, &hex::decode(entries).unwrap());
        assert_eq!(read(&list).unwrap(), ["AES-256-CBC", "DES-EDE3-CBC", "RC2-CBC 128"]);
        let unknown = der::element(0x30, &der::element(0x30, &[6, 2, 0x2a, 3]));
        assert_eq!(read(&unknown).unwrap(), ["1.2.3"]);
        assert_eq!(read(&[0x30, 0]).unwrap(), [""; 0]);
    }
}
