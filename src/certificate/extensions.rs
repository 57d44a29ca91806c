//! The extensions a verdict depends on (RFC 5280 4.2.1), read strictly enough that nothing is taken for less than it is.

use x509_parser::asn1_rs::{Any, Oid, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ParsedExtension, X509Extension};

use super::access::InformationAccess;
use super::constraints::NameConstraints;
use super::der;
use super::distribution_point::{DistributionPoint, distribution_points};
use super::general_name::{self, GeneralName};
use super::oid::{APPLICATION_POLICIES, AUTHORITY_INFORMATION_ACCESS, OCSP_NO_CHECK};
use super::policies::Policies;

/// basicConstraints (RFC 5280 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BasicConstraints {
    /// Whether it is an authority's certificate.
    pub(crate) ca: bool,
    /// How many intermediates may follow.
    pub(crate) path_length: Option<u32>,
}

/// keyUsage (RFC 5280 4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyUsage(u16);

impl KeyUsage {
    const NAMES: [&'static str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];

    /// Whether a bit is set, by its name in RFC 5280.
    pub(crate) fn has(self, name: &str) -> bool {
        Self::NAMES.iter().position(|known| *known == name).is_some_and(|bit| self.0 >> bit & 1 == 1)
    }

    /// The names of the bits that are set.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name)
    }
}

/// What the extensions of a certificate say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extensions {
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    /// Purposes by name, else by number; `None` without the extension.
    pub(crate) extended_key_usage: Option<Vec<String>>,
    /// Microsoft's application policies, which Windows reads beside extKeyUsage; by name, else by number; `None` without
    /// the extension, or where it cannot be read.
    pub(crate) application_policies: Option<Vec<String>>,
    pub(crate) subject_key_identifier: Option<Box<[u8]>>,
    pub(crate) authority_key_identifier: Option<Box<[u8]>>,
    pub(crate) distribution_points: Vec<DistributionPoint>,
    /// freshestCRL: where the changes since a CRL are.
    pub(crate) freshest: Vec<DistributionPoint>,
    /// authorityInfoAccess.
    pub(crate) access: InformationAccess,
    pub(crate) name_constraints: Option<NameConstraints>,
    pub(crate) policies: Policies,
    /// subjectAltName.
    pub(crate) alternative_names: Vec<GeneralName>,
    /// id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1): a responder's certificate is good as long as it is valid.
    pub(crate) no_check: bool,
    /// noRevAvail (RFC 9608): its issuer says nothing about revocation.
    pub(crate) no_revocation: bool,
    /// Numbers of extensions that appear more than once.
    pub(crate) duplicates: Vec<String>,
    /// Numbers of critical extensions nobody here understands.
    pub(crate) unknown_critical: Vec<String>,
    /// Numbers of extensions a verdict needs and that cannot be read.
    pub(crate) malformed: Vec<String>,
    /// Whether an entry of subjectAltName cannot be read.
    pub(crate) alternative_name_malformed: bool,
}

impl Extensions {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut extensions = Self::default();
        let mut seen: Vec<&Oid<'_>> = Vec::with_capacity(certificate.extensions().len());
        for extension in certificate.extensions() {
            if seen.contains(&&extension.oid) {
                let oid = der::dotted(&extension.oid);
                if !extensions.duplicates.contains(&oid) {
                    extensions.duplicates.push(oid);
                }
                continue;
            }
            extensions.take(extension);
            seen.push(&extension.oid);
        }
        extensions
    }

    fn take(&mut self, extension: &X509Extension<'_>) {
        let oid = &extension.oid;
        let standard = der::standard_extension(oid);
        let whole = is_well_formed(standard, extension.value);
        match (standard, extension.parsed_extension()) {
            (Some(19), ParsedExtension::BasicConstraints(found)) if whole => {
                self.basic_constraints =
                    Some(BasicConstraints { ca: found.ca, path_length: found.path_len_constraint });
            }
            (Some(15), ParsedExtension::KeyUsage(found)) if whole => self.key_usage = Some(KeyUsage(found.flags)),
            (Some(37), _) => match purposes(extension.value) {
                Some(purposes) => self.extended_key_usage = Some(purposes),
                None => self.malformed.push(der::dotted(oid)),
            },
            (Some(14), ParsedExtension::SubjectKeyIdentifier(id)) if whole => {
                self.subject_key_identifier = Some(id.0.into());
            }
            (Some(35), ParsedExtension::AuthorityKeyIdentifier(id)) if whole => {
                self.authority_key_identifier = id.key_identifier.as_ref().map(|id| id.0.into());
            }
            (Some(17), _) => match alternative_names(extension.value) {
                Some(names) => self.alternative_names = names,
                None => self.alternative_name_malformed = true,
            },
            (Some(31), _) => match distribution_points(extension.value) {
                Some(points) => self.distribution_points = points,
                None => self.malformed.push(der::dotted(oid)),
            },
            (Some(30), _) => match NameConstraints::of(extension.value) {
                Some(constraints) => self.name_constraints = Some(constraints),
                None => self.malformed.push(der::dotted(oid)),
            },
            (Some(32), _) => {
                let read = self.policies.take_certificate_policies(extension.value);
                self.or_malformed(oid, read);
            }
            (Some(33), _) => {
                let read = self.policies.take_mappings(extension.value);
                self.or_malformed(oid, read);
            }
            (Some(36), _) => {
                let read = self.policies.take_constraints(extension.value);
                self.or_malformed(oid, read);
            }
            (Some(54), _) => {
                let read = self.policies.take_inhibit_any(extension.value);
                self.or_malformed(oid, read);
            }
            // RFC 9608 3: a NULL
            (Some(56), _) => match extension.value {
                [5, 0] => self.no_revocation = true,
                _ => self.malformed.push(der::dotted(oid)),
            },
            // of concern to Windows alone: critical, it stays unknown to everybody else
            (None, _) if oid.as_bytes() == APPLICATION_POLICIES && !extension.critical => {
                self.application_policies = application_policies(extension.value);
            }
            // both only say where more is to be had, and must not be critical
            (Some(46), _) if !extension.critical => {
                self.freshest = distribution_points(extension.value).unwrap_or_default();
            }
            (None, _) if oid.as_bytes() == AUTHORITY_INFORMATION_ACCESS && !extension.critical => {
                self.access = InformationAccess::of(extension.value).unwrap_or_default();
            }
            (None, _) if oid.as_bytes() == OCSP_NO_CHECK => self.no_check = true,
            (Some(14 | 15 | 19 | 35), _) => self.malformed.push(der::dotted(oid)),
            _ if extension.critical => self.unknown_critical.push(der::dotted(oid)),
            _ => {}
        }
    }

    fn or_malformed(&mut self, oid: &Oid<'_>, read: Option<()>) {
        if read.is_none() {
            self.malformed.push(der::dotted(oid));
        }
    }

    /// Addresses of subjectAltName.
    pub(crate) fn emails(&self) -> impl Iterator<Item = &str> {
        self.alternative_names.iter().filter_map(|name| match name {
            GeneralName::Email(address) | GeneralName::Utf8Mailbox(address) => Some(address.as_str()),
            _ => None,
        })
    }
}

/// Whether a value is one element of the type that its extension has; x509-parser does not look at every tag.
fn is_well_formed(standard: Option<u8>, value: &[u8]) -> bool {
    let Some(any) = der::whole(value) else { return false };
    match standard {
        Some(14) => der::is(&any, Tag::OctetString),
        Some(15) => der::is(&any, Tag::BitString),
        Some(19) => {
            let field = |field: &Any<'_>| match field.data {
                [_] if der::is(field, Tag::Boolean) => true,
                [first, ..] => *first < 0x80 && der::is(field, Tag::Integer),
                [] => false,
            };
            der::is(&any, Tag::Sequence)
                && der::elements(any.data).is_some_and(|fields| der::in_order(&fields) && fields.iter().all(field))
        }
        Some(35) => {
            // keyIdentifier, authorityCertIssuer, authorityCertSerialNumber
            let field = |field: &Any<'_>| der::context(field, field.tag() == Tag(1)).is_some_and(|tag| tag <= 2);
            der::is(&any, Tag::Sequence)
                && der::elements(any.data).is_some_and(|fields| der::in_order(&fields) && fields.iter().all(field))
        }
        _ => true,
    }
}

fn alternative_names(value: &[u8]) -> Option<Vec<GeneralName>> {
    let sequence = der::whole(value).filter(|any| der::is(any, Tag::Sequence))?;
    general_name::of_subject(sequence.data)
}

fn purposes(value: &[u8]) -> Option<Vec<String>> {
    let sequence = der::whole(value).filter(|any| der::is(any, Tag::Sequence))?;
    let purposes: Option<Vec<String>> = der::elements(sequence.data)?.iter().map(purpose).collect();
    purposes.filter(|purposes| !purposes.is_empty())
}

fn application_policies(value: &[u8]) -> Option<Vec<String>> {
    let sequence = der::whole(value).filter(|any| der::is(any, Tag::Sequence))?;
    let policy = |policy: &Any<'_>| purpose(der::elements(policy.data)?.first()?);
    der::elements(sequence.data)?.iter().map(policy).collect()
}

fn purpose(any: &Any<'_>) -> Option<String> {
    let oid = Oid::try_from(any.clone()).ok().filter(|_| der::is(any, Tag::Oid))?;
    Some(purpose_name(&der::dotted(&oid)))
}

/// Names of RFC 5280 4.2.1.12; for Microsoft's purposes those of OpenSSL.
fn purpose_name(oid: &str) -> String {
    let name = match oid {
        "2.5.29.37.0" => "anyExtendedKeyUsage",
        "1.3.6.1.5.5.7.3.1" => "serverAuth",
        "1.3.6.1.5.5.7.3.2" => "clientAuth",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        "1.3.6.1.4.1.311.20.2.2" => "msSmartcardLogin",
        "1.3.6.1.4.1.311.10.3.4" => "msEFS",
        // Windows' name for the same
        "1.3.6.1.4.1.311.10.12.1" => "anyExtendedKeyUsage",
        other => other,
    };
    name.to_owned()
}
