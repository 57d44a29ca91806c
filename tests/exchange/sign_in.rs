//! Tokens, and what no text may ever hold.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use smimesync::config::{self, AuthMethod, Secret};
use smimesync::error::{Code, Error};
use smimesync::exchange::{Exchange, SystemSurroundings};
use smimesync::net::{CheckResult, CheckStep};
use smimesync::text::Culture;
use smimesync_tenant::Tenant;

use crate::canned::{answer, serve};
use crate::support::{
    APP, APP_WITHOUT_PERMISSION, APP_WITHOUT_ROLE, Bench, DOMAIN, SECRET, TENANT_ID, client, guid, recipients, settings,
};

fn with_app(app_id: &str, secret: &str) -> Value {
    json!({ "auth": { "method": "secret", "app_id": app_id, "secret": secret } })
}

fn holds_no_secret(error: &Error, secrets: &[&str]) {
    let shown = format!("{error} {error:?}");
    assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_the_services_words() {
    let wrong = "wr0ng secret ü";
    let bench = Bench::with(recipients(), json!({}), &with_app(APP, wrong)).await;
    let error = bench.exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeAuth);
    assert_eq!(error.get_target(), Some(bench.running.url()));
    assert!(error.to_string().contains("AADSTS7000215"), "{error}");
    assert!(!error.to_string().contains("Trace ID") && error.get_request_id().is_some(), "{error}");
    holds_no_secret(&error, &[wrong]);
    assert!(bench.machine.slept().is_empty() && bench.calls().is_empty());
    let unknown = Bench::with(recipients(), json!({}), &with_app(&guid(77), SECRET)).await;
    let error = unknown.exchange.get(&guid(1)).await.unwrap_err();
    assert!(error.to_string().contains("AADSTS700016"), "{error}");
}

#[tokio::test]
async fn secrets_with_spaces_and_letters_of_any_kind_sign_in_and_show_nowhere() {
    for secret in [" in front and behind ", "tab\tplus+percent%20amp&equals=", "ümlaut ß 秘密 🔑", "\"quoted\\\""]
    {
        let state = json!({
            "tenant": { "id": TENANT_ID, "domain": DOMAIN },
            "apps": [{ "app_id": APP, "secret": secret }],
            "recipients": recipients(),
        });
        let tenant = Tenant::new(serde_json::from_value(state).unwrap()).unwrap();
        let running = tenant.spawn().await.unwrap();
        let by = |secret: String| {
            client(running.url(), &json!({ "auth": { "method": "secret", "app_id": APP, "secret": secret } })).0
        };
        by(secret.to_owned()).get(&guid(1)).await.unwrap();
        let wrong = format!("{secret}!");
        let error = by(wrong.clone()).get(&guid(1)).await.unwrap_err();
        assert!(error.to_string().contains("AADSTS7000215") && error.get_remedy().is_some(), "{error}");
        holds_no_secret(&error, &[secret, &wrong]);
    }
}

#[tokio::test]
async fn one_token_serves_until_shortly_before_its_end() {
    let bench = Bench::new(json!({})).await;
    bench.exchange.get(&guid(1)).await.unwrap();
    bench.machine.pass((3_599 - 121) * 1_000);
    bench.exchange.get(&guid(1)).await.unwrap();
    assert_eq!(bench.tokens(), 1);
    bench.machine.pass(2_000);
    bench.exchange.get(&guid(1)).await.unwrap();
    assert_eq!(bench.tokens(), 2);
}

#[tokio::test]
async fn many_tasks_share_one_request_for_a_token() {
    let Bench { tenant, running, exchange, .. } = Bench::new(json!({})).await;
    let exchange = std::sync::Arc::new(exchange);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=8 {
        let exchange = std::sync::Arc::clone(&exchange);
        tasks.spawn(async move { exchange.get(&guid(number)).await });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!(tenant.requests().iter().filter(|request| request.path.ends_with("/token")).count(), 1);
    drop(running);
}

#[tokio::test]
async fn an_expired_token_is_renewed_once() {
    let bench = Bench::new(json!({})).await;
    bench.exchange.get(&guid(1)).await.unwrap();
    bench.tenant.reset_log();
    bench.tenant.merge_switches(json!({ "faults": [{ "fault": "token_expired" }] })).unwrap();
    bench.exchange.get(&guid(1)).await.unwrap();
    let statuses: Vec<_> = bench.calls().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, [Some(401), Some(200)]);
    assert_eq!(bench.tokens(), 1);
    assert!(bench.machine.slept().is_empty());

    bench.tenant.reset_log();
    bench.tenant.merge_switches(json!({ "faults": [{ "fault": "token_expired", "count": 9 }] })).unwrap();
    let error = bench.exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeAuth);
    assert_eq!((bench.calls().len(), bench.tokens()), (2, 1));
}

#[tokio::test]
async fn a_ready_token_serves_and_can_be_replaced() {
    let bench = Bench::new(json!({})).await;
    let token = bench.tenant.issue_token(APP.parse().unwrap()).unwrap();
    let auth = json!({ "auth": { "method": "token", "token": token } });
    let (exchange, _) = client(bench.running.url(), &auth);
    exchange.get(&guid(1)).await.unwrap();
    assert_eq!(bench.tokens(), 0);

    bench.tenant.merge_switches(json!({ "faults": [{ "fault": "token_expired" }] })).unwrap();
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeAuth);
    holds_no_secret(&error, &[&token]);

    let fresh = bench.tenant.issue_token(APP.parse().unwrap()).unwrap();
    let auth = config::Auth { method: AuthMethod::Token, token: Some(Secret::new(fresh)), ..config::Auth::default() };
    exchange.set_auth(&auth).await.unwrap();
    exchange.get(&guid(1)).await.unwrap();
    let unusable = config::Auth { method: AuthMethod::Token, ..config::Auth::default() };
    let error = exchange.set_auth(&unusable).await.unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ConfigMissing, Some("/exchange/auth/token")));
    exchange.get(&guid(1)).await.unwrap();
}

/// A token nobody signed, which says this about itself.
fn claiming(claims: &Value) -> String {
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[tokio::test]
async fn a_token_for_another_audience_or_past_its_end_is_refused_before_the_first_call() {
    let bench = Bench::new(json!({})).await;
    for (claims, words, remedy) in [
        (
            json!({ "aud": "https://graph.microsoft.com" }),
            "graph.microsoft.com",
            "https://outlook.office365.com/.default",
        ),
        (json!({ "aud": "https://outlook.office365.com", "exp": 1 }), "ended at 1970-01-01T00:00:01Z", "fresh token"),
    ] {
        let token = claiming(&claims);
        let (exchange, _) = client(bench.running.url(), &json!({ "auth": { "method": "token", "token": token } }));
        let error = exchange.get(&guid(1)).await.unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::ExchangeAuth, Some("/exchange/auth/token")));
        assert!(error.to_string().contains(words) && error.to_string().contains(remedy), "{error}");
        holds_no_secret(&error, &[&token]);
        let steps = exchange.check().await;
        assert!(remedy_of(&steps[0]).contains(remedy), "{steps:?}");
    }
    assert!(bench.tenant.requests().is_empty());
}

#[tokio::test]
async fn a_claims_challenge_goes_along_with_the_next_request_for_a_token() {
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
    let challenge = format!(
        "WWW-Authenticate: Bearer realm=\"\", error=\"insufficient_claims\", claims=\"{}\"\r\n",
        STANDARD.encode(claims)
    );
    let token = |name: &str| {
        let body = json!({ "access_token": claiming(&json!({ "jti": name })), "expires_in": 3599 });
        answer("200 OK", "", body.to_string())
    };
    let ann = json!({ "value": [{ "Guid": guid(1), "IsDirSynced": false, "UserCertificate": [], "UserSMimeCertificate": [] }] });
    let (url, asked) = serve(vec![
        token("first"),
        answer("401 Unauthorized", &challenge, ""),
        token("second"),
        answer("200 OK", "", ann.to_string()),
    ]);
    let (exchange, _) = client(&url, &json!({}));
    exchange.get(&guid(1)).await.unwrap();
    let bodies: Vec<_> = asked.iter().map(|request| request.split("\r\n\r\n").nth(1).unwrap().to_owned()).collect();
    let form = |body: &str| url::form_urlencoded::parse(body.as_bytes()).into_owned().collect::<HashMap<_, _>>();
    assert_eq!(form(&bodies[0]).get("claims"), None);
    let passed: Value = serde_json::from_str(&form(&bodies[2])["claims"]).unwrap();
    assert_eq!(passed, serde_json::from_str::<Value>(claims).unwrap());
}

#[tokio::test]
async fn a_token_with_the_claims_asked_for_is_accepted_and_a_brought_one_is_not_renewed() {
    let challenged = json!({ "faults": [{ "fault": "claims_challenge" }] });
    let bench = Bench::new(challenged.clone()).await;
    bench.exchange.get(&guid(1)).await.unwrap();
    let statuses: Vec<_> = bench.calls().into_iter().map(|(_, status)| status).collect();
    assert_eq!((statuses, bench.tokens()), (vec![Some(401), Some(200)], 2));

    let bench = Bench::new(challenged).await;
    let token = bench.tenant.issue_token(APP.parse().unwrap()).unwrap();
    let (exchange, _) = client(bench.running.url(), &json!({ "auth": { "method": "token", "token": token } }));
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeAuth);
    assert!(error.to_string().contains("insufficient_claims"), "{error}");
    holds_no_secret(&error, &[&token, "eyJ"]);
}

#[tokio::test]
async fn no_secret_shows_in_debug_output() {
    let bench = Bench::new(json!({})).await;
    bench.exchange.get(&guid(1)).await.unwrap();
    let shown = format!("{:?} {:?}", bench.exchange, settings(bench.running.url(), &json!({})));
    assert!(!shown.contains(SECRET) && !shown.contains("eyJ"), "{shown}");
}

#[test]
fn what_is_missing_or_wrong_is_named_by_its_pointer() {
    let new = |patch: &Value| {
        let surroundings = std::sync::Arc::new(SystemSurroundings);
        Exchange::new(&settings("http://127.0.0.1:1", patch), None, surroundings).unwrap_err()
    };
    for (patch, code, pointer) in [
        (json!({ "organization": null }), Code::ConfigMissing, "/exchange/organization"),
        (json!({ "organization": "a/../b" }), Code::ConfigValue, "/exchange/organization"),
        (json!({ "auth": { "secret": "x" } }), Code::ConfigMissing, "/exchange/auth/app_id"),
        (json!({ "auth": { "app_id": "x" } }), Code::ConfigMissing, "/exchange/auth/secret"),
        (json!({ "auth": { "method": "token" } }), Code::ConfigMissing, "/exchange/auth/token"),
        (json!({ "admin_url": "https://evil.test" }), Code::ConfigValue, "/exchange/admin_url"),
        (json!({ "authority_url": "http://10.0.0.1" }), Code::ConfigValue, "/exchange/authority_url"),
        (json!({ "ca_files": ["/nonexistent.pem"] }), Code::FileNotFound, "/nonexistent.pem"),
        (
            json!({ "admin_url": "https://outlook.office365.com", "proxy": "http://user:s3cret@[" }),
            Code::ConfigValue,
            "/exchange/proxy",
        ),
    ] {
        let error = new(&patch);
        assert_eq!((error.code(), error.get_target()), (code, Some(pointer)), "{patch}");
        holds_no_secret(&error, &["s3cret"]);
    }
}

fn outline(steps: &[CheckStep]) -> Vec<(&'static str, CheckResult)> {
    steps.iter().map(|step| (step.step, step.result)).collect()
}

fn remedy_of(step: &CheckStep) -> String {
    step.remedy.as_ref().unwrap().render(Culture::English)
}

#[tokio::test]
async fn check_says_what_works_and_what_mends_the_rest() {
    let good = Bench::new(json!({})).await;
    let steps = good.exchange.check().await;
    let all = [("token", CheckResult::Pass), ("list", CheckResult::Pass), ("issuers", CheckResult::Pass)];
    assert_eq!(outline(&steps), all);
    assert!(steps.iter().all(|step| step.latency_ms.is_some() && step.error.is_none()));
    assert_eq!(good.exchange.calls().writes, 0);

    // runs go on without, so it fails nothing
    let unread = Bench::new(json!({ "smime_config_readable": false })).await;
    let steps = unread.exchange.check().await;
    assert_eq!((steps[2].step, steps[2].result), ("issuers", CheckResult::Skipped));
    assert!(steps[2].detail.is_some() && remedy_of(&steps[2]).contains("Get-SmimeConfig"));

    let refused = Bench::with(recipients(), json!({}), &with_app(APP, "wrong")).await;
    let steps = refused.exchange.check().await;
    let none = [("token", CheckResult::Fail), ("list", CheckResult::Skipped), ("issuers", CheckResult::Skipped)];
    assert_eq!(outline(&steps), none);
    assert_eq!(steps[1].latency_ms, None);
    assert!(remedy_of(&steps[0]).contains("secret"));

    let powerless = Bench::with(recipients(), json!({}), &with_app(APP_WITHOUT_PERMISSION, SECRET)).await;
    let steps = powerless.exchange.check().await;
    let token = [("token", CheckResult::Pass), ("list", CheckResult::Fail), ("issuers", CheckResult::Skipped)];
    assert_eq!(outline(&steps), token);
    assert_eq!(steps[1].error.as_ref().unwrap().code(), Code::ExchangeAuth);
    assert!(remedy_of(&steps[1]).contains("Exchange.ManageAsApp"));

    let without_role = Bench::with(recipients(), json!({}), &with_app(APP_WITHOUT_ROLE, SECRET)).await;
    let steps = without_role.exchange.check().await;
    assert_eq!(steps[1].error.as_ref().unwrap().code(), Code::ExchangeDenied);
    assert!(remedy_of(&steps[1]).contains("Exchange Recipient Administrator"));
}
