//! A pair of connected streams within this process: one for the relay, one for the LDAP library, which takes streams of
//! the standard library alone.

use std::io;

use ldap3::StdStream;

/// The relay's end.
#[cfg(unix)]
pub(super) type LocalStream = tokio::net::UnixStream;
/// The relay's end.
#[cfg(not(unix))]
pub(super) type LocalStream = tokio::net::TcpStream;

/// The URL that makes the library take its end without looking at the name in it.
#[cfg(unix)]
pub(super) const LOCAL_URL: &str = "ldapi://relay";
/// The URL that makes the library take its end without looking at the name in it.
#[cfg(not(unix))]
pub(super) const LOCAL_URL: &str = "ldap://relay";

/// The relay's end and the library's.
#[cfg(unix)]
pub(super) async fn pair() -> io::Result<(LocalStream, StdStream)> {
    let (ours, theirs) = LocalStream::pair()?;
    Ok((ours, StdStream::Unix(theirs.into_std()?)))
}

/// The relay's end and the library's: TCP on loopback, where there are no pairs of sockets.
#[cfg(not(unix))]
pub(super) async fn pair() -> io::Result<(LocalStream, StdStream)> {
    let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let theirs = LocalStream::connect(listener.local_addr()?).await?;
    let expected = theirs.local_addr()?;
    loop {
        // another process could be quicker to connect
        let (ours, peer) = listener.accept().await?;
        if peer == expected {
            ours.set_nodelay(true)?;
            theirs.set_nodelay(true)?;
            return Ok((ours, StdStream::Tcp(theirs.into_std()?)));
        }
    }
}
