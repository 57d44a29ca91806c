//! One person's certificate: the profile it is made from and what is known of it afterwards.

use crate::der;
use crate::error::{Error, Result};
use crate::maker::PARTNER_DOMAIN;
use crate::pki::{Authority, authority_information_access, distribution_point};
use crate::pool::KeyKind;
use aws_lc_rs::digest;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    OtherNameValue, SanType, SerialNumber,
};
use time::OffsetDateTime;

/// 1.2.840.113549.1.9.1, emailAddress in a subject.
const EMAIL_ADDRESS: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 1];
/// 1.3.6.1.4.1.311.20.2.3, Microsoft's user principal name as otherName.
const USER_PRINCIPAL_NAME: [u64; 10] = [1, 3, 6, 1, 4, 1, 311, 20, 2, 3];
/// 1.3.6.1.4.1.311.20.2.2, Microsoft's smart card logon.
pub const SMART_CARD_LOGON: [u64; 10] = [1, 3, 6, 1, 4, 1, 311, 20, 2, 2];
/// 1.3.6.1.4.1.311.10.3.4, Microsoft's encrypting file system.
pub const ENCRYPTING_FILE_SYSTEM: [u64; 10] = [1, 3, 6, 1, 4, 1, 311, 10, 3, 4];

/// What a certificate is for, as its key usage says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// One key for both.
    Both,
    /// Encryption alone.
    Encrypt,
    /// Signing alone.
    Sign,
}

/// Everything that goes into a person's certificate.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Who signs.
    pub authority: Authority,
    /// Kind of key.
    pub key: KeyKind,
    /// Which key of that kind.
    pub key_index: usize,
    /// Subject's common name.
    pub common_name: String,
    /// Address in the subject, as older authorities write it.
    pub subject_email: Option<String>,
    /// rfc822Names of the subjectAltName.
    pub emails: Vec<String>,
    /// User principal name of the subjectAltName.
    pub user_principal_name: Option<String>,
    /// dNSNames of the subjectAltName.
    pub dns_names: Vec<String>,
    /// Key usage.
    pub usage: Usage,
    /// Extended key usages.
    pub extended_key_usages: Vec<ExtendedKeyUsagePurpose>,
    /// First moment of validity.
    pub not_before: OffsetDateTime,
    /// Last moment of validity.
    pub not_after: OffsetDateTime,
    /// Serial number, big-endian, positive.
    pub serial: [u8; 16],
}

impl Profile {
    /// The certificate's fields for an authority whose files are called `authority_name`.
    ///
    /// # Errors
    /// An address is not ASCII.
    pub fn params(&self, authority_name: &str) -> Result<CertificateParams> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let is_partner = self.emails.iter().any(|email| email.ends_with(&format!("@{PARTNER_DOMAIN}")));
        params.distinguished_name.push(DnType::OrganizationName, if is_partner { "Fabrikam" } else { "Contoso" });
        params.distinguished_name.push(DnType::CommonName, self.common_name.as_str());
        if let Some(email) = &self.subject_email {
            params.distinguished_name.push(
                DnType::CustomDnType(EMAIL_ADDRESS.to_vec()),
                rcgen::DnValue::Ia5String(email.as_str().try_into()?),
            );
        }
        params.not_before = self.not_before;
        params.not_after = self.not_after;
        params.serial_number = Some(SerialNumber::from_slice(&self.serial));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = self.key_usages();
        params.extended_key_usages = self.extended_key_usages.clone();
        for email in &self.emails {
            params.subject_alt_names.push(SanType::Rfc822Name(email.as_str().try_into()?));
        }
        if let Some(upn) = &self.user_principal_name {
            let value = OtherNameValue::Utf8String(upn.clone());
            params.subject_alt_names.push(SanType::OtherName((USER_PRINCIPAL_NAME.to_vec(), value)));
        }
        for name in &self.dns_names {
            params.subject_alt_names.push(SanType::DnsName(name.as_str().try_into()?));
        }
        params.use_authority_key_identifier_extension = true;
        if self.authority != Authority::Unknown {
            params.crl_distribution_points = vec![distribution_point(authority_name)];
            let access = authority_information_access(authority_name);
            params.custom_extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access));
        }
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&[1, 2, 840, 113_549, 1, 9, 15], smime_capabilities()));
        Ok(params)
    }

    fn key_usages(&self) -> Vec<KeyUsagePurpose> {
        let encryption =
            if self.key == KeyKind::P256 { KeyUsagePurpose::KeyAgreement } else { KeyUsagePurpose::KeyEncipherment };
        match self.usage {
            Usage::Both => vec![KeyUsagePurpose::DigitalSignature, encryption],
            Usage::Encrypt => vec![encryption],
            Usage::Sign => vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment],
        }
    }
}

/// SMIMECapabilities (RFC 8551 2.5.2): AES-256, AES-128, 3DES, in that order of preference.
pub fn smime_capabilities() -> Vec<u8> {
    let aes = |variant| der::sequence(&[&der::oid(&[2, 16, 840, 1, 101, 3, 4, 1, variant])]);
    der::sequence(&[&aes(42), &aes(2), &der::sequence(&[&der::oid(&[1, 2, 840, 113_549, 3, 7])])])
}

/// A finished certificate.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The certificate.
    pub der: Vec<u8>,
    /// Who signed it.
    pub authority: Authority,
    /// Kind of key.
    pub key: KeyKind,
    /// Which key of that kind.
    pub key_index: usize,
    /// SHA-1 of the certificate, upper-case hex.
    pub thumbprint: String,
    /// Serial number.
    pub serial: Vec<u8>,
    /// IssuerAndSerialNumber, DER.
    pub issuer_and_serial: Vec<u8>,
    /// Last moment of validity.
    pub not_after: OffsetDateTime,
}

impl Leaf {
    /// Reads back what containers and the expected outcomes need.
    ///
    /// # Errors
    /// The bytes are no certificate, which would be a fault of the generator.
    pub fn new(der: Vec<u8>, profile: &Profile) -> Result<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(&der)
            .map_err(|e| Error::Other(format!("certificate just made cannot be read: {e}")))?;
        let issuer_and_serial = der::sequence(&[parsed.issuer().as_raw(), &der::element(0x02, parsed.raw_serial())]);
        Ok(Self {
            thumbprint: thumbprint(&der),
            issuer_and_serial,
            authority: profile.authority,
            key: profile.key,
            key_index: profile.key_index,
            serial: profile.serial.to_vec(),
            not_after: profile.not_after,
            der,
        })
    }
}

/// SHA-1 of a certificate, upper-case hex, as Windows shows it.
pub fn thumbprint(der: &[u8]) -> String {
    hex::encode_upper(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der))
}

/// SHA-256, lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
