//! An entry of a directory as a person: one mapping for LDAP and LDIF.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::{Attribute, Sha256};
use crate::people::{Address, Person, PersonKind, Problem, RawValue, proxy_addresses};
use crate::text::Text;

use super::entry::Entry;
use super::guid;

/// Where Entra takes the source anchor from unless told otherwise.
const CONSISTENCY_GUID: &str = "mS-DS-ConsistencyGuid";
const OBJECT_GUID: &str = "objectGUID";
/// ADS_UF_ACCOUNTDISABLE of userAccountControl ([MS-ADTS] 2.2.16).
const ACCOUNT_DISABLED: i64 = 2;
/// rangeUpper of both attributes in Active Directory, and Exchange's limit.
const MAX_VALUE_BYTES: usize = 32_768;

/// The attributes a person is made of, besides the source anchor's: what an account must be able to read.
pub const ATTRIBUTES: [&str; 16] = [
    "objectClass",
    "objectCategory",
    OBJECT_GUID,
    "entryUUID",
    CONSISTENCY_GUID,
    "displayName",
    "cn",
    "userPrincipalName",
    "mail",
    "proxyAddresses",
    "targetAddress",
    "userAccountControl",
    "isDeleted",
    "sAMAccountName",
    "userCertificate",
    "userSMIMECertificate",
];

/// What kind of person an entry is; `None` for what is no person: computers, groups, units.
///
/// An export without `objectClass` is taken by what only people have: a UPN or an address, and no computer's account name.
pub(super) fn kind(entry: &Entry) -> Option<PersonKind> {
    let is = |class: &str| entry.all("objectClass").any(|value| value.eq_ignore_ascii_case(class.as_bytes()));
    if !entry.has("objectClass") {
        let computer = entry.all("sAMAccountName").any(|name| name.ends_with(b"$"));
        let person = ["userPrincipalName", "mail", "proxyAddresses"].into_iter().any(|name| entry.has(name));
        return (person && !computer).then_some(PersonKind::User);
    }
    if is("computer") {
        None
    } else if is("user") || is("inetOrgPerson") {
        Some(PersonKind::User)
    } else if is("contact") {
        Some(PersonKind::Contact)
    } else {
        None
    }
}

/// The person of an entry; `None` for what is no person.
pub(super) fn person(entry: &Entry, source_anchor: Option<&str>) -> Option<Person> {
    let kind = kind(entry)?;
    let mut problems = Vec::new();
    let display_name = text(entry, "displayName", &mut problems).or_else(|| text(entry, "cn", &mut problems));
    let user_principal_name = text(entry, "userPrincipalName", &mut problems);
    let addresses = addresses(entry, kind, &mut problems);
    let values = values(entry, &mut problems);
    for (attribute, _) in entry.incomplete() {
        problems.push(problem("values_missing", attribute, None));
    }
    Some(Person {
        identity: identity(entry),
        distinguished_name: entry.dn.clone(),
        kind,
        display_name,
        user_principal_name,
        addresses,
        source_anchor: anchor(entry, source_anchor),
        enabled: entry
            .plain("userAccountControl")
            .find_map(|value| std::str::from_utf8(value).ok()?.trim().parse::<i64>().ok())
            .map(|control| control & ACCOUNT_DISABLED == 0),
        deleted: entry.plain("isDeleted").any(|value| value.eq_ignore_ascii_case(b"TRUE")),
        parts: Vec::new(),
        values,
        complete: Attribute::ALL.into_iter().all(|attribute| entry.missing_from(attribute.name()).is_none()),
        problems,
    })
}

/// objectGUID, else entryUUID, else the DN.
pub(super) fn identity(entry: &Entry) -> String {
    entry
        .plain(OBJECT_GUID)
        .find_map(guid::from_object_guid)
        .or_else(|| {
            let mut uuids = entry.plain("entryUUID").filter_map(|value| std::str::from_utf8(value).ok());
            uuids.find_map(guid::from_text)
        })
        .unwrap_or_else(|| entry.dn.clone())
}

/// Entra's ImmutableId: the anchor attribute's octets in base64.
fn anchor(entry: &Entry, configured: Option<&str>) -> Option<String> {
    let attribute = configured.unwrap_or(CONSISTENCY_GUID);
    let octets = entry.plain(attribute).find(|value| !value.is_empty());
    match octets {
        Some(octets) if attribute.eq_ignore_ascii_case(OBJECT_GUID) => object_guid_octets(octets),
        Some(octets) => Some(STANDARD.encode(octets)),
        // Entra fills ConsistencyGuid from objectGUID at its first run, so both mean the same person
        None if attribute.eq_ignore_ascii_case(CONSISTENCY_GUID) => {
            entry.plain(OBJECT_GUID).next().and_then(object_guid_octets)
        }
        None => None,
    }
}

/// The attributes a source anchor can come from.
pub(super) fn anchor_attributes(configured: Option<&str>) -> Vec<&str> {
    let attribute = configured.unwrap_or(CONSISTENCY_GUID);
    if attribute.eq_ignore_ascii_case(CONSISTENCY_GUID) { vec![attribute, OBJECT_GUID] } else { vec![attribute] }
}

fn object_guid_octets(value: &[u8]) -> Option<String> {
    guid::from_object_guid(value).and_then(|guid| guid::to_object_guid(&guid)).map(|octets| STANDARD.encode(octets))
}

fn text(entry: &Entry, attribute: &'static str, problems: &mut Vec<Problem>) -> Option<String> {
    texts(entry, attribute, problems).into_iter().map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}

fn texts<'a>(entry: &'a Entry, attribute: &'static str, problems: &mut Vec<Problem>) -> Vec<&'a str> {
    let mut texts = Vec::new();
    for value in entry.plain(attribute) {
        match std::str::from_utf8(value) {
            Ok(text) => texts.push(text),
            Err(_) => problems.push(problem("text_unreadable", attribute, Some(Sha256::of(value)))),
        }
    }
    texts
}

/// proxyAddresses, primary first; `mail` behind them or alone; a contact's targetAddress where there is nothing else.
fn addresses(entry: &Entry, kind: PersonKind, problems: &mut Vec<Problem>) -> Vec<Address> {
    let proxies = texts(entry, "proxyAddresses", problems);
    for proxy in &proxies {
        let smtp = proxy.split_once(':').filter(|(kind, _)| kind.eq_ignore_ascii_case("smtp"));
        if smtp.is_some_and(|(_, address)| Address::parse(address).is_none()) {
            problems.push(problem("address_unreadable", "proxyAddresses", Some(Sha256::of(proxy.as_bytes()))));
        }
    }
    let mut found = proxy_addresses(proxies);
    for mail in texts(entry, "mail", problems) {
        match Address::parse(mail) {
            Some(address) => found.push(address),
            None => problems.push(problem("address_unreadable", "mail", Some(Sha256::of(mail.as_bytes())))),
        }
    }
    if found.is_empty() && kind == PersonKind::Contact {
        for target in texts(entry, "targetAddress", problems) {
            let address = match target.split_once(':') {
                Some((kind, address)) if kind.eq_ignore_ascii_case("smtp") => Address::parse(address),
                Some(_) => continue,
                None => Address::parse(target),
            };
            match address {
                Some(address) => found.push(address),
                None => {
                    problems.push(problem("address_unreadable", "targetAddress", Some(Sha256::of(target.as_bytes()))))
                }
            }
        }
    }
    let mut seen = HashSet::new();
    found.retain(|address| seen.insert(address.key()));
    found
}

fn values(entry: &Entry, problems: &mut Vec<Problem>) -> Vec<RawValue> {
    let mut values = Vec::new();
    for attribute in Attribute::ALL {
        for bytes in entry.all(attribute.name()) {
            if bytes.is_empty() {
                problems.push(problem("value_empty", attribute.name(), None));
                continue;
            }
            let value = RawValue::new(attribute, bytes);
            if bytes.len() > MAX_VALUE_BYTES {
                problems.push(problem("value_too_large", attribute.name(), Some(value.sha256)));
            }
            values.push(value);
        }
    }
    values
}

/// A problem whose sentence is `problem.<code>`.
pub(super) fn problem(code: &'static str, attribute: &str, value_sha256: Option<Sha256>) -> Problem {
    Problem {
        code,
        message: Text::new("problem", code, vec![("attribute", attribute.to_owned())]),
        attribute: Some(attribute.to_owned()).filter(|attribute| !attribute.is_empty()),
        value_sha256,
    }
}

#[cfg(test)]
#[path = "person_tests.rs"]
mod tests;
