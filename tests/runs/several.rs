//! Runs over two directories that make up a person together.

use serde_json::{Value as Json, json};
use smimesync::error::Code;
use smimesync::session::{Value, Verb};

use crate::scene::{Entry, Outcome, Scene, entry, guid};

const ANN: &str = "ann@x.test";
const BOB: &str = "bob@x.test";
const CAT: &str = "cat@x.test";

fn both() -> Json {
    let export = |path: &str| json!({ "kind": "ldif", "path": path });
    json!({ "directory": null, "directories": [export("people.ldif"), export("partner.ldif")] })
}

fn run(scene: &Scene, verb: Verb, options: &str) -> Outcome {
    scene.run_with(&both(), verb, options)
}

fn policy_type(scene: &Scene) -> String {
    scene.run(Verb::Runs, r#"{"last":1}"#).fine().column("policy_type").remove(0)
}

fn told(outcome: &Outcome, code: Code) -> Option<&str> {
    outcome.events.iter().find(|(event, _)| *event == code).map(|(_, text)| text.as_str())
}

/// Two mailboxes, and Ann in both directories with a certificate in each.
fn scene() -> (Scene, [Vec<u8>; 2], Vec<u8>) {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN), scene.certificate(ANN)], scene.certificate(BOB));
    scene.directory(&[entry(1, &[ANN], &ann[..1]), entry(2, &[BOB], std::slice::from_ref(&bob))]);
    scene.export("partner.ldif", &[entry(3, &[ANN], &ann[1..])]);
    run(&scene, Verb::Sync, "").fine();
    assert_eq!((scene.held(1).len(), scene.held(2).len()), (2, 1));
    (scene, ann, bob)
}

#[test]
fn a_change_in_one_directory_takes_nothing_of_the_other_s() {
    let (scene, ann, _) = scene();
    assert!(run(&scene, Verb::Sync, "").fine().rows.is_empty());
    assert_eq!(policy_type(&scene), "delta");
    let newer = [scene.certificate(ANN)];
    scene.export("partner.ldif", &[entry(3, &[ANN], &newer)]);
    // what only looks leaves the watermark where it is
    for _ in 0..2 {
        let fetched = run(&scene, Verb::Fetch, r#"{"policy_type":"delta"}"#).fine();
        assert_eq!(fetched.column("identity"), [guid(1)]);
        assert_eq!(run(&scene, Verb::Compare, "").fine().column("person"), [guid(1)]);
    }
    let outcome = run(&scene, Verb::Sync, r#"{"policy_type":"delta"}"#).fine();
    assert_eq!((outcome.column("person"), outcome.column("result")), (vec![guid(1)], vec!["applied".to_owned()]));
    assert!(told(&outcome, Code::EverybodyRead).is_none());
    let held = scene.held(1);
    assert!(held.len() == 2 && held.contains(&ann[0]) && held.contains(&newer[0]));
    assert!(run(&scene, Verb::Sync, "").fine().rows.is_empty());
    assert_eq!(run(&scene, Verb::Sync, r#"{"policy_type":"initial"}"#).fine().column("action"), ["none", "none"]);
}

#[test]
fn who_leaves_one_directory_has_changed_and_who_leaves_both_has_vanished() {
    let (scene, ann, bob) = scene();
    let bob = [bob];
    scene.directory(&[entry(2, &[BOB], &bob)]);
    let outcome = run(&scene, Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
    // the one who is left has the entry's name that is left
    assert_eq!((outcome.column("person"), outcome.column("reason")), (vec![guid(3)], vec!["vanished".to_owned()]));
    assert_eq!(scene.held(1), [ann[1].clone()]);
    assert!(run(&scene, Verb::Sync, "").fine().rows.is_empty());
    scene.export("partner.ldif", &[Entry { deleted: true, ..entry(3, &[], &[]) }]);
    let fetched = run(&scene, Verb::Fetch, "").fine();
    assert_eq!(fetched.column("identity"), [guid(3)]);
    assert_eq!(fetched.rows[0].get("deleted"), Some(&Value::Boolean(true)));
    assert_eq!(run(&scene, Verb::Sync, "").fine().column("reason"), ["vanished"]);
    assert!(scene.held(1).is_empty());
    assert!(run(&scene, Verb::Sync, "").fine().rows.is_empty());
}

#[test]
fn an_entry_that_becomes_part_of_somebody_else_has_not_vanished() {
    let (scene, _, bob) = scene();
    let (bob, ann) = ([bob], [scene.certificate(ANN)]);
    let apart = |scene: &Scene| {
        scene.directory(&[entry(1, &[ANN], &ann)]);
        scene.export("partner.ldif", &[entry(2, &[BOB], &bob)]);
    };
    apart(&scene);
    run(&scene, Verb::Sync, "").fine();
    // Bob's entry is given Ann's address, by mistake or not
    scene.export("partner.ldif", &[entry(2, &[ANN, BOB], &bob)]);
    for policy_type in ["delta", "delta", "initial"] {
        let options = json!({ "policy_type": policy_type }).to_string();
        let outcome = run(&scene, Verb::Sync, &options).fine();
        assert!(outcome.column("person").iter().all(|person| *person == guid(1)), "{:?}", outcome.column("person"));
        assert_eq!(scene.held(2), bob, "{policy_type}");
    }
    apart(&scene);
    run(&scene, Verb::Sync, "").fine();
    assert_eq!((scene.held(1), scene.held(2)), (ann.to_vec(), bob.to_vec()));
    scene.export("partner.ldif", &[]);
    run(&scene, Verb::Sync, "").fine();
    assert!(scene.held(2).is_empty());
}

#[test]
fn what_two_of_a_directory_could_mean_is_not_gone_from_a_third() {
    let (scene, ann, bob) = scene();
    // neither of the partner's two is a rival for Ann's mailbox, as their addresses lead apart
    let twins = [entry(3, &[ANN, BOB], &ann[1..]), entry(4, &[ANN, BOB], &[])];
    scene.export("partner.ldif", &twins);
    for policy_type in ["delta", "initial", "delta"] {
        let options = json!({ "policy_type": policy_type }).to_string();
        run(&scene, Verb::Sync, &options).fine();
        assert_eq!(scene.held(1).len(), 2, "{policy_type}");
    }
    scene.export("partner.ldif", &twins[1..]);
    run(&scene, Verb::Sync, "").fine();
    assert_eq!(scene.held(2), [bob]);
    scene.export("partner.ldif", &[]);
    run(&scene, Verb::Sync, "").fine();
    assert_eq!(scene.held(1), ann[..1]);
}

#[test]
fn a_directory_that_is_cut_short_adds_and_takes_nothing() {
    let (scene, ann, bob) = scene();
    let newer = [bob, scene.certificate(BOB)];
    scene.export("partner.ldif", &[entry(4, &[BOB], &newer[1..])]);
    scene.directory(&[entry(2, &[BOB], &newer[..1])]);
    scene.cut();
    let outcome = run(&scene, Verb::Sync, "");
    assert_eq!(outcome.error.as_ref().map(|error| error.code()), Some(Code::DirectoryIncomplete));
    assert_eq!((scene.held(1).len(), scene.held(2).len()), (2, 2));
    scene.directory(&[entry(2, &[BOB], &newer[..1])]);
    let outcome = run(&scene, Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
    assert!(outcome.column("reason").contains(&"vanished".to_owned()), "{:?}", outcome.column("reason"));
    assert!(scene.held(1).is_empty() && !ann.is_empty());
    assert_eq!(scene.held(2).len(), 2);
}

#[test]
fn a_directory_more_or_less_is_another_scope() {
    let (scene, _, _) = scene();
    // without the partner, what only the partner had stays until the operator says that this is meant
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "initial");
    assert!(told(&outcome, Code::EverybodyRead).is_some() && told(&outcome, Code::ScopeChanged).is_some());
    assert_eq!(scene.held(1).len(), 2);
    scene.run(Verb::Sync, r#"{"force":["scope"]}"#).fine();
    assert_eq!(scene.held(1).len(), 1);
    let outcome = run(&scene, Verb::Sync, "").fine();
    assert!(told(&outcome, Code::ScopeChanged).is_some());
    assert_eq!((policy_type(&scene), scene.held(1).len()), ("initial".into(), 2));
}

#[test]
fn one_that_says_nothing_of_changes_is_read_alone_and_a_new_rival_is_met() {
    let scene = Scene::new(&[ANN, BOB, CAT]);
    let ann = [scene.certificate(ANN)];
    scene.directory(&[entry(1, &[ANN], &ann)]);
    scene.export("partner.ldif", &[entry(2, &[BOB], &[])]);
    let mut sections = both();
    sections["directories"][1]["changes"] = json!("none");
    scene.run_with(&sections, Verb::Sync, "").fine();
    assert!(scene.run_with(&sections, Verb::Sync, "").fine().rows.is_empty());
    assert_eq!(policy_type(&scene), "delta");
    // two of the partner's could be Ann, so that nobody knows who the mailbox is
    let twins = [entry(2, &[ANN], &[]), entry(3, &[ANN], &[])];
    scene.export("partner.ldif", &twins);
    let outcome = scene.run_with(&sections, Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
    assert_eq!(outcome.column("reason"), ["ambiguous"; 3], "who changed, and who may have what they hold");
    assert_eq!(scene.held(1), ann);
    sections["directories"][0]["changes"] = json!("none");
    let outcome = scene.run_with(&sections, Verb::Compare, r#"{"policy_type":"delta"}"#).fine();
    assert!(told(&outcome, Code::EverybodyRead).is_some());
}
