//! A stream whose messages are signed and sealed by Kerberos, each behind its length in four octets (RFC 4422 3.7).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use cross_krb5::{ClientCtx, K5Ctx as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::MAX_MESSAGE_BYTES;
use super::transport::Transport;

/// Octets of a message before sealing; sealing adds less than the rest up to what every server takes.
const MOST_PLAIN: usize = 32 << 10;
/// What sealing adds, at most.
const OVERHEAD: usize = 1024;

/// A sealed stream.
#[derive(Debug)]
pub struct Sealed {
    inner: Transport,
    context: ClientCtx,
    /// Octets of one message, at most.
    most_plain: usize,
    /// Sealed octets that came and are no whole message yet.
    coming: Vec<u8>,
    /// What was opened and not read yet, and how far it was.
    opened: Vec<u8>,
    read: usize,
    /// Sealed octets that are to be sent.
    going: Vec<u8>,
}

impl Sealed {
    /// Over a stream, with the largest sealed message that the server takes; 0 is none in particular.
    pub(super) fn new(inner: Transport, context: ClientCtx, largest: u32) -> Self {
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        let most_plain = if largest == 0 { MOST_PLAIN } else { largest.saturating_sub(OVERHEAD).clamp(1, MOST_PLAIN) };
        Self { inner, context, most_plain, coming: Vec::new(), opened: Vec::new(), read: 0, going: Vec::new() }
    }

    /// Opens the next message if it is here as a whole.
    fn open(&mut self) -> io::Result<bool> {
        let Some((length, rest)) = self.coming.split_first_chunk::<4>() else { return Ok(false) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_MESSAGE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a sealed message longer than 16 MiB"));
        }
        let Some(sealed) = rest.get(..length) else { return Ok(false) };
        let opened = self.context.unwrap(sealed).map_err(|error| broken(&error))?;
        (self.opened, self.read) = (opened.to_vec(), 0);
        self.coming.drain(..4 + length);
        Ok(true)
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.going.is_empty() {
            let sent = ready!(Pin::new(&mut self.inner).poll_write(context, &self.going))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.going.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

fn broken(error: &impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("kerberos: {error:#}"))
}

impl AsyncRead for Sealed {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.read == this.opened.len() {
            if this.open()? {
                continue;
            }
            let mut chunk = [0; 16 << 10];
            let mut into = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut into))?;
            if into.filled().is_empty() {
                let cut = !this.coming.is_empty();
                return Poll::Ready(if cut { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) });
            }
            this.coming.extend_from_slice(into.filled());
        }
        let left = &this.opened[this.read..];
        let taken = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..taken]);
        this.read += taken;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sealed {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        let taken = bytes.len().min(this.most_plain);
        let sealed = this.context.wrap(true, &bytes[..taken]).map_err(|error| broken(&error))?;
        let length = u32::try_from(sealed.len()).map_err(|error| broken(&error))?;
        this.going.extend_from_slice(&length.to_be_bytes());
        this.going.extend_from_slice(&sealed);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(context))?;
        Pin::new(&mut this.inner).poll_shutdown(context)
    }
}
