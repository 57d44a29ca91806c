//! Files of certificates and CRLs, told apart by content: PEM, DER, PKCS#7, Microsoft's serialized store.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{Certificate, Crl, cms, sst};

/// The certificates and CRLs of a file.
#[derive(Debug, Default)]
pub struct Bundle {
    /// Its certificates, in its order.
    pub certificates: Vec<Certificate>,
    /// Its CRLs, in its order.
    pub crls: Vec<Crl>,
    /// How many objects should have been one of the two and cannot be read.
    pub unreadable: usize,
}

impl Bundle {
    /// Reads a file's bytes. PEM objects that are neither (keys, OpenSSL's trusted certificates) are left out.
    pub fn read(bytes: &[u8]) -> Self {
        let mut bundle = Self::default();
        if sst::is_store(bytes) {
            bundle.take_store(bytes);
        } else if is_pem(bytes) {
            bundle.take_pem(&String::from_utf8_lossy(bytes));
        } else {
            bundle.take_der(bytes);
        }
        bundle
    }

    fn take_certificate(&mut self, der: &[u8]) {
        match Certificate::parse(der) {
            Ok(certificate) => self.certificates.push(certificate),
            Err(_) => self.unreadable += 1,
        }
    }

    fn take_crl(&mut self, der: &[u8]) {
        match Crl::parse(der) {
            Ok(crl) => self.crls.push(crl),
            Err(_) => self.unreadable += 1,
        }
    }

    fn take_cms(&mut self, bytes: &[u8]) {
        match cms::read(bytes) {
            Ok(contents) => {
                self.certificates.extend(contents.certificates);
                self.crls.extend(contents.crls);
                self.unreadable += contents.unreadable;
            }
            Err(_) => self.unreadable += 1,
        }
    }

    fn take_der(&mut self, bytes: &[u8]) {
        if cms::is_content_info(bytes) {
            self.take_cms(bytes);
        } else if let Ok(certificate) = Certificate::parse(bytes) {
            self.certificates.push(certificate);
        } else {
            self.take_crl(bytes);
        }
    }

    fn take_store(&mut self, bytes: &[u8]) {
        let store = sst::read(bytes);
        store.certificates.into_iter().for_each(|der| self.take_certificate(der));
        store.crls.into_iter().for_each(|der| self.take_crl(der));
        self.unreadable += usize::from(!store.complete);
    }

    fn take_pem(&mut self, text: &str) {
        for object in pem_objects(text) {
            match (object.label, object.contents) {
                ("CERTIFICATE" | "X509 CERTIFICATE", Some(der)) => self.take_certificate(&der),
                ("X509 CRL", Some(der)) => self.take_crl(&der),
                ("PKCS7" | "CMS", Some(der)) => self.take_cms(&der),
                ("CERTIFICATE" | "X509 CERTIFICATE" | "X509 CRL" | "PKCS7" | "CMS", None) => self.unreadable += 1,
                _ => {}
            }
        }
    }
}

const BEGIN: &str = "-----BEGIN ";

/// One object of a PEM file, which may be a private key.
pub(crate) struct PemObject<'a> {
    pub(crate) label: &'a str,
    /// `None` where it does not end, or is not base64.
    pub(crate) contents: Option<Zeroizing<Vec<u8>>>,
}

/// Whether a file is PEM, by its content.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes())
}

/// The objects of RFC 7468 text; whatever stands between them is explanation.
pub(crate) fn pem_objects(mut text: &str) -> Vec<PemObject<'_>> {
    let mut objects = Vec::new();
    while let Some((_, rest)) = text.split_once(BEGIN) {
        let Some((label, rest)) = rest.split_once("-----") else { break };
        let end = format!("-----END {label}-----");
        let (body, after) = match rest.split_once(&end) {
            // an object that does not end before the next one begins is cut off
            Some((body, after)) if !body.contains(BEGIN) => (Some(body), after),
            _ => (None, rest),
        };
        let contents = body.and_then(|body| {
            let base64: String = body.chars().filter(|character| !character.is_whitespace()).collect();
            STANDARD.decode(&*Zeroizing::new(base64)).ok().map(Zeroizing::new)
        });
        objects.push(PemObject { label, contents });
        text = after;
    }
    objects
}
