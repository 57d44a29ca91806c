//! How much the double lets itself be asked, and where its back ends and redirects lead.

use std::time::{Duration, SystemTime};

use hyper::Method;
use serde_json::json;
use smimesync_tenant::{Fault, FaultKind, RateLimit, RedirectTo, State, Switches, Tenant, WarningsForm};
use tokio::time::Instant;

use crate::client::{ANN, APP, Answer, DOMAIN, Session, TestResult, invocation, request, request_over, state};

fn path() -> String {
    format!("/adminapi/beta/{DOMAIN}/InvokeCommand")
}

/// A call over a stream in memory, at the runtime's own time.
async fn call(tenant: &Tenant, token: &str) -> TestResult<Answer> {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let serving = tenant.clone();
    tokio::spawn(async move { serving.serve_connection(far).await });
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = invocation("Get-Mailbox", json!({ "Identity": ANN })).to_string();
    request_over(near, "tenant.example", Method::POST, &path(), &headers, body.into()).await
}

fn paused(switches: Switches) -> TestResult<(Tenant, String)> {
    let tenant = Tenant::new_at(State { switches, ..state()? }, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30))?;
    let token = tenant.issue_token(APP.parse()?).ok_or("no app")?;
    Ok((tenant, token))
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_enforced_and_the_headers_are_true_to_it() -> TestResult {
    let rate = RateLimit { calls_per_second: 2, burst: 4 };
    let (tenant, token) = paused(Switches { rate: Some(rate), ..Switches::default() })?;
    for left in ["3", "2", "1", "0"] {
        let answer = call(&tenant, &token).await?;
        assert_eq!((answer.status, answer.header("rate-limit-remaining")), (200, Some(left)));
        assert_eq!(answer.header("rate-limit-limit"), Some("4"));
    }
    let refused = call(&tenant, &token).await?;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(refused.header("rate-limit-reset"), Some("2004-01-10T13:37:06.000Z"));
    assert_eq!(tenant.requests().last().and_then(|entry| entry.fault.clone()).as_deref(), Some("rate"));
    tokio::time::advance(Duration::from_secs(1)).await;
    let statuses = [call(&tenant, &token).await?, call(&tenant, &token).await?, call(&tenant, &token).await?];
    assert_eq!(statuses.map(|answer| answer.status), [200, 200, 429]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn more_calls_at_a_time_than_allowed_are_refused_in_plain_text() -> TestResult {
    let (tenant, token) = paused(Switches { max_concurrent: Some(2), latency_ms: 500, ..Switches::default() })?;
    let begun = Instant::now();
    let (a, b, c) = tokio::join!(call(&tenant, &token), call(&tenant, &token), call(&tenant, &token));
    let (a, b, c) = (a?, b?, c?);
    let mut statuses = [a.status, b.status, c.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(begun.elapsed(), Duration::from_millis(500));
    let refused = [&a, &b, &c].into_iter().find(|answer| answer.status == 429).ok_or("none")?;
    assert!(refused.header("retry-after").is_none());
    assert!(refused.body.starts_with(b"You have reached the maximum number of concurrent requests"));
    assert_eq!(call(&tenant, &token).await?.status, 200);
    Ok(())
}

/// Reads the first page, and the second one from its link with these headers.
async fn second_page(session: &Session, headers: &[(&str, &str)]) -> TestResult<(Answer, Answer)> {
    let body = json!({ "ResultSize": "Unlimited" });
    let first = session.invoke_with("Get-Mailbox", body.clone(), "", &[("prefer", "odata.maxpagesize=2")]).await?;
    let link = first.json()?["@odata.nextLink"].as_str().ok_or("no link")?.to_owned();
    let link = link.strip_prefix(session.running.url()).ok_or("another host")?.to_owned();
    let mut all = vec![("prefer", "odata.maxpagesize=2")];
    all.extend_from_slice(headers);
    let second = session.post(&link, &invocation("Get-Mailbox", body), &all).await?;
    Ok((first, second))
}

#[tokio::test]
async fn a_link_works_at_its_own_back_end_alone() -> TestResult {
    let session = Session::with_switches(Switches { affinity: true, ..Switches::default() }).await?;
    let (first, elsewhere) = second_page(&session, &[]).await?;
    assert_eq!(first.header("set-cookie"), Some("X-BackEndCookie=be2; path=/; HttpOnly"));
    assert_eq!(elsewhere.status, 400);
    assert!(elsewhere.detail()?.contains("Expired or Invalid pagination request"));
    // every client without a cookie is bound to the next one of three
    let (_, own) = second_page(&session, &[("cookie", "a=b; X-BackEndCookie=be1")]).await?;
    assert_eq!((own.status, own.header("set-cookie")), (200, None));
    let (_, off) = second_page(&Session::start().await?, &[]).await?;
    assert_eq!((off.status, off.header("set-cookie")), (200, None));
    Ok(())
}

#[tokio::test]
async fn a_link_ends_when_its_time_is_over_and_takes_post_alone() -> TestResult {
    let session = Session::with_switches(Switches { page_token_lifetime_s: 0, ..Switches::default() }).await?;
    let body = json!({ "ResultSize": "Unlimited" });
    let first = session.invoke_with("Get-Mailbox", body.clone(), "", &[("prefer", "odata.maxpagesize=2")]).await?;
    let link = first.json()?["@odata.nextLink"].as_str().ok_or("no link")?.to_owned();
    let link = link.strip_prefix(session.running.url()).ok_or("another host")?.to_owned();
    let authorization = format!("Bearer {}", session.token);
    let get = request(session.running.url(), Method::GET, &link, &[("authorization", &authorization)], "").await?;
    assert_eq!(get.status, 405);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let late = session.post(&link, &invocation("Get-Mailbox", body), &[]).await?;
    assert_eq!(late.status, 400);
    Ok(())
}

#[tokio::test]
async fn redirects_lead_to_the_port_or_host_of_the_fault() -> TestResult {
    let session = Session::start().await?;
    let port = session.running.url().rsplit_once(':').ok_or("no port")?.1.to_owned();
    for (to, expected) in [
        (RedirectTo::Port446, session.running.url().replace(&port, "446")),
        (RedirectTo::CloudHost, "https://eurpr00mb0001.outlook.com:446".to_owned()),
        (RedirectTo::ForeignHost, "https://outlook.office365.com.foreign.example:446".to_owned()),
    ] {
        session.tenant.add_fault(Fault::once(FaultKind::Redirect { to }))?;
        let answer = session.invoke_with("Get-Mailbox", json!({}), "?%24select=Guid", &[]).await?;
        let location = format!("{expected}{}?%24select=Guid", path());
        assert_eq!((answer.status, answer.header("location")), (302, Some(location.as_str())));
    }
    assert_eq!(session.invoke("Get-Mailbox", json!({})).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn refusals_and_broken_answers_come_in_every_form() -> TestResult {
    let session = Session::start().await?;
    let struck = async |fault| {
        session.tenant.add_fault(Fault::once(fault))?;
        session.invoke("Get-Mailbox", json!({})).await
    };
    let mislabelled = struck(FaultKind::MislabelledGzip).await?;
    assert_eq!((mislabelled.status, mislabelled.header("content-encoding")), (403, Some("gzip")));
    assert!(mislabelled.body.iter().all(|byte| *byte == 0));
    let diagnosed = struck(FaultKind::Diagnostics).await?;
    assert!(diagnosed.status == 403 && diagnosed.body.is_empty());
    assert!(diagnosed.header("x-ms-diagnostics").is_some_and(|words| words.contains("reason=")));
    assert_eq!(struck(FaultKind::Gone).await?.status, 404);
    let empty = struck(FaultKind::EmptyPage).await?;
    assert!(empty.values()?.is_empty() && empty.json()?.get("@odata.nextLink").is_none());
    let html = struck(FaultKind::InvalidJson).await?;
    assert!(html.status == 200 && html.json().is_err());
    Ok(())
}

#[tokio::test]
async fn warnings_are_in_the_body_or_in_a_header() -> TestResult {
    for warnings in [WarningsForm::Body, WarningsForm::Header] {
        let session = Session::with_switches(Switches { warnings, ..Switches::default() }).await?;
        let answer = session.invoke("Get-Mailbox", json!({ "ResultSize": 1 })).await?;
        let in_body = answer.json()?["@adminapi.warnings"].as_array().map(Vec::len);
        let in_header = answer.header("x-warnings").is_some_and(|text| text.contains("more results available"));
        assert_eq!((in_body, in_header), if in_header { (Some(0), true) } else { (Some(1), false) });
        assert_eq!(in_header, warnings == WarningsForm::Header);
    }
    Ok(())
}

#[tokio::test]
async fn a_mailbox_can_be_read_as_a_typed_entity() -> TestResult {
    let session = Session::start().await?;
    let authorization = format!("Bearer {}", session.token);
    let get = async |identity: &str| {
        let path = format!("/adminapi/beta/{DOMAIN}/Mailbox(%27{identity}%27)?$select=Guid,UserCertificate");
        request(session.running.url(), Method::GET, &path, &[("authorization", &authorization)], "").await
    };
    let entity = get(ANN).await?.json()?;
    assert_eq!(entity["Guid"], ANN);
    assert_eq!(entity["UserCertificate@odata.type"], "#Collection(Exchange.ByteArrayType)");
    assert_eq!(entity["UserCertificate"], json!([{ "Data": [48, 130, 3, 88] }, { "Data": [48, 130, 1] }]));
    assert!(entity.get("UserSMimeCertificate").is_none());
    // mail users and contacts are none, and nobody is nobody
    assert_eq!(get("00000000-0000-4000-8000-000000000005").await?.status, 404);
    assert_eq!(session.tenant.requests()[0].identity.as_deref(), Some(ANN));
    let path = format!("/adminapi/beta/{DOMAIN}/Mailbox('{ANN}')");
    assert_eq!(request(session.running.url(), Method::GET, &path, &[], "").await?.status, 401);
    session.tenant.set_switches(Switches { typed_mailbox: false, ..Switches::default() })?;
    assert_eq!(get(ANN).await?.status, 404);
    Ok(())
}
