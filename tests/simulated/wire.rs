//! Requests over streams in memory, and a record of when each was sent and what wait each answer asked for.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use smimesync::net::http::{Answered, Failure, Request, Response, Transport};
use smimesync_tenant::Tenant;
use tokio::time::Instant;

/// What happened on the wire, in its order.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Sent {
        at: Instant,
        path: String,
    },
    /// An answer that asks for a wait.
    Asked {
        at: Instant,
        path: String,
        wait: Duration,
    },
}

/// Streams in memory to one double, a connection for each request.
pub(crate) struct Wire {
    tenant: Tenant,
    timeout: Duration,
    cookie: Mutex<Option<String>>,
    events: Mutex<Vec<Event>>,
}

impl Wire {
    pub(crate) fn new(tenant: Tenant, timeout: Duration) -> Self {
        Self { tenant, timeout, cookie: Mutex::default(), events: Mutex::default() }
    }

    /// Everything so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    async fn answer(&self, request: Request) -> Result<Response, Failure> {
        let broken = |_| Failure::Interrupted("connection reset".to_owned());
        let (near, far) = tokio::io::duplex(1 << 20);
        let tenant = self.tenant.clone();
        let serving = tokio::spawn(async move { tenant.serve_decrypted(far).await });
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(near)).await.map_err(broken)?;
        let connection = tokio::spawn(connection);
        let path = &request.url[url::Position::BeforePath..];
        let mut sent = hyper::Request::builder().method(request.method).uri(path);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        if let Some(cookie) = &*self.cookie.lock().unwrap() {
            sent = sent.header("cookie", cookie);
        }
        let sent = sent.header("host", request.url.host_str().unwrap()).body(Full::new(Bytes::from(request.body)));
        let (head, body) = sender.send_request(sent.unwrap()).await.map_err(broken)?.into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes().to_vec();
        connection.abort();
        serving.abort();
        Ok(Response { status: head.status.as_u16(), headers: head.headers, body })
    }
}

impl Transport for Wire {
    fn send(&self, request: Request, _: usize) -> Answered<'_> {
        Box::pin(async move {
            let path = request.url.path().to_owned();
            self.events.lock().unwrap().push(Event::Sent { at: Instant::now(), path: path.clone() });
            let answer = tokio::time::timeout(self.timeout, self.answer(request)).await;
            let answer = answer.unwrap_or(Err(Failure::Timeout))?;
            if let Some(seconds) = answer.header("retry-after") {
                let wait = Duration::from_secs(seconds.parse().unwrap());
                self.events.lock().unwrap().push(Event::Asked { at: Instant::now(), path, wait });
            }
            if let Some(cookie) = answer.header("set-cookie") {
                *self.cookie.lock().unwrap() = cookie.split(';').next().map(str::to_owned);
            }
            Ok(answer)
        })
    }
}
