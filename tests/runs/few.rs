//! Runs for a few people do not list everybody.

use smimesync::error::Code;
use smimesync::session::Verb;

use crate::scene::{Scene, entry};

const ANN: &str = "ann@x.test";
const BOB: &str = "bob@x.test";

#[test]
fn the_recipient_of_one_person_is_found_by_filter() {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob)]);
    let outcome = scene.run(Verb::Sync, r#"{"identities":["ann@x.test"]}"#).fine();
    assert_eq!(outcome.column("result"), ["applied"]);
    assert_eq!((scene.held(1), scene.held(2)), (ann.to_vec(), Vec::new()));
    let told = outcome.events.iter().find(|(code, _)| *code == Code::RecipientsRead);
    assert_eq!(told.unwrap().1, "1 recipients read from Exchange Online by identity in 3 requests");
    // everybody is listed for everybody
    let outcome = scene.run(Verb::Sync, "").fine();
    let told = outcome.events.iter().find(|(code, _)| *code == Code::RecipientsRead);
    assert_eq!(told.unwrap().1, "2 recipients read from Exchange Online by page in 3 requests");
    assert_eq!(scene.held(2), bob);
}

#[test]
fn a_rival_has_everybody_listed() {
    let scene = Scene::new(&[ANN, BOB]);
    let ann = [scene.certificate(ANN)];
    // two people claim one mailbox, so it is neither's
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[ANN, BOB], &[])]);
    let outcome = scene.run(Verb::Sync, r#"{"identities":["00000000-0000-4000-8000-000000000001"]}"#).fine();
    let told: Vec<_> = outcome.events.iter().filter(|(code, _)| *code == Code::RecipientsRead).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    // the rival's addresses lead to two mailboxes, which makes the rival no claimant
    assert_eq!(outcome.column("result"), ["applied"]);
}
