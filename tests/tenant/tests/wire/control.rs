//! The control face.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use smimesync_tenant::{ReadBack, State, Switches, Tenant};

use crate::client::{ANN, Answer, Session, TestResult, one_value, request, state};

async fn get(session: &Session, path: &str) -> TestResult<Answer> {
    request(session.running.url(), Method::GET, path, &[], "").await
}

async fn post(session: &Session, path: &str, body: &Value) -> TestResult<Answer> {
    request(session.running.url(), Method::POST, path, &[], body.to_string()).await
}

#[tokio::test]
async fn switches_merge_and_wrong_ones_change_nothing() -> TestResult {
    let session = Session::start().await?;
    let patch = json!({
        "read_back": "data",
        "faults": [
            { "fault": { "throttled": { "retry_after_s": 2 } }, "count": 3, "cmdlet": "Set-Mailbox" },
            { "fault": "forbidden" },
            { "fault": { "slow": { "ms": 5 } } }
        ]
    });
    let answer = post(&session, "/control/switches", &patch).await?;
    assert_eq!((answer.status, &answer.json()?["read_back"]), (200, &json!("data")));
    let before = session.tenant.switches();
    assert_eq!((before.read_back, before.page_size, before.faults.len()), (ReadBack::Data, 1000, 3));

    for wrong in [
        json!({ "read_bakc": "data" }),
        json!({ "read_back": "hex" }),
        json!({ "page_size": 0 }),
        json!({ "not_found_status": 500 }),
        json!({ "faults": [{ "fault": { "throttled": { "retry_after": 2 } } }] }),
        json!({ "faults": [{ "fault": "forbidden", "cmdlets": "Set-Mailbox" }] }),
        json!([]),
    ] {
        let answer = post(&session, "/control/switches", &wrong).await?;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.json()?["error"].is_string());
    }
    assert_eq!(session.tenant.switches(), before);

    post(&session, "/control/switches", &json!({ "read_back": null, "faults": null })).await?;
    assert_eq!(session.tenant.switches(), Switches::default());
    Ok(())
}

#[tokio::test]
async fn state_is_read_and_replaced() -> TestResult {
    let session = Session::start().await?;
    session.invoke("Set-Mailbox", one_value(b"new")).await?.values()?;
    let mut state: State = serde_json::from_slice(&get(&session, "/control/state").await?.body)?;
    assert_eq!(state, session.tenant.state());
    assert_eq!(state.recipients[0].user_certificate, [b"new"]);

    state.recipients.truncate(2);
    state.recipients[0].user_certificate.clear();
    let answer = post(&session, "/control/state", &serde_json::to_value(&state)?).await?;
    assert_eq!(answer.status, 204);
    assert_eq!(session.tenant.state(), state);
    let values = session.invoke("Get-Mailbox", json!({ "Identity": ANN })).await?.values()?;
    assert_eq!(values[0]["UserCertificate"], json!([]), "the token is still good and the index is new");

    let twice = vec![state.recipients[0].clone(); 2];
    let wrong = State { recipients: twice, ..state.clone() };
    assert_eq!(post(&session, "/control/state", &serde_json::to_value(&wrong)?).await?.status, 400);
    assert_eq!(session.tenant.state(), state);
    Ok(())
}

#[tokio::test]
async fn the_log_is_read_and_reset_and_control_is_not_in_it() -> TestResult {
    let session = Session::start().await?;
    session.invoke("Get-Mailbox", json!({})).await?;
    session.invoke("Get-MailUser", json!({})).await?;
    let log = get(&session, "/control/requests").await?.json()?;
    assert_eq!(log.as_array().map(Vec::len), Some(2));
    assert_eq!(log[1]["cmdlet"], "Get-MailUser");
    assert_eq!(post(&session, "/control/reset-log", &json!(null)).await?.status, 204);
    session.invoke("Get-MailContact", json!({})).await?;
    let log = get(&session, "/control/requests").await?.json()?;
    assert_eq!((log.as_array().map(Vec::len), &log[0]["sequence"]), (Some(1), &json!(3)));
    Ok(())
}

#[tokio::test]
async fn other_paths_and_methods() -> TestResult {
    let session = Session::start().await?;
    assert_eq!(get(&session, "/control/nothing").await?.status, 404);
    assert_eq!(get(&session, "/control/requests/1").await?.status, 404);
    assert_eq!(get(&session, "/control/reset-log").await?.status, 405);
    assert_eq!(get(&session, "/").await?.status, 404);
    Ok(())
}

#[test]
fn a_state_survives_its_file() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tenant.json");
    let tenant = Tenant::new(state()?)?;
    tenant.save(&path)?;
    assert_eq!(Tenant::load(&path)?.state(), tenant.state());
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 1, "no temporary file stays");
    Ok(())
}

#[test]
fn a_wrong_state_file_is_refused() -> TestResult {
    let good = serde_json::to_value(state()?)?;
    let changes: [(&str, Value); 6] = [
        ("/recipients/0/guid", json!("no guid")),
        ("/recipients/0/recipient_type_details", json!("Robot")),
        ("/recipients/0/user_certificate", json!(["no base64!"])),
        ("/recipients/0/email_addresses", json!(["ann@contoso.com"])),
        ("/smime_config", json!({ "OWAAlwaysSign": 1 })),
        ("/switches", json!({ "page_size": 1001 })),
    ];
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tenant.json");
    for (pointer, value) in changes {
        let mut wrong = good.clone();
        *wrong.pointer_mut(pointer).ok_or("no such member")? = value;
        std::fs::write(&path, wrong.to_string())?;
        assert!(Tenant::load(&path).is_err(), "{pointer}");
    }
    assert!(Tenant::load(&folder.path().join("absent.json")).is_err());
    Ok(())
}

#[test]
fn a_caller_without_a_runtime_can_start_and_stop_it() -> TestResult {
    let tenant = Tenant::new(state()?)?;
    let running = tenant.start()?;
    let host = running.url().strip_prefix("http://").ok_or("not http")?.to_owned();
    let mut stream = TcpStream::connect(&host)?;
    write!(stream, "GET /control/switches HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
    let mut start = [0; 15];
    stream.read_exact(&mut start)?;
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    drop(running);
    // What is left of the answer, then the end: the connection was open for another request.
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(())
}
