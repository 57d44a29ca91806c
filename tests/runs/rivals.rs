//! A recipient that more than one person could stand behind is nobody's.

use smimesync::session::Verb;

use crate::scene::{Entry, Scene, entry, guid};

const ANN: &str = "ann@x.test";
const BOB: &str = "bob@x.test";

#[test]
fn a_selection_hides_no_rival() {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob), entry(3, &["other@x.test", ANN], &[])]);
    let by_filter = format!(r#"{{"filter":"(entryUUID={})"}}"#, guid(1));
    for options in [format!(r#"{{"identities":["{}"]}}"#, guid(1)), r#"{"limit":1}"#.into(), by_filter] {
        let outcome = scene.run(Verb::Sync, &options).fine();
        assert_eq!(outcome.column("reason"), ["ambiguous"], "{options}");
    }
    assert!(scene.held(1).is_empty());
    let outcome = scene.run(Verb::Sync, &format!(r#"{{"identities":["{BOB}"]}}"#)).fine();
    assert_eq!(outcome.column("result"), ["applied"]);
    assert_eq!(scene.held(2), bob);
}

#[test]
fn a_tombstone_stands_behind_nothing_and_leaves_what_was_written_to_go() {
    let scene = Scene::new(&[ANN, BOB]);
    let ann = [scene.certificate(ANN)];
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &[])]);
    scene.run(Verb::Sync, "").fine();
    assert_eq!(scene.held(1), ann);
    scene.directory(&[Entry { deleted: true, ..entry(1, &[ANN], &ann) }, entry(2, &[BOB], &[])]);
    // a part of the people says nothing of who stands behind a recipient now
    let outcome = scene.run(Verb::Sync, &format!(r#"{{"identities":["{}"]}}"#, guid(1))).fine();
    assert_eq!((outcome.column("action"), outcome.column("reason")), (vec!["skip".into()], vec!["vanished".into()]));
    assert_eq!(scene.held(1), ann);
    scene.run(Verb::Sync, "").fine();
    assert!(scene.held(1).is_empty());
}

#[test]
fn a_deleted_person_is_no_rival_of_the_one_who_came_after() {
    let scene = Scene::new(&[ANN]);
    let (old, new) = ([scene.certificate(ANN)], [scene.certificate(ANN)]);
    scene.directory(&[Entry { deleted: true, ..entry(1, &[ANN], &old) }, entry(2, &[ANN], &new)]);
    scene.run(Verb::Sync, "").fine();
    assert_eq!(scene.held(1), new);
}

#[test]
fn what_a_vanished_person_left_stays_while_two_others_claim_it() {
    let scene = Scene::new(&[ANN, BOB]);
    let ann = [scene.certificate(ANN)];
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &[])]);
    scene.run(Verb::Sync, "").fine();
    // made anew with another identity, and an old entry that has the address, too
    let others = [entry(3, &[ANN], &ann), entry(4, &["old@x.test", ANN], &[]), entry(2, &[BOB], &[])];
    scene.directory(&others);
    for _ in 0..2 {
        let outcome = scene.run(Verb::Sync, "").fine();
        assert_eq!(outcome.column("reason"), ["ambiguous", "ambiguous"]);
        assert_eq!(scene.held(1), ann);
    }
    // nobody is left: what was written goes, because who left it stayed known
    scene.directory(&[entry(2, &[BOB], &[])]);
    scene.run(Verb::Sync, "").fine();
    assert!(scene.held(1).is_empty());
}

#[test]
fn two_entries_with_one_identity_take_nothing_away() {
    let scene = Scene::new(&[ANN]);
    let ann = [scene.certificate(ANN)];
    scene.directory(&[entry(1, &[ANN], &ann)]);
    scene.run(Verb::Sync, "").fine();
    scene.directory(&[entry(1, &[ANN], &[]), entry(1, &[], &ann)]);
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(outcome.column("reason"), ["ambiguous", "ambiguous"]);
    assert_eq!(scene.held(1), ann);
}

#[test]
fn an_incomplete_read_gives_nothing_to_whom_it_may_not_belong() {
    let scene = Scene::new(&[ANN, BOB]);
    let ann = [scene.certificate(ANN)];
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &[])]);
    scene.run(Verb::Sync, "").fine();
    // whoever has Ann's address now, Ann herself was not reached
    let other = [scene.certificate(ANN)];
    scene.directory(&[entry(9, &[ANN], &other)]);
    scene.cut();
    let outcome = scene.run(Verb::Sync, "");
    assert_eq!(outcome.error.as_ref().map(|error| error.category().name()), Some("directory_incomplete"));
    assert_eq!(outcome.column("reason"), ["ambiguous"]);
    assert_eq!(scene.held(1), ann);
}
