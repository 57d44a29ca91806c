//! Values of the certificate properties in every form an answer may have them.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The values of a certificate property as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Values {
    /// The answer does not have the property.
    #[default]
    Absent,
    /// It has, in a form that bytes cannot be had from.
    Unusable,
    /// The bytes of each value.
    Known(Vec<Arc<[u8]>>),
}

impl Values {
    /// The bytes, if they could be had.
    pub(super) fn known(self) -> Option<Vec<Arc<[u8]>>> {
        match self {
            Self::Known(values) => Some(values),
            Self::Absent | Self::Unusable => None,
        }
    }

    /// The values of base64 texts.
    pub(super) fn of_base64<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        collect(texts.into_iter().map(base64))
    }
}

/// What one element of the property's JSON is.
enum Element {
    /// A number: one byte of a value that is not wrapped in anything.
    Byte(u8),
    /// A value.
    Bytes(Vec<u8>),
    /// Neither.
    Unusable,
}

fn collect(elements: impl Iterator<Item = Element>) -> Values {
    let mut values = Vec::new();
    let mut single = Vec::new();
    for element in elements {
        match element {
            Element::Byte(byte) => single.push(byte),
            Element::Bytes(bytes) => values.push(Arc::from(bytes)),
            Element::Unusable => return Values::Unusable,
        }
    }
    match (single.is_empty(), values.is_empty()) {
        (true, _) => Values::Known(values),
        (false, true) => Values::Known(vec![Arc::from(single)]),
        (false, false) => Values::Unusable,
    }
}

/// `System.Byte[]` is no base64, and an empty value is no certificate.
fn base64(text: &str) -> Element {
    let text: String = text.split_ascii_whitespace().collect();
    match STANDARD.decode(text) {
        Ok(bytes) if !bytes.is_empty() => Element::Bytes(bytes),
        _ => Element::Unusable,
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Property;
        impl<'de> Visitor<'de> for Property {
            type Value = Values;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("certificates")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Values, E> {
                Ok(Values::Known(Vec::new()))
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Values, E> {
                Ok(Values::Unusable)
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Values, E> {
                Ok(Values::Unusable)
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Values, E> {
                Ok(Values::Unusable)
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Values, E> {
                Ok(Values::Unusable)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Values, E> {
                Ok(collect(std::iter::once(base64(text))))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Values, A::Error> {
                Ok(collect(std::iter::once(wrapped(map)?)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Values, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = sequence.next_element::<Element>()? {
                    elements.push(element);
                }
                Ok(collect(elements.into_iter()))
            }
        }
        deserializer.deserialize_any(Property)
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Element;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a certificate")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Element, E> {
                Ok(Element::Unusable)
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Element, E> {
                Ok(Element::Unusable)
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Element, E> {
                Ok(Element::Unusable)
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Element, E> {
                Ok(Element::Unusable)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Element, E> {
                Ok(u8::try_from(number).map_or(Element::Unusable, Element::Byte))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Element, E> {
                Ok(base64(text))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Element, A::Error> {
                wrapped(map)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Element, A::Error> {
                let mut bytes = Vec::with_capacity(sequence.size_hint().unwrap_or(0).min(4096));
                let mut usable = true;
                while let Some(element) = sequence.next_element::<Element>()? {
                    match element {
                        Element::Byte(byte) => bytes.push(byte),
                        Element::Bytes(_) | Element::Unusable => usable = false,
                    }
                }
                Ok(if usable && !bytes.is_empty() { Element::Bytes(bytes) } else { Element::Unusable })
            }
        }
        deserializer.deserialize_any(One)
    }
}

/// `{"Data": …}`, with whatever annotations beside it.
fn wrapped<'de, A: MapAccess<'de>>(mut map: A) -> Result<Element, A::Error> {
    let mut found = Element::Unusable;
    while let Some(key) = map.next_key::<String>()? {
        if key == "Data" {
            found = map.next_value()?;
        } else {
            map.next_value::<IgnoredAny>()?;
        }
    }
    Ok(if matches!(found, Element::Byte(_)) { Element::Unusable } else { found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Values {
        serde_json::from_str(json).unwrap()
    }

    fn known(values: &[&[u8]]) -> Values {
        Values::Known(values.iter().map(|value| Arc::from(*value)).collect())
    }

    #[test]
    fn every_form_gives_the_same_bytes() {
        for json in [
            r#"["MAMC","BAU="]"#,
            "[[48,3,2],[4,5]]",
            r#"[{"Data":[48,3,2]},{"Data":[4,5]}]"#,
            r##"[{"@odata.type":"#Exchange.ByteArrayType","Data":"MAMC"},{"Data":"BA\nU="}]"##,
        ] {
            assert_eq!(read(json), known(&[&[48, 3, 2], &[4, 5]]), "{json}");
        }
        for json in [r#""MAMC""#, "[48,3,2]", r#"{"Data":[48,3,2]}"#] {
            assert_eq!(read(json), known(&[&[48, 3, 2]]), "{json}");
        }
        assert_eq!(read("null"), known(&[]));
        assert_eq!(read("[]"), known(&[]));
    }

    #[test]
    fn what_is_no_value_makes_the_property_unusable() {
        for json in [
            r#"["System.Byte[]"]"#,
            r#""System.Byte[]""#,
            r#"["MAMC","System.Byte[]"]"#,
            "[300]",
            "[-1]",
            "[[48,256]]",
            "[1,[2]]",
            "[[]]",
            r#"[""]"#,
            r#"[{"Other":1}]"#,
            r#"[{"Data":7}]"#,
            r#"[{"Data":[{"Data":[1]}]}]"#,
            "[null]",
            "[true]",
            "7",
            "true",
            "1.5",
            r#"[{"Data":[1.5]}]"#,
        ] {
            assert_eq!(read(json), Values::Unusable, "{json}");
        }
    }
}
