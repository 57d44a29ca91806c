//! Runs of many writes against a service that allows so many calls a second: how much of that they use.

use smimesync_tenant::{RateLimit, RequestEntry, Switches};

use crate::scene::Scene;
use crate::storm::until_done;

/// Calls that are saved up after a rest.
const BURST: u32 = 10;

/// The share of the calls allowed between the first write and the last one that the writes used where so many are allowed a
/// second, and how many calls were refused.
fn share(people: usize, calls_per_second: u32, switches: Switches) -> (f64, usize) {
    let rate = Some(RateLimit { calls_per_second, burst: BURST });
    let outcome = until_done(&Scene::of_mailboxes(people), 0, Switches { rate, ..switches });
    assert_eq!(outcome.runs, 1);
    let admin: Vec<&RequestEntry> = outcome.requests.iter().filter(|request| request.cmdlet.is_some()).collect();
    let writes: Vec<&&RequestEntry> = admin.iter().filter(|request| request.applied).collect();
    assert_eq!(writes.len(), people);
    let seconds = (writes[people - 1].at_ms - writes[0].at_ms) as f64 / 1000.0;
    let refused = admin.iter().filter(|request| request.status == Some(429)).count();
    (people as f64 / (seconds * f64::from(calls_per_second) + f64::from(BURST)), refused)
}

#[test]
fn writes_use_what_is_allowed() {
    // of two thousand, a list of twenty-two pages comes in between
    for (people, page_size) in [(100, 50), (1_000, 50), (2_000, 100)] {
        let (share, refused) = share(people, 50, Switches { page_size, latency_ms: 40, ..Switches::default() });
        assert!(share >= 0.95, "{people} writes use {:.1} % of what is allowed", share * 100.0);
        assert_eq!(refused, 0, "of {people} writes");
    }
}

#[test]
fn a_rate_that_nobody_states_is_found_out() {
    for (calls_per_second, latency_ms) in [(50, 40), (50, 10), (20, 40), (80, 40), (5, 200)] {
        let silent = Switches { rate_limit_headers: false, latency_ms, ..Switches::default() };
        let (share, refused) = share(2_000, calls_per_second, silent);
        let case = format!("{calls_per_second} a second, {latency_ms} ms: {:.1} %, {refused} refused", share * 100.0);
        assert!(share >= 0.80, "{case}");
        // not more than one call in fifty
        assert!(refused <= 40, "{case}");
    }
}
