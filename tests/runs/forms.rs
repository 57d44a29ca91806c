//! The form in which a tenant's certificates can be read is known to the next session.

use serde_json::json;
use smimesync::session::Verb;

use crate::scene::{Scene, entry};

const ANN: &str = "ann@x.test";
const BOB: &str = "bob@x.test";

/// Requests to the admin API of a session that compares, and finds both to hold what they should.
fn requests(scene: &Scene) -> usize {
    scene.tenant.reset_log();
    assert_eq!(scene.run(Verb::Compare, r#"{"policy_type":"initial"}"#).fine().column("action"), ["none", "none"]);
    scene.tenant.requests().iter().filter(|request| !request.path.ends_with("/token")).count()
}

#[test]
fn a_second_session_asks_first_in_the_form_that_worked() {
    let scene = Scene::new(&[ANN, BOB]);
    let (ann, bob) = ([scene.certificate(ANN)], [scene.certificate(BOB)]);
    scene.directory(&[entry(1, &[ANN], &ann), entry(2, &[BOB], &bob)]);
    scene.run(Verb::Sync, "").fine();
    // what is trusted, and three pages
    assert_eq!(requests(&scene), 4);
    // nothing but the entities, after CLIXML was tried in vain
    scene.tenant.merge_switches(json!({ "read_back": "type_name", "clixml": false })).unwrap();
    assert_eq!([requests(&scene), requests(&scene), requests(&scene)], [7, 6, 6]);
    // a tenant that has changed: the page in vain (and an entity, which the double does not count), then as the first time
    scene.tenant.merge_switches(json!({ "clixml": true, "typed_mailbox": false })).unwrap();
    assert_eq!([requests(&scene), requests(&scene)], [6, 4]);
    let clixml = |scene: &Scene| scene.tenant.requests().iter().filter(|it| it.response_format.is_some()).count();
    assert_eq!(clixml(&scene), 3);
}
