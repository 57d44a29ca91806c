//! Access tokens: asked for with the client secret or brought by the caller, kept in memory alone, renewed in time.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::config::{Auth, AuthMethod, Secret};
use crate::error::{Code, Error, Result};
use crate::net::http::{Client, Post, Response};

use super::cloud::Servers;
use super::failure::{self, Trouble};
use super::retry::{Cause, Contact, Tries};
use super::surroundings::Surroundings;

/// A token is renewed this long before its end.
const RENEW_EARLY_MS: i64 = 120_000;

/// Who signs in.
#[derive(Clone)]
enum Credential {
    Secret { app_id: String, secret: Secret },
    Token(Secret),
}

impl Credential {
    fn new(auth: &Auth) -> Result<Self> {
        let missing = |key: &str| Error::new(Code::ConfigMissing).target(format!("/exchange/auth/{key}"));
        match auth.method {
            AuthMethod::Secret => {
                let app_id = auth.app_id.clone().filter(|id| !id.trim().is_empty()).ok_or_else(|| missing("app_id"))?;
                Ok(Self::Secret { app_id, secret: given(&auth.secret).ok_or_else(|| missing("secret"))? })
            }
            AuthMethod::Token => {
                let token = given(&auth.token).ok_or_else(|| missing("token"))?;
                Ok(Self::Token(Secret::new(token.reveal().trim().to_owned())))
            }
            AuthMethod::Certificate | AuthMethod::ManagedIdentity => Err(Error::new(Code::ConfigUnsupported)
                .target("/exchange/auth/method")
                .with("detail", "this sign-in method")),
        }
    }
}

fn given(secret: &Option<Secret>) -> Option<Secret> {
    secret.clone().filter(|secret| !secret.reveal().is_empty())
}

/// A token and what it says about itself.
#[derive(Clone)]
pub(super) struct Token {
    secret: Secret,
    claims: Claims,
}

impl Token {
    fn new(text: String) -> Self {
        let claims = Claims::read(&text);
        Self { secret: Secret::new(text), claims }
    }

    /// What goes behind `Bearer`.
    pub(super) fn reveal(&self) -> &str {
        self.secret.reveal()
    }

    /// The tenant's GUID, where the token can be read.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.claims.tid.as_deref()
    }

    /// Application permissions, where the token can be read. Unverified: for diagnostics and routing alone.
    pub(super) fn roles(&self) -> Option<&[String]> {
        self.claims.roles.as_deref()
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Claims {
    tid: Option<String>,
    roles: Option<Vec<String>>,
}

impl Claims {
    fn read(token: &str) -> Self {
        let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
        let mut claims: Self = payload.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        // what is put into a header has to be what it claims to be
        claims.tid = claims.tid.filter(|tid| uuid::Uuid::try_parse(tid).is_ok());
        claims
    }
}

struct Kept {
    token: Arc<Token>,
    renew_at_ms: i64,
}

struct State {
    credential: Credential,
    kept: Option<Kept>,
}

/// The tokens of one session. One request for a token at a time; everybody else waits for its outcome.
pub(super) struct Tokens {
    client: Client,
    servers: Arc<Servers>,
    surroundings: Arc<dyn Surroundings>,
    contact: Contact,
    state: Mutex<State>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tokens").field("url", &self.servers.token_url.as_str()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens for a sign-in method; nothing is asked for yet.
    ///
    /// # Errors
    /// `config_missing`, `config_unsupported` at the pointer.
    pub(super) fn new(
        auth: &Auth,
        client: Client,
        servers: Arc<Servers>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self> {
        let state = Mutex::new(State { credential: Credential::new(auth)?, kept: None });
        Ok(Self { client, servers, surroundings, contact: Contact::default(), state })
    }

    /// Replaces the credential; what was kept is forgotten.
    pub(super) async fn replace(&self, auth: &Auth) -> Result<()> {
        let credential = Credential::new(auth)?;
        *self.state.lock().await = State { credential, kept: None };
        Ok(())
    }

    /// A token that is good for a while; the one at hand, or a new one.
    pub(super) async fn current(&self) -> Result<Arc<Token>> {
        let mut state = self.state.lock().await;
        let now_ms = self.surroundings.now_ms();
        if let Some(kept) = state.kept.as_ref().filter(|kept| now_ms < kept.renew_at_ms) {
            return Ok(Arc::clone(&kept.token));
        }
        let kept = match &state.credential {
            Credential::Secret { app_id, secret } => self.request(app_id, secret).await?,
            Credential::Token(token) => {
                let token = Arc::new(Token::new(token.reveal().to_owned()));
                Kept { token, renew_at_ms: i64::MAX }
            }
        };
        let token = Arc::clone(&kept.token);
        state.kept = Some(kept);
        Ok(token)
    }

    /// Forgets a token that was not accepted. Whether another one can be had.
    pub(super) async fn reject(&self, token: &Arc<Token>) -> bool {
        let mut state = self.state.lock().await;
        if state.kept.as_ref().is_some_and(|kept| !Arc::ptr_eq(&kept.token, token)) {
            // somebody else renewed it, or the caller brought another one, meanwhile
            return true;
        }
        state.kept = None;
        match &state.credential {
            Credential::Secret { .. } => true,
            Credential::Token(own) => own.reveal() != token.reveal(),
        }
    }

    async fn request(&self, app_id: &str, secret: &Secret) -> Result<Kept> {
        let url = &self.servers.token_url;
        let mut tries = Tries::new(&*self.surroundings, &self.contact);
        loop {
            let form = form_urlencoded::Serializer::new(String::new())
                .append_pair("client_id", app_id)
                .append_pair("client_secret", secret.reveal())
                .append_pair("scope", &self.servers.scope)
                .append_pair("grant_type", "client_credentials")
                .finish();
            let headers = HeaderMap::from_iter([
                (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
                (ACCEPT, HeaderValue::from_static("application/json")),
            ]);
            let asked_at_ms = self.surroundings.now_ms();
            let outcome = match self.client.post(Post { url, headers, body: form.into_bytes() }).await {
                Ok(response) => {
                    self.contact.answered();
                    granted(response, asked_at_ms, secret)
                }
                Err(failure) => Err(failure::of_transport(failure)),
            };
            match outcome {
                Ok(kept) => return Ok(kept),
                Err(Trouble::Repeat(cause, error)) => tries.wait(cause, error.target(host(url))).await?,
                Err(Trouble::Token(error) | Trouble::Final(error)) => return Err(error.target(host(url))),
            }
        }
    }
}

fn host(url: &url::Url) -> String {
    url.origin().ascii_serialization()
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: Option<String>,
    error_description: Option<String>,
    trace_id: Option<String>,
}

fn granted(response: Response, asked_at_ms: i64, secret: &Secret) -> std::result::Result<Kept, Trouble> {
    if !(200..300).contains(&response.status) {
        return Err(refused(&response, asked_at_ms, secret));
    }
    let body = Zeroizing::new(response.body);
    let granted: Granted = serde_json::from_slice(&body).map_err(|_| {
        let error = Error::new(Code::ExchangeProtocol).with("detail", "the token endpoint sent no token");
        Trouble::Repeat(Cause::Broken, error)
    })?;
    // a lifetime shorter than the margin still serves one request
    let lifetime_ms = granted.expires_in.clamp(0, 86_400 * 365) * 1000;
    let renew_at_ms = asked_at_ms.saturating_add((lifetime_ms - RENEW_EARLY_MS).max(0));
    Ok(Kept { token: Arc::new(Token::new(granted.access_token)), renew_at_ms })
}

fn refused(response: &Response, now_ms: i64, secret: &Secret) -> Trouble {
    let refused: Refused = serde_json::from_slice(&response.body).unwrap_or_default();
    let passing = matches!(response.status, 408 | 429 | 500..);
    if passing || (refused.error.is_none() && response.status != 401) {
        return match failure::of_answer(response, now_ms) {
            // at the token endpoint nothing stands for a recipient: an unknown path is a wrong address
            Trouble::Final(error) if error.code() == Code::ExchangeNotFound => {
                let detail = format!("the token endpoint sent HTTP {}", response.status);
                Trouble::Final(Error::new(Code::ExchangeProtocol).with("detail", detail))
            }
            trouble => trouble,
        };
    }
    let words = refused.error_description.or(refused.error).unwrap_or_else(|| format!("HTTP {}", response.status));
    let words = words.split("Trace ID:").next().unwrap_or_default().trim();
    // the service is not known to repeat the secret, and must not be trusted not to
    let words = words.replace(secret.reveal(), "");
    let error = Error::new(Code::ExchangeAuth).with("detail", words);
    Trouble::Final(match refused.trace_id {
        Some(id) => error.request_id(id),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    fn refusal(status: u16, body: &str) -> Trouble {
        granted(response(status, body), 0, &Secret::new("s3cret".to_owned())).err().unwrap()
    }

    #[test]
    fn a_refusal_is_told_in_the_services_words_up_to_the_trace_id() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret s3cret.\r\nTrace ID: 11\r\nTimestamp: x","trace_id":"11"}"#;
        let Trouble::Final(error) = refusal(401, body) else { panic!("repeated") };
        assert_eq!(error.code(), Code::ExchangeAuth);
        assert_eq!(error.get_request_id(), Some("11"));
        let words = error.to_string();
        assert!(words.contains("AADSTS7000215") && !words.contains("Trace") && !words.contains("s3cret"), "{words}");
    }

    #[test]
    fn other_answers_of_the_token_endpoint_are_told_apart() {
        assert!(matches!(refusal(503, ""), Trouble::Repeat(Cause::Busy(None), _)));
        assert!(matches!(refusal(200, "<html>"), Trouble::Repeat(Cause::Broken, _)));
        let Trouble::Final(error) = refusal(404, "no") else { panic!("repeated") };
        assert_eq!(error.code(), Code::ExchangeProtocol);
        let Trouble::Final(error) = refusal(302, "") else { panic!("repeated") };
        assert_eq!(error.code(), Code::ExchangeProtocol);
    }

    #[test]
    fn renewal_comes_two_minutes_early() {
        let answer = response(200, r#"{"access_token":"a.b.c","expires_in":3599}"#);
        let kept = granted(answer, 1_000, &Secret::new(String::new())).ok().unwrap();
        assert_eq!(kept.renew_at_ms, 1_000 + 3_599_000 - 120_000);
    }

    #[test]
    fn claims_are_read_for_what_they_are_worth() {
        let payload = URL_SAFE_NO_PAD
            .encode(r#"{"tid":"2f6d8d1e-0000-4000-8000-000000000001","roles":["Exchange.ManageAsApp"],"exp":1}"#);
        let token = Token::new(format!("e30.{payload}.sig"));
        assert_eq!(token.tenant(), Some("2f6d8d1e-0000-4000-8000-000000000001"));
        assert_eq!(token.roles().unwrap(), ["Exchange.ManageAsApp"]);
        let forged = URL_SAFE_NO_PAD.encode("{\"tid\":\"x\\r\\nEvil: 1\"}");
        assert_eq!(Token::new(format!("e30.{forged}.sig")).tenant(), None);
        assert_eq!(Token::new("opaque".to_owned()).tenant(), None);
    }
}
