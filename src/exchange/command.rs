//! A cmdlet and its parameters in the shape that `InvokeCommand` is proven to take.

use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

/// The type annotation of one byte array.
const BYTE_ARRAY: &str = "#Exchange.ByteArrayType";
/// The type annotation of a collection of byte arrays.
const BYTE_ARRAYS: &str = "#Collection(Exchange.ByteArrayType)";

/// The value of a parameter.
#[derive(Debug)]
pub(super) enum Parameter<'a> {
    /// Text.
    Text(&'a str),
    /// Texts.
    Texts(&'a [String]),
    /// A number.
    Number(u64),
    /// A switch.
    Switch(bool),
    /// Values of a certificate attribute, which replace all there are; none clears it.
    Certificates(&'a [Arc<[u8]>]),
    /// One byte array.
    Bytes(&'a [u8]),
}

/// A cmdlet with its parameters.
#[derive(Debug)]
pub(super) struct Command<'a> {
    /// Its name.
    pub(super) name: String,
    /// Its parameters in order.
    pub(super) parameters: Vec<(&'static str, Parameter<'a>)>,
}

impl Command<'_> {
    /// The identity it is about, if it is about one recipient.
    pub(super) fn identity(&self) -> Option<&str> {
        self.parameters.iter().find_map(|(name, value)| match value {
            Parameter::Text(identity) if *name == "Identity" => Some(*identity),
            _ => None,
        })
    }

    /// The request's body.
    pub(super) fn body(&self) -> serde_json::Result<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Body<'a> {
            cmdlet_input: Input<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Input<'a> {
            cmdlet_name: &'a str,
            parameters: Parameters<'a>,
        }
        let parameters = Parameters(&self.parameters);
        serde_json::to_vec(&Body { cmdlet_input: Input { cmdlet_name: &self.name, parameters } })
    }
}

struct Parameters<'a>(&'a [(&'static str, Parameter<'a>)]);

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0 {
            match value {
                Parameter::Text(text) => map.serialize_entry(name, text)?,
                Parameter::Texts(texts) => map.serialize_entry(name, texts)?,
                Parameter::Number(number) => map.serialize_entry(name, number)?,
                Parameter::Switch(on) => map.serialize_entry(name, on)?,
                Parameter::Bytes(data) => {
                    map.serialize_entry(name, &TypedByteArray { kind: BYTE_ARRAY, data })?;
                }
                // an empty collection does not clear in every cmdlet, null does
                Parameter::Certificates([]) => map.serialize_entry(name, &())?,
                Parameter::Certificates(values) => {
                    map.serialize_entry(&format!("{name}@odata.type"), BYTE_ARRAYS)?;
                    map.serialize_entry(name, &ByteArrays(values))?;
                }
            }
        }
        map.end()
    }
}

/// One byte array says by itself what it is; those of a collection are said to be by an annotation beside it.
#[derive(Serialize)]
struct TypedByteArray<'a> {
    #[serde(rename = "@odata.type")]
    kind: &'static str,
    #[serde(rename = "Data")]
    data: &'a [u8],
}

struct ByteArrays<'a>(&'a [Arc<[u8]>]);

impl Serialize for ByteArrays<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct ByteArray<'a> {
            data: &'a [u8],
        }
        serializer.collect_seq(self.0.iter().map(|data| ByteArray { data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_has_the_proven_shape() {
        let values = [Arc::from([48, 130, 3, 88])];
        let command = Command {
            name: "Set-Mailbox".to_owned(),
            parameters: vec![
                ("Identity", Parameter::Text("2f6d8d1e-0000-4000-8000-000000000001")),
                ("UserCertificate", Parameter::Certificates(&values)),
                ("UserSMimeCertificate", Parameter::Certificates(&[])),
                ("Confirm", Parameter::Switch(false)),
            ],
        };
        let expected = r##"{"CmdletInput":{"CmdletName":"Set-Mailbox","Parameters":{"Identity":"2f6d8d1e-0000-4000-8000-000000000001","UserCertificate@odata.type":"#Collection(Exchange.ByteArrayType)","UserCertificate":[{"Data":[48,130,3,88]}],"UserSMimeCertificate":null,"Confirm":false}}}"##;
        assert_eq!(String::from_utf8(command.body().unwrap()).unwrap(), expected);
    }

    #[test]
    fn one_byte_array_says_what_it_is() {
        let command = Command {
            name: "Set-SmimeConfig".to_owned(),
            parameters: vec![
                ("SMIMECertificateIssuingCA", Parameter::Bytes(&[0, 0, 0, 0, 67])),
                ("Confirm", Parameter::Switch(false)),
            ],
        };
        let expected = r##"{"CmdletInput":{"CmdletName":"Set-SmimeConfig","Parameters":{"SMIMECertificateIssuingCA":{"@odata.type":"#Exchange.ByteArrayType","Data":[0,0,0,0,67]},"Confirm":false}}}"##;
        assert_eq!(String::from_utf8(command.body().unwrap()).unwrap(), expected);
    }

    #[test]
    fn no_parameters_are_an_empty_object() {
        let command = Command { name: "Get-Mailbox".to_owned(), parameters: Vec::new() };
        let expected = r#"{"CmdletInput":{"CmdletName":"Get-Mailbox","Parameters":{}}}"#;
        assert_eq!(String::from_utf8(command.body().unwrap()).unwrap(), expected);
    }
}
