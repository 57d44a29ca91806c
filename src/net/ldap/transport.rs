//! The stream to a server: TCP, with TLS over it from the first byte or after StartTLS; or a socket of this machine.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{Code, Error, Result};
use crate::net::tls::certificate_words;

use super::message::{self, Broken, operation};

/// A stream to a server.
#[derive(Debug)]
pub enum Transport {
    /// Without protection.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<TlsStream<TcpStream>>),
    /// A socket of this machine, which nobody else can listen to.
    #[cfg(unix)]
    Local(UnixStream),
    /// Signed and sealed by Kerberos.
    #[cfg(feature = "gssapi")]
    Sealed(Box<super::sealed::Sealed>),
}

impl Transport {
    /// A TCP connection to the first of these addresses that takes one.
    ///
    /// # Errors
    /// `directory_unreachable`.
    pub async fn connect(addresses: &[SocketAddr]) -> Result<Self> {
        let stream = TcpStream::connect(addresses).await.map_err(|error| io_error(&error))?;
        // requests are small, and each waits for its answer
        stream.set_nodelay(true).map_err(|error| io_error(&error))?;
        Ok(Self::Plain(stream))
    }

    /// A connection to a socket of this machine.
    ///
    /// # Errors
    /// `directory_unreachable`.
    #[cfg(unix)]
    pub async fn connect_local(path: &std::path::Path) -> Result<Self> {
        UnixStream::connect(path).await.map(Self::Local).map_err(|error| io_error(&error))
    }

    /// Asks for TLS by the StartTLS operation and waits for the server's consent.
    ///
    /// # Errors
    /// `directory_protocol` where it refuses or says something else, `directory_unreachable`.
    pub async fn start_tls(&mut self) -> Result<()> {
        self.write_all(&message::start_tls_request()).await.map_err(|error| io_error(&error))?;
        let answer = self.one_message().await?;
        let head = message::head(&answer)?;
        match message::outcome(&answer) {
            Some((0, _)) if head.operation == operation::EXTENDED_RESPONSE && head.id == 1 => Ok(()),
            Some((code, words)) if head.operation == operation::EXTENDED_RESPONSE => {
                let detail = format!("the server refuses StartTLS: result {code} {words}");
                Err(Error::new(Code::DirectoryProtocol).with("detail", detail.trim_end()))
            }
            _ => Err(Broken::Malformed.into()),
        }
    }

    /// Exactly one message and no byte more: what follows belongs to TLS.
    pub(super) async fn one_message(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let extent = loop {
            bytes.push(self.read_u8().await.map_err(|error| io_error(&error))?);
            if let Some(extent) = message::extent(&bytes)? {
                break extent;
            }
        };
        let mut rest = self.take((extent - bytes.len()) as u64);
        rest.read_to_end(&mut bytes).await.map_err(|error| io_error(&error))?;
        if bytes.len() < extent { Err(closed()) } else { Ok(bytes) }
    }

    /// The same stream with TLS; the server must have a certificate for this name or address.
    ///
    /// # Errors
    /// `directory_tls` for a certificate that is not accepted, `directory_protocol`, `directory_unreachable`.
    pub async fn secure(self, host: &str, config: Arc<ClientConfig>) -> Result<Self> {
        let Self::Plain(stream) = self else {
            return Err(Error::new(Code::Internal).with("detail", "TLS within TLS"));
        };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::new(Code::DirectoryTls).with("detail", "the host is no name a certificate can have"))?;
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| io_error(&error))?;
        Ok(Self::Tls(Box::new(stream)))
    }

    /// The server's own certificate, where there is TLS.
    #[cfg(feature = "gssapi")]
    pub(super) fn server_certificate(&self) -> Option<rustls::pki_types::CertificateDer<'static>> {
        match self {
            Self::Tls(stream) => stream.get_ref().1.peer_certificates()?.first().map(|leaf| leaf.clone().into_owned()),
            _ => None,
        }
    }

    /// Whether there is TLS.
    #[cfg(feature = "gssapi")]
    pub(super) fn is_secure(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            #[cfg(unix)]
            Self::Local(stream) => Pin::new(stream).poll_read(context, buffer),
            #[cfg(feature = "gssapi")]
            Self::Sealed(stream) => Pin::new(&mut **stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            #[cfg(unix)]
            Self::Local(stream) => Pin::new(stream).poll_write(context, bytes),
            #[cfg(feature = "gssapi")]
            Self::Sealed(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
            #[cfg(unix)]
            Self::Local(stream) => Pin::new(stream).poll_flush(context),
            #[cfg(feature = "gssapi")]
            Self::Sealed(stream) => Pin::new(&mut **stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            #[cfg(unix)]
            Self::Local(stream) => Pin::new(stream).poll_shutdown(context),
            #[cfg(feature = "gssapi")]
            Self::Sealed(stream) => Pin::new(&mut **stream).poll_shutdown(context),
        }
    }
}

/// What a failed read, write or handshake means.
pub(super) fn io_error(error: &io::Error) -> Error {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls_error(tls);
    }
    let (code, detail) = match error.kind() {
        io::ErrorKind::TimedOut => (Code::DirectoryTimeout, error.to_string()),
        io::ErrorKind::ConnectionRefused => (Code::DirectoryUnreachable, "connection refused".to_owned()),
        io::ErrorKind::UnexpectedEof => return closed(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            (Code::DirectoryUnreachable, CLOSED_ABRUPTLY.to_owned())
        }
        io::ErrorKind::InvalidData => (Code::DirectoryProtocol, error.to_string()),
        _ => (Code::DirectoryUnreachable, error.to_string()),
    };
    Error::new(code).with("detail", detail)
}

/// What a failure of TLS means.
fn tls_error(error: &rustls::Error) -> Error {
    let (code, detail) = match error {
        rustls::Error::InvalidCertificate(reason) => (Code::DirectoryTls, certificate_words(reason)),
        rustls::Error::NoCertificatesPresented => (Code::DirectoryTls, "the server has no certificate".to_owned()),
        rustls::Error::AlertReceived(alert) => match refused_client(*alert) {
            Some(words) => (Code::DirectoryAuth, words.to_owned()),
            None => (Code::DirectoryProtocol, format!("the server ended TLS: {alert:?}")),
        },
        rustls::Error::InvalidMessage(_) => (Code::DirectoryProtocol, "the server does not speak TLS".to_owned()),
        _ => (Code::DirectoryProtocol, error.to_string()),
    };
    Error::new(code).with("detail", detail)
}

/// What an alert about the client's own certificate means (RFC 8446 6.2); `None` for one about anything else.
fn refused_client(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the server wants a client certificate"
        }
        AlertDescription::CertificateExpired => "the server refuses the client certificate: it has expired",
        AlertDescription::CertificateRevoked => "the server refuses the client certificate: it is revoked",
        AlertDescription::UnknownCA => "the server refuses the client certificate: its issuer is not known there",
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => "the server refuses the client certificate",
        _ => return None,
    })
}

const CLOSED: &str = "the server closed the connection";
const CLOSED_ABRUPTLY: &str = "the server closed the connection abruptly";

/// The end of a connection that the server closed.
pub(super) fn closed() -> Error {
    Error::new(Code::DirectoryUnreachable).with("detail", CLOSED)
}

/// Whether a connection ended so that nobody said why.
pub(super) fn is_silent_end(error: &Error) -> bool {
    let silent = |detail| Error::new(Code::DirectoryUnreachable).with("detail", detail).text();
    error.text() == silent(CLOSED) || error.text() == silent(CLOSED_ABRUPTLY)
}
