//! What changed in a directory since an earlier read: cursors, and what a read of changes gives.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::certificate::Sha256;
use crate::text::Text;

use super::ReadReport;
use super::selection::PersonKey;
use super::several::Roster;

/// Where the next read of changes goes on: taken before a complete read begins, replaced by every read of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method")]
pub enum Cursor {
    /// Active Directory's DirSync control ([MS-ADTS] 3.1.1.3.4.1.3).
    Dirsync {
        /// The domain controller's invocationId.
        server: String,
        /// Its highestCommittedUSN when the cookie was given.
        usn: u64,
        /// What the server gave, not to be understood.
        cookie: Vec<u8>,
        /// Whether the account lacks the right to replicate, so that it sees what it may read (LDAP_DIRSYNC_OBJECT_SECURITY).
        object_security: bool,
    },
    /// Active Directory's `uSNChanged`.
    Usn {
        /// The domain controller's invocationId.
        server: String,
        /// Everything up to this number was read.
        usn: u64,
    },
    /// RFC 4533, one search for each base.
    Syncrepl {
        /// entryUUID of the naming context, which a database made anew does not share.
        server: Option<String>,
        /// Base as configured, and the cookie its search ended with.
        cookies: Vec<(String, Vec<u8>)>,
        /// Containers by entryUUID, and whether each was within the bases.
        #[serde(default)]
        containers: BTreeMap<String, bool>,
    },
    /// `modifyTimestamp`, where there is nothing better. Deletions do not show.
    Timestamps {
        /// entryUUID of the naming context.
        server: Option<String>,
        /// The newest time seen, as 14 digits.
        newest: String,
        /// Whether the second itself is over and was read to its end.
        is_over: bool,
        /// Containers by entryUUID, and whether each was within the bases.
        #[serde(default)]
        containers: BTreeMap<String, bool>,
    },
    /// An LDIF file.
    File {
        /// Its size in bytes.
        bytes: u64,
        /// Its SHA-256.
        sha256: [u8; 32],
    },
    /// Several directories.
    Several {
        /// Each of them, in the configuration's order.
        directories: Vec<Part>,
    },
}

/// One of several directories in a cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its scope.
    pub scope: String,
    /// Its own cursor; without one everybody is read and compared.
    pub cursor: Option<Cursor>,
    /// Who was there.
    pub entries: Roster,
}

impl Cursor {
    /// The name of the method.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Dirsync { .. } => "dirsync",
            Self::Usn { .. } => "usn",
            Self::Syncrepl { .. } => "syncrepl",
            Self::Timestamps { .. } => "timestamps",
            Self::File { .. } => "file",
            Self::Several { .. } => "several",
        }
    }

    /// Whose cursor it is, where servers have an identity.
    pub fn server(&self) -> Option<&str> {
        match self {
            Self::Dirsync { server, .. } | Self::Usn { server, .. } => Some(server),
            Self::Syncrepl { server, .. } | Self::Timestamps { server, .. } => server.as_deref(),
            Self::File { .. } | Self::Several { .. } => None,
        }
    }

    /// The form the store keeps: JSON behind its SHA-256, because a server may take a damaged cookie for another one.
    pub fn to_bytes(&self) -> Vec<u8> {
        // numbers, texts and lists always have a form in JSON
        let text = serde_json::to_vec(self).unwrap_or_default();
        [Sha256::of(&text).as_bytes().as_slice(), &text].concat()
    }

    /// The cursor the store kept; `None` for one that is damaged or not understood, which a complete read replaces.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (digest, text) = bytes.split_first_chunk()?;
        if Sha256::of(text).as_bytes() != digest {
            return None;
        }
        serde_json::from_slice(text).ok()
    }
}

/// Why changes cannot be read and everybody has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyEverybody {
    /// The configuration says so.
    Off,
    /// There is no earlier complete read to go on from.
    NoCursor,
    /// The server has no way to tell of changes, or not the configured one.
    Unsupported,
    /// The account may not use what the server has.
    Denied,
    /// The selection depends on what changes do not show, such as memberships.
    Selection,
    /// The cursor was got by another method than the configured one, or for other bases.
    OtherMethod,
    /// Another server answers than the one that gave the cursor.
    OtherServer,
    /// The server knows less than the cursor: it was restored from a copy.
    Restored,
    /// The server does not take the cursor.
    Refused,
    /// A container was moved or renamed, which moves people without a change of theirs.
    ContainerMoved,
    /// Policy, trust or tenant are others than those of the last run.
    PolicyChanged,
    /// The scope differs from that of the last complete read.
    ScopeChanged,
    /// The last complete read is too long ago (`full_every_days`).
    Overdue,
}

impl WhyEverybody {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Off,
        Self::NoCursor,
        Self::Unsupported,
        Self::Denied,
        Self::Selection,
        Self::OtherMethod,
        Self::OtherServer,
        Self::Restored,
        Self::Refused,
        Self::ContainerMoved,
        Self::PolicyChanged,
        Self::ScopeChanged,
        Self::Overdue,
    ];

    /// The sentence.
    pub fn text(self) -> Text {
        Text::plain(
            "changes",
            match self {
                Self::Off => "off",
                Self::NoCursor => "no_cursor",
                Self::Unsupported => "unsupported",
                Self::Denied => "denied",
                Self::Selection => "selection",
                Self::OtherMethod => "other_method",
                Self::OtherServer => "other_server",
                Self::Restored => "restored",
                Self::Refused => "refused",
                Self::ContainerMoved => "container_moved",
                Self::PolicyChanged => "policy_changed",
                Self::ScopeChanged => "scope_changed",
                Self::Overdue => "overdue",
            },
        )
    }
}

/// Where a read of changes begins.
#[derive(Debug, Clone)]
pub struct Since {
    /// The last read's cursor.
    pub cursor: Cursor,
    /// Identities of people to read whether they changed or not.
    pub besides: Vec<String>,
}

/// Who is no longer there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// These identities; some may never have been people.
    Named(Vec<String>),
    /// Everybody known who is not among these.
    AllBut(HashSet<PersonKey>),
}

/// What a read of changes gave, besides the people it delivered.
#[derive(Debug, Clone)]
pub struct ChangeReport {
    /// How the read ended; `cursor` is where the next one goes on. `complete` means that all changes were read.
    pub read: ReadReport,
    /// Who is gone; says nothing unless `read.complete`.
    pub gone: Gone,
    /// Identities that changed and that this account does not see: neither read nor gone.
    pub unseen: Vec<String>,
    /// Whether deletions show; if not, the next complete read finds them.
    pub deletions_show: bool,
    /// Of several directories those that were read to their end all the same, by name, and why.
    pub reread: Vec<(String, WhyEverybody)>,
}

/// What came of asking for changes.
#[derive(Debug)]
pub enum Changes {
    /// They were read.
    Read(Box<ChangeReport>),
    /// They cannot be had, nothing was delivered.
    Everybody(WhyEverybody),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Culture, exists};

    #[test]
    fn cursors_survive_the_store() {
        let containers = BTreeMap::from([("u".to_owned(), true)]);
        for cursor in [
            Cursor::Dirsync { server: "a".into(), usn: u64::MAX, cookie: vec![0, 255], object_security: true },
            Cursor::Usn { server: "a".into(), usn: 7 },
            Cursor::Syncrepl {
                server: None,
                cookies: vec![("DC=x".into(), b"rid=1".to_vec())],
                containers: containers.clone(),
            },
            Cursor::Timestamps {
                server: Some("b".into()),
                newest: "20260101000000".into(),
                is_over: false,
                containers: containers.clone(),
            },
            Cursor::File { bytes: 5, sha256: [7; 32] },
            Cursor::Several {
                directories: vec![Part {
                    scope: "s".into(),
                    cursor: Some(Cursor::Usn { server: "a".into(), usn: 7 }),
                    entries: Roster::default(),
                }],
            },
        ] {
            let bytes = cursor.to_bytes();
            assert_eq!(Cursor::from_bytes(&bytes), Some(cursor));
            for place in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1;
                assert_eq!(Cursor::from_bytes(&damaged), None, "{place}");
            }
        }
        assert_eq!(Cursor::from_bytes(b""), None);
    }

    #[test]
    fn every_reason_has_its_sentence() {
        for why in WhyEverybody::ALL {
            assert!(!why.text().render(Culture::English).starts_with("changes."), "{why:?}");
        }
        assert!(exists(Culture::English, "changes", "off"));
    }
}
