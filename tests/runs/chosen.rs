//! Chosen changes of a compared run are held to what every run is held to.

use serde_json::json;
use smimesync::error::Code;
use smimesync::session::Verb;

use crate::scene::{Scene, entry};

const ANN: &str = "ann@x.test";
const BOB: &str = "bob@x.test";

#[test]
fn the_setting_staging_holds_for_them() {
    let scene = Scene::new(&[ANN]);
    let ann = [scene.certificate(ANN)];
    scene.directory(&[entry(1, &[ANN], &ann)]);
    let compared = scene.run(Verb::Compare, "").fine().column("run").remove(0);
    scene.run(Verb::Settings, r#"{"set":{"staging":true}}"#).fine();
    let outcome = scene.run(Verb::Sync, &json!({ "run": compared }).to_string()).fine();
    assert_eq!(outcome.column("result"), ["planned"]);
    assert!(scene.held(1).is_empty());
    let outcome = scene.run(Verb::Sync, &json!({ "run": compared, "staging": false }).to_string()).fine();
    assert_eq!(outcome.column("result"), ["applied"]);
    assert_eq!(scene.held(1), ann);
}

#[test]
fn every_guard_that_says_no_is_named_with_and_without_staging() {
    let scene = Scene::new(&[ANN, BOB]);
    let both = [scene.certificate(ANN), scene.certificate(BOB)];
    let (ann, bob) = both.split_at(1);
    scene.directory(&[entry(1, &[ANN], ann), entry(2, &[BOB], bob)]);
    scene.run(Verb::Sync, "").fine();
    scene.directory(&[entry(1, &[ANN], &[]), entry(2, &[BOB], &[])]);
    scene.run(Verb::Settings, r#"{"set":{"max_removals":1,"max_people_losing_last":1}}"#).fine();
    let compared = scene.run(Verb::Compare, "").fine();
    let run = compared.column("run").remove(0);
    let staged = scene.run(Verb::Sync, &json!({ "run": run, "staging": true }).to_string()).fine();
    let whole = scene.run(Verb::Sync, "");
    let chosen = scene.run(Verb::Sync, &json!({ "run": run }).to_string());
    for outcome in [&compared, &staged, &whole, &chosen] {
        let told: Vec<_> = outcome.events.iter().filter(|(code, _)| *code == Code::GuardStopped).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].1.contains("max_removals") && told[1].1.contains("max_people_losing_last"), "{told:?}");
    }
    for outcome in [&whole, &chosen] {
        assert_eq!(outcome.error.as_ref().and_then(|error| error.get_target()), Some("max_removals"));
    }
    assert_eq!(scene.held(1), ann);
    let one = scene.run(Verb::Sync, &json!({ "run": run, "changes": [1] }).to_string()).fine();
    assert_eq!(one.column("result"), ["applied"]);
    // the second one is one too many within the window
    let two = scene.run(Verb::Sync, &json!({ "run": run, "changes": [3] }).to_string());
    assert_eq!(two.error.map(|error| error.code()), Some(Code::GuardStopped));
    assert_eq!(scene.held(2), bob);
}
