//! `Set-Mailbox` and its kin: the one accepted shape, full replacement, refusals.

use serde_json::{Value, json};
use smimesync_tenant::{SetResponse, Switches};

use crate::client::{ANN, ANN_ENTRA, Session, TestResult, one_value};

const COLLECTION: &str = "#Collection(Exchange.ByteArrayType)";
const BEN: &str = "00000000-0000-4000-8000-000000000003";
const CLEO: &str = "00000000-0000-4000-8000-000000000004";

#[tokio::test]
async fn the_proven_shape_replaces_what_it_names_and_nothing_else() -> TestResult {
    let session = Session::start().await?;
    let both = json!({
        "Identity": ANN,
        "UserCertificate@odata.type": COLLECTION,
        "UserCertificate": [{ "Data": [48, 130, 0, 255] }, { "Data": [1] }],
        "UserSMimeCertificate@odata.type": COLLECTION,
        "UserSMimeCertificate": [{ "Data": [48, 128, 6, 9] }],
        "Confirm": false
    });
    let answer = session.invoke("Set-Mailbox", both).await?;
    assert_eq!(answer.values()?.len(), 0);
    let user = vec![vec![48, 130, 0, 255], vec![1]];
    assert_eq!(session.held(ANN)?, (user.clone(), vec![vec![48, 128, 6, 9]]));

    session.invoke("Set-Mailbox", json!({ "Identity": ANN, "UserSMimeCertificate": null })).await?.values()?;
    assert_eq!(session.held(ANN)?, (user, vec![]), "null clears one attribute and leaves the other");
    Ok(())
}

#[tokio::test]
async fn every_other_shape_is_a_conversion_error_and_changes_nothing() -> TestResult {
    let session = Session::start().await?;
    let before = session.held(ANN)?;
    let with = |annotation: Option<&str>, value: Value| {
        let mut parameters = json!({ "Identity": ANN, "UserCertificate": value, "Confirm": false });
        if let Some(annotation) = annotation {
            parameters["UserCertificate@odata.type"] = json!(annotation);
        }
        parameters
    };
    let good = json!([{ "Data": [48] }]);
    let cases = [
        with(None, good.clone()),
        with(Some("#Collection(String)"), good.clone()),
        with(Some("Collection(Exchange.ByteArrayType)"), good.clone()),
        with(Some(COLLECTION), json!(["MIIB"])),
        with(Some(COLLECTION), json!([[48, 130]])),
        with(Some(COLLECTION), json!([{ "Data": "MIIB" }])),
        with(Some(COLLECTION), json!([{ "Data": [256] }])),
        with(Some(COLLECTION), json!([{ "Data": [-1] }])),
        with(Some(COLLECTION), json!([{ "Data": [1.5] }])),
        with(Some(COLLECTION), json!([{ "Data": [] }])),
        with(Some(COLLECTION), json!([{ "data": [48] }])),
        with(Some(COLLECTION), json!([{ "Data": [48], "@odata.type": "#Exchange.ByteArrayType" }])),
        with(Some(COLLECTION), json!([{ "Data": [48] }, { "Data": [300] }])),
        with(Some(COLLECTION), json!({ "Data": [48] })),
        with(Some(COLLECTION), json!([])),
        with(None, json!([])),
        with(Some(COLLECTION), Value::Null),
        with(Some("#Exchange.GenericHashTable"), json!({ "Add": [{ "Data": [48] }] })),
        json!({ "Identity": ANN, "UserCertificate@odata.type": COLLECTION, "Confirm": false }),
    ];
    for parameters in cases {
        let text = parameters.to_string();
        let answer = session.invoke("Set-Mailbox", parameters).await?;
        assert_eq!(answer.status, 400, "{text}");
        let detail = answer.detail()?;
        assert!(detail.contains("ParameterTransformationException|Cannot process argument transformation on parameter 'UserCertificate'. Cannot convert value "), "{detail}");
    }
    assert_eq!(session.held(ANN)?, before);
    assert!(session.tenant.requests().iter().all(|entry| !entry.applied && entry.status == Some(400)));
    Ok(())
}

#[tokio::test]
async fn identities_are_guid_entra_id_sign_in_name_and_any_smtp_address() -> TestResult {
    let session = Session::start().await?;
    let identities = [ANN, ANN_ENTRA, "ann@CONTOSO.com", "Ann.alias@contoso.com"];
    for (number, identity) in (1u8..).zip(identities) {
        let mut parameters = one_value(&[number]);
        parameters["Identity"] = json!(identity);
        session.invoke("Set-Mailbox", parameters).await?.values()?;
        assert_eq!(session.held(ANN)?.0, [[number]], "{identity}");
    }
    for identity in ["Ann", "X500:/o=x", "/o=x", "SMTP:ann@contoso.com", "nobody@contoso.com"] {
        let mut parameters = one_value(b"x");
        parameters["Identity"] = json!(identity);
        let answer = session.invoke("Set-Mailbox", parameters).await?;
        assert_eq!(answer.status, 404, "{identity}");
        assert_eq!(answer.json()?["error"]["code"], "NotFound");
        let start = "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|The operation \
                     couldn't be performed because object '";
        assert!(answer.detail()?.starts_with(start));
    }
    Ok(())
}

#[tokio::test]
async fn an_address_of_two_recipients_is_ambiguous_and_an_empty_identity_is_none() -> TestResult {
    let session = Session::start().await?;
    let mut parameters = one_value(b"x");
    parameters["Identity"] = json!("double@contoso.com");
    let answer = session.invoke("Set-Mailbox", parameters.clone()).await?;
    assert_eq!(answer.status, 400);
    assert!(answer.detail()?.contains("matches multiple entries"));
    for identity in [json!(""), json!(null)] {
        parameters["Identity"] = identity;
        let answer = session.invoke("Set-Mailbox", parameters.clone()).await?;
        assert_eq!(answer.status, 400);
        assert!(answer.detail()?.contains("missing mandatory parameters: Identity"));
    }
    Ok(())
}

#[tokio::test]
async fn each_cmdlet_writes_its_own_recipients_only() -> TestResult {
    let session = Session::start().await?;
    let own = [("Set-Mailbox", vec![1, 2, 8]), ("Set-MailUser", vec![5, 6]), ("Set-MailContact", vec![7])];
    for (cmdlet, numbers) in own {
        for number in [1, 2, 5, 6, 7, 8] {
            let mut parameters = one_value(b"x");
            parameters["Identity"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
            let expected = if numbers.contains(&number) { 200 } else { 404 };
            assert_eq!(session.invoke(cmdlet, parameters).await?.status, expected, "{cmdlet} {number}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn directory_synchronised_recipients_are_refused_unless_cloud_managed_or_switched_off() -> TestResult {
    let session = Session::start().await?;
    let mut parameters = one_value(b"x");
    parameters["Identity"] = json!(BEN);
    let answer = session.invoke("Set-Mailbox", parameters.clone()).await?;
    assert_eq!(answer.status, 400);
    let text = "The operation on mailbox \"Ben\" failed because it's out of the current user's write scope. The action \
                'Set-Mailbox', 'UserCertificate', can't be performed on the object 'Ben' because the object is being \
                synchronized from your on-premises organization. This action should be performed on the object in your \
                on-premises organization.";
    assert!(answer.detail()?.ends_with(text), "{}", answer.detail()?);
    assert!(session.held(BEN)?.0.is_empty());

    session.tenant.merge_switches(json!({ "dir_sync_refusal": false }))?;
    session.invoke("Set-Mailbox", parameters.clone()).await?.values()?;
    assert_eq!(session.held(BEN)?.0, [b"x"]);

    session.tenant.merge_switches(json!({ "dir_sync_refusal": true }))?;
    parameters["Identity"] = json!(CLEO);
    session.invoke("Set-Mailbox", parameters).await?.values()?;
    assert_eq!(session.held(CLEO)?.0, [b"x"]);
    Ok(())
}

#[tokio::test]
async fn confirm_true_asks_and_does_nothing() -> TestResult {
    let session = Session::start().await?;
    let before = session.held(ANN)?;
    let mut parameters = one_value(b"x");
    parameters["Confirm"] = json!(true);
    let answer = session.invoke("Set-Mailbox", parameters).await?;
    assert_eq!(answer.values()?.len(), 0);
    assert!(answer.json()?["@adminapi.confirmationmessage"].is_string());
    assert_eq!(session.held(ANN)?, before);
    Ok(())
}

#[tokio::test]
async fn success_has_three_forms() -> TestResult {
    for (form, status, empty) in [
        (SetResponse::EmptyCollection, 200, false),
        (SetResponse::EmptyBody, 200, true),
        (SetResponse::NoContent, 204, true),
    ] {
        let session = Session::with_switches(Switches { set_response: form, ..Switches::default() }).await?;
        let answer = session.invoke("Set-Mailbox", one_value(b"new")).await?;
        assert_eq!((answer.status, answer.body.is_empty()), (status, empty), "{form:?}");
        assert_eq!(session.held(ANN)?.0, [b"new"]);
    }
    Ok(())
}
