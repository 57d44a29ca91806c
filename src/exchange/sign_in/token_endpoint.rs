//! The token endpoint of Entra ID: client credentials for a token.

use std::sync::Arc;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use url::form_urlencoded;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::config::Secret;
use crate::error::{Code, Error, Result};
use crate::exchange::cloud::Servers;
use crate::exchange::failure::{self, Trouble};
use crate::exchange::retry::{Cause, Contact, Tries};
use crate::net::http::{Client, Post, Response};

use super::access_token::{Asking, Granted, Token};
use super::assertion;
use super::entra::Refusal;
use super::signing_key::SigningKey;

/// How often a key that is not known is asked with again, and how long the wait before is.
const KEY_TRIES: u32 = 3;
const KEY_WAIT_MS: u64 = 10_000;
/// What a request is called in Entra ID's records.
const REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
/// A token that says to live longer is asked for anew after a year.
const MAX_LIFETIME_S: i64 = 86_400 * 365;

/// How an application proves itself.
pub(in crate::exchange) enum Proof<'a> {
    /// By a shared secret.
    Secret(&'a Secret),
    /// By its certificate's key.
    Certificate(&'a SigningKey),
}

/// The token endpoint of one tenant.
pub(in crate::exchange) struct TokenEndpoint {
    client: Client,
    servers: Arc<Servers>,
    contact: Contact,
}

/// What an answer without a token means.
enum Refused {
    Trouble(Trouble),
    /// The key may be known a moment later.
    UnknownKey(Error),
}

impl TokenEndpoint {
    /// The endpoint of a tenant; nothing is sent yet.
    pub(in crate::exchange) fn new(client: Client, servers: Arc<Servers>) -> Self {
        Self { client, servers, contact: Contact::default() }
    }

    /// Asks for a token.
    ///
    /// # Errors
    /// `exchange_auth`, `exchange_certificate`; those of the network and of waiting. The target is the endpoint.
    pub(in crate::exchange) async fn token(
        &self,
        asking: Asking<'_>,
        app_id: &str,
        proof: Proof<'_>,
    ) -> Result<Granted> {
        let Asking { surroundings, terms, claims } = asking;
        let url = &self.servers.token_url;
        let mut tries = Tries::new(surroundings, &self.contact, terms);
        let mut unknown = 0;
        loop {
            let request_id = Uuid::new_v4().to_string();
            let about = |error: Error| {
                // the service's own id, where it told one, or the one it was told
                let id = error.get_request_id().unwrap_or(&request_id).to_owned();
                error.request_id(id).target(url.origin().ascii_serialization())
            };
            self.contact.turn(surroundings, terms).await.map_err(about)?;
            let asked_at_ms = surroundings.now_ms();
            // an assertion is good once, so every try has its own
            let body = self.form(app_id, &proof, claims, asked_at_ms)?;
            let mut headers = HeaderMap::from_iter([
                (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
                (ACCEPT, HeaderValue::from_static("application/json")),
            ]);
            headers.extend(HeaderValue::try_from(&request_id).ok().map(|id| (REQUEST_ID, id)));
            let outcome = match self.client.post(Post { url, headers, body: body.into_bytes() }).await {
                Ok(response) => {
                    self.contact.answered();
                    granted(response, asked_at_ms, &proof)
                }
                Err(failure) => Err(Refused::Trouble(failure::of_transport(failure))),
            };
            match outcome {
                Ok(granted) => return Ok(granted),
                Err(Refused::UnknownKey(error)) if unknown < KEY_TRIES => {
                    unknown += 1;
                    tracing::warn!(wait_ms = KEY_WAIT_MS, attempt = unknown, "the certificate is not known yet");
                    let error = about(error);
                    tokio::join!(terms.waiting(KEY_WAIT_MS, Some(&error)), surroundings.sleep(KEY_WAIT_MS));
                }
                Err(Refused::Trouble(Trouble::Repeat(cause, error))) => tries.wait(cause, about(error)).await?,
                Err(Refused::UnknownKey(error) | Refused::Trouble(Trouble::Token(error) | Trouble::Final(error))) => {
                    return Err(about(error));
                }
            }
        }
    }

    fn form(&self, app_id: &str, proof: &Proof<'_>, claims: Option<&str>, now_ms: i64) -> Result<String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", app_id)
            .append_pair("scope", &self.servers.scope)
            .append_pair("grant_type", "client_credentials");
        match proof {
            Proof::Secret(secret) => form.append_pair("client_secret", secret.reveal()),
            Proof::Certificate(key) => {
                let assertion = assertion::make(key, app_id, self.servers.token_url.as_str(), now_ms)?;
                form.append_pair("client_assertion_type", assertion::TYPE).append_pair("client_assertion", &assertion)
            }
        };
        if let Some(claims) = claims {
            form.append_pair("claims", claims);
        }
        Ok(form.finish())
    }
}

fn granted(response: Response, asked_at_ms: i64, proof: &Proof<'_>) -> std::result::Result<Granted, Refused> {
    #[derive(Deserialize)]
    struct Body {
        access_token: String,
        expires_in: i64,
    }
    if !(200..300).contains(&response.status) {
        return Err(refused(&response, asked_at_ms, proof));
    }
    let body = Zeroizing::new(response.body);
    let body: Body = serde_json::from_slice(&body).map_err(|_| {
        let error = Error::new(Code::ExchangeProtocol).with("detail", "the token endpoint sent no token");
        Refused::Trouble(Trouble::Repeat(Cause::Broken, error))
    })?;
    let lifetime_ms = body.expires_in.clamp(0, MAX_LIFETIME_S) * 1000;
    Ok(Granted { token: Token::new(body.access_token), ends_at_ms: asked_at_ms.saturating_add(lifetime_ms) })
}

fn refused(response: &Response, now_ms: i64, proof: &Proof<'_>) -> Refused {
    let refusal = Refusal::read(&response.body);
    let passing = matches!(response.status, 408 | 429 | 500..);
    let refusal = match refusal {
        Some(refusal) if !passing => refusal,
        None if response.status == 401 => Refusal::of_status(response.status),
        _ => return Refused::Trouble(no_refusal(response, now_ms)),
    };
    let may_pass = refusal.may_pass() && matches!(proof, Proof::Certificate(_));
    let secret = match proof {
        Proof::Secret(secret) => secret.reveal(),
        Proof::Certificate(_) => "",
    };
    let error = refusal.error(response, secret, now_ms);
    if may_pass { Refused::UnknownKey(error) } else { Refused::Trouble(Trouble::Final(error)) }
}

fn no_refusal(response: &Response, now_ms: i64) -> Trouble {
    match failure::of_answer(response, now_ms) {
        // at the token endpoint nothing stands for a recipient: an unknown path is a wrong address
        Trouble::Final(error) if error.code() == Code::ExchangeNotFound => {
            let detail = format!("the token endpoint sent HTTP {}", response.status);
            Trouble::Final(Error::new(Code::ExchangeProtocol).with("detail", detail))
        }
        trouble => trouble,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(status: u16, body: &str) -> Trouble {
        let response = Response { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
        match granted(response, 0, &Proof::Secret(&Secret::new("s3cret".to_owned()))).err().unwrap() {
            Refused::Trouble(trouble) => trouble,
            Refused::UnknownKey(error) => panic!("{error}"),
        }
    }

    #[test]
    fn answers_without_a_token_are_told_apart() {
        let refusal =
            r#"{"error":"invalid_client","error_description":"AADSTS700027: s3cret\r\nTrace ID: 11","trace_id":"11"}"#;
        let Trouble::Final(error) = trouble(401, refusal) else { panic!("repeated") };
        assert_eq!((error.code(), error.get_request_id()), (Code::ExchangeAuth, Some("11")));
        assert!(!error.to_string().contains("s3cret"), "{error}");
        let Trouble::Final(error) = trouble(401, "") else { panic!("repeated") };
        assert_eq!(error.code(), Code::ExchangeAuth);
        assert!(matches!(trouble(503, ""), Trouble::Repeat(Cause::Busy(None), _)));
        assert!(matches!(trouble(503, refusal), Trouble::Repeat(Cause::Busy(None), _)));
        assert!(matches!(trouble(200, "<html>"), Trouble::Repeat(Cause::Broken, _)));
        for status in [404, 302] {
            let Trouble::Final(error) = trouble(status, "no") else { panic!("repeated") };
            assert_eq!(error.code(), Code::ExchangeProtocol);
        }
    }
}
