//! What Azure puts next to a machine: the metadata service, App Service, the agent of Azure Arc.

use hyper::Method;
use serde_json::json;
use smimesync_tenant::{ManagedIdentity, State};

use crate::client::{ANN, APP, Answer, Session, TestResult, request, state};

const RESOURCE: &str = "resource=https%3A%2F%2Foutlook.office365.com";
const METADATA: &str = "/metadata/identity/oauth2/token";
const HEADER: &str = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a";

async fn start(folder: Option<&std::path::Path>) -> TestResult<Session> {
    let managed_identity = Some(ManagedIdentity {
        app_id: APP.parse()?,
        identity_header: Some(HEADER.to_owned()),
        arc_tokens: folder.map(std::path::Path::to_owned),
    });
    Session::with_state(State { managed_identity, ..state()? }).await
}

async fn get(session: &Session, path: &str, headers: &[(&str, &str)]) -> TestResult<Answer> {
    request(session.running.url(), Method::GET, path, headers, String::new()).await
}

/// Whether the answer's token opens the admin API.
async fn works(session: &mut Session, answer: &Answer) -> TestResult<bool> {
    session.token = answer.json()?["access_token"].as_str().ok_or("no token")?.to_owned();
    Ok(session.invoke("Get-Mailbox", json!({ "Identity": ANN })).await?.status == 200)
}

#[tokio::test]
async fn the_metadata_service_wants_its_header_and_gives_texts() -> TestResult {
    let mut session = start(None).await?;
    let path = format!("{METADATA}?api-version=2018-02-01&{RESOURCE}");
    let answer = get(&session, &path, &[("metadata", "true")]).await?;
    assert_eq!((answer.status, &answer.json()?["expires_in"]), (200, &json!("3599")));
    assert!(answer.json()?["expires_on"].is_string());
    assert!(works(&mut session, &answer).await?);
    for (path, headers) in [
        (path.clone(), &[][..]),
        (path.clone(), &[("metadata", "true"), ("x-forwarded-for", "10.0.0.1")]),
        (format!("{METADATA}?{RESOURCE}"), &[("metadata", "true")]),
        (format!("{METADATA}?api-version=2018-02-01&resource=x"), &[("metadata", "true")]),
        (format!("{path}&client_id=00000000-0000-0000-0000-000000000000"), &[("metadata", "true")]),
        (path.replace("2018-02-01", "2020-06-01"), &[("metadata", "true")]),
    ] {
        assert_eq!(get(&session, &path, headers).await?.status, 400, "{path}");
    }
    assert_eq!(get(&session, &format!("{path}&client_id={APP}"), &[("metadata", "true")]).await?.status, 200);
    let bare = Session::start().await?;
    assert_eq!(get(&bare, &path, &[("metadata", "true")]).await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn app_service_wants_its_secret() -> TestResult {
    let mut session = start(None).await?;
    let path = format!("/msi/token?api-version=2019-08-01&{RESOURCE}");
    let answer = get(&session, &path, &[("x-identity-header", HEADER)]).await?;
    assert_eq!((answer.status, answer.json()?.get("expires_in")), (200, None));
    assert!(works(&mut session, &answer).await?);
    assert_eq!(get(&session, &path, &[("x-identity-header", "wrong")]).await?.status, 401);
    assert_eq!(get(&session, &path, &[]).await?.status, 401);
    assert_eq!(get(&Session::start().await?, &path, &[("x-identity-header", HEADER)]).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn arcs_agent_gives_a_token_to_those_who_can_read_its_folder() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut session = start(Some(folder.path())).await?;
    let path = format!("{METADATA}?api-version=2020-06-01&{RESOURCE}");
    let challenge = get(&session, &path, &[("metadata", "true")]).await?;
    assert_eq!(challenge.status, 401);
    let realm =
        challenge.headers["www-authenticate"].to_str()?.strip_prefix("Basic realm=").ok_or("no realm")?.to_owned();
    assert!(realm.ends_with(".key"), "{realm}");
    let proof = format!("Basic {}", std::fs::read_to_string(&realm)?);
    assert_eq!(get(&session, &path, &[("metadata", "true"), ("authorization", "Basic wrong")]).await?.status, 401);
    let answer = get(&session, &path, &[("metadata", "true"), ("authorization", &proof)]).await?;
    assert_eq!(answer.status, 200);
    assert!(works(&mut session, &answer).await?);
    assert_eq!(get(&session, &path, &[("metadata", "true"), ("authorization", &proof)]).await?.status, 401);
    Ok(())
}
