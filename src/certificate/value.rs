//! One value of `userCertificate` or `userSMIMECertificate`, whatever form it has.

use std::sync::Arc;

use super::cms::{self, Signed};
use super::signer_info::CertificateReference;
use super::{Certificate, ParseError, Sha256, tagged_list};

/// What holds the certificates of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// Nothing: bare X.509.
    None,
    /// CMS SignedData.
    Cms,
    /// Microsoft's tagged list.
    Tlv,
}

impl Container {
    /// The name at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cms => "cms",
            Self::Tlv => "tlv",
        }
    }
}

/// One value of a certificate attribute.
#[derive(Debug, Clone)]
pub struct SmimeValue {
    /// The bytes as the directory or Exchange holds them.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
    /// What holds the certificates.
    pub container: Container,
    /// Every certificate in it that can be read, in its order; of a tagged list the one to encrypt to first.
    pub certificates: Vec<Certificate>,
    /// How many certificates in it cannot be read.
    pub unreadable: usize,
    /// Whether it only names certificates of somebody's computer by their hashes.
    pub reference_only: bool,
    /// Why it cannot be read, where it cannot.
    pub error: Option<ParseError>,
    /// What the person's program says it can do (SMIMECapabilities), most preferred first, by name, else by number;
    /// `None` where the value does not say.
    pub capabilities: Option<Vec<String>>,
    /// What is signed and by whom, of CMS.
    pub(crate) signed: Option<Arc<Signed>>,
    /// The certificate that a signer says to encrypt to, in the value or not.
    pub(crate) preference: Option<CertificateReference>,
    /// Where a tagged list is not as its table says.
    pub(crate) irregular: Vec<String>,
    preferred: Option<usize>,
}

impl SmimeValue {
    /// Reads a value. What starts with 0x30 is CMS if an OID follows the outer header, else X.509; everything else is a
    /// tagged list. Never fails: what cannot be read says so in `error`.
    pub fn parse(bytes: Arc<[u8]>) -> Self {
        let mut value = Self {
            sha256: Sha256::of(&bytes),
            container: Container::None,
            certificates: Vec::new(),
            unreadable: 0,
            reference_only: false,
            error: None,
            capabilities: None,
            signed: None,
            preference: None,
            irregular: Vec::new(),
            preferred: None,
            bytes: Arc::clone(&bytes),
        };
        if cms::is_content_info(&bytes) {
            value.container = Container::Cms;
            match cms::read(&bytes) {
                Ok(contents) => {
                    value.certificates = contents.certificates;
                    value.unreadable = contents.unreadable;
                    value.capabilities = contents.capabilities;
                    value.signed = Some(Arc::new(contents.signed));
                    let named = |wanted: &CertificateReference| {
                        value.certificates.iter().position(|certificate| wanted.names(certificate))
                    };
                    value.preferred = contents.preference.as_ref().and_then(named);
                    value.preference = contents.preference;
                }
                Err(error) => value.error = Some(error),
            }
        } else if bytes.first() == Some(&0x30) {
            match Certificate::parse(&bytes) {
                Ok(certificate) => value.certificates.push(certificate),
                Err(error) => value.error = Some(error),
            }
        } else {
            match tagged_list::read(&bytes) {
                Ok(contents) => {
                    value.container = Container::Tlv;
                    value.certificates = contents.certificates;
                    value.unreadable = contents.unreadable;
                    value.reference_only = contents.reference_only;
                    value.capabilities = contents.capabilities;
                    value.irregular = contents.irregular;
                    // the list itself says which one is for encryption
                    value.preferred = (!value.certificates.is_empty()).then_some(0);
                }
                Err(error) => value.error = Some(error),
            }
        }
        value
    }

    /// The certificate that Outlook would take at a time (milliseconds since 1970 UTC): the one the container names, else the
    /// first that is no authority's and valid in time, else the first that is no authority's, else the first.
    pub fn chosen(&self, at_ms: i64) -> Option<&Certificate> {
        let people = || self.certificates.iter().filter(|certificate| !certificate.is_ca());
        self.preferred
            .and_then(|index| self.certificates.get(index))
            .or_else(|| people().find(|certificate| certificate.is_valid_at(at_ms)))
            .or_else(|| people().next())
            .or_else(|| self.certificates.first())
    }
}
