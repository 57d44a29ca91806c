//! Runs of many writes: whom they read, and how.

use smimesync_tenant::{RequestEntry, Switches};

use crate::scene::Scene;
use crate::storm::until_done;

/// Of a run for so many people with an answer taking so long: writes, readings of one recipient, requests of lists; what
/// the tenant trusts is read besides.
fn requests(people: usize, latency_ms: u64) -> (usize, usize, usize) {
    requests_of(people, Switches { latency_ms, ..Switches::default() })
}

/// The same of a service that is as the switches say.
fn requests_of(people: usize, switches: Switches) -> (usize, usize, usize) {
    let scene = Scene::of_mailboxes(people);
    let outcome = until_done(&scene, 0, switches);
    assert_eq!(outcome.runs, 1);
    let commands: Vec<_> = outcome.requests.iter().filter(|request| is_about_recipients(request)).collect();
    let writes = commands.iter().filter(|request| request.applied).count();
    let alone = commands.iter().filter(|request| request.identity.is_some() && !request.applied).count();
    (writes, alone, commands.len() - writes - alone)
}

fn is_about_recipients(request: &RequestEntry) -> bool {
    request.cmdlet.as_ref().is_some_and(|cmdlet| cmdlet != "Get-SmimeConfig")
}

#[test]
fn many_writes_are_read_back_by_page() {
    // a list of everybody takes three requests
    assert_eq!(requests(90, 1_000), (90, 0, 6));
}

#[test]
fn a_few_writes_are_read_back_each_at_once() {
    assert_eq!(requests(30, 1_000), (30, 30, 3));
}

#[test]
fn whom_a_long_run_is_about_to_write_it_has_read_again_by_page() {
    // four at a time, a quarter of a minute each: the reading is too old after some seventy
    assert_eq!(requests(90, 15_000), (90, 0, 9));
}

#[test]
fn lists_are_a_fiftieth_of_the_requests_and_only_where_they_are_cheaper() {
    for (people, page_size) in [(2_000, 1_000), (2_000, 100), (2_000, 20), (500, 20), (500, 10), (200, 10), (100, 1)] {
        let switches = Switches { latency_ms: 40, page_size, ..Switches::default() };
        let (writes, alone, of_lists) = requests_of(people, switches);
        // mailboxes, and a page each of mail users and contacts
        let pages = people.div_ceil(page_size) + 2;
        let (by_page, again) = (people > pages * 10, of_lists - pages);
        let case = format!("{people} people by {page_size}: {alone} alone, {again} of lists");
        assert_eq!((writes, alone), (people, if by_page { 0 } else { people }), "{case}");
        assert_eq!(again % pages, 0, "{case}");
        // one list for fifty writes a page, and one for the rest
        assert_eq!(again, if by_page { people.div_ceil(50 * pages) * pages } else { 0 }, "{case}");
        assert!(again + alone <= people, "{case}");
    }
}
