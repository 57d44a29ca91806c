//! What the token endpoint says when it refuses (AADSTS codes), and what mends it.

use serde::Deserialize;

use crate::error::{Code, Error};
use crate::exchange::failure;
use crate::net::http::Response;
use crate::text::Text;

/// The assertion's key is not, or not yet, registered with the application.
const UNKNOWN_KEY: u32 = 700_027;
/// From this difference on the clocks are named as the cause: what Entra ID lets pass.
const MAX_SKEW_MS: u64 = 300_000;

/// A refusal by the token endpoint.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The number behind `AADSTS`.
    code: Option<u32>,
    words: String,
    trace_id: Option<String>,
}

impl Refusal {
    /// The refusal in an answer; `None` where the body is none of the endpoint's.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            error: Option<String>,
            error_description: Option<String>,
            error_codes: Option<Vec<u32>>,
            trace_id: Option<String>,
        }
        let body: Body = serde_json::from_slice(body).ok()?;
        let error = body.error?;
        let words = body.error_description.unwrap_or(error);
        let words = words.split("Trace ID:").next().unwrap_or_default().trim().to_owned();
        let named = words.split("AADSTS").nth(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        let named = named.flatten().and_then(|digits| digits.parse().ok());
        Some(Self {
            code: body.error_codes.unwrap_or_default().first().copied().or(named),
            words,
            trace_id: body.trace_id,
        })
    }

    /// A refusal without words.
    pub(super) fn of_status(status: u16) -> Self {
        Self { words: format!("HTTP {status}"), ..Self::default() }
    }

    /// Whether a key that was registered a moment ago may be known a moment later.
    pub(super) fn may_pass(&self) -> bool {
        self.code == Some(UNKNOWN_KEY) && !self.words.contains("expired")
    }

    /// The error, without the words of `secret`; `response` tells the service's clock.
    pub(super) fn error(self, response: &Response, secret: &str, now_ms: i64) -> Error {
        // the service is not known to repeat the secret, and must not be trusted not to
        let words = if secret.is_empty() { self.words.clone() } else { self.words.replace(secret, "") };
        let error = Error::new(Code::ExchangeAuth).with("detail", words);
        let error = match self.remedy(response, now_ms) {
            Some(remedy) => error.remedy(remedy),
            None => error,
        };
        match self.trace_id {
            Some(id) => error.request_id(id),
            None => error,
        }
    }

    fn remedy(&self, response: &Response, now_ms: i64) -> Option<Text> {
        if let Some(skew) = clock(response, now_ms) {
            return Some(skew);
        }
        let name = match self.code? {
            90_002 | 900_023 | 900_021 => "organization",
            90_038 | 500_011 => "environment",
            700_016 => "application",
            7_000_112 => "application_disabled",
            7_000_229 => "application_absent",
            7_000_215 => "secret_wrong",
            7_000_222 => "secret_expired",
            UNKNOWN_KEY if self.words.contains("expired") => "certificate_expired_there",
            UNKNOWN_KEY => "certificate_unknown",
            700_023 => "authority",
            700_024 => "clock",
            53_000..=53_004 => "conditional_access",
            _ => return None,
        };
        Some(Text::plain("sign_in", name))
    }
}

/// The difference of the two clocks in words, where it is large enough to be the cause.
fn clock(response: &Response, now_ms: i64) -> Option<Text> {
    let service_ms = response.header("date").and_then(failure::http_date_ms)?;
    let skew_ms = now_ms.abs_diff(service_ms);
    let name = if now_ms > service_ms { "clock_ahead" } else { "clock_behind" };
    (skew_ms > MAX_SKEW_MS).then(|| Text::new("sign_in", name, vec![("seconds", (skew_ms / 1000).to_string())]))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{DATE, HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;
    use crate::text::{Culture, exists};

    fn answer(date: Option<&'static str>) -> Response {
        let headers = HeaderMap::from_iter(date.map(|date| (DATE, HeaderValue::from_static(date))));
        Response { status: 401, headers, body: Vec::new() }
    }

    fn remedy(code: u32, words: &str) -> Option<String> {
        let words = format!("AADSTS{code}: {words}\r\nTrace ID: 11\r\nTimestamp: x");
        let body = json!({ "error": "invalid_client", "error_description": words, "trace_id": "11" }).to_string();
        let error = Refusal::read(body.as_bytes()).unwrap().error(&answer(None), "", 0);
        assert!(!error.to_string().contains("Trace"), "{error}");
        error.get_remedy().map(|text| text.render(Culture::English))
    }

    #[test]
    fn every_known_refusal_names_its_remedy() {
        for (code, word) in [
            (90_002, "organization"),
            (500_011, "environment"),
            (700_016, "app_id"),
            (7_000_112, "enable"),
            (7_000_229, "consent"),
            (7_000_215, "secret's value"),
            (7_000_222, "new secret"),
            (700_027, "upload"),
            (700_023, "authority_url"),
            (700_024, "clock"),
            (53_003, "conditional access"),
        ] {
            let remedy = remedy(code, "no").unwrap();
            assert!(remedy.contains(word), "{code}: {remedy}");
            assert!(!remedy.starts_with("sign_in."), "{code}");
        }
        assert_eq!(remedy(999_999, "no"), None);
        assert!(remedy(700_027, "the certificate is expired").unwrap().contains("new certificate"));
        for name in ["clock_ahead", "clock_behind", "token_audience"] {
            assert!(exists(Culture::English, "sign_in", name), "{name}");
        }
    }

    #[test]
    fn clocks_that_differ_are_the_first_suspects() {
        let body = json!({ "error": "invalid_client", "error_codes": [700024] }).to_string();
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let service_ms = failure::http_date_ms(date).unwrap();
        let words = |now_ms: i64| {
            let error = Refusal::read(body.as_bytes()).unwrap().error(&answer(Some(date)), "", now_ms);
            error.get_remedy().unwrap().render(Culture::English)
        };
        assert!(words(service_ms + 301_000).contains("301 s ahead"));
        assert!(words(service_ms - 7_200_000).contains("7200 s behind"));
        assert_eq!(words(service_ms + 299_000), "check this machine's clock");
    }

    #[test]
    fn only_a_key_that_is_not_known_yet_is_worth_another_try() {
        let read =
            |words: &str| Refusal::read(json!({ "error": "x", "error_description": words }).to_string().as_bytes());
        assert!(read("AADSTS700027: The certificate is not registered.").unwrap().may_pass());
        assert!(!read("AADSTS700027: The certificate is expired.").unwrap().may_pass());
        assert!(!read("AADSTS7000215: no").unwrap().may_pass());
        assert_eq!(Refusal::read(b"<html>"), None);
        assert_eq!(Refusal::read(b"{}"), None);
    }

    #[test]
    fn a_secret_is_taken_out_of_the_services_words() {
        let body = json!({ "error": "x", "error_description": "AADSTS7000215: Invalid client secret s3cret." });
        let error = Refusal::read(body.to_string().as_bytes()).unwrap().error(&answer(None), "s3cret", 0);
        assert!(error.to_string().contains("AADSTS7000215") && !error.to_string().contains("s3cret"), "{error}");
    }
}
