//! The relay between a server and the LDAP library: whole, well-formed, expected messages go through, and the first
//! that is none ends the connection with its true cause kept.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::error::{Code, Error, Result};

use super::local;
use super::message::{self, Broken, Head, operation};
use super::transport::{Transport, closed, io_error, is_silent_end};

/// Bytes read at once, at least.
const CHUNK: usize = 64 << 10;
/// Bytes of answers that a search may be ahead of who reads it, where that one says what it took.
const AHEAD: usize = 8 << 20;

/// A relay at work. Dropping it ends the connection.
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when a search was read from, or another request came.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// What has not been answered yet, by message id.
    requests: HashMap<i32, Request>,
    /// Searches whose reader says what it took; some are told of before their request comes by.
    accounted: HashSet<i32>,
    /// Why the connection ended.
    ended: Option<Error>,
}

#[derive(Debug)]
struct Request {
    operation: u8,
    /// Sizes of the answers that are on their way to the reader.
    ahead: VecDeque<usize>,
    bytes_ahead: usize,
}

/// The LDAP library on a stream, with a relay before it. Nothing is sent yet.
///
/// # Errors
/// `directory_unreachable` where the operating system gives no local sockets.
pub async fn relayed(transport: Transport) -> Result<(Relay, LdapConnAsync, Ldap)> {
    let (ours, theirs) = local::pair().await.map_err(|error| io_error(&error))?;
    let settings = LdapConnSettings::new().set_std_stream(theirs);
    let opened = LdapConnAsync::with_settings(settings, local::LOCAL_URL).await;
    let (driver, ldap) = opened.map_err(|error| Error::new(Code::Internal).with("detail", error.to_string()))?;
    let shared = Arc::new(Shared::default());
    let task = tokio::spawn(run(transport, ours, Arc::clone(&shared)));
    Ok((Relay { shared, task }, driver, ldap))
}

impl Relay {
    /// Why the connection ended, if it has.
    pub fn ended(&self) -> Option<Error> {
        self.shared.lock().ended.clone()
    }

    /// Whether the server closed the connection and said nothing.
    pub fn was_closed(&self) -> bool {
        self.ended().is_some_and(|error| is_silent_end(&error))
    }

    /// Says that the reader of this search will tell of every answer it takes, so that the server can be held back.
    pub fn account(&self, id: i32) {
        self.shared.lock().accounted.insert(id);
    }

    /// Says that an answer of an accounted search was taken.
    pub fn took(&self, id: i32) {
        let mut state = self.shared.lock();
        if let Some(request) = state.requests.get_mut(&id)
            && let Some(size) = request.ahead.pop_front()
        {
            request.bytes_ahead -= size;
            drop(state);
            self.shared.changed.notify_one();
        }
    }

    /// Waits until all that was sent has gone out and the connection is closed; after the library was told to unbind.
    pub async fn finished(&mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a search is so far ahead of its reader that the server must wait, and nobody waits for anything else.
    fn must_wait(&self) -> bool {
        let state = self.lock();
        !state.requests.is_empty()
            && state.requests.iter().all(|(id, request)| state.accounted.contains(id) && request.bytes_ahead > AHEAD)
    }
}

impl State {
    /// Notes a request on its way to the server.
    fn asked(&mut self, head: Head) {
        if !matches!(head.operation, operation::UNBIND | operation::ABANDON) {
            let request = Request { operation: head.operation, ahead: VecDeque::new(), bytes_ahead: 0 };
            self.requests.insert(head.id, request);
        }
    }

    /// Whether an answer is for the library: the one to a request it waits for. One that comes too late is dropped.
    fn answered(&mut self, head: Head, size: usize) -> std::result::Result<bool, Broken> {
        let Some(request) = self.requests.get_mut(&head.id) else { return Ok(false) };
        let expected = match (request.operation, head.operation) {
            (
                operation::SEARCH_REQUEST,
                operation::SEARCH_ENTRY | operation::SEARCH_REFERENCE | operation::INTERMEDIATE,
            ) => {
                request.ahead.push_back(size);
                request.bytes_ahead += size;
                return Ok(true);
            }
            (operation::SEARCH_REQUEST, operation::SEARCH_DONE) => true,
            (operation::SEARCH_REQUEST, _) => false,
            // an answer's number is its request's plus one, in all of RFC 4511
            (asked, answered) => answered == asked + 1,
        };
        if !expected {
            return Err(Broken::Malformed);
        }
        self.requests.remove(&head.id);
        self.accounted.remove(&head.id);
        Ok(true)
    }
}

async fn run(transport: Transport, local: local::LocalStream, shared: Arc<Shared>) {
    let (from_server, to_server) = tokio::io::split(transport);
    let (from_library, to_library) = tokio::io::split(local);
    let (mut to_server, mut to_library) = (to_server, to_library);
    let ended = tokio::select! {
        ended = answers(from_server, &mut to_library, &shared) => Some(ended),
        ended = requests(from_library, &mut to_server, &shared) => ended,
    };
    shared.lock().ended = Some(ended.unwrap_or_else(closed));
    // the library's end closes only now, when whoever asks why gets an answer
    let _ = to_library.shutdown().await;
    let _ = to_server.shutdown().await;
}

/// Brings the server's messages to the library; why it stopped.
async fn answers(from: impl AsyncRead + Unpin, to: &mut (impl AsyncWrite + Unpin), shared: &Shared) -> Error {
    let mut frames = Frames::new(from, message::head);
    loop {
        match frames.fill().await {
            Ok(true) => {}
            Ok(false) if frames.is_empty() => return closed(),
            Ok(false) => return cut(),
            Err(error) => return error,
        }
        loop {
            while shared.must_wait() {
                shared.changed.notified().await;
            }
            let admitted = frames.take_while(|head, bytes| {
                if head.id == 0 && head.operation == operation::EXTENDED_RESPONSE {
                    return Err(disconnection(bytes));
                }
                shared.lock().answered(head, bytes.len()).map_err(Error::from)
            });
            let range = match admitted {
                Ok(Some(range)) => range,
                Ok(None) => break,
                Err(error) => return error,
            };
            if to.write_all(frames.bytes(range)).await.is_err() {
                // the library has closed its end, which `requests` tells of
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Brings the library's requests to the server; why it stopped, `None` when the library is done.
async fn requests(from: impl AsyncRead + Unpin, to: &mut (impl AsyncWrite + Unpin), shared: &Shared) -> Option<Error> {
    let mut frames = Frames::new(from, message::envelope);
    loop {
        match frames.fill().await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(error),
        }
        let noted = frames.take_while(|head, _| {
            shared.lock().asked(head);
            Ok(true)
        });
        let range = match noted {
            Ok(Some(range)) => range,
            Ok(None) => continue,
            Err(error) => return Some(error),
        };
        shared.changed.notify_one();
        let sent = match to.write_all(frames.bytes(range)).await {
            Ok(()) => to.flush().await,
            failed => failed,
        };
        if sent.is_err() {
            // what the server said before it went is worth more than that it went
            std::future::pending::<()>().await;
        }
    }
}

/// What is wrong with bytes of which no message can be made; an entry that is too long is named.
fn broken_off(broken: Broken, bytes: &[u8]) -> Error {
    match message::entry_name(bytes).filter(|_| broken == Broken::TooLong) {
        Some(name) => {
            let detail = format!("the entry {name} is longer than 16 MiB");
            Error::new(Code::DirectoryProtocol).with("detail", detail)
        }
        None => broken.into(),
    }
}

/// The end of a connection in the middle of a message.
fn cut() -> Error {
    Error::new(Code::DirectoryUnreachable).with("detail", "the server closed the connection in the middle of a message")
}

/// What the server says when it ends the connection by itself (RFC 4511 4.4.1).
fn disconnection(message: &[u8]) -> Error {
    let (code, words) = message::outcome(message).unwrap_or_default();
    let detail = format!("the server ends the connection: result {code} {words}");
    Error::new(Code::DirectoryUnreachable).with("detail", detail.trim_end())
}

/// Messages of a stream, in a buffer that grows only by what has come.
struct Frames<R> {
    from: R,
    look: fn(&[u8]) -> std::result::Result<Head, Broken>,
    buffer: Vec<u8>,
    /// Bytes at the beginning that were taken.
    taken: usize,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    fn new(from: R, look: fn(&[u8]) -> std::result::Result<Head, Broken>) -> Self {
        Self { from, look, buffer: Vec::with_capacity(CHUNK), taken: 0 }
    }

    /// Reads what there is; `false` at the end.
    async fn fill(&mut self) -> Result<bool> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.reserve(CHUNK);
        let read = self.from.read_buf(&mut self.buffer).await.map_err(|error| io_error(&error))?;
        Ok(read > 0)
    }

    fn is_empty(&self) -> bool {
        self.buffer.len() == self.taken
    }

    fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Takes whole messages that are to go on, up to a chunk of them, and leaves out those that are not; `None` when
    /// more must be read first. What is wrong is told when all before it is taken.
    fn take_while(&mut self, mut admit: impl FnMut(Head, &[u8]) -> Result<bool>) -> Result<Option<Range<usize>>> {
        let mut begin = self.taken;
        let mut end = begin;
        while end - begin < CHUNK {
            let left = &self.buffer[end..];
            let looked = match message::extent(left) {
                Ok(Some(extent)) if extent <= left.len() => (self.look)(&left[..extent])
                    .map_err(Error::from)
                    .and_then(|head| Ok((extent, admit(head, &left[..extent])?))),
                Ok(_) => break,
                Err(broken) => Err(broken_off(broken, left)),
            };
            match looked {
                Ok((extent, true)) => end += extent,
                Ok((extent, false)) if begin == end => {
                    begin += extent;
                    end = begin;
                    self.taken = begin;
                }
                Err(error) if begin == end => return Err(error),
                // it is looked at again when it comes first
                Ok((_, false)) | Err(_) => break,
            }
        }
        self.taken = end;
        Ok(Some(begin..end).filter(|range| !range.is_empty()))
    }
}
