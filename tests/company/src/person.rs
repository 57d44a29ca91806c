//! A person of the company: what the directory says of them, what Exchange Online holds for them, and what must come of it.

use crate::certificate::{Leaf, sha256};
use crate::names::Name;
use crate::recipe::Recipe;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The two attributes that carry certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Attribute {
    /// One certificate per value.
    #[serde(rename = "userCertificate")]
    UserCertificate,
    /// One container per value.
    #[serde(rename = "userSMIMECertificate")]
    UserSmimeCertificate,
}

impl Attribute {
    /// Both, in the order rows are expected.
    pub const ALL: [Self; 2] = [Self::UserCertificate, Self::UserSmimeCertificate];

    /// Its name in a directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserCertificate => "userCertificate",
            Self::UserSmimeCertificate => "userSMIMECertificate",
        }
    }
}

/// What a value must be found fit for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fitness {
    /// Usable.
    Fit,
    /// Not usable.
    Unfit,
    /// Cannot be told.
    Undetermined,
}

/// One value in the directory.
#[derive(Debug, Clone)]
pub struct Value {
    /// Where it stands.
    pub attribute: Attribute,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// SHA-1 of the certificate it is judged by; none where there is none to read.
    pub thumbprint: Option<String>,
    /// Fitness to encrypt to its owner.
    pub encrypt: Fitness,
    /// Fitness to verify its owner's signature.
    pub sign: Fitness,
    /// Why it must not be published; none: it must.
    pub loses: Option<&'static str>,
}

impl Value {
    /// A certificate that must be published, fit for both uses.
    pub fn fit(leaf: &Leaf) -> Self {
        Self {
            attribute: Attribute::UserCertificate,
            bytes: leaf.der.clone(),
            thumbprint: Some(leaf.thumbprint.clone()),
            encrypt: Fitness::Fit,
            sign: Fitness::Fit,
            loses: None,
        }
    }

    /// A certificate that is good for nothing, for this reason.
    pub fn unfit(leaf: &Leaf, reason: &'static str) -> Self {
        Self { encrypt: Fitness::Unfit, sign: Fitness::Unfit, loses: Some(reason), ..Self::fit(leaf) }
    }

    /// A certificate nothing can be said of.
    pub fn undetermined(leaf: &Leaf) -> Self {
        Self {
            encrypt: Fitness::Undetermined,
            sign: Fitness::Undetermined,
            loses: Some("undetermined"),
            ..Self::fit(leaf)
        }
    }

    /// Bytes without a certificate.
    pub fn unreadable(attribute: Attribute, bytes: Vec<u8>) -> Self {
        Self {
            attribute,
            bytes,
            thumbprint: None,
            encrypt: Fitness::Undetermined,
            sign: Fitness::Undetermined,
            loses: Some("undetermined"),
        }
    }

    /// The same verdict for a certificate inside `bytes` in `userSMIMECertificate`.
    pub fn inside(self, bytes: Vec<u8>) -> Self {
        Self { attribute: Attribute::UserSmimeCertificate, bytes, ..self }
    }

    /// Fit for these uses only, and to be published.
    pub fn only(self, encrypt: Fitness, sign: Fitness) -> Self {
        Self { encrypt, sign, ..self }
    }

    /// Fit as it is, and yet not to be published, for this reason.
    pub fn but_loses(self, reason: &'static str) -> Self {
        Self { loses: Some(reason), ..self }
    }

    /// SHA-256 of the value's bytes.
    pub fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// A value that Exchange Online holds before anything is done.
#[derive(Debug, Clone)]
pub struct Held {
    /// Where it stands.
    pub attribute: Attribute,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Why it must go; none: it stays.
    pub removed: Option<&'static str>,
}

impl Held {
    /// A directory value that Exchange has already.
    pub fn copy_of(value: &Value, removed: Option<&'static str>) -> Self {
        Self { attribute: value.attribute, bytes: value.bytes.clone(), removed }
    }

    /// SHA-256 of the value's bytes.
    pub fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// A person's entry in Exchange Online.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Exchange's identifier.
    pub guid: Uuid,
    /// Entra's identifier.
    pub external_directory_object_id: Uuid,
    /// Exchange's type.
    pub kind: &'static str,
    /// Sign-in name.
    pub user_principal_name: Option<String>,
    /// Mastered on-premises.
    pub is_dir_synced: bool,
    /// Mastered on-premises, but its Exchange attributes in the cloud.
    pub is_exchange_cloud_managed: bool,
    /// Carries the person's source anchor.
    pub has_immutable_id: bool,
    /// The recipient another person's entry claims as well: no recipient of its own is made for it.
    pub shared_with_other: bool,
}

/// How far the person gets on the way to a recipient.
#[derive(Debug, Clone)]
pub enum Mailbox {
    /// One recipient, this person's own.
    Own(Recipient),
    /// There is a recipient, but it cannot be told whose.
    Ambiguous(Recipient),
    /// Nobody in Exchange Online answers to this person.
    None,
}

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    /// How they were made.
    pub recipe: Recipe,
    /// Their name.
    pub name: Name,
    /// Index of the department.
    pub department: usize,
    /// A contact, not a user.
    pub is_contact: bool,
    /// The account is enabled.
    pub enabled: bool,
    /// objectGUID and entryUUID.
    pub guid: Uuid,
    /// mS-DS-ConsistencyGuid.
    pub source_anchor: Option<Uuid>,
    /// Sign-in name in the directory.
    pub user_principal_name: Option<String>,
    /// SMTP addresses, the primary first.
    pub addresses: Vec<String>,
    /// Directory values.
    pub values: Vec<Value>,
    /// Exchange's side.
    pub mailbox: Mailbox,
    /// What Exchange holds at the start.
    pub held: Vec<Held>,
}

impl Person {
    /// Primary address.
    pub fn primary(&self) -> Option<&str> {
        self.addresses.first().map(String::as_str)
    }

    /// The entry in Exchange Online that carries their certificates.
    pub fn recipient(&self) -> Option<&Recipient> {
        match &self.mailbox {
            Mailbox::Own(recipient) => Some(recipient),
            Mailbox::Ambiguous(_) | Mailbox::None => None,
        }
    }

    /// Reason of a person without a recipient.
    pub fn skipped_because(&self) -> Option<&'static str> {
        match &self.mailbox {
            Mailbox::Own(_) => None,
            Mailbox::Ambiguous(_) => Some("ambiguous"),
            Mailbox::None if self.addresses.is_empty() => Some("no_address"),
            Mailbox::None => Some("no_recipient"),
        }
    }
}
