//! One writer at a time.

use serde_json::json;
use smimesync::error::Code;
use smimesync::session::Verb;
use smimesync_tenant::{FaultKind, When};

use crate::bench::{Bench, drain, run, until};

#[test]
fn of_two_runs_at_once_the_second_is_refused_and_changes_nothing() {
    let bench = Bench::with_expired(3);
    let lock = bench.path("state.db.lock").display().to_string();
    bench.fault_on_write(None, 1, FaultKind::Slow { ms: 1500, when: When::Before });
    let first = bench.session(&json!({}));
    let mut cursor = first.start(Verb::Sync, "{}").unwrap();
    until("the first write", || bench.writes() == 1);

    let second = bench.session(&json!({}));
    for session in [&first, &second] {
        let refused = run(session, Verb::Sync, &json!({}));
        assert_eq!(refused.failure(), (Code::StoreLocked, "locked", lock.as_str()));
        assert!(refused.error.as_ref().unwrap().is_transient());
        let holder = format!("process {}", std::process::id());
        assert!(refused.error.unwrap().to_string().contains(&holder));
    }
    // what only looks is not held up
    let compared = run(&second, Verb::Compare, &json!({}));
    assert!(compared.error.is_none());

    let outcome = drain(&mut cursor);
    assert!(outcome.error.is_none());
    assert_eq!((outcome.with_result("applied").len(), bench.writes()), (3, 3));
    assert!(run(&second, Verb::Sync, &json!({})).error.is_none(), "the lock is given back");
    drop((first, second));
    bench.assert_recorded("done", None);
}

#[test]
fn two_sessions_that_start_together_write_everything_once() {
    let bench = Bench::with_expired(3);
    let sessions = [bench.session(&json!({})), bench.session(&json!({}))];
    let mut cursors = sessions.each_ref().map(|session| session.start(Verb::Sync, "{}").unwrap());
    let outcomes = cursors.each_mut().map(drain);
    for outcome in &outcomes {
        assert!(outcome.error.as_ref().is_none_or(|error| error.code() == Code::StoreLocked), "{:?}", outcome.error);
    }
    let applied: usize = outcomes.iter().map(|outcome| outcome.with_result("applied").len()).sum();
    assert_eq!((applied, bench.writes()), (3, 3));
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
}
