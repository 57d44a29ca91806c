//! Proxies between the client and the cloud: those that refuse, and those that look inside.

use serde_json::json;
use smimesync::error::Code;
use smimesync_tenant::{Tenant, server_config};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{APP, DOMAIN, SECRET, client, guid, recipients, tenant};

/// A proxy that answers `CONNECT` like this and, where that is a success, leads to `inside` whatever was asked for.
async fn proxy(reply: &'static str, inside: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(tunnel(stream, reply, inside.clone()));
        }
    });
    address.to_string()
}

async fn tunnel(stream: TcpStream, reply: &'static str, inside: Option<String>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|length| length > 2) {
        line.clear();
    }
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
        "admin_url": null, "authority_url": null, "proxy": format!("http://user:s3cret@{proxy}"),
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
