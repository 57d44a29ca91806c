//! A machine's managed identity: Azure VMs, App Service, and servers joined by Azure Arc.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use crate::config::Secret;
use crate::error::{Code, Error, Result};
use crate::exchange::retry::{Cause, Contact, Tries};
use crate::net::http::{self, Client, Failure, Response, is_loopback};
use crate::text::Text;

use super::access_token::{Asking, Granted, Token};
use super::arc;
use super::machine::Machine;

/// The address of Arc's agent where the environment does not name it.
const ARC_ENDPOINT: &str = "http://localhost:40342/metadata/identity/oauth2/token";
/// A service of the machine itself answers at once, or is not there.
const TIMEOUT: Duration = Duration::from_secs(15);
const MAX_BODY_BYTES: usize = 1 << 20;
/// A token that says to live longer is asked for anew after a year.
const MAX_LIFETIME_MS: i64 = 86_400_000 * 365;

/// Where a token for this machine comes from.
enum Source {
    /// The instance metadata service of a VM.
    InstanceMetadata,
    /// App Service and Functions.
    AppService { header: Secret },
    /// Azure Arc's agent, with the folder of its keys.
    Arc { tokens: PathBuf },
}

impl Source {
    fn api_version(&self) -> &'static str {
        match self {
            Self::InstanceMetadata => "2018-02-01",
            Self::AppService { .. } => "2019-08-01",
            Self::Arc { .. } => "2020-06-01",
        }
    }
}

/// The identity of this machine, or one it was given.
pub(in crate::exchange) struct ManagedIdentity {
    client: Client,
    contact: Contact,
    source: Source,
    endpoint: Url,
    client_id: Option<String>,
}

impl ManagedIdentity {
    /// The identity a machine offers; `client_id` names a user-assigned one. Nothing is sent yet.
    ///
    /// # Errors
    /// `config_value` where Arc is asked for a user-assigned identity; `exchange_identity` where the environment names an
    /// address that is none.
    pub(in crate::exchange) fn new(machine: Machine, client_id: Option<&str>) -> Result<Self> {
        let Machine { identity_endpoint, identity_header, imds_endpoint, instance_metadata, arc_agent, arc_tokens } =
            machine;
        let (source, address) = match (identity_endpoint, identity_header) {
            (Some(endpoint), Some(header)) => (Source::AppService { header }, endpoint),
            (Some(endpoint), None) if imds_endpoint.is_some() => (Source::Arc { tokens: arc_tokens }, endpoint),
            _ if arc_agent => (Source::Arc { tokens: arc_tokens }, ARC_ENDPOINT.to_owned()),
            _ => (Source::InstanceMetadata, format!("{instance_metadata}/metadata/identity/oauth2/token")),
        };
        let wrong = |detail: &str| Error::new(Code::ExchangeIdentity).target(&*address).with("detail", detail);
        let endpoint = Url::parse(&address).map_err(|_| wrong("IDENTITY_ENDPOINT is no URL"))?;
        if matches!(source, Source::Arc { .. }) {
            if !is_loopback(&endpoint) {
                return Err(wrong("the agent of Azure Arc answers on this machine only"));
            }
            if client_id.is_some() {
                return Err(Error::new(Code::ConfigValue)
                    .target("/exchange/auth/managed_identity_client_id")
                    .with("detail", "Azure Arc has no user-assigned identities")
                    .remedy(Text::plain("sign_in", "arc_user_assigned")));
            }
        }
        // these addresses mean this very machine, which no proxy can reach
        let client = Client::new(http::Options {
            ca_files: Vec::new(),
            proxy: None,
            direct: true,
            timeout: TIMEOUT,
            max_body_bytes: MAX_BODY_BYTES,
        })?;
        let client_id = client_id.map(str::to_owned);
        Ok(Self { client, contact: Contact::default(), source, endpoint, client_id })
    }

    /// Asks for a token for a resource.
    ///
    /// # Errors
    /// `exchange_identity` with the remedy, those of waiting; the target is the address that was asked.
    pub(in crate::exchange) async fn token(&self, asking: Asking<'_>, resource: &str) -> Result<Granted> {
        let Asking { surroundings, terms, .. } = asking;
        let url = self.url(resource);
        let about = |error: Error| error.target(self.endpoint.origin().ascii_serialization());
        let mut tries = Tries::new(surroundings, &self.contact, terms);
        loop {
            self.contact.turn(surroundings, terms).await.map_err(about)?;
            let answer = match self.ask(&url).await {
                Ok(response) => response,
                Err(Unanswered::Failed(Failure::Timeout)) => {
                    let error = refused("no answer in time", "identity_absent");
                    tries.wait(Cause::Timeout, about(error)).await?;
                    continue;
                }
                Err(Unanswered::Failed(failure)) => {
                    return Err(about(refused(&words_of(failure), "identity_absent")));
                }
                Err(Unanswered::Key(words)) => return Err(about(refused(&words, "arc_key"))),
            };
            match read(&self.source, answer, surroundings.now_ms()) {
                Ok(granted) => return Ok(granted),
                Err((Some(cause), error)) => tries.wait(cause, about(error)).await?,
                Err((None, error)) => return Err(about(error)),
            }
        }
    }

    fn url(&self, resource: &str) -> Url {
        let mut url = self.endpoint.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", self.source.api_version()).append_pair("resource", resource);
        if let Some(client_id) = &self.client_id {
            query.append_pair("client_id", client_id);
        }
        drop(query);
        url
    }

    /// One question, and for Arc the second one with the key that the first one's answer asks for.
    async fn ask(&self, url: &Url) -> std::result::Result<Response, Unanswered> {
        let mut headers = HeaderMap::new();
        match &self.source {
            Source::AppService { header } => {
                headers.insert(HeaderName::from_static("x-identity-header"), sensitive(header.reveal())?);
            }
            Source::InstanceMetadata | Source::Arc { .. } => {
                headers.insert(HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
            }
        }
        let response = self.client.get(url, headers.clone()).await.map_err(Unanswered::Failed)?;
        self.contact.answered();
        let Source::Arc { tokens } = &self.source else { return Ok(response) };
        if response.status != 401 {
            return Ok(response);
        }
        let challenge = response.header(WWW_AUTHENTICATE.as_str()).unwrap_or_default();
        let key = arc::key(challenge, tokens).map_err(Unanswered::Key)?;
        headers.insert(AUTHORIZATION, sensitive(&format!("Basic {}", key.reveal()))?);
        self.client.get(url, headers).await.map_err(Unanswered::Failed)
    }
}

/// Why there is no answer.
enum Unanswered {
    Failed(Failure),
    /// The agent's challenge cannot be met.
    Key(String),
}

fn sensitive(text: &str) -> std::result::Result<HeaderValue, Unanswered> {
    let value = HeaderValue::from_str(text.trim_end());
    let mut value = value.map_err(|_| Unanswered::Key("the key has characters that no key has".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn words_of(failure: Failure) -> String {
    match failure {
        Failure::Unreachable(words) | Failure::Untrusted(words) | Failure::Interrupted(words) => words,
        Failure::Timeout => "no answer in time".to_owned(),
        Failure::TooLarge => "the answer is larger than allowed".to_owned(),
    }
}

fn refused(detail: &str, remedy: &'static str) -> Error {
    Error::new(Code::ExchangeIdentity).with("detail", detail).remedy(Text::plain("sign_in", remedy))
}

/// The token of an answer, or why there is none and whether another try may help.
fn read(source: &Source, response: Response, now_ms: i64) -> std::result::Result<Granted, (Option<Cause>, Error)> {
    #[derive(Deserialize)]
    struct Body {
        access_token: String,
        #[serde(default)]
        expires_on: Value,
        #[serde(default)]
        expires_in: Value,
    }
    // 404 and 410 are how the metadata service says that it is being updated
    let updating = matches!(source, Source::InstanceMetadata) && matches!(response.status, 404 | 410);
    let named = |error: Error| match response.header("x-ms-request-id") {
        Some(id) => error.request_id(id),
        None => error,
    };
    if updating || matches!(response.status, 408 | 429 | 500..) {
        let seconds = response.header("retry-after").and_then(|value| value.trim().parse::<u64>().ok());
        let cause = Cause::Busy(seconds.map(|seconds| seconds.saturating_mul(1000)));
        return Err((Some(cause), named(refused(&words(&response), "identity_absent"))));
    }
    if response.status != 200 {
        return Err((None, named(refused(&words(&response), "identity_refused"))));
    }
    let body = Zeroizing::new(response.body);
    let body: Body = serde_json::from_slice(&body)
        .map_err(|_| (Some(Cause::Broken), refused("the answer holds no token", "identity_absent")))?;
    let ends_at_ms = match (number(&body.expires_on), number(&body.expires_in)) {
        (Some(second), _) => second.saturating_mul(1000),
        (None, Some(seconds)) => now_ms.saturating_add(seconds.saturating_mul(1000)),
        // not known to happen: then the token serves this one call
        (None, None) => now_ms,
    };
    let ends_at_ms = ends_at_ms.min(now_ms.saturating_add(MAX_LIFETIME_MS));
    Ok(Granted { token: Token::new(body.access_token), ends_at_ms })
}

/// Numbers come as texts, too.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// The service's own words: those of OAuth, or of App Service.
fn words(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    text("error_description")
        .or_else(|| text("message"))
        .or_else(|| text("error"))
        .map_or_else(|| format!("HTTP {}", response.status), |words| words.chars().take(500).collect())
}
