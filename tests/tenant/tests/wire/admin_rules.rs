//! What the admin API checks before any cmdlet runs.

use hyper::Method;
use serde_json::{Value, json};
use smimesync_tenant::{ErrorDetail, Switches};

use crate::client::{ANN, DOMAIN, Session, TENANT_ID, TestResult, invocation, one_value, request};

#[tokio::test]
async fn version_and_method() -> TestResult {
    let session = Session::start().await?;
    let body = invocation("Get-Mailbox", json!({}));
    let v1 = session.post(&format!("/adminapi/v1.0/{DOMAIN}/InvokeCommand"), &body, &[]).await?;
    assert_eq!(v1.status, 405);
    let beta = format!("/adminapi/beta/{DOMAIN}/InvokeCommand");
    let authorization = format!("Bearer {}", session.token);
    let get = request(session.running.url(), Method::GET, &beta, &[("authorization", &authorization)], "").await?;
    assert_eq!(get.status, 405);
    assert_eq!(session.post(&format!("/adminapi/beta/{DOMAIN}/Elsewhere"), &body, &[]).await?.status, 404);
    assert_eq!(session.post(&format!("/adminapi/beta/{TENANT_ID}/InvokeCommand"), &body, &[]).await?.status, 200);
    assert_eq!(session.post("/adminapi/beta/fabrikam.com/InvokeCommand", &body, &[]).await?.status, 403);
    Ok(())
}

#[tokio::test]
async fn an_unknown_cmdlet_gets_nul_bytes() -> TestResult {
    let session = Session::start().await?;
    for cmdlet in ["Get-Nothing", "get-mailbox", "Set-User"] {
        let answer = session.invoke(cmdlet, json!({})).await?;
        assert_eq!(answer.status, 403, "{cmdlet}");
        assert_eq!(answer.body, vec![0; 4096], "{cmdlet}");
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_not_the_actions_is_refused() -> TestResult {
    let session = Session::start().await?;
    let path = format!("/adminapi/beta/{DOMAIN}/InvokeCommand");
    let bodies = [
        json!({}),
        json!([]),
        json!({ "CmdletInput": null }),
        json!({ "CmdletInput": { "CmdletName": "Get-Mailbox" } }),
        json!({ "CmdletInput": { "CmdletName": "Get-Mailbox", "Parameters": null } }),
        json!({ "CmdletInput": { "CmdletName": "Get-Mailbox", "Parameters": [] } }),
        json!({ "CmdletInput": { "CmdletName": null, "Parameters": {} } }),
        json!({ "CmdletInput": { "CmdletName": "Get-Mailbox", "Parameters": {}, "More": 1 } }),
        json!({ "CmdletInput": { "CmdletName": "Get-Mailbox", "Parameters": {} }, "More": 1 }),
    ];
    for body in bodies {
        assert_eq!(session.post(&path, &body, &[]).await?.status, 400, "{body}");
    }
    let authorization = format!("Bearer {}", session.token);
    let text = |kind| [("authorization", authorization.as_str()), ("content-type", kind)];
    let broken = request(session.running.url(), Method::POST, &path, &text("application/json"), "{").await?;
    assert_eq!(broken.status, 400);
    let body = invocation("Get-Mailbox", json!({})).to_string();
    let plain = request(session.running.url(), Method::POST, &path, &text("text/plain"), body).await?;
    assert_eq!(plain.status, 415);
    Ok(())
}

#[tokio::test]
async fn unknown_parameters_are_named() -> TestResult {
    let session = Session::start().await?;
    let cases: [(&str, Value, &str); 6] = [
        ("Get-Mailbox", json!({ "Colour": "red" }), "Colour"),
        ("Get-Mailbox", json!({ "UserCertificate": null }), "UserCertificate"),
        ("Get-Mailbox", json!({ "Confirm": false }), "Confirm"),
        ("Get-Recipient", json!({ "identity": ANN }), "identity"),
        ("Set-Mailbox", json!({ "Identity": ANN, "ResultSize": 1 }), "ResultSize"),
        ("Set-Mailbox", json!({ "Identity": ANN, "Size@odata.type": "#X" }), "Size"),
    ];
    for (cmdlet, parameters, name) in cases {
        let answer = session.invoke(cmdlet, parameters).await?;
        assert_eq!(answer.status, 400);
        let exception = "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException";
        let text = format!(
            "|{exception}|Parameter set cannot be resolved using the specified named parameters. \
             Invalid cmdlet parameters specified. {name}"
        );
        assert_eq!(answer.detail()?, text);
        assert_eq!(answer.header("x-exceptiontype"), Some(exception));
    }
    Ok(())
}

#[tokio::test]
async fn values_of_the_wrong_type_are_conversion_errors() -> TestResult {
    let session = Session::start().await?;
    let cases = [
        ("Get-Mailbox", json!({ "Identity": 7 })),
        ("Get-Mailbox", json!({ "Filter": 7 })),
        ("Get-Mailbox", json!({ "ErrorAction": "Explode" })),
        ("Set-Mailbox", json!({ "Identity": ANN, "Confirm": "false" })),
        ("Set-SmimeConfig", json!({ "OWAAlwaysSign": "yes" })),
        ("Set-SmimeConfig", json!({ "SMIMECertificateIssuingCA": { "Data": [1] } })),
    ];
    for (cmdlet, parameters) in cases {
        let answer = session.invoke(cmdlet, parameters).await?;
        assert_eq!(answer.status, 400);
        assert!(answer.detail()?.contains("ParameterTransformationException"), "{}", answer.detail()?);
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_object_is_404_or_400_in_both_encodings() -> TestResult {
    let exception = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException";
    for not_found_status in [404, 400] {
        for error_detail in [ErrorDetail::Pipe, ErrorDetail::Json] {
            let switches = Switches { not_found_status, error_detail, ..Switches::default() };
            let session = Session::with_switches(switches).await?;
            let answer = session.invoke("Get-MailUser", json!({ "Identity": "ann@contoso.com" })).await?;
            assert_eq!(answer.status, not_found_status);
            let detail = answer.detail()?;
            if error_detail == ErrorDetail::Pipe {
                assert!(detail.starts_with(&format!("Ex6F9304|{exception}|The operation couldn't")), "{detail}");
            } else {
                let detail: Value = serde_json::from_str(&detail)?;
                assert_eq!(detail["TypeName"], exception);
                assert_eq!(detail["StackTrace"], Value::Null);
                assert!(detail["Message"].as_str().is_some_and(|text| text.contains("'ann@contoso.com'")));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_log_says_what_was_asked_and_no_secret() -> TestResult {
    let session = Session::start().await?;
    let headers = [
        ("client-request-id", "id-1"),
        ("x-anchormailbox", "APP:x"),
        ("prefer", "odata.maxpagesize=1000"),
        ("x-responseformat", "json"),
    ];
    session.invoke_with("Set-Mailbox", one_value(b"abc"), "?$select=Guid", &headers).await?.values()?;
    let log = session.tenant.requests();
    let [entry] = log.as_slice() else { return Err("not one entry".into()) };
    assert_eq!((entry.sequence, entry.method.as_str(), entry.status, entry.applied), (1, "POST", Some(200), true));
    assert_eq!(entry.path, format!("/adminapi/beta/{DOMAIN}/InvokeCommand"));
    assert_eq!(entry.cmdlet.as_deref().zip(entry.identity.as_deref()), Some(("Set-Mailbox", ANN)));
    assert_eq!(entry.parameters, ["Confirm", "Identity", "UserCertificate", "UserCertificate@odata.type"]);
    assert_eq!(entry.certificates.len(), 1);
    assert_eq!((entry.certificates[0].parameter.as_str(), entry.certificates[0].count), ("UserCertificate", 1));
    let sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(entry.certificates[0].sha256, [sha256_of_abc]);
    assert_eq!(entry.client_request_id.as_deref().zip(entry.anchor_mailbox.as_deref()), Some(("id-1", "APP:x")));
    assert_eq!(entry.select.as_deref(), Some("Guid"));
    assert!(!serde_json::to_string(&log)?.contains(&session.token));
    Ok(())
}
