//! Each fault, and which requests it strikes.

use serde_json::{Value, json};
use smimesync_tenant::{Endpoint, Fault, FaultKind, Switches, When};

use crate::client::{ANN, Answer, Session, TestResult, one_value};

const UNTOUCHED: [&[u8]; 2] = [&[48, 130, 3, 88], &[48, 130, 1]];

/// One write into a fresh tenant that is struck, and the session to look at afterwards.
async fn struck(fault: FaultKind) -> TestResult<(Session, TestResult<Answer>)> {
    let session = Session::start().await?;
    session.tenant.add_fault(Fault::once(fault))?;
    let answer = session.invoke("Set-Mailbox", one_value(b"new")).await;
    Ok((session, answer))
}

#[tokio::test]
async fn throttling_with_and_without_retry_after_and_in_plain_text() -> TestResult {
    for (retry_after_s, plain_text) in [(Some(7), false), (None, false), (None, true), (Some(0), true)] {
        let (session, answer) = struck(FaultKind::Throttled { retry_after_s, plain_text }).await?;
        let answer = answer?;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("retry-after").map(str::to_owned), retry_after_s.map(|s| s.to_string()));
        if plain_text {
            assert!(answer.body.starts_with(b"You have reached the maximum number of concurrent requests per tenant."));
        } else {
            assert_eq!(answer.json()?["error"]["code"], "TooManyRequests");
        }
        assert_eq!(session.held(ANN)?.0, UNTOUCHED);
        assert_eq!(session.invoke("Set-Mailbox", one_value(b"new")).await?.status, 200);
    }
    Ok(())
}

#[tokio::test]
async fn server_errors_do_nothing() -> TestResult {
    let cases = [
        (FaultKind::Unavailable { retry_after_s: Some(3) }, 503),
        (FaultKind::GatewayTimeout, 504),
        (FaultKind::ServerError, 500),
    ];
    for (fault, status) in cases {
        let (session, answer) = struck(fault).await?;
        let answer = answer?;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("3"));
        assert_eq!(session.held(ANN)?.0, UNTOUCHED);
    }
    Ok(())
}

#[tokio::test]
async fn refusals_may_come_after_the_effect() -> TestResult {
    let cases = [
        (FaultKind::Throttled { retry_after_s: None, plain_text: false }, 429),
        (FaultKind::Unavailable { retry_after_s: None }, 503),
        (FaultKind::GatewayTimeout, 504),
        (FaultKind::ServerError, 500),
    ];
    for (fault, status) in cases {
        let session = Session::start().await?;
        session.tenant.add_fault(Fault { when: When::After, ..Fault::once(fault) })?;
        assert_eq!(session.invoke("Set-Mailbox", one_value(b"new")).await?.status, status);
        assert_eq!(session.held(ANN)?.0, [b"new"]);
        assert!(session.tenant.requests()[0].applied);
    }
    Ok(())
}

#[tokio::test]
async fn an_expired_token_stays_expired_until_a_new_one_is_had() -> TestResult {
    let mut session = Session::start().await?;
    session.tenant.add_fault(Fault { after: 2, ..Fault::once(FaultKind::TokenExpired) })?;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(session.invoke("Get-Mailbox", json!({})).await?.status);
    }
    assert_eq!(statuses, [200, 200, 401, 401]);
    session.token = session.tenant.issue_token(crate::client::APP.parse()?).ok_or("no app")?;
    assert_eq!(session.invoke("Get-Mailbox", json!({})).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn forbidden_is_nul_bytes() -> TestResult {
    let (session, answer) = struck(FaultKind::Forbidden).await?;
    let answer = answer?;
    assert_eq!((answer.status, answer.body.len()), (403, 4096));
    assert!(answer.body.iter().all(|byte| *byte == 0));
    assert_eq!(session.held(ANN)?.0, UNTOUCHED);
    Ok(())
}

#[tokio::test]
async fn errors_inside_a_success_mean_nothing_was_done() -> TestResult {
    let (session, answer) = struck(FaultKind::ErrorsInSuccess).await?;
    let answer = answer?;
    assert_eq!(answer.values()?.len(), 0);
    assert_eq!(answer.json()?["@adminapi.errors"].as_array().map(Vec::len), Some(1));
    assert_eq!(session.held(ANN)?.0, UNTOUCHED);
    Ok(())
}

#[tokio::test]
async fn truncated_json_comes_after_the_effect() -> TestResult {
    let (session, answer) = struck(FaultKind::TruncatedJson).await?;
    let answer = answer?;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.is_empty() && serde_json::from_slice::<Value>(&answer.body).is_err());
    assert_eq!(session.held(ANN)?.0, [b"new"]);
    Ok(())
}

#[tokio::test]
async fn the_connection_is_cut_before_or_after_the_effect() -> TestResult {
    let (session, answer) = struck(FaultKind::Reset { when: When::Before }).await?;
    assert!(answer.is_err());
    assert_eq!(session.held(ANN)?.0, UNTOUCHED);
    let (session, answer) = struck(FaultKind::Reset { when: When::After }).await?;
    assert!(answer.is_err());
    assert_eq!(session.held(ANN)?.0, [b"new"]);
    let log = session.tenant.requests();
    assert_eq!((log[0].status, log[0].applied, log[0].fault.as_deref()), (None, true, Some("reset")));
    Ok(())
}

#[tokio::test]
async fn faults_count_skip_and_choose() -> TestResult {
    let session = Session::start().await?;
    let unavailable = FaultKind::Unavailable { retry_after_s: None };
    session.tenant.add_fault(Fault {
        count: 2,
        after: 1,
        cmdlet: Some("Set-Mailbox".to_owned()),
        identity: Some(ANN.to_uppercase()),
        ..Fault::once(unavailable)
    })?;
    let other = json!({ "Identity": "sales@contoso.com", "UserCertificate": null });
    let mut statuses = Vec::new();
    for _ in 0..4 {
        assert_eq!(session.invoke("Get-Mailbox", json!({ "Identity": ANN })).await?.status, 200);
        assert_eq!(session.invoke("Set-Mailbox", other.clone()).await?.status, 200);
        statuses.push(session.invoke("Set-Mailbox", one_value(b"x")).await?.status);
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
    assert!(session.tenant.switches().faults.is_empty(), "a spent fault disappears");
    Ok(())
}

#[tokio::test]
async fn the_token_endpoint_has_faults_of_its_own() -> TestResult {
    let session = Session::start().await?;
    let fault = Fault::once(FaultKind::Unavailable { retry_after_s: Some(1) });
    session.tenant.add_fault(Fault { endpoint: Endpoint::Token, ..fault })?;
    assert_eq!(session.invoke("Get-Mailbox", json!({})).await?.status, 200);
    let path = format!("/{}/oauth2/v2.0/token", crate::client::DOMAIN);
    assert_eq!(session.post(&path, &json!({}), &[]).await?.status, 503);
    assert_eq!(session.post(&path, &json!({}), &[]).await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn a_fault_that_could_never_strike_is_refused() -> TestResult {
    let session = Session::start().await?;
    let faults = [
        Fault { cmdlet: Some("Set-Malbox".to_owned()), ..Fault::once(FaultKind::Forbidden) },
        Fault { endpoint: Endpoint::Token, ..Fault::once(FaultKind::Forbidden) },
        Fault { when: When::After, ..Fault::once(FaultKind::Forbidden) },
        Fault { when: When::After, endpoint: Endpoint::Token, ..Fault::once(FaultKind::ServerError) },
        Fault {
            endpoint: Endpoint::Token,
            cmdlet: Some("Set-Mailbox".to_owned()),
            ..Fault::once(FaultKind::ServerError)
        },
    ];
    for fault in faults {
        assert!(session.tenant.add_fault(fault.clone()).is_err(), "{fault:?}");
        let switches = Switches { faults: vec![fault], ..Switches::default() };
        assert!(session.tenant.set_switches(switches).is_err());
    }
    Ok(())
}
