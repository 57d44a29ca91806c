//! CLIXML, PowerShell's XML form of an object ([MS-PSRP] 2.2.5), as far as recipients need it.

use std::collections::HashMap;

use roxmltree::{Document, Node};

use super::certificates::Values;

/// The properties of one object by name.
#[derive(Debug, Default)]
pub(super) struct Properties(HashMap<String, Property>);

#[derive(Debug, PartialEq, Eq)]
enum Property {
    /// `$null`.
    Nil,
    /// Anything that has a text.
    Text(String),
    /// A collection of texts.
    List(Vec<String>),
    /// `byte[]`, or a collection of them, as base64; an empty collection may be of anything.
    Bytes(Vec<String>),
}

impl Properties {
    /// The properties of the first object in the text; `None` where it is not CLIXML.
    pub(super) fn read(xml: &str) -> Option<Self> {
        let document = Document::parse(xml.trim_start_matches('\u{feff}')).ok()?;
        let object = document.root_element().children().find(|node| is(node, "Obj"))?;
        let mut properties = HashMap::new();
        // adapted properties come first, added ones may replace them
        for group in object.children().filter(|node| is(node, "Props") || is(node, "MS")) {
            for node in group.children().filter(Node::is_element) {
                if let Some(name) = node.attribute("N") {
                    properties.insert(unescape(name), property(&node));
                }
            }
        }
        Some(Self(properties))
    }

    /// A property's text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Property::Text(text) => Some(text.clone()),
            Property::Nil | Property::List(_) | Property::Bytes(_) => None,
        }
    }

    /// A property that is true or false.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.text(name)?.to_ascii_lowercase().parse().ok()
    }

    /// A property's texts.
    pub(super) fn list(&self, name: &str) -> Option<Vec<String>> {
        match self.0.get(name)? {
            Property::Nil => Some(Vec::new()),
            Property::Text(text) => Some(vec![text.clone()]),
            Property::List(texts) => Some(texts.clone()),
            Property::Bytes(values) => values.is_empty().then(Vec::new),
        }
    }

    /// A certificate property.
    pub(super) fn values(&self, name: &str) -> Values {
        match self.0.get(name) {
            None => Values::Absent,
            Some(Property::Nil) => Values::Known(Vec::new()),
            Some(Property::Bytes(values)) => Values::of_base64(values.iter().map(String::as_str)),
            // a plain text is what `byte[]` becomes when nobody serialises it
            Some(Property::Text(_) | Property::List(_)) => Values::Unusable,
        }
    }
}

fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn property(node: &Node<'_, '_>) -> Property {
    match node.tag_name().name() {
        "Nil" => Property::Nil,
        "BA" => Property::Bytes(vec![text(node)]),
        "Obj" => object(node),
        _ => Property::Text(unescape(&text(node))),
    }
}

/// A nested object is a collection, or known by its text. Collections within collections are not looked into, which
/// also bounds the recursion.
fn object(node: &Node<'_, '_>) -> Property {
    let items = node.children().find(|child| ["LST", "IE", "STK", "QUE"].iter().any(|name| is(child, name)));
    let Some(items) = items else { return single(node) };
    let items = items.children().filter(Node::is_element);
    let items: Vec<_> = items.map(|item| if is(&item, "Obj") { single(&item) } else { property(&item) }).collect();
    if items.iter().all(|item| matches!(item, Property::Bytes(_))) {
        let bytes = items.into_iter().flat_map(|item| match item {
            Property::Bytes(values) => values,
            Property::Nil | Property::Text(_) | Property::List(_) => Vec::new(),
        });
        return Property::Bytes(bytes.collect());
    }
    let texts = items.into_iter().filter_map(|item| match item {
        Property::Text(text) => Some(text),
        Property::Nil | Property::List(_) | Property::Bytes(_) => None,
    });
    Property::List(texts.collect())
}

/// An enumeration or the like is known by its `ToString`; a `byte[]` may be an object of its own.
fn single(node: &Node<'_, '_>) -> Property {
    let bytes = node.children().find(|child| is(child, "BA"));
    bytes.map_or_else(|| Property::Text(shown(node)), |bytes| Property::Bytes(vec![text(&bytes)]))
}

fn shown(node: &Node<'_, '_>) -> String {
    node.children().find(|child| is(child, "ToString")).map(|child| unescape(&text(&child))).unwrap_or_default()
}

fn text(node: &Node<'_, '_>) -> String {
    node.children().filter_map(|child| child.text()).collect()
}

/// Undoes `_x000A_`: UTF-16 units, so that a character beyond the first plane comes as two.
fn unescape(text: &str) -> String {
    if !text.contains("_x") {
        return text.to_owned();
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("_x") {
        units.extend(rest[..start].encode_utf16());
        let tail = &rest[start..];
        let unit = tail.get(2..6).filter(|_| tail.as_bytes().get(6) == Some(&b'_'));
        match unit.and_then(|unit| u16::from_str_radix(unit, 16).ok()) {
            Some(unit) => {
                units.push(unit);
                rest = &tail[7..];
            }
            None => {
                units.extend("_x".encode_utf16());
                rest = &tail[2..];
            }
        }
    }
    units.extend(rest.encode_utf16());
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const OBJECT: &str = r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0">
        <TN RefId="0"><T>Microsoft.Exchange.Data.Mailbox</T></TN><ToString>ann</ToString><Props>
        <S N="DisplayName">Ann_x000A_B &amp; C _x005F_x _xD83D__xDE00_</S><G N="Guid">2f6d8d1e-0000-4000-8000-000000000001</G>
        <B N="IsDirSynced">true</B><Nil N="ImmutableId" />
        <Obj N="RecipientTypeDetails" RefId="1"><TN RefId="1"><T>Enum</T></TN><ToString>UserMailbox</ToString><I64>1</I64></Obj>
        <Obj N="EmailAddresses" RefId="2"><TN RefId="2"><T>List</T></TN><LST><S>SMTP:a@x</S>
          <Obj RefId="3"><ToString>smtp:b@x</ToString></Obj></LST></Obj>
        <Obj N="UserCertificate" RefId="4"><TNRef RefId="2"/><LST><BA>MAMC</BA><BA>BAU=</BA></LST></Obj>
        <BA N="UserSMimeCertificate">MAMC</BA><Obj N="Empty" RefId="5"><LST /></Obj>
        <Obj N="Strings" RefId="6"><LST><S>System.Byte[]</S></LST></Obj></Props></Obj></Objs>"#;

    #[test]
    fn properties_of_every_kind_are_read() {
        let object = Properties::read(OBJECT).unwrap();
        assert_eq!(object.text("DisplayName").unwrap(), "Ann\nB & C _x \u{1f600}");
        assert_eq!(object.text("Guid").unwrap(), "2f6d8d1e-0000-4000-8000-000000000001");
        assert_eq!(object.text("RecipientTypeDetails").unwrap(), "UserMailbox");
        assert_eq!(object.flag("IsDirSynced"), Some(true));
        assert_eq!(object.text("ImmutableId"), None);
        assert_eq!(object.list("EmailAddresses").unwrap(), ["SMTP:a@x", "smtp:b@x"]);
        let bytes = |values: &[&[u8]]| Values::Known(values.iter().map(|value| Arc::from(*value)).collect());
        assert_eq!(object.values("UserCertificate"), bytes(&[&[48, 3, 2], &[4, 5]]));
        assert_eq!(object.values("UserSMimeCertificate"), bytes(&[&[48, 3, 2]]));
        assert_eq!(object.values("Empty"), bytes(&[]));
        assert_eq!(object.values("Strings"), Values::Unusable);
        assert_eq!(object.values("Nothing"), Values::Absent);
    }

    #[test]
    fn what_is_not_clixml_is_nothing() {
        for xml in ["", "text", "<Objs/>", "<a><b></a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><Objs><Obj>&x;</Obj></Objs>"]
        {
            assert!(Properties::read(xml).is_none(), "{xml}");
        }
        let deep = format!("<Objs><Obj><MS><Obj N=\"a\">{}", "<LST><Obj>".repeat(100_000));
        assert!(Properties::read(&deep).is_none());
        let closed = format!("{deep}{}</Obj></MS></Obj></Objs>", "</Obj></LST>".repeat(100_000));
        assert_eq!(Properties::read(&closed).unwrap().text("a"), None);
    }

    #[test]
    fn escapes_that_are_none_stay() {
        assert_eq!(unescape("_x00_ _xäöü_ _x"), "_x00_ _xäöü_ _x");
    }
}
