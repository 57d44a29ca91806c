//! Where CRLs are, and what part of the truth each holds (RFC 5280 4.2.1.13, 5.2.5).

use x509_parser::asn1_rs::{Any, FromDer as _, Tag};
use x509_parser::x509::RelativeDistinguishedName;

use super::der;
use super::general_name::{self, directory_name};
use super::name::NameKey;

/// Reasons for revocation, a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reasons(u16);

impl Reasons {
    /// keyCompromise to aACompromise, bits 1 to 8 of ReasonFlags.
    pub(crate) const ALL: Self = Self(0b1_1111_1110);
    /// None of them.
    pub(crate) const NONE: Self = Self(0);

    /// ReasonFlags, the contents of a BIT STRING.
    pub(super) fn of(bit_string: &[u8]) -> Option<Self> {
        let (&unused, bytes) = bit_string.split_first()?;
        if unused > 7 || (bytes.is_empty() && unused > 0) {
            return None;
        }
        let set = |bit: usize| bytes.get(bit / 8).is_some_and(|byte| byte >> (7 - bit % 8) & 1 == 1);
        let flags = (0..9).filter(|&bit| set(bit)).fold(0, |flags, bit| flags | 1 << bit);
        Some(Self(flags & Self::ALL.0))
    }

    /// What is in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One place where a CRL can be, or the place a CRL says it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DistributionPoint {
    /// Full names as comparison keys.
    names: Vec<Box<[u8]>>,
    /// The key of a name relative to the CRL's issuer.
    relative: Option<Box<[u8]>>,
    /// The reasons its CRL is about.
    pub(crate) reasons: Reasons,
    /// cRLIssuer; `None` where the certificate's issuer issues the CRL.
    pub(crate) issuers: Option<Vec<NameKey>>,
}

impl DistributionPoint {
    fn new() -> Self {
        Self { names: Vec::new(), relative: None, reasons: Reasons::ALL, issuers: None }
    }

    /// The place that RFC 5280 6.3.3 assumes where a certificate names none: its issuer's name.
    pub(crate) fn of_issuer(issuer: &NameKey) -> Self {
        Self { names: vec![directory_key(issuer)], ..Self::new() }
    }

    /// The place of an issuingDistributionPoint's first field.
    pub(super) fn of_name(value: &[u8]) -> Option<Self> {
        let mut point = Self::new();
        point.take_name(value)?;
        Some(point)
    }

    /// One of a certificate's cRLDistributionPoints.
    fn of(point: &Any<'_>) -> Option<Self> {
        let mut found = Self::new();
        let fields = der::elements(point.data).filter(|_| der::is(point, Tag::Sequence))?;
        if !der::in_order(&fields) {
            return None;
        }
        for field in fields {
            match der::context(&field, field.tag() != Tag(1))? {
                0 => found.take_name(field.data)?,
                1 => found.reasons = Reasons::of(field.data)?,
                2 => found.issuers = Some(issuers(field.data)?),
                _ => return None,
            }
        }
        // reasons alone say nothing of where
        let somewhere = !found.names.is_empty() || found.relative.is_some() || found.issuers.is_some();
        somewhere.then_some(found)
    }

    /// DistributionPointName: `[0]` full names or `[1]` a name relative to the issuer.
    fn take_name(&mut self, value: &[u8]) -> Option<()> {
        let choice = der::whole(value)?;
        match der::context(&choice, true)? {
            0 => {
                for general_name in der::elements(choice.data)? {
                    self.names.push(match general_name::form(&general_name)? {
                        4 => directory_key(&directory_name(general_name.data)?.0),
                        tag => [&[tag], general_name.data].concat().into(),
                    });
                }
            }
            1 => {
                let set = der::element(0x31, choice.data);
                let (rest, rdn) = RelativeDistinguishedName::from_der(&set).ok()?;
                self.relative = Some(NameKey::of_rdn(&rdn)).filter(|_| rest.is_empty());
                self.relative.as_ref()?;
            }
            _ => return None,
        }
        Some(())
    }

    /// The URIs among its full names, in their order; what is not ASCII is none.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(|name| match name.split_first() {
            Some((6, uri)) if uri.is_ascii() => std::str::from_utf8(uri).ok(),
            _ => None,
        })
    }

    /// Its names in full, where the CRL's issuer has this name; empty if it gives none.
    pub(crate) fn names(&self, issuer: &NameKey) -> Vec<Box<[u8]>> {
        let relative = self.relative.iter().map(|rdn| directory_key(&issuer.below(rdn)));
        self.names.iter().cloned().chain(relative).collect()
    }
}

/// A directory name among general names of other forms.
pub(crate) fn directory_key(name: &NameKey) -> Box<[u8]> {
    [&[4], name.as_bytes()].concat().into()
}

/// The directory names of a GeneralNames' contents.
pub(super) fn issuers(contents: &[u8]) -> Option<Vec<NameKey>> {
    let names = der::elements(contents)?;
    let forms: Vec<u8> = names.iter().map(general_name::form).collect::<Option<_>>()?;
    let directory = names.iter().zip(forms).filter(|(_, form)| *form == 4);
    directory.map(|(name, _)| directory_name(name.data).map(|(key, _)| key)).collect()
}

/// A certificate's cRLDistributionPoints, of which there is at least one.
pub(super) fn distribution_points(value: &[u8]) -> Option<Vec<DistributionPoint>> {
    let sequence = der::whole(value).filter(|any| der::is(any, Tag::Sequence))?;
    let points: Vec<DistributionPoint> =
        der::elements(sequence.data)?.iter().map(DistributionPoint::of).collect::<Option<_>>()?;
    Some(points).filter(|points| !points.is_empty())
}
