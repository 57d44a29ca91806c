//! Certificate policies (RFC 5280 4.2.1.4, 4.2.1.5, 4.2.1.11, 4.2.1.14).

use std::str::FromStr;

use x509_parser::asn1_rs::{Any, Oid, Tag};

use super::{der, oid};

/// A policy's object identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId(Box<[u8]>);

impl PolicyId {
    /// anyPolicy, the contents of its DER.
    pub(crate) const ANY: &'static [u8] = oid::ANY_POLICY;

    /// Reads `1.2.3`, or the name `anyPolicy`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "anyPolicy" {
            return Some(Self(oid::ANY_POLICY.into()));
        }
        Oid::from_str(text).ok().map(|oid| Self(oid.as_bytes().into()))
    }

    /// Whether it is anyPolicy.
    pub fn is_any(&self) -> bool {
        *self.0 == *oid::ANY_POLICY
    }

    /// The contents of its DER.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn of(any: &Any<'_>) -> Option<Self> {
        Oid::try_from(any.clone()).ok().filter(|_| der::is(any, Tag::Oid)).map(|oid| Self(oid.as_bytes().into()))
    }
}

/// What a certificate says about policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policies {
    /// certificatePolicies; `None` without the extension.
    pub(crate) certificate: Option<Vec<PolicyId>>,
    /// policyMappings: the issuer's policy and the subject's that equals it.
    pub(crate) mappings: Vec<(PolicyId, PolicyId)>,
    /// requireExplicitPolicy of policyConstraints.
    pub(crate) require_explicit: Option<u32>,
    /// inhibitPolicyMapping of policyConstraints.
    pub(crate) inhibit_mapping: Option<u32>,
    /// inhibitAnyPolicy.
    pub(crate) inhibit_any: Option<u32>,
}

impl Policies {
    pub(super) fn take_certificate_policies(&mut self, value: &[u8]) -> Option<()> {
        let mut policies: Vec<PolicyId> = Vec::new();
        for information in sequence(value)? {
            let fields = der::elements(information.data).filter(|_| der::is(&information, Tag::Sequence))?;
            // policyQualifiers are not looked at, and still are what they have to be
            let policy = match &fields[..] {
                [policy] => policy,
                [policy, qualifiers] if der::is(qualifiers, Tag::Sequence) => policy,
                _ => return None,
            };
            policies.push(PolicyId::of(policy)?);
        }
        let mut sorted: Vec<&PolicyId> = policies.iter().collect();
        sorted.sort();
        sorted.dedup();
        // the same policy twice is forbidden, and so is none
        if policies.is_empty() || sorted.len() != policies.len() {
            return None;
        }
        self.certificate = Some(policies);
        Some(())
    }

    pub(super) fn take_mappings(&mut self, value: &[u8]) -> Option<()> {
        for mapping in sequence(value)? {
            let [issuer, subject] = &der::elements(mapping.data).filter(|_| der::is(&mapping, Tag::Sequence))?[..]
            else {
                return None;
            };
            self.mappings.push((PolicyId::of(issuer)?, PolicyId::of(subject)?));
        }
        (!self.mappings.is_empty()).then_some(())
    }

    pub(super) fn take_constraints(&mut self, value: &[u8]) -> Option<()> {
        let fields = sequence(value)?;
        for field in &fields {
            let skip = Some(certificates(field.data)?);
            match der::context(field, false)? {
                0 => self.require_explicit = skip,
                1 => self.inhibit_mapping = skip,
                _ => return None,
            }
        }
        (!fields.is_empty() && der::in_order(&fields)).then_some(())
    }

    pub(super) fn take_inhibit_any(&mut self, value: &[u8]) -> Option<()> {
        let skip = der::whole(value).filter(|any| der::is(any, Tag::Integer))?;
        self.inhibit_any = Some(certificates(skip.data)?);
        Some(())
    }

    /// Whether a mapping names anyPolicy, which RFC 5280 6.1.4 (a) forbids.
    pub(crate) fn maps_any(&self) -> bool {
        self.mappings.iter().any(|(issuer, subject)| issuer.is_any() || subject.is_any())
    }
}

fn sequence(value: &[u8]) -> Option<Vec<Any<'_>>> {
    der::whole(value).filter(|any| der::is(any, Tag::Sequence)).and_then(|any| der::elements(any.data))
}

/// SkipCerts, a number from zero up; more than any path is long is all the same.
fn certificates(integer: &[u8]) -> Option<u32> {
    if integer.first().is_none_or(|&first| first >= 0x80) {
        return None;
    }
    let digits = der::without_leading_zeros(integer);
    Some(match digits.len() {
        0..=4 => digits.iter().fold(0, |number, &digit| number << 8 | u32::from(digit)),
        _ => u32::MAX,
    })
}
