//! `Get-SmimeConfig` and `Set-SmimeConfig`.

use std::process::Command;

use serde_json::{Value, json};

use crate::client::{Session, TestResult};

/// A self-signed certificate that is valid from 2020 until the given year's start, as DER.
fn certificate(until_year: u32) -> TestResult<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("key.pem");
    let der = folder.path().join("certificate.der");
    let run = |command: &mut Command| -> TestResult {
        let output = command.output()?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    };
    run(Command::new("openssl").args(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"]).arg(&key))?;
    let request = folder.path().join("request.pem");
    run(Command::new("openssl")
        .args(["req", "-new", "-subj", "/CN=Root", "-key"])
        .arg(&key)
        .arg("-out")
        .arg(&request))?;
    let database = folder.path().join("index.txt");
    std::fs::write(&database, "")?;
    let configuration = folder.path().join("ca.cnf");
    let text = format!(
        "[ca]\ndefault_ca=d\n[d]\ndatabase={}\nnew_certs_dir={}\ndefault_md=sha256\nrand_serial=yes\nunique_subject=no\n\
         policy=p\n[p]\ncommonName=supplied\n",
        database.display(),
        folder.path().display()
    );
    std::fs::write(&configuration, text)?;
    let pem = folder.path().join("certificate.pem");
    run(Command::new("openssl")
        .args(["ca", "-batch", "-selfsign", "-notext", "-startdate", "20200101000000Z", "-enddate"])
        .arg(format!("{until_year}0101000000Z"))
        .arg("-config")
        .arg(&configuration)
        .arg("-keyfile")
        .arg(&key)
        .arg("-in")
        .arg(&request)
        .arg("-out")
        .arg(&pem))?;
    run(Command::new("openssl").args(["x509", "-outform", "DER", "-in"]).arg(&pem).arg("-out").arg(&der))?;
    Ok(std::fs::read(der)?)
}

fn store(certificates: &[&[u8]]) -> TestResult<Vec<u8>> {
    let mut store = vec![0, 0, 0, 0, 0x43, 0x45, 0x52, 0x54];
    for der in certificates {
        // A property a reader does not know, then the certificate.
        store.extend([3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 9]);
        store.extend([0x20, 0, 0, 0, 1, 0, 0, 0]);
        store.extend(u32::try_from(der.len())?.to_le_bytes());
        store.extend(*der);
    }
    store.extend([0; 12]);
    Ok(store)
}

fn parameters(bytes: &[u8]) -> Value {
    json!({ "SMIMECertificateIssuingCA": { "@odata.type": "#Exchange.ByteArrayType", "Data": bytes }, "Confirm": false })
}

async fn held(session: &Session) -> TestResult<Value> {
    session.invoke("Get-SmimeConfig", json!({})).await?.values()?.pop().ok_or_else(|| "no configuration".into())
}

#[tokio::test]
async fn a_store_of_valid_certificates_is_taken_shown_and_cleared() -> TestResult {
    let session = Session::start().await?;
    assert_eq!(held(&session).await?["SMIMECertificateIssuingCA"], Value::Null);
    let sst = store(&[&certificate(2125)?, &certificate(2126)?])?;
    session.invoke("Set-SmimeConfig", parameters(&sst)).await?.values()?;
    assert_eq!(session.tenant.state().smime_config.smime_certificate_issuing_ca.as_ref(), Some(&sst));
    let shown = held(&session).await?;
    assert_eq!(shown["SMIMECertificatesExpiryDate"], "2125-01-01T00:00:00Z");
    assert_eq!(shown["SMIMEExpiredCertificateThumbprint"], Value::Null);
    assert!(shown["SMIMECertificateIssuingCA"].is_string());
    session.tenant.merge_switches(json!({ "read_back": "data" }))?;
    assert_eq!(held(&session).await?["SMIMECertificateIssuingCA"], json!({ "Data": sst }));

    session.invoke("Set-SmimeConfig", parameters(&[])).await?.values()?;
    assert_eq!(session.tenant.state().smime_config.smime_certificate_issuing_ca, None);
    Ok(())
}

#[tokio::test]
async fn a_store_with_an_expired_certificate_is_refused_and_names_it() -> TestResult {
    let session = Session::start().await?;
    let expired = certificate(2021)?;
    let sst = store(&[&certificate(2125)?, &expired])?;
    let answer = session.invoke("Set-SmimeConfig", parameters(&sst)).await?;
    assert_eq!(answer.status, 400);
    let thumbprint =
        hex::encode_upper(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &expired));
    assert!(answer.detail()?.ends_with(&format!("expired certificates: {thumbprint}")), "{}", answer.detail()?);
    assert_eq!(session.tenant.state().smime_config.smime_certificate_issuing_ca, None);
    Ok(())
}

#[tokio::test]
async fn what_is_no_store_or_too_large_is_refused() -> TestResult {
    let session = Session::start().await?;
    let good = store(&[&certificate(2125)?])?;
    let mut wrong_magic = good.clone();
    wrong_magic[4] = b'X';
    let mut crl = good.clone();
    crl[22] = 0x21;
    let mut endless = good.clone();
    endless[30..34].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut trailing = good.clone();
    trailing.push(0);
    let garbage = store(&[b"no certificate"])?;
    for bytes in [wrong_magic, crl, endless, trailing, garbage, good[..good.len() - 1].to_vec(), vec![1]] {
        let answer = session.invoke("Set-SmimeConfig", parameters(&bytes)).await?;
        assert_eq!(answer.status, 400);
        assert!(answer.detail()?.ends_with("SMIMECertificateIssuingCA has wrong format"));
    }
    let answer = session.invoke("Set-SmimeConfig", parameters(&vec![0; 70_001])).await?;
    assert!(answer.detail()?.contains("70000 bytes"));
    Ok(())
}

#[tokio::test]
async fn settings_are_kept_beside_the_store() -> TestResult {
    let session = Session::start().await?;
    let shown = held(&session).await?;
    assert_eq!((&shown["NoSignOnReply"], &shown["OWAEncryptionAlgorithms"]), (&json!(true), &json!("6610")));
    let change = json!({ "OWAAlwaysSign": true, "OWACRLRetrievalTimeout": 5, "OWASigningAlgorithms": "800C" });
    session.invoke("Set-SmimeConfig", change).await?.values()?;
    let shown = held(&session).await?;
    assert_eq!(
        (&shown["OWAAlwaysSign"], &shown["OWACRLRetrievalTimeout"], &shown["OWASigningAlgorithms"]),
        (&json!(true), &json!(5), &json!("800C"))
    );
    assert_eq!(session.invoke("Set-SmimeConfig", json!({ "Identity": "Other" })).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn what_is_uncertain_of_it_can_be_switched() -> TestResult {
    let session = Session::start().await?;
    let sst = store(&[&certificate(2125)?])?;
    session.tenant.merge_switches(json!({ "smime_config_readable": false }))?;
    assert_eq!(session.invoke("Get-SmimeConfig", json!({})).await?.status, 403);
    session.tenant.merge_switches(json!({ "smime_config_readable": true, "max_sst_bytes": sst.len() - 1 }))?;
    let answer = session.invoke("Set-SmimeConfig", parameters(&sst)).await?;
    assert!(answer.detail()?.contains(&format!("larger than {} bytes", sst.len() - 1)), "{}", answer.detail()?);
    session.tenant.merge_switches(json!({ "max_sst_bytes": sst.len(), "smime_config_lag": 2 }))?;
    session.invoke("Set-SmimeConfig", parameters(&sst)).await?.values()?;
    for _ in 0..2 {
        assert_eq!(held(&session).await?["SMIMECertificateIssuingCA"], Value::Null);
    }
    assert!(held(&session).await?["SMIMECertificateIssuingCA"].is_string());
    Ok(())
}
