//! Places that behave and places that do not.

use std::io::Write as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use smimesync::validation::Need;

use crate::scene::{Authority, Scene, crl_at, issuer_at};
use crate::server::{Reply, Server};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn each_place_is_asked_once_however_many_need_it() {
    let crl = Authority::new("A").crl(1, 7);
    let server = Server::start(move |_| Reply::ok(&crl));
    let (scene, url) = (Scene::new(), server.url("/a.crl"));
    let mut run = scene.run();
    let needs =
        [crl_at(std::slice::from_ref(&url)), crl_at(&[url.clone(), server.url("/b.crl")]), crl_at(&[url.clone(), url])];
    let brought = run.bring(&needs).await;
    assert!(brought.changed && brought.failures.is_empty(), "{brought:?}");
    assert_eq!((run.evidence.crls().len(), server.asked().len()), (1, 1));
    // a need that is still there goes on with the places not asked yet, and then gives up
    assert!(run.bring(&needs).await.changed);
    assert_eq!(server.asked().len(), 1);
    assert!(!run.bring(&needs).await.changed);
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn the_first_place_that_has_it_is_enough_and_what_failed_is_kept() {
    let crl = Authority::new("A").crl(1, 7);
    let server = Server::start(move |path| if path == "/gone" { Reply::status(404) } else { Reply::ok(&crl) });
    let scene = Scene::new();
    let mut run = scene.run();
    let urls = [server.url("/gone"), server.url("/here"), server.url("/never")];
    let brought = run.bring(&[crl_at(&urls)]).await;
    assert_eq!(brought.failures.iter().map(|(url, _)| url).collect::<Vec<_>>(), [&urls[0]]);
    assert_eq!(run.evidence.failure(&urls[0], None), Some("http 404"));
    assert_eq!(run.evidence.failure(&urls[1], None), None);
    assert_eq!((run.evidence.crls().len(), server.asked().len()), (1, 2));
}

#[tokio::test]
async fn why_a_place_gives_nothing_is_said_in_short_words() {
    let crl = Authority::new("A").crl(1, 7);
    let certificate = Authority::new("A").certificate();
    let outdated = Authority::new("A").crl(1, 5);
    let server = Server::start(move |path| match path {
        "/404" => Reply::status(404),
        "/500" => Reply::status(500),
        "/401" => Reply::Whole(401, "WWW-Authenticate: Basic realm=\"x\"\r\n".into(), Vec::new()),
        "/html" => Reply::ok(b"<html>please sign in</html>"),
        "/empty" => Reply::ok(b""),
        "/certificate" => Reply::ok(&certificate),
        "/truncated" => Reply::ok(&crl[..crl.len() - 10]),
        "/cut" => Reply::Cut(crl.clone()),
        "/drip" => Reply::Drip,
        "/endless" => Reply::Endless,
        "/large" => Reply::ok(&vec![b'0'; 100_001]),
        "/bomb" => Reply::Whole(200, "Content-Encoding: gzip\r\n".into(), gzip(&vec![b'0'; 10_000_000])),
        "/loop" => Reply::redirect("/loop"),
        "/metadata" => Reply::redirect("http://169.254.169.254/latest/meta-data/"),
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/ldap" => Reply::redirect("ldap://127.0.0.1/cn=a"),
        "/password" => Reply::redirect("http://user:password@127.0.0.1/"),
        "/outdated" => Reply::ok(&outdated),
        other => panic!("{other}"),
    });
    for (path, cause) in [
        ("/404", "http 404"),
        ("/500", "http 500"),
        ("/401", "http 401"),
        ("/html", "not a CRL"),
        ("/empty", "not a CRL"),
        ("/certificate", "not a CRL"),
        ("/truncated", "not a CRL"),
        ("/cut", "interrupted"),
        ("/drip", "timeout"),
        ("/endless", "too large"),
        ("/large", "too large"),
        ("/bomb", "too large"),
        ("/loop", "too many redirects"),
        ("/metadata", "address not allowed"),
        ("/file", "scheme not allowed"),
        ("/ldap", "scheme not allowed"),
        ("/password", "url not allowed"),
        ("/outdated", "outdated"),
    ] {
        let (scene, url) = (Scene::new(), server.url(path));
        let mut run = scene.run();
        let started = Instant::now();
        assert_eq!(run.failures(&[crl_at(std::slice::from_ref(&url))]).await, [cause], "{path}");
        assert!(started.elapsed() < Duration::from_secs(4), "{path}");
        assert_eq!(run.evidence.failure(&url, None), Some(cause), "{path}");
        // one that is out of date is known all the same, so that a verdict can say so
        assert_eq!(run.evidence.crls().len(), usize::from(path == "/outdated"), "{path}");
        // nothing of it is kept for the next run
        server.asked();
        scene.run().bring(&[crl_at(&[url])]).await;
        assert!(!server.asked().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn urls_that_are_not_asked_at_all() {
    let server = Server::start(|_| Reply::status(404));
    let port = server.url("").rsplit(':').next().unwrap().to_owned();
    let scene = Scene::with(&json!({ "allow_loopback": false }));
    for (url, cause) in [
        (server.url("/a"), "address not allowed"),
        (format!("http://localhost:{port}/"), "address not allowed"),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), "address not allowed"),
        (format!("ldap://127.0.0.1:{port}/cn=a"), "address not allowed"),
        (format!("ldap://localhost:{port}/cn=a"), "address not allowed"),
        (format!("ldaps://127.0.0.1:{port}/cn=a"), "scheme not allowed"),
        (format!("ftp://127.0.0.1:{port}/a"), "scheme not allowed"),
        ("file:///etc/passwd".into(), "scheme not allowed"),
        ("http://user:password@x.test/".into(), "url not allowed"),
        ("not a url".into(), "url not allowed"),
        ("ldap:///CN=a,DC=x".into(), "no directory server"),
    ] {
        assert_eq!(scene.run().failures(&[crl_at(std::slice::from_ref(&url))]).await, [cause], "{url}");
    }
    assert_eq!(server.asked().len(), 0);
}

#[tokio::test]
async fn nothing_of_ours_goes_along() {
    let crl = Authority::new("A").crl(1, 7);
    let server = Server::start(move |path| match path {
        "/first" => Reply::Whole(302, "Location: /second\r\nSet-Cookie: a=b; Path=/\r\n".into(), Vec::new()),
        "/ocsp" => Reply::Whole(200, "Set-Cookie: a=b; Path=/\r\n".into(), b"no answer".to_vec()),
        _ => Reply::ok(&crl),
    });
    let scene = Scene::new();
    let mut run = scene.run();
    let ocsp = Need::Ocsp { urls: vec![server.url("/ocsp")], request: b"a request".to_vec() };
    run.bring(&[crl_at(&[server.url("/first")]), ocsp]).await;
    run.bring(&[crl_at(&[server.url("/third")])]).await;
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    for request in &asked {
        let head = request.head.to_ascii_lowercase();
        for header in ["authorization", "cookie", "referer", "proxy-", "origin", "from:"] {
            assert!(!head.contains(header), "{head}");
        }
    }
    let posted = asked.iter().find(|request| request.head.starts_with("POST /ocsp ")).unwrap();
    assert!(posted.head.to_ascii_lowercase().contains("content-type: application/ocsp-request"), "{}", posted.head);
    assert_eq!(posted.body, b"a request");
}

#[tokio::test]
async fn compressed_answers_and_pem_are_read() {
    let authority = Authority::new("A");
    let (crl, certificate) = (authority.crl(1, 7), authority.certificate());
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(certificate));
    let server = Server::start(move |path| match path {
        "/crl" => Reply::Whole(200, "Content-Encoding: gzip\r\n".into(), gzip(&crl)),
        _ => Reply::ok(pem.as_bytes()),
    });
    let scene = Scene::new();
    let mut run = scene.run();
    let brought = run.bring(&[crl_at(&[server.url("/crl")]), issuer_at(&[server.url("/pem")])]).await;
    assert_eq!(brought.failures, []);
    assert_eq!((run.evidence.crls().len(), run.evidence.intermediates().len()), (1, 1));
    // what is fetched is never trusted by itself
    assert_eq!(run.evidence.anchors().len(), 0);
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_given_up() {
    let server = Server::start(|_| Reply::Silence);
    let scene = Scene::with(&json!({ "timeout_ms": 200 }));
    let mut run = scene.run();
    for round in 0..3 {
        let needs: Vec<_> = (0..4).map(|number| crl_at(&[server.url(&format!("/{round}/{number}"))])).collect();
        assert_eq!(run.failures(&needs).await, ["timeout"; 4]);
    }
    assert_eq!(server.asked().len(), 4, "the later ones are not tried");
}

#[tokio::test]
async fn a_run_fetches_only_so_much() {
    let crl = Authority::new("A").crl(1, 7);
    let length = crl.len();
    let server = Server::start(move |_| Reply::ok(&crl));
    let scene = Scene::with(&json!({ "max_bytes": length }));
    let needs: Vec<_> = (0..20).map(|number| crl_at(&[server.url(&format!("/{number}"))])).collect();
    assert_eq!(scene.run().failures(&needs).await, ["too much for one run"; 4]);
}

#[tokio::test]
async fn what_the_configuration_does_not_let_be_fetched_is_not() {
    let server = Server::start(|_| Reply::status(404));
    let mut scene = Scene::new();
    scene.config.trust.fetch_issuers = Some(false);
    let brought = scene.run().bring(&[issuer_at(&[server.url("/a")])]).await;
    assert!(!brought.changed);
    assert_eq!(server.asked().len(), 0);
}
