//! Signing in with the application's certificate.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use smimesync::error::{Code, Error};
use smimesync::exchange::{Exchange, Surroundings};
use smimesync::net::CheckResult;
use smimesync_tenant::Tenant;

use crate::canned::{answer, serve};
use crate::support::{APP, DOMAIN, Simulated, TENANT_ID, guid, recipients, settings};

const PASSWORD: &str = "pässwörd +&%";

fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sign_in").join(name)
}

/// The DER of the certificate all files but the foreign ones hold.
fn registered() -> String {
    let pem = std::fs::read_to_string(data("cert.pem")).unwrap();
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn tenant(app: &Value) -> Tenant {
    let mut apps = json!({ "app_id": APP });
    for (key, value) in app.as_object().unwrap() {
        apps[key] = value.clone();
    }
    let state = json!({ "tenant": { "id": TENANT_ID, "domain": DOMAIN }, "apps": [apps], "recipients": recipients() });
    Tenant::new(serde_json::from_value(state).unwrap()).unwrap()
}

fn auth(file: &str) -> Value {
    json!({ "auth": { "method": "certificate", "app_id": APP, "certificate_file": data(file),
                      "certificate_password": PASSWORD } })
}

fn client(url: &str, patch: &Value) -> (Exchange, Arc<Simulated>) {
    crate::support::client(url, patch)
}

fn no_secret(error: &Error) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("eyJ") && !shown.contains(PASSWORD), "{shown}");
}

#[tokio::test]
async fn a_certificate_from_a_pfx_signs_in() {
    for file in ["modern.pfx", "legacy.pfx", "chain.pfx", "encrypted.pem"] {
        let tenant = tenant(&json!({ "certificates": [registered()] }));
        let running = tenant.spawn().await.unwrap();
        let (exchange, _) = client(running.url(), &auth(file));
        exchange.get(&guid(1)).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        // the second assertion is another one: each is good once
        tenant.merge_switches(json!({ "faults": [{ "fault": "token_expired" }] })).unwrap();
        exchange.get(&guid(1)).await.unwrap();
        let asked = tenant.requests().iter().filter(|request| request.path.ends_with("/token")).count();
        assert_eq!(asked, 2, "{file}");
        assert!(!format!("{exchange:?}").contains(PASSWORD));
    }
}

#[tokio::test]
async fn the_assertion_is_what_entra_id_documents() {
    let token = answer("200 OK", "", r#"{"access_token":"e30.e30.x","expires_in":3599}"#);
    let (url, asked) = serve(vec![token]);
    let (exchange, machine) = client(&url, &auth("modern.pfx"));
    let now_s = machine.now_ms() / 1000;
    exchange.check().await;
    let request = asked.recv().unwrap();
    let body = request.split("\r\n\r\n").nth(1).unwrap();
    let form: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!((form["client_id"].as_str(), form.get("client_secret")), (APP, None));
    let parts: Vec<_> = form["client_assertion"].split('.').collect();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (header, claims) = (read(parts[0]), read(parts[1]));
    let der = STANDARD.decode(registered()).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    assert_eq!(header, json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(digest) }));
    assert_eq!(claims["aud"], format!("{url}/{DOMAIN}/oauth2/v2.0/token"));
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(APP), &json!(APP)));
    assert!(uuid::Uuid::try_parse(claims["jti"].as_str().unwrap()).is_ok());
    let [begin, issued, end] = ["nbf", "iat", "exp"].map(|name| claims[name].as_i64().unwrap());
    assert_eq!(issued, now_s);
    assert!(begin <= issued && (300..=600).contains(&(end - begin)), "{claims}");
}

#[tokio::test]
async fn a_key_not_known_yet_is_tried_three_times_ten_seconds_apart() {
    let refusal = r#"{"error":"invalid_client","error_description":"AADSTS700027: The certificate is not registered on application.","error_codes":[700027]}"#;
    let refused = || answer("401 Unauthorized", "", refusal);
    let token = answer("200 OK", "", r#"{"access_token":"e30.e30.x","expires_in":3599}"#);
    let empty = || answer("200 OK", "", r#"{"value":[]}"#);
    let config = answer("200 OK", "", r#"{"value":[{"SMIMECertificateIssuingCA":null}]}"#);
    let (url, asked) = serve(vec![refused(), refused(), token, empty(), empty(), empty(), config]);
    let (exchange, machine) = client(&url, &auth("modern.pfx"));
    let steps = exchange.check().await;
    assert_eq!(steps[1].result, CheckResult::Pass, "{steps:?}");
    assert_eq!(machine.slept(), [10_000, 10_000]);
    let assertion = |request: String| request.split("client_assertion=").nth(1).unwrap().to_owned();
    assert_ne!(assertion(asked.recv().unwrap()), assertion(asked.recv().unwrap()));

    let tenant = tenant(&json!({ "certificates": [] }));
    let running = tenant.spawn().await.unwrap();
    let (exchange, machine) = client(running.url(), &auth("modern.pfx"));
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!((error.code(), machine.slept()), (Code::ExchangeAuth, vec![10_000; 3]));
    assert!(error.to_string().contains("upload the certificate"), "{error}");
    no_secret(&error);
}

#[tokio::test]
async fn a_certificate_outside_its_dates_is_refused_before_anybody_is_asked() {
    let tenant = tenant(&json!({ "certificates": [registered()] }));
    let running = tenant.spawn().await.unwrap();
    let (exchange, machine) = client(running.url(), &auth("modern.pfx"));
    machine.pass(100 * 366 * 86_400_000);
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeCertificate);
    assert!(error.to_string().contains("expired on 2120-01-01"), "{error}");
    assert!(tenant.requests().is_empty());
    let steps = exchange.check().await;
    assert_eq!(steps[1].error.as_ref().unwrap().code(), Code::ExchangeCertificate);
    assert!(steps[1].remedy.is_some());
}

#[tokio::test]
async fn a_clock_that_is_off_is_named() {
    let tenant = tenant(&json!({ "certificates": [registered()] }));
    let running = tenant.spawn().await.unwrap();
    for (off_ms, words) in [(7_200_000, "ahead"), (-7_200_000, "behind")] {
        let (exchange, machine) = client(running.url(), &auth("modern.pfx"));
        machine.pass(off_ms);
        let error = exchange.get(&guid(1)).await.unwrap_err();
        assert_eq!(error.code(), Code::ExchangeAuth);
        let text = error.to_string();
        assert!(text.contains("AADSTS700024") && text.contains("clock") && text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn an_expired_secret_and_an_unknown_organisation_name_their_remedy() {
    let secret = "a b+ü s3cret";
    let tenant = tenant(&json!({ "secret": secret, "secret_expired": true }));
    let running = tenant.spawn().await.unwrap();
    let by_secret = |patch: Value| {
        let mut all = json!({ "auth": { "method": "secret", "app_id": APP, "secret": secret } });
        for (key, value) in patch.as_object().unwrap() {
            all[key] = value.clone();
        }
        client(running.url(), &all).0
    };
    for (patch, code, remedy) in [
        (json!({}), "AADSTS7000222", "add a new secret"),
        (json!({ "organization": "fabrikam.onmicrosoft.com" }), "AADSTS90002", "organization is a domain or the GUID"),
        (
            json!({ "auth": { "method": "secret", "app_id": guid(77), "secret": secret } }),
            "AADSTS700016",
            "check app_id",
        ),
    ] {
        let error = by_secret(patch).get(&guid(1)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(code) && text.contains(remedy), "{text}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn what_is_missing_is_named_by_its_pointer() {
    let new = |auth: Value| {
        let surroundings: Arc<dyn Surroundings> = Arc::new(Simulated::default());
        Exchange::new(&settings("http://127.0.0.1:1", &json!({ "auth": auth })), None, surroundings).unwrap_err()
    };
    let error = new(json!({ "method": "certificate", "certificate_file": "x.pfx" }));
    assert_eq!((error.code(), error.get_target()), (Code::ConfigMissing, Some("/exchange/auth/app_id")));
    let error = new(json!({ "method": "certificate", "app_id": APP }));
    assert_eq!((error.code(), error.get_target()), (Code::ConfigMissing, Some("/exchange/auth/certificate_file")));
    let error = new(json!({ "method": "certificate", "app_id": APP, "certificate_file": "/nonexistent.pfx" }));
    assert_eq!((error.code(), error.get_target()), (Code::FileNotFound, Some("/nonexistent.pfx")));
}

#[test]
fn the_file_is_found_beside_the_configuration() {
    let config = settings(
        "http://127.0.0.1:1",
        &json!({ "auth": { "method": "certificate", "app_id": APP, "certificate_file": "modern.pfx",
                           "certificate_password": PASSWORD } }),
    );
    let surroundings: Arc<dyn Surroundings> = Arc::new(Simulated::default());
    Exchange::new(&config, data("modern.pfx").parent(), surroundings).unwrap();
}
