//! The authorities that a tenant should trust: listed, written to a file, uploaded; and what runs make of those it does.

use rcgen::date_time_ymd;
use serde_json::json;
use smimesync::certificate::{Bundle, SerializedStore};
use smimesync::error::Code;
use smimesync::session::{Row, Value, Verb};
use smimesync_tenant::{Fault, FaultKind, ReadBack, When};

use crate::scene::{Outcome, Scene, entry};

const ANN: &str = "ann@x.test";
const BOB: &str = "bob@x.test";
const UPLOAD: &str = r#"{"upload":true}"#;

/// Ann and Bob, with a certificate each.
fn scene() -> Scene {
    let scene = Scene::new(&[ANN, BOB]);
    let both = [scene.certificate(ANN), scene.certificate(BOB)];
    scene.directory(&[entry(1, &[ANN], &both[..1]), entry(2, &[BOB], &both[1..])]);
    scene
}

fn store(certificates: &[&[u8]]) -> Vec<u8> {
    let mut store = SerializedStore::default();
    certificates.iter().for_each(|der| assert!(store.add(der)));
    store.to_bytes()
}

fn held(scene: &Scene) -> Option<Vec<u8>> {
    scene.tenant.state().smime_config.smime_certificate_issuing_ca
}

fn hold(scene: &Scene, store: &[u8]) {
    let mut state = scene.tenant.state();
    state.smime_config.smime_certificate_issuing_ca = Some(store.to_vec());
    scene.tenant.set_state(state).unwrap();
}

/// What a row says of an authority: needed by, in the tenant, action, reason, result.
fn said(row: &Row) -> (i64, Option<bool>, String, String, String) {
    let text = |name: &str| match row.get(name) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let needed_by = match row.get("needed_by") {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    let in_tenant = match row.get("in_tenant") {
        Some(Value::Boolean(has)) => Some(*has),
        _ => None,
    };
    (needed_by.unwrap(), in_tenant, text("action"), text("reason"), text("result"))
}

fn all(outcome: &Outcome) -> Vec<(i64, Option<bool>, String, String, String)> {
    outcome.rows.iter().map(said).collect()
}

fn row(
    needed_by: i64,
    in_tenant: Option<bool>,
    action: &str,
    reason: &str,
    result: &str,
) -> (i64, Option<bool>, String, String, String) {
    (needed_by, in_tenant, action.into(), reason.into(), result.into())
}

fn events(outcome: &Outcome, code: Code) -> Vec<&str> {
    outcome.events.iter().filter(|(event, _)| *event == code).map(|(_, text)| text.as_str()).collect()
}

fn failure(outcome: &Outcome) -> Code {
    outcome.error.as_ref().unwrap().code()
}

fn policy_type(scene: &Scene) -> String {
    scene.run(Verb::Runs, r#"{"last":1}"#).fine().column("policy_type").remove(0)
}

#[test]
fn what_people_need_is_listed_and_written_to_a_file() {
    let scene = scene();
    let options = json!({ "sst_path": "tenant.sst" }).to_string();
    let outcome = scene.run(Verb::Issuers, &options).fine();
    assert_eq!(all(&outcome), [row(2, Some(false), "add", "", "")]);
    let file = std::fs::read(scene.path("tenant.sst")).unwrap();
    assert_eq!(file, store(&[&scene.root()]));
    assert_eq!(Bundle::read(&file).certificates.len(), 1);
    assert_eq!((held(&scene), scene.run(Verb::Runs, "").fine().rows.len()), (None, 0), "nothing was changed");
    // who is selected decides
    let one = scene.run(Verb::Issuers, &json!({ "identities": [ANN] }).to_string()).fine();
    assert_eq!(all(&one), [row(1, Some(false), "add", "", "")]);
    // it is made without a tenant as well
    let offline = scene.run_with(&json!({ "exchange": null }), Verb::Issuers, &options).fine();
    assert_eq!(all(&offline), [row(2, None, "add", "", "")]);
    // and nobody who needs nothing gets one
    scene.directory(&[entry(1, &[ANN], &[scene.certificate(BOB)])]);
    assert!(scene.run(Verb::Issuers, "").fine().rows.is_empty());
}

#[test]
fn an_upload_is_a_run_with_the_bytes_before_and_after() {
    let scene = scene();
    let foreign = scene.other_root(2030);
    let before = store(&[&foreign]);
    hold(&scene, &before);
    let outcome = scene.run(Verb::Issuers, UPLOAD).fine();
    assert_eq!(all(&outcome), [row(2, Some(true), "add", "", "applied"), row(0, Some(true), "none", "", "")]);
    let after = store(&[&foreign, &scene.root()]);
    assert_eq!(held(&scene).as_ref(), Some(&after), "the foreign one stays, byte for byte");
    let runs = scene.run(Verb::Runs, "").fine();
    assert_eq!((runs.column("result"), runs.column("changed")), (vec!["done".into()], vec!["1".into()]));
    assert_eq!((runs.column("values_added"), runs.column("people")), (vec!["1".into()], vec!["2".into()]));
    let changes = scene.run(Verb::Changes, r#"{"last":1}"#).fine();
    assert_eq!(changes.column("attribute"), ["SMIMECertificateIssuingCA"]);
    let bytes = |column: &str| match changes.rows[0].get(column) {
        Some(Value::Rows(rows)) => match rows[0].get("bytes") {
            Some(Value::Blob(bytes)) => bytes.to_vec(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!((bytes("before_values"), bytes("after_values")), (before, after.clone()));
    // the same again changes nothing
    let requests = scene.tenant.requests().len();
    let again = scene.run(Verb::Issuers, UPLOAD).fine();
    assert_eq!(again.column("action"), ["none", "none"]);
    assert!(!scene.cmdlets(requests).contains(&"Set-SmimeConfig".to_owned()));
    assert_eq!(held(&scene), Some(after));
}

#[test]
fn while_runs_are_staging_an_upload_only_says_what_it_would_do() {
    let scene = scene();
    scene.run(Verb::Settings, r#"{"set":{"staging":true}}"#).fine();
    let outcome = scene.run(Verb::Issuers, UPLOAD).fine();
    assert_eq!(all(&outcome), [row(2, Some(false), "add", "", "planned")]);
    assert_eq!((held(&scene), scene.run(Verb::Runs, "").fine().rows.len()), (None, 0));
    scene.run(Verb::Settings, r#"{"set":{"staging":false}}"#).fine();
    let asked = scene.run(Verb::Issuers, r#"{"upload":true,"staging":true}"#).fine();
    assert_eq!((all(&asked), held(&scene)), (all(&outcome), None));
    assert_eq!(all(&scene.run(Verb::Issuers, UPLOAD).fine())[0].4, "applied");
}

#[test]
fn an_expired_authority_is_a_removal_and_guarded() {
    let scene = scene();
    let (good, old) = (scene.other_root(2030), scene.other_root(2024));
    let before = store(&[&old, &good]);
    hold(&scene, &before);
    let strict = json!({ "guard": { "max_removals": 0 } });
    let stopped = scene.run_with(&strict, Verb::Issuers, UPLOAD);
    assert_eq!((failure(&stopped), held(&scene).as_ref()), (Code::GuardStopped, Some(&before)));
    assert_eq!(stopped.column("result"), ["planned", "planned", ""]);
    let forced = json!({ "upload": true, "force": ["max_removals"] }).to_string();
    let outcome = scene.run_with(&strict, Verb::Issuers, &forced).fine();
    assert_eq!(
        all(&outcome),
        [
            row(2, Some(true), "add", "", "applied"),
            row(0, Some(false), "drop", "expired", "applied"),
            row(0, Some(true), "none", "", "")
        ]
    );
    assert_eq!(held(&scene), Some(store(&[&good, &scene.root()])));
    assert_eq!(scene.run(Verb::Changes, r#"{"last":1}"#).fine().column("reason"), ["expired"]);
    // removals of authorities are not removals from recipients
    assert_eq!(scene.run_with(&strict, Verb::Sync, "").fine().column("result"), ["applied", "applied"]);
}

#[test]
fn an_expired_authority_that_is_needed_is_never_added() {
    let scene = Scene::with_root_until(&[ANN], 2022);
    let once_good = scene.certificate_within(ANN, date_time_ymd(2020, 1, 1), date_time_ymd(2022, 1, 1));
    scene.directory(&[entry(1, &[ANN], &[once_good])]);
    // fit at the time of the verdicts, over by the clock, which is what the tenant goes by
    let policy = json!({ "policy": { "at": "2021-06-01T00:00:00Z" } });
    let outcome = scene.run_with(&policy, Verb::Issuers, UPLOAD).fine();
    assert_eq!(all(&outcome), [row(1, Some(false), "skip", "expired", "")]);
    assert_eq!(held(&scene), None);
}

#[test]
fn a_tenant_that_has_none_is_held_against_nothing() {
    let scene = scene();
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(outcome.column("result"), ["applied", "applied"]);
    assert_eq!(events(&outcome, Code::TenantIssuersAbsent).len(), 1);
    hold(&scene, &store(&[]));
    let outcome = scene.run(Verb::Coverage, "").fine();
    assert_eq!(
        (outcome.column("blocked_by"), events(&outcome, Code::TenantIssuersAbsent).len()),
        (vec![String::new(); 2], 1)
    );
}

#[test]
fn what_the_tenant_cannot_trust_is_not_added_and_not_removed() {
    let scene = scene();
    let ann = scene.certificate(ANN);
    scene.directory(&[entry(1, &[ANN], std::slice::from_ref(&ann)), entry(2, &[BOB], &[scene.certificate(BOB)])]);
    scene.run(Verb::Sync, r#"{"identities":["ann@x.test"]}"#).fine();
    assert_eq!(scene.held(1)[0], ann);
    let foreign = scene.other_root(2030);
    hold(&scene, &store(&[&foreign]));
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!((scene.held(1), scene.held(2).len()), (vec![ann], 0));
    assert_eq!(losers(&outcome), ["tenant_chain", "tenant_chain"]);
    let told = events(&outcome, Code::TenantFinding);
    assert!(told.iter().any(|text| text.starts_with("certificates of 2 people: the tenant's collection")), "{told:?}");
    assert_eq!(scene.run(Verb::Coverage, "").fine().column("blocked_by"), ["tenant_chain", "tenant_chain"]);
    // after the upload it is trusted
    scene.run(Verb::Issuers, UPLOAD).fine();
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!((outcome.column("action"), scene.held(2).len()), (vec!["none".into(), "set".into()], 1));
    assert_eq!(scene.run(Verb::Coverage, "").fine().column("blocked_by"), ["", ""]);
}

fn losers(outcome: &Outcome) -> Vec<String> {
    let rows = outcome.rows.iter().filter_map(|row| match row.get("losers") {
        Some(Value::Rows(rows)) => Some(rows.to_vec()),
        _ => None,
    });
    let reason = |row: &Row| match row.get("reason") {
        Some(Value::Text(reason)) => Some(reason.clone()),
        _ => None,
    };
    rows.flatten().map(|row| reason(&row).unwrap()).collect()
}

#[test]
fn another_collection_means_to_look_at_everybody() {
    let scene = scene();
    hold(&scene, &store(&[&scene.root()]));
    scene.run(Verb::Sync, "").fine();
    scene.run(Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
    hold(&scene, &store(&[&scene.root(), &scene.other_root(2030)]));
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!((policy_type(&scene), events(&outcome, Code::EverybodyRead).len()), ("initial".into(), 1));
    scene.run(Verb::Sync, "").fine();
    assert_eq!(policy_type(&scene), "delta");
}

#[test]
fn an_expired_authority_anywhere_is_told_once() {
    let scene = scene();
    hold(&scene, &store(&[&scene.root(), &scene.other_root(2024)]));
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(outcome.column("result"), ["applied", "applied"]);
    let told = events(&outcome, Code::TenantIssuersExpired);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("Other"), "{told:?}");
}

#[test]
fn where_it_may_not_be_read_nothing_is_judged_by_it() {
    let scene = scene();
    hold(&scene, &store(&[&scene.other_root(2030)]));
    scene.tenant.merge_switches(json!({ "smime_config_readable": false })).unwrap();
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!(outcome.column("result"), ["applied", "applied"]);
    assert_eq!(events(&outcome, Code::TenantIssuersUnread).len(), 1);
    let listed = scene.run(Verb::Issuers, "").fine();
    assert_eq!(all(&listed), [row(2, None, "add", "", "")]);
    let requests = scene.tenant.requests().len();
    let refused = scene.run(Verb::Issuers, UPLOAD);
    assert_eq!((failure(&refused), refused.rows.len()), (Code::ExchangeDenied, 0));
    assert_eq!(scene.cmdlets(requests), ["Get-SmimeConfig"], "before anybody was read");
    assert_eq!(scene.run(Verb::Runs, r#"{"last":1}"#).fine().column("result"), ["failed"]);
}

#[test]
fn bytes_that_are_no_collection_are_left_alone() {
    let scene = scene();
    let whole = store(&[&scene.other_root(2030)]);
    for broken in [&b"no store"[..], &whole[..whole.len() - 1]] {
        hold(&scene, broken);
        let listed = scene.run(Verb::Issuers, "").fine();
        assert_eq!(said(&listed.rows[0]), row(2, Some(false), "skip", "unreadable", ""));
        let refused = scene.run(Verb::Issuers, UPLOAD);
        assert_eq!((failure(&refused), held(&scene).unwrap()), (Code::ExchangeIssuers, broken.to_vec()));
    }
    hold(&scene, b"no store");
    let outcome = scene.run(Verb::Sync, "").fine();
    assert_eq!((outcome.column("result").len(), events(&outcome, Code::TenantIssuersUnread).len()), (2, 1));
}

#[test]
fn nothing_goes_after_people_were_not_read_to_their_end() {
    let scene = scene();
    let before = store(&[&scene.other_root(2024), &scene.root()]);
    hold(&scene, &before);
    scene.cut();
    let outcome = scene.run(Verb::Issuers, UPLOAD);
    assert_eq!((failure(&outcome), held(&scene)), (Code::DirectoryIncomplete, Some(before)));
    assert_eq!(all(&outcome)[1], row(0, Some(true), "none", "expired", ""));
}

#[test]
fn what_cannot_be_read_settles_no_upload() {
    let scene = scene();
    scene.tenant.merge_switches(json!({ "smime_config_lag": 9 })).unwrap();
    assert_eq!(failure(&scene.run(Verb::Issuers, UPLOAD)), Code::ExchangeVerify);
    scene.tenant.merge_switches(json!({ "smime_config_lag": 0 })).unwrap();
    for _ in 0..6 {
        scene.run(Verb::Issuers, "").fine();
    }
    let uploaded = held(&scene).unwrap();
    hold(&scene, &uploaded[..uploaded.len() - 1]);
    assert_eq!(failure(&scene.run(Verb::Issuers, UPLOAD)), Code::ExchangeIssuers);
    hold(&scene, &uploaded);
    assert_eq!(scene.run(Verb::Issuers, UPLOAD).fine().column("action"), ["none"]);
    assert_eq!(scene.run(Verb::Changes, "").fine().column("result"), ["applied"]);
}

#[test]
fn what_nobody_can_say_is_no_jump_and_a_jump_behind_it_is_one() {
    let addresses: Vec<String> = (1..=6).map(|number| format!("p{number}@x.test")).collect();
    let addresses: Vec<[&str; 1]> = addresses.iter().map(|address| [address.as_str()]).collect();
    let scene = Scene::new(addresses.as_flattened());
    let export = |year: i32| {
        let span = (date_time_ymd(year, 1, 1), date_time_ymd(year + 1, 1, 1));
        let made = |[address]: &[&str; 1]| vec![scene.certificate_within(address, span.0, span.1)];
        let made: Vec<_> = addresses.iter().map(made).collect();
        let entries = addresses.iter().zip(&made).zip(1..);
        let entries: Vec<_> = entries.map(|((address, made), number)| entry(number, address, made)).collect();
        scene.directory(&entries);
    };
    export(2026);
    assert_eq!(scene.run(Verb::Sync, "").fine().column("result"), ["applied"; 6]);
    // the tenant gets a collection that knows none of them
    hold(&scene, &store(&[&scene.other_root(2030)]));
    let outcome = scene.run(Verb::Sync, "").fine();
    assert!(events(&outcome, Code::GuardStopped).is_empty() && !scene.held(1).is_empty());
    export(2024);
    let lifted = json!({ "guard": { "max_removals_percent": 100, "max_people_losing_last_percent": 100 } });
    let stopped = scene.run_with(&lifted, Verb::Sync, "");
    let error = stopped.error.as_ref().unwrap();
    assert_eq!((error.code(), error.get_target()), (Code::GuardStopped, Some("max_newly_unfit_percent")));
    assert!(!scene.held(1).is_empty());
}

#[test]
fn an_entry_nobody_can_read_is_kept_and_the_refusal_told() {
    let scene = scene();
    let before = store(&[b"no certificate"]);
    hold(&scene, &before);
    let refused = scene.run(Verb::Issuers, UPLOAD);
    assert_eq!((failure(&refused), held(&scene)), (Code::ExchangeRefused, Some(before)));
    assert!(refused.error.as_ref().unwrap().to_string().contains("wrong format"));
    assert_eq!(all(&refused), [row(2, Some(false), "add", "", "failed"), row(0, Some(true), "none", "unreadable", "")]);
    assert_eq!(refused.rows[0].get("error_code"), Some(&Value::Integer(Code::ExchangeRefused.number().into())));
    assert!(matches!(refused.rows[1].get("value_sha256"), Some(Value::Text(digest)) if digest.len() == 64));
    assert_eq!(scene.run(Verb::Changes, r#"{"last":1}"#).fine().column("result"), ["failed"]);
}

#[test]
fn a_collection_too_large_is_not_sent() {
    let scene = scene();
    let mut large = SerializedStore::default();
    while large.to_bytes().len() < 69_800 {
        large.add(&scene.other_root(2030));
    }
    hold(&scene, &large.to_bytes());
    let requests = scene.tenant.requests().len();
    let refused = scene.run(Verb::Issuers, r#"{"upload":true,"sst_path":"tenant.sst"}"#);
    assert_eq!((failure(&refused), held(&scene)), (Code::ExchangeIssuersTooLarge, Some(large.to_bytes())));
    assert_eq!(said(&refused.rows[0]), row(2, Some(false), "skip", "over_limit", ""));
    assert_eq!(scene.cmdlets(requests), ["Get-SmimeConfig", "Get-SmimeConfig"]);
    assert!(!scene.path("tenant.sst").exists());
    // where the tenant takes less than is known, it says so itself
    hold(&scene, &store(&[]));
    scene.tenant.merge_switches(json!({ "max_sst_bytes": 100 })).unwrap();
    assert_eq!(failure(&scene.run(Verb::Issuers, UPLOAD)), Code::ExchangeRefused);
}

#[test]
fn every_form_of_reading_back_is_understood() {
    for read_back in [ReadBack::Base64, ReadBack::TypeName, ReadBack::Data, ReadBack::ClixmlOnly] {
        let scene = scene();
        scene.tenant.merge_switches(json!({ "read_back": read_back })).unwrap();
        for result in ["applied", ""] {
            assert_eq!(scene.run(Verb::Issuers, UPLOAD).fine().column("result"), [result], "{read_back:?}");
        }
        // where the bytes cannot be had at all, nothing is put in their place
        scene.tenant.merge_switches(json!({ "clixml": false })).unwrap();
        if matches!(read_back, ReadBack::TypeName | ReadBack::ClixmlOnly) {
            assert_eq!(failure(&scene.run(Verb::Issuers, UPLOAD)), Code::ExchangeIssuers);
        }
    }
}

#[test]
fn servers_that_know_later_are_waited_for() {
    let scene = scene();
    scene.tenant.merge_switches(json!({ "smime_config_lag": 1 })).unwrap();
    assert_eq!(scene.run(Verb::Issuers, UPLOAD).fine().column("result"), ["applied"]);
    assert_eq!(held(&scene), Some(store(&[&scene.root()])));
}

#[test]
fn a_connection_lost_before_or_after_the_effect_leaves_it_uploaded_once() {
    for when in [When::Before, When::After] {
        let scene = scene();
        let write = Some("Set-SmimeConfig".to_owned());
        scene.tenant.add_fault(Fault { cmdlet: write, ..Fault::once(FaultKind::Reset { when }) }).unwrap();
        assert_eq!(scene.run(Verb::Issuers, UPLOAD).fine().column("result"), ["applied"], "{when:?}");
        assert_eq!(held(&scene), Some(store(&[&scene.root()])));
        assert_eq!(scene.run(Verb::Runs, "").fine().column("result"), ["done"]);
    }
}

#[test]
fn a_right_to_read_alone_is_told_by_the_write() {
    let scene = scene();
    let write = Some("Set-SmimeConfig".to_owned());
    scene.tenant.add_fault(Fault { cmdlet: write, ..Fault::once(FaultKind::Forbidden) }).unwrap();
    let refused = scene.run(Verb::Issuers, UPLOAD);
    assert_eq!((failure(&refused), refused.column("result")), (Code::ExchangeDenied, vec!["failed".into()]));
    assert_eq!(held(&scene), None);
}

#[test]
fn an_upload_whose_end_nobody_saw_is_settled_by_the_next() {
    let scene = scene();
    scene.tenant.merge_switches(json!({ "smime_config_lag": 9 })).unwrap();
    let unseen = scene.run(Verb::Issuers, UPLOAD);
    assert_eq!(failure(&unseen), Code::ExchangeVerify);
    scene.tenant.merge_switches(json!({ "smime_config_lag": 0 })).unwrap();
    for _ in 0..6 {
        scene.run(Verb::Issuers, "").fine();
    }
    assert_eq!(scene.run(Verb::Issuers, UPLOAD).fine().column("action"), ["none"]);
    assert_eq!(scene.run(Verb::Changes, "").fine().column("result"), ["applied"]);
    // runs over recipients leave it alone
    assert_eq!(scene.run(Verb::Sync, "").fine().column("result"), ["applied", "applied"]);
}

#[test]
fn who_is_not_found_is_a_row() {
    let scene = scene();
    let outcome = scene.run(Verb::Issuers, r#"{"identities":["ann@x.test","nobody@x.test"]}"#).fine();
    assert_eq!(outcome.column("person"), ["", "nobody@x.test"]);
    assert_eq!(outcome.column("error_code")[1], Code::DirectoryNotFound.number().to_string());
}

#[test]
fn options_are_checked() {
    let scene = scene();
    for (options, pointer) in
        [(r#"{"force":["all"]}"#, "/force/0"), (r#"{"upload":1}"#, "/upload"), (r#"{"sst":1}"#, "/sst")]
    {
        assert_eq!(scene.refused(Verb::Issuers, options).as_deref(), Some(pointer));
    }
    let volatile = scene.run_with(&json!({ "store": {} }), Verb::Issuers, UPLOAD);
    assert_eq!((failure(&volatile), held(&scene)), (Code::ConfigMissing, None));
    let nowhere = scene.run(Verb::Issuers, r#"{"sst_path":"absent/tenant.sst"}"#);
    assert_eq!(failure(&nowhere), Code::FileUnwritable);
}
