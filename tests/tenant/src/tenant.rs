//! The tenant: its state behind one lock, and the ways to reach it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::clock::Clock;
use crate::faults::Fault;
use crate::http;
use crate::limits::Usage;
use crate::log::{RequestEntry, RequestLog};
use crate::recipients::{Found, Recipients};
use crate::state::{
    App, ManagedIdentity, Organization, Recipient, RecipientTypeDetails, SmimeConfig, State, StateError,
};
use crate::switches::Switches;
use crate::token;

/// A double of one Exchange Online organisation. Clones share everything.
#[derive(Clone)]
pub struct Tenant {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    key: hmac::Key,
    core: Mutex<Core>,
}

/// Everything that changes.
pub(crate) struct Core {
    pub(crate) organization: Organization,
    pub(crate) apps: Vec<App>,
    pub(crate) recipients: Recipients,
    pub(crate) smime_config: SmimeConfig,
    /// What `Get-SmimeConfig` still shows, and how often.
    pub(crate) smime_config_before: Option<(SmimeConfig, u32)>,
    pub(crate) switches: Switches,
    pub(crate) managed_identity: Option<ManagedIdentity>,
    pub(crate) log: RequestLog,
    /// `jti` of the assertions seen: each is good once.
    pub(crate) assertions: HashSet<String>,
    /// Whether only a token asked for with the claims of a challenge is good.
    pub(crate) claims_demanded: bool,
    /// Keys the agent of Azure Arc waits for, by their file: each is good once.
    pub(crate) arc_keys: HashMap<PathBuf, String>,
    /// Tokens issued so far.
    pub(crate) tokens_issued: u64,
    /// Tokens up to this number are worth nothing.
    pub(crate) tokens_revoked: u64,
    /// What was asked so far, for the limits.
    pub(crate) usage: Usage,
    /// Clients that came without the cookie of a back end.
    pub(crate) clients_seen: u64,
}

impl Core {
    fn new(state: State) -> Self {
        Self {
            organization: state.tenant,
            apps: state.apps,
            recipients: Recipients::new(state.recipients),
            smime_config: state.smime_config,
            smime_config_before: None,
            switches: state.switches,
            managed_identity: state.managed_identity,
            log: RequestLog::default(),
            assertions: HashSet::new(),
            claims_demanded: false,
            arc_keys: HashMap::new(),
            tokens_issued: 0,
            tokens_revoked: 0,
            usage: Usage::default(),
            clients_seen: 0,
        }
    }

    fn state(&self) -> State {
        State {
            tenant: self.organization.clone(),
            apps: self.apps.clone(),
            recipients: self.recipients.all().collect(),
            smime_config: self.smime_config.clone(),
            managed_identity: self.managed_identity.clone(),
            switches: self.switches.clone(),
        }
    }
}

impl Tenant {
    /// A tenant in this state, by the machine's clock.
    pub fn new(state: State) -> Result<Self, StateError> {
        Self::new_at(state, SystemTime::now())
    }

    /// A tenant whose clock shows `now` and from then on follows tokio's clock, paused or not.
    pub fn new_at(state: State, now: SystemTime) -> Result<Self, StateError> {
        state.check()?;
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| StateError::Content("no randomness for the token key".to_owned()))?;
        let shared = Shared { clock: Clock::starting_at(now), key, core: Mutex::new(Core::new(state)) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// A tenant in this state with further recipients, which are never all in memory as the state has them: for
    /// hundreds of thousands.
    pub fn with_recipients(state: State, recipients: impl IntoIterator<Item = Recipient>) -> Result<Self, StateError> {
        let tenant = Self::new(state)?;
        {
            let mut core = tenant.core();
            let own: Vec<Recipient> = core.recipients.all().collect();
            core.recipients = Recipients::new(own.into_iter().chain(recipients));
        }
        Ok(tenant)
    }

    /// How many recipients there are.
    pub fn recipient_count(&self) -> usize {
        self.core().recipients.count()
    }

    /// One recipient by its Guid or another identity that is its alone.
    pub fn recipient(&self, identity: &str) -> Option<Recipient> {
        let core = self.core();
        match core.recipients.find(identity, &RecipientTypeDetails::ALL) {
            Found::One(position) => core.recipients.get(position),
            Found::None | Found::Several => None,
        }
    }

    /// A tenant from a state file.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        Self::new(State::load(path)?)
    }

    /// Writes the present state to a file, replacing it in one step.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        self.state().save(path)
    }

    /// The present state.
    pub fn state(&self) -> State {
        self.core().state()
    }

    /// Replaces the state; the log, and the tokens issued so far, stay.
    pub fn set_state(&self, state: State) -> Result<(), StateError> {
        state.check()?;
        let mut core = self.core();
        let fresh = Core::new(state);
        core.organization = fresh.organization;
        core.apps = fresh.apps;
        core.recipients = fresh.recipients;
        core.smime_config = fresh.smime_config;
        core.smime_config_before = None;
        core.switches = fresh.switches;
        core.managed_identity = fresh.managed_identity;
        Ok(())
    }

    /// The present switches; spent faults are gone.
    pub fn switches(&self) -> Switches {
        self.core().switches.clone()
    }

    /// Replaces the switches.
    pub fn set_switches(&self, switches: Switches) -> Result<(), StateError> {
        switches.check().map_err(StateError::Content)?;
        self.core().switches = switches;
        Ok(())
    }

    /// Merges a JSON object into the switches (RFC 7396: null restores a default, arrays are replaced).
    pub fn merge_switches(&self, patch: Value) -> Result<Switches, StateError> {
        let Value::Object(patch) = patch else {
            return Err(StateError::Content("switches are not an object".to_owned()));
        };
        let mut core = self.core();
        let mut merged = serde_json::to_value(&core.switches)?;
        if let Value::Object(members) = &mut merged {
            for (name, value) in patch {
                if value.is_null() {
                    members.remove(&name);
                } else {
                    members.insert(name, value);
                }
            }
        }
        let switches: Switches = serde_json::from_value(merged)?;
        switches.check().map_err(StateError::Content)?;
        core.switches = switches.clone();
        Ok(switches)
    }

    /// Adds a fault behind those that wait.
    pub fn add_fault(&self, fault: Fault) -> Result<(), StateError> {
        fault.check().map_err(StateError::Content)?;
        self.core().switches.faults.push(fault);
        Ok(())
    }

    /// The requests since the last reset of the log, in order of arrival.
    pub fn requests(&self) -> Vec<RequestEntry> {
        self.core().log.entries().to_vec()
    }

    /// Empties the request log; sequence numbers go on.
    pub fn reset_log(&self) {
        self.core().log.reset();
    }

    /// An access token for a registered application, as the token endpoint would issue it for the admin API.
    pub fn issue_token(&self, app_id: uuid::Uuid) -> Option<String> {
        token::issue_for_app(self, app_id)
    }

    /// Serves one connection until it ends; `stream` may be any byte stream. Links use `http`.
    pub async fn serve_connection<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        http::serve(self, stream, "http").await;
    }

    /// Serves one connection whose TLS ended before this stream, so that links use `https`.
    pub async fn serve_decrypted<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        http::serve(self, stream, "https").await;
    }

    /// Serves HTTP on a loopback listener until the future is dropped, which cuts every connection.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        self.accept(listener, None).await
    }

    /// Serves HTTPS on a loopback listener until the future is dropped.
    pub async fn serve_tls(&self, listener: TcpListener, config: Arc<rustls::ServerConfig>) -> io::Result<()> {
        self.accept(listener, Some(TlsAcceptor::from(config))).await
    }

    async fn accept(&self, listener: TcpListener, tls: Option<TlsAcceptor>) -> io::Result<()> {
        require_loopback(listener.local_addr()?)?;
        let mut connections = JoinSet::new();
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                // A client that left before it was accepted concerns nobody else.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            // Only speed hangs on it.
            let _ = stream.set_nodelay(true);
            let tenant = self.clone();
            let tls = tls.clone();
            connections.spawn(async move {
                match tls {
                    None => http::serve(&tenant, stream, "http").await,
                    // A client that refuses our certificate just leaves.
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            http::serve(&tenant, stream, "https").await;
                        }
                    }
                }
            });
            while connections.try_join_next().is_some() {}
        }
    }

    /// Serves HTTP on a free loopback port in a task of the present runtime, until the handle is dropped.
    pub async fn spawn(&self) -> io::Result<Running> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tenant = self.clone();
        let task = tokio::spawn(async move { tenant.serve(listener).await });
        Ok(Running { url: format!("http://{address}"), task, runtime: None })
    }

    /// Serves HTTP like [`Tenant::spawn`], on a thread of its own: for callers that are in no runtime.
    pub fn start(&self) -> io::Result<Running> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut running = runtime.block_on(self.spawn())?;
        running.runtime = Some(runtime);
        Ok(running)
    }

    /// Serves HTTPS like [`Tenant::spawn`]. The certificate has to name the host the client uses.
    pub async fn spawn_tls(&self, config: Arc<rustls::ServerConfig>) -> io::Result<Running> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tenant = self.clone();
        let task = tokio::spawn(async move { tenant.serve_tls(listener, config).await });
        Ok(Running { url: format!("https://{address}"), task, runtime: None })
    }

    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        self.shared.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    pub(crate) fn key(&self) -> &hmac::Key {
        &self.shared.key
    }
}

/// A double that serves; dropping it stops serving and cuts its connections.
#[derive(Debug)]
pub struct Running {
    url: String,
    task: JoinHandle<io::Result<()>>,
    runtime: Option<Runtime>,
}

impl Running {
    /// Base address without a final slash: the `admin_url` and `authority_url` of a client.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed where a handle may be dropped.
            runtime.shutdown_background();
        }
    }
}

/// The double holds secrets in clear and is controlled by anybody: it never leaves the machine.
pub fn require_loopback(address: SocketAddr) -> io::Result<()> {
    if address.ip().is_loopback() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{address} is not a loopback address")))
    }
}
