//! The token endpoint.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use serde_json::{Value, json};

use crate::client::{
    ANN, APP, APP_WITHOUT_PERMISSION, APP_WITHOUT_ROLE, Answer, DOMAIN, RECIPIENT_ADMINISTRATOR, SECRET, Session,
    TENANT_ID, TestResult, one_value, request,
};

const SCOPE: &str = "https://outlook.office365.com/.default";

pub(crate) async fn sign_in(session: &Session, organization: &str, fields: &[(&str, &str)]) -> TestResult<Answer> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    let path = format!("/{organization}/oauth2/v2.0/token");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    request(session.running.url(), Method::POST, &path, &headers, form.finish()).await
}

fn by_secret<'a>(app: &'a str, secret: &'a str, scope: &'a str) -> [(&'a str, &'a str); 4] {
    [("grant_type", "client_credentials"), ("client_id", app), ("client_secret", secret), ("scope", scope)]
}

async fn token_of(session: &Session, app: &str) -> TestResult<String> {
    let answer = sign_in(session, DOMAIN, &by_secret(app, SECRET, SCOPE)).await?;
    Ok(answer.json()?["access_token"].as_str().ok_or("no token")?.to_owned())
}

#[tokio::test]
async fn a_secret_with_spaces_and_umlauts_gives_a_token_that_works() -> TestResult {
    let mut session = Session::start().await?;
    for organization in [DOMAIN, TENANT_ID, "CONTOSO.onmicrosoft.com"] {
        let answer = sign_in(&session, organization, &by_secret(APP, SECRET, SCOPE)).await?;
        assert_eq!(answer.status, 200);
        let answer = answer.json()?;
        assert_eq!(answer["token_type"], "Bearer");
        assert_eq!(answer["expires_in"], 3599);
        session.token = answer["access_token"].as_str().ok_or("no token")?.to_owned();
        assert_eq!(session.invoke("Get-Mailbox", json!({ "Identity": ANN })).await?.values()?.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_token_carries_the_claims_clients_read() -> TestResult {
    let session = Session::start().await?;
    let token = token_of(&session, APP).await?;
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1])?)?;
    assert_eq!(claims["aud"], "https://outlook.office365.com");
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{TENANT_ID}/"));
    assert_eq!(claims["tid"], TENANT_ID);
    assert_eq!(claims["appid"], APP);
    assert_eq!(claims["appidacr"], "1");
    assert_eq!(claims["roles"], json!(["Exchange.ManageAsApp"]));
    assert_eq!(claims["wids"], json!(["29232cdf-9323-42fd-ade2-1d097af3e4de"]));
    assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, start)| end - start), Some(3599));
    Ok(())
}

#[tokio::test]
async fn refusals_are_in_entra_ids_words() -> TestResult {
    type Fields = Vec<(&'static str, &'static str)>;
    let session = Session::start().await?;
    let unknown_app = "aaaaaaaa-0000-4000-8000-00000000dead";
    let cases: [(&str, Fields, u16, &str, u32); 8] = [
        (DOMAIN, by_secret(APP, "wrong", SCOPE).to_vec(), 401, "invalid_client", 7_000_215),
        (DOMAIN, by_secret(APP, "", SCOPE).to_vec(), 401, "invalid_client", 7_000_215),
        (DOMAIN, by_secret(unknown_app, SECRET, SCOPE).to_vec(), 400, "unauthorized_client", 700_016),
        ("fabrikam.onmicrosoft.com", by_secret(APP, SECRET, SCOPE).to_vec(), 400, "invalid_request", 90_002),
        (DOMAIN, by_secret(APP, SECRET, "https://evil.example/.default").to_vec(), 400, "invalid_resource", 500_011),
        (DOMAIN, by_secret(APP, SECRET, "openid").to_vec(), 400, "invalid_scope", 1_002_012),
        (DOMAIN, vec![("client_id", APP)], 400, "invalid_request", 900_144),
        (
            DOMAIN,
            vec![
                ("grant_type", "client_credentials"),
                ("client_id", APP),
                ("scope", SCOPE),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", "e30.e30.AA"),
            ],
            401,
            "invalid_client",
            50_027,
        ),
    ];
    for (organization, fields, status, error, code) in cases {
        let answer = sign_in(&session, organization, &fields).await?;
        let body = answer.json()?;
        assert_eq!((answer.status, &body["error"], &body["error_codes"]), (status, &json!(error), &json!([code])));
        let description = body["error_description"].as_str().ok_or("no description")?;
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        assert!(description.contains("\r\nTrace ID: "), "{description}");
        assert!(!description.contains(SECRET), "{description}");
    }
    Ok(())
}

#[tokio::test]
async fn an_expired_secret_is_told_from_a_wrong_one() -> TestResult {
    let mut state = crate::client::state()?;
    for app in &mut state.apps {
        app.secret_expired = true;
    }
    let session = Session::with_state(state).await?;
    for (secret, code) in [(SECRET, 7_000_222), ("wrong", 7_000_215)] {
        let answer = sign_in(&session, DOMAIN, &by_secret(APP, secret, SCOPE)).await?;
        assert_eq!(answer.json()?["error_codes"], json!([code]));
    }
    Ok(())
}

#[tokio::test]
async fn permission_and_directory_role_are_both_needed() -> TestResult {
    let mut session = Session::start().await?;
    for (app, status) in [(APP_WITHOUT_PERMISSION, 401), (APP_WITHOUT_ROLE, 403), (RECIPIENT_ADMINISTRATOR, 200)] {
        session.token = token_of(&session, app).await?;
        assert_eq!(session.invoke("Set-Mailbox", one_value(b"x")).await?.status, status, "{app}");
    }
    assert_eq!(session.invoke("Set-SmimeConfig", json!({})).await?.status, 403);
    Ok(())
}

#[tokio::test]
async fn tokens_that_are_foreign_altered_or_for_another_audience_are_refused() -> TestResult {
    let mut session = Session::start().await?;
    let graph = sign_in(&session, DOMAIN, &by_secret(APP, SECRET, "https://graph.microsoft.com/.default")).await?;
    let graph = graph.json()?["access_token"].as_str().ok_or("no token")?.to_owned();
    let other = Session::start().await?.token;
    let (_, tag) = session.token.rsplit_once('.').ok_or("no signature")?;
    let claims = URL_SAFE_NO_PAD.encode(json!({ "aud": "https://outlook.office365.com" }).to_string());
    let altered = format!("e30.{claims}.{tag}");
    for token in [graph, other, altered, String::new(), "x".to_owned()] {
        session.token = token;
        let answer = session.invoke("Get-Mailbox", json!({})).await?;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer ")));
    }
    Ok(())
}

#[tokio::test]
async fn only_post_is_answered() -> TestResult {
    let session = Session::start().await?;
    let path = format!("/{DOMAIN}/oauth2/v2.0/token");
    assert_eq!(request(session.running.url(), Method::GET, &path, &[], "").await?.status, 405);
    Ok(())
}
