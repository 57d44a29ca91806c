//! Who is gone from the directory, and who only seems to be.

use serde_json::json;
use smimesync::error::Code;
use smimesync::session::Verb;

use crate::bench::{Bench, text};

#[test]
fn only_what_smimesync_wrote_goes() {
    let bench = Bench::new(4);
    let gone = &bench.people[3];
    let foreign = bench.authority.issue(&gone.address(), 2025, 2031);
    bench.recipient(gone, |recipient| recipient.user_certificate = vec![foreign.clone()]);
    bench.sync();
    assert_eq!(bench.held(gone).len(), 2);
    bench.export(&bench.people[..3]);
    let outcome = bench.sync();
    assert_eq!((text(outcome.of(gone), "reason"), text(outcome.of(gone), "result")), ("vanished", "applied"));
    assert_eq!(bench.held(gone), [foreign]);
    assert!(bench.people[..3].iter().all(|human| bench.has_its_values(human)));
    // and it is over
    assert!(bench.sync().with_result("applied").is_empty());
}

#[test]
fn a_mailbox_nobody_stood_behind_is_left_alone() {
    let bench = Bench::with_expired(3);
    let stranger = &bench.people[2];
    let before = bench.held(stranger);
    bench.export(&bench.people[..2]);
    bench.sync();
    bench.sync();
    assert_eq!(bench.held(stranger), before);
}

#[test]
fn a_selection_makes_nobody_vanish() {
    let bench = Bench::new(3);
    bench.sync();
    for options in [
        json!({"identities": [bench.people[0].address()]}),
        json!({"filter": "(cn=u1)"}),
        json!({"limit": 1}),
        json!({"bases": ["cn=u1,dc=x"]}),
    ] {
        let outcome = bench.run(&json!({}), Verb::Sync, &options);
        assert!(outcome.error.is_none(), "{options}: {:?}", outcome.error);
        assert!(bench.people.iter().all(|human| bench.has_its_values(human)), "{options}");
    }
}

#[test]
fn a_change_of_scope_makes_nobody_vanish_until_it_is_meant() {
    let bench = Bench::new(3);
    bench.sync();
    let writes = bench.writes();
    let narrower = json!({"directory": {"filter": "(cn=u1)"}});
    for _ in 0..2 {
        let outcome = bench.run(&narrower, Verb::Sync, &json!({}));
        assert!(outcome.error.is_none());
        assert!(outcome.events.contains(&Code::ScopeChanged));
        for human in &bench.people[1..] {
            let row = outcome.of(human);
            assert_eq!((text(row, "result"), text(row, "reason")), ("skipped", "scope_changed"));
        }
        assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
    }
    assert_eq!(bench.writes(), writes);
    let outcome = bench.run(&narrower, Verb::Sync, &json!({"force": ["scope"]}));
    assert!(outcome.error.is_none());
    assert!(bench.has_its_values(&bench.people[0]));
    assert!(bench.people[1..].iter().all(|human| bench.held(human).is_empty()));
    // from now on the narrower scope is the scope
    let outcome = bench.run(&narrower, Verb::Sync, &json!({}));
    assert!(outcome.error.is_none() && !outcome.events.contains(&Code::ScopeChanged));
}
