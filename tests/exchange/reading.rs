//! Listing and getting recipients.

use serde_json::json;
use smimesync::error::Code;
use smimesync::exchange::{ReadForm, Selection};
use smimesync::people::{Address, Recipient, RecipientClass};
use tokio::sync::mpsc;

use crate::support::{Bench, TENANT_ID, guid, recipient, recipients, values};

fn names(recipients: &[Recipient]) -> Vec<&str> {
    recipients.iter().filter_map(|recipient| recipient.display_name.as_deref()).collect()
}

#[tokio::test]
async fn all_classes_are_listed_with_everything_planning_needs() {
    let bench = Bench::new(json!({})).await;
    let (recipients, report) = bench.exchange.collect(Selection::default()).await.unwrap();
    assert_eq!(names(&recipients), ["Ann", "Sales", "Ben", "Cleo", "Room", "Dan", "Eve", "Fay"]);
    assert_eq!((report.recipients, report.pages, report.limit_reached), (8, 3, false));
    let ann = &recipients[0];
    assert_eq!(ann.identity, guid(1));
    assert_eq!(ann.class, RecipientClass::Mailbox);
    assert_eq!(ann.external_directory_object_id.as_deref(), Some("00000000-0000-4000-9000-000000000001"));
    assert_eq!(ann.user_principal_name.as_deref(), Some("Ann@contoso.com"));
    let addresses: Vec<_> = ann.addresses.iter().map(Address::as_str).collect();
    assert_eq!(addresses, ["Ann@contoso.com", "Ann.alias@contoso.com"]);
    assert_eq!(ann.recipient_type_details, "UserMailbox");
    assert_eq!(ann.immutable_id.as_deref(), Some("q83vEjRWeJCrze8SNFZ4kA=="));
    assert_eq!(ann.user_certificate, Some(values(&[&[48, 130, 3, 88], &[48, 130, 1]])));
    assert_eq!(ann.user_smime_certificate, Some(Vec::new()));
    assert!(!ann.is_dir_synced && recipients[2].is_dir_synced && !recipients[2].is_mastered_in_cloud());
    assert!(recipients[3].is_dir_synced && recipients[3].is_mastered_in_cloud());
    assert_eq!(recipients[6].class, RecipientClass::MailUser);
    assert_eq!((recipients[7].class, &recipients[7].user_principal_name), (RecipientClass::MailContact, &None));
    assert_eq!((bench.exchange.calls().requests, bench.exchange.calls().writes), (3, 0));
    assert!(bench.exchange.clock_skew_ms().unwrap().abs() < 10_000);
}

#[tokio::test]
async fn requests_are_routed_and_can_be_told_apart() {
    let bench = Bench::new(json!({})).await;
    bench.exchange.collect(Selection::default()).await.unwrap();
    let requests = bench.tenant.requests();
    let calls: Vec<_> = requests.iter().filter(|request| request.cmdlet.is_some()).collect();
    let anchor = format!("APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT_ID}");
    assert!(calls.iter().all(|call| call.anchor_mailbox.as_deref() == Some(anchor.as_str())));
    assert!(calls.iter().all(|call| call.prefer.as_deref() == Some("odata.maxpagesize=1000")));
    assert!(calls.iter().all(|call| call.response_format.is_none()));
    let mut ids: Vec<_> = calls.iter().map(|call| call.client_request_id.clone().unwrap()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), calls.len());
}

#[tokio::test]
async fn pages_are_handed_over_one_by_one_and_are_whole_together() {
    let bench = Bench::new(json!({ "page_size": 2 })).await;
    let (sink, mut pages) = mpsc::channel(100);
    let report = bench.exchange.list(Selection::default(), &sink).await.unwrap();
    drop(sink);
    let mut sizes = Vec::new();
    while let Some(page) = pages.recv().await {
        sizes.push(page.len());
    }
    assert_eq!(sizes, [2, 2, 1, 2, 1]);
    assert_eq!((report.recipients, report.pages), (8, 5));
    assert_eq!(bench.tenant.requests().iter().filter(|request| request.continuation).count(), 2);
}

#[tokio::test]
async fn a_receiver_that_leaves_ends_the_list() {
    let bench = Bench::new(json!({ "page_size": 1 })).await;
    let (sink, pages) = mpsc::channel(1);
    drop(pages);
    let error = bench.exchange.list(Selection::default(), &sink).await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert_eq!(bench.exchange.calls().requests, 1);
}

#[tokio::test]
async fn types_filter_and_limit_narrow_the_list() {
    let bench = Bench::new(json!({})).await;
    let types = ["RoomMailbox", "SharedMailbox", "GuestMailUser"].map(str::to_owned);
    let selection = Selection { types: Some(&types), ..Selection::default() };
    let (recipients, _) = bench.exchange.collect(selection).await.unwrap();
    assert_eq!(names(&recipients), ["Sales", "Room", "Eve"]);

    let filter = "DisplayName -eq 'Dan'";
    let selection = Selection { filter: Some(filter), ..Selection::default() };
    let (recipients, _) = bench.exchange.collect(selection).await.unwrap();
    assert_eq!(names(&recipients), ["Dan"]);

    for (limit, expected, more) in [(1, 1, true), (5, 5, true), (6, 6, true), (8, 8, false), (9, 8, false)] {
        let selection = Selection { limit: Some(limit), ..Selection::default() };
        let (recipients, report) = bench.exchange.collect(selection).await.unwrap();
        assert_eq!((recipients.len(), report.limit_reached), (expected, more), "limit {limit}");
    }
    let selection = Selection { filter: Some("DisplayName -near 'x'"), ..Selection::default() };
    let error = bench.exchange.collect(selection).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeRefused);
}

#[tokio::test]
async fn a_list_that_the_service_cuts_is_never_taken_for_whole() {
    let many = (1..=1005).map(|number| recipient(number, "UserMailbox", &format!("P{number}"))).collect();
    let bench = Bench::with(many, json!({ "result_size_unlimited": "ignored" }), &json!({})).await;
    let error = bench.exchange.collect(Selection::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeIncomplete);
    let few = Selection { limit: Some(10), ..Selection::default() };
    assert_eq!(bench.exchange.collect(few).await.unwrap().0.len(), 10);
    bench.tenant.merge_switches(json!({ "result_size_unlimited": "honoured_without_paging" })).unwrap();
    assert_eq!(bench.exchange.collect(Selection::default()).await.unwrap().0.len(), 1005);
}

#[tokio::test]
async fn a_failing_later_page_makes_the_list_incomplete() {
    let bench = Bench::new(json!({ "page_size": 2 })).await;
    let fault = json!({ "fault": "server_error", "count": 100, "after": 1, "cmdlet": "Get-Mailbox" });
    bench.tenant.merge_switches(json!({ "faults": [fault] })).unwrap();
    let (sink, mut pages) = mpsc::channel(100);
    let error = bench.exchange.list(Selection::default(), &sink).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeIncomplete);
    assert!(error.get_request_id().is_some());
    drop(sink);
    assert_eq!(pages.recv().await.unwrap().len(), 2);
    assert!(pages.recv().await.is_none());
}

#[tokio::test]
async fn a_list_of_more_pages_than_any_tenant_has_is_not_taken_for_whole() {
    let many = (1..=10_001).map(|number| recipient(number, "UserMailbox", &format!("P{number}"))).collect();
    let bench = Bench::with(many, json!({ "page_size": 1 }), &json!({})).await;
    let mailboxes = ["UserMailbox".to_owned()];
    let selection = Selection { types: Some(&mailboxes), ..Selection::default() };
    let error = bench.exchange.collect(selection).await.unwrap_err();
    assert_eq!(error.code(), Code::ExchangeIncomplete);
    assert!(error.to_string().contains("too many pages"), "{error}");
    assert_eq!(bench.exchange.calls().requests, 10_000);
    // the same recipients on fewer pages are all there are
    bench.tenant.merge_switches(json!({ "page_size": 1000 })).unwrap();
    let (found, report) = bench.exchange.collect(selection).await.unwrap();
    assert_eq!((found.len(), report.pages), (10_001, 11));
}

#[tokio::test]
async fn one_recipient_is_found_by_every_identity() {
    let bench = Bench::new(json!({})).await;
    for (identity, name) in [
        (guid(1).as_str(), "Ann"),
        ("00000000-0000-4000-9000-000000000001", "Ann"),
        ("ann@contoso.com", "Ann"),
        ("Sales@contoso.com", "Sales"),
        ("Dan.alias@contoso.com", "Dan"),
        (guid(7).to_uppercase().as_str(), "Fay"),
    ] {
        let found = bench.exchange.get(identity).await.unwrap();
        assert_eq!(found.display_name.as_deref(), Some(name), "{identity}");
    }
    bench.tenant.reset_log();
    let fay = bench.exchange.get_in_class(RecipientClass::MailContact, &guid(7)).await.unwrap();
    assert_eq!(fay.class, RecipientClass::MailContact);
    assert_eq!(bench.calls(), [("Get-MailContact".to_owned(), Some(200))]);
}

#[tokio::test]
async fn nobody_several_and_nothing_are_told_apart() {
    for switches in [json!({}), json!({ "error_detail": "json" }), json!({ "not_found_status": 400 })] {
        let bench = Bench::new(switches).await;
        let error = bench.exchange.get("nobody@contoso.com").await.unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::ExchangeNotFound, Some("nobody@contoso.com")));
        assert!(error.to_string().contains("check the identity"), "{error}");
        assert!(error.get_request_id().is_some() && error.get_connection_id().is_some(), "{error:?}");
        let error = bench.exchange.get("double@contoso.com").await.unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::ExchangeAmbiguous, Some("double@contoso.com")));
        assert!(error.to_string().contains("name it by its Guid"), "{error}");
        assert!(error.get_request_id().is_some() && error.get_connection_id().is_some(), "{error:?}");
    }
    let bench = Bench::new(json!({})).await;
    for identity in ["", " ", "*", "a*@contoso.com"] {
        let error = bench.exchange.get(identity).await.unwrap_err();
        assert_eq!(error.code(), Code::OptionValue);
        assert!(error.to_string().contains("expected the identity of one recipient"), "{error}");
    }
    assert!(bench.tenant.requests().is_empty());
}

#[tokio::test]
async fn certificates_are_read_in_every_form_and_the_form_is_kept() {
    let expected = Some(values(&[&[48, 130, 3, 88], &[48, 130, 1]]));
    for (form, first, later) in [("base64", 1, 1), ("data", 1, 1), ("type_name", 2, 1), ("clixml_only", 2, 1)] {
        let bench = Bench::new(json!({ "read_back": form })).await;
        let ann = bench.exchange.get(&guid(1)).await.unwrap();
        assert_eq!(ann.user_certificate, expected, "{form}");
        assert_eq!(ann.user_smime_certificate, Some(Vec::new()), "{form}");
        assert_eq!(bench.exchange.calls().requests, first, "{form}");
        assert_eq!(bench.exchange.get(&guid(1)).await.unwrap(), ann, "{form}");
        assert_eq!(bench.exchange.calls().requests, first + later, "{form}");
        let (recipients, _) = bench.exchange.collect(Selection::default()).await.unwrap();
        assert_eq!(recipients[0], ann, "{form}");
        assert_eq!(bench.exchange.calls().requests, first + later + 3, "{form}");
    }
}

#[tokio::test]
async fn where_no_command_gives_bytes_mailboxes_are_read_as_typed_entities() {
    let mut people = recipients();
    people[1]["user_certificate"] = json!(["MIIC"]);
    people[4]["user_certificate"] = json!(["MIID"]);
    let useless = json!({ "read_back": "type_name", "clixml": false });
    let bench = Bench::with(people, useless, &json!({})).await;
    let (found, report) = bench.exchange.collect(Selection::default()).await.unwrap();
    assert_eq!(found[0].user_certificate, Some(values(&[&[48, 130, 3, 88], &[48, 130, 1]])));
    assert_eq!(found[1].user_certificate, Some(values(&[&[48, 130, 2]])));
    assert_eq!(found[2].user_certificate, Some(Vec::new()));
    // a mail user is no mailbox
    let dan = found.iter().find(|found| found.class == RecipientClass::MailUser).unwrap();
    assert_eq!(dan.user_certificate, None);
    // three pages, one of them once more as CLIXML, and the two mailboxes that have certificates
    assert_eq!((report.pages, bench.exchange.calls().requests), (3, 6));
    let requests = bench.tenant.requests();
    let entity = requests.iter().find(|request| request.method == "GET").unwrap();
    assert!(entity.path.ends_with(&format!("/Mailbox('{}')", guid(2))), "{}", entity.path);
    // what was found out is kept
    bench.exchange.get(&guid(1)).await.unwrap();
    assert_eq!(bench.exchange.calls().requests, 8);
}

#[tokio::test]
async fn redirects_of_the_double_are_followed_within_the_service_alone() {
    for (to, code) in [
        ("port446", None),
        ("cloud_host", Some(Code::ExchangeProtocol)),
        ("foreign_host", Some(Code::ExchangeProtocol)),
    ] {
        let bench = Bench::new(json!({ "faults": [{ "fault": { "redirect": { "to": to } } }] })).await;
        let found = bench.exchange.get(&guid(1)).await;
        assert_eq!(found.err().map(|error| error.code()), code, "{to}");
        // on loopback no host is the cloud's, and the credential stays where it is
        assert_eq!(bench.calls().len(), if code.is_none() { 2 } else { 1 }, "{to}");
    }
}

#[tokio::test]
async fn links_of_one_back_end_are_followed_there() {
    let bench = Bench::new(json!({ "page_size": 2, "affinity": true })).await;
    let (recipients, report) = bench.exchange.collect(Selection::default()).await.unwrap();
    assert_eq!((recipients.len(), report.pages), (8, 5));
    assert!(bench.tenant.requests().iter().all(|request| request.status == Some(200)));
}

#[tokio::test]
async fn a_page_in_the_middle_of_a_list_is_repeated_in_the_other_form() {
    let mut people: Vec<_> = (1..=5).map(|number| recipient(number, "UserMailbox", &format!("P{number}"))).collect();
    people[3]["user_smime_certificate"] = json!(["MIIB"]);
    let bench = Bench::with(people, json!({ "read_back": "type_name", "page_size": 2 }), &json!({})).await;
    let (recipients, _) = bench.exchange.collect(Selection::default()).await.unwrap();
    assert_eq!(names(&recipients), ["P1", "P2", "P3", "P4", "P5"]);
    assert_eq!(recipients[3].user_smime_certificate, Some(values(&[&[48, 130, 1]])));
}

#[tokio::test]
async fn bytes_that_cannot_be_had_are_unknown_and_not_none() {
    let none = json!({ "read_back": "type_name", "clixml": false, "typed_mailbox": false });
    let bench = Bench::new(none).await;
    let ann = bench.exchange.get(&guid(1)).await.unwrap();
    assert_eq!(ann.user_certificate, None);
    assert_eq!(ann.user_smime_certificate, Some(Vec::new()));
    let before = bench.exchange.calls().requests;
    bench.exchange.get(&guid(1)).await.unwrap();
    assert_eq!(bench.exchange.calls().requests, before + 1);
}

#[tokio::test]
async fn a_form_that_is_expected_is_asked_for_first_and_left_where_it_fails() {
    let expected = Some(values(&[&[48, 130, 3, 88], &[48, 130, 1]]));
    let (clixml, entity) = (Some(ReadForm::Clixml), Some(ReadForm::Entity));
    let only_clixml = json!({ "read_back": "clixml_only", "typed_mailbox": false });
    let only_entity = json!({ "read_back": "type_name", "clixml": false });
    for (switches, form, requests, known) in [
        // unexpected: JSON, CLIXML, and the entity where that is needed
        (&only_clixml, None, 2, clixml),
        (&only_entity, None, 3, entity),
        (&only_clixml, clixml, 1, clixml),
        (&only_entity, entity, 2, entity),
        // what was expected in vain comes on top
        (&only_clixml, entity, 4, clixml),
        (&only_entity, clixml, 4, entity),
        // JSON has the bytes by now: CLIXML has them as well, and the entity is not needed
        (&json!({}), clixml, 1, clixml),
        (&json!({}), entity, 1, entity),
    ] {
        let bench = Bench::new(switches.clone()).await;
        form.into_iter().for_each(|form| bench.exchange.expect_form(form));
        let case = format!("{switches} and {form:?}");
        assert_eq!(bench.exchange.get(&guid(1)).await.unwrap().user_certificate, expected, "{case}");
        assert_eq!((bench.exchange.calls().requests, bench.exchange.read_form()), (requests, known), "{case}");
        let (recipients, _) = bench.exchange.collect(Selection::default()).await.unwrap();
        assert_eq!((recipients.len(), &recipients[0].user_certificate), (8, &expected), "{case}");
    }
    // no form has any
    let none = json!({ "read_back": "type_name", "clixml": false, "typed_mailbox": false });
    for form in [ReadForm::Clixml, ReadForm::Entity] {
        let bench = Bench::new(none.clone()).await;
        bench.exchange.expect_form(form);
        assert_eq!(bench.exchange.get(&guid(1)).await.unwrap().user_certificate, None);
        assert_eq!(bench.exchange.read_form(), None);
    }
}
