//! The extensions a verdict depends on (RFC 5280 4.2.1), read strictly enough that nothing is taken for less than it is.

use x509_parser::asn1_rs::{Class, FromDer, Oid, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};
use x509_parser::x509::X509Name;

use super::der;
use super::name::{self, NameKey};

const ANY_POLICY: &str = "2.5.29.32.0";
const SMTP_UTF8_MAILBOX: &str = "1.3.6.1.5.5.7.8.9";

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

/// One place where a CRL can be (RFC 5280 4.2.1.13), or the place a CRL says it is for (5.2.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DistributionPoint {
    /// Full names as comparison keys; empty where there is none or the name is relative to the issuer.
    pub(crate) names: Vec<Box<[u8]>>,
    /// Whether the name is relative to the issuer.
    pub(crate) relative: bool,
    /// Whether it is only for some reasons.
    pub(crate) some_reasons: bool,
    /// Whether another authority issues its CRL.
    pub(crate) other_issuer: bool,
}

/// What the extensions of a certificate say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extensions {
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    /// Purposes by name, else by number; `None` without the extension.
    pub(crate) extended_key_usage: Option<Vec<String>>,
    pub(crate) subject_key_identifier: Option<Box<[u8]>>,
    pub(crate) authority_key_identifier: Option<Box<[u8]>>,
    pub(crate) distribution_points: Vec<DistributionPoint>,
    pub(crate) has_name_constraints: bool,
    /// requireExplicitPolicy of policyConstraints.
    pub(crate) require_explicit_policy: Option<u32>,
    /// Whether policyMappings names anyPolicy, which RFC 5280 6.1.4 (a) forbids.
    pub(crate) maps_any_policy: bool,
    /// Addresses of subjectAltName.
    pub(crate) alternative_emails: Vec<String>,
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
        let mut seen: Vec<String> = Vec::new();
        for extension in certificate.extensions() {
            let oid = extension.oid.to_id_string();
            if seen.contains(&oid) {
                if !extensions.duplicates.contains(&oid) {
                    extensions.duplicates.push(oid);
                }
                continue;
            }
            extensions.take(&oid, extension);
            seen.push(oid);
        }
        extensions
    }

    fn take(&mut self, oid: &str, extension: &X509Extension<'_>) {
        let parsed = extension.parsed_extension();
        let whole = der::whole(extension.value).is_some();
        match (oid, parsed) {
            ("2.5.29.19", ParsedExtension::BasicConstraints(found)) if whole => {
                self.basic_constraints =
                    Some(BasicConstraints { ca: found.ca, path_length: found.path_len_constraint });
            }
            ("2.5.29.15", ParsedExtension::KeyUsage(found)) if whole => self.key_usage = Some(KeyUsage(found.flags)),
            ("2.5.29.37", _) => match purposes(extension.value) {
                Some(purposes) => self.extended_key_usage = Some(purposes),
                None => self.malformed.push(oid.to_owned()),
            },
            ("2.5.29.14", ParsedExtension::SubjectKeyIdentifier(id)) if whole => {
                self.subject_key_identifier = Some(id.0.into());
            }
            ("2.5.29.35", ParsedExtension::AuthorityKeyIdentifier(id)) if whole => {
                self.authority_key_identifier = id.key_identifier.as_ref().map(|id| id.0.into());
            }
            ("2.5.29.17", ParsedExtension::SubjectAlternativeName(found)) if whole => {
                self.alternative_name_malformed = found.general_names.is_empty();
                for name in &found.general_names {
                    self.take_alternative_name(name);
                }
            }
            ("2.5.29.17", _) => self.alternative_name_malformed = true,
            ("2.5.29.31", _) => match distribution_points(extension.value) {
                Some(points) => self.distribution_points = points,
                None => self.malformed.push(oid.to_owned()),
            },
            ("2.5.29.36", ParsedExtension::PolicyConstraints(found)) if whole => {
                self.require_explicit_policy = found.require_explicit_policy;
            }
            ("2.5.29.33", ParsedExtension::PolicyMappings(found)) if whole => {
                self.maps_any_policy = found.mappings.iter().any(|mapping| {
                    mapping.issuer_domain_policy.to_id_string() == ANY_POLICY
                        || mapping.subject_domain_policy.to_id_string() == ANY_POLICY
                });
            }
            ("2.5.29.30", _) => self.has_name_constraints = true,
            // policies and inhibitAnyPolicy matter only once an explicit policy is required
            ("2.5.29.32" | "2.5.29.54", _) => {}
            ("2.5.29.14" | "2.5.29.15" | "2.5.29.19" | "2.5.29.33" | "2.5.29.35" | "2.5.29.36", _) => {
                self.malformed.push(oid.to_owned());
            }
            _ if extension.critical => self.unknown_critical.push(oid.to_owned()),
            _ => {}
        }
    }

    fn take_alternative_name(&mut self, name: &GeneralName<'_>) {
        let address = match name {
            // rfc822Name is an IA5String; what is not cannot be compared safely
            GeneralName::RFC822Name(address) => address.is_ascii().then(|| (*address).to_owned()),
            GeneralName::OtherName(oid, value) if oid.to_id_string() == SMTP_UTF8_MAILBOX => utf8_mailbox(value),
            GeneralName::Invalid(..) => None,
            _ => return,
        };
        match address {
            Some(address) if !address.contains(char::is_control) => self.alternative_emails.push(address),
            _ => self.alternative_name_malformed = true,
        }
    }
}

/// The value of an otherName SmtpUTF8Mailbox (RFC 9598 3): `[0] EXPLICIT UTF8String`.
fn utf8_mailbox(value: &[u8]) -> Option<String> {
    let inner = der::whole(value).filter(|any| any.class() == Class::ContextSpecific && any.tag() == Tag(0))?;
    let text = der::whole(inner.data).filter(|any| any.tag() == Tag::Utf8String)?;
    name::text(&text)
}

fn purposes(value: &[u8]) -> Option<Vec<String>> {
    let sequence = der::whole(value).filter(|any| any.tag() == Tag::Sequence)?;
    let purposes: Option<Vec<String>> = der::elements(sequence.data)?
        .into_iter()
        .map(|any| Oid::try_from(any).ok().map(|oid| purpose_name(&oid.to_id_string())))
        .collect();
    purposes.filter(|purposes| !purposes.is_empty())
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
        other => other,
    };
    name.to_owned()
}

fn distribution_points(value: &[u8]) -> Option<Vec<DistributionPoint>> {
    let sequence = der::whole(value).filter(|any| any.tag() == Tag::Sequence)?;
    der::elements(sequence.data)?
        .into_iter()
        .map(|point| {
            let mut found = DistributionPoint::default();
            for field in der::elements(point.data)? {
                match field.tag().0 {
                    0 => distribution_point_name(field.data, &mut found)?,
                    1 => found.some_reasons = true,
                    2 => found.other_issuer = true,
                    _ => return None,
                }
            }
            Some(found)
        })
        .collect()
}

/// DistributionPointName: `[0]` full names or `[1]` a name relative to the issuer.
pub(super) fn distribution_point_name(value: &[u8], into: &mut DistributionPoint) -> Option<()> {
    let choice = der::whole(value)?;
    match choice.tag().0 {
        0 => {
            for general_name in der::elements(choice.data)? {
                let tag = u8::try_from(general_name.tag().0).ok()?;
                let key = match tag {
                    4 => {
                        let (_, name) = X509Name::from_der(general_name.data).ok()?;
                        NameKey::of(&name).as_bytes().to_vec()
                    }
                    _ => general_name.data.to_vec(),
                };
                into.names.push([&[tag], key.as_slice()].concat().into());
            }
        }
        1 => into.relative = true,
        _ => return None,
    }
    Some(())
}
