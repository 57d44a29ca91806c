//! Writing certificates.

use serde_json::json;
use smimesync::certificate::Attribute::{UserCertificate, UserSmimeCertificate};
use smimesync::error::Code;
use smimesync::people::RecipientClass;

use crate::support::{Bench, guid, values};

const ONE: &[u8] = &[48, 130, 0, 255, 1];
const TWO: &[u8] = &[48, 128, 6, 9];

#[tokio::test]
async fn what_is_written_is_what_is_read_back_in_every_form() {
    for form in ["base64", "data", "type_name", "clixml_only"] {
        let bench = Bench::new(json!({ "read_back": form })).await;
        for (number, class) in
            [(1, RecipientClass::Mailbox), (5, RecipientClass::MailUser), (7, RecipientClass::MailContact)]
        {
            let before = bench.exchange.get(&guid(number)).await.unwrap();
            assert_eq!(before.class, class);
            let written = [(UserCertificate, values(&[ONE, TWO])), (UserSmimeCertificate, values(&[TWO]))];
            let outcome = bench.exchange.write(&before, &written).await.unwrap();
            assert_eq!(outcome.requests, 1);
            let after = bench.exchange.get_in_class(class, &guid(number)).await.unwrap();
            assert_eq!(after.user_certificate, Some(values(&[ONE, TWO])), "{form}");
            assert_eq!(after.user_smime_certificate, Some(values(&[TWO])), "{form}");
        }
        assert_eq!(bench.exchange.calls().writes, 3);
    }
}

#[tokio::test]
async fn one_call_carries_both_attributes_and_leaves_the_rest_alone() {
    let bench = Bench::new(json!({})).await;
    let ann = bench.exchange.get(&guid(1)).await.unwrap();
    bench.tenant.reset_log();
    let both = [(UserCertificate, values(&[ONE])), (UserSmimeCertificate, values(&[TWO]))];
    bench.exchange.write(&ann, &both).await.unwrap();
    bench.exchange.write(&ann, &[(UserSmimeCertificate, values(&[ONE]))]).await.unwrap();
    let requests = bench.tenant.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].identity.as_deref(), Some(guid(1).as_str()));
    assert_eq!(
        requests[0].parameters,
        [
            "Confirm",
            "Identity",
            "UserCertificate",
            "UserCertificate@odata.type",
            "UserSMimeCertificate",
            "UserSMimeCertificate@odata.type"
        ]
    );
    assert_eq!(requests[1].parameters.len(), 4);
    assert_eq!(bench.held(1), (vec![ONE.to_vec()], vec![ONE.to_vec()]));
}

#[tokio::test]
async fn no_values_clear_an_attribute() {
    let bench = Bench::new(json!({})).await;
    let ann = bench.exchange.get(&guid(1)).await.unwrap();
    bench.tenant.reset_log();
    bench.exchange.write(&ann, &[(UserCertificate, Vec::new())]).await.unwrap();
    assert_eq!(bench.tenant.requests()[0].parameters, ["Confirm", "Identity", "UserCertificate"]);
    assert_eq!(bench.held(1), (Vec::new(), Vec::new()));
    assert_eq!(bench.exchange.get(&guid(1)).await.unwrap().user_certificate, Some(Vec::new()));
}

#[tokio::test]
async fn every_form_of_success_is_one() {
    for form in ["empty_collection", "empty_body", "no_content"] {
        let bench = Bench::new(json!({ "set_response": form })).await;
        let ann = bench.exchange.get(&guid(1)).await.unwrap();
        bench.exchange.write(&ann, &[(UserCertificate, values(&[ONE]))]).await.unwrap();
        assert_eq!(bench.held(1).0, [ONE.to_vec()], "{form}");
    }
}

#[tokio::test]
async fn a_refusal_of_what_is_mastered_on_premises_is_its_own_state() {
    for detail in ["pipe", "json"] {
        let bench = Bench::new(json!({ "error_detail": detail })).await;
        let ben = bench.exchange.get(&guid(3)).await.unwrap();
        let error = bench.exchange.write(&ben, &[(UserCertificate, values(&[ONE]))]).await.unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::ExchangeDirSynced, Some(guid(3).as_str())));
        assert_eq!(bench.exchange.calls().writes, 1);
        assert_eq!(bench.held(3), (Vec::new(), Vec::new()));
        let cleo = bench.exchange.get(&guid(4)).await.unwrap();
        bench.exchange.write(&cleo, &[(UserCertificate, values(&[ONE]))]).await.unwrap();
    }
}

#[tokio::test]
async fn a_recipient_that_is_gone_is_not_found() {
    let bench = Bench::new(json!({})).await;
    let mut ann = bench.exchange.get(&guid(1)).await.unwrap();
    ann.identity = guid(99);
    let error = bench.exchange.write(&ann, &[(UserCertificate, values(&[ONE]))]).await.unwrap_err();
    assert_eq!((error.code(), error.get_target()), (Code::ExchangeNotFound, Some(guid(99).as_str())));
}

#[tokio::test]
async fn a_write_that_broke_off_is_repeated_unchanged_so_that_its_effect_is_the_same() {
    for fault in [
        json!({ "reset": { "when": "before" } }),
        json!({ "reset": { "when": "after" } }),
        json!("truncated_json"),
        json!("server_error"),
        json!("gateway_timeout"),
    ] {
        let bench = Bench::new(json!({})).await;
        let ann = bench.exchange.get(&guid(1)).await.unwrap();
        let once = json!({ "faults": [{ "fault": fault, "cmdlet": "Set-Mailbox" }] });
        bench.tenant.merge_switches(once).unwrap();
        let outcome = bench.exchange.write(&ann, &[(UserCertificate, values(&[TWO, ONE]))]).await.unwrap();
        assert_eq!(outcome.requests, 2, "{fault}");
        assert_eq!(bench.held(1).0, [TWO.to_vec(), ONE.to_vec()], "{fault}");
        let requests = bench.tenant.requests();
        let writes: Vec<_> = requests.iter().filter(|request| !request.certificates.is_empty()).collect();
        assert!(writes.len() == 2 && writes[0].certificates == writes[1].certificates, "{fault}");
        assert_eq!(bench.machine.slept().len(), 1, "{fault}");
    }
}

#[tokio::test]
async fn errors_inside_a_success_are_failures() {
    let bench = Bench::new(json!({})).await;
    let ann = bench.exchange.get(&guid(1)).await.unwrap();
    // the double's error is one that passes by itself
    for (count, requests) in [(1, 2), (100, 6)] {
        bench.tenant.reset_log();
        let fault = json!({ "faults": [{ "fault": "errors_in_success", "cmdlet": "Set-Mailbox", "count": count }] });
        bench.tenant.merge_switches(fault).unwrap();
        let outcome = bench.exchange.write(&ann, &[(UserCertificate, values(&[ONE]))]).await;
        assert_eq!(bench.calls().len(), requests);
        assert_eq!(outcome.is_ok(), count == 1);
        if let Err(error) = outcome {
            assert_eq!((error.code(), error.is_transient()), (Code::ExchangeRefused, true));
        }
    }
}

#[tokio::test]
async fn fifteen_large_values_pass() {
    let bench = Bench::new(json!({})).await;
    let ann = bench.exchange.get(&guid(1)).await.unwrap();
    let large: Vec<Vec<u8>> = (0..15).map(|number| vec![number; 32_768]).collect();
    let borrowed: Vec<&[u8]> = large.iter().map(Vec::as_slice).collect();
    let both = [(UserCertificate, values(&borrowed)), (UserSmimeCertificate, values(&borrowed))];
    bench.exchange.write(&ann, &both).await.unwrap();
    assert_eq!(bench.held(1), (large.clone(), large));
}
