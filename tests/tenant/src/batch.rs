//! `POST /adminapi/beta/{tenant}/$batch`: several requests in one, answered each for itself (OData JSON batch).

use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::admin_api;
use crate::errors::plain_envelope;
use crate::http::{Call, Outcome, Reply, target};
use crate::switches::BatchOrder;
use crate::tenant::Tenant;

const CONTENT: &str = "application/json;odata.metadata=minimal;charset=utf-8";

#[derive(Deserialize)]
struct Body {
    requests: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
}

/// Answers a batch: one request after the other, each with its own effect, faults and place in the rate.
pub(crate) async fn answer(tenant: &Tenant, call: &Call, organization: &str) -> Outcome {
    if call.method != Method::POST {
        return Outcome::Reply(Reply::empty(405).with_header("allow", "POST"));
    }
    if !call.has_content_type("application/json") {
        return Outcome::Reply(Reply::empty(415));
    }
    let Ok(Body { requests }) = serde_json::from_slice(&call.body) else {
        let words = "The body of the batch is not an object with 'requests'.";
        return Outcome::Reply(Reply::json(400, CONTENT, &plain_envelope("BadRequest", words)));
    };
    let mut responses = Vec::new();
    for one in requests {
        let id = one.id.clone();
        let outcome = match part(call, one, organization) {
            // a request of a batch is no batch, so this ends
            Some(call) => Box::pin(admin_api::answer(tenant, &call, "beta", organization, "InvokeCommand")).await,
            None => Outcome::Reply(Reply::empty(404)),
        };
        match outcome {
            Outcome::Reply(reply) => responses.push(response(id, &reply)),
            Outcome::Cut => return Outcome::Cut,
        }
    }
    if tenant.core().switches.batch == BatchOrder::Reversed {
        responses.reverse();
    }
    Outcome::Reply(Reply::json(200, CONTENT, &json!({ "responses": responses })))
}

/// A request of a batch as if it had come alone; headers that it does not have are the batch's.
fn part(batch: &Call, one: One, organization: &str) -> Option<Call> {
    let uri = one.url.strip_prefix(&batch.base_url).unwrap_or(&one.url).parse().ok()?;
    let (path, segments, query) = target(&uri);
    let own = ["adminapi", "beta", organization, "InvokeCommand"];
    if !segments.iter().map(String::as_str).eq(own) {
        return None;
    }
    let mut headers: HeaderMap = batch.headers.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in one.headers {
        headers.insert(name.parse::<HeaderName>().ok()?, value.as_str()?.parse().ok()?);
    }
    let method = one.method.parse().ok()?;
    let body = Bytes::from(one.body.to_string());
    Some(Call { method, path, segments, query, headers, body, base_url: batch.base_url.clone() })
}

fn response(id: String, reply: &Reply) -> Value {
    let headers: Map<String, Value> =
        reply.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let mut response = json!({ "id": id, "status": reply.status, "headers": headers });
    // what is no JSON has no place in a batch's answer
    if let Ok(body) = serde_json::from_slice::<Value>(&reply.body) {
        response["body"] = body;
    }
    response
}
