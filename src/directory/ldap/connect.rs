//! A connection to one of the configured servers: name, TCP, TLS, bind; each on its own, so that `check` can tell.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{Ldap, LdapError};
use rustls::ClientConfig;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use crate::config::{self, BindMethod};
use crate::error::{Code, Error, Result};
use crate::net::ClientCertificate;
use crate::net::ldap::{Locator, Relay, Transport, relayed};
use crate::net::tls::{Authorities, Witness};

use super::failure::{self, Doing};

/// Milliseconds for connecting and for each answer, unless configured.
const DEFAULT_TIMEOUT_MS: u64 = 30_000;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// Not at all.
    Plain,
    /// TLS by the StartTLS operation (RFC 4511 4.14).
    StartTls,
    /// TLS from the first byte.
    Ldaps,
    /// By the operating system: a socket of this machine.
    Local,
}

impl Protection {
    /// Whether it is TLS.
    pub(super) fn is_tls(self) -> bool {
        matches!(self, Self::StartTls | Self::Ldaps)
    }
}

/// A server of the configuration.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// Its URL as configured.
    pub(super) url: String,
    /// A name or an address; of a socket its path.
    host: String,
    port: u16,
    /// How a connection to it is protected.
    pub(super) protection: Protection,
}

/// What connecting needs besides the server.
pub(super) struct Settings {
    authorities: Option<Authorities>,
    /// What the names of files are relative to.
    #[cfg(feature = "gssapi")]
    base_dir: std::path::PathBuf,
    /// For connecting and for each answer.
    pub(super) timeout: Duration,
}

impl Settings {
    /// From the configuration; reads the CA files and the client certificate if a server needs them.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`, `trust_unreadable`, `config_value`; those of [`ClientCertificate::read`].
    pub(super) fn new(config: &config::Directory, base_dir: Option<&Path>, servers: &[Server]) -> Result<Self> {
        let secure = servers.iter().any(|server| server.protection.is_tls());
        let absolute = |path: &std::path::PathBuf| base_dir.map_or_else(|| path.clone(), |base| base.join(path));
        let ca_files: Vec<_> = config.ca_files.iter().map(absolute).collect();
        let authorities = || {
            let file = config.bind.certificate_file.as_ref().map(absolute);
            let password = config.bind.certificate_password.as_ref();
            let client = file.map(|file| ClientCertificate::read(&file, password)).transpose()?;
            Ok::<_, Error>(Authorities::load(&ca_files, config.os_store)?.with_client(client))
        };
        Ok(Self {
            authorities: secure.then(authorities).transpose()?,
            #[cfg(feature = "gssapi")]
            base_dir: base_dir.map(Path::to_path_buf).unwrap_or_default(),
            timeout: patience(config),
        })
    }

    fn authorities(&self) -> Result<&Authorities> {
        self.authorities.as_ref().ok_or_else(|| Error::new(Code::Internal).with("detail", "no authorities"))
    }

    /// TLS for one connection, and who remembers the server's certificates.
    ///
    /// # Errors
    /// Only defects of this library.
    pub(super) fn witnessed_tls(&self) -> Result<(Arc<ClientConfig>, Arc<Witness>)> {
        self.authorities()?.witnessed_config()
    }
}

fn patience(config: &config::Directory) -> Duration {
    Duration::from_millis(config.timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS))
}

/// The servers of the configuration in the order they are to be tried: its URLs, else the domain's by DNS.
///
/// # Errors
/// `config_missing` without either, `config_value` for what is no LDAP URL; `directory_unreachable` and
/// `directory_timeout` where DNS gives none.
pub(super) async fn servers(config: &config::Directory) -> Result<Vec<Server>> {
    match &config.domain {
        Some(domain) if config.urls.is_empty() => located(config, domain, Locator::system()?).await,
        _ => configured(config),
    }
}

fn configured(config: &config::Directory) -> Result<Vec<Server>> {
    if config.urls.is_empty() {
        return Err(Error::new(Code::ConfigMissing).target("/directory/urls"));
    }
    let server = |(index, url): (usize, &String)| {
        Server::parse(url, config.start_tls).ok_or_else(|| {
            let expected = match cfg!(unix) {
                true => {
                    "expected ldap:// or ldaps:// with a host and a port, or ldapi:// with a path, and nothing else"
                }
                false => "expected ldap:// or ldaps:// with a host, a port and nothing else",
            };
            Error::new(Code::ConfigValue).target(format!("/directory/urls/{index}")).with("detail", expected)
        })
    };
    config.urls.iter().enumerate().map(server).collect()
}

/// The servers of a domain. DNS has records of LDAP alone, so LDAPS is taken to be at the port that goes with it;
/// plain LDAP is spoken only where the configuration allows it or Kerberos protects it.
async fn located(config: &config::Directory, domain: &str, mut locator: Locator) -> Result<Vec<Server>> {
    let looked = timeout(patience(config), locator.servers(domain, config.site.as_deref())).await;
    let found = looked.map_err(|_| Error::new(Code::DirectoryTimeout).target(domain))??;
    let plain = match config.bind.method {
        BindMethod::Gssapi => true,
        // only TLS says who binds
        BindMethod::External => false,
        BindMethod::Simple | BindMethod::Anonymous => config.bind.allow_plaintext,
    };
    let server = |found: crate::net::ldap::Found| {
        let (protection, scheme, port) = match found.port {
            port if config.start_tls => (Protection::StartTls, "ldap", port),
            port if plain => (Protection::Plain, "ldap", port),
            389 => (Protection::Ldaps, "ldaps", 636),
            3268 => (Protection::Ldaps, "ldaps", 3269),
            port => (Protection::Ldaps, "ldaps", port),
        };
        Server { url: format!("{scheme}://{}:{port}", found.host), host: found.host, port, protection }
    };
    Ok(found.into_iter().map(server).collect())
}

/// Whether the credentials may be sent to a server as it is protected.
///
/// # Errors
/// `directory_plaintext` for a password without TLS, `config_value` for a bind by the connection where it says nothing of
/// who made it, `config_missing` for a certificate that is not there and for an empty name or password: servers take a
/// bind with an empty password for an anonymous one and say success (RFC 4513 5.1.2).
pub(super) fn credentials_allowed(bind: &config::Bind, server: &Server) -> Result<()> {
    let missing = |key: &str| Err(Error::new(Code::ConfigMissing).target(format!("/directory/bind/{key}")));
    match bind.method {
        BindMethod::Anonymous => Ok(()),
        // the ticket is no password, and what follows is sealed
        BindMethod::Gssapi if cfg!(feature = "gssapi") => Ok(()),
        BindMethod::Gssapi => {
            Err(Error::new(Code::ConfigUnsupported).target("/directory/bind/method").with("detail", "this bind method"))
        }
        BindMethod::External => match server.protection {
            Protection::Local => Ok(()),
            Protection::Plain => {
                let detail = "expected ldaps://, start_tls or ldapi:// with external";
                Err(Error::new(Code::ConfigValue).target("/directory/bind/method").with("detail", detail))
            }
            Protection::StartTls | Protection::Ldaps if bind.certificate_file.is_none() => missing("certificate_file"),
            Protection::StartTls | Protection::Ldaps => Ok(()),
        },
        BindMethod::Simple if bind.user.as_deref().is_none_or(str::is_empty) => missing("user"),
        BindMethod::Simple if bind.password.as_ref().is_none_or(|password| password.reveal().is_empty()) => {
            missing("password")
        }
        BindMethod::Simple if server.protection == Protection::Plain && !bind.allow_plaintext => {
            Err(Error::new(Code::DirectoryPlaintext).target(server.url.clone()))
        }
        BindMethod::Simple => Ok(()),
    }
}

impl Server {
    fn parse(text: &str, start_tls: bool) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let protection = match url.scheme() {
            "ldapi" if cfg!(unix) => Protection::Local,
            "ldaps" => Protection::Ldaps,
            "ldap" if start_tls => Protection::StartTls,
            "ldap" => Protection::Plain,
            _ => return None,
        };
        let bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let host = url.host_str().filter(|host| bare && !host.is_empty())?;
        if protection == Protection::Local {
            let path = percent_encoding::percent_decode_str(host).decode_utf8().ok()?.into_owned();
            return (url.port().is_none()).then(|| Self { url: text.to_owned(), host: path, port: 0, protection });
        }
        // an IPv6 address is bare everywhere but in a URL
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port().unwrap_or(if protection == Protection::Ldaps { 636 } else { 389 });
        Some(Self { url: text.to_owned(), host, port, protection })
    }

    /// The server's addresses; a socket of this machine has none.
    ///
    /// # Errors
    /// `directory_unreachable`, `directory_timeout`; the target is the URL, as for all errors of this type.
    pub(super) async fn resolve(&self, settings: &Settings) -> Result<Vec<SocketAddr>> {
        if self.protection == Protection::Local {
            return Ok(Vec::new());
        }
        let found = timeout(settings.timeout, tokio::net::lookup_host((self.host.as_str(), self.port))).await;
        let unreachable = |detail: String| self.named(Error::new(Code::DirectoryUnreachable).with("detail", detail));
        let addresses: Vec<_> = found
            .map_err(|_| self.named(Error::new(Code::DirectoryTimeout)))?
            .map_err(|error| unreachable(error.to_string()))?
            .collect();
        if addresses.is_empty() { Err(unreachable("the name has no address".into())) } else { Ok(addresses) }
    }

    /// A connection to the first address that takes one, or to the socket.
    ///
    /// # Errors
    /// `directory_unreachable`, `directory_timeout`.
    pub(super) async fn connect(&self, addresses: &[SocketAddr], settings: &Settings) -> Result<Transport> {
        #[cfg(unix)]
        if self.protection == Protection::Local {
            return self.in_time(Transport::connect_local(Path::new(&self.host)), settings).await;
        }
        self.in_time(Transport::connect(addresses), settings).await
    }

    /// The connection with TLS as configured.
    ///
    /// # Errors
    /// `directory_tls`, `directory_protocol`, `directory_unreachable`, `directory_timeout`.
    pub(super) async fn secure(&self, stream: Transport, settings: &Settings) -> Result<Transport> {
        match self.protection {
            Protection::Plain | Protection::Local => Ok(stream),
            Protection::StartTls | Protection::Ldaps => {
                self.secure_by(stream, settings.authorities()?.config()?, settings).await
            }
        }
    }

    /// The connection with TLS by this configuration.
    ///
    /// # Errors
    /// Those of `secure`.
    pub(super) async fn secure_by(
        &self,
        mut stream: Transport,
        tls: Arc<ClientConfig>,
        settings: &Settings,
    ) -> Result<Transport> {
        let securing = async {
            if self.protection == Protection::StartTls {
                stream.start_tls().await?;
            }
            stream.secure(&self.host, tls).await
        };
        self.in_time(securing, settings).await
    }

    /// LDAP over a stream, bound as configured; see [`credentials_allowed`], which is asked first.
    ///
    /// # Errors
    /// `directory_auth`, `directory_denied`, and those of any operation.
    pub(super) async fn sign_in(
        &self,
        stream: Transport,
        bind: &config::Bind,
        settings: &Settings,
    ) -> Result<Connection> {
        #[cfg(feature = "gssapi")]
        if bind.method == BindMethod::Gssapi {
            let stream = self.sign_in_by_kerberos(stream, bind, settings).await?;
            return self.speak(stream, settings).await;
        }
        let mut connection = self.speak(stream, settings).await?;
        match connection.bind(bind).await {
            // many servers verify the client's certificate after TLS 1.3 is there, and go without a word
            Err(_) if self.protection.is_tls() && connection.relay.was_closed() => {
                let detail = "the server closed the connection; it may want another client certificate";
                Err(self.named(Error::new(Code::DirectoryUnreachable).with("detail", detail)))
            }
            bound => bound.map(|()| connection),
        }
    }

    #[cfg(feature = "gssapi")]
    async fn sign_in_by_kerberos(
        &self,
        stream: Transport,
        bind: &config::Bind,
        settings: &Settings,
    ) -> Result<Transport> {
        use crate::net::ldap::{Bound, Principal, kerberos_bind};
        let keytab = bind.keytab.as_ref().map(|keytab| settings.base_dir.join(keytab));
        let principal = Principal { name: bind.user.clone(), keytab };
        match self.in_time(kerberos_bind(stream, &self.host, principal), settings).await? {
            Bound::Yes(stream) => Ok(stream),
            Bound::No(rc, text) => {
                let result =
                    ldap3::LdapResult { rc, matched: String::new(), text, refs: Vec::new(), ctrls: Vec::new() };
                Err(self.named(failure::of_result(&result, Doing::Bind)))
            }
        }
    }

    /// LDAP over a stream.
    async fn speak(&self, stream: Transport, settings: &Settings) -> Result<Connection> {
        let (relay, driver, ldap) = relayed(stream).await.map_err(|error| self.named(error))?;
        let driver = Some(tokio::spawn(driver.drive()));
        Ok(Connection { ldap, driver, relay, url: self.url.clone(), timeout: settings.timeout })
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T>>, settings: &Settings) -> Result<T> {
        let ended = timeout(settings.timeout, work).await;
        ended.unwrap_or_else(|_| Err(Error::new(Code::DirectoryTimeout))).map_err(|error| self.named(error))
    }

    fn named(&self, error: Error) -> Error {
        error.target(self.url.clone())
    }
}

/// An open connection. Dropping it closes it.
pub(super) struct Connection {
    ldap: Ldap,
    driver: Option<JoinHandle<ldap3::result::Result<()>>>,
    relay: Relay,
    /// The server's URL.
    pub(super) url: String,
    timeout: Duration,
}

impl Connection {
    /// Binds by name and password, by what the connection says, or as nobody.
    async fn bind(&mut self, bind: &config::Bind) -> Result<()> {
        let (user, password) = match (bind.method, &bind.user, &bind.password) {
            (BindMethod::Simple, Some(user), Some(password)) => (user.as_str(), password.reveal()),
            _ => ("", ""),
        };
        let ldap = self.ldap.with_timeout(self.timeout);
        let bound = match bind.method {
            BindMethod::External => ldap.sasl_external_bind().await,
            BindMethod::Simple | BindMethod::Anonymous | BindMethod::Gssapi => ldap.simple_bind(user, password).await,
        };
        match bound {
            Ok(result) if result.rc == failure::SUCCESS => Ok(()),
            Ok(result) => Err(failure::of_result(&result, Doing::Bind).target(self.url.clone())),
            Err(error) => Err(self.failed(error, Doing::Bind).await),
        }
    }

    /// A handle for one operation, with the timeout set.
    pub(super) fn operation(&mut self) -> Ldap {
        let mut ldap = self.ldap.clone();
        ldap.with_timeout(self.timeout);
        ldap
    }

    /// What a failure of an operation means. Where the connection ended, its driver knows why.
    pub(super) async fn failed(&mut self, error: LdapError, doing: Doing) -> Error {
        let meaning = match failure::of_library(error, doing) {
            Some(meaning) => meaning,
            None => self.why_ended().await,
        };
        meaning.target(self.url.clone())
    }

    /// The relay, which knows how far a search is ahead of its reader.
    pub(super) fn relay(&self) -> &Relay {
        &self.relay
    }

    async fn why_ended(&mut self) -> Error {
        if let Some(error) = self.relay.ended() {
            return error;
        }
        let closed = || Error::new(Code::DirectoryUnreachable).with("detail", "the server closed the connection");
        let Some(mut driver) = self.driver.take() else { return closed() };
        match timeout(self.timeout, &mut driver).await {
            // a panic of ldap3 on its own task: a message it did not expect
            Ok(Err(_)) => Error::new(Code::DirectoryProtocol).with("detail", "a malformed message"),
            Ok(Ok(Err(LdapError::Io { .. }))) => {
                Error::new(Code::DirectoryProtocol).with("detail", "a malformed message")
            }
            Ok(Ok(_)) => closed(),
            Err(_) => {
                driver.abort();
                closed()
            }
        }
    }

    /// Says goodbye, without waiting long for it.
    pub(super) async fn close(mut self) {
        let goodbye = async {
            let _ = self.ldap.unbind().await;
            self.relay.finished().await;
        };
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.abort();
        }
    }
}

/// The servers that are left to be tried, and why those before were given up.
pub(super) struct Servers<'a> {
    config: &'a config::Directory,
    settings: &'a Settings,
    left: VecDeque<Server>,
    first_failure: Option<Error>,
}

impl<'a> Servers<'a> {
    /// All of these, in their order.
    ///
    /// # Errors
    /// What forbids sending the credentials to one of them.
    pub(super) fn new(config: &'a config::Directory, servers: Vec<Server>, settings: &'a Settings) -> Result<Self> {
        for server in &servers {
            credentials_allowed(&config.bind, server)?;
        }
        Ok(Self { config, settings, left: servers.into(), first_failure: None })
    }

    /// A bound connection to the next server that can be spoken to; each is tried once.
    ///
    /// # Errors
    /// The first failure when none is left. Refused credentials are not tried elsewhere: accounts get locked.
    pub(super) async fn next(&mut self) -> Result<Connection> {
        while let Some(server) = self.left.pop_front() {
            match open_one(self.config, &server, self.settings).await {
                Ok(connection) => return Ok(connection),
                Err(error) if is_the_server_s(&error) => {
                    self.first_failure.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(self.first_failure.clone().unwrap_or_else(|| Error::new(Code::ConfigMissing).target("/directory/urls")))
    }

    /// Whether a server is left to go on with after this failure.
    pub(super) fn can_replace(&mut self, error: &Error) -> bool {
        self.first_failure.get_or_insert_with(|| error.clone());
        is_the_server_s(error) && !self.left.is_empty()
    }
}

/// A bound connection to the first server of a configuration that can be spoken to.
///
/// # Errors
/// Those of [`servers`], [`Settings::new`] and [`Servers::next`].
pub(super) async fn open(config: &config::Directory, base_dir: Option<&Path>) -> Result<Connection> {
    let servers = servers(config).await?;
    let settings = Settings::new(config, base_dir, &servers)?;
    Servers::new(config, servers, &settings)?.next().await
}

/// Whether a failure is one that another server may not have.
fn is_the_server_s(error: &Error) -> bool {
    use Code::{DirectoryProtocol, DirectoryTimeout, DirectoryTls, DirectoryUnreachable};
    matches!(error.code(), DirectoryUnreachable | DirectoryTimeout | DirectoryTls | DirectoryProtocol)
}

async fn open_one(config: &config::Directory, server: &Server, settings: &Settings) -> Result<Connection> {
    let addresses = server.resolve(settings).await?;
    let stream = server.connect(&addresses, settings).await?;
    let stream = server.secure(stream, settings).await?;
    server.sign_in(stream, &config.bind, settings).await
}

#[cfg(test)]
#[path = "connect_tests.rs"]
mod tests;
