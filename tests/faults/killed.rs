//! A host that is killed in the middle of a run: the next run finds out how far it got.

use std::process::{Command, Stdio};

use serde_json::json;
use smimesync::error::Code;
use smimesync::session::{Session, Verb};
use smimesync::store::{RunFilter, RunResult};
use smimesync_tenant::{Fault, FaultKind, When};

use crate::bench::{Bench, run, until};

/// Names the configuration to the process that is to be killed.
const CONFIGURATION: &str = "SMIMESYNC_TEST_CONFIGURATION";

/// Not a test by itself: what the process that is killed does.
#[test]
fn as_the_host_that_is_killed() {
    if let Ok(configuration) = std::env::var(CONFIGURATION) {
        run(&Session::open(&configuration).unwrap(), Verb::Sync, &json!({}));
    }
}

/// Kills a host during its third write, before or after the write has its effect.
fn killed_during_the_third_write(when: When) {
    let bench = Bench::with_expired(4);
    let slow =
        Fault { cmdlet: Some("Set-Mailbox".into()), after: 2, ..Fault::once(FaultKind::Slow { ms: 60_000, when }) };
    bench.tenant.add_fault(slow).unwrap();
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["killed::as_the_host_that_is_killed", "--exact"])
        .env(CONFIGURATION, bench.config(&json!({})))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let third = &bench.people[2];
    until("the third write", || bench.writes() == 3 && (when == When::Before || bench.has_its_values(third)));

    let lock = bench.path("state.db.lock").display().to_string();
    let refused = bench.run(&json!({}), Verb::Sync, &json!({}));
    assert_eq!(refused.failure(), (Code::StoreLocked, "locked", lock.as_str()));
    assert!(refused.error.unwrap().to_string().contains(&format!("process {}", host.id())));

    // SIGKILL: nothing in it can tidy up
    host.kill().unwrap();
    host.wait().unwrap();
    let reached = if when == When::Before { 2 } else { 3 };
    assert_eq!(bench.people.iter().filter(|human| bench.has_its_values(human)).count(), reached);
    let store = bench.store();
    let runs = store.runs(&RunFilter::default()).unwrap();
    assert_eq!(runs.iter().map(|run| run.result).collect::<Vec<_>>(), [Some(RunResult::Interrupted)]);
    let open = store.open_writes().unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].change.recipient, Some(third.recipient()));
    drop(store);

    let converged = bench.sync();
    assert_eq!(converged.with_result("applied").len(), 4 - reached);
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
    bench.assert_recorded("done", None);
    // what the killed run wrote is SmimeSync's own: it goes when its person goes
    let [first, second, _, fourth] = bench.people.as_slice() else { unreachable!() };
    bench.export(&[first.clone(), second.clone(), fourth.clone()]);
    bench.sync();
    assert!(bench.held(third).is_empty());
}

#[test]
fn before_the_write_has_its_effect() {
    killed_during_the_third_write(When::Before);
}

#[test]
fn after_the_write_has_its_effect() {
    killed_during_the_third_write(When::After);
}
