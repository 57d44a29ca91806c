//! A server that says what a test wants, byte for byte (RFC 4511, [MS-ADTS]).
//!
//! [`serve`] answers by a request's number on its connection; [`serve_requests`] by the request, taken apart. What is
//! sent is put together from `answer`'s functions; an [`Act`] says how it is sent: at once, slowly, cut, not at all.

mod answer;
mod request;
mod transport;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) use answer::*;
pub(crate) use request::{Operation, Request};
pub(crate) use transport::{ServerConfig, Transport};

/// What the server does about one request.
pub(crate) enum Act {
    /// Sends these protocol operations, each in a message of its own, with controls.
    Send(Vec<Answer>),
    /// Sends these bytes as they are.
    Raw(Vec<u8>),
    /// Sends these protocol operations and closes the connection.
    SendAndClose(Vec<Answer>),
    /// Sends these protocol operations and begins TLS, as after StartTLS.
    SendAndStartTls(Vec<Answer>, Arc<ServerConfig>),
    /// Sends these protocol operations byte by byte, with a pause before each byte.
    Crawl(Vec<Answer>, Duration),
    /// Does one after the other.
    All(Vec<Act>),
    /// Waits before it goes on.
    Wait(Duration),
    /// Counts that it came so far.
    Note(Arc<AtomicUsize>),
    /// Closes the connection.
    Close,
    /// Says nothing more.
    Silence,
}

/// Starts a server that acts on each request as `script` says.
/// The script gets the request's number on its connection (the bind is 0) and the operation's bytes.
pub(crate) fn serve(script: impl Fn(usize, &[u8]) -> Act + Send + Sync + 'static) -> String {
    serve_requests(move |request| script(request.number, &request.bytes))
}

/// Starts a server that acts on each request, taken apart, as `script` says; its URL.
pub(crate) fn serve_requests(script: impl Fn(&Request) -> Act + Send + Sync + 'static) -> String {
    format!("ldap://{}", listen(None, script))
}

/// The same over TLS from the first byte; its port on `localhost` and 127.0.0.1.
pub(crate) fn serve_tls(config: Arc<ServerConfig>, script: impl Fn(&Request) -> Act + Send + Sync + 'static) -> u16 {
    listen(Some(config), script).port()
}

fn listen(
    tls: Option<Arc<ServerConfig>>,
    script: impl Fn(&Request) -> Act + Send + Sync + 'static,
) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for (connection, stream) in listener.incoming().enumerate() {
            let Ok(stream) = stream else { return };
            let (script, tls) = (Arc::clone(&script), tls.clone());
            std::thread::spawn(move || {
                let _ = converse(connection, stream, tls, &*script);
            });
        }
    });
    address
}

fn converse(
    connection: usize,
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    script: &impl Fn(&Request) -> Act,
) -> io::Result<()> {
    let mut stream = Transport::Plain(stream);
    if let Some(config) = tls {
        stream = stream.secured(config)?;
    }
    for number in 0.. {
        let request = Request::parse(connection, number, &message(&mut stream)?);
        if request.operation == Operation::Unbind {
            return Ok(());
        }
        let act = script(&request);
        match act_on(act, request.id, stream)? {
            Some(open) => stream = open,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Does what an act says; `None` when the conversation is over.
fn act_on(act: Act, id: i32, mut stream: Transport) -> io::Result<Option<Transport>> {
    match act {
        Act::Send(answers) => stream.write_all(&messages(id, answers))?,
        Act::SendAndClose(answers) => {
            stream.write_all(&messages(id, answers))?;
            return Ok(None);
        }
        Act::SendAndStartTls(answers, config) => {
            stream.write_all(&messages(id, answers))?;
            return stream.secured(config).map(Some);
        }
        Act::Raw(bytes) => stream.write_all(&bytes)?,
        Act::Crawl(answers, pause) => {
            for byte in messages(id, answers) {
                std::thread::sleep(pause);
                stream.write_all(&[byte])?;
            }
        }
        Act::All(acts) => {
            for act in acts {
                match act_on(act, id, stream)? {
                    Some(open) => stream = open,
                    None => return Ok(None),
                }
            }
        }
        Act::Wait(pause) => std::thread::sleep(pause),
        Act::Note(count) => {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Act::Close => return Ok(None),
        Act::Silence => {
            std::thread::sleep(Duration::from_secs(5));
            return Ok(None);
        }
    }
    Ok(Some(stream))
}

/// One message's content: what is behind the outer length.
fn message(stream: &mut Transport) -> io::Result<Vec<u8>> {
    let mut head = [0; 2];
    stream.read_exact(&mut head)?;
    let mut length = usize::from(head[1]);
    if length > 127 {
        let mut octets = vec![0; length - 128];
        stream.read_exact(&mut octets)?;
        length = octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content)?;
    Ok(content)
}
