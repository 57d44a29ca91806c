//! Guards stop a run before its first write, and `force` lifts the named one.

use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};
use smimesync::error::Code;
use smimesync::session::Verb;

use crate::bench::{Bench, Human};

fn stops(bench: &Bench, patch: &Json, guard: &str) {
    let before = bench.tenant.state().recipients;
    let writes = bench.writes();
    let outcome = bench.run(patch, Verb::Sync, &json!({}));
    assert_eq!(outcome.failure(), (Code::GuardStopped, "guard", guard));
    assert_eq!(bench.tenant.state().recipients, before);
    assert_eq!(bench.writes(), writes);
    bench.assert_recorded("stopped", Some(Code::GuardStopped));
    // a staging run tells of it and stops at nothing
    let staged = bench.run(patch, Verb::Compare, &json!({}));
    assert!(staged.error.is_none() && staged.events.contains(&Code::GuardStopped));
    // force for another one lifts nothing
    let other = if guard == "max_clock_skew_ms" { "max_removals" } else { "max_clock_skew_ms" };
    let outcome = bench.run(patch, Verb::Sync, &json!({"force": [other]}));
    assert_eq!(outcome.failure().0, Code::GuardStopped);
    let outcome = bench.run(patch, Verb::Sync, &json!({"force": [guard]}));
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    bench.assert_recorded("done", None);
}

#[test]
fn too_many_removals() {
    let bench = Bench::with_expired(3);
    stops(&bench, &json!({"guard": {"max_removals": 2}}), "max_removals");
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
}

#[test]
fn too_large_a_part_removed() {
    let bench = Bench::with_expired(6);
    stops(&bench, &json!({}), "max_removals_percent");
}

#[test]
fn too_many_people_losing_their_last() {
    let mut bench = Bench::with_expired(2);
    for human in &mut bench.people {
        human.values.clear();
    }
    bench.export(&bench.people);
    stops(&bench, &json!({"guard": {"max_people_losing_last": 1}}), "max_people_losing_last");
    assert!(bench.people.iter().all(|human| bench.held(human).is_empty()));
}

#[test]
fn removals_are_summed_over_runs() {
    let bench = Bench::with_expired(2);
    let patch = json!({"guard": {"max_removals": 1}});
    let of = |human: &Human| json!({"identities": [human.address()]});
    assert!(bench.run(&patch, Verb::Sync, &of(&bench.people[0])).error.is_none());
    let outcome = bench.run(&patch, Verb::Sync, &of(&bench.people[1]));
    assert_eq!(outcome.failure(), (Code::GuardStopped, "guard", "max_removals"));
    assert_eq!(bench.held(&bench.people[1]).len(), 1);
}

#[test]
fn a_shrunken_directory() {
    let bench = Bench::new(12);
    bench.sync();
    bench.export(&bench.people[..6]);
    let patch = json!({"guard": {"max_removals_percent": 100, "max_people_losing_last_percent": 100}});
    stops(&bench, &patch, "max_shrink_percent");
    assert!(bench.people[6..].iter().all(|human| bench.held(human).is_empty()));
}

#[test]
fn a_jump_of_unfit_people() {
    let mut bench = Bench::new(6);
    bench.sync();
    let expired: Vec<_> =
        bench.people.iter().map(|human| bench.authority.issue(&human.address(), 2022, 2024)).collect();
    for (human, value) in bench.people.iter_mut().zip(expired) {
        human.values = vec![value];
    }
    bench.export(&bench.people);
    let patch = json!({"guard": {"max_removals_percent": 100, "max_people_losing_last_percent": 100}});
    stops(&bench, &patch, "max_newly_unfit_percent");
}

#[test]
fn clocks_that_differ() {
    for now in [SystemTime::now() - Duration::from_secs(3600), SystemTime::now() + Duration::from_secs(3600)] {
        let bench = Bench::with_clock(1, now);
        stops(&bench, &json!({}), "max_clock_skew_ms");
        assert!(bench.has_its_values(&bench.people[0]));
    }
}

#[test]
fn a_compared_run_is_guarded_when_it_is_applied() {
    let bench = Bench::with_expired(2);
    let compared = bench.run(&json!({}), Verb::Compare, &json!({}));
    assert!(compared.error.is_none());
    let run = bench.last_run().unwrap().run;
    let patch = json!({"guard": {"max_removals": 1}});
    let outcome = bench.run(&patch, Verb::Sync, &json!({"run": run}));
    assert_eq!(outcome.failure(), (Code::GuardStopped, "guard", "max_removals"));
    assert_eq!(bench.writes(), 0);
    bench.assert_recorded("stopped", Some(Code::GuardStopped));
    let outcome = bench.run(&patch, Verb::Sync, &json!({"run": run, "force": ["max_removals"]}));
    assert!(outcome.error.is_none());
    assert!(bench.people.iter().all(|human| bench.has_its_values(human)));
}
