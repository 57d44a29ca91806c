//! Assertions at the token endpoint: the one shape that is taken, and everything else.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{ANN, APP, DOMAIN, Session, TestResult, state};
use crate::token::sign_in;

const SCOPE: &str = "https://outlook.office365.com/.default";

/// The key and the certificate of a test application.
struct Application {
    key: KeyPair,
    certificate: Vec<u8>,
}

impl Application {
    fn read() -> TestResult<Self> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/sign_in/plain.pem");
        let text = std::fs::read_to_string(path)?;
        let object = |label: &str| -> TestResult<Vec<u8>> {
            let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
            let body = text.split(&begin).nth(1).and_then(|rest| rest.split(&end).next()).ok_or("no such object")?;
            Ok(STANDARD.decode(body.split_whitespace().collect::<String>())?)
        };
        let key = KeyPair::from_pkcs8(&object("PRIVATE KEY")?).map_err(|error| error.to_string())?;
        Ok(Self { key, certificate: object("CERTIFICATE")? })
    }

    fn sign(&self, header: &Value, claims: &Value) -> TestResult<String> {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let content = format!("{}.{}", encode(header), encode(claims));
        let encoding = if header["alg"] == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(encoding, &SystemRandom::new(), content.as_bytes(), &mut signature)
            .map_err(|_| "no signature")?;
        Ok(format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn header(&self) -> Value {
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.certificate)) })
    }
}

fn claims(session: &Session) -> TestResult<Value> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    Ok(json!({
        "aud": format!("{}/{DOMAIN}/oauth2/v2.0/token", session.running.url()),
        "iss": APP, "sub": APP, "jti": Uuid::new_v4(), "nbf": now - 60, "iat": now, "exp": now + 480,
    }))
}

async fn start(application: &Application) -> TestResult<Session> {
    let mut state = state()?;
    for app in &mut state.apps {
        app.certificates = vec![application.certificate.clone()];
    }
    Session::with_state(state).await
}

/// Status, AADSTS number and token of an answer.
async fn ask(session: &Session, assertion: &str) -> TestResult<(u16, Value, Option<String>)> {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", APP),
        ("scope", SCOPE),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    let answer = sign_in(session, DOMAIN, &fields).await?;
    let body = answer.json()?;
    Ok((answer.status, body["error_codes"][0].clone(), body["access_token"].as_str().map(str::to_owned)))
}

#[tokio::test]
async fn both_documented_forms_give_a_token_that_works() -> TestResult {
    let application = Application::read()?;
    let mut session = start(&application).await?;
    let old = json!({
        "alg": "RS256", "typ": "JWT",
        "x5t": URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &application.certificate)),
    });
    for header in [application.header(), old] {
        let assertion = application.sign(&header, &claims(&session)?)?;
        let (status, _, token) = ask(&session, &assertion).await?;
        session.token = token.ok_or("no token")?;
        assert_eq!((status, session.invoke("Get-Mailbox", json!({ "Identity": ANN })).await?.status), (200, 200));
        let payload = session.token.split('.').nth(1).ok_or("no payload")?;
        let read: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
        assert_eq!(read["appidacr"], "2");
        let (status, code, _) = ask(&session, &assertion).await?;
        assert_eq!((status, code), (401, json!(50_013)), "an assertion is good once");
    }
    Ok(())
}

#[tokio::test]
async fn every_other_assertion_has_its_own_refusal() -> TestResult {
    let application = Application::read()?;
    let session = start(&application).await?;
    let good = claims(&session)?;
    let now = good["iat"].as_i64().ok_or("no time")?;
    for (part, name, value, expected) in [
        ("header", "typ", json!("at+jwt"), 50_027),
        ("header", "alg", json!("none"), 700_027),
        ("header", "x5t#S256", json!(URL_SAFE_NO_PAD.encode([7; 32])), 700_027),
        ("claims", "aud", json!("https://login.microsoftonline.com/x/oauth2/v2.0/token"), 700_023),
        ("claims", "iss", json!(Uuid::nil()), 700_021),
        ("claims", "sub", json!(Uuid::nil()), 700_021),
        ("claims", "nbf", json!(now + 400), 700_024),
        ("claims", "exp", json!(now - 400), 700_024),
        ("claims", "exp", json!(now + 700), 700_024),
    ] {
        let (mut header, mut claims) = (application.header(), good.clone());
        let changed = if part == "header" { &mut header } else { &mut claims };
        changed[name] = value;
        let (status, code, _) = ask(&session, &application.sign(&header, &claims)?).await?;
        assert_eq!((status, code), (401, json!(expected)), "{name}");
    }
    let mut forged = application.sign(&application.header(), &good)?;
    forged.truncate(forged.len() - 4);
    assert_eq!(ask(&session, &format!("{forged}AAAA")).await?.1, json!(700_027));
    for malformed in ["", "a.b", "e30.e30.AA", "%%.%%.%%"] {
        assert_eq!(ask(&session, malformed).await?.1, json!(50_027), "{malformed}");
    }
    Ok(())
}

#[tokio::test]
async fn an_application_without_the_certificate_is_refused() -> TestResult {
    let application = Application::read()?;
    let session = Session::start().await?;
    let assertion = application.sign(&application.header(), &claims(&session)?)?;
    assert_eq!(ask(&session, &assertion).await?.1, json!(700_027));
    Ok(())
}
