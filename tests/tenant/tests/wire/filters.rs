//! `-Filter`.

use serde_json::json;

use crate::client::{ANN, Session, TestResult};

#[tokio::test]
async fn filters_choose() -> TestResult {
    let session = Session::start().await?;
    let cases: [(&str, &[&str]); 16] = [
        ("DisplayName -eq 'ann'", &["Ann"]),
        ("displayname -NE \"Ann\" -and RecipientTypeDetails -eq 'UserMailbox'", &["Ben", "Cleo"]),
        ("IsDirSynced -eq $true", &["Ben", "Cleo"]),
        ("IsDirSynced -eq $true -and IsExchangeCloudManaged -eq $false", &["Ben"]),
        ("EmailAddresses -eq 'smtp:ann.alias@contoso.com'", &["Ann"]),
        ("EmailAddresses -eq 'ann.alias@contoso.com'", &["Ann"]),
        ("EmailAddresses -like '*@partner.example'", &["Fay"]),
        ("PrimarySmtpAddress -like 'b*@*.com'", &["Ben"]),
        ("DisplayName -like 'e*'", &["Eve"]),
        ("Certificate -ne $null", &["Ann"]),
        ("SMimeCertificate -ne $null", &[]),
        ("UserPrincipalName -eq $null", &["Fay"]),
        (&format!("Guid -eq '{ANN}'"), &["Ann"]),
        ("DisplayName -eq 'Ann' -or DisplayName -eq 'Ben' -and IsDirSynced -eq $false", &["Ann"]),
        ("(DisplayName -eq 'Ann' -or DisplayName -eq 'Ben') -and IsDirSynced -eq $true", &["Ben"]),
        ("-not (DisplayName -notlike 'A*')", &["Ann"]),
    ];
    for (filter, expected) in cases {
        let values = session.invoke("Get-Recipient", json!({ "Filter": filter })).await?.values()?;
        let names: Vec<&str> = values.iter().filter_map(|value| value["DisplayName"].as_str()).collect();
        assert_eq!(names, expected, "{filter}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_filter_is_refused() -> TestResult {
    let session = Session::start().await?;
    let deep = format!("{}DisplayName -eq 'a'{}", "(".repeat(5000), ")".repeat(5000));
    let cases = [
        "",
        "DisplayName",
        "DisplayName -eq",
        "DisplayName -eq Ann",
        "DisplayName -eq 'Ann",
        "DisplayName = 'Ann'",
        "DisplayName -gt 'Ann'",
        "Nonsense -eq 'Ann'",
        "UserCertificate -ne $null",
        "(DisplayName -eq 'Ann'",
        "DisplayName -eq 'Ann' IsDirSynced -eq $true",
        "DisplayName -eq $foo",
        &deep,
    ];
    for filter in cases {
        let answer = session.invoke("Get-Mailbox", json!({ "Filter": filter })).await?;
        assert_eq!(answer.status, 400, "{filter}");
        assert!(answer.detail()?.contains("Invalid filter syntax."), "{filter}");
    }
    assert_eq!(
        session.invoke("Get-Mailbox", json!({ "Filter": "DisplayName -eq 'O''Neil'" })).await?.values()?.len(),
        0
    );
    Ok(())
}
