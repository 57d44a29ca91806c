//! A certificate as the rules look at it: every field as it is written, nothing repaired.

use x509_parser::asn1_rs::{Any, Class, Tag};

use crate::certificate::{Certificate, der};

use super::name::{Dn, GeneralName, oid};
use super::profile::Profile;

pub(super) const SMTP_UTF8_MAILBOX: &str = "1.3.6.1.5.5.7.8.9";

/// One extension.
#[derive(Debug)]
pub(super) struct Extension<'a> {
    pub(super) kind: String,
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

impl<'a> Extension<'a> {
    /// The elements of the SEQUENCE it holds; `None` if it holds none.
    pub(super) fn elements(&self) -> Option<Vec<Any<'a>>> {
        der::elements(der::whole(self.value).filter(|any| any.tag() == Tag::Sequence)?.data)
    }
}

/// A certificate and the profile it is held against.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) profile: Profile,
    /// Contents of the serial number.
    pub(super) serial: &'a [u8],
    /// The signature's AlgorithmIdentifier, whole.
    pub(super) signature_algorithm: &'a [u8],
    pub(super) issuer: Dn,
    /// notBefore and notAfter: their types and contents.
    pub(super) times: Vec<(Tag, &'a [u8])>,
    pub(super) subject: Dn,
    /// The key's AlgorithmIdentifier, whole.
    pub(super) key_algorithm: &'a [u8],
    /// Which unique identifiers there are.
    pub(super) unique_ids: Vec<&'static str>,
    pub(super) extensions: Vec<Extension<'a>>,
    /// Entries of subjectAltName that can be read; `None` without the extension.
    pub(super) alternative_names: Option<Vec<GeneralName>>,
}

impl<'a> View<'a> {
    /// Takes a certificate apart; `None` for what no DER parser would take apart.
    pub(super) fn of(certificate: &'a Certificate, profile: Profile) -> Option<Self> {
        let whole = contents(&certificate.der)?;
        let signed = contents(der::raw_elements(whole)?.first()?)?;
        let fields = der::raw_elements(signed)?;
        let parsed = der::elements(signed)?;
        // version, which version 1 leaves out
        let start = usize::from(parsed.first()?.class() == Class::ContextSpecific);
        let raw = |index: usize| fields.get(start + index).copied();
        let field = |index: usize| parsed.get(start + index).map(|any| any.data);
        let mut view = Self {
            certificate,
            profile,
            serial: field(0)?,
            signature_algorithm: raw(1)?,
            issuer: Dn::read(field(2)?)?,
            times: der::elements(field(3)?)?.iter().map(|time| (time.tag(), time.data)).collect(),
            subject: Dn::read(field(4)?)?,
            key_algorithm: der::raw_elements(field(5)?)?.first()?,
            unique_ids: Vec::new(),
            extensions: Vec::new(),
            alternative_names: None,
        };
        for optional in parsed.iter().skip(start + 6) {
            match optional.tag().0 {
                1 => view.unique_ids.push("issuerUniqueID"),
                2 => view.unique_ids.push("subjectUniqueID"),
                3 => view.extensions = extensions(optional.data)?,
                _ => {}
            }
        }
        view.alternative_names = view.alternative_names();
        Some(view)
    }

    /// The first extension of a type.
    pub(super) fn extension(&self, kind: &str) -> Option<&Extension<'a>> {
        self.extensions.iter().find(|extension| extension.kind == kind)
    }

    /// Entries of subjectAltName.
    pub(super) fn names(&self) -> impl Iterator<Item = &GeneralName> {
        self.alternative_names.iter().flatten()
    }

    /// The subject and every directoryName beside it, which the same rules bind (SBR 7.1.4.2.1).
    pub(super) fn subjects(&self) -> impl Iterator<Item = &Dn> {
        std::iter::once(&self.subject).chain(self.names().filter_map(|name| match name {
            GeneralName::Directory(name) => Some(name),
            _ => None,
        }))
    }

    /// The addresses of subjectAltName, as written.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.names()
            .filter_map(|name| match name {
                GeneralName::Rfc822(address) => Some(address.clone()),
                other => other.other_text(SMTP_UTF8_MAILBOX),
            })
            .collect()
    }

    fn alternative_names(&self) -> Option<Vec<GeneralName>> {
        let extension = self.extension("2.5.29.17")?;
        Some(extension.elements().unwrap_or_default().iter().filter_map(GeneralName::read).collect())
    }
}

/// The contents of a SEQUENCE.
fn contents(bytes: &[u8]) -> Option<&[u8]> {
    der::whole(bytes).filter(|any| any.tag() == Tag::Sequence).map(|any| any.data)
}

fn extensions(contents: &[u8]) -> Option<Vec<Extension<'_>>> {
    let list = der::whole(contents)?;
    der::elements(list.data)?
        .iter()
        .map(|extension| {
            let parts = der::elements(extension.data)?;
            let (kind, rest) = parts.split_first()?;
            let critical = rest.first().is_some_and(|flag| flag.tag() == Tag::Boolean && flag.data != [0]);
            Some(Extension { kind: oid(kind)?, critical, value: rest.last()?.data })
        })
        .collect()
}
