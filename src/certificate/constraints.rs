//! Name constraints (RFC 5280 4.2.1.10).

use x509_parser::asn1_rs::{Any, Tag};

use super::der;
use super::general_name::GeneralName;

/// Which names may stand in the certificates below an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameConstraints {
    /// A name of a form that is spoken of here has to be within one of them.
    pub(crate) permitted: Vec<Subtree>,
    /// No name may be within one of them.
    pub(crate) excluded: Vec<Subtree>,
}

/// A space of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subtree {
    /// Where it begins.
    pub(crate) base: GeneralName,
    /// Whether minimum or maximum narrow it, which RFC 5280 forbids and nobody evaluates.
    pub(crate) bounded: bool,
}

impl NameConstraints {
    /// Reads the extension's value to its last byte: an overlooked restriction would allow too much.
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        let sequence = der::whole(value).filter(|any| der::is(any, Tag::Sequence))?;
        let mut constraints = Self { permitted: Vec::new(), excluded: Vec::new() };
        let fields = der::elements(sequence.data)?;
        if fields.is_empty() || !der::in_order(&fields) {
            return None;
        }
        for field in fields {
            let subtrees: Vec<Subtree> = der::elements(field.data)?.iter().map(Subtree::of).collect::<Option<_>>()?;
            let into = match der::context(&field, true)? {
                0 => &mut constraints.permitted,
                1 => &mut constraints.excluded,
                _ => return None,
            };
            if subtrees.is_empty() {
                return None;
            }
            *into = subtrees;
        }
        Some(constraints)
    }
}

impl Subtree {
    fn of(any: &Any<'_>) -> Option<Self> {
        let fields = der::elements(any.data).filter(|_| der::is(any, Tag::Sequence))?;
        let (base, bounds) = fields.split_first()?;
        // DER leaves a minimum of zero out, some write it all the same
        let zero = |bound: &Any<'_>| der::context(bound, false) == Some(0) && bound.data == [0];
        Some(Self { base: GeneralName::of_constraint(base)?, bounded: !bounds.iter().all(zero) })
    }
}
