//! Claims challenges (continuous access evaluation): the service names what the next token has to hold.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde_json::Value;

/// Longest challenge that is passed on.
const MAX_CLAIMS: usize = 16 << 10;

/// The claims that an answer asks for, as the JSON text that goes to the token endpoint.
pub(in crate::exchange) fn claims(headers: &HeaderMap) -> Option<String> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    challenges.filter_map(parameter).find_map(decode)
}

/// The value of the parameter `claims`, which other parameters' values may mention.
fn parameter(challenge: &str) -> Option<&str> {
    let mut rest = challenge;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.rsplit([' ', ',']).next().unwrap_or_default();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if name.eq_ignore_ascii_case("claims") {
            return Some(value.trim());
        }
        rest = after;
    }
}

fn decode(text: &str) -> Option<String> {
    if text.len() > MAX_CLAIMS {
        return None;
    }
    let bare = text.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.is_object().then(|| claims.to_string())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(challenges: &[&str]) -> Option<String> {
        let value = |text: &&str| (WWW_AUTHENTICATE, HeaderValue::from_str(text).unwrap());
        let mut headers = HeaderMap::new();
        challenges.iter().map(value).for_each(|(name, value)| {
            headers.append(name, value);
        });
        claims(&headers)
    }

    #[test]
    fn a_challenge_is_found_among_its_parameters_and_decoded() {
        let json = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
        for encoded in
            [STANDARD_NO_PAD.encode(json), URL_SAFE_NO_PAD.encode(json), format!("{}==", STANDARD_NO_PAD.encode(json))]
        {
            let quoted = format!(
                r#"Bearer realm="", authorization_uri="https://login.test/a?claims=no", error="insufficient_claims", claims="{encoded}""#
            );
            let found = asked(&["Negotiate", &quoted]).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&found).unwrap(), serde_json::from_str::<Value>(json).unwrap());
        }
        let bare = format!("Bearer error=x, claims={}", URL_SAFE_NO_PAD.encode(json));
        assert!(asked(&[&bare]).is_some());
    }

    #[test]
    fn what_is_no_challenge_asks_for_nothing() {
        let huge = format!("Bearer claims=\"{}\"", "A".repeat(MAX_CLAIMS + 4));
        let list = format!("Bearer claims=\"{}\"", STANDARD_NO_PAD.encode("[1]"));
        for challenge in
            ["Bearer", "Bearer error=\"invalid_token\"", "Bearer claims=\"%%\"", "Bearer claims=\"", &huge, &list]
        {
            assert_eq!(asked(&[challenge]), None, "{challenge:.40}");
        }
        assert_eq!(asked(&[]), None);
    }
}
