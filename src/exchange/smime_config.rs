//! `Get-SmimeConfig` and `Set-SmimeConfig`: the authorities that a tenant trusts, a serialized store.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::error::{Code, Error, Result};

use super::certificates::Values;
use super::client::{Exchange, WriteOutcome};
use super::clixml::Properties;
use super::command::{Command, Parameter};
use super::invoke::{Answer, Call, Format};

/// Its one property that matters here.
const ISSUING: &str = "SMIMECertificateIssuingCA";

/// The largest store that is uploaded, in bytes. Exchange on-premises refuses more; what Exchange Online takes is not
/// documented.
pub const MAX_STORE_BYTES: usize = 70_000;

#[derive(Deserialize)]
struct Shown {
    #[serde(rename = "_clixml")]
    clixml: Option<String>,
    #[serde(default, rename = "SMIMECertificateIssuingCA", deserialize_with = "value")]
    issuing: Values,
}

/// An empty text is no bytes; of a certificate it would be none that could be read.
fn value<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Values, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) if text.trim().is_empty() => Ok(Values::Known(Vec::new())),
        value => Values::deserialize(value).map_err(serde::de::Error::custom),
    }
}

impl Shown {
    fn values(self) -> Result<Values> {
        let Some(xml) = &self.clixml else { return Ok(self.issuing) };
        let object = Properties::read(xml).ok_or_else(|| protocol("an object that is not CLIXML"))?;
        Ok(object.values(ISSUING))
    }
}

impl Exchange {
    /// The serialized store of the authorities that the tenant trusts, as it came; `None` where it has none.
    ///
    /// # Errors
    /// `exchange_denied` where the application may not read it; `exchange_issuers` where its bytes cannot be had;
    /// what the service refuses.
    pub async fn issuing_certificates(&self) -> Result<Option<Vec<u8>>> {
        for format in [Format::Json, Format::Clixml] {
            if let Some(mut values) = self.shown(format).await?.known() {
                return match (values.pop(), values.is_empty()) {
                    (None, _) => Ok(None),
                    (Some(store), true) => Ok(Some(store.to_vec())),
                    (Some(_), false) => Err(unreadable("several values instead of one")),
                };
            }
        }
        Err(unreadable("its bytes come in no known form"))
    }

    async fn shown(&self, format: Format) -> Result<Values> {
        let command = Command { name: "Get-SmimeConfig".to_owned(), parameters: Vec::new() };
        let call = self.call(&command, Some(ISSUING), format);
        let mut answer: Answer<Shown> = self.api.invoke(call).await?;
        // there is exactly one; to take none for an empty one would cost the tenant all it has
        match (answer.values.pop(), answer.values.is_empty()) {
            (Some(shown), true) => shown.values(),
            _ => Err(protocol("not one SmimeConfig")),
        }
    }

    /// Replaces the tenant's store. Nothing is read back.
    ///
    /// # Errors
    /// `exchange_denied`; `exchange_refused` with the service's words, as for an expired certificate; what else it
    /// refuses.
    pub async fn set_issuing_certificates(&self, store: &[u8]) -> Result<WriteOutcome> {
        let parameters = vec![(ISSUING, Parameter::Bytes(store)), ("Confirm", Parameter::Switch(false))];
        let command = Command { name: "Set-SmimeConfig".to_owned(), parameters };
        let answer: Answer<IgnoredAny> = self.api.invoke(self.call(&command, None, Format::Json)).await?;
        Ok(WriteOutcome { request_id: answer.request_id, requests: answer.requests, warnings: answer.warnings })
    }

    fn call<'a>(&'a self, command: &'a Command<'a>, select: Option<&'a str>, format: Format) -> Call<'a> {
        Call { command, select, format, next: None, terms: &self.terms }
    }
}

fn unreadable(detail: &str) -> Error {
    Error::new(Code::ExchangeIssuers).with("detail", detail)
}

fn protocol(detail: &str) -> Error {
    Error::new(Code::ExchangeProtocol).with("detail", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Vec<Vec<u8>>> {
        let shown: Shown = serde_json::from_str(json).unwrap();
        Some(shown.values().unwrap().known()?.iter().map(|bytes| bytes.to_vec()).collect())
    }

    #[test]
    fn every_form_gives_the_same_store() {
        for json in [
            r#"{"SMIMECertificateIssuingCA":"AAAAAENF"}"#,
            r#"{"SMIMECertificateIssuingCA":[0,0,0,0,67,69]}"#,
            r##"{"SMIMECertificateIssuingCA":{"@odata.type":"#Exchange.ByteArrayType","Data":[0,0,0,0,67,69]}}"##,
            r#"{"SMIMECertificateIssuingCA":{"Data":"AAAAAENF"}}"#,
            r#"{"_clixml":"<Objs><Obj><MS><BA N=\"SMIMECertificateIssuingCA\">AAAAAENF</BA></MS></Obj></Objs>"}"#,
        ] {
            assert_eq!(read(json), Some(vec![b"\0\0\0\0CE".to_vec()]), "{json}");
        }
        for json in [r#"{"SMIMECertificateIssuingCA":null}"#, r#"{"SMIMECertificateIssuingCA":""}"#] {
            assert_eq!(read(json), Some(Vec::new()), "{json}");
        }
        for json in ["{}", r#"{"SMIMECertificateIssuingCA":"System.Byte[]"}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
