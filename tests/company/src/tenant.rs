//! The tenant's state file, in the form the Exchange Online double starts from and saves to.

use crate::company::Company;
use crate::maker::TENANT_DOMAIN;
use crate::person::{Attribute, Held, Mailbox, Person, Recipient};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The tenant before the first run.
pub fn state(company: &Company) -> Value {
    let mut recipients: Vec<Value> = company.people.iter().filter_map(of_person).collect();
    recipients.extend(company.strangers.iter().map(|stranger| {
        let addresses = std::slice::from_ref(&stranger.address);
        recipient(&stranger.recipient, &stranger.display_name, addresses, None, &stranger.held)
    }));
    json!({
        "tenant": { "id": company.tenant_id.to_string(), "domain": TENANT_DOMAIN },
        "apps": [ { "app_id": company.app_id.to_string(), "secret": company.secret } ],
        "recipients": recipients,
        "smime_config": { "SMIMECertificateIssuingCA": null },
        "switches": {},
    })
}

fn of_person(person: &Person) -> Option<Value> {
    let found = match &person.mailbox {
        Mailbox::Own(found) => found,
        Mailbox::Ambiguous(found) if !found.shared_with_other => found,
        Mailbox::Ambiguous(_) | Mailbox::None => return None,
    };
    let immutable_id =
        person.source_anchor.filter(|_| found.has_immutable_id).map(|id| STANDARD.encode(id.to_bytes_le()));
    Some(recipient(found, &person.name.display, &person.addresses, immutable_id, &person.held))
}

fn recipient(
    found: &Recipient,
    display_name: &str,
    addresses: &[String],
    immutable_id: Option<String>,
    held: &[Held],
) -> Value {
    let values = |attribute: Attribute| -> Vec<String> {
        held.iter().filter(|value| value.attribute == attribute).map(|value| STANDARD.encode(&value.bytes)).collect()
    };
    let prefixed = |(i, address): (usize, &String)| format!("{}:{address}", if i == 0 { "SMTP" } else { "smtp" });
    json!({
        "guid": found.guid.to_string(),
        "external_directory_object_id": found.external_directory_object_id.to_string(),
        "recipient_type_details": found.kind,
        "display_name": display_name,
        "user_principal_name": found.user_principal_name,
        "primary_smtp_address": addresses.first(),
        "email_addresses": addresses.iter().enumerate().map(prefixed).collect::<Vec<_>>(),
        "is_dir_synced": found.is_dir_synced,
        "is_exchange_cloud_managed": found.is_exchange_cloud_managed,
        "immutable_id": immutable_id,
        "user_certificate": values(Attribute::UserCertificate),
        "user_smime_certificate": values(Attribute::UserSmimeCertificate),
    })
}
