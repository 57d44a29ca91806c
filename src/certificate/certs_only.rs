//! A value of `userSMIMECertificate` made from a certificate: a CMS SignedData without a signer, as nobody but the person
//! could sign it (RFC 5652 5.1, RFC 8551 3.8).

use super::Certificate;
use super::der::element;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const EXPLICIT_0: u8 = 0xa0;
/// 1.2.840.113549.1.7.2, tag and length included.
const SIGNED_DATA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.7.1, tag and length included.
const DATA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// INTEGER 1.
const VERSION: [u8; 3] = [0x02, 0x01, 0x01];

/// The DER of a ContentInfo that carries this certificate and nothing else.
pub fn certs_only(certificate: &Certificate) -> Vec<u8> {
    let nothing = element(SET, &[]);
    let signed_data =
        [VERSION.as_slice(), &nothing, &element(SEQUENCE, &DATA), &element(EXPLICIT_0, &certificate.der), &nothing]
            .concat();
    let content = element(EXPLICIT_0, &element(SEQUENCE, &signed_data));
    element(SEQUENCE, &[SIGNED_DATA.as_slice(), &content].concat())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::certificate::{Container, SmimeValue};

    #[test]
    fn what_is_made_is_read_back() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        let certificate = Certificate::parse(made.der()).unwrap();
        let value = SmimeValue::parse(Arc::from(certs_only(&certificate)));
        assert_eq!(value.container, Container::Cms);
        assert_eq!(value.certificates, [certificate]);
    }
}
