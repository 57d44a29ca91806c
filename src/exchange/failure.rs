//! What the service says when it refuses, in every form it is known to say it, and what that means.

use serde_json::Value;

use crate::error::{Code, Error};
use crate::net::http::{Failure, Response};
use crate::text::Text;

use super::retry::Cause;

/// Characters of the service's own words that go into a message.
const MAX_WORDS: usize = 500;
/// Exceptions of the service that pass by themselves, as Exchange's own module lists them.
const PASSING: [&str; 5] = [
    "DCOverloadedException",
    "SuitabilityDirectoryException",
    "ServerInMMException",
    "ADServerSettingsChangedException",
    "StorageTransientException",
];
/// The part of the refusal that names the reason: the object is mastered on-premises.
const DIR_SYNCED: &str = "is being synchronized from your on-premises organization";
/// The part of the plain-text answer that stands for throttling, whatever its status.
const TOO_MANY: &str = "maximum number of concurrent requests";

/// What is to be done about an answer that is none.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The request may be repeated.
    Repeat(Cause, Error),
    /// The token was not accepted.
    Token(Error),
    /// Nothing helps.
    Final(Error),
}

/// The words of a refusal.
#[derive(Debug, Default, PartialEq, Eq)]
struct Words {
    exception: String,
    message: String,
}

/// What no complete answer means.
pub(super) fn of_transport(failure: Failure) -> Trouble {
    match failure {
        Failure::Unreachable(words) => {
            let error = Error::new(Code::ExchangeUnreachable).with("detail", words);
            Trouble::Repeat(Cause::Unreachable, remedy(error, "exchange_unreachable"))
        }
        Failure::Untrusted(words) => {
            Trouble::Final(remedy(Error::new(Code::ExchangeTls).with("detail", words), "exchange_tls"))
        }
        Failure::Timeout => {
            Trouble::Repeat(Cause::Timeout, remedy(Error::new(Code::ExchangeTimeout), "exchange_timeout"))
        }
        Failure::Interrupted(words) => {
            Trouble::Repeat(Cause::Broken, Error::new(Code::ExchangeUnreachable).with("detail", words))
        }
        Failure::TooLarge => {
            Trouble::Final(Error::new(Code::ExchangeProtocol).with("detail", "the answer is larger than allowed"))
        }
    }
}

/// That nobody has an identity.
pub(super) fn not_found() -> Error {
    remedy(Error::new(Code::ExchangeNotFound), "exchange_not_found")
}

/// That several have an identity.
pub(super) fn ambiguous() -> Error {
    remedy(Error::new(Code::ExchangeAmbiguous), "exchange_ambiguous")
}

fn remedy(error: Error, name: &'static str) -> Error {
    error.remedy(Text::plain("check", name))
}

/// What an answer with a status other than success means. `now_ms` is for a `Retry-After` that is a date.
pub(super) fn of_answer(response: &Response, now_ms: i64) -> Trouble {
    let mut words = body_words(&response.body);
    if words.exception.is_empty() {
        words.exception = response.header("x-exceptiontype").unwrap_or_default().to_owned();
    }
    if words.message.is_empty() {
        words.message = fallback(response);
    }
    meaning(response.status, &words, retry_after_ms(response, now_ms))
}

/// What errors inside a success mean (`@adminapi.errors`).
pub(super) fn of_errors(errors: &[Value]) -> Trouble {
    let words = errors.first().map(value_words).unwrap_or_default();
    meaning(400, &words, None)
}

/// What an exception met on the way through an otherwise good answer means.
fn meaning(status: u16, words: &Words, retry_after: Option<u64>) -> Trouble {
    let Words { exception, message } = words;
    let detail = |code: Code| Error::new(code).with("detail", shorten(message));
    let says = |text: &str| exception.contains(text) || message.contains(text);
    if says("ManagementObjectNotFoundException") || status == 404 {
        return Trouble::Final(not_found());
    }
    if says("ManagementObjectAmbiguousException") || message.contains("matches multiple entries") {
        return Trouble::Final(ambiguous());
    }
    if message.contains(DIR_SYNCED) {
        return Trouble::Final(Error::new(Code::ExchangeDirSynced));
    }
    let cause = match status {
        _ if message.contains(TOO_MANY) => Some(Cause::Crowded(retry_after)),
        429 => Some(Cause::Throttled(retry_after)),
        408 | 503 | 504 => Some(Cause::Busy(retry_after)),
        _ => None,
    };
    if let Some(cause) = cause {
        let error = Error::new(Code::ExchangeThrottled);
        let error = match retry_after.and_then(|wait| i64::try_from(wait).ok()) {
            Some(wait) => error.retry_after_ms(wait),
            None => error,
        };
        return Trouble::Repeat(cause, error);
    }
    if PASSING.iter().any(|name| says(name)) {
        return Trouble::Repeat(Cause::Passing, detail(Code::ExchangeRefused).passing());
    }
    match status {
        401 => Trouble::Token(remedy(detail(Code::ExchangeAuth), "exchange_auth")),
        403 => Trouble::Final(remedy(detail(Code::ExchangeDenied), "exchange_denied")),
        502 => Trouble::Repeat(Cause::Broken, detail(Code::ExchangeUnreachable)),
        500.. => Trouble::Repeat(Cause::Broken, detail(Code::ExchangeRefused).passing()),
        400..500 => Trouble::Final(detail(Code::ExchangeRefused)),
        _ => Trouble::Final(detail(Code::ExchangeProtocol)),
    }
}

/// Words where the body has none.
fn fallback(response: &Response) -> String {
    let status = format!("HTTP {}", response.status);
    match response.header("x-ms-diagnostics").or_else(|| response.header("www-authenticate")) {
        // a challenge may carry a claims request, which is no reading for people
        Some(words) => words.split("claims=").next().unwrap_or_default().trim_end_matches([',', ' ']).to_owned(),
        None => status,
    }
}

fn body_words(body: &[u8]) -> Words {
    // some refusals are nothing but NUL bytes
    let text = String::from_utf8_lossy(body).replace('\0', "");
    let text = text.trim_start_matches('\u{feff}').trim();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::String(text)) => detail_words(&text),
        Ok(value) => value_words(value.get("error").unwrap_or(&value)),
        // HTML pages of something in between, and bytes that are no text, say nothing to people
        Err(_) if text.starts_with('<') || text.contains('\u{fffd}') => Words::default(),
        Err(_) => Words { exception: String::new(), message: text.to_owned() },
    }
}

/// The words of an error object: the detail first, then the exception inside, then its own message.
fn value_words(error: &Value) -> Words {
    if let Some(text) = error.as_str() {
        return detail_words(text);
    }
    let inner = &error["innererror"]["internalexception"];
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let mut words = error["details"]
        .get(0)
        .and_then(|detail| text(&detail["message"]))
        .map(|message| detail_words(&message))
        .filter(|words| !words.message.is_empty())
        .or_else(|| Some(Words { exception: String::new(), message: text(&inner["message"])? }))
        .or_else(|| Some(detail_words(&text(&error["message"]).or_else(|| text(&error["Message"]))?)))
        .unwrap_or_default();
    if words.exception.is_empty() {
        words.exception = text(&inner["type"]).unwrap_or_default();
    }
    words
}

/// A detail is `prefix|exception|text`, a JSON object as text, or plain text.
fn detail_words(detail: &str) -> Words {
    if let Ok(Value::Object(object)) = serde_json::from_str::<Value>(detail) {
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        return Words { exception: text("TypeName"), message: text("Message") };
    }
    let mut parts = detail.splitn(3, '|');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(exception), Some(message)) if exception.contains('.') && !exception.contains(' ') => {
            Words { exception: exception.to_owned(), message: message.to_owned() }
        }
        _ => Words { exception: String::new(), message: detail.to_owned() },
    }
}

fn shorten(words: &str) -> String {
    match words.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => words[..end].to_owned(),
        None => words.to_owned(),
    }
}

/// Milliseconds of `Retry-After`: seconds, or a date (RFC 9110 10.2.3).
fn retry_after_ms(response: &Response, now_ms: i64) -> Option<u64> {
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    // the service's own clock made the date, so its own clock tells the distance
    let now_ms = response.header("date").and_then(http_date_ms).unwrap_or(now_ms);
    u64::try_from(http_date_ms(value)? - now_ms).ok()
}

/// Milliseconds since 1970 UTC of an HTTP date.
pub(super) fn http_date_ms(text: &str) -> Option<i64> {
    use time::format_description::well_known::Rfc2822;
    let time = time::OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(time.unix_timestamp() * 1000)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &[u8]) -> Trouble {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        of_answer(&Response { status, headers: HeaderMap::from_iter(headers), body: body.to_vec() }, 0)
    }

    fn error(trouble: Trouble) -> Error {
        match trouble {
            Trouble::Repeat(_, error) | Trouble::Token(error) | Trouble::Final(error) => error,
        }
    }

    fn envelope(detail: &str) -> Vec<u8> {
        json!({"error": {"code": "BadRequest", "message": "Error executing cmdlet",
            "details": [{"code": "Context", "target": "", "message": detail}],
            "innererror": {"message": "Error executing cmdlet", "internalexception": {"message": "inner", "type": "T"}}}})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn both_encodings_of_a_detail_are_understood() {
        let pipe = "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|gone";
        assert_eq!(error(answer(400, &[], &envelope(pipe))).code(), Code::ExchangeNotFound);
        let inside = r#"{"Message":"two","TypeName":"X.ManagementObjectAmbiguousException","StackTrace":null}"#;
        assert_eq!(error(answer(400, &[], &envelope(inside))).code(), Code::ExchangeAmbiguous);
        let bare = "|Microsoft.Exchange.AdminApi.AmbiguousParameterSetException|Parameter set cannot be resolved";
        let refused = error(answer(400, &[], &envelope(bare)));
        assert_eq!(refused.code(), Code::ExchangeRefused);
        assert_eq!(refused.to_string(), "Exchange Online refused the command: Parameter set cannot be resolved");
    }

    #[test]
    fn a_refusal_of_dir_synced_objects_is_its_own_state() {
        let words = "|T.X|The action 'Set-Mailbox' can't be performed on the object 'X' because the object is being \
                     synchronized from your on-premises organization.";
        assert_eq!(error(answer(400, &[], &envelope(words))).code(), Code::ExchangeDirSynced);
    }

    #[test]
    fn nul_bodies_fall_back_to_headers_and_status() {
        let denied = error(answer(403, &[("x-ms-diagnostics", "2000001;reason=\"no role\"")], &[0; 4096]));
        assert_eq!(denied.code(), Code::ExchangeDenied);
        assert!(denied.to_string().contains("no role"), "{denied}");
        assert!(error(answer(403, &[], &[0; 4096])).to_string().contains(": HTTP 403; give the application"));
        assert!(error(answer(403, &[], b"\x1f\x8b\xff\xfe")).to_string().contains(": HTTP 403; give the application"));
    }

    #[test]
    fn throttling_is_heard_in_every_form() {
        let crowded: &[u8] = b"You have reached the maximum number of concurrent requests per tenant. Please wait";
        for (status, headers, body, expected) in [
            (429, &[("retry-after", "7")][..], &b""[..], Cause::Throttled(Some(7_000))),
            (429, &[], b"", Cause::Throttled(None)),
            (503, &[], b"", Cause::Busy(None)),
            (503, &[("retry-after", "2")], b"", Cause::Busy(Some(2_000))),
            (504, &[], b"<html>", Cause::Busy(None)),
            (400, &[], crowded, Cause::Crowded(None)),
            (429, &[("retry-after", "3")], crowded, Cause::Crowded(Some(3_000))),
            (
                429,
                &[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")],
                b"",
                Cause::Throttled(Some(10_000)),
            ),
        ] {
            let Trouble::Repeat(cause, error) = answer(status, headers, body) else {
                panic!("{status} is not repeated")
            };
            assert_eq!(cause, expected, "{status}");
            assert_eq!(error.code(), Code::ExchangeThrottled);
            let (Cause::Throttled(wait) | Cause::Busy(wait) | Cause::Crowded(wait)) = cause else {
                panic!("{cause:?}")
            };
            assert_eq!(error.get_retry_after_ms(), wait.map(|wait| wait as i64));
        }
    }

    #[test]
    fn an_exception_that_passes_keeps_its_words() {
        let body = br#"{"error":{"message":"|A.StorageTransientException|later"}}"#;
        let Trouble::Repeat(Cause::Passing, error) = answer(400, &[], body) else { panic!("not repeated") };
        assert_eq!(error.to_string(), "Exchange Online refused the command: later");
        assert!(error.is_transient());
        let Trouble::Final(refused) = answer(400, &[], b"no") else { panic!("repeated") };
        assert!(!refused.is_transient());
    }

    #[test]
    fn errors_inside_a_success_count() {
        let words = json!("|A.ManagementObjectNotFoundException|gone");
        assert_eq!(error(of_errors(&[words])).code(), Code::ExchangeNotFound);
        assert_eq!(error(of_errors(&[json!({"message": "no"})])).code(), Code::ExchangeRefused);
    }

    #[test]
    fn long_words_are_cut_and_claims_left_out() {
        let long = "ä".repeat(10_000);
        assert!(error(answer(400, &[], long.as_bytes())).to_string().chars().count() < 600);
        let challenge = [("www-authenticate", r#"Bearer error="invalid_token", claims="eyJhY2Nlc3M""#)];
        let Trouble::Token(error) = answer(401, &challenge, b"") else { panic!("not a token's trouble") };
        assert!(error.to_string().contains("invalid_token") && !error.to_string().contains("eyJ"), "{error}");
    }
}
