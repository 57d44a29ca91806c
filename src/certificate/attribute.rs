//! The two directory attributes that hold certificates, and what Exchange calls them; and the tenant's own.

use std::fmt;

/// An attribute that holds certificates (RFC 4523 2.1, RFC 2798 2.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// `userCertificate`: X.509.
    UserCertificate,
    /// `userSMIMECertificate`: CMS SignedData, Microsoft's tagged list, or bare X.509.
    UserSmimeCertificate,
    /// `SMIMECertificateIssuingCA` of the tenant, which no entry and no recipient has: a serialized store of authorities.
    IssuingCertificates,
}

impl Attribute {
    /// Both of people and recipients, in the order of rows.
    pub const ALL: [Self; 2] = [Self::UserCertificate, Self::UserSmimeCertificate];

    /// Its name: LDAP's, for the tenant's own Exchange's.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserCertificate => "userCertificate",
            Self::UserSmimeCertificate => "userSMIMECertificate",
            Self::IssuingCertificates => "SMIMECertificateIssuingCA",
        }
    }

    /// The parameter and property of Exchange's cmdlets.
    pub fn exchange_name(self) -> &'static str {
        match self {
            Self::UserCertificate => "UserCertificate",
            Self::UserSmimeCertificate => "UserSMimeCertificate",
            Self::IssuingCertificates => "SMIMECertificateIssuingCA",
        }
    }

    /// The attribute of a name, as [`Attribute::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::IssuingCertificates]).find(|attribute| attribute.name() == name)
    }

    /// The attribute of an LDAP attribute description; options such as `;binary` are ignored (RFC 4512 2.5).
    pub fn from_description(description: &str) -> Option<Self> {
        let name = description.split(';').next().unwrap_or_default();
        Self::ALL.into_iter().find(|attribute| attribute.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
