//! What is kept between runs, and for how long.

use serde_json::json;
use smimesync::validation::Need;

use crate::scene::{Authority, DAY, HOUR, NOW, Scene, crl_at, issuer_at};
use crate::server::{Reply, Server};

/// A server with this CRL, and the need for it.
fn serving(crl: Vec<u8>) -> (Server, [Need; 1]) {
    let server = Server::start(move |_| Reply::ok(&crl));
    let need = crl_at(&[server.url("/a.crl")]);
    (server, [need])
}

#[tokio::test]
async fn a_second_run_asks_nobody_until_there_may_be_something_newer() {
    let authority = Authority::new("A");
    let (server, needs) = serving(authority.crl(1, 7));
    let scene = Scene::new();
    let requests = async |at_ms| {
        scene.clock.set(at_ms);
        let mut run = scene.run();
        let brought = run.bring(&needs).await;
        assert!(brought.changed && brought.failures.is_empty(), "{brought:?}");
        assert_eq!(run.evidence.crls().len(), 1);
        server.asked().len()
    };
    assert_eq!(requests(NOW).await, 1);
    assert_eq!(requests(NOW + 23 * HOUR).await, 0);
    // the list holds for a month, but one made since may revoke
    assert_eq!(requests(NOW + DAY).await, 1);
    assert_eq!(requests(NOW + DAY + HOUR).await, 0);
    let newer = authority.crl(2, 8);
    server.now(move |_| Reply::ok(&newer));
    assert_eq!(requests(NOW + 2 * DAY).await, 1);
    assert_eq!(requests(NOW + 2 * DAY).await, 0);
}

#[tokio::test]
async fn what_holds_is_used_while_its_place_is_down_and_never_after_its_next_update() {
    let (server, needs) = serving(Authority::new("A").crl(1, 7));
    let scene = Scene::new();
    scene.run().bring(&needs).await;
    server.now(|_| Reply::status(503));
    scene.clock.set(NOW + 29 * DAY);
    let mut run = scene.run();
    assert_eq!(run.bring(&needs).await.failures, []);
    assert_eq!(run.evidence.crls().len(), 1);
    assert_eq!(server.asked().len(), 2);
    scene.clock.set(NOW + 30 * DAY);
    let mut run = scene.run();
    assert_eq!(run.failures(&needs).await, ["http 503"]);
    assert_eq!((run.evidence.crls().len(), server.asked().len()), (0, 1));
}

#[tokio::test]
async fn what_is_kept_and_does_not_help_is_asked_for_once_more() {
    let (server, needs) = serving(Authority::new("A").crl(1, 7));
    let scene = Scene::new();
    scene.run().bring(&needs).await;
    server.asked();
    let mut run = scene.run();
    for (changed, requests) in [(true, 0), (true, 1), (false, 0)] {
        assert_eq!(run.bring(&needs).await.changed, changed);
        assert_eq!(server.asked().len(), requests);
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_make_anything_hold_longer() {
    let (server, needs) = serving(Authority::new("A").crl(1, 7));
    let scene = Scene::new();
    scene.clock.set(NOW + 10 * DAY);
    scene.run().bring(&needs).await;
    scene.clock.set(NOW);
    scene.run().bring(&needs).await;
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_place_is_remembered_for_what_was_asked_there() {
    let authority = Authority::new("A");
    let both = [
        "-----BEGIN X509 CRL-----\n",
        &base64::Engine::encode(&base64::prelude::BASE64_STANDARD, authority.crl(1, 7)),
        "\n-----END X509 CRL-----\n-----BEGIN CERTIFICATE-----\n",
        &base64::Engine::encode(&base64::prelude::BASE64_STANDARD, authority.certificate()),
        "\n-----END CERTIFICATE-----\n",
    ]
    .concat();
    let server = Server::start(move |_| Reply::ok(both.as_bytes()));
    let (scene, urls) = (Scene::new(), [server.url("/both")]);
    let needs = [crl_at(&urls), issuer_at(&urls)];
    for requests in [2, 0] {
        let mut run = scene.run();
        assert_eq!(run.bring(&needs).await.failures, []);
        assert_eq!((run.evidence.crls().len(), run.evidence.intermediates().len()), (1, 1));
        assert_eq!(server.asked().len(), requests);
    }
}

#[tokio::test]
async fn a_run_that_is_dropped_in_the_middle_leaves_nothing_behind() {
    let crl = Authority::new("A").crl(1, 7);
    let server = Server::start(|_| Reply::Drip);
    let (scene, needs) = (Scene::with(&json!({ "timeout_ms": 60_000 })), [crl_at(&[server.url("/a.crl")])]);
    let mut run = scene.run();
    let cut = tokio::time::timeout(std::time::Duration::from_millis(300), run.bring(&needs)).await;
    assert!(cut.is_err());
    assert_eq!((server.asked().len(), run.evidence.crls().len()), (1, 0));
    drop(run);
    server.now(move |_| Reply::ok(&crl));
    let mut run = scene.run();
    assert_eq!(run.bring(&needs).await.failures, []);
    assert_eq!((server.asked().len(), run.evidence.crls().len()), (1, 1));
}
