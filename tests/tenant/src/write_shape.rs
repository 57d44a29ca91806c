//! The shapes in which bytes are accepted: those the official module sends, and no others.

use serde_json::{Map, Value};

/// Annotation of a parameter that holds a collection of byte strings.
pub(crate) const BYTE_ARRAY_COLLECTION: &str = "#Collection(Exchange.ByteArrayType)";
/// Annotation of one byte string.
pub(crate) const BYTE_ARRAY: &str = "#Exchange.ByteArrayType";

/// Reads `[{"Data":[48,130,…]},…]` with its sibling annotation, or `null` without one, which means no values.
///
/// The error says what is wrong, in the words of a conversion error.
pub(crate) fn certificates(parameters: &Map<String, Value>, name: &str) -> Result<Vec<Vec<u8>>, String> {
    let annotation = parameters.get(&format!("{name}@odata.type"));
    match parameters.get(name) {
        None => Err("the annotation has no value.".to_owned()),
        Some(Value::Null) => match annotation {
            None => Ok(Vec::new()),
            Some(_) => Err("null with a type annotation.".to_owned()),
        },
        Some(Value::Array(values)) => {
            if annotation.and_then(Value::as_str) != Some(BYTE_ARRAY_COLLECTION) {
                return Err(format!("the annotation is not {BYTE_ARRAY_COLLECTION}."));
            }
            if values.is_empty() {
                return Err("the collection is empty.".to_owned());
            }
            values.iter().map(certificate).collect()
        }
        Some(_) => Err("the value is not a collection.".to_owned()),
    }
}

fn certificate(value: &Value) -> Result<Vec<u8>, String> {
    let Some(members) = value.as_object() else {
        return Err("an element is not an object.".to_owned());
    };
    if members.len() != 1 {
        return Err("an element has other members than Data.".to_owned());
    }
    let bytes = data(members)?;
    if bytes.is_empty() { Err("an element is empty.".to_owned()) } else { Ok(bytes) }
}

/// Reads `{"@odata.type":"#Exchange.ByteArrayType","Data":[…]}`, or `null`; both null and no data mean no bytes.
pub(crate) fn byte_array(value: &Value) -> Result<Option<Vec<u8>>, String> {
    let members = match value {
        Value::Null => return Ok(None),
        Value::Object(members) => members,
        _ => return Err("the value is not an object.".to_owned()),
    };
    if members.get("@odata.type").and_then(Value::as_str) != Some(BYTE_ARRAY) || members.len() != 2 {
        return Err(format!("the members are not @odata.type {BYTE_ARRAY} and Data."));
    }
    let bytes = data(members)?;
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}

fn data(members: &Map<String, Value>) -> Result<Vec<u8>, String> {
    let Some(Value::Array(numbers)) = members.get("Data") else {
        return Err("Data is not an array.".to_owned());
    };
    numbers
        .iter()
        .map(|number| {
            number.as_u64().and_then(|byte| u8::try_from(byte).ok()).ok_or("Data holds more than 0 to 255.".to_owned())
        })
        .collect()
}
