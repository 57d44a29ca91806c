//! Writes that fail, are repeated, or meet a recipient that is not what it was.

use std::time::Duration;

use serde_json::json;
use smimesync::error::Code;
use smimesync::session::Verb;
use smimesync_tenant::{Fault, FaultKind, ReadBack, Switches, When};

use crate::bench::{Bench, drain, error_code, text, until};

#[test]
fn one_that_is_refused_is_a_row_and_the_others_are_written() {
    let bench = Bench::with_expired(3);
    let refused = &bench.people[1];
    bench.fault_on_write(Some(refused), 100, FaultKind::ServerError);
    let outcome = bench.sync();
    let row = outcome.of(refused);
    assert_eq!((text(row, "result"), error_code(row)), ("failed", Some(Code::ExchangeRefused)));
    assert!(!text(row, "error").is_empty());
    assert_eq!(outcome.with_result("applied").len(), 2);
    assert!(!bench.has_its_values(refused));
    bench.assert_recorded("partial", None);
    assert_eq!(bench.last_run().unwrap().counters.failed, 1);
    bench.tenant.set_switches(Switches::default()).unwrap();
    assert_eq!(bench.sync().with_result("applied").len(), 1);
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
}

#[test]
fn a_right_that_is_lost_ends_the_run_instead_of_failing_everybody() {
    let bench = Bench::with_expired(5);
    bench.fault_on_write(None, 100, FaultKind::Forbidden);
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({}));
    let (code, category, target) = outcome.failure();
    assert_eq!((code, category), (Code::ExchangeDenied, "denied"));
    assert!(bench.people.iter().any(|human| human.recipient() == target));
    assert!(bench.writes() < 5);
    assert_eq!(outcome.with_result("failed").len(), bench.writes());
    assert!(!bench.people.iter().any(|human| bench.has_its_values(human)));
    bench.assert_recorded("failed", Some(Code::ExchangeDenied));
}

#[test]
fn a_recipient_mastered_on_premises_is_skipped_and_its_refusal_is_a_row() {
    let bench = Bench::with_expired(2);
    bench.recipient(&bench.people[0], |recipient| recipient.is_dir_synced = true);
    let before = bench.held(&bench.people[0]);
    let outcome = bench.sync();
    let row = outcome.of(&bench.people[0]);
    assert_eq!((text(row, "result"), text(row, "reason")), ("skipped", "dir_synced"));
    bench.assert_recorded("done", None);
    let patch = json!({"policy": {"write_dir_synced": true}});
    let outcome = bench.run(&patch, Verb::Sync, &json!({}));
    assert!(outcome.error.is_none());
    let row = outcome.of(&bench.people[0]);
    assert_eq!((text(row, "result"), error_code(row)), ("failed", Some(Code::ExchangeDirSynced)));
    assert_eq!(bench.held(&bench.people[0]), before);
    bench.assert_recorded("partial", None);
}

#[test]
fn one_refusal_of_what_is_mastered_on_premises_speaks_for_the_others() {
    let bench = Bench::new(9);
    for human in &bench.people[..8] {
        bench.recipient(human, |recipient| recipient.is_dir_synced = true);
    }
    let patch = json!({"policy": {"write_dir_synced": true}, "exchange": {"concurrency": 2}});
    let outcome = bench.run(&patch, Verb::Sync, &json!({}));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    // those that were under way together are refused, nobody else is asked for
    let refused = outcome.with_result("failed");
    assert!((1..=2).contains(&refused.len()) && bench.writes() == refused.len() + 1, "{} writes", bench.writes());
    assert!(refused.iter().all(|row| error_code(row) == Some(Code::ExchangeDirSynced)));
    let skipped = outcome.with_result("skipped");
    assert_eq!((skipped.len(), outcome.with_result("applied").len()), (8 - refused.len(), 1));
    assert!(skipped.iter().all(|row| text(row, "reason") == "dir_synced"));
    bench.assert_recorded("partial", None);
}

#[test]
fn a_connection_that_breaks_before_or_after_the_effect_is_made_good() {
    let bench = Bench::with_expired(2);
    bench.fault_on_write(Some(&bench.people[0]), 1, FaultKind::Reset { when: When::Before });
    bench.fault_on_write(Some(&bench.people[1]), 1, FaultKind::Reset { when: When::After });
    let outcome = bench.run(&json!({"exchange": {"concurrency": 2}}), Verb::Sync, &json!({}));
    assert!(outcome.error.is_none());
    assert_eq!((outcome.with_result("applied").len(), bench.writes()), (2, 4));
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
    bench.assert_recorded("done", None);
}

#[test]
fn a_write_without_any_answer_is_judged_by_what_is_there_afterwards() {
    let bench = Bench::with_expired(2);
    // the answer comes too late every time, and one of the two had its effect
    let late = |when| FaultKind::Slow { ms: 3000, when };
    bench.fault_on_write(Some(&bench.people[0]), 10, late(When::After));
    let outcome = bench.run(&json!({"exchange": {"timeout_ms": 700}}), Verb::Sync, &json!({}));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert_eq!(outcome.with_result("applied").len(), 2);
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
    bench.assert_recorded("done", None);
}

#[test]
fn an_answer_that_is_never_whole_is_judged_by_what_is_there_afterwards() {
    let bench = Bench::with_expired(1);
    bench.fault_on_write(None, 100, FaultKind::TruncatedJson);
    assert_eq!(bench.sync().with_result("applied").len(), 1);
    assert!(bench.has_its_values(&bench.people[0]));
    bench.assert_recorded("done", None);
}

#[test]
fn throttling_is_waited_for() {
    let bench = Bench::with_expired(2);
    bench.fault_on_write(None, 2, FaultKind::Throttled { retry_after_s: Some(1), plain_text: false });
    bench.fault_on_write(None, 1, FaultKind::Throttled { retry_after_s: Some(0), plain_text: true });
    let outcome = bench.sync();
    assert_eq!((outcome.with_result("applied").len(), bench.writes()), (2, 5));
    bench.assert_recorded("done", None);
}

#[test]
fn throttling_beyond_all_patience_ends_the_run_with_the_wait_asked_for() {
    let bench = Bench::with_expired(4);
    bench.fault_on_write(None, 100, FaultKind::Throttled { retry_after_s: Some(86_400), plain_text: false });
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({}));
    assert_eq!((outcome.failure().0, outcome.failure().1), (Code::ExchangeThrottled, "throttled"));
    assert_eq!(outcome.error.as_ref().unwrap().get_retry_after_ms(), Some(86_400_000));
    assert!(bench.writes() < 4);
    assert!(!bench.people.iter().any(|human| bench.has_its_values(human)));
    assert_eq!(bench.last_run().unwrap().error.unwrap().code, Code::ExchangeThrottled.number());
    // while the wait runs nothing is asked, not even what became of the write: the next run looks
    assert_eq!(bench.store().open_writes().unwrap().len(), 1);
    bench.tenant.set_switches(Switches::default()).unwrap();
    assert_eq!(bench.sync().with_result("applied").len(), 4);
    bench.assert_recorded("done", None);
}

#[test]
fn a_recipient_whose_write_keeps_failing_is_a_row_and_the_run_goes_on() {
    let bench = Bench::with_expired(3);
    let human = &bench.people[1];
    bench.fault_on_write(Some(human), 100, FaultKind::Throttled { retry_after_s: Some(0), plain_text: false });
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({}));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    let row = outcome.of(human);
    assert_eq!((text(row, "result"), error_code(row)), ("failed", Some(Code::ExchangeThrottled)));
    assert_eq!(outcome.with_result("applied").len(), 2);
    assert!(outcome.events.contains(&Code::Retrying));
    bench.assert_recorded("partial", None);
}

#[test]
fn an_outage_ends_the_run() {
    let bench = Bench::new(8);
    bench.fault_on_write(None, 1000, FaultKind::Throttled { retry_after_s: Some(0), plain_text: false });
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({}));
    assert_eq!(outcome.failure().0, Code::ExchangeThrottled);
    // three recipients with six tries each
    assert_eq!((outcome.with_result("failed").len(), bench.writes()), (3, 18));
    bench.assert_recorded("failed", Some(Code::ExchangeThrottled));
}

#[test]
fn waiting_is_told_and_counted() {
    let bench = Bench::with_expired(1);
    bench.fault_on_write(None, 1, FaultKind::Throttled { retry_after_s: Some(1), plain_text: false });
    let session = bench.session(&json!({"log": {"file": "run.log"}}));
    let mut cursor = session.start(Verb::Sync, "{}").unwrap();
    let outcome = drain(&mut cursor);
    assert!(outcome.error.is_none() && outcome.events.contains(&Code::Retrying));
    assert_eq!(cursor.progress().view().waiting_ms, 1000);
    let log = std::fs::read_to_string(bench.path("run.log")).unwrap();
    let line = log.lines().find(|line| line.contains(" -806 ")).unwrap();
    assert!(line.contains("trying again in 1000 ms: Exchange Online asks to wait"), "{line}");
    for id in [format!(" target={}", bench.people[0].recipient()), " request=".to_owned(), " connection=".to_owned()] {
        assert!(line.contains(&id), "{id} in {line}");
    }
}

#[test]
fn many_writes_are_read_back_by_page() {
    let bench = Bench::new(31);
    assert_eq!(bench.sync().with_result("applied").len(), 31);
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
    let requests = bench.tenant.requests();
    let alone = requests.iter().filter(|request| request.identity.is_some() && !request.applied).count();
    let is_list = |cmdlet: &String| cmdlet != "Get-SmimeConfig";
    let lists = requests.iter().filter(|it| it.cmdlet.as_ref().is_some_and(is_list) && it.identity.is_none()).count();
    assert_eq!((bench.writes(), alone, lists), (31, 0, 6));
    bench.assert_recorded("done", None);
}

#[test]
fn every_form_of_reading_back_is_understood() {
    for read_back in [ReadBack::Base64, ReadBack::TypeName, ReadBack::Data, ReadBack::ClixmlOnly] {
        let bench = Bench::with_expired(2);
        bench.tenant.set_switches(Switches { read_back, ..Switches::default() }).unwrap();
        assert_eq!(bench.sync().with_result("applied").len(), 2, "{read_back:?}");
        assert!(bench.people.iter().all(|human| bench.has_its_values(human)), "{read_back:?}");
        assert!(bench.sync().with_result("applied").is_empty(), "{read_back:?}");
        bench.assert_recorded("done", None);
    }
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let bench = Bench::with_expired(2);
    let switches =
        Switches { read_back: ReadBack::TypeName, clixml: false, typed_mailbox: false, ..Switches::default() };
    bench.tenant.set_switches(switches).unwrap();
    let before = bench.tenant.state().recipients;
    let outcome = bench.sync();
    for human in &bench.people {
        assert_eq!(text(outcome.of(human), "reason"), "unreadable");
    }
    assert_eq!((bench.tenant.state().recipients, bench.writes()), (before, 0));
}

#[test]
fn a_recipient_that_changes_during_the_run_is_planned_anew() {
    let bench = Bench::with_expired(1);
    let human = &bench.people[0];
    let another = bench.authority.issue(&human.address(), 2025, 2031);
    let reread = Fault {
        cmdlet: Some("Get-Mailbox".into()),
        identity: Some(human.recipient()),
        ..Fault::once(FaultKind::Slow { ms: 1000, when: When::Before })
    };
    bench.tenant.add_fault(reread).unwrap();
    let session = bench.session(&json!({}));
    let mut cursor = session.start(Verb::Sync, "{}").unwrap();
    let is_reread = || bench.tenant.requests().iter().any(|request| request.identity == Some(human.recipient()));
    until("the second reading", is_reread);
    bench.recipient(human, |recipient| recipient.user_certificate.push(another.clone()));
    let outcome = drain(&mut cursor);
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    assert!(outcome.events.contains(&Code::PlannedAnew));
    assert_eq!(text(outcome.of(human), "result"), "applied");
    let held = bench.held(human);
    assert!(
        held.contains(&another) && held.contains(&human.values[0]) && held.len() == 2,
        "somebody else's value went"
    );
    drop((cursor, session));
    bench.assert_recorded("done", None);
}

#[test]
fn chosen_changes_are_refused_where_the_recipient_is_another() {
    let bench = Bench::with_expired(2);
    assert!(bench.run(&json!({}), Verb::Compare, &json!({})).error.is_none());
    let run = bench.last_run().unwrap().run;
    let human = &bench.people[0];
    let another = bench.authority.issue(&human.address(), 2025, 2031);
    bench.recipient(human, |recipient| recipient.user_certificate = vec![another.clone()]);
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({"run": run}));
    assert!(outcome.error.is_none());
    let row = outcome.of(human);
    assert_eq!((text(row, "result"), error_code(row)), ("failed", Some(Code::ChangeStale)));
    assert_eq!(bench.held(human), [another]);
    assert!(bench.has_its_values(&bench.people[1]));
    bench.assert_recorded("partial", None);
}

#[test]
fn a_recipient_that_is_gone_at_the_write_is_a_row() {
    let bench = Bench::with_expired(2);
    assert!(bench.run(&json!({}), Verb::Compare, &json!({})).error.is_none());
    let run = bench.last_run().unwrap().run;
    let mut state = bench.tenant.state();
    state.recipients.remove(0);
    bench.tenant.set_state(state).unwrap();
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({"run": run}));
    assert!(outcome.error.is_none());
    assert_eq!(error_code(outcome.of(&bench.people[0])), Some(Code::ExchangeNotFound));
    assert!(bench.has_its_values(&bench.people[1]));
    bench.assert_recorded("partial", None);
}

#[test]
fn a_token_that_expires_between_two_writes_ends_the_run_there() {
    let bench = Bench::with_expired(4);
    let expires = Fault { cmdlet: Some("Set-Mailbox".into()), after: 2, ..Fault::once(FaultKind::TokenExpired) };
    bench.tenant.add_fault(expires).unwrap();
    let patch = json!({"exchange": {"auth": {"method": "token", "token": bench.token()}}});
    let outcome = bench.run(&patch, Verb::Sync, &json!({}));
    assert_eq!((outcome.failure().0, outcome.failure().1), (Code::ExchangeAuth, "auth"));
    let published = bench.people.iter().filter(|human| bench.has_its_values(human)).count();
    assert_eq!((outcome.with_result("applied").len(), outcome.with_result("failed").len(), published), (2, 1, 2));
    bench.assert_recorded("failed", Some(Code::ExchangeAuth));
    assert_eq!(bench.sync().with_result("applied").len(), 2);
}

#[test]
fn a_write_that_cannot_be_read_back_is_settled_by_the_next_run() {
    let bench = Bench::with_expired(1);
    let human = &bench.people[0];
    // the first reading is the one before the write
    let denied = Fault {
        cmdlet: Some("Get-Mailbox".into()),
        identity: Some(human.recipient()),
        after: 1,
        ..Fault::once(FaultKind::Forbidden)
    };
    bench.tenant.add_fault(denied).unwrap();
    let outcome = bench.run(&json!({}), Verb::Sync, &json!({}));
    assert_eq!((outcome.failure().0, text(outcome.of(human), "result")), (Code::ExchangeDenied, "failed"));
    assert!(bench.has_its_values(human));
    assert_eq!(bench.store().open_writes().unwrap().len(), 1);
    assert!(bench.sync().with_result("applied").is_empty());
    bench.assert_recorded("done", None);
    // it was SmimeSync who wrote it
    bench.export(&[]);
    let outcome = bench.sync();
    assert_eq!(text(outcome.of(human), "reason"), "vanished");
    assert!(bench.held(human).is_empty());
}

#[test]
fn a_store_that_fails_ends_the_run_before_the_next_write() {
    let bench = Bench::with_expired(4);
    bench.fault_on_write(None, 100, FaultKind::Slow { ms: 300, when: When::Before });
    let session = bench.session(&json!({}));
    let mut cursor = session.start(Verb::Sync, "{}").unwrap();
    until("the first write", || bench.writes() == 1);
    let store = rusqlite::Connection::open(bench.path("state.db")).unwrap();
    store.execute_batch("DROP TABLE journal").unwrap();
    let outcome = drain(&mut cursor);
    let path = bench.path("state.db").display().to_string();
    assert_eq!(outcome.failure(), (Code::StoreFailed, "store", path.as_str()));
    assert_eq!((bench.writes(), outcome.with_result("failed").len()), (1, 1));
}

#[test]
fn a_store_that_another_process_keeps_ends_the_run_before_the_next_write() {
    let bench = Bench::with_expired(3);
    bench.fault_on_write(None, 100, FaultKind::Slow { ms: 300, when: When::Before });
    let session = bench.session(&json!({}));
    let mut cursor = session.start(Verb::Sync, "{}").unwrap();
    until("the first write", || bench.writes() == 1);
    let store = rusqlite::Connection::open(bench.path("state.db")).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    // longer than the store waits for its turn
    std::thread::sleep(Duration::from_secs(12));
    drop(store);
    let outcome = drain(&mut cursor);
    let path = bench.path("state.db").display().to_string();
    assert_eq!(outcome.failure(), (Code::StoreLocked, "locked", path.as_str()));
    assert_eq!(bench.writes(), 1);
    drop((cursor, session));
    assert_eq!(bench.last_run().unwrap().error.unwrap().code, Code::StoreLocked.number());
    // the write in flight is settled by the next run
    assert_eq!(bench.sync().with_result("applied").len(), 2);
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
    bench.assert_recorded("done", None);
}
