//! Signing in as the machine itself: on a VM, in App Service, on a server joined by Azure Arc.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Value, json};
use smimesync::config::Secret;
use smimesync::error::Code;
use smimesync::exchange::{Exchange, Machine, Surroundings};
use smimesync_tenant::{Running, Tenant};

use crate::canned::{answer, serve};
use crate::support::{APP, APP_WITHOUT_ROLE, DOMAIN, Simulated, TENANT_ID, guid, recipients, settings};

const HEADER: &str = "853b9a84-s3cret";

/// A machine that offers an identity, with time that passes only when somebody waits.
#[derive(Debug)]
struct Host {
    clock: Simulated,
    machine: Machine,
}

impl Surroundings for Host {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn sleep(&self, milliseconds: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.clock.sleep(milliseconds)
    }

    fn random_below(&self, bound: u64) -> u64 {
        self.clock.random_below(bound)
    }

    fn machine(&self) -> Machine {
        self.machine.clone()
    }
}

/// A VM whose metadata service is at `url`.
fn vm(url: &str) -> Machine {
    Machine {
        identity_endpoint: None,
        identity_header: None,
        imds_endpoint: None,
        instance_metadata: url.to_owned(),
        arc_agent: false,
        arc_tokens: PathBuf::from("/nonexistent"),
    }
}

fn app_service(url: &str, header: &str) -> Machine {
    let identity_header = Some(Secret::new(header.to_owned()));
    Machine { identity_endpoint: Some(format!("{url}/msi/token")), identity_header, ..vm("http://127.0.0.1:1") }
}

fn arc(url: &str, folder: PathBuf) -> Machine {
    let endpoint = Some(format!("{url}/metadata/identity/oauth2/token"));
    Machine { identity_endpoint: endpoint, imds_endpoint: Some(url.to_owned()), arc_tokens: folder, ..vm(url) }
}

fn client(url: &str, machine: Machine, auth: &Value) -> smimesync::error::Result<(Exchange, Arc<Host>)> {
    let host = Arc::new(Host { clock: Simulated::default(), machine });
    let mut patch = json!({ "auth": { "method": "managed_identity" } });
    for (key, value) in auth.as_object().unwrap() {
        patch["auth"][key] = value.clone();
    }
    let surroundings: Arc<dyn Surroundings> = host.clone();
    Ok((Exchange::new(&settings(url, &patch), None, surroundings)?, host))
}

async fn double(folder: Option<PathBuf>) -> (Tenant, Running) {
    let state = json!({
        "tenant": { "id": TENANT_ID, "domain": DOMAIN },
        "apps": [{ "app_id": APP }, { "app_id": APP_WITHOUT_ROLE, "wids": [] }],
        "recipients": recipients(),
        "managed_identity": { "app_id": APP, "identity_header": HEADER, "arc_tokens": folder },
    });
    let tenant = Tenant::new(serde_json::from_value(state).unwrap()).unwrap();
    let running = tenant.spawn().await.unwrap();
    (tenant, running)
}

#[tokio::test]
async fn a_vm_an_app_service_and_an_arc_server_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let (tenant, running) = double(Some(folder.path().to_owned())).await;
    let url = running.url();
    for (machine, path, requests) in [
        (vm(url), "/metadata/identity/oauth2/token", 1),
        (app_service(url, HEADER), "/msi/token", 1),
        // the challenge, and the answer to it
        (arc(url, folder.path().to_owned()), "/metadata/identity/oauth2/token", 2),
    ] {
        tenant.reset_log();
        let (exchange, host) = client(url, machine, &json!({})).unwrap();
        exchange.get(&guid(1)).await.unwrap_or_else(|error| panic!("{path}: {error}"));
        exchange.get(&guid(2)).await.unwrap();
        let asked = |path: &str| tenant.requests().iter().filter(|request| request.path == path).count();
        assert_eq!(asked(path), requests, "{path}");
        host.clock.pass(3_600_000 - 120_000);
        exchange.get(&guid(1)).await.unwrap();
        assert_eq!(asked(path), 2 * requests, "{path}");
        assert!(!format!("{exchange:?} {host:?}").contains(HEADER));
    }
}

#[tokio::test]
async fn a_user_assigned_identity_is_asked_for_by_its_client_id() {
    let (_tenant, running) = double(None).await;
    let url = running.url();
    let of = |id: &str| json!({ "managed_identity_client_id": id });
    for machine in [vm(url), app_service(url, HEADER)] {
        let (exchange, _) = client(url, machine.clone(), &of(APP)).unwrap();
        exchange.get(&guid(1)).await.unwrap();
        let (exchange, _) = client(url, machine, &of(&guid(9))).unwrap();
        let error = exchange.get(&guid(1)).await.unwrap_err();
        assert_eq!(error.code(), Code::ExchangeIdentity);
        assert!(error.to_string().contains("Identity not found"), "{error}");
        assert!(error.to_string().contains("managed_identity_client_id"), "{error}");
    }
    let error = client(url, arc(url, PathBuf::new()), &of(APP)).unwrap_err();
    assert_eq!(
        (error.code(), error.get_target()),
        (Code::ConfigValue, Some("/exchange/auth/managed_identity_client_id"))
    );
}

#[tokio::test]
async fn a_machine_without_an_identity_says_so_at_once() {
    let (_tenant, running) = double(None).await;
    let (exchange, host) = client(running.url(), vm("http://127.0.0.1:1"), &json!({})).unwrap();
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ExchangeIdentity, Some("http://127.0.0.1:1")));
    assert!(error.to_string().contains("Azure VM"), "{error}");
    assert!(host.clock.slept().is_empty());

    let (exchange, _) = client(running.url(), app_service(running.url(), "wrong s3cret"), &json!({})).unwrap();
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeIdentity);
    assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_metadata_service_that_is_busy_is_waited_for() {
    let token = r#"{"access_token":"e30.e30.x","expires_in":"86399","token_type":"Bearer"}"#;
    let answers = [
        answer("404 Not Found", "", ""),
        answer("410 Gone", "", ""),
        answer("429 Too Many Requests", "Retry-After: 7\r\n", ""),
        answer("500 Internal Server Error", "", ""),
        answer("200 OK", "", token),
    ];
    let (url, asked) = serve(answers.into());
    let (_tenant, running) = double(None).await;
    let (exchange, host) = client(running.url(), vm(&url), &json!({})).unwrap();
    // the token is none of the double's, so the call itself is refused
    assert_eq!(exchange.get(&guid(1)).await.unwrap_err().code(), Code::ExchangeIdentity);
    let slept = host.clock.slept();
    assert!(slept.len() >= 4 && slept[2] == 7_000, "{slept:?}");
    let request = asked.recv().unwrap();
    let line = request.lines().next().unwrap();
    let query = "api-version=2018-02-01&resource=https%3A%2F%2Foutlook.office365.com";
    assert_eq!(line, format!("GET /metadata/identity/oauth2/token?{query} HTTP/1.1"));
    assert!(request.contains("metadata: true\r\n"), "{request}");
}

#[tokio::test]
async fn arcs_challenge_reads_no_file_but_the_agents() {
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = outside.path().join("secret.key");
    std::fs::write(&file, "s3cret of somebody else").unwrap();
    let challenge = format!("WWW-Authenticate: Basic realm={}\r\n", file.display());
    let (url, asked) = serve(vec![answer("401 Unauthorized", &challenge, ""), answer("200 OK", "", "{}")]);
    let (exchange, _) = client(&url, arc(&url, folder.path().to_owned()), &json!({})).unwrap();
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeIdentity);
    assert!(error.to_string().contains("outside its folder") && error.to_string().contains("himds"), "{error}");
    asked.recv().unwrap();
    assert!(asked.try_recv().is_err(), "nothing was sent in answer");

    let elsewhere = arc("http://10.0.0.1:40342", folder.path().to_owned());
    assert_eq!(client(&url, elsewhere, &json!({})).unwrap_err().code(), Code::ExchangeIdentity);
}
