//! Fetching what strangers name by HTTP: certificates, CRLs, OCSP answers. Nothing of ours goes along but the request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION};
use url::{Host, Url};

use crate::error::{Code, Error, Result};

use super::address::{self, is_allowed};
use super::cause::Cause;
use super::http::{self, Failure, is_loopback};
use super::tls;

/// Redirects that are followed; CRLs behind a content network need one.
const MAX_REDIRECTS: u32 = 3;

/// What fetching may cost, and whom it may speak to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest time for one fetch, redirects included.
    pub timeout: Duration,
    /// Bytes of an answer, at most, before and after decompression.
    pub max_bytes: usize,
    /// Whether loopback may be spoken to.
    pub allow_loopback: bool,
}

/// What is asked of a URL.
#[derive(Debug, Clone, Copy)]
pub enum Ask<'a> {
    /// What is there.
    Get,
    /// An OCSP answer to this request (RFC 6960 A.1).
    Ocsp(&'a [u8]),
}

/// A client for URLs of strangers, with connections of its own: no cookies, no credentials, no Referer.
///
/// A name's addresses are checked when they are connected to, so that a name cannot change between the check and the
/// connection. Where the environment or the system names a proxy for a URL, the proxy resolves the name, and only
/// addresses written in the URL can be checked.
pub struct Fetcher {
    direct: reqwest::Client,
    proxied: reqwest::Client,
    proxies: Matcher,
    limits: Limits,
}

impl Fetcher {
    /// A client; nothing is connected yet.
    ///
    /// # Errors
    /// Defects of this library.
    pub fn new(limits: Limits) -> Result<Self> {
        Self::with_lookup(limits, Arc::new(SystemLookup))
    }

    fn with_lookup(limits: Limits, lookup: Arc<dyn Lookup>) -> Result<Self> {
        let tls = tls::client_config(&[], true)?;
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured((*tls).clone())
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .user_agent(concat!("SmimeSync/", env!("CARGO_PKG_VERSION")))
        };
        let guard = Guard { lookup, allow_loopback: limits.allow_loopback };
        let failed = |error: reqwest::Error| Error::new(Code::Internal).with("detail", error.to_string());
        Ok(Self {
            direct: builder().no_proxy().dns_resolver(guard).build().map_err(failed)?,
            proxied: builder().build().map_err(failed)?,
            proxies: Matcher::from_system(),
            limits,
        })
    }

    /// The whole answer to a request, decompressed.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn fetch(&self, url: &Url, ask: Ask<'_>) -> std::result::Result<Vec<u8>, Cause> {
        tokio::time::timeout(self.limits.timeout, self.follow(url.clone(), ask)).await.unwrap_or(Err(Cause::Timeout))
    }

    async fn follow(&self, mut url: Url, ask: Ask<'_>) -> std::result::Result<Vec<u8>, Cause> {
        for _ in 0..=MAX_REDIRECTS {
            let client = self.client_for(&url)?;
            let request = match ask {
                Ask::Get => client.get(url.clone()),
                Ask::Ocsp(body) => client
                    .post(url.clone())
                    .header(CONTENT_TYPE, HeaderValue::from_static("application/ocsp-request"))
                    .body(body.to_vec()),
            };
            let request = request.header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            let answer = request.send().await.map_err(|error| cause(&error))?;
            match (answer.status().as_u16(), ask) {
                (200, _) => return self.body(answer).await,
                (301 | 302 | 307 | 308, _) | (303, Ask::Get) => {
                    let place = answer.headers().get(LOCATION).and_then(|place| place.to_str().ok());
                    url = place.and_then(|place| url.join(place).ok()).ok_or(Cause::UrlNotAllowed)?;
                }
                (status, _) => return Err(Cause::Http(status)),
            }
        }
        Err(Cause::TooManyRedirects)
    }

    /// The client that may speak to a URL.
    fn client_for(&self, url: &Url) -> std::result::Result<&reqwest::Client, Cause> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Cause::SchemeNotAllowed);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Cause::UrlNotAllowed);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(Cause::UrlNotAllowed),
        };
        // names are resolved when they are connected to, by the guard
        if literal.is_some_and(|address| !is_allowed(address, self.limits.allow_loopback)) {
            return Err(Cause::AddressNotAllowed);
        }
        let by_proxy = !is_local(url) && url.as_str().parse().is_ok_and(|uri| self.proxies.intercept(&uri).is_some());
        Ok(if by_proxy { &self.proxied } else { &self.direct })
    }

    async fn body(&self, mut answer: reqwest::Response) -> std::result::Result<Vec<u8>, Cause> {
        let limit = self.limits.max_bytes;
        if answer.content_length().is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
            return Err(Cause::TooLarge);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| cause(&error))? {
            if body.len() + chunk.len() > limit {
                return Err(Cause::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        http::decompress(answer.headers(), body, limit).map_err(|failure| of_failure(&failure))
    }
}

/// Whether a URL's host is this machine by its very name, which no proxy may be asked about.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    is_loopback(url) || host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost")
}

fn cause(error: &reqwest::Error) -> Cause {
    if http::chain(error).any(|cause| cause.is::<NotAllowed>()) {
        return Cause::AddressNotAllowed;
    }
    of_failure(&http::failure(error))
}

fn of_failure(failure: &Failure) -> Cause {
    match failure {
        Failure::Unreachable(_) => Cause::Unreachable,
        Failure::Untrusted(_) => Cause::Untrusted,
        Failure::Timeout => Cause::Timeout,
        Failure::Interrupted(_) => Cause::Interrupted,
        Failure::TooLarge => Cause::TooLarge,
    }
}

/// How names become addresses.
trait Lookup: Send + Sync {
    fn lookup(&self, name: String) -> futures_util::future::BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> futures_util::future::BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// Resolves names and leaves out the addresses that are not spoken to.
struct Guard {
    lookup: Arc<dyn Lookup>,
    allow_loopback: bool,
}

/// A name has addresses, and none may be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("address not allowed")]
struct NotAllowed;

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.lookup.lookup(name.as_str().to_owned());
        let allow_loopback = self.allow_loopback;
        Box::pin(async move {
            let found = found.await?;
            let known = !found.is_empty();
            let allowed = address::allowed(found, allow_loopback);
            if allowed.is_empty() && known {
                return Err(NotAllowed.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Gives the addresses of each call in turn, the last one for good.
    struct Rebinding {
        answers: Vec<&'static str>,
        port: u16,
        calls: AtomicUsize,
    }

    impl Lookup for Rebinding {
        fn lookup(&self, _: String) -> futures_util::future::BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
            let call = self.calls.fetch_add(1, Ordering::Relaxed).min(self.answers.len() - 1);
            let found = self.answers[call]
                .split(' ')
                .map(|address| SocketAddr::new(address.parse().unwrap(), self.port))
                .collect();
            Box::pin(async move { Ok(found) })
        }
    }

    fn limits(allow_loopback: bool) -> Limits {
        Limits { timeout: Duration::from_secs(5), max_bytes: 1000, allow_loopback }
    }

    /// A server that answers every request with `answer`, and how many it had.
    fn serve(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                counted.fetch_add(1, Ordering::Relaxed);
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (port, count)
    }

    async fn fetched(fetcher: &Fetcher, url: &str) -> std::result::Result<Vec<u8>, Cause> {
        fetcher.fetch(&Url::parse(url).unwrap(), Ask::Get).await
    }

    #[tokio::test]
    async fn a_name_is_judged_by_the_addresses_it_has_when_connecting() {
        let (port, count) = serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        let named = |answers: &[&'static str], allow_loopback| {
            let lookup = Rebinding { answers: answers.to_vec(), port, calls: AtomicUsize::new(0) };
            Fetcher::with_lookup(limits(allow_loopback), Arc::new(lookup)).unwrap()
        };
        for address in ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0"] {
            let refused = fetched(&named(&[address], false), &format!("http://crl.x.test:{port}/a.crl")).await;
            assert_eq!(refused, Err(Cause::AddressNotAllowed), "{address}");
        }
        assert_eq!(count.load(Ordering::Relaxed), 0);
        // of several addresses those that are allowed are used
        let mixed = named(&["169.254.169.254 127.0.0.1"], true);
        assert_eq!(fetched(&mixed, &format!("http://crl.x.test:{port}/a.crl")).await, Ok(b"ok".to_vec()));
        // the second connection's answer counts, not the first's
        let rebinding = named(&["127.0.0.1", "169.254.169.254"], true);
        let url = format!("http://crl.x.test:{port}/a.crl");
        assert_eq!(fetched(&rebinding, &url).await, Ok(b"ok".to_vec()));
        assert_eq!(fetched(&rebinding, &url).await, Err(Cause::AddressNotAllowed));
    }

    #[tokio::test]
    async fn addresses_in_urls_schemes_and_users_are_looked_at_first() {
        let fetcher = Fetcher::new(limits(false)).unwrap();
        for (url, cause) in [
            ("http://127.0.0.1:1/", Cause::AddressNotAllowed),
            ("http://2130706433/", Cause::AddressNotAllowed),
            ("http://0x7f.1/", Cause::AddressNotAllowed),
            ("http://[::ffff:7f00:1]/", Cause::AddressNotAllowed),
            ("https://169.254.169.254/latest/meta-data/", Cause::AddressNotAllowed),
            ("http://localhost:1/", Cause::AddressNotAllowed),
            ("ftp://x.test/a.crl", Cause::SchemeNotAllowed),
            ("file:///etc/passwd", Cause::SchemeNotAllowed),
            ("http://u:p@x.test/", Cause::UrlNotAllowed),
        ] {
            assert_eq!(fetched(&fetcher, url).await, Err(cause), "{url}");
        }
    }

    #[tokio::test]
    async fn each_redirect_is_looked_at_anew() {
        let fetcher = Fetcher::new(limits(true)).unwrap();
        for (place, expected) in [
            ("http://169.254.169.254/", Cause::AddressNotAllowed),
            ("file:///etc/passwd", Cause::SchemeNotAllowed),
            ("ldap://127.0.0.1/", Cause::SchemeNotAllowed),
            ("http://u:p@127.0.0.1/", Cause::UrlNotAllowed),
            ("/again", Cause::TooManyRedirects),
        ] {
            let answer =
                format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let (port, count) = serve(answer.leak());
            assert_eq!(fetched(&fetcher, &format!("http://127.0.0.1:{port}/")).await, Err(expected), "{place}");
            let requests = if place == "/again" { 4 } else { 1 };
            assert_eq!(count.load(Ordering::Relaxed), requests, "{place}");
        }
    }
}
