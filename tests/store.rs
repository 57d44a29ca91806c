//! The store: what it keeps, what survives a death, who may have it.

#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use smimesync::certificate::{Attribute, Sha256};
use smimesync::config::{self, Config};
use smimesync::error::{Code, Error};
use smimesync::people::{Person, PersonKind, RawValue};
use smimesync::planning::{Action, Change, Item, Plan};
use smimesync::store::{
    ChangeFilter, ChangeResult, Counters, DirectoryRead, FetchKey, Fetched, JournalState, NewRun, PersonDigest,
    PolicyType, RunFilter, RunResult, SeenPerson, SettingValue, Spool, Store, StoredError, WriteEnd,
};
use smimesync::text::Culture;
use smimesync::validation::Fitness;
use tempfile::TempDir;

const UC: Attribute = Attribute::UserCertificate;
const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 86_400_000;
/// Tells a child process of these tests what to do; see [`as_another_process`].
const ROLE: &str = "SMIMESYNC_TEST_ROLE";
const STORE: &str = "SMIMESYNC_TEST_STORE";

fn open(folder: &TempDir) -> Store {
    Store::open(&folder.path().join("state.db"), NOW).unwrap()
}

fn begin(store: &Store, verb: &str, started_ms: i64) -> i64 {
    let run = NewRun { verb, policy_type: PolicyType::Delta, staging: false, scope: "s", policy_hash: "p", started_ms };
    store.begin_run(&run).unwrap()
}

fn raw(text: &str) -> RawValue {
    RawValue::new(UC, text.as_bytes())
}

fn item(text: &str, reason: Option<&'static str>) -> Item {
    Item {
        sha256: Sha256::of(text.as_bytes()),
        thumbprint: Some("AB".into()),
        subject: Some("CN=Ann \"A\"".into()),
        not_after_ms: Some(-5),
        reason: reason.map(Into::into),
    }
}

fn named(identity: &str) -> Person {
    Person {
        identity: identity.into(),
        distinguished_name: String::new(),
        kind: PersonKind::User,
        display_name: None,
        user_principal_name: None,
        addresses: Vec::new(),
        source_anchor: None,
        enabled: None,
        deleted: false,
        values: Vec::new(),
        complete: true,
        problems: Vec::new(),
    }
}

/// A change of a recipient that drops `old` for `new`.
fn change(number: u32, recipient: &str) -> Change {
    Change {
        number,
        person: Some(format!("person of {recipient}")),
        recipient: Some(recipient.into()),
        directory: None,
        primary_smtp_address: Some(format!("{recipient}@x.test")),
        attribute: Some(UC),
        action: Action::Set,
        before: vec![raw("old"), raw("kept")],
        after: vec![raw("new"), raw("kept")],
        added: vec![item("new", None)],
        removed: vec![item("old", Some("expired"))],
        losers: vec![Item {
            thumbprint: None,
            subject: None,
            not_after_ms: None,
            ..item("garbage", Some("undetermined"))
        }],
        reason: Some("expired".into()),
        loses_last: false,
    }
}

#[test]
fn the_error_that_ended_a_run_names_what_it_is_about() {
    let missing = Error::new(Code::FileNotFound).target("people.ldif");
    let stored = StoredError::of_run(&missing, Culture::default());
    assert_eq!((stored.code, stored.message.as_str()), (missing.code().number(), "people.ldif: no such file"));
    let locked = Error::new(Code::StoreLocked);
    assert_eq!(StoredError::of_run(&locked, Culture::default()), StoredError::new(&locked, Culture::default()));
}

fn failure() -> StoredError {
    StoredError { code: -305, message: "denied".into() }
}

fn of_run(run: i64) -> ChangeFilter {
    ChangeFilter { runs: RunFilter { run: Some(run), ..RunFilter::default() }, ..ChangeFilter::default() }
}

#[test]
fn changes_come_back_as_they_went_in() {
    let folder = TempDir::new().unwrap();
    let skipped = Change {
        number: 2,
        recipient: None,
        attribute: None,
        action: Action::Skip,
        before: Vec::new(),
        after: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
        losers: Vec::new(),
        reason: Some("no_recipient".into()),
        ..change(2, "x")
    };
    let changes = [change(1, "r"), skipped];
    let run = {
        let store = open(&folder);
        let run = begin(&store, "compare", NOW);
        store.record_changes(run, changes.iter().map(|change| (change, ChangeResult::Planned))).unwrap();
        store.finish_change(run, 2, ChangeResult::Failed, Some(&failure())).unwrap();
        run
    };
    let found = open(&folder).changes(&of_run(run)).unwrap();
    assert_eq!(found.iter().map(|stored| stored.change.clone()).collect::<Vec<_>>(), changes);
    assert_eq!(
        found.iter().map(|stored| stored.result).collect::<Vec<_>>(),
        [ChangeResult::Planned, ChangeResult::Failed]
    );
    assert_eq!(found[1].error, Some(failure()));
}

#[test]
fn changes_are_found_by_run_number_and_identity() {
    let store = Store::in_memory().unwrap();
    let (first, second) = (begin(&store, "sync", NOW), begin(&store, "sync", NOW + DAY));
    for run in [first, second] {
        let rows = [change(1, "ann"), change(2, "bob")];
        store.record_changes(run, rows.iter().map(|change| (change, ChangeResult::Planned))).unwrap();
    }
    let find = |filter: ChangeFilter| -> Vec<(i64, u32)> {
        store.changes(&filter).unwrap().iter().map(|stored| (stored.run, stored.change.number)).collect()
    };
    let all = ChangeFilter::default();
    assert_eq!(find(all.clone()), [(second, 1), (second, 2), (first, 1), (first, 2)]);
    assert_eq!(find(ChangeFilter { numbers: vec![2], ..of_run(first) }), [(first, 2)]);
    for identity in ["ANN", "person of ann", "Ann@X.test"] {
        assert_eq!(find(ChangeFilter { identities: vec![identity.into()], ..all.clone() }), [(second, 1), (first, 1)]);
    }
    let last = RunFilter { last: Some(1), ..RunFilter::default() };
    assert_eq!(find(ChangeFilter { runs: last, ..all.clone() }), [(second, 1), (second, 2)]);
    let until = RunFilter { since_ms: Some(NOW), until_ms: Some(NOW + 1), ..RunFilter::default() };
    assert_eq!(find(ChangeFilter { runs: until, ..all }), [(first, 1), (first, 2)]);

    let error = store.changes(&ChangeFilter { numbers: vec![9], ..of_run(first) }).unwrap_err();
    assert_eq!(error.code(), Code::ChangeNotFound);
    assert_eq!(store.changes(&of_run(99)).unwrap_err().code(), Code::RunNotFound);
    let rows = [change(1, "ann")];
    let recorded = store.record_changes(99, rows.iter().map(|change| (change, ChangeResult::Planned)));
    assert_eq!(recorded.unwrap_err().code(), Code::RunNotFound);
}

#[test]
fn a_run_is_kept_with_its_counters_and_ends_once() {
    let store = Store::in_memory().unwrap();
    let run = begin(&store, "sync", NOW);
    assert_eq!(store.runs(&RunFilter::default()).unwrap()[0].result, None);
    let counters = Counters {
        people: 1,
        recipients: 2,
        unchanged: 3,
        written: 4,
        skipped: 5,
        failed: 6,
        values_added: 7,
        values_removed: 8,
        requests: 9,
    };
    store.end_run(run, RunResult::Partial, &counters, Some(&failure()), NOW + 5).unwrap();
    let found = store.runs(&RunFilter { run: Some(run), ..RunFilter::default() }).unwrap().remove(0);
    assert_eq!(
        (found.run, found.verb.as_str(), found.policy_type, found.staging),
        (run, "sync", PolicyType::Delta, false)
    );
    assert_eq!((found.scope.as_str(), found.policy_hash.as_str()), ("s", "p"));
    assert_eq!((found.started_ms, found.ended_ms, found.result), (NOW, Some(NOW + 5), Some(RunResult::Partial)));
    assert_eq!((found.counters, found.error), (counters, Some(failure())));
    let again = store.end_run(run, RunResult::Done, &counters, None, NOW + 6);
    assert_eq!(again.unwrap_err().code(), Code::RunNotFound);
    for result in RunResult::ALL {
        assert_eq!(RunResult::from_name(result.name()), Some(result));
    }
}

#[test]
fn a_write_is_ours_once_it_was_verified() {
    let store = Store::in_memory().unwrap();
    let run = begin(&store, "sync", NOW);
    let change = change(1, "r");
    let entry = store.journal_begin(run, &change, NOW).unwrap();
    assert!(store.ours("r").unwrap().is_empty());
    store.journal_written(entry, NOW + 1).unwrap();
    store.journal_done(entry, &WriteEnd::Verified, NOW + 2).unwrap();
    let (old, new, kept) = (raw("old").sha256, raw("new").sha256, raw("kept").sha256);
    let ours = store.ours("r").unwrap();
    assert!(ours.contains(&(UC, new)) && !ours.contains(&(UC, kept)) && !ours.contains(&(UC, old)));
    assert!(store.ours("other").unwrap().is_empty());
    assert_eq!(store.changes(&of_run(run)).unwrap()[0].result, ChangeResult::Applied);

    let back = Change {
        number: 2,
        before: change.after.clone(),
        after: change.before.clone(),
        added: change.removed.clone(),
        removed: change.added.clone(),
        ..change
    };
    let entry = store.journal_begin(run, &back, NOW + 3).unwrap();
    store.journal_done(entry, &WriteEnd::Verified, NOW + 4).unwrap();
    assert_eq!(store.ours("r").unwrap().into_iter().collect::<Vec<_>>(), [(UC, old)]);
    assert!(store.journal_done(entry, &WriteEnd::Verified, NOW + 5).is_err());
    assert!(store.journal_written(entry, NOW + 5).is_err());
}

#[test]
fn a_failed_write_changes_nothing_and_says_why() {
    let store = Store::in_memory().unwrap();
    let run = begin(&store, "sync", NOW);
    let entry = store.journal_begin(run, &change(1, "r"), NOW).unwrap();
    store.journal_done(entry, &WriteEnd::Failed(failure()), NOW + 1).unwrap();
    assert!(store.ours("r").unwrap().is_empty() && store.open_writes().unwrap().is_empty());
    let found = || store.changes(&of_run(run)).unwrap().remove(0);
    assert_eq!((found().result, found().error), (ChangeResult::Failed, Some(failure())));
    assert_eq!(store.removals_since(NOW).unwrap(), (0, 0));
    store.journal_begin(run, &change(1, "r"), NOW + 2).unwrap();
    assert_eq!((found().result, found().error), (ChangeResult::Planned, None), "the next attempt starts afresh");
}

#[test]
fn a_second_attempt_at_a_change_keeps_the_first_ones_entry() {
    let store = Store::in_memory().unwrap();
    let run = begin(&store, "sync", NOW);
    store.journal_begin(run, &change(1, "r"), NOW).unwrap();
    store.journal_begin(run, &change(1, "r"), NOW + 1).unwrap();
    assert_eq!(store.open_writes().unwrap().len(), 2);
}

#[test]
fn removals_are_counted_by_recipient_within_the_window() {
    let store = Store::in_memory().unwrap();
    let run = begin(&store, "sync", NOW);
    let last =
        Change { action: Action::Clear, after: Vec::new(), added: Vec::new(), loses_last: true, ..change(2, "b") };
    let addition = Change { removed: Vec::new(), ..change(3, "c") };
    let again = change(4, "a");
    for (at, change) in [(NOW, change(1, "a")), (NOW + 1, last), (NOW + 2, addition), (NOW + 3, again)] {
        let entry = store.journal_begin(run, &change, at).unwrap();
        store.journal_done(entry, &WriteEnd::Verified, at).unwrap();
    }
    assert_eq!(store.removals_since(NOW).unwrap(), (2, 1));
    assert_eq!(store.removals_since(NOW + 2).unwrap(), (1, 0));
    store.journal_begin(run, &change(5, "d"), NOW + 4).unwrap();
    assert_eq!(store.removals_since(NOW + 4).unwrap(), (1, 0), "a write whose end is not known counts");
}

#[test]
fn one_name_in_two_directories_is_two_entries_that_lose_something() {
    let store = Store::in_memory().unwrap();
    let run = begin(&store, "prune", NOW);
    let entry = |number, directory: &str| Change {
        directory: Some(directory.into()),
        loses_last: true,
        ..change(number, "cn=a,dc=x")
    };
    let plan = Plan::new(vec![entry(0, "x.test"), entry(0, "y.test"), entry(0, "y.test")]);
    assert_eq!((plan.recipients_losing(), plan.people_losing_last()), (2, 2));
    for change in &plan.changes {
        let journal = store.journal_begin(run, change, NOW).unwrap();
        store.journal_done(journal, &WriteEnd::Verified, NOW).unwrap();
    }
    assert_eq!(store.directory_removals_since(NOW).unwrap(), (2, 2));
    let named = store.changes(&of_run(run)).unwrap();
    let named: Vec<_> = named.iter().filter_map(|stored| stored.change.directory.as_deref()).collect();
    assert_eq!(named, ["x.test", "y.test", "y.test"]);
}

#[test]
fn people_who_are_not_in_a_later_read_have_vanished_until_they_are_forgotten() {
    let store = Store::in_memory().unwrap();
    assert_eq!(store.last_complete_read().unwrap(), None);
    let person = |identity, recipient, fitness| SeenPerson { identity, recipient, fitness, ..SeenPerson::default() };
    let read = |scope, replaces, run, people: &[SeenPerson<'_>]| {
        let spool = Spool::new().unwrap();
        for (place, seen) in (0..).zip(people) {
            spool.add_person(place, &named(seen.identity), &PersonDigest::default()).unwrap();
            spool.see(place, seen).unwrap();
        }
        let people = Some(&spool);
        let complete = DirectoryRead { is_complete: true, at_ms: NOW + run, ..DirectoryRead::default() };
        store.record_read(&DirectoryRead { scope, replaces, run, people, ..complete }).unwrap();
    };
    let known = |scope| {
        let mut known = BTreeMap::new();
        store.each_known(scope, |identity, person| drop(known.insert(identity, person))).unwrap();
        known
    };
    read("one", None, 1, &[person("ann", Some("r1"), Some(Fitness::Fit)), person("bob", None, None)]);
    read("one", None, 2, &[person("ann", None, Some(Fitness::Unfit))]);
    let last = store.last_complete_read().unwrap().unwrap();
    assert_eq!((last.scope.as_str(), last.run, last.at_ms, last.people), ("one", 2, NOW + 2, 1));
    let first = known("one");
    assert_eq!((first["ann"].recipient.as_deref(), first["ann"].fitness), (Some("r1"), Some(Fitness::Unfit)));
    assert_eq!((first["bob"].last_seen_run, first["ann"].last_seen_run), (1, 2));

    let gone = |scope, seen: &[&str]| -> Vec<String> {
        store
            .vanished(scope, |identity| seen.contains(&identity))
            .unwrap()
            .into_iter()
            .map(|gone| gone.identity)
            .collect()
    };
    assert_eq!(gone("one", &["ann"]), ["bob"]);
    assert_eq!(store.vanished("one", |identity| identity == "bob").unwrap()[0].recipient.as_deref(), Some("r1"));
    assert!(gone("two", &[]).is_empty());

    read("two", Some("one"), 3, &[person("ann", Some("r1"), None)]);
    assert_eq!(gone("two", &["ann"]), ["bob"]);
    assert!(known("one").is_empty());
    let forgotten = DirectoryRead { scope: "two", run: 4, forgotten: &["bob"], ..DirectoryRead::default() };
    store.record_read(&forgotten).unwrap();
    assert!(gone("two", &["ann"]).is_empty());
    assert_eq!(store.last_complete_read().unwrap().unwrap().scope, "two");
}

#[test]
fn settings_default_to_the_configuration_and_refuse_nonsense() {
    let folder = TempDir::new().unwrap();
    let config = config::parse(r#"{"guard": {"max_removals": 7}, "store": {"keep_days": 3}}"#).unwrap();
    let set = |store: &Store, json: &str| store.set_settings(&serde_json::from_str(json).unwrap());
    {
        let store = open(&folder);
        assert_eq!(store.guard(&config).unwrap().max_removals, 7);
        assert!(!store.staging().unwrap());
        set(&store, r#"{"max_removals": 9, "staging": true, "keep_days": 30, "max_clock_skew_ms": 1}"#).unwrap();
    }
    let store = open(&folder);
    let guard = store.guard(&config).unwrap();
    assert_eq!((guard.max_removals, guard.max_removals_percent, guard.max_clock_skew_ms), (9, 20, 1));
    assert!(store.staging().unwrap());
    assert_eq!((store.keep_days(&config).unwrap(), store.keep_days(&Config::default()).unwrap()), (30, 30));
    let listed = store.settings(&config).unwrap();
    let removals = listed.iter().find(|setting| setting.name == "max_removals").unwrap();
    assert_eq!((removals.value, removals.default), (SettingValue::Integer(9), SettingValue::Integer(7)));
    set(&store, r#"{"max_removals": null}"#).unwrap();
    assert_eq!(store.guard(&config).unwrap().max_removals, 7);

    for (json, code, target) in [
        (r#"{"staging": 1}"#, Code::OptionType, "/set/staging"),
        (r#"{"max_removals": "9"}"#, Code::OptionType, "/set/max_removals"),
        (r#"{"max_removals": -1}"#, Code::OptionValue, "/set/max_removals"),
        (r#"{"max_removals": 1.5}"#, Code::OptionValue, "/set/max_removals"),
        (r#"{"max_shrink_percent": 101}"#, Code::OptionValue, "/set/max_shrink_percent"),
        (r#"{"staging": false, "a/b": 1}"#, Code::OptionUnknown, "/set/a~1b"),
    ] {
        let error = set(&store, json).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (code, Some(target)), "{json}");
    }
    assert!(store.staging().unwrap(), "all or none");
}

#[test]
fn old_runs_go_with_the_bytes_that_only_they_named() {
    let store = Store::in_memory().unwrap();
    let old = begin(&store, "sync", NOW - 10 * DAY);
    let unfinished = begin(&store, "sync", NOW - 10 * DAY);
    let alone = Change { before: vec![raw("only the old run")], ..change(2, "b") };
    let rows = [change(1, "a"), alone];
    store.record_changes(old, rows.iter().map(|change| (change, ChangeResult::Planned))).unwrap();
    store.end_run(old, RunResult::Done, &Counters::default(), None, NOW - 10 * DAY).unwrap();
    let young = begin(&store, "sync", NOW - DAY);
    store.record_changes(young, [(&change(1, "a"), ChangeResult::Planned)]).unwrap();
    store.end_run(young, RunResult::Done, &Counters::default(), None, NOW - DAY).unwrap();

    assert_eq!(store.purge(30, NOW).unwrap(), 0);
    assert_eq!(store.purge(5, NOW).unwrap(), 1);
    assert_eq!(
        store.runs(&RunFilter::default()).unwrap().iter().map(|run| run.run).collect::<Vec<_>>(),
        [young, unfinished]
    );
    assert_eq!(store.changes(&of_run(young)).unwrap()[0].change, change(1, "a"));

    let open = begin(&store, "sync", NOW - 20 * DAY);
    store.journal_begin(open, &change(1, "a"), NOW).unwrap();
    store.end_run(open, RunResult::Failed, &Counters::default(), None, NOW).unwrap();
    store.purge(0, NOW + DAY).unwrap();
    assert_eq!(store.open_writes().unwrap()[0].change, change(1, "a"), "an open write is never forgotten");
    let next = begin(&store, "sync", NOW);
    assert!(next > open, "numbers are never used twice");
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(
        &garbage,
        b"this is not a database, and it is longer than a header of one hundred bytes ".repeat(20),
    )
    .unwrap();
    let before = std::fs::read(&garbage).unwrap();
    let error = Store::open(&garbage, NOW).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::StoreOpen, garbage.to_str()));
    assert_eq!(std::fs::read(&garbage).unwrap(), before);

    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    assert_eq!(Store::open(&other, NOW).unwrap_err().code(), Code::StoreOpen);

    let nowhere = folder.path().join("no such folder/state.db");
    assert_eq!(Store::open(&nowhere, NOW).unwrap_err().code(), Code::StoreOpen);
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    drop(open(&folder));
    let version = |path: &Path| -> i64 {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    let newer = version(&path) + 1;
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", newer).unwrap();
    let error = Store::open(&path, NOW).unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::StoreVersion, path.to_str()));
    assert_eq!(version(&path), newer);
}

#[test]
fn a_store_of_an_older_version_is_brought_up_to_this_one_with_all_it_holds() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(include_str!("../src/store/schema.sql")).unwrap();
    connection.pragma_update(None, "application_id", 0x534D_494D).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection.execute("INSERT INTO settings VALUES ('staging', 'true')", []).unwrap();
    connection.execute("INSERT INTO written VALUES ('r', 'userCertificate', zeroblob(32), 1)", []).unwrap();
    drop(connection);
    let store = open(&folder);
    assert_eq!(store.ours("r").unwrap().len(), 1);
    let key = FetchKey { url: "http://x.test/a.crl", kind: "crl", request: None };
    let fetched = Fetched { bytes: vec![1], fetched_ms: NOW, next_update_ms: NOW + DAY };
    store.keep_fetched(key, &fetched).unwrap();
    drop(store);
    assert_eq!(open(&folder).fetched(key, NOW).unwrap(), Some(fetched));
}

/// What another process keeps over and over.
const FETCHED: FetchKey<'_> = FetchKey { url: "http://x.test/large.crl", kind: "crl", request: None };

fn fetched() -> Fetched {
    Fetched { bytes: vec![7; 2 << 20], fetched_ms: NOW, next_update_ms: NOW + DAY }
}

#[test]
fn what_was_fetched_is_whole_after_a_death() {
    let folder = TempDir::new().unwrap();
    for wait_ms in [0, 7, 30] {
        let mut child = spawn("fetch", &folder);
        std::thread::sleep(std::time::Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(open(&folder).fetched(FETCHED, NOW).unwrap(), Some(fetched()));
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let store = open(&folder);
    begin(&store, "sync", NOW);
    let _lock = store.lock_for_writing(NOW).unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
    }
    names.sort();
    assert_eq!(names, ["state.db", "state.db-shm", "state.db-wal", "state.db.lock", "state.db.use"]);
}

#[test]
fn a_run_is_interrupted_only_when_nobody_can_be_running_it() {
    let folder = TempDir::new().unwrap();
    let first = open(&folder);
    let compare = begin(&first, "compare", NOW);
    let second = open(&folder);
    let result =
        |store: &Store, run| store.runs(&RunFilter { run: Some(run), ..RunFilter::default() }).unwrap()[0].result;
    assert_eq!(result(&second, compare), None, "the first one still has it open");
    drop(first);
    drop(second);
    let third = open(&folder);
    assert_eq!(result(&third, compare), Some(RunResult::Interrupted));
}

#[test]
fn readers_are_not_kept_waiting_by_a_writer() {
    let folder = TempDir::new().unwrap();
    let writer = open(&folder);
    let run = begin(&writer, "sync", NOW);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let reader = open(&folder);
                scope.spawn(move || {
                    let mut seen = 0;
                    while seen < 100 {
                        let now = reader.changes(&of_run(run)).unwrap().len();
                        assert!(now >= seen && now.is_multiple_of(10), "half a transaction was seen");
                        seen = now;
                    }
                })
            })
            .collect();
        for batch in 0..10 {
            let rows: Vec<_> = (1..=10).map(|number| change(batch * 10 + number, "r")).collect();
            writer.record_changes(run, rows.iter().map(|change| (change, ChangeResult::Planned))).unwrap();
        }
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn only_one_session_writes_at_a_time() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (open(&folder), open(&folder));
    let lock = first.lock_for_writing(NOW).unwrap();
    let error = second.lock_for_writing(NOW).unwrap_err();
    assert_eq!(error.code(), Code::StoreLocked);
    #[cfg(unix)]
    assert!(error.to_string().contains(&format!("process {} since 2027-", std::process::id())), "{error}");
    drop(lock);
    drop(second.lock_for_writing(NOW).unwrap());
    let memory = Store::in_memory().unwrap();
    assert!(!memory.is_durable() && second.is_durable());
    assert!(memory.lock_for_writing(NOW).is_ok());
}

#[test]
fn a_lock_is_exclusive_across_processes_and_dies_with_its_holder() {
    let folder = TempDir::new().unwrap();
    let mut child = spawn("lock", &folder);
    let store = open(&folder);
    let error = store.lock_for_writing(NOW).unwrap_err();
    assert_eq!(error.code(), Code::StoreLocked);
    #[cfg(unix)]
    assert!(error.to_string().contains(&format!("process {} ", child.id())), "{error}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(store.lock_for_writing(NOW).is_ok());
}

#[test]
fn what_the_journal_said_before_a_death_is_there_after_it() {
    let folder = TempDir::new().unwrap();
    let mut child = spawn("write", &folder);
    child.kill().unwrap();
    child.wait().unwrap();
    let store = open(&folder);
    let run = store.runs(&RunFilter::default()).unwrap().remove(0);
    assert_eq!((run.result, run.ended_ms), (Some(RunResult::Interrupted), Some(NOW)));
    let open = store.open_writes().unwrap();
    let seen: Vec<_> = open.iter().map(|write| (write.change.clone(), write.state, write.begun_ms)).collect();
    assert_eq!(
        seen,
        [(change(1, "r"), JournalState::Pending, NOW + 1), (change(2, "r"), JournalState::Written, NOW + 2)]
    );
    store.journal_done(open[0].entry, &WriteEnd::Failed(failure()), NOW).unwrap();
    store.journal_done(open[1].entry, &WriteEnd::Verified, NOW).unwrap();
    assert!(store.open_writes().unwrap().is_empty());
    assert_eq!(store.ours("r").unwrap().len(), 1);
}

fn spawn(role: &str, folder: &TempDir) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "as_another_process", "--nocapture"])
        .env(ROLE, role)
        .env(STORE, folder.path().join("state.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("ready")), "the child did not get ready");
    child
}

/// Not a test of its own: what [`spawn`] runs in a process that is then killed. Without a role it has nothing to do.
#[test]
fn as_another_process() {
    let Some(role) = std::env::var_os(ROLE) else { return };
    let store = Store::open(Path::new(&std::env::var_os(STORE).unwrap()), NOW).unwrap();
    let _lock = store.lock_for_writing(NOW).unwrap();
    if role == "fetch" {
        store.keep_fetched(FETCHED, &fetched()).unwrap();
    }
    if role == "write" {
        let run = begin(&store, "sync", NOW);
        store.journal_begin(run, &change(1, "r"), NOW + 1).unwrap();
        let entry = store.journal_begin(run, &change(2, "r"), NOW + 2).unwrap();
        store.journal_written(entry, NOW + 3).unwrap();
    }
    // a line of its own: the test runner has begun one
    std::io::Write::write_all(&mut std::io::stdout(), b"\nready\n").unwrap();
    if role == "fetch" {
        (0..10_000).for_each(|_| store.keep_fetched(FETCHED, &fetched()).unwrap());
    }
    // waits until it is killed, or until the parent is gone and closes its end
    std::io::stdin().lines().for_each(drop);
}
