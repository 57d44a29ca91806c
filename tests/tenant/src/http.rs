//! HTTP: from a byte stream to a request for one of the faces, and the answer back.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use time::macros::format_description;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::clock::utc;
use crate::tenant::Tenant;
use crate::{admin_api, batch, control, managed_identity, token};

/// The largest request body a face takes; the control face takes any, as a state may be large.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// A whole request.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The path's parts, percent-decoded.
    pub(crate) segments: Vec<String>,
    /// The query's options, decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Scheme, host and port the client spoke to, for links.
    pub(crate) base_url: String,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn query_option(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the body claims this media type, whatever its parameters.
    pub(crate) fn has_content_type(&self, wanted: &str) -> bool {
        self.header(CONTENT_TYPE.as_str())
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn json(status: u16, content_type: &'static str, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self { status, headers: vec![("content-type", content_type.to_owned())], body },
            Err(_) => Self::empty(500),
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Leaves half of the body, as if it were whole.
    pub(crate) fn truncate(&mut self) {
        self.body.truncate(self.body.len() / 2);
    }
}

/// What becomes of a request.
pub(crate) enum Outcome {
    Reply(Reply),
    /// The connection ends without an answer.
    Cut,
}

impl Outcome {
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Reply(reply) => Some(reply.status),
            Self::Cut => None,
        }
    }
}

/// Makes hyper drop the connection.
#[derive(Debug, thiserror::Error)]
#[error("connection cut on purpose")]
struct ConnectionCut;

/// Serves one connection until it ends. `scheme` is `http` or `https`.
pub(crate) async fn serve<S>(tenant: &Tenant, stream: S, scheme: &'static str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| async move {
        let outcome = match read(request, scheme).await {
            Ok(call) => dispatch(tenant, call).await,
            Err(reply) => Outcome::Reply(reply),
        };
        match outcome {
            Outcome::Reply(reply) => Ok(response(reply.with_header("date", http_date(tenant.clock().now_s())))),
            Outcome::Cut => Err(ConnectionCut),
        }
    });
    // A client that goes away, or a cut of ours, concerns nobody else.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn read(request: Request<Incoming>, scheme: &str) -> Result<Call, Reply> {
    let (head, body) = request.into_parts();
    let (path, segments, query) = target(&head.uri);
    let limit = if segments.first().is_some_and(|first| first == "control") { usize::MAX } else { MAX_BODY_BYTES };
    let body = Limited::new(body, limit).collect().await.map_err(|_| Reply::empty(413))?.to_bytes();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let base_url = format!("{scheme}://{host}");
    Ok(Call { method: head.method, path, segments, query, headers: head.headers, body, base_url })
}

/// What a URI names: its path, the path's parts and the query's options, both decoded.
pub(crate) fn target(uri: &Uri) -> (String, Vec<String>, Vec<(String, String)>) {
    let path = uri.path().to_owned();
    let decode = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let segments = path.split('/').skip(1).map(decode).collect();
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    (path, segments, query)
}

async fn dispatch(tenant: &Tenant, call: Call) -> Outcome {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["control", ..] => Outcome::Reply(control::answer(tenant, &call)),
        [organization, "oauth2", "v2.0", "token"] => token::answer(tenant, &call, organization).await,
        ["metadata", "identity", "oauth2", "token"] => managed_identity::metadata(tenant, &call),
        ["msi", "token"] => managed_identity::app_service(tenant, &call),
        ["adminapi", "beta", organization, "$batch"] => batch::answer(tenant, &call, organization).await,
        ["adminapi", version, organization, action] => {
            admin_api::answer(tenant, &call, version, organization, action).await
        }
        _ => Outcome::Reply(Reply::empty(404)),
    }
}

/// RFC 9110, 5.6.7.
fn http_date(seconds: i64) -> String {
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    utc(seconds).format(format).unwrap_or_default()
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Percent-encodes a query option's value for a link.
pub(crate) fn encode_query(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
