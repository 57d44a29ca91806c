//! Runs that look at what changed: they cost that, and miss nothing.

use serde_json::json;
use smimesync::error::Code;
use smimesync::session::{Value, Verb};
use smimesync_tenant::{Fault, FaultKind, Switches};

use crate::scene::{Entry, Outcome, Scene, entry, guid};

const ANN: &str = "ann@x.test";
const BOB: &str = "bob@x.test";
const CAT: &str = "cat@x.test";

fn told(outcome: &Outcome, code: Code) -> Option<&str> {
    outcome.events.iter().find(|(event, _)| *event == code).map(|(_, text)| text.as_str())
}

fn policy_type(scene: &Scene) -> String {
    scene.run(Verb::Runs, r#"{"last":1}"#).fine().column("policy_type").remove(0)
}

#[test]
fn nothing_changed_costs_nothing() {
    let scene = Scene::new(&[ANN, BOB]);
    let both = [scene.certificate(ANN), scene.certificate(BOB)];
    scene.directory(&[entry(1, &[ANN], &both[..1]), entry(2, &[BOB], &both[1..])]);
    assert!(told(&scene.run(Verb::Sync, "").fine(), Code::EverybodyRead).is_none());
    assert_eq!(policy_type(&scene), "initial");
    let before = scene.tenant.requests().len();
    let outcome = scene.run(Verb::Sync, "").fine();
    assert!(outcome.rows.is_empty());
    assert_eq!(policy_type(&scene), "delta");
    assert_eq!(scene.cmdlets(before), ["Get-SmimeConfig"], "nobody was asked for");
    assert_eq!(scene.run(Verb::Sync, r#"{"policy_type":"initial"}"#).fine().column("action"), ["none", "none"]);
    assert_eq!(policy_type(&scene), "initial");
}

#[test]
fn who_changed_is_looked_at_and_nobody_else() {
    let scene = Scene::new(&[ANN, BOB, CAT]);
    let ann = [scene.certificate(ANN)];
    let bob = [scene.certificate(BOB)];
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob), entry(3, &[CAT], &[])]);
    scene.run(Verb::Sync, "").fine();
    let newer = [scene.certificate(BOB), bob[0].clone()];
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &newer), entry(3, &[CAT], &[])]);
    // what only looks leaves the watermark where it is
    for _ in 0..2 {
        let fetched = scene.run(Verb::Fetch, "").fine();
        assert_eq!(fetched.column("identity"), [guid(2)]);
        assert_eq!(scene.run(Verb::Compare, "").fine().column("person"), [guid(2)]);
        assert_eq!(scene.run(Verb::Sync, r#"{"staging":true}"#).fine().column("person"), [guid(2)]);
    }
    let before = scene.tenant.requests().len();
    let outcome = scene.run(Verb::Sync, r#"{"policy_type":"delta"}"#).fine();
    assert_eq!((outcome.column("person"), outcome.column("result")), (vec![guid(2)], vec!["applied".to_owned()]));
    assert_eq!(scene.cmdlets(before), ["Get-SmimeConfig", "Get-Mailbox", "Set-Mailbox", "Get-Mailbox"]);
    assert_eq!(scene.held(2).len(), 2);
    assert!(scene.run(Verb::Fetch, "").fine().rows.is_empty());
    // who is named is looked at in any case
    let named = scene.run(Verb::Compare, &json!({ "identities": [guid(1)] }).to_string()).fine();
    assert_eq!(named.column("action"), ["none"]);
}

#[test]
fn who_is_gone_is_told_and_what_was_written_goes() {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob)]);
    scene.run(Verb::Sync, "").fine();
    // one is absent, the other a tombstone
    scene.directory(&[Entry { deleted: true, ..entry(2, &[], &[]) }]);
    let fetched = scene.run(Verb::Fetch, "").fine();
    assert_eq!(fetched.column("identity"), [guid(1), guid(2)]);
    assert!(fetched.rows.iter().all(|row| row.get("deleted") == Some(&Value::Boolean(true))));
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
    assert_eq!(outcome.column("reason"), ["vanished", "vanished"]);
    assert!(scene.held(1).is_empty() && scene.held(2).is_empty());
    assert!(scene.run(Verb::Sync, "").fine().rows.is_empty());
}

#[test]
fn what_failed_is_tried_again_although_nothing_changed() {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob)]);
    let refuse = |number| {
        let fault = Fault::once(FaultKind::ServerError);
        let fault = Fault { cmdlet: Some("Set-Mailbox".into()), identity: Some(guid(number)), count: 100, ..fault };
        scene.tenant.set_switches(Switches { faults: vec![fault], ..Switches::default() }).unwrap();
    };
    refuse(2);
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(outcome.column("result"), ["applied", "failed"]);
    scene.tenant.set_switches(Switches::default()).unwrap();
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
    assert_eq!((outcome.column("person"), outcome.column("result")), (vec![guid(2)], vec!["applied".to_owned()]));
    assert!(scene.run(Verb::Sync, "").fine().rows.is_empty());
    // and so is what could not be taken away from one who is gone
    scene.directory(&[entry(1, &[ANN], &ann)]);
    refuse(2);
    assert_eq!(scene.run(Verb::Sync, "").fine().column("result"), ["failed"]);
    scene.tenant.set_switches(Switches::default()).unwrap();
    assert_eq!(scene.run(Verb::Sync, "").fine().column("result"), ["applied"]);
    assert!(scene.held(2).is_empty());
}

#[test]
fn policy_trust_and_age_turn_a_delta_into_an_initial_run() {
    let scene = Scene::new(&[ANN]);
    let ann = [scene.certificate(ANN)];
    scene.directory(&[entry(1, &[ANN], &ann)]);
    scene.run(Verb::Sync, "").fine();
    let why = |outcome: &Outcome| told(outcome, Code::EverybodyRead).unwrap().to_owned();
    let policy = json!({ "policy": { "at": "2026-06-01T00:00:00Z", "max_values": 3 } });
    let outcome = scene.run_with(&policy, Verb::Compare, "").fine();
    assert!(why(&outcome).contains("policy") && outcome.rows.len() == 2);
    let asked = scene.run_with(&policy, Verb::Sync, r#"{"policy_type":"delta"}"#).fine();
    assert!(why(&asked).contains("policy"));
    assert_eq!(policy_type(&scene), "initial");
    assert!(scene.run_with(&policy, Verb::Sync, "").fine().rows.is_empty(), "the policy is the watermark's now");
    // the same file name with other content is other trust
    scene.replace_root();
    assert!(why(&scene.run_with(&policy, Verb::Sync, "").fine()).contains("trust"));
    let narrower = json!({ "directory": { "kind": "ldif", "path": "people.ldif", "filter": "(mail=ann@x.test)" } });
    assert!(why(&scene.run_with(&narrower, Verb::Compare, "").fine()).contains("scope"));
    let off = json!({ "directory": { "kind": "ldif", "path": "people.ldif", "changes": "none" } });
    let asked = scene.run_with(&off, Verb::Fetch, r#"{"policy_type":"delta"}"#).fine();
    assert!(why(&asked).contains("directory/changes"));
    assert!(told(&scene.run_with(&off, Verb::Fetch, "").fine(), Code::EverybodyRead).is_none());
}

#[test]
fn what_ends_by_time_alone_falls_due() {
    let scene = Scene::new(&[ANN, BOB]);
    let now = time::OffsetDateTime::now_utc();
    let ann = [scene.certificate_until(ANN, now + time::Duration::seconds(6))];
    let bob = [scene.certificate_until(BOB, now + time::Duration::hours(6))];
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob)]);
    let by_the_clock = json!({ "policy": {} });
    let outcome = scene.run_with(&by_the_clock, Verb::Sync, "").fine();
    assert_eq!(outcome.column("result"), ["applied", "applied"]);
    assert!(scene.run_with(&by_the_clock, Verb::Sync, "").fine().rows.is_empty());
    std::thread::sleep(std::time::Duration::from_secs(7));
    let outcome = scene.run_with(&by_the_clock, Verb::Sync, "").fine();
    assert_eq!((outcome.column("person"), outcome.column("reason")), (vec![guid(1)], vec!["expired".to_owned()]));
    assert!(scene.held(1).is_empty() && scene.held(2) == bob);
}

#[test]
fn a_rival_who_did_not_change_still_is_one() {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob)]);
    scene.run(Verb::Sync, "").fine();
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob), entry(3, &[ANN], &[])]);
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
    assert_eq!((outcome.column("person"), outcome.column("reason")), (vec![guid(3)], vec!["ambiguous".to_owned()]));
    assert_eq!(scene.held(1), ann);
    // once the rival is gone the one left is looked at again
    scene.directory(&[entry(2, &[BOB], &bob), entry(3, &[ANN], &ann)]);
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(outcome.column("action"), ["none"]);
    assert_eq!(scene.held(1), ann);
}

#[test]
fn who_is_left_of_two_rivals_is_looked_at_again() {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &[]), entry(2, &[BOB], &bob), entry(3, &[ANN], &ann)]);
    assert_eq!(scene.run(Verb::Sync, "").fine().column("reason"), ["ambiguous", "ambiguous", ""]);
    assert!(scene.run(Verb::Sync, "").fine().rows.is_empty(), "an unchanged file is not parsed for them");
    scene.directory(&[entry(2, &[BOB], &bob), entry(3, &[ANN], &ann)]);
    scene.run(Verb::Sync, "").fine();
    scene.run(Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
    assert_eq!(scene.held(1), ann);
}

#[test]
fn a_mailbox_that_comes_later_is_found() {
    let scene = Scene::new(&[ANN]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &ann)]);
    scene.run(Verb::Sync, "").fine();
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob)]);
    for _ in 0..2 {
        assert_eq!(scene.run(Verb::Sync, "").fine().column("reason"), ["no_recipient"]);
    }
    scene.add_mailbox(2, BOB);
    assert_eq!(scene.run(Verb::Sync, "").fine().column("result"), ["applied"]);
    assert_eq!(scene.held(2), bob);
    assert!(scene.run(Verb::Sync, "").fine().rows.is_empty());
}

#[test]
fn an_incomplete_delta_adds_and_moves_nothing() {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &[])]);
    scene.run(Verb::Sync, "").fine();
    scene.directory(&[entry(2, &[BOB], &bob)]);
    scene.cut();
    let outcome = scene.run(Verb::Sync, "");
    assert_eq!(outcome.error.as_ref().map(|error| error.code()), Some(Code::DirectoryIncomplete));
    assert_eq!((scene.held(1), scene.held(2)), (ann.to_vec(), bob.to_vec()));
    scene.directory(&[entry(2, &[BOB], &bob)]);
    assert_eq!(scene.run(Verb::Sync, "").fine().column("reason"), ["", "vanished"]);
    assert!(scene.held(1).is_empty());
}
