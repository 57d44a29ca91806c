//! A recipient of Exchange Online.

use std::sync::Arc;

use crate::certificate::Attribute;

use super::Address;

/// Which cmdlets read and write a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecipientClass {
    /// `Get-Mailbox`, `Set-Mailbox`.
    Mailbox,
    /// `Get-MailUser`, `Set-MailUser`.
    MailUser,
    /// `Get-MailContact`, `Set-MailContact`.
    MailContact,
}

impl RecipientClass {
    /// All classes that can hold certificates.
    pub const ALL: [Self; 3] = [Self::Mailbox, Self::MailUser, Self::MailContact];

    /// The noun of its cmdlets.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Mailbox => "Mailbox",
            Self::MailUser => "MailUser",
            Self::MailContact => "MailContact",
        }
    }
}

/// A recipient of Exchange Online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Exchange's `Guid`, lower case.
    pub identity: String,
    /// Which cmdlets read and write it.
    pub class: RecipientClass,
    /// `ExternalDirectoryObjectId`.
    pub external_directory_object_id: Option<String>,
    /// Display name.
    pub display_name: Option<String>,
    /// User principal name; contacts have none.
    pub user_principal_name: Option<String>,
    /// SMTP addresses, primary first.
    pub addresses: Vec<Address>,
    /// `RecipientTypeDetails`.
    pub recipient_type_details: String,
    /// Whether it is mastered on-premises.
    pub is_dir_synced: bool,
    /// Whether its Exchange attributes are mastered in the cloud all the same.
    pub is_exchange_cloud_managed: bool,
    /// `ImmutableId`, base64.
    pub immutable_id: Option<String>,
    /// Values of `UserCertificate`; `None` where they could not be read.
    pub user_certificate: Option<Vec<Arc<[u8]>>>,
    /// Values of `UserSMimeCertificate`; `None` where they could not be read.
    pub user_smime_certificate: Option<Vec<Arc<[u8]>>>,
}

impl Recipient {
    /// The values of an attribute; `None` where they could not be read.
    pub fn values(&self, attribute: Attribute) -> Option<&[Arc<[u8]>]> {
        match attribute {
            Attribute::UserCertificate => self.user_certificate.as_deref(),
            Attribute::UserSmimeCertificate => self.user_smime_certificate.as_deref(),
            Attribute::IssuingCertificates => None,
        }
    }

    /// The address that counts first.
    pub fn primary_address(&self) -> Option<&Address> {
        self.addresses.first()
    }

    /// Whether Exchange Online is where its certificates are mastered.
    pub fn is_mastered_in_cloud(&self) -> bool {
        !self.is_dir_synced || self.is_exchange_cloud_managed
    }
}
