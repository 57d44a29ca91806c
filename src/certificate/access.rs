//! Where a certificate's issuer and the responders about it are (RFC 5280 4.2.2.1, authorityInfoAccess).

use x509_parser::asn1_rs::{Oid, Tag};

use super::general_name::GeneralName;
use super::{der, oid};

/// The addresses of authorityInfoAccess, in their order. What is no URI is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct InformationAccess {
    /// caIssuers.
    pub(crate) issuers: Vec<String>,
    /// OCSP responders.
    pub(crate) responders: Vec<String>,
}

impl InformationAccess {
    /// `None` for what is no AuthorityInfoAccessSyntax.
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        let sequence = der::whole(value).filter(|any| der::is(any, Tag::Sequence))?;
        let mut found = Self::default();
        for description in der::elements(sequence.data)? {
            let fields = der::elements(description.data).filter(|_| der::is(&description, Tag::Sequence))?;
            let [method, location] = &fields[..] else { return None };
            let method = Oid::try_from(method.clone()).ok().filter(|_| der::is(method, Tag::Oid))?;
            let Some(GeneralName::Uri(uri)) = GeneralName::of_subject(location) else { continue };
            match method.as_bytes() {
                oid::CA_ISSUERS => found.issuers.push(uri),
                oid::OCSP => found.responders.push(uri),
                _ => {}
            }
        }
        Some(found)
    }
}
