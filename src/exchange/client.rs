//! What the rooms below use: one tenant of Exchange Online.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::de::IgnoredAny;
use tokio::sync::mpsc;

use crate::certificate::Attribute;
use crate::config;
use crate::error::{Code, Error, Result};
use crate::net::http::{self, is_loopback};
use crate::people::{Recipient, RecipientClass};

use super::abilities::{Abilities, ReadForm};
use super::cloud::Servers;
use super::command::{Command, Parameter};
use super::invoke::{AdminApi, Answer, Call, Calls, Format};
use super::recipients::{ListReport, Reader, Selection};
use super::surroundings::Surroundings;
use super::terms::{Listener, Terms};
use super::token::Tokens;

/// Longest time for one request: the service's own 15 minutes and one more.
const TIMEOUT_MS: u64 = 960_000;
/// Longest time for a token.
const TOKEN_TIMEOUT_MS: u64 = 60_000;
/// Requests at a time.
const CONCURRENCY: u32 = 4;
/// A page of a thousand recipients with a few certificates each is some ten megabytes.
const MAX_ANSWER_BYTES: usize = 512 << 20;
/// A token is a few kilobytes.
const MAX_TOKEN_BYTES: usize = 1 << 20;
/// Pages waiting to be taken.
const WAITING_PAGES: usize = 2;

/// Longest time for one object: everything that is read and written for it, waits and repetitions included, in
/// milliseconds. A request that is under way then is not cut off, it is not repeated.
const OBJECT_MS: i64 = 30 * 60_000;

/// One tenant of Exchange Online. Clones share everything but who hears of waits and until when it is worth trying;
/// every method may be called from several tasks at once.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub(super) tokens: Arc<Tokens>,
    pub(super) api: Arc<AdminApi>,
    pub(super) abilities: Arc<Abilities>,
    surroundings: Arc<dyn Surroundings>,
    pub(super) terms: Terms,
}

/// A write that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOutcome {
    /// The service's id of the request that was accepted.
    pub request_id: String,
    /// Requests sent for it.
    pub requests: u32,
    /// The service's warnings, in its own words.
    pub warnings: Vec<String>,
}

impl Exchange {
    /// A tenant by its configuration; file names are relative to `base_dir`. Nothing is sent yet.
    ///
    /// # Errors
    /// `config_missing`, `config_value`, `config_unsupported` at the pointer; those of reading `ca_files`.
    pub fn new(
        config: &config::Exchange,
        base_dir: Option<&Path>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self> {
        let tenant = tenant(config)?;
        let servers =
            Servers::new(config.environment, tenant, config.admin_url.as_deref(), config.authority_url.as_deref())?;
        let ca_files = config.ca_files.iter().map(|file| base_dir.map_or_else(|| file.clone(), |base| base.join(file)));
        let ca_files: Vec<_> = ca_files.collect();
        let timeout_ms = config.timeout_ms.unwrap_or(TIMEOUT_MS).max(1);
        let client = |url: &url::Url, timeout_ms: u64, max_body_bytes: usize| {
            http::Client::new(http::Options {
                ca_files: ca_files.clone(),
                proxy: config.proxy.as_ref().map(|proxy| (proxy.reveal().to_owned(), "/exchange/proxy")),
                direct: is_loopback(url),
                timeout: Duration::from_millis(timeout_ms),
                max_body_bytes,
            })
        };
        let token_client = client(&servers.token_url, timeout_ms.min(TOKEN_TIMEOUT_MS), MAX_TOKEN_BYTES)?;
        let api_client = client(&servers.invoke_url, timeout_ms, MAX_ANSWER_BYTES)?;
        Self::with(config, base_dir, servers, [token_client, api_client], surroundings)
    }

    /// A tenant that is reached over a transport of the caller's, instead of over connections of the operating system.
    ///
    /// # Errors
    /// As [`Exchange::new`].
    pub fn over(
        config: &config::Exchange,
        transport: Arc<dyn http::Transport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self> {
        let (admin_url, authority_url) = (config.admin_url.as_deref(), config.authority_url.as_deref());
        let servers = Servers::new(config.environment, tenant(config)?, admin_url, authority_url)?;
        let token_client = http::Client::over(Arc::clone(&transport), MAX_TOKEN_BYTES);
        let api_client = http::Client::over(transport, MAX_ANSWER_BYTES);
        Self::with(config, None, servers, [token_client, api_client], surroundings)
    }

    fn with(
        config: &config::Exchange,
        base_dir: Option<&Path>,
        servers: Servers,
        [token_client, api_client]: [http::Client; 2],
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self> {
        let tenant = tenant(config)?;
        let servers = Arc::new(servers);
        let tokens = Arc::new(Tokens::new(
            &config.auth,
            base_dir,
            token_client,
            Arc::clone(&servers),
            Arc::clone(&surroundings),
        )?);
        let concurrency = config.concurrency.unwrap_or(CONCURRENCY).max(1);
        let api =
            AdminApi::new(api_client, servers, Arc::clone(&tokens), Arc::clone(&surroundings), tenant, concurrency);
        Ok(Self { tokens, api: Arc::new(api), abilities: Arc::default(), surroundings, terms: Terms::default() })
    }

    /// The same tenant for somebody who wants to hear of waits.
    #[must_use]
    pub fn told(&self, listener: Arc<dyn Listener>) -> Self {
        let terms = Terms { listener: Some(listener), ..self.terms.clone() };
        Self { terms, ..self.clone() }
    }

    /// The same tenant for work on one object, which has half an hour from now; after that nothing is repeated.
    #[must_use]
    pub fn for_one_object(&self) -> Self {
        let deadline_ms = Some(self.surroundings.monotonic_ms().saturating_add(OBJECT_MS));
        Self { terms: Terms { deadline_ms, ..self.terms.clone() }, ..self.clone() }
    }

    /// Replaces the credentials, for example by a fresh token.
    ///
    /// # Errors
    /// `config_missing`, `config_unsupported` at the pointer; the old credentials stay.
    pub async fn set_auth(&self, auth: &config::Auth) -> Result<()> {
        self.tokens.replace(auth).await
    }

    /// Hands over recipients page by page, mailboxes first, then mail users, then mail contacts.
    ///
    /// # Errors
    /// `exchange_incomplete` where a list cannot be read to its end, after what was handed over; `cancelled` where the
    /// receiver is gone; `option_value` at `/types/…`; what the service refuses.
    pub async fn list(&self, selection: Selection<'_>, sink: &mpsc::Sender<Vec<Recipient>>) -> Result<ListReport> {
        self.reader().list(selection, sink).await
    }

    /// The recipients of [`Exchange::list`] all together.
    ///
    /// # Errors
    /// Those of [`Exchange::list`]; nothing is returned of a list that is not whole.
    pub async fn collect(&self, selection: Selection<'_>) -> Result<(Vec<Recipient>, ListReport)> {
        let (sink, mut pages) = mpsc::channel(WAITING_PAGES);
        let reading = async {
            let report = self.list(selection, &sink).await;
            drop(sink);
            report
        };
        let taking = async {
            let mut recipients = Vec::new();
            while let Some(page) = pages.recv().await {
                recipients.extend(page);
            }
            recipients
        };
        let (report, recipients) = tokio::join!(reading, taking);
        Ok((recipients, report?))
    }

    /// One recipient by Guid, external id, user principal name or address, of whichever class has it.
    ///
    /// # Errors
    /// `exchange_not_found`, `exchange_ambiguous`; `option_value` for an identity that is empty or has a star, before
    /// anything is sent; what the service refuses.
    pub async fn get(&self, identity: &str) -> Result<Recipient> {
        self.reader().get(identity).await
    }

    /// One recipient of a known class, as before a write.
    ///
    /// # Errors
    /// Those of [`Exchange::get`].
    pub async fn get_in_class(&self, class: RecipientClass, identity: &str) -> Result<Recipient> {
        self.reader().get_in_class(class, identity).await
    }

    /// Replaces all values of the given attributes in one call; no values clear an attribute. Nothing is read back.
    ///
    /// # Errors
    /// `exchange_dir_synced` where the recipient is mastered on-premises; `exchange_not_found`; what the service
    /// refuses.
    pub async fn write(&self, recipient: &Recipient, values: &[(Attribute, Vec<Arc<[u8]>>)]) -> Result<WriteOutcome> {
        if recipient.identity.is_empty() || values.is_empty() {
            return Err(Error::new(Code::Internal).with("detail", "a write of nothing, or to nobody"));
        }
        let mut parameters = vec![("Identity", Parameter::Text(&recipient.identity))];
        for (attribute, values) in values {
            parameters.push((attribute.exchange_name(), Parameter::Certificates(values)));
        }
        parameters.push(("Confirm", Parameter::Switch(false)));
        let command = Command { name: format!("Set-{}", recipient.class.noun()), parameters };
        let call = Call { command: &command, select: None, format: Format::Json, next: None, terms: &self.terms };
        let answer: Answer<IgnoredAny> = self.api.invoke(call).await.inspect_err(|error| {
            if error.code() == Code::ExchangeDirSynced {
                self.abilities.refused_synced(recipient);
            }
        })?;
        Ok(WriteOutcome { request_id: answer.request_id, requests: answer.requests, warnings: answer.warnings })
    }

    /// Whether the service has refused, in this session, a write to a recipient like this one because it is mastered
    /// on-premises: another would only be refused, too.
    pub fn refuses(&self, recipient: &Recipient) -> bool {
        self.abilities.refuses(recipient)
    }

    /// Reads certificates in this form first, which worked in an earlier session: it is left where it fails.
    pub fn expect_form(&self, form: ReadForm) {
        self.abilities.expect(Some(form));
    }

    /// The form in which certificates can be read where JSON has no bytes, as far as this session or an earlier one knows.
    pub fn read_form(&self) -> Option<ReadForm> {
        self.abilities.form()
    }

    /// How many requests the last list of everybody took, if there was one.
    pub fn pages(&self) -> Option<u64> {
        self.abilities.pages()
    }

    /// Requests sent so far to the admin API.
    pub fn calls(&self) -> Calls {
        self.api.calls()
    }

    /// Milliseconds by which the service's clock is ahead of this machine's, by its last answer; precise to a second.
    pub fn clock_skew_ms(&self) -> Option<i64> {
        self.api.clock_skew_ms()
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.surroundings.now_ms()
    }

    fn reader(&self) -> Reader<'_> {
        Reader { api: &self.api, abilities: &self.abilities, terms: &self.terms }
    }
}

/// The tenant's domain or GUID, which becomes part of every URL.
fn tenant(config: &config::Exchange) -> Result<&str> {
    let pointer = "/exchange/organization";
    let tenant = config.organization.as_deref().map(str::trim).filter(|tenant| !tenant.is_empty());
    let tenant = tenant.ok_or_else(|| Error::new(Code::ConfigMissing).target(pointer))?;
    let is_name = tenant.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')) && !tenant.contains("..");
    if !is_name || tenant.starts_with('.') {
        return Err(config::pointer_error(config::Source::Configuration, pointer, "expected a domain or a GUID"));
    }
    Ok(tenant)
}
