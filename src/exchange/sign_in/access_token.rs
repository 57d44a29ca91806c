//! An access token and what it says about itself. Nothing in it is verified: that is the service's part.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::Secret;
use crate::error::{Code, Error, Result};
use crate::exchange::cloud::Servers;
use crate::exchange::surroundings::Surroundings;
use crate::exchange::terms::Terms;
use crate::text::Text;

/// Difference of clocks that is no reason to distrust a token's begin.
const CLOCK_LEEWAY_MS: i64 = 300_000;
/// Characters of a foreign audience that go into a message.
const MAX_AUDIENCE: usize = 100;

/// A token and what it says about itself.
#[derive(Clone)]
pub(in crate::exchange) struct Token {
    secret: Secret,
    claims: Claims,
}

/// On whose behalf a token is asked for, and what it has to hold.
#[derive(Clone, Copy)]
pub(in crate::exchange) struct Asking<'a> {
    /// Time and chance.
    pub(in crate::exchange) surroundings: &'a dyn Surroundings,
    /// Who hears of waits, and until when it is worth trying.
    pub(in crate::exchange) terms: &'a Terms,
    /// The claims of a challenge; a managed identity has no place for them.
    pub(in crate::exchange) claims: Option<&'a str>,
}

/// A token that was asked for.
pub(in crate::exchange) struct Granted {
    /// The token.
    pub(in crate::exchange) token: Token,
    /// When it ends, by this machine's clock.
    pub(in crate::exchange) ends_at_ms: i64,
}

impl Token {
    /// Reads what can be read of a token.
    pub(in crate::exchange) fn new(text: String) -> Self {
        let claims = Claims::read(&text);
        Self { secret: Secret::new(text), claims }
    }

    /// What goes behind `Bearer`.
    pub(in crate::exchange) fn reveal(&self) -> &str {
        self.secret.reveal()
    }

    /// The tenant's GUID, where the token can be read.
    pub(in crate::exchange) fn tenant(&self) -> Option<&str> {
        self.claims.tid.as_deref()
    }

    /// Application permissions, where the token can be read. Unverified: for diagnostics and routing alone.
    pub(in crate::exchange) fn roles(&self) -> Option<&[String]> {
        self.claims.roles.as_deref()
    }

    /// Whether a token that somebody brought is worth a call: its audience and its time, where it can be read.
    ///
    /// # Errors
    /// `exchange_auth` with its remedy.
    pub(in crate::exchange) fn check(&self, servers: &Servers, now_ms: i64) -> Result<()> {
        let refused = |detail: String, remedy: Text| {
            Err(Error::new(Code::ExchangeAuth).target("/exchange/auth/token").with("detail", detail).remedy(remedy))
        };
        if !self.claims.aud.is_empty() && !self.claims.aud.iter().any(|audience| servers.is_audience(audience)) {
            let audience: String = self.claims.aud.join(" ").chars().take(MAX_AUDIENCE).collect();
            let scope = ("scope", servers.scope.clone());
            return refused(
                format!("the token is for {audience}, not for Exchange Online"),
                Text::new("sign_in", "token_audience", vec![scope]),
            );
        }
        if let Some(end_ms) = self.claims.exp.filter(|end_ms| *end_ms <= now_ms) {
            return refused(format!("the token ended at {}", utc(end_ms)), Text::plain("sign_in", "token_expired"));
        }
        match self.claims.nbf.filter(|begin_ms| *begin_ms > now_ms.saturating_add(CLOCK_LEEWAY_MS)) {
            Some(begin_ms) => {
                refused(format!("the token begins at {}", utc(begin_ms)), Text::plain("sign_in", "clock"))
            }
            None => Ok(()),
        }
    }
}

/// Times are milliseconds since 1970 UTC.
#[derive(Clone, Default)]
struct Claims {
    tid: Option<String>,
    roles: Option<Vec<String>>,
    aud: Vec<String>,
    exp: Option<i64>,
    nbf: Option<i64>,
}

impl Claims {
    fn read(token: &str) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Payload {
            tid: Value,
            roles: Value,
            aud: Value,
            exp: Value,
            nbf: Value,
        }
        let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
        let payload: Payload = payload.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        let milliseconds = |value: &Value| value.as_i64()?.checked_mul(1000);
        Self {
            // what is put into a header has to be what it claims to be
            tid: payload.tid.as_str().filter(|tid| uuid::Uuid::try_parse(tid).is_ok()).map(str::to_owned),
            roles: payload.roles.is_array().then(|| texts(&payload.roles)),
            aud: texts(&payload.aud),
            exp: milliseconds(&payload.exp),
            nbf: milliseconds(&payload.nbf),
        }
    }
}

/// A text, or the texts of a list (RFC 7519 4.1.3).
fn texts(value: &Value) -> Vec<String> {
    let one = value.as_str().into_iter();
    let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    one.chain(many).map(str::to_owned).collect()
}

fn utc(milliseconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(milliseconds.div_euclid(1000)).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| "a time no calendar has".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Environment;

    fn token(claims: &Value) -> Token {
        Token::new(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string())))
    }

    #[test]
    fn claims_are_read_for_what_they_are_worth() {
        let read = token(&json!({
            "tid": "2f6d8d1e-0000-4000-8000-000000000001", "roles": ["Exchange.ManageAsApp"], "exp": 1
        }));
        assert_eq!(read.tenant(), Some("2f6d8d1e-0000-4000-8000-000000000001"));
        assert_eq!(read.roles().unwrap(), ["Exchange.ManageAsApp"]);
        assert_eq!(token(&json!({ "tid": "x\r\nEvil: 1" })).tenant(), None);
        assert_eq!(token(&json!({ "tid": 7, "roles": [] })).roles(), Some(&[][..]));
        assert_eq!(Token::new("opaque".to_owned()).tenant(), None);
    }

    #[test]
    fn a_brought_token_is_looked_at_before_it_is_used() {
        let servers = Servers::new(Environment::O365USGovDoD, "contoso.us", None, None).unwrap();
        let check = |claims: &Value| token(claims).check(&servers, 1_000_000_000);
        for audience in [
            json!("https://outlook-dod.office365.us"),
            json!("https://outlook-dod.office365.us/"),
            json!("https://webmail.apps.mil"),
            json!(["https://x.test", "00000002-0000-0ff1-ce00-000000000000"]),
            Value::Null,
        ] {
            check(&json!({ "aud": audience, "exp": 1_000_001, "nbf": 1_000_299 })).unwrap();
        }
        for (claims, word) in [
            (json!({ "aud": "https://graph.microsoft.com" }), "graph.microsoft.com"),
            (json!({ "aud": "https://outlook.office365.com" }), "outlook.office365.com"),
            (json!({ "aud": "https://outlook-dod.office365.us.evil.test" }), "evil.test"),
            (json!({ "exp": 1_000_000 }), "1970-01-12T13:46:40Z"),
            (json!({ "nbf": 1_000_301 }), "begins at"),
        ] {
            let error = check(&claims).unwrap_err();
            assert_eq!((error.code(), error.get_target()), (Code::ExchangeAuth, Some("/exchange/auth/token")));
            assert!(error.to_string().contains(word) && error.get_remedy().is_some(), "{error}");
        }
        Token::new("opaque".to_owned()).check(&servers, 0).unwrap();
    }
}
