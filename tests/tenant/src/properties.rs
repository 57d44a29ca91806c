//! The properties Exchange shows of an object, and how JSON and CLIXML answers write them.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::node::Node;
use crate::state::Recipient;
use crate::switches::ReadBack;
use crate::write_shape::{BYTE_ARRAY, BYTE_ARRAY_COLLECTION};

/// A property's value, borrowed from the object.
#[derive(Debug)]
pub(crate) enum PropertyValue<'a> {
    Null,
    Text(Cow<'a, str>),
    Boolean(bool),
    Unsigned(u64),
    Guid(Uuid),
    TextList(&'a [String]),
    Bytes(&'a [u8]),
    BytesList(&'a [Vec<u8>]),
}

impl<'a> PropertyValue<'a> {
    fn optional(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(Cow::Borrowed(text)))
    }
}

/// Reads one property.
pub(crate) type Getter = for<'a> fn(&'a Recipient) -> PropertyValue<'a>;

/// What every `Get-*` of a recipient shows.
const COMMON: &[(&str, Getter)] = &[
    ("Identity", |r| PropertyValue::Text(r.external_directory_object_id.unwrap_or(r.guid).to_string().into())),
    ("Guid", |r| PropertyValue::Guid(r.guid)),
    ("ExternalDirectoryObjectId", |r| {
        PropertyValue::Text(r.external_directory_object_id.map(|id| id.to_string()).unwrap_or_default().into())
    }),
    ("DisplayName", |r| PropertyValue::Text(Cow::Borrowed(&r.display_name))),
    ("UserPrincipalName", |r| PropertyValue::optional(r.user_principal_name.as_deref())),
    ("PrimarySmtpAddress", |r| PropertyValue::Text(Cow::Borrowed(&r.primary_smtp_address))),
    ("EmailAddresses", |r| PropertyValue::TextList(&r.email_addresses)),
    ("RecipientTypeDetails", |r| PropertyValue::Text(Cow::Borrowed(r.recipient_type_details.name()))),
    ("IsDirSynced", |r| PropertyValue::Boolean(r.is_dir_synced)),
    ("IsExchangeCloudManaged", |r| PropertyValue::Boolean(r.is_exchange_cloud_managed)),
    ("ImmutableId", |r| PropertyValue::optional(r.immutable_id.as_deref())),
];

/// What `Get-Recipient` does not show.
const CERTIFICATES: &[(&str, Getter)] = &[
    ("UserSMimeCertificate", |r| PropertyValue::BytesList(&r.user_smime_certificate)),
    ("UserCertificate", |r| PropertyValue::BytesList(&r.user_certificate)),
];

/// The names filters use for the certificates.
const FILTER_ONLY: &[(&str, Getter)] = &[
    ("Certificate", |r| PropertyValue::BytesList(&r.user_certificate)),
    ("SMimeCertificate", |r| PropertyValue::BytesList(&r.user_smime_certificate)),
];

/// The property a filter means by `name`, without case.
pub(crate) fn filter_property(name: &str) -> Option<Getter> {
    COMMON.iter().chain(FILTER_ONLY).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, getter)| *getter)
}

/// A recipient's properties in the order they are written.
pub(crate) fn of_recipient(
    recipient: &Recipient,
    with_certificates: bool,
) -> impl Iterator<Item = (&'static str, PropertyValue<'_>)> {
    let certificates = if with_certificates { CERTIFICATES } else { &[] };
    COMMON.iter().chain(certificates).map(|(name, getter)| (*name, getter(recipient)))
}

/// The properties asked for with `$select`; everything without it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Select(Option<Vec<String>>);

impl Select {
    /// Reads the query option's value, already percent-decoded.
    pub(crate) fn parse(text: &str) -> Self {
        Self(Some(text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()))
    }

    fn wants(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }

    /// The option's value as it stands in a link.
    pub(crate) fn text(&self) -> Option<String> {
        self.0.as_ref().map(|names| names.join(","))
    }
}

/// How one answer shows objects.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    Json(ReadBack),
    Clixml,
}

/// One element of `value`.
pub(crate) fn render<'a>(
    properties: impl Iterator<Item = (&'static str, PropertyValue<'a>)>,
    select: &Select,
    format: Format,
) -> Node {
    let wanted = properties.filter(|(name, _)| select.wants(name));
    match format {
        Format::Json(read_back) => json_object(wanted, read_back),
        Format::Clixml => Node::object([("_clixml", Node::text(crate::clixml::object(wanted)))]),
    }
}

fn json_object<'a>(properties: impl Iterator<Item = (&'static str, PropertyValue<'a>)>, read_back: ReadBack) -> Node {
    let mut members: Vec<(Cow<'static, str>, Node)> = Vec::new();
    for (name, value) in properties {
        let annotate = |annotation: &'static str| (Cow::Owned(format!("{name}@odata.type")), Node::text(annotation));
        let node = match value {
            PropertyValue::Null => Node::Null,
            PropertyValue::Text(text) => Node::text(text.into_owned()),
            PropertyValue::Boolean(value) => Node::Boolean(value),
            PropertyValue::Unsigned(value) => Node::Value(value.into()),
            PropertyValue::Guid(id) => {
                members.push((Cow::Borrowed(name), Node::text(id.to_string())));
                members.push((Cow::Owned(format!("{name}@data.type")), Node::text("System.Guid")));
                continue;
            }
            PropertyValue::TextList(texts) => {
                members.push(annotate("#Collection(String)"));
                Node::List(texts.iter().map(|text| Node::text(text.clone())).collect())
            }
            PropertyValue::Bytes(_) | PropertyValue::BytesList(_) if read_back == ReadBack::ClixmlOnly => continue,
            PropertyValue::Bytes(bytes) => {
                if read_back == ReadBack::Data {
                    members.push(annotate(BYTE_ARRAY));
                }
                json_bytes(bytes, read_back)
            }
            PropertyValue::BytesList(values) => {
                let typed = read_back == ReadBack::Data && !values.is_empty();
                members.push(annotate(if typed { BYTE_ARRAY_COLLECTION } else { "#Collection(String)" }));
                Node::List(values.iter().map(|bytes| json_bytes(bytes, read_back)).collect())
            }
        };
        members.push((Cow::Borrowed(name), node));
    }
    Node::Object(members)
}

fn json_bytes(bytes: &[u8], read_back: ReadBack) -> Node {
    match read_back {
        ReadBack::Base64 | ReadBack::ClixmlOnly => Node::text(STANDARD.encode(bytes)),
        ReadBack::TypeName => Node::text("System.Byte[]"),
        ReadBack::Data => Node::object([("Data", Node::Integers(bytes.to_vec()))]),
    }
}
