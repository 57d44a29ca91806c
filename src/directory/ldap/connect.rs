//! A connection to one of the configured servers: name, TCP, TLS, bind; each on its own, so that `check` can tell.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use rustls::ClientConfig;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use crate::config::{self, BindMethod};
use crate::error::{Code, Error, Result};
use crate::net::tls;

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
}

/// A server of the configuration.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// Its URL as configured.
    pub(super) url: String,
    host: String,
    port: u16,
    /// How a connection to it is protected.
    pub(super) protection: Protection,
}

/// What connecting needs besides the server.
pub(super) struct Settings {
    tls: Option<Arc<ClientConfig>>,
    /// For connecting and for each answer.
    pub(super) timeout: Duration,
}

impl Settings {
    /// From the configuration; reads the CA files if a server needs them.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`, `trust_unreadable`, `config_value`.
    pub(super) fn new(config: &config::Directory, base_dir: Option<&Path>, servers: &[Server]) -> Result<Self> {
        let secure = servers.iter().any(|server| server.protection != Protection::Plain);
        let absolute = |path: &std::path::PathBuf| base_dir.map_or_else(|| path.clone(), |base| base.join(path));
        let ca_files: Vec<_> = config.ca_files.iter().map(absolute).collect();
        Ok(Self {
            tls: secure.then(|| tls::client_config(&ca_files, config.os_store)).transpose()?,
            timeout: Duration::from_millis(config.timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS)),
        })
    }
}

/// The servers of the configuration, in its order.
///
/// # Errors
/// `config_missing` without any, `config_value` for what is no LDAP URL.
pub(super) fn servers(config: &config::Directory) -> Result<Vec<Server>> {
    if config.urls.is_empty() {
        return Err(Error::new(Code::ConfigMissing).target("/directory/urls"));
    }
    let server = |(index, url): (usize, &String)| {
        Server::parse(url, config.start_tls).ok_or_else(|| {
            let expected = "expected ldap:// or ldaps:// with a host, a port and nothing else";
            Error::new(Code::ConfigValue).target(format!("/directory/urls/{index}")).with("detail", expected)
        })
    };
    config.urls.iter().enumerate().map(server).collect()
}

/// Whether the credentials may be sent to a server as it is protected.
///
/// # Errors
/// `directory_plaintext` for a password without TLS, `config_missing` for an empty name or password: servers take a
/// bind with an empty password for an anonymous one and say success (RFC 4513 5.1.2).
pub(super) fn credentials_allowed(bind: &config::Bind, server: &Server) -> Result<()> {
    let missing = |key: &str| Err(Error::new(Code::ConfigMissing).target(format!("/directory/bind/{key}")));
    match bind.method {
        BindMethod::Anonymous => Ok(()),
        BindMethod::Gssapi | BindMethod::External => {
            Err(Error::new(Code::ConfigUnsupported).target("/directory/bind/method").with("detail", "this bind method"))
        }
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
        let host = url.host_str().filter(|host| bare && !host.is_empty())?.to_owned();
        let port = url.port().unwrap_or(if protection == Protection::Ldaps { 636 } else { 389 });
        Some(Self { url: text.to_owned(), host, port, protection })
    }

    /// The server's addresses.
    ///
    /// # Errors
    /// `directory_unreachable`, `directory_timeout`; the target is the URL, as for all errors of this type.
    pub(super) async fn resolve(&self, settings: &Settings) -> Result<Vec<SocketAddr>> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let found = timeout(settings.timeout, tokio::net::lookup_host((host, self.port))).await;
        let unreachable = |detail: String| self.named(Error::new(Code::DirectoryUnreachable).with("detail", detail));
        let addresses: Vec<_> = found
            .map_err(|_| self.named(Error::new(Code::DirectoryTimeout)))?
            .map_err(|error| unreachable(error.to_string()))?
            .collect();
        if addresses.is_empty() { Err(unreachable("the name has no address".into())) } else { Ok(addresses) }
    }

    /// A TCP connection to the first address that takes one.
    ///
    /// # Errors
    /// `directory_unreachable`, `directory_timeout`.
    pub(super) async fn connect(&self, addresses: &[SocketAddr], settings: &Settings) -> Result<TcpStream> {
        let connected = timeout(settings.timeout, tokio::net::TcpStream::connect(addresses)).await;
        connected
            .map_err(|_| Error::new(Code::DirectoryTimeout))
            .and_then(|stream| stream.map_err(|error| failure::of_io(&error)))
            .and_then(|stream| stream.into_std().map_err(|error| failure::of_io(&error)))
            .map_err(|error| self.named(error))
    }

    /// LDAP over a TCP connection, with TLS as configured. Not bound yet.
    ///
    /// # Errors
    /// `directory_tls`, `directory_protocol`, `directory_unreachable`, `directory_timeout`.
    pub(super) async fn secure(&self, stream: TcpStream, settings: &Settings) -> Result<Connection> {
        let mut options = LdapConnSettings::new()
            .set_std_stream(StdStream::Tcp(stream))
            .set_starttls(self.protection == Protection::StartTls);
        if let Some(tls) = &settings.tls {
            options = options.set_config(tls.clone());
        }
        let opened = timeout(settings.timeout, LdapConnAsync::with_settings(options, &self.url)).await;
        let (driver, ldap) = opened.map_err(|_| self.named(Error::new(Code::DirectoryTimeout)))?.map_err(|error| {
            let ended = || Error::new(Code::DirectoryUnreachable).with("detail", "the server closed the connection");
            self.named(failure::of_library(error, Doing::StartTls).unwrap_or_else(ended))
        })?;
        let driver = Some(tokio::spawn(driver.drive()));
        Ok(Connection { ldap, driver, url: self.url.clone(), timeout: settings.timeout })
    }

    fn named(&self, error: Error) -> Error {
        error.target(self.url.clone())
    }
}

/// An open connection. Dropping it closes it.
pub(super) struct Connection {
    ldap: Ldap,
    driver: Option<JoinHandle<ldap3::result::Result<()>>>,
    /// The server's URL as configured.
    pub(super) url: String,
    timeout: Duration,
}

impl Connection {
    /// Binds as configured; see [`credentials_allowed`], which is asked first.
    ///
    /// # Errors
    /// `directory_auth`, `directory_denied`, and those of any operation.
    pub(super) async fn bind(&mut self, bind: &config::Bind) -> Result<()> {
        let (user, password) = match (bind.method, &bind.user, &bind.password) {
            (BindMethod::Simple, Some(user), Some(password)) => (user.as_str(), password.reveal()),
            _ => ("", ""),
        };
        let bound = self.ldap.with_timeout(self.timeout).simple_bind(user, password).await;
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

    async fn why_ended(&mut self) -> Error {
        let closed = || Error::new(Code::DirectoryUnreachable).with("detail", "the server closed the connection");
        let Some(mut driver) = self.driver.take() else { return closed() };
        match timeout(self.timeout, &mut driver).await {
            // a panic of ldap3 on its own task: a message it did not expect
            Ok(Err(_)) => Error::new(Code::DirectoryProtocol).with("detail", "a malformed message"),
            Ok(Ok(Err(LdapError::Io { source }))) => failure::of_io(&source),
            Ok(Ok(_)) => closed(),
            Err(_) => {
                driver.abort();
                closed()
            }
        }
    }

    /// Says goodbye, without waiting long for it.
    pub(super) async fn close(mut self) {
        let _ = timeout(Duration::from_secs(1), self.ldap.unbind()).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.abort();
        }
    }
}

/// A bound connection to the first server that can be spoken to.
///
/// # Errors
/// The first server's when none can be reached. Refused credentials are not tried elsewhere: accounts get locked.
pub(super) async fn open(config: &config::Directory, servers: &[Server], settings: &Settings) -> Result<Connection> {
    for server in servers {
        credentials_allowed(&config.bind, server)?;
    }
    let mut first = None;
    for server in servers {
        match open_one(config, server, settings).await {
            Ok(connection) => return Ok(connection),
            Err(error) if may_try_next(&error) => first = first.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(first.unwrap_or_else(|| Error::new(Code::ConfigMissing).target("/directory/urls")))
}

fn may_try_next(error: &Error) -> bool {
    use Code::{DirectoryProtocol, DirectoryTimeout, DirectoryTls, DirectoryUnreachable};
    matches!(error.code(), DirectoryUnreachable | DirectoryTimeout | DirectoryTls | DirectoryProtocol)
}

async fn open_one(config: &config::Directory, server: &Server, settings: &Settings) -> Result<Connection> {
    let addresses = server.resolve(settings).await?;
    let stream = server.connect(&addresses, settings).await?;
    let mut connection = server.secure(stream, settings).await?;
    connection.bind(&config.bind).await?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn urls_are_hosts_and_ports() {
        let server = |url, start_tls| Server::parse(url, start_tls).map(|s| (s.host, s.port, s.protection));
        assert_eq!(server("ldaps://dc1.x.test", false), Some(("dc1.x.test".into(), 636, Protection::Ldaps)));
        assert_eq!(server("ldap://dc1.x.test:3268/", true), Some(("dc1.x.test".into(), 3268, Protection::StartTls)));
        assert_eq!(server("LDAP://127.0.0.1", false), Some(("127.0.0.1".into(), 389, Protection::Plain)));
        for url in ["dc1", "http://dc1", "ldap://", "ldapi:///x", "ldap://u:p@dc1", "ldap://dc1/dc=x", "ldap://dc1?x"] {
            assert_eq!(server(url, false), None, "{url}");
        }
    }

    #[test]
    fn passwords_are_neither_empty_nor_sent_in_the_clear() {
        let server = |url| Server::parse(url, false).unwrap();
        let bind = |user: &str, password: &str, allow_plaintext| config::Bind {
            user: Some(user.into()),
            password: Some(Secret::new(password.into())),
            allow_plaintext,
            ..config::Bind::default()
        };
        let code = |bind: &config::Bind, url| credentials_allowed(bind, &server(url)).err().map(|error| error.code());
        assert_eq!(code(&bind("a", "p", false), "ldaps://x"), None);
        assert_eq!(code(&bind("a", "p", false), "ldap://127.0.0.1"), Some(Code::DirectoryPlaintext));
        assert_eq!(code(&bind("a", "p", true), "ldap://x"), None);
        assert_eq!(code(&bind("a", "", true), "ldaps://x"), Some(Code::ConfigMissing));
        assert_eq!(code(&bind("", "p", true), "ldaps://x"), Some(Code::ConfigMissing));
        let anonymous = config::Bind { method: BindMethod::Anonymous, ..config::Bind::default() };
        assert_eq!(code(&anonymous, "ldap://x"), None);
    }
}
