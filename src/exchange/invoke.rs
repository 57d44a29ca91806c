//! `InvokeCommand` of the admin API: one call with its tries, its token and its redirects.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;
use uuid::Uuid;

use crate::error::{Code, Error, Result};
use crate::net::http::{Client, Post, Response};
use crate::people::RecipientClass;
use crate::text::Text;

use super::cloud::Servers;
use super::command::Command;
use super::entry::Entry;
use super::failure::{self, Trouble};
use super::pace::Allowance;
use super::retry::{Cause, Contact, Tries};
use super::surroundings::Surroundings;
use super::terms::Terms;
use super::token::{Token, Tokens};

/// Entries per page, at most what the service allows.
const PAGE_SIZE: u32 = 1000;
/// Redirects followed for one try.
const MAX_REDIRECTS: u32 = 5;
/// The system mailbox that application calls are routed by.
const SYSTEM_MAILBOX: &str = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}";
/// No clock of the service was seen yet.
const NO_SKEW: i64 = i64::MIN;

/// How objects come in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// JSON, the service's default.
    Json,
    /// PowerShell's XML, one text per object.
    Clixml,
    /// The typed entity of the mailbox that the command's identity names, by GET instead of the command.
    Entity,
}

/// What to call, besides the command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// The command.
    pub(super) command: &'a Command<'a>,
    /// Properties wanted, comma-separated.
    pub(super) select: Option<&'a str>,
    /// How objects shall come.
    pub(super) format: Format,
    /// The continuation link of the page before.
    pub(super) next: Option<&'a Url>,
    /// On whose behalf.
    pub(super) terms: &'a Terms,
}

/// A successful answer.
#[derive(Debug)]
pub(super) struct Answer<T> {
    /// The objects.
    pub(super) values: Vec<T>,
    /// Where the list goes on.
    pub(super) next: Option<Url>,
    /// The service's warnings.
    pub(super) warnings: Vec<String>,
    /// The service's id of the request.
    pub(super) request_id: String,
    /// Requests sent for it.
    pub(super) requests: u32,
}

/// Requests sent since the session began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// All requests to the admin API, repetitions included.
    pub requests: u64,
    /// Those of them that asked for a change.
    pub writes: u64,
}

/// The admin API of one tenant.
pub(super) struct AdminApi {
    client: Client,
    servers: Arc<Servers>,
    tokens: Arc<Tokens>,
    surroundings: Arc<dyn Surroundings>,
    contact: Contact,
    tenant: String,
    connection_id: Uuid,
    places: Semaphore,
    at_a_time: AtomicU32,
    requests: AtomicU64,
    writes: AtomicU64,
    skew_ms: AtomicI64,
}

impl fmt::Debug for AdminApi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AdminApi").field("url", &self.servers.invoke_url.as_str()).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(default = "Vec::new")]
    value: Vec<T>,
    #[serde(default, rename = "@odata.nextLink")]
    next_link: Option<String>,
    #[serde(default, rename = "@adminapi.errors")]
    errors: Option<Vec<Value>>,
    #[serde(default, rename = "@adminapi.warnings")]
    warnings: Option<Vec<Value>>,
}

impl AdminApi {
    /// The admin API of a tenant; nothing is sent yet.
    pub(super) fn new(
        client: Client,
        servers: Arc<Servers>,
        tokens: Arc<Tokens>,
        surroundings: Arc<dyn Surroundings>,
        tenant: &str,
        concurrency: u32,
    ) -> Self {
        Self {
            client,
            servers,
            tokens,
            surroundings,
            contact: Contact::default(),
            tenant: tenant.to_owned(),
            connection_id: Uuid::new_v4(),
            places: Semaphore::new(usize::try_from(concurrency).unwrap_or(1)),
            at_a_time: AtomicU32::new(concurrency),
            requests: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            skew_ms: AtomicI64::new(NO_SKEW),
        }
    }

    /// Requests so far.
    pub(super) fn calls(&self) -> Calls {
        Calls { requests: self.requests.load(Ordering::Relaxed), writes: self.writes.load(Ordering::Relaxed) }
    }

    /// Scheme, host and port it is reached at.
    pub(super) fn origin(&self) -> String {
        self.servers.invoke_url.origin().ascii_serialization()
    }

    /// What the service's records call everything this client asks.
    pub(super) fn connection_id(&self) -> String {
        self.connection_id.to_string()
    }

    /// Milliseconds by which the service's clock is ahead of this one, by its last answer.
    pub(super) fn clock_skew_ms(&self) -> Option<i64> {
        Some(self.skew_ms.load(Ordering::Relaxed)).filter(|skew| *skew != NO_SKEW)
    }

    /// Runs a command and repeats it where that can help. Writes are full replacements, so repeating one that had its
    /// effect already changes nothing.
    pub(super) async fn invoke<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<Answer<T>> {
        let internal = |error: serde_json::Error| Error::new(Code::Internal).with("detail", error.to_string());
        let body = call.command.body().map_err(internal)?;
        let mut tries = Tries::new(&*self.surroundings, &self.contact, call.terms);
        let mut renewed = false;
        loop {
            let of_connection = |error: Error| error.connection_id(self.connection_id());
            let token = self.tokens.current(call.terms).await.map_err(of_connection)?;
            let request_id = Uuid::new_v4().to_string();
            let outcome = self.attempt(&call, &body, &token, &request_id).await;
            let (trouble, request_id) = match outcome {
                Ok(mut answer) => {
                    answer.requests = tries.failed() + u32::from(renewed) + 1;
                    return Ok(answer);
                }
                Err(refusal) => refusal,
            };
            let about = |error: Error| self.about(error, &call, &request_id);
            match trouble {
                Trouble::Token(error) if renewed || !self.tokens.reject(&token).await => return Err(about(error)),
                Trouble::Token(_) => renewed = true,
                Trouble::Repeat(cause, error) => tries.wait(cause, about(error)).await?,
                Trouble::Final(error) => return Err(about(error)),
            }
        }
    }

    /// An error with what it is about.
    fn about(&self, error: Error, call: &Call<'_>, request_id: &str) -> Error {
        let error = error.request_id(request_id).connection_id(self.connection_id());
        match (error.code(), call.command.identity()) {
            (Code::ExchangeUnreachable | Code::ExchangeTls | Code::ExchangeTimeout, _) | (_, None) => {
                error.target(self.origin())
            }
            (_, Some(identity)) => error.target(identity),
        }
    }

    async fn attempt<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        body: &[u8],
        token: &Token,
        request_id: &str,
    ) -> std::result::Result<Answer<T>, (Trouble, String)> {
        let own = |trouble: Trouble| (trouble, request_id.to_owned());
        let headers = self.headers(call, token, request_id).map_err(|error| own(Trouble::Final(error)))?;
        let mut url = match (call.format, call.command.identity()) {
            (Format::Entity, Some(identity)) => Cow::Owned(self.entity_url(identity).map_err(own)?),
            _ => Cow::Borrowed(call.next.unwrap_or(&self.servers.invoke_url)),
        };
        if call.next.is_none()
            && let Some(select) = call.select
        {
            url.to_mut().query_pairs_mut().append_pair("$select", select);
        }
        for _ in 0..=MAX_REDIRECTS {
            let (response, place, sent_ms) = self.send(call, &url, headers.clone(), body).await.map_err(own)?;
            let request_id = response.header("request-id").unwrap_or(request_id).to_owned();
            let named = |trouble: Trouble| (trouble, request_id.clone());
            tracing::debug!(
                command = call.command.name,
                status = response.status,
                request_id,
                connection_id = %self.connection_id,
                "answer"
            );
            match response.status {
                200..=299 => {
                    let answer = self.success(&response, call.format, &url, &request_id);
                    self.learn(sent_ms, answer.as_ref().err());
                    return answer.map_err(named);
                }
                301 | 302 | 307 | 308 => {
                    let link = response.header("location").and_then(|link| self.servers.follow(&url, link));
                    let outside = || protocol("a redirect that leads out of the cloud");
                    url = Cow::Owned(link.ok_or_else(|| named(Trouble::Final(outside())))?);
                }
                _ => {
                    self.tokens.challenged(token, &response.headers).await;
                    let trouble = failure::of_answer(&response, self.surroundings.now_ms());
                    self.learn(sent_ms, Some(&trouble));
                    if let Trouble::Repeat(Cause::Crowded(_), _) = trouble {
                        self.give_up(place);
                    }
                    return Err(named(unless_recipient(trouble, call, &response)));
                }
            }
        }
        Err(own(Trouble::Final(protocol("too many redirects"))))
    }

    /// Learns how fast the service lets itself be asked from what became of a request that was sent then.
    fn learn(&self, sent_ms: i64, trouble: Option<&Trouble>) {
        let cause = match trouble {
            Some(Trouble::Repeat(cause, _)) => Some(*cause),
            Some(Trouble::Token(_) | Trouble::Final(_)) | None => None,
        };
        self.contact.learn(&*self.surroundings, sent_ms, cause);
    }

    /// The answer, the place it was asked from, and when it was asked for.
    async fn send(
        &self,
        call: &Call<'_>,
        url: &Url,
        headers: HeaderMap,
        body: &[u8],
    ) -> std::result::Result<(Response, SemaphorePermit<'_>, i64), Trouble> {
        let closed = |_| Trouble::Final(Error::new(Code::Cancelled));
        let place = self.places.acquire().await.map_err(closed)?;
        let sent_ms = self.contact.turn(&*self.surroundings, call.terms).await.map_err(Trouble::Final)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        if call.command.name.starts_with("Set-") {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
        let sent = match call.format {
            Format::Entity => self.client.get(url, headers).await,
            Format::Json | Format::Clixml => self.client.post(Post { url, headers, body: body.to_vec() }).await,
        };
        let response = sent.map_err(failure::of_transport)?;
        self.contact.answered();
        if let Some(server_ms) = response.header("date").and_then(failure::http_date_ms) {
            self.skew_ms.store(server_ms - self.surroundings.now_ms(), Ordering::Relaxed);
        }
        let allowance = Allowance::of(&response, self.surroundings.now_ms());
        self.contact.heed(&*self.surroundings, allowance);
        Ok((response, place, sent_ms))
    }

    /// Where a mailbox is as a typed entity.
    fn entity_url(&self, identity: &str) -> std::result::Result<Url, Trouble> {
        let name = format!("Mailbox('{}')", identity.replace('\'', "''"));
        self.servers.invoke_url.join(&name).map_err(|_| Trouble::Final(protocol("an identity that fits no URL")))
    }

    /// Works with one request less at a time from now on, as long as one is left.
    fn give_up(&self, place: SemaphorePermit<'_>) {
        let fewer = |places: u32| (places > 1).then(|| places - 1);
        if self.at_a_time.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok() {
            place.forget();
        }
    }

    fn success<T: DeserializeOwned>(
        &self,
        response: &Response,
        format: Format,
        url: &Url,
        request_id: &str,
    ) -> std::result::Result<Answer<T>, Trouble> {
        let mut answer = Answer {
            values: Vec::new(),
            next: None,
            warnings: Vec::new(),
            request_id: request_id.to_owned(),
            requests: 0,
        };
        answer.warnings.extend(response.header("x-warnings").map(str::to_owned));
        if response.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(answer);
        }
        if format == Format::Entity {
            answer.values.push(serde_json::from_slice(&response.body).map_err(|error| broken(&error))?);
            return Ok(answer);
        }
        let envelope: Envelope<T> = serde_json::from_slice(&response.body).map_err(|error| broken(&error))?;
        if let Some(errors) = envelope.errors.filter(|errors| !errors.is_empty()) {
            return Err(failure::of_errors(&errors));
        }
        let warnings = envelope.warnings.into_iter().flatten();
        answer.warnings.extend(warnings.map(|warning| warning.as_str().map_or(warning.to_string(), str::to_owned)));
        answer.values = envelope.value;
        if let Some(link) = envelope.next_link {
            let outside = || Trouble::Final(protocol("a continuation link that leads out of the cloud"));
            answer.next = Some(self.servers.follow(url, &link).ok_or_else(outside)?);
        }
        Ok(answer)
    }

    fn headers(&self, call: &Call<'_>, token: &Token, request_id: &str) -> Result<HeaderMap> {
        let anchor = match (Uuid::try_parse(&self.tenant).is_ok(), token.tenant()) {
            (true, _) => format!("APP:{SYSTEM_MAILBOX}@{}", self.tenant),
            (false, Some(tenant)) => format!("APP:{SYSTEM_MAILBOX}@{tenant}"),
            (false, None) => format!("UPN:OAuthUser@{}", self.tenant),
        };
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.reveal()))
            .map_err(|_| Error::new(Code::ExchangeAuth).with("detail", "the token has characters that no token has"))?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(HeaderName::from_static("authorization"), authorization)]);
        let fixed = [
            ("content-type", "application/json; charset=utf-8"),
            ("accept", "application/json"),
            // errors are told apart by their words, too
            ("accept-language", "en-US"),
            ("user-agent", concat!("SmimeSync/", env!("CARGO_PKG_VERSION"))),
        ];
        for (name, value) in fixed {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let made = [
            ("x-anchormailbox", anchor),
            ("x-cmdletname", call.command.name.clone()),
            ("prefer", format!("odata.maxpagesize={PAGE_SIZE}")),
            ("client-request-id", request_id.to_owned()),
            ("connection-id", self.connection_id()),
        ];
        for (name, value) in made {
            let value = HeaderValue::try_from(value).map_err(|_| protocol("a header that cannot be sent"))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        if call.format == Format::Clixml {
            headers.insert(HeaderName::from_static("x-responseformat"), HeaderValue::from_static("clixml"));
            headers.insert(HeaderName::from_static("x-serializationlevel"), HeaderValue::from_static("Full"));
        }
        Ok(headers)
    }
}

/// How many recipients a body lists, read as answers are. For the fuzz target of answers, which has no tenant to ask.
#[doc(hidden)]
pub fn recipients_in(body: &[u8]) -> usize {
    let Ok(envelope) = serde_json::from_slice::<Envelope<Entry>>(body) else { return 0 };
    if let Some(errors) = envelope.errors.filter(|errors| !errors.is_empty()) {
        failure::of_errors(&errors);
        return 0;
    }
    let recipients = envelope.value.into_iter().map(|entry| entry.opened()?.recipient(RecipientClass::Mailbox));
    recipients.filter(|read| read.is_ok()).count()
}

/// Where no recipient was asked for, "not found" is about the tenant or the address of the service.
fn unless_recipient(trouble: Trouble, call: &Call<'_>, response: &Response) -> Trouble {
    match trouble {
        Trouble::Final(error) if error.code() == Code::ExchangeNotFound && call.command.identity().is_none() => {
            let error = Error::new(Code::ExchangeRefused);
            let error = error.with("detail", format!("HTTP {}, no such tenant", response.status));
            Trouble::Final(error.remedy(Text::plain("check", "exchange_refused")))
        }
        trouble => trouble,
    }
}

/// JSON that breaks off arrived broken and may be whole the next time; JSON of another shape will not mend.
fn broken(error: &serde_json::Error) -> Trouble {
    if error.is_data() {
        // the words may repeat values, so only the position is told
        let place = format!("unexpected JSON at line {} column {}", error.line(), error.column());
        return Trouble::Final(protocol(&place));
    }
    Trouble::Repeat(Cause::Broken, protocol("the JSON is cut short or broken"))
}

fn protocol(detail: &str) -> Error {
    Error::new(Code::ExchangeProtocol).with("detail", detail)
}
