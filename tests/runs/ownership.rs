//! What SmimeSync wrote stays its own, whatever became of the write.

use std::time::{Duration, Instant};

use serde_json::json;
use smimesync::session::Verb;

use crate::scene::{Scene, entry, guid};

const ANN: &str = "ann@x.test";

#[test]
fn a_value_that_was_read_back_too_early_is_known_as_written_later() {
    let scene = Scene::new(&[ANN]);
    let ann = [scene.certificate(ANN)];
    scene.directory(&[entry(1, &[ANN], &ann)]);
    let slow =
        json!({ "fault": { "slow": { "ms": 1500, "when": "before" } }, "cmdlet": "Get-Mailbox", "identity": guid(1) });
    scene.tenant.add_fault(serde_json::from_value(slow).unwrap()).unwrap();
    let outcome = std::thread::scope(|scope| {
        let run = scope.spawn(|| scene.run(Verb::Sync, ""));
        let started = Instant::now();
        while scene.held(1).is_empty() {
            assert!(started.elapsed() < Duration::from_secs(20), "nothing was written");
            std::thread::sleep(Duration::from_millis(10));
        }
        // the server that is read from has not heard of the write yet
        scene.hold(1, &[]);
        run.join().unwrap()
    });
    assert_eq!(outcome.fine().column("result"), ["failed"]);
    scene.hold(1, &ann);
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(outcome.column("action"), ["none"]);
    // what is ours goes when the directory no longer has it; what is foreign would stay
    scene.directory(&[entry(1, &[ANN], &[])]);
    scene.run(Verb::Sync, "").fine();
    assert!(scene.held(1).is_empty());
}
