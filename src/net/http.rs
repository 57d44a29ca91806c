//! An HTTP client that verifies TLS, follows nothing by itself and reads no more than it was allowed to.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};
use url::{Host, Url};

use crate::error::{Code, Error, Result};

use super::tls;

/// Longest wait for a connection, however patient the request itself may be.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How a client reaches its servers. Not shown by `Debug`: a proxy's URL may hold a password.
pub struct Options {
    /// Authorities that may vouch for servers, besides the operating system's.
    pub ca_files: Vec<PathBuf>,
    /// A proxy with its JSON pointer; the environment's and the system's if absent.
    pub proxy: Option<(String, &'static str)>,
    /// Whether every proxy is passed by, as for servers on loopback.
    pub direct: bool,
    /// Longest time for one request, from connecting to the last byte.
    pub timeout: Duration,
    /// Bytes of an answer's body, at most, before and after decompression.
    pub max_body_bytes: usize,
}

/// A client with its own connections and cookies.
pub struct Client {
    transport: Arc<dyn Transport>,
    max_body_bytes: usize,
}

/// A request on its way.
pub struct Request {
    /// How.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// What a transport promises.
pub type Answered<'a> = Pin<Box<dyn Future<Output = std::result::Result<Response, Failure>> + Send + 'a>>;

/// What carries requests: connections of the operating system, or streams in memory where time is simulated.
pub trait Transport: Send + Sync {
    /// Sends a request and reads the whole answer as it came, whatever its status; a body of more bytes than allowed is
    /// a failure.
    fn send(&self, request: Request, max_body_bytes: usize) -> Answered<'_>;
}

/// Connections of the operating system.
struct Network(reqwest::Client);

/// A POST request.
pub struct Post<'a> {
    /// Where it goes.
    pub url: &'a Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// A complete answer.
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No connection came about; nothing was sent.
    Unreachable(String),
    /// The server's certificate is not trusted; nothing was sent.
    Untrusted(String),
    /// No complete answer within the time.
    Timeout,
    /// The connection broke after it had come about: whether the request had an effect is not known.
    Interrupted(String),
    /// The answer is larger than allowed.
    TooLarge,
}

impl Client {
    /// A client; nothing is connected yet.
    ///
    /// # Errors
    /// Those of [`tls::client_config`]; `config_value` for a proxy that is no URL.
    pub fn new(options: Options) -> Result<Self> {
        let tls = tls::client_config(&options.ca_files, true)?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured((*tls).clone())
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            // what is repeated, and how often, is the caller's decision
            .retry(reqwest::retry::never())
            .timeout(options.timeout)
            .connect_timeout(options.timeout.min(CONNECT_TIMEOUT));
        if options.direct {
            builder = builder.no_proxy();
        } else if let Some((proxy, pointer)) = &options.proxy {
            // a proxy's URL may hold a password, so the parser's words are not repeated
            let wrong = |_| Error::new(Code::ConfigValue).target(*pointer).with("detail", "expected a URL");
            builder = builder.proxy(reqwest::Proxy::all(proxy.as_str()).map_err(wrong)?);
        }
        let inner = builder.build().map_err(|error| Error::new(Code::Internal).with("detail", cause(&error)))?;
        Ok(Self { transport: Arc::new(Network(inner)), max_body_bytes: options.max_body_bytes })
    }

    /// A client over another transport.
    pub fn over(transport: Arc<dyn Transport>, max_body_bytes: usize) -> Self {
        Self { transport, max_body_bytes }
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// Why there is no complete answer.
    pub async fn post(&self, request: Post<'_>) -> std::result::Result<Response, Failure> {
        let Post { url, headers, body } = request;
        self.complete(Request { method: Method::POST, url: url.clone(), headers, body }).await
    }

    /// Sends a GET request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// Why there is no complete answer.
    pub async fn get(&self, url: &Url, headers: HeaderMap) -> std::result::Result<Response, Failure> {
        self.complete(Request { method: Method::GET, url: url.clone(), headers, body: Vec::new() }).await
    }

    async fn complete(&self, mut request: Request) -> std::result::Result<Response, Failure> {
        request.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let Response { status, headers, body } = self.transport.send(request, self.max_body_bytes).await?;
        let body = decompress(&headers, body, self.max_body_bytes)?;
        Ok(Response { status, headers, body })
    }
}

impl Transport for Network {
    fn send(&self, request: Request, max_body_bytes: usize) -> Answered<'_> {
        Box::pin(async move {
            let Request { method, url, headers, body } = request;
            let sending = self.0.request(method, url).headers(headers).body(body);
            let mut answer = sending.send().await.map_err(|error| failure(&error))?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error))? {
                if body.len() + chunk.len() > max_body_bytes {
                    return Err(Failure::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Response { status, headers, body })
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // cookies and a proxy's password live in the inner client
        formatter.write_str("Client")
    }
}

impl Response {
    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Whether a URL's host is the machine itself.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Some servers say gzip and send something else, so the bytes decide.
pub(super) fn decompress(headers: &HeaderMap, body: Vec<u8>, limit: usize) -> std::result::Result<Vec<u8>, Failure> {
    let says_gzip = headers.get(CONTENT_ENCODING).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if !says_gzip || !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(body);
    }
    let mut plain = Vec::new();
    let allowed = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    flate2::read::MultiGzDecoder::new(body.as_slice())
        .take(allowed)
        .read_to_end(&mut plain)
        .map_err(|_| Failure::Interrupted("broken compression".to_owned()))?;
    if plain.len() > limit { Err(Failure::TooLarge) } else { Ok(plain) }
}

pub(super) fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Timeout;
    }
    let found = chain(error).find_map(tls_error);
    match found {
        Some(rustls::Error::InvalidCertificate(reason)) => return Failure::Untrusted(tls::certificate_words(reason)),
        Some(_) if error.is_connect() => return Failure::Unreachable("the server does not speak TLS".to_owned()),
        _ => {}
    }
    if error.is_connect() { Failure::Unreachable(cause(error)) } else { Failure::Interrupted(cause(error)) }
}

pub(super) fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

/// An `io::Error` hides what it wraps from `source`, so it is opened by hand.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    error.downcast_ref::<rustls::Error>().or_else(|| tls_error(error.downcast_ref::<io::Error>()?.get_ref()?))
}

/// The innermost cause in short words; a URL never appears in them.
fn cause(error: &reqwest::Error) -> String {
    let kind = chain(error).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "connection reset".to_owned(),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => "no route to the host".to_owned(),
        _ => chain(error).last().map_or_else(String::new, |cause| cause.to_string().to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip_headers() -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("gzip"))])
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_that_only_claims_gzip_is_taken_as_it_is() {
        let nul = vec![0; 4096];
        assert_eq!(decompress(&gzip_headers(), nul.clone(), 10_000), Ok(nul));
        assert_eq!(decompress(&gzip_headers(), gzip(b"{}"), 10), Ok(b"{}".to_vec()));
    }

    #[test]
    fn decompression_is_bounded_and_broken_streams_are_no_answer() {
        let bomb = gzip(&vec![b'x'; 1 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(decompress(&gzip_headers(), bomb.clone(), 100_000), Err(Failure::TooLarge));
        let cut = bomb[..bomb.len() / 2].to_vec();
        assert!(matches!(decompress(&gzip_headers(), cut, 1 << 21), Err(Failure::Interrupted(_))));
    }

    #[test]
    fn loopback_is_told_by_the_host() {
        for (url, expected) in [
            ("http://127.0.0.1:1/", true),
            ("http://[::1]:1/", true),
            ("https://LocalHost/", true),
            ("http://localhost.evil.test/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
