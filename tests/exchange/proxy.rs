//! Proxies between the client and the cloud: those that refuse, and those that look inside.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderMap;
use serde_json::json;
use smimesync::error::Code;
use smimesync::exchange::Exchange;
use smimesync::net::http;
use smimesync_tenant::{Tenant, server_config};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{APP, DOMAIN, SECRET, Simulated, client, guid, recipients, settings, tenant};

/// What a proxy was asked, one text for each connection.
type Asked = Arc<Mutex<Vec<String>>>;

/// A proxy that answers `CONNECT` like this and, where that is a success, leads to `inside` whatever was asked for.
async fn proxy(reply: &'static str, inside: Option<String>) -> String {
    asked_proxy(reply, inside).await.0
}

/// The same, and what it was asked.
async fn asked_proxy(reply: &'static str, inside: Option<String>) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Asked::default());
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(tunnel(stream, reply, inside.clone(), Arc::clone(&heard)));
        }
    });
    (address.to_string(), asked)
}

async fn tunnel(stream: TcpStream, reply: &'static str, inside: Option<String>, asked: Asked) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while stream.read_line(&mut head).await.is_ok_and(|length| length > 2) {}
    asked.lock().unwrap().push(head);
    // a client that has seen enough just leaves
    let _ = stream.write_all(format!("HTTP/1.1 {reply}\r\n\r\n").as_bytes()).await;
    if let Some(inside) = inside {
        let mut server = TcpStream::connect(inside).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
    }
}

/// A configuration for the cloud's own hosts, behind a proxy.
fn behind(proxy: &str, ca_files: &[std::path::PathBuf]) -> serde_json::Value {
    json!({
        "admin_url": null, "authority_url": null, "proxy": format!("http://user:s3cret%20%C3%BC@{proxy}"),
        "ca_files": ca_files, "organization": DOMAIN,
        "auth": { "method": "secret", "app_id": APP, "secret": SECRET },
    })
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_with_its_remedy() {
    for (reply, words) in
        [("407 Proxy Authentication Required", "proxy"), ("403 Forbidden", "tunnel"), ("502 Bad Gateway", "tunnel")]
    {
        let address = proxy(reply, None).await;
        let (exchange, _) = client("http://127.0.0.1:1", &behind(&address, &[]));
        let error = exchange.get(&guid(1)).await.unwrap_err();
        assert_eq!(
            (error.code(), error.get_target()),
            (Code::ExchangeUnreachable, Some("https://login.microsoftonline.com"))
        );
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("exchange/proxy"), "{reply}: {text}");
        assert!(!format!("{error:?} {text}").contains("s3cret"), "{error:?}");
    }
    let (exchange, _) = client("http://127.0.0.1:1", &behind("127.0.0.1:1", &[]));
    let text = exchange.get(&guid(1)).await.unwrap_err().to_string();
    assert!(text.contains("connection refused") && text.contains("exchange/proxy"), "{text}");
}

/// A tenant that plays the cloud's own hosts with a certificate of its own authority, as an inspecting proxy does.
async fn inspected(folder: &std::path::Path) -> (Tenant, smimesync_tenant::Running) {
    let hosts = ["login.microsoftonline.com", "outlook.office365.com"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(hosts).unwrap();
    std::fs::write(folder.join("authority.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let tenant = tenant(recipients(), json!({}));
    let config = server_config(&folder.join("authority.pem"), &folder.join("key.pem")).unwrap();
    let running = tenant.spawn_tls(config).await.unwrap();
    (tenant, running)
}

#[tokio::test]
async fn a_proxy_that_looks_inside_is_recognised_and_can_be_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (tenant, running) = inspected(folder.path()).await;
    let inside = running.url().strip_prefix("https://").unwrap().to_owned();
    let address = proxy("200 OK", Some(inside)).await;

    let (exchange, machine) = client("http://127.0.0.1:1", &behind(&address, &[]));
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ExchangeTls, Some("https://login.microsoftonline.com")));
    let text = error.to_string();
    assert!(text.contains("its issuer is not known") && text.contains("exchange/ca_files"), "{text}");
    assert!(tenant.requests().is_empty() && machine.slept().is_empty());

    let (exchange, _) = client("http://127.0.0.1:1", &behind(&address, &[folder.path().join("authority.pem")]));
    exchange.get(&guid(1)).await.unwrap();
}

#[tokio::test]
async fn a_proxy_gets_its_own_name_and_password_and_the_service_never() {
    let folder = tempfile::tempdir().unwrap();
    let (_tenant, running) = inspected(folder.path()).await;
    let inside = running.url().strip_prefix("https://").unwrap().to_owned();
    let (address, asked) = asked_proxy("200 OK", Some(inside)).await;
    let (exchange, _) = client("http://127.0.0.1:1", &behind(&address, &[folder.path().join("authority.pem")]));
    exchange.get(&guid(1)).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    assert!(asked[0].starts_with("CONNECT login.microsoftonline.com:443 "), "{asked:?}");
    assert!(asked[1].starts_with("CONNECT outlook.office365.com:443 "), "{asked:?}");
    let basic = format!("proxy-authorization: basic {}", BASE64_STANDARD.encode("user:s3cret ü")).to_lowercase();
    for head in asked {
        assert!(head.to_lowercase().contains(&basic), "{head}");
        assert!(!head.to_lowercase().contains("\nauthorization:"), "{head}");
    }
    assert!(!format!("{exchange:?}").contains("s3cret"));
}

#[test]
fn a_proxy_that_is_no_url_is_refused_without_repeating_it() {
    for wrong in ["user:s3cret@proxy without a scheme", "http://user:s3cret@[::1", "://s3cret"] {
        let settings =
            settings("http://127.0.0.1:1", &json!({ "admin_url": null, "authority_url": null, "proxy": wrong }));
        let error = Exchange::new(&settings, None, Arc::new(Simulated::default())).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::ConfigValue, Some("/exchange/proxy")));
        assert!(error.to_string().contains("expected a URL") && !format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

/// Names the authority to the process whose environment has proxies.
const AUTHORITY: &str = "SMIMESYNC_TEST_AUTHORITY";
/// What that process prints in front of what it found.
const FOUND: &str = "found: ";

/// Not a test by itself: what a host does whose environment names proxies. One request for the cloud, one for a host that
/// `NO_PROXY` names.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "what the process found")]
async fn as_a_host_behind_the_environments_proxies() {
    let Ok(authority) = std::env::var(AUTHORITY) else { return };
    let patch = json!({ "admin_url": null, "authority_url": null, "ca_files": [authority] });
    let (exchange, _) = client("http://127.0.0.1:1", &patch);
    println!("{FOUND}{:?}", exchange.get(&guid(1)).await.map(|recipient| recipient.display_name));
    let options = http::Options {
        ca_files: Vec::new(),
        proxy: None,
        direct: false,
        timeout: Duration::from_secs(10),
        max_body_bytes: 1000,
    };
    let url = "https://passed-by.invalid/".parse().unwrap();
    let answer = http::Client::new(options).unwrap().get(&url, HeaderMap::new()).await;
    println!("{FOUND}{:?}", answer.map(|answer| answer.status));
}

/// What a process with this environment finds.
async fn found(authority: &Path, environment: &[(&str, String)]) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "proxy::as_a_host_behind_the_environments_proxies", "--nocapture"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(environment.iter().cloned()).env(AUTHORITY, authority);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("s3cret") && !String::from_utf8_lossy(&output.stderr).contains("s3cret"), "{text}");
    text.lines().filter_map(|line| Some(line.split_once(FOUND)?.1.to_owned())).collect()
}

#[tokio::test]
async fn the_environments_proxies_are_used_and_its_exceptions_heeded() {
    let folder = tempfile::tempdir().unwrap();
    let (_tenant, running) = inspected(folder.path()).await;
    let inside = running.url().strip_prefix("https://").unwrap().to_owned();
    let authority = folder.path().join("authority.pem");
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let (address, asked) = asked_proxy("200 OK", Some(inside.clone())).await;
        let environment =
            [(name, format!("http://user:s3cret@{address}")), ("NO_PROXY", "localhost,passed-by.invalid".to_owned())];
        let found = found(&authority, &environment).await;
        assert_eq!(found[0], "Ok(Some(\"Ann\"))", "{name}");
        assert!(found[1].starts_with("Err(Unreachable("), "{found:?}");
        let asked = asked.lock().unwrap().clone();
        assert!(!asked.is_empty() && !asked.iter().any(|head| head.contains("passed-by")), "{asked:?}");
    }
    // without an exception the same host is asked for through the proxy
    let (address, asked) = asked_proxy("403 Forbidden", None).await;
    let found = found(&authority, &[("HTTPS_PROXY", format!("http://user:s3cret@{address}"))]).await;
    assert!(found[0].contains("exchange/proxy") || found[0].contains("ExchangeUnreachable"), "{found:?}");
    assert!(asked.lock().unwrap().iter().any(|head| head.contains("CONNECT passed-by.invalid:443")));
}
