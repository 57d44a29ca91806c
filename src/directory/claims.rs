//! Who else could be the person behind a recipient: how to ask for everybody with one of its names.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::config::{Config, Directory, DirectoryKind};
use crate::error::Result;
use crate::people::Recipient;

use super::filter::escape;
use super::selection::Selection;

/// Recipients asked about in one search; beyond a few such searches reading everybody is cheaper.
const AT_ONCE: usize = 50;
const MOST_SEARCHES: usize = 4;
/// Recipients that can be asked about; for more, everybody is read, whichever they are.
pub const MOST_CLAIMED: usize = AT_ONCE * MOST_SEARCHES;

/// Reads that together find everybody of the configuration's scope who has the anchor, the user principal name or an
/// address of one of these recipients, and perhaps others.
pub fn claims(config: &Directory, recipients: &[&Recipient]) -> Vec<Selection> {
    // a file is read to its end in any case
    if config.kind == DirectoryKind::Ldif || recipients.len() > MOST_CLAIMED {
        return vec![Selection::default()];
    }
    let by_names = |recipients: &[&Recipient]| {
        let names: String = recipients.iter().map(|recipient| names(config, recipient)).collect();
        Selection { filter: Some(format!("(|{names})")), ..Selection::default() }
    };
    recipients.chunks(AT_ONCE).map(by_names).collect()
}

/// The same for all directories of a configuration, to be read by [`super::read_all`]. Several are read to their end in
/// any case: who has a recipient's name in one is who the others say.
///
/// # Errors
/// `config_missing`.
pub fn claims_of(config: &Config, recipients: &[&Recipient]) -> Result<Vec<Selection>> {
    Ok(match config.all_directories()?.as_slice() {
        [only] => claims(only, recipients),
        _ => vec![Selection::default()],
    })
}

/// Filters, one behind the other, for everything a person can be matched to a recipient by.
fn names(config: &Directory, recipient: &Recipient) -> String {
    let mut filters = String::new();
    if let Some(name) = &recipient.user_principal_name {
        filters.push_str(&format!("(userPrincipalName={})", escape(name)));
    }
    for address in &recipient.addresses {
        let address = escape(address.as_str());
        for (attribute, prefix) in
            [("mail", ""), ("proxyAddresses", "smtp:"), ("targetAddress", "smtp:"), ("targetAddress", "")]
        {
            filters.push_str(&format!("({attribute}={prefix}{address})"));
        }
    }
    let anchor = recipient.immutable_id.as_ref().and_then(|anchor| BASE64_STANDARD.decode(anchor).ok());
    if let Some(octets) = anchor {
        let value: String = octets.iter().map(|octet| format!("\\{octet:02x}")).collect();
        for attribute in super::person::anchor_attributes(config.source_anchor.as_deref()) {
            filters.push_str(&format!("({attribute}={value})"));
        }
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::super::entry::Entry;
    use super::super::filter::Filter;
    use super::super::person::person;
    use super::*;
    use crate::people::{Match, RecipientClass, RecipientIndex};

    fn recipient() -> Recipient {
        Recipient {
            identity: "r".into(),
            class: RecipientClass::Mailbox,
            external_directory_object_id: None,
            display_name: None,
            user_principal_name: Some("ann@x.test".into()),
            addresses: ["Ann.Lee@x.test", "a*(b)@x.test"]
                .iter()
                .filter_map(|text| crate::people::Address::parse(text))
                .collect(),
            recipient_type_details: "UserMailbox".into(),
            is_dir_synced: false,
            is_exchange_cloud_managed: false,
            immutable_id: Some(BASE64_STANDARD.encode(b"0123456789abcdef")),
            user_certificate: None,
            user_smime_certificate: None,
        }
    }

    fn entry(class: &str, attribute: &str, value: &[u8]) -> Entry {
        let mut entry = Entry::new("CN=x,DC=x".into());
        assert!(entry.add("objectClass", [class.as_bytes().to_vec()]) && entry.add(attribute, [value.to_vec()]));
        entry
    }

    #[test]
    fn whoever_could_claim_a_recipient_is_found() {
        let recipient = recipient();
        let selections = claims(&Directory::default(), &[&recipient]);
        let filter = Filter::parse(selections[0].filter.as_deref().unwrap()).unwrap();
        let index = RecipientIndex::new([&recipient]);
        for (class, attribute, value) in [
            ("user", "userPrincipalName", b"ANN@x.test".as_slice()),
            ("user", "mail", b"ann.lee@X.test"),
            ("user", "proxyAddresses", b"SMTP:ann.lee@x.test"),
            ("contact", "targetAddress", b"SMTP:a*(b)@x.test"),
            ("contact", "targetAddress", b"ann.lee@x.test"),
            ("user", "objectGUID", b"0123456789abcdef"),
            ("user", "mS-DS-ConsistencyGuid", b"0123456789abcdef"),
        ] {
            let entry = entry(class, attribute, value);
            assert_eq!(index.find(&person(&entry, None).unwrap()), Match::One(0), "{attribute}");
            assert!(filter.matches(&entry), "{attribute}");
        }
        assert!(!filter.matches(&entry("user", "mail", b"bob@x.test")));
    }

    #[test]
    fn many_recipients_and_files_are_asked_by_reading_everybody() {
        let recipient = recipient();
        let count = |kind, recipients| {
            let config = Directory { kind, ..Directory::default() };
            let selections = claims(&config, &vec![&recipient; recipients]);
            (selections.len(), selections.iter().all(|selection| *selection == Selection::default()))
        };
        assert_eq!(count(DirectoryKind::Ldap, 51), (2, false));
        assert_eq!(count(DirectoryKind::Ldap, 201), (1, true));
        assert_eq!(count(DirectoryKind::Ldif, 1), (1, true));
    }
}
