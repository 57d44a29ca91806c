//! subjectAltName and the addresses in it (SBR 7.1.2.3 h, 7.1.4.2.1; RFC 5280 4.2.1.6, RFC 9598).

use super::name::GeneralName;
use super::rule::Answer;
use super::text;
use super::view::{SMTP_UTF8_MAILBOX, View};
use super::{authority_information_access, crl_distribution, policies};

const ALTERNATIVE_NAME: &str = "2.5.29.17";
const USER_PRINCIPAL_NAME: &str = "1.3.6.1.4.1.311.20.2.3";
const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";
const BYTE_ORDER_MARK: char = '\u{feff}';

fn of_kind<T>(view: &View<'_>, take: impl Fn(&GeneralName) -> Option<T>) -> Vec<T> {
    view.names().filter_map(take).collect()
}

fn rfc822_names(view: &View<'_>) -> Vec<String> {
    of_kind(view, |name| if let GeneralName::Rfc822(address) = name { Some(address.clone()) } else { None })
}

fn utf8_mailboxes(view: &View<'_>) -> Vec<String> {
    of_kind(view, |name| name.other_text(SMTP_UTF8_MAILBOX))
}

fn dns_names(view: &View<'_>) -> Vec<String> {
    of_kind(view, |name| if let GeneralName::Dns(name) = name { Some(name.clone()) } else { None })
}

/// Every URI of a certificate, wherever it stands.
fn uris(view: &View<'_>) -> Vec<String> {
    let own = of_kind(view, |name| if let GeneralName::Uri(uri) = name { Some(uri.clone()) } else { None });
    [own, crl_distribution::uris(view), authority_information_access::uris(view), policies::statements(view)].concat()
}

/// Broken by those of which something does not hold; nothing to say without any.
fn each(values: Vec<String>, holds: impl Fn(&str) -> bool) -> Answer {
    Answer::given(!values.is_empty(), || Answer::without(values.into_iter().filter(|value| !holds(value)).collect()))
}

pub(super) fn present(view: &View<'_>) -> Answer {
    Answer::broken_if(view.alternative_names.is_none())
}

pub(super) fn critical_needlessly(view: &View<'_>) -> Answer {
    let extension = view.extension(ALTERNATIVE_NAME);
    extension
        .map_or(Answer::Nothing, |extension| Answer::broken_if(extension.critical && !view.subject.rdns.is_empty()))
}

pub(super) fn critical_where_needed(view: &View<'_>) -> Answer {
    let extension = view.extension(ALTERNATIVE_NAME).filter(|_| view.subject.rdns.is_empty());
    extension.map_or(Answer::Nothing, |extension| Answer::broken_if(!extension.critical))
}

pub(super) fn has_address(view: &View<'_>) -> Answer {
    Answer::given(view.alternative_names.is_some(), || Answer::broken_if(view.addresses().is_empty()))
}

pub(super) fn name_types(view: &View<'_>) -> Answer {
    Answer::given(view.alternative_names.is_some(), || {
        let allowed = ["rfc822Name", "directoryName", "otherName"];
        let wrong = view.names().map(GeneralName::kind).filter(|kind| !allowed.contains(kind));
        Answer::without(wrong.map(str::to_owned).collect()).expecting(allowed.join(", "))
    })
}

pub(super) fn other_name_types(view: &View<'_>) -> Answer {
    let kinds =
        of_kind(view, |name| if let GeneralName::Other { kind, .. } = name { Some(kind.clone()) } else { None });
    each(kinds, |kind| kind == SMTP_UTF8_MAILBOX).expecting(SMTP_UTF8_MAILBOX)
}

pub(super) fn address_syntax(view: &View<'_>) -> Answer {
    each(rfc822_names(view), text::is_mailbox)
}

pub(super) fn subject_address_syntax(view: &View<'_>) -> Answer {
    each(view.subjects().flat_map(|name| name.values(EMAIL_ADDRESS)).map(str::to_owned).collect(), text::is_mailbox)
}

pub(super) fn address_domain_length(view: &View<'_>) -> Answer {
    each(view.addresses(), |address| text::domain_of(address).len() <= text::MAX_DOMAIN)
}

pub(super) fn utf8_syntax(view: &View<'_>) -> Answer {
    each(utf8_mailboxes(view), |address| address.contains('@'))
}

pub(super) fn utf8_domain(view: &View<'_>) -> Answer {
    let mut addresses = utf8_mailboxes(view);
    // one without any @ breaks the rule on syntax, and one that is too long that on length
    addresses.retain(|address| address.contains('@') && text::domain_of(address).len() <= text::MAX_DOMAIN);
    each(addresses, |address| text::is_domain(text::domain_of(address)))
}

pub(super) fn utf8_needed(view: &View<'_>) -> Answer {
    let mut addresses = utf8_mailboxes(view);
    addresses.retain(|address| address.contains('@'));
    each(addresses, |address| address.split('@').next().is_some_and(|local| !local.is_ascii()))
}

pub(super) fn utf8_no_mark(view: &View<'_>) -> Answer {
    each(utf8_mailboxes(view), |address| !address.starts_with(BYTE_ORDER_MARK))
}

pub(super) fn utf8_lower_case(view: &View<'_>) -> Answer {
    each(utf8_mailboxes(view), |address| !text::domain_of(address).contains(char::is_uppercase))
}

pub(super) fn principal_syntax(view: &View<'_>) -> Answer {
    each(of_kind(view, |name| name.other_text(USER_PRINCIPAL_NAME)), text::is_any_mailbox)
}

pub(super) fn domain_inside(view: &View<'_>) -> Answer {
    each(view.addresses(), |address| !text::is_inside(text::domain_of(address)))
}

pub(super) fn dns_syntax(view: &View<'_>) -> Answer {
    each(dns_names(view), |name| text::is_domain(name.strip_prefix("*.").unwrap_or(name)))
}

pub(super) fn uri_syntax(view: &View<'_>) -> Answer {
    each(uris(view), text::is_uri)
}

pub(super) fn uri_domain_length(view: &View<'_>) -> Answer {
    each(uris(view), |uri| text::host(uri).is_none_or(|host| host.len() <= text::MAX_DOMAIN))
}

/// emailAddress in the subject, or in a directoryName, has to be repeated as an address.
pub(super) fn repeats_email_address(view: &View<'_>) -> Answer {
    let addresses = view.addresses();
    let named = view.subjects().flat_map(|name| name.values(EMAIL_ADDRESS)).map(str::to_owned).collect();
    each(named, |address| addresses.iter().any(|known| known == address))
}

/// So does an address in any other attribute.
pub(super) fn repeats_attribute_address(view: &View<'_>) -> Answer {
    let addresses = view.addresses();
    let attributes = view.subjects().flat_map(|name| name.attributes());
    let others = attributes.filter(|attribute| attribute.kind != EMAIL_ADDRESS);
    let named = others.filter_map(|attribute| attribute.value.clone()).filter(|value| text::is_any_mailbox(value));
    each(named.collect(), |address| addresses.iter().any(|known| known == address))
}
