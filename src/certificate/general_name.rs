//! General names (RFC 5280 4.2.1.6): what a certificate is about, and what a constraint speaks of.

use x509_parser::asn1_rs::{Any, FromDer, Oid, Tag};
use x509_parser::x509::X509Name;

use super::name::{self, NameKey};
use super::{der, oid};

/// A name of one of the forms that can be compared, or the form it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GeneralName {
    /// rfc822Name.
    Email(String),
    /// otherName id-on-SmtpUTF8Mailbox (RFC 9598).
    Utf8Mailbox(String),
    /// dNSName.
    Dns(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// directoryName, with its RFC 4514 text.
    Directory(NameKey, String),
    /// iPAddress: an address, in a constraint followed by its mask.
    Ip(Box<[u8]>),
    /// otherName of Microsoft's user principal name.
    Upn(String),
    /// Any other form, by its tag; for an otherName its number too.
    Other(Box<[u8]>),
}

impl GeneralName {
    /// A name of a subject; `None` for what has not the form its tag promises.
    pub(super) fn of_subject(any: &Any<'_>) -> Option<Self> {
        Self::read(any, &[4, 16])
    }

    /// The base of a constraint.
    pub(super) fn of_constraint(any: &Any<'_>) -> Option<Self> {
        Self::read(any, &[8, 32])
    }

    fn read(any: &Any<'_>, ip_lengths: &[usize]) -> Option<Self> {
        Some(match form(any)? {
            0 => return Self::other_name(any.data),
            1 => Self::Email(ia5(any.data)?),
            2 => Self::Dns(ia5(any.data)?),
            4 => {
                let (key, text) = directory_name(any.data)?;
                Self::Directory(key, text)
            }
            6 => Self::Uri(ia5(any.data)?),
            7 if ip_lengths.contains(&any.data.len()) => Self::Ip(any.data.into()),
            tag @ (3 | 5 | 8) => Self::Other([tag].into()),
            _ => return None,
        })
    }

    fn other_name(contents: &[u8]) -> Option<Self> {
        let [number, value] = &der::elements(contents)?[..] else { return None };
        let number = Oid::try_from(number.clone()).ok().filter(|_| der::is(number, Tag::Oid))?;
        if der::context(value, true) != Some(0) {
            return None;
        }
        let inner = || der::whole(value.data);
        Some(match number.as_bytes() {
            oid::SMTP_UTF8_MAILBOX => {
                let text = inner().filter(|any| der::is(any, Tag::Utf8String)).and_then(|any| name::text(&any))?;
                Self::Utf8Mailbox(printable(text)?)
            }
            oid::USER_PRINCIPAL_NAME => Self::Upn(printable(name::text(&inner()?)?)?),
            other => Self::Other([&[0], other].concat().into()),
        })
    }

    /// The name as a finding shows it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Email(text) | Self::Utf8Mailbox(text) | Self::Dns(text) | Self::Uri(text) | Self::Upn(text) => {
                text.clone()
            }
            Self::Directory(_, text) => text.clone(),
            Self::Ip(bytes) | Self::Other(bytes) => hex::encode_upper(bytes),
        }
    }
}

/// The number of a name's form; `None` for what is encoded as no name is, or an otherName without its two parts.
pub(super) fn form(any: &Any<'_>) -> Option<u8> {
    let tag = u8::try_from(any.tag().0).ok().filter(|tag| *tag <= 8)?;
    // structures are constructed, strings are not
    der::context(any, matches!(tag, 0 | 3 | 4 | 5))?;
    (tag != 0 || GeneralName::other_name(any.data).is_some()).then_some(tag)
}

/// The names of a GeneralNames' contents; `None` if one of them cannot be read, or there is none.
pub(super) fn of_subject(contents: &[u8]) -> Option<Vec<GeneralName>> {
    let names: Vec<GeneralName> =
        der::elements(contents)?.iter().map(GeneralName::of_subject).collect::<Option<_>>()?;
    Some(names).filter(|names| !names.is_empty())
}

/// An IA5String without control characters; what is not ASCII cannot be compared safely.
fn ia5(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).and_then(|text| printable(text.to_owned()))
}

fn printable(text: String) -> Option<String> {
    Some(text).filter(|text| !text.contains(char::is_control))
}

/// A Name of exactly these bytes.
pub(super) fn directory_name(bytes: &[u8]) -> Option<(NameKey, String)> {
    let (rest, name) = X509Name::from_der(bytes).ok()?;
    rest.is_empty().then(|| (NameKey::of(&name), name::to_rfc4514(&name)))
}
