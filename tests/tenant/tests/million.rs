//! A million recipients in less than two gigabytes, listed and written like any others.

#![cfg(target_os = "linux")]

use std::error::Error;

use serde_json::json;
use smimesync_tenant::{Recipient, RecipientTypeDetails, State, Tenant};
use uuid::Uuid;

const COUNT: u32 = 1_000_000;

fn recipient(number: u32) -> Recipient {
    // a tenth have a value of their own
    let value = if number.is_multiple_of(10) { number } else { 0 };
    let mut certificate = vec![0x30; 1200];
    certificate[4..8].copy_from_slice(&value.to_be_bytes());
    let address = format!("person.number{number}@contoso.example");
    Recipient {
        guid: Uuid::from_u128(u128::from(number) + 1),
        external_directory_object_id: Some(Uuid::from_u128(u128::from(number) + (1 << 64))),
        recipient_type_details: RecipientTypeDetails::UserMailbox,
        display_name: format!("Person Number {number}"),
        user_principal_name: Some(address.clone()),
        primary_smtp_address: address.clone(),
        email_addresses: vec![
            format!("SMTP:{address}"),
            format!("smtp:p{number}@contoso.onmicrosoft.com"),
            format!("SIP:{address}"),
        ],
        is_dir_synced: false,
        is_exchange_cloud_managed: false,
        immutable_id: Some(format!("q83vEjRW{number:014}==")),
        user_certificate: vec![certificate],
        user_smime_certificate: Vec::new(),
    }
}

/// The most memory this process ever had, in bytes.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[test]
fn a_million_recipients_fit_into_two_gigabytes() -> Result<(), Box<dyn Error>> {
    let state: State = serde_json::from_value(json!({
        "tenant": { "id": Uuid::from_u128(7), "domain": "contoso.onmicrosoft.com" },
        "apps": [],
    }))?;
    let tenant = Tenant::with_recipients(state, (0..COUNT).map(recipient))?;
    assert_eq!(tenant.recipient_count(), 1_000_000);
    for number in [0, 777_777, COUNT - 1] {
        let found = tenant.recipient(&format!("P{number}@contoso.onmicrosoft.com")).ok_or("not found")?;
        assert_eq!(found, recipient(number));
    }
    let peak = peak().ok_or("no VmHWM")?;
    assert!(peak < 2_000_000_000, "{peak} bytes");
    Ok(())
}
