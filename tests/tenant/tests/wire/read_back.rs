//! The forms in which certificates come back.

use serde_json::{Value, json};
use smimesync_tenant::{ReadBack, Switches};

use crate::client::{ANN, Session, TestResult};

async fn ann(session: &Session, headers: &[(&str, &str)]) -> TestResult<Value> {
    let answer = session.invoke_with("Get-Mailbox", json!({ "Identity": ANN }), "", headers).await?;
    answer.values()?.pop().ok_or_else(|| "no mailbox".into())
}

async fn with_form(read_back: ReadBack) -> TestResult<Session> {
    Session::with_switches(Switches { read_back, ..Switches::default() }).await
}

#[tokio::test]
async fn base64() -> TestResult {
    let ann = ann(&with_form(ReadBack::Base64).await?, &[]).await?;
    assert_eq!(ann["UserCertificate"], json!(["MIIDWA==", "MIIB"]));
    assert_eq!(ann["UserCertificate@odata.type"], "#Collection(String)");
    assert_eq!(ann["UserSMimeCertificate"], json!([]));
    assert_eq!(ann["UserSMimeCertificate@odata.type"], "#Collection(String)");
    Ok(())
}

#[tokio::test]
async fn type_name() -> TestResult {
    let ann = ann(&with_form(ReadBack::TypeName).await?, &[]).await?;
    assert_eq!(ann["UserCertificate"], json!(["System.Byte[]", "System.Byte[]"]));
    Ok(())
}

#[tokio::test]
async fn data() -> TestResult {
    let ann = ann(&with_form(ReadBack::Data).await?, &[]).await?;
    assert_eq!(ann["UserCertificate"], json!([{ "Data": [48, 130, 3, 88] }, { "Data": [48, 130, 1] }]));
    assert_eq!(ann["UserCertificate@odata.type"], "#Collection(Exchange.ByteArrayType)");
    assert_eq!(ann["UserSMimeCertificate@odata.type"], "#Collection(String)");
    Ok(())
}

#[tokio::test]
async fn clixml_only() -> TestResult {
    let session = with_form(ReadBack::ClixmlOnly).await?;
    let json_form = ann(&session, &[]).await?;
    assert!(json_form.get("UserCertificate").is_none() && json_form.get("UserCertificate@odata.type").is_none());

    let clixml = ann(&session, &[("x-responseformat", "clixml"), ("x-serializationlevel", "Full")]).await?;
    let xml = clixml["_clixml"].as_str().ok_or("no CLIXML")?;
    assert!(xml.contains("<Obj N=\"UserCertificate\""), "{xml}");
    assert!(xml.contains("<LST><BA>MIIDWA==</BA><BA>MIIB</BA></LST>"), "{xml}");
    assert!(xml.contains("<B N=\"IsDirSynced\">false</B>"), "{xml}");
    assert!(xml.contains("<S>SMTP:Ann@contoso.com</S>"), "{xml}");
    assert!(xml.contains(&format!("<G N=\"Guid\">{ANN}</G>")), "{xml}");
    Ok(())
}

#[tokio::test]
async fn clixml_can_be_switched_off() -> TestResult {
    let session = with_form(ReadBack::TypeName).await?;
    session.tenant.merge_switches(json!({ "clixml": false }))?;
    let ann = ann(&session, &[("x-responseformat", "clixml")]).await?;
    assert!(ann.get("_clixml").is_none());
    assert_eq!(ann["UserCertificate"][0], "System.Byte[]");
    Ok(())
}

#[tokio::test]
async fn properties_have_exchanges_names_and_annotations() -> TestResult {
    let session = with_form(ReadBack::Base64).await?;
    let answer = session.invoke("Get-Mailbox", json!({ "Identity": ANN })).await?;
    let body = answer.json()?;
    let context = "https://outlook.office365.com/adminapi/beta/contoso.onmicrosoft.com/$metadata#Collection(Exchange.GenericHashTable)";
    assert_eq!(body["@odata.context"], context);
    assert_eq!(body["@adminapi.warnings"], json!([]));
    assert_eq!(body["adminapi.warnings@odata.type"], "#Collection(String)");
    assert_eq!(
        body["value"][0],
        json!({
            "Identity": "00000000-0000-4000-9000-000000000001",
            "Guid": ANN,
            "Guid@data.type": "System.Guid",
            "ExternalDirectoryObjectId": "00000000-0000-4000-9000-000000000001",
            "DisplayName": "Ann",
            "UserPrincipalName": "Ann@contoso.com",
            "PrimarySmtpAddress": "Ann@contoso.com",
            "EmailAddresses": ["SMTP:Ann@contoso.com", "smtp:Ann.alias@contoso.com"],
            "EmailAddresses@odata.type": "#Collection(String)",
            "RecipientTypeDetails": "UserMailbox",
            "IsDirSynced": false,
            "IsExchangeCloudManaged": false,
            "ImmutableId": "q83vEjRWeJCrze8SNFZ4kA==",
            "UserCertificate": ["MIIDWA==", "MIIB"],
            "UserCertificate@odata.type": "#Collection(String)",
            "UserSMimeCertificate": [],
            "UserSMimeCertificate@odata.type": "#Collection(String)",
        })
    );
    for name in ["request-id", "x-calculatedbetarget", "rate-limit-limit", "rate-limit-remaining", "rate-limit-reset"] {
        assert!(answer.header(name).is_some(), "{name}");
    }
    assert!(
        answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json;odata.metadata=minimal"))
    );
    session.tenant.merge_switches(json!({ "rate_limit_headers": false }))?;
    let answer = session.invoke("Get-Mailbox", json!({ "Identity": ANN })).await?;
    assert_eq!(answer.header("rate-limit-limit"), None);
    Ok(())
}

#[tokio::test]
async fn get_recipient_shows_everybody_without_certificates() -> TestResult {
    let session = with_form(ReadBack::Base64).await?;
    let all = session.invoke("Get-Recipient", json!({})).await?.values()?;
    assert_eq!(all.len(), 8);
    assert!(all.iter().all(|one| one.get("UserCertificate").is_none() && one.get("Guid").is_some()));
    Ok(())
}

#[tokio::test]
async fn select_leaves_the_rest_out_however_it_is_encoded() -> TestResult {
    let session = with_form(ReadBack::Base64).await?;
    for query in
        ["?$select=Guid,UserCertificate", "?%24select=Guid%2CUserCertificate", "?$select=Guid,%20UserCertificate"]
    {
        let answer = session.invoke_with("Get-Mailbox", json!({ "Identity": ANN }), query, &[]).await?;
        let expected = json!({
            "Guid": ANN,
            "Guid@data.type": "System.Guid",
            "UserCertificate@odata.type": "#Collection(String)",
            "UserCertificate": ["MIIDWA==", "MIIB"],
        });
        assert_eq!(answer.values()?, [expected], "{query}");
    }
    Ok(())
}
