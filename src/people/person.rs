//! A person: one entry of a directory.

use std::sync::Arc;

use crate::certificate::{Attribute, Sha256};
use crate::text::Text;

use super::Address;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonKind {
    /// A user, with or without a mailbox.
    User,
    /// A contact.
    Contact,
}

impl PersonKind {
    /// The name at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Contact => "contact",
        }
    }
}

/// A value of a certificate attribute as the directory holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawValue {
    /// The attribute.
    pub attribute: Attribute,
    /// The bytes, unchanged.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
}

impl RawValue {
    /// A value of an attribute.
    pub fn new(attribute: Attribute, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { attribute, sha256: Sha256::of(&bytes), bytes }
    }
}

/// Something about a person that could not be understood; the rest of the person stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable name.
    pub code: &'static str,
    /// What a person reads.
    pub message: Text,
    /// The attribute it is about.
    pub attribute: Option<String>,
    /// The value it is about.
    pub value_sha256: Option<Sha256>,
}

/// A person: one entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// objectGUID or entryUUID as a lower-case GUID; the DN where there is neither.
    pub identity: String,
    /// Distinguished name (RFC 4514).
    pub distinguished_name: String,
    /// User or contact.
    pub kind: PersonKind,
    /// Display name.
    pub display_name: Option<String>,
    /// User principal name.
    pub user_principal_name: Option<String>,
    /// SMTP addresses, primary first, without repetition.
    pub addresses: Vec<Address>,
    /// Source anchor, base64, as Entra calls it ImmutableId.
    pub source_anchor: Option<String>,
    /// Whether the account is enabled, where the directory says so.
    pub enabled: Option<bool>,
    /// Whether this is a tombstone.
    pub deleted: bool,
    /// The entries that somebody in several directories is made of: the directory's number, and the identity there. None
    /// where there is one directory.
    pub parts: Vec<(usize, String)>,
    /// Values of both attributes in the directory's order.
    pub values: Vec<RawValue>,
    /// Whether all values were read; only then can a value be taken for gone.
    pub complete: bool,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

impl Person {
    /// The address that counts first.
    pub fn primary_address(&self) -> Option<&Address> {
        self.addresses.first()
    }
}
