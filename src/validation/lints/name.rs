//! Names as the rules look at them: attributes by number, general names by kind.

use x509_parser::asn1_rs::{Any, Class, Oid, Tag};

use crate::certificate::{der, name};

/// One attribute of a distinguished name.
#[derive(Debug)]
pub(super) struct Attribute {
    /// Its type's number.
    pub(super) kind: String,
    /// Its value; `None` for what is no readable string.
    pub(super) value: Option<String>,
    /// The value's string type.
    pub(super) tag: Tag,
}

/// A distinguished name, as it is written.
#[derive(Debug, Default)]
pub(super) struct Dn {
    pub(super) rdns: Vec<Vec<Attribute>>,
}

impl Dn {
    /// Reads the contents of an RDNSequence; `None` if they are none.
    pub(super) fn read(contents: &[u8]) -> Option<Self> {
        let rdn = |rdn: &Any<'_>| der::elements(rdn.data)?.iter().map(attribute).collect();
        Some(Self { rdns: der::elements(contents)?.iter().map(rdn).collect::<Option<_>>()? })
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.rdns.iter().flatten()
    }

    pub(super) fn has(&self, kind: &str) -> bool {
        self.attributes().any(|attribute| attribute.kind == kind)
    }

    /// The readable values of one type.
    pub(super) fn values<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes().filter(move |found| found.kind == kind).filter_map(|found| found.value.as_deref())
    }
}

fn attribute(element: &Any<'_>) -> Option<Attribute> {
    let parts = der::elements(element.data)?;
    let [kind, value] = parts.as_slice() else { return None };
    Some(Attribute { kind: oid(kind)?, value: name::text(value), tag: value.tag() })
}

/// A number in dotted form.
pub(super) fn oid(element: &Any<'_>) -> Option<String> {
    Oid::try_from(element.clone()).ok().map(|oid| oid.to_id_string())
}

/// One GeneralName (RFC 5280 4.2.1.6).
#[derive(Debug)]
pub(super) enum GeneralName {
    Other {
        kind: String,
        value: Vec<u8>,
    },
    Rfc822(String),
    Dns(String),
    Directory(Dn),
    Uri(String),
    /// x400Address, ediPartyName, iPAddress, registeredID: by name alone.
    Unusual(&'static str),
}

impl GeneralName {
    /// Reads one; `None` if it cannot be read.
    pub(super) fn read(element: &Any<'_>) -> Option<Self> {
        if element.class() != Class::ContextSpecific {
            return None;
        }
        let text = || String::from_utf8_lossy(element.data).into_owned();
        Some(match element.tag().0 {
            0 => {
                let parts = der::elements(element.data)?;
                let [kind, value] = parts.as_slice() else { return None };
                Self::Other { kind: oid(kind)?, value: value.data.to_vec() }
            }
            1 => Self::Rfc822(text()),
            2 => Self::Dns(text()),
            3 => Self::Unusual("x400Address"),
            4 => Self::Directory(Dn::read(der::whole(element.data)?.data)?),
            5 => Self::Unusual("ediPartyName"),
            6 => Self::Uri(text()),
            7 => Self::Unusual("iPAddress"),
            8 => Self::Unusual("registeredID"),
            _ => return None,
        })
    }

    /// Its kind, as RFC 5280 calls it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Other { .. } => "otherName",
            Self::Rfc822(_) => "rfc822Name",
            Self::Dns(_) => "dNSName",
            Self::Directory(_) => "directoryName",
            Self::Uri(_) => "uniformResourceIdentifier",
            Self::Unusual(name) => name,
        }
    }

    /// The string inside an otherName of a type, such as SmtpUTF8Mailbox.
    pub(super) fn other_text(&self, wanted: &str) -> Option<String> {
        match self {
            Self::Other { kind, value } if kind == wanted => name::text(&der::whole(value)?),
            _ => None,
        }
    }
}
