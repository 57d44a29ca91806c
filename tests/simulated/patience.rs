//! Runs in which the service asks for longer waits than one request has patience for.

use smimesync_tenant::{Fault, FaultKind, Switches};

use crate::scene::Scene;
use crate::storm::{Outcome, assert_patience, until_done};

/// Five mailboxes are to be written; the first so many writes are answered by a request to wait so long.
fn refused_writes(count: u32, retry_after_s: u64) -> Outcome {
    let throttled = FaultKind::Throttled { retry_after_s: Some(retry_after_s), plain_text: false };
    let fault = Fault { count, cmdlet: Some("Set-Mailbox".to_owned()), ..Fault::once(throttled) };
    let switches = Switches { faults: vec![fault], latency_ms: 100, ..Switches::default() };
    let outcome = until_done(&Scene::of_mailboxes(5), 0, switches);
    assert_patience(&outcome.events);
    outcome
}

#[test]
fn a_write_given_up_is_read_back_once_the_service_answers_again() {
    // of four writes at once, two waits of ten minutes are more than each has patience for
    let outcome = refused_writes(8, 600);
    assert_eq!((outcome.runs, outcome.open), (2, vec![0, 0]));
    assert_eq!(outcome.requests.iter().filter(|request| request.applied).count(), 5);
}

#[test]
fn where_the_service_wants_more_than_the_run_waits_for_the_next_run_settles_it() {
    let outcome = refused_writes(1, 3_600);
    assert_eq!(outcome.runs, 2);
    assert!(outcome.open[0] > 0 && outcome.open[1] == 0, "{:?}", outcome.open);
    assert_eq!(outcome.requests.iter().filter(|request| request.applied).count(), 5);
}
