//! Listings: whose recipients, how many, page by page.

use serde_json::{Value, json};
use smimesync_tenant::{Recipient, ResultSizeUnlimited, State, Switches};
use uuid::Uuid;

use crate::client::{Answer, Session, TestResult, invocation, request, state};

fn names(values: &[Value]) -> Vec<&str> {
    values.iter().filter_map(|value| value["DisplayName"].as_str()).collect()
}

/// The state with `count` mailboxes and nobody else.
fn crowd(count: u32, switches: Switches) -> TestResult<State> {
    let mut state = State { switches, ..state()? };
    let pattern = state.recipients.remove(0);
    state.recipients = (0..count)
        .map(|number| Recipient {
            guid: Uuid::from_u128(u128::from(number) + 1),
            external_directory_object_id: None,
            display_name: format!("Person {number}"),
            user_principal_name: Some(format!("person{number}@contoso.com")),
            primary_smtp_address: format!("person{number}@contoso.com"),
            email_addresses: vec![format!("SMTP:person{number}@contoso.com")],
            ..pattern.clone()
        })
        .collect();
    Ok(state)
}

fn next_path(session: &Session, answer: &Answer) -> TestResult<Option<String>> {
    let body = answer.json()?;
    let Some(link) = body["@odata.nextLink"].as_str() else { return Ok(None) };
    let path = link.strip_prefix(session.running.url()).ok_or("the link leads elsewhere")?;
    assert!(path.contains("/InvokeCommand?") && path.contains("%24skiptoken="), "{path}");
    Ok(Some(path.to_owned()))
}

#[tokio::test]
async fn without_identity_every_cmdlet_lists_its_own_recipients() -> TestResult {
    let session = Session::start().await?;
    let cases = [
        ("Get-Mailbox", vec!["Ann", "Sales", "Ben", "Cleo", "Room"]),
        ("Get-MailUser", vec!["Dan", "Eve"]),
        ("Get-MailContact", vec!["Fay"]),
    ];
    for (cmdlet, expected) in cases {
        for parameters in [json!({}), json!({ "Identity": "" }), json!({ "Identity": null, "ErrorAction": "Stop" })] {
            assert_eq!(names(&session.invoke(cmdlet, parameters).await?.values()?), expected, "{cmdlet}");
        }
    }
    let rooms = json!({ "RecipientTypeDetails": ["RoomMailbox", "sharedmailbox"], "ResultSize": "Unlimited" });
    assert_eq!(names(&session.invoke("Get-Mailbox", rooms).await?.values()?), ["Sales", "Room"]);
    let unknown = session.invoke("Get-Mailbox", json!({ "RecipientTypeDetails": "Robot" })).await?;
    assert_eq!(unknown.status, 400);
    Ok(())
}

#[tokio::test]
async fn pages_follow_by_post_and_together_give_everybody_once() -> TestResult {
    let session = Session::with_state(crowd(2345, Switches::default())?).await?;
    let body = invocation("Get-Mailbox", json!({ "ResultSize": "Unlimited" }));
    let mut path = "/adminapi/beta/contoso.onmicrosoft.com/InvokeCommand?$select=DisplayName".to_owned();
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let answer =
            session.post(&path, &body, &[("prefer", "odata.maxpagesize = 1000;odata.continue-on-error")]).await?;
        let values = answer.values()?;
        assert!(values.iter().all(|value| value.as_object().is_some_and(|members| members.len() == 1)));
        sizes.push(values.len());
        seen.extend(names(&values).into_iter().map(str::to_owned));
        match next_path(&session, &answer)? {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(sizes, [1000, 1000, 345]);
    assert_eq!(seen, (0..2345).map(|number| format!("Person {number}")).collect::<Vec<_>>());
    let log = session.tenant.requests();
    assert_eq!(log.iter().map(|entry| entry.continuation).collect::<Vec<_>>(), [false, true, true]);
    Ok(())
}

#[tokio::test]
async fn a_link_is_good_for_its_own_body_by_post_only() -> TestResult {
    let session = Session::with_state(crowd(5, Switches { page_size: 2, ..Switches::default() })?).await?;
    let first = session.invoke("Get-Mailbox", json!({ "ResultSize": "Unlimited" })).await?;
    assert_eq!(first.values()?.len(), 2);
    let path = next_path(&session, &first)?.ok_or("no link")?;
    let expired = "Expired or Invalid pagination request. Default Expiry time is 00:30:00";

    let other = session.post(&path, &invocation("Get-Mailbox", json!({})), &[]).await?;
    assert_eq!(other.status, 400);
    assert_eq!(other.json()?["error"]["innererror"]["internalexception"]["message"], expired);
    let altered = format!("{path}AAAA");
    let body = invocation("Get-Mailbox", json!({ "ResultSize": "Unlimited" }));
    assert_eq!(session.post(&altered, &body, &[]).await?.status, 400);
    let authorization = format!("Bearer {}", session.token);
    let get =
        request(session.running.url(), hyper::Method::GET, &path, &[("authorization", &authorization)], "").await?;
    assert_eq!(get.status, 405);
    assert_eq!(session.post(&path, &body, &[]).await?.values()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn the_smaller_of_wish_and_switch_is_the_page_size() -> TestResult {
    let session = Session::with_state(crowd(9, Switches { page_size: 4, ..Switches::default() })?).await?;
    for (prefer, size) in [("odata.maxpagesize=3", 3), ("odata.maxpagesize=1000", 4), ("respond-async", 4)] {
        let answer = session.invoke_with("Get-Mailbox", json!({}), "", &[("prefer", prefer)]).await?;
        assert_eq!(answer.values()?.len(), size, "{prefer}");
    }
    Ok(())
}

#[tokio::test]
async fn result_size_cuts_with_a_warning() -> TestResult {
    let session = Session::with_state(crowd(1001, Switches::default())?).await?;
    for (parameters, size) in [(json!({}), 1000), (json!({ "ResultSize": 7 }), 7), (json!({ "ResultSize": "7" }), 7)] {
        let answer = session.invoke("Get-Mailbox", parameters).await?;
        assert_eq!(answer.values()?.len(), size);
        let warning = answer.json()?["@adminapi.warnings"][0].as_str().unwrap_or_default().to_owned();
        assert!(warning.starts_with("There are more results available than are currently displayed."), "{warning}");
        assert!(next_path(&session, &answer)?.is_none());
    }
    assert_eq!(session.invoke("Get-Mailbox", json!({ "ResultSize": "many" })).await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn unlimited_may_be_ignored_or_come_in_one_answer() -> TestResult {
    let session = Session::with_state(crowd(1500, Switches::default())?).await?;
    for (switch, size, warned, linked) in [
        (ResultSizeUnlimited::Honoured, 1000, false, true),
        (ResultSizeUnlimited::HonouredWithoutPaging, 1500, false, false),
        (ResultSizeUnlimited::Ignored, 1000, true, false),
    ] {
        session.tenant.set_switches(Switches { result_size_unlimited: switch, ..Switches::default() })?;
        let answer = session.invoke("Get-Mailbox", json!({ "ResultSize": "Unlimited" })).await?;
        let warnings = answer.json()?["@adminapi.warnings"].as_array().map_or(0, Vec::len);
        assert_eq!(
            (answer.values()?.len(), warnings == 1, next_path(&session, &answer)?.is_some()),
            (size, warned, linked),
            "{switch:?}"
        );
    }
    Ok(())
}
