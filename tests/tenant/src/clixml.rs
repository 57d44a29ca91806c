//! CLIXML, PowerShell's XML form of an object (`X-ResponseFormat: clixml`).

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::properties::PropertyValue;

/// One object with its properties.
pub(crate) fn object<'a>(properties: impl Iterator<Item = (&'static str, PropertyValue<'a>)>) -> String {
    let mut xml = String::from(
        "<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj RefId=\"0\">\
         <TN RefId=\"0\"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN><Props>",
    );
    for (reference, (name, value)) in properties.enumerate() {
        property(&mut xml, reference + 1, name, &value);
    }
    xml.push_str("</Props></Obj></Objs>");
    xml
}

fn property(xml: &mut String, reference: usize, name: &str, value: &PropertyValue<'_>) {
    // Writing to a String cannot fail.
    let _ = match value {
        PropertyValue::Null => write!(xml, "<Nil N=\"{name}\" />"),
        PropertyValue::Text(text) => write!(xml, "<S N=\"{name}\">{}</S>", escape(text)),
        PropertyValue::Boolean(value) => write!(xml, "<B N=\"{name}\">{value}</B>"),
        PropertyValue::Unsigned(value) => write!(xml, "<U32 N=\"{name}\">{value}</U32>"),
        PropertyValue::Guid(id) => write!(xml, "<G N=\"{name}\">{id}</G>"),
        PropertyValue::Bytes(bytes) => write!(xml, "<BA N=\"{name}\">{}</BA>", STANDARD.encode(bytes)),
        PropertyValue::TextList(texts) => {
            let items = texts.iter().map(|text| format!("<S>{}</S>", escape(text))).collect();
            return list(xml, reference, name, items);
        }
        PropertyValue::BytesList(values) => {
            let items = values.iter().map(|bytes| format!("<BA>{}</BA>", STANDARD.encode(bytes))).collect();
            return list(xml, reference, name, items);
        }
    };
}

fn list(xml: &mut String, reference: usize, name: &str, items: Vec<String>) {
    // Writing to a String cannot fail.
    let _ = write!(
        xml,
        "<Obj N=\"{name}\" RefId=\"{reference}\"><TN RefId=\"{reference}\"><T>System.Collections.ArrayList</T>\
         <T>System.Object</T></TN><LST>{}</LST></Obj>",
        items.concat()
    );
}

/// Escapes markup, and control characters the CLIXML way (`_x000A_`).
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '_' if text[position..].starts_with("_x") => escaped.push_str("_x005F_"),
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "_x{:04X}_", u32::from(control));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
