//! Uploads of authorities whose caller wants no more, that meet another writer, or that nothing answers.

use std::time::Duration;

use serde_json::json;
use smimesync::certificate::SerializedStore;
use smimesync::error::Code;
use smimesync::session::Verb;
use smimesync_tenant::{Fault, FaultKind, When};

use crate::bench::{Bench, drain, run, until};

fn fault(bench: &Bench, cmdlet: &str, count: u32, fault: FaultKind) {
    let cmdlet = Some(cmdlet.to_owned());
    bench.tenant.add_fault(Fault { cmdlet, count, ..Fault::once(fault) }).unwrap();
}

/// How many authorities the tenant has.
fn held(bench: &Bench) -> usize {
    let store = bench.tenant.state().smime_config.smime_certificate_issuing_ca;
    store.map_or(0, |store| SerializedStore::parse(&store).unwrap().entries.len())
}

#[test]
fn cancelling_waits_for_the_write_in_flight() {
    let bench = Bench::new(1);
    fault(&bench, "Set-SmimeConfig", 1, FaultKind::Slow { ms: 500, when: When::Before });
    let session = bench.session(&json!({}));
    let mut cursor = session.start(Verb::Issuers, r#"{"upload":true}"#).unwrap();
    until("the write", || bench.writes() == 1);
    cursor.canceller().cancel();
    let outcome = drain(&mut cursor);
    assert_eq!((outcome.with_result("applied").len(), held(&bench)), (1, 1));
    drop((cursor, session));
    bench.assert_recorded("done", None);
}

#[test]
fn cancelling_ends_a_read_at_once() {
    let bench = Bench::new(1);
    fault(&bench, "Get-SmimeConfig", 1, FaultKind::Slow { ms: 20_000, when: When::Before });
    let session = bench.session(&json!({}));
    let mut cursor = session.start(Verb::Issuers, r#"{"upload":true}"#).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    cursor.canceller().cancel();
    assert_eq!(drain(&mut cursor).failure(), (Code::Cancelled, "cancelled", ""));
    assert_eq!((bench.writes(), held(&bench)), (0, 0));
    drop((cursor, session));
    bench.assert_recorded("cancelled", Some(Code::Cancelled));
}

#[test]
fn it_waits_for_nobody_who_writes() {
    let bench = Bench::new(1);
    bench.fault_on_write(None, 1, FaultKind::Slow { ms: 1500, when: When::Before });
    let first = bench.session(&json!({}));
    let mut cursor = first.start(Verb::Sync, "{}").unwrap();
    until("the first write", || bench.writes() == 1);
    let second = bench.session(&json!({}));
    let refused = run(&second, Verb::Issuers, &json!({ "upload": true }));
    assert_eq!(refused.failure().0, Code::StoreLocked);
    // what only looks is not held up
    assert!(run(&second, Verb::Issuers, &json!({})).error.is_none());
    assert!(drain(&mut cursor).error.is_none());
    assert!(run(&second, Verb::Issuers, &json!({ "upload": true })).error.is_none());
    assert_eq!(held(&bench), 1);
}

#[test]
fn errors_that_pass_are_outlasted_and_others_end_it() {
    let bench = Bench::new(1);
    fault(&bench, "Get-SmimeConfig", 1, FaultKind::ServerError);
    fault(&bench, "Set-SmimeConfig", 1, FaultKind::Throttled { retry_after_s: Some(0), plain_text: false });
    let outcome = bench.run(&json!({}), Verb::Issuers, &json!({ "upload": true }));
    assert!(outcome.error.is_none() && outcome.events.contains(&Code::Retrying), "{:?}", outcome.error);
    assert_eq!(held(&bench), 1);

    let bench = Bench::new(1);
    fault(&bench, "Set-SmimeConfig", 99, FaultKind::Throttled { retry_after_s: Some(0), plain_text: false });
    let outcome = bench.run(&json!({}), Verb::Issuers, &json!({ "upload": true }));
    assert_eq!((outcome.failure().0, outcome.with_result("failed").len()), (Code::ExchangeThrottled, 1));
    bench.assert_recorded("failed", Some(Code::ExchangeThrottled));
    assert!(bench.store().open_issuer_writes().unwrap().is_empty(), "it had no effect for certain");
}

#[test]
fn an_answer_without_a_configuration_is_not_an_empty_one() {
    let bench = Bench::new(1);
    bench.run(&json!({}), Verb::Issuers, &json!({ "upload": true }));
    fault(&bench, "Get-SmimeConfig", 9, FaultKind::EmptyPage);
    for verb in [Verb::Issuers, Verb::Sync, Verb::Coverage] {
        let outcome = bench.run(&json!({}), verb, &json!({}));
        assert_eq!(outcome.failure().0, Code::ExchangeProtocol, "{verb:?}");
    }
    assert_eq!((held(&bench), bench.writes()), (1, 1));
}

#[test]
fn an_outage_ends_a_run_before_anything_is_judged_without() {
    let bench = Bench::new(1);
    fault(&bench, "Get-SmimeConfig", 99, FaultKind::Unavailable { retry_after_s: Some(0) });
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({}));
    assert_eq!((outcome.failure().0, bench.writes()), (Code::ExchangeThrottled, 0));
    bench.assert_recorded("failed", Some(Code::ExchangeThrottled));
}
