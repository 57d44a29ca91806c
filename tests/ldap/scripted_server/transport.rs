//! The server's end of a connection, with or without TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

pub(crate) use rustls::ServerConfig;
use rustls::{ServerConnection, StreamOwned};

/// A connection.
pub(crate) enum Transport {
    /// TCP alone.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Transport {
    /// The same connection with TLS.
    pub(super) fn secured(self, config: Arc<ServerConfig>) -> io::Result<Self> {
        let Self::Plain(mut stream) = self else { return Err(io::Error::other("TLS twice")) };
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        session.complete_io(&mut stream)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(session, stream))))
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
