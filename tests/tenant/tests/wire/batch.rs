//! Several requests in one.

use serde_json::{Value, json};
use smimesync_tenant::{BatchOrder, Fault, FaultKind, Switches, When};

use crate::client::{ANN, DOMAIN, Session, TestResult, invocation, one_value};

/// A batch of these, numbered from 1.
fn batch(base: &str, cmdlets: &[(&str, Value)]) -> Value {
    let url = format!("{base}/adminapi/beta/{DOMAIN}/InvokeCommand?");
    let requests: Vec<Value> = cmdlets
        .iter()
        .zip(1..)
        .map(|((cmdlet, parameters), number)| {
            json!({
                "id": number.to_string(), "method": "POST", "url": url,
                "headers": { "X-CmdletName": cmdlet }, "body": invocation(cmdlet, parameters.clone()),
            })
        })
        .collect();
    json!({ "requests": requests })
}

fn path() -> String {
    format!("/adminapi/beta/{DOMAIN}/$batch")
}

/// Id and status of each answer.
fn ends(answer: &Value) -> Vec<(&str, u64)> {
    let responses = answer["responses"].as_array().into_iter().flatten();
    responses.filter_map(|one| Some((one["id"].as_str()?, one["status"].as_u64()?))).collect()
}

#[tokio::test]
async fn each_request_is_answered_for_itself() -> TestResult {
    let session = Session::start().await?;
    let missing = json!({ "Identity": "nobody@contoso.com" });
    let body = batch(session.running.url(), &[("Set-Mailbox", one_value(b"new")), ("Get-Mailbox", missing)]);
    let answer = session.post(&path(), &body, &[]).await?;
    assert_eq!(answer.status, 200);
    let answer = answer.json()?;
    assert_eq!(ends(&answer), [("1", 200), ("2", 404)]);
    assert_eq!(answer["responses"][0]["body"]["value"], json!([]));
    assert!(answer["responses"][1]["body"]["error"]["details"][0]["message"].is_string());
    assert!(answer["responses"][0]["headers"]["request-id"].is_string());
    assert_eq!(session.held(ANN)?.0, [b"new"]);
    assert_eq!(session.tenant.requests().len(), 2);
    Ok(())
}

#[tokio::test]
async fn answers_may_come_in_another_order() -> TestResult {
    let session = Session::with_switches(Switches { batch: BatchOrder::Reversed, ..Switches::default() }).await?;
    let ann = json!({ "Identity": ANN });
    let body = batch(session.running.url(), &[("Get-Mailbox", ann.clone()), ("Get-MailUser", ann)]);
    assert_eq!(ends(&session.post(&path(), &body, &[]).await?.json()?), [("2", 404), ("1", 200)]);
    Ok(())
}

#[tokio::test]
async fn faults_and_tokens_are_those_of_each_request() -> TestResult {
    let mut session = Session::start().await?;
    let ann = ("Get-Mailbox", json!({ "Identity": ANN }));
    let body = batch(session.running.url(), &[ann.clone(), ann.clone()]);
    session.tenant.add_fault(Fault { after: 1, ..Fault::once(FaultKind::ServerError) })?;
    assert_eq!(ends(&session.post(&path(), &body, &[]).await?.json()?), [("1", 200), ("2", 500)]);
    session.tenant.add_fault(Fault { after: 1, ..Fault::once(FaultKind::Reset { when: When::Before }) })?;
    assert!(session.post(&path(), &body, &[]).await.is_err());
    session.token = "none".to_owned();
    assert_eq!(ends(&session.post(&path(), &body, &[]).await?.json()?), [("1", 401), ("2", 401)]);
    Ok(())
}

#[tokio::test]
async fn what_is_no_batch_is_refused() -> TestResult {
    let session = Session::start().await?;
    assert_eq!(session.post(&path(), &json!({ "requests": 1 }), &[]).await?.status, 400);
    let elsewhere = json!({ "requests": [
        { "id": "a", "method": "POST", "url": format!("/adminapi/beta/{DOMAIN}/$batch"), "body": {} },
        { "id": "b", "method": "POST", "url": "https://other.example/InvokeCommand" },
    ] });
    assert_eq!(ends(&session.post(&path(), &elsewhere, &[]).await?.json()?), [("a", 404), ("b", 404)]);
    let old = format!("/adminapi/v1.0/{DOMAIN}/$batch");
    assert_eq!(session.post(&old, &json!({ "requests": [] }), &[]).await?.status, 404);
    Ok(())
}
