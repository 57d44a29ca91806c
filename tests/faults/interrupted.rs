//! Runs whose caller wants no more: cancelled, let go of, or closed.

use std::time::{Duration, Instant};

use serde_json::json;
use smimesync::error::Code;
use smimesync::session::{Step, Verb};
use smimesync_tenant::{Fault, FaultKind, When};

use crate::bench::{Bench, drain, text, until};

/// Every write takes its time.
fn slow(bench: &Bench) {
    bench.fault_on_write(None, 100, FaultKind::Slow { ms: 200, when: When::Before });
}

fn published(bench: &Bench) -> usize {
    bench.people.iter().filter(|human| bench.has_its_values(human)).count()
}

/// The run ended in the middle, says so, and what it wrote is what it recorded; the next one does the rest.
fn ended_in_the_middle(bench: &Bench) {
    let count = published(bench);
    assert!(count > 0 && count < bench.people.len(), "{count} of {}", bench.people.len());
    bench.assert_recorded("cancelled", Some(Code::Cancelled));
    assert_eq!(bench.last_run().unwrap().counters.written, count as u64);
    bench.tenant.merge_switches(json!({"faults": null})).unwrap();
    let rest = bench.sync();
    assert_eq!(rest.with_result("applied").len(), bench.people.len() - count);
    assert_eq!((published(bench), bench.writes()), (bench.people.len(), bench.people.len()));
}

#[test]
fn cancelling_ends_it_after_the_write_in_flight() {
    let bench = Bench::with_expired(5);
    slow(&bench);
    let session = bench.session(&json!({}));
    let mut cursor = session.start(Verb::Sync, "{}").unwrap();
    loop {
        assert_eq!(cursor.next(Duration::from_secs(20)).unwrap(), Step::Row);
        if text(cursor.row().unwrap(), "result") == "applied" {
            break;
        }
    }
    cursor.canceller().cancel();
    let rest = drain(&mut cursor);
    assert_eq!(rest.failure(), (Code::Cancelled, "cancelled", ""));
    assert_eq!(1 + rest.with_result("applied").len(), published(&bench), "a row for each write");
    // the end stays what it is
    assert_eq!(cursor.next(Duration::ZERO).unwrap_err().code(), Code::Cancelled);
    drop((cursor, session));
    ended_in_the_middle(&bench);
}

#[test]
fn cancelling_ends_a_read_at_once() {
    let bench = Bench::with_expired(2);
    let listing = Fault::once(FaultKind::Slow { ms: 20_000, when: When::Before });
    bench.tenant.add_fault(listing).unwrap();
    let session = bench.session(&json!({}));
    let mut cursor = session.start(Verb::Sync, "{}").unwrap();
    until("the listing", || bench.tenant.requests().iter().any(|request| request.cmdlet.is_some()));
    let started = Instant::now();
    cursor.canceller().cancel();
    assert_eq!(drain(&mut cursor).failure().0, Code::Cancelled);
    drop((cursor, session));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(bench.writes(), 0);
    bench.assert_recorded("cancelled", Some(Code::Cancelled));
}

#[test]
fn letting_go_of_a_cursor_ends_its_run() {
    let bench = Bench::new(6);
    slow(&bench);
    let session = bench.session(&json!({}));
    let cursor = session.start(Verb::Sync, "{}").unwrap();
    until("the second write", || bench.writes() == 2);
    drop(cursor);
    drop(session);
    ended_in_the_middle(&bench);
}

#[test]
fn closing_the_session_ends_its_runs_and_leaves_their_cursors_usable() {
    let bench = Bench::new(6);
    slow(&bench);
    let session = bench.session(&json!({}));
    let mut cursor = session.start(Verb::Sync, "{}").unwrap();
    let mut looking = session.start(Verb::Compare, "{}").unwrap();
    until("the second write", || bench.writes() == 2);
    let started = Instant::now();
    drop(session);
    assert!(started.elapsed() < Duration::from_secs(5));
    let outcome = drain(&mut cursor);
    assert_eq!(outcome.failure().0, Code::Cancelled);
    assert_eq!(outcome.with_result("applied").len(), published(&bench));
    let looked = drain(&mut looking);
    assert!(looked.error.is_none_or(|error| error.code() == Code::Cancelled));
    drop((cursor, looking));
    let runs = bench.store().runs(&smimesync::store::RunFilter::default()).unwrap();
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.ended_ms.is_some()));
    assert!(bench.store().open_writes().unwrap().is_empty());
    let count = published(&bench);
    assert!(count > 0 && count < bench.people.len());
}

#[test]
fn rows_nobody_fetches_hold_up_nothing() {
    // more rows than may wait for their caller
    let bench = Bench::new(300);
    let session = bench.session(&json!({"exchange": {"concurrency": 16}}));
    let (compared, fetched) = (session.start(Verb::Compare, "{}").unwrap(), session.start(Verb::Sync, "{}").unwrap());
    until("the first writes", || bench.writes() > 20);
    let started = Instant::now();
    drop(session);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    drop((compared, fetched));
    let runs = bench.store().runs(&smimesync::store::RunFilter::default()).unwrap();
    assert!(runs.len() == 2 && runs.iter().all(|run| run.ended_ms.is_some()));
    assert!(bench.store().open_writes().unwrap().is_empty());
}
