//! HTTPS.

use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use smimesync_tenant::{Tenant, server_config};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{APP, DOMAIN, TestResult, invocation, request_over, state};

#[tokio::test]
async fn https_serves_the_same_and_links_stay_https() -> TestResult {
    let folder = tempfile::tempdir()?;
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let configuration = folder.path().join("openssl.cnf");
    let text = "[req]\ndistinguished_name=name\nx509_extensions=server\nprompt=no\n[name]\nCN=localhost\n[server]\n\
                basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n";
    std::fs::write(&configuration, text)?;
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .arg("-config")
        .arg(&configuration)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let tenant = Tenant::new(state()?)?;
    tenant.merge_switches(json!({ "page_size": 1 }))?;
    let running = tenant.spawn_tls(server_config(&certificate, &key)?).await?;
    let host = running.url().strip_prefix("https://").ok_or("not https")?.to_owned();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(&host).await?;
    let stream = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("127.0.0.1")?, stream).await?;

    let authorization = format!("Bearer {}", tenant.issue_token(APP.parse()?).ok_or("no app")?);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let body = Bytes::from(invocation("Get-Mailbox", json!({})).to_string());
    let path = format!("/adminapi/beta/{DOMAIN}/InvokeCommand");
    let answer = request_over(stream, &host, Method::POST, &path, &headers, body).await?;
    assert_eq!(answer.values()?.len(), 1);
    let next = answer.json()?["@odata.nextLink"].as_str().ok_or("no link")?.to_owned();
    assert!(next.starts_with(running.url()), "{next}");
    Ok(())
}

#[test]
fn a_key_that_is_none_is_an_error_that_names_the_file() -> TestResult {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("nothing.pem");
    std::fs::write(&path, "nothing")?;
    let error = server_config(&path, &path).err().ok_or("taken")?;
    assert!(error.to_string().contains("nothing.pem"));
    Ok(())
}
