//! JSON whose members keep the order the service writes them in: an annotation before the property it belongs to.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// A JSON value that remembers order.
#[derive(Debug)]
pub(crate) enum Node {
    Null,
    Boolean(bool),
    Text(Cow<'static, str>),
    List(Vec<Node>),
    Object(Vec<(Cow<'static, str>, Node)>),
    /// An array of the bytes as integers.
    Integers(Vec<u8>),
    Value(Value),
}

impl Node {
    pub(crate) fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn object<const N: usize>(members: [(&'static str, Node); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Integers(bytes) => serializer.collect_seq(bytes),
            Self::Value(value) => value.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
