//! A service that is busy, broken, silent or somebody else.

use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};
use smimesync::certificate::Attribute::UserCertificate;
use smimesync::error::{Code, Error};
use smimesync::exchange::{Listener, Selection};
use smimesync_tenant::server_config;

use crate::support::{Bench, client, guid, recipients, tenant, values};

/// A bench whose next requests meet these faults.
async fn struck(faults: Value) -> Bench {
    let bench = Bench::new(json!({})).await;
    bench.exchange.get(&guid(1)).await.unwrap();
    bench.tenant.reset_log();
    bench.tenant.merge_switches(json!({ "faults": faults })).unwrap();
    bench
}

#[tokio::test]
async fn a_named_wait_is_kept_exactly() {
    for (plain_text, seconds) in [(false, 7), (true, 3)] {
        let throttled = json!({ "throttled": { "retry_after_s": seconds, "plain_text": plain_text } });
        let bench = struck(json!([{ "fault": throttled, "count": 2 }])).await;
        bench.exchange.get(&guid(1)).await.unwrap();
        assert_eq!(bench.machine.slept(), [seconds * 1000; 2]);
        assert_eq!(bench.calls().len(), 3);
    }
}

#[tokio::test]
async fn without_a_named_wait_patience_grows() {
    let bench = struck(json!([{ "fault": { "throttled": { "plain_text": true } }, "count": 3 }])).await;
    bench.exchange.get(&guid(1)).await.unwrap();
    assert_eq!(bench.machine.slept(), [2_500, 5_000, 10_000]);
}

#[tokio::test]
async fn a_storm_ends_in_one_error_that_says_how_long_to_wait() {
    for (seconds, expected) in [(Some(40), Some(40_000)), (None, None)] {
        let fault = json!({ "unavailable": { "retry_after_s": seconds } });
        let bench = struck(json!([{ "fault": fault, "count": 100 }])).await;
        let error = bench.exchange.get(&guid(1)).await.unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::ExchangeThrottled, Some(guid(1).as_str())));
        assert!(error.is_transient());
        match expected {
            Some(wait) => assert_eq!(error.get_retry_after_ms(), Some(wait)),
            None => assert!(error.get_retry_after_ms().unwrap() >= 64_000),
        }
        assert_eq!(bench.calls().len(), 6);
        assert_eq!(bench.machine.slept().len(), 5);
    }
}

#[tokio::test]
async fn every_try_has_an_id_of_its_own() {
    let bench = struck(json!([{ "fault": "gateway_timeout", "count": 2 }])).await;
    bench.exchange.get(&guid(1)).await.unwrap();
    let requests = bench.tenant.requests();
    let mut ids: Vec<_> = requests.into_iter().filter_map(|request| request.client_request_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_busy_token_endpoint_is_waited_for() {
    let bench = Bench::new(json!({ "faults": [
        { "fault": { "throttled": { "retry_after_s": 11 } }, "endpoint": "token" },
        { "fault": "truncated_json", "endpoint": "token" },
    ] }))
    .await;
    bench.exchange.get(&guid(1)).await.unwrap();
    assert_eq!(bench.machine.slept()[0], 11_000);
    assert_eq!(bench.tokens(), 3);
}

/// Keeps what it is told of waits.
#[derive(Default)]
struct Told(Mutex<Vec<(u64, Option<Code>)>>);

impl Listener for Told {
    fn waiting<'a>(
        &'a self,
        milliseconds: u64,
        because: Option<&'a Error>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        self.0.lock().unwrap().push((milliseconds, because.map(Error::code)));
        Box::pin(std::future::ready(()))
    }
}

#[tokio::test]
async fn waits_for_a_token_are_told_like_all_others() {
    let throttled = |endpoint: &str, seconds: u64| json!({ "fault": { "throttled": { "retry_after_s": seconds } }, "endpoint": endpoint });
    let bench = Bench::new(json!({ "faults": [throttled("token", 11), throttled("admin", 7)] })).await;
    let told = Arc::new(Told::default());
    let exchange = bench.exchange.told(told.clone());
    exchange.get(&guid(1)).await.unwrap();
    let busy = Some(Code::ExchangeThrottled);
    assert_eq!(*told.0.lock().unwrap(), [(11_000, busy), (7_000, busy)]);
}

#[tokio::test]
async fn a_token_endpoint_that_wants_too_long_a_wait_is_not_asked_again_before() {
    let hour = json!({ "fault": { "throttled": { "retry_after_s": 3600 } }, "endpoint": "token" });
    let bench = Bench::new(json!({ "faults": [hour] })).await;
    for _ in 0..2 {
        let error = bench.exchange.get(&guid(1)).await.unwrap_err();
        assert_eq!((error.code(), error.get_retry_after_ms()), (Code::ExchangeThrottled, Some(3_600_000)));
        assert!(error.get_request_id().is_some() && error.get_connection_id().is_some(), "{error:?}");
    }
    assert_eq!(bench.tokens(), 1);
    bench.machine.pass(3_600_000);
    bench.exchange.get(&guid(1)).await.unwrap();
}

#[tokio::test]
async fn a_forbidden_command_is_denied_without_another_try() {
    let bench = struck(json!([{ "fault": "forbidden" }])).await;
    let ann = bench.exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!((ann.code(), bench.calls().len()), (Code::ExchangeDenied, 1));
    assert!(!ann.to_string().contains('\0') && ann.get_request_id().is_some(), "{ann}");
}

#[tokio::test]
async fn answers_cut_short_are_asked_for_again_and_then_reported() {
    let bench = struck(json!([{ "fault": "truncated_json" }])).await;
    bench.exchange.get(&guid(1)).await.unwrap();
    let bench = struck(json!([{ "fault": "truncated_json", "count": 100 }])).await;
    let error = bench.exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!((error.code(), bench.calls().len()), (Code::ExchangeProtocol, 3));
    let bench = struck(json!([{ "fault": { "reset": { "when": "before" } }, "count": 100 }])).await;
    let error = bench.exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeUnreachable);
    assert_eq!(error.get_target(), Some(bench.running.url()));
}

#[tokio::test]
async fn a_silent_service_is_a_timeout() {
    let slow = json!({ "faults": [{ "fault": { "slow": { "ms": 60_000 } }, "count": 100 }] });
    let bench = Bench::with(recipients(), slow, &json!({ "timeout_ms": 300 })).await;
    let begun = Instant::now();
    let error = bench.exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeTimeout);
    assert!(begun.elapsed().as_millis() < 10_000);
    assert_eq!(bench.exchange.calls().requests, 2);
}

#[tokio::test]
async fn a_closed_port_is_unreachable_at_once() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let (exchange, machine) = client(&url, &json!({}));
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ExchangeUnreachable, Some(url.as_str())));
    assert!(error.to_string().starts_with("no connection to Exchange Online: connection refused; "), "{error}");
    let open = Bench::new(json!({})).await;
    let (exchange, _) = client(open.running.url(), &json!({ "admin_url": url }));
    let error = exchange.collect(Selection::default()).await.unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ExchangeUnreachable, Some(url.as_str())));
    assert!(machine.slept().is_empty());
}

#[tokio::test]
async fn a_service_that_goes_away_is_waited_for() {
    let Bench { tenant: _, running, exchange, machine } = struck(json!([])).await;
    drop(running);
    let ann = smimesync::exchange::Selection::default();
    let error = exchange.collect(ann).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeUnreachable);
    assert!(!machine.slept().is_empty());
}

/// A self-signed certificate for loopback, valid or not for the host.
fn certificate(folder: &Path, names: &str) {
    let configuration = folder.join("openssl.cnf");
    let text = format!(
        "[req]\ndistinguished_name=name\nx509_extensions=server\nprompt=no\n[name]\nCN=SmimeSync test\n[server]\n\
         basicConstraints=critical,CA:FALSE\nsubjectAltName={names}\n"
    );
    std::fs::write(&configuration, text).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .arg("-config")
        .arg(&configuration)
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("certificate.pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
async fn only_a_trusted_certificate_for_the_host_is_spoken_to() {
    for (names, given, reason) in [
        ("IP:127.0.0.1", true, None),
        ("IP:127.0.0.1", false, Some("its issuer is not known")),
        ("DNS:other.test", true, Some("it is for another host")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        certificate(folder.path(), names);
        let file = folder.path().join("certificate.pem");
        let tenant = tenant(recipients(), json!({}));
        let serving = server_config(&file, &folder.path().join("key.pem")).unwrap();
        let running = tenant.spawn_tls(serving).await.unwrap();
        let ca_files = if given { json!([file]) } else { json!([]) };
        let (exchange, machine) = client(running.url(), &json!({ "ca_files": ca_files }));
        let outcome = exchange.get(&guid(1)).await;
        match reason {
            None => {
                let ann = outcome.unwrap();
                exchange.write(&ann, &[(UserCertificate, values(&[&[48, 0]]))]).await.unwrap();
            }
            Some(reason) => {
                let error = outcome.unwrap_err();
                assert_eq!((error.code(), error.get_target()), (Code::ExchangeTls, Some(running.url())));
                assert!(error.to_string().contains(reason), "{error}");
                assert!(tenant.requests().is_empty() && machine.slept().is_empty());
            }
        }
    }
}

#[tokio::test]
async fn https_to_a_server_that_speaks_none_is_unreachable() {
    let bench = Bench::new(json!({})).await;
    let url = bench.running.url().replace("http://", "https://");
    let (exchange, _) = client(&url, &json!({}));
    let error = exchange.get(&guid(1)).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeUnreachable);
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}
