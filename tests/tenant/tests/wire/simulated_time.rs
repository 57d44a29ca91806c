//! Streams in memory and a paused clock: hours pass without waiting.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::Method;
use serde_json::json;
use smimesync_tenant::{Fault, FaultKind, Tenant, When};
use tokio::time::Instant;

use crate::client::{ANN, APP, Answer, DOMAIN, TestResult, invocation, one_value, request_over, state};

async fn invoke(tenant: &Tenant, token: &str, path: &str, body: &serde_json::Value) -> TestResult<Answer> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let serving = tenant.clone();
    tokio::spawn(async move { serving.serve_connection(far).await });
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    request_over(near, "tenant.example", Method::POST, path, &headers, Bytes::from(body.to_string())).await
}

fn path() -> String {
    format!("/adminapi/beta/{DOMAIN}/InvokeCommand")
}

#[tokio::test(start_paused = true)]
async fn tokens_end_when_their_time_is_over() -> TestResult {
    let tenant = Tenant::new_at(state()?, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))?;
    let token = tenant.issue_token(APP.parse()?).ok_or("no app")?;
    let body = invocation("Get-Mailbox", json!({}));
    tokio::time::advance(Duration::from_secs(3598)).await;
    assert_eq!(invoke(&tenant, &token, &path(), &body).await?.status, 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(invoke(&tenant, &token, &path(), &body).await?.status, 401);
    assert_eq!(tenant.requests()[0].at_ms, 1_800_003_598_000);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn links_end_after_half_an_hour() -> TestResult {
    let tenant = Tenant::new(state()?)?;
    tenant.merge_switches(json!({ "page_size": 2 }))?;
    let token = tenant.issue_token(APP.parse()?).ok_or("no app")?;
    let body = invocation("Get-Mailbox", json!({}));
    let first = invoke(&tenant, &token, &path(), &body).await?.json()?;
    let link = first["@odata.nextLink"].as_str().ok_or("no link")?;
    let next = link.strip_prefix("http://tenant.example").ok_or("a link to elsewhere")?;
    tokio::time::advance(Duration::from_secs(30 * 60)).await;
    assert_eq!(invoke(&tenant, &token, next, &body).await?.status, 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(invoke(&tenant, &token, next, &body).await?.status, 400);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn slow_answers_wait_before_or_after_the_effect() -> TestResult {
    for (when, applied_meanwhile) in [(When::Before, false), (When::After, true)] {
        let tenant = Tenant::new(state()?)?;
        let token = tenant.issue_token(APP.parse()?).ok_or("no app")?;
        tenant.add_fault(Fault::once(FaultKind::Slow { ms: 600_000, when }))?;
        let started = Instant::now();
        let body = invocation("Set-Mailbox", one_value(b"new"));
        let asked_at = path();
        let pending = invoke(&tenant, &token, &asked_at, &body);
        tokio::pin!(pending);
        let early = tokio::time::timeout(Duration::from_secs(599), &mut pending).await;
        assert!(early.is_err());
        let held = |tenant: &Tenant| tenant.state().recipients[0].user_certificate == [b"new"];
        assert_eq!(held(&tenant), applied_meanwhile, "{when:?}");
        assert_eq!(pending.await?.status, 200);
        assert!(held(&tenant));
        assert_eq!(started.elapsed().as_secs(), 600);
        assert_eq!(tenant.requests()[0].identity.as_deref(), Some(ANN));
    }
    Ok(())
}
