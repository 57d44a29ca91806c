//! Name constraints along a path: RFC 5280 4.2.1.10, 6.1.3 (b) and (c), 6.1.4 (g); RFC 9598 6; those of an anchor too (RFC 5937).

use std::borrow::Cow;

use url::Host;

use crate::certificate::{Certificate, GeneralName, NameConstraints, NameKey, Subtree};

use super::address::domain_key;
use super::catalogue as rule;
use super::path::Link;
use super::verdict::Finding;

/// Comparisons of names for one certificate; beyond them nothing is concluded.
pub(super) const MAX_COMPARISONS: usize = 250_000;

/// How a name stands to a subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// They are of different forms.
    OtherForm,
    Inside,
    Outside,
    /// The name is of the form, and has not what would be compared: it is neither permitted nor safe from exclusion.
    Nowhere,
    /// Nobody here compares such names.
    Unknown,
}

/// Checks the names of a path, leaf first. `left`: how many comparisons may still be made.
pub(super) fn check(path: &[Link<'_>], left: &mut usize, findings: &mut Vec<Finding>) {
    let mut constraints: Vec<&NameConstraints> = Vec::new();
    for (index, link) in path.iter().enumerate().rev() {
        // the anchor is not checked, and neither is an authority that only certifies itself anew
        if index == 0 || !link.certificate.is_self_issued() {
            certificate(link.certificate, index, &constraints, left, findings);
        }
        constraints.extend(&link.certificate.details.extensions.name_constraints);
    }
}

fn certificate(
    certificate: &Certificate,
    index: usize,
    constraints: &[&NameConstraints],
    left: &mut usize,
    findings: &mut Vec<Finding>,
) {
    if constraints.is_empty() {
        return;
    }
    for name in names(certificate) {
        for constraint in constraints {
            let subtrees = constraint.permitted.len() + constraint.excluded.len();
            let Some(rest) = left.checked_sub(subtrees) else {
                findings.push(rule::NAME_CONSTRAINTS_LIMIT.broken_by(index).expected(MAX_COMPARISONS.to_string()));
                return;
            };
            *left = rest;
            let finding = match against(constraint, &name) {
                None => continue,
                Some(rule) => rule.broken_by(index),
            };
            findings.push(finding.observed(name.shown()).expected(permitted(constraint, &name)));
            // one finding says enough about one certificate
            return;
        }
    }
}

/// The rule that a name breaks.
fn against(constraint: &NameConstraints, name: &GeneralName) -> Option<&'static rule::Rule> {
    let mut unknown = false;
    for subtree in &constraint.excluded {
        match place(subtree, name) {
            Place::Inside | Place::Nowhere => return Some(&rule::NAME_EXCLUDED),
            Place::Unknown => unknown = true,
            Place::Outside | Place::OtherForm => {}
        }
    }
    let mut spoken_of = false;
    let mut inside = false;
    let mut undecided = false;
    for subtree in &constraint.permitted {
        let place = place(subtree, name);
        spoken_of |= place != Place::OtherForm;
        inside |= place == Place::Inside;
        undecided |= place == Place::Unknown;
    }
    match (spoken_of && !inside, unknown || undecided) {
        (true, false) => Some(&rule::NAME_NOT_PERMITTED),
        (true, true) => Some(&rule::NAME_CONSTRAINTS_UNCHECKED),
        (false, _) if unknown => Some(&rule::NAME_CONSTRAINTS_UNCHECKED),
        (false, _) => None,
    }
}

/// What would have been permitted, as far as one line holds it.
fn permitted(constraint: &NameConstraints, name: &GeneralName) -> String {
    const SHOWN: usize = 5;
    let of_form = constraint.permitted.iter().filter(|subtree| place(subtree, name) != Place::OtherForm);
    of_form.take(SHOWN).map(|subtree| subtree.base.shown()).collect::<Vec<_>>().join(", ")
}

/// Everything in a certificate that a constraint can speak of.
fn names(certificate: &Certificate) -> impl Iterator<Item = Cow<'_, GeneralName>> {
    let details = &certificate.details;
    let subject = (!details.subject.is_empty())
        .then(|| Cow::Owned(GeneralName::Directory(details.subject.clone(), certificate.subject.clone())));
    // RFC 5280 asks for these only where subjectAltName has no rfc822Name; matching takes them in any case, so this does too
    let emails = details.subject_emails.iter().map(|email| Cow::Owned(GeneralName::Email(email.clone())));
    subject.into_iter().chain(emails).chain(details.extensions.alternative_names.iter().map(Cow::Borrowed))
}

fn place(subtree: &Subtree, name: &GeneralName) -> Place {
    let place = match (&subtree.base, name) {
        (GeneralName::Email(base), GeneralName::Email(name) | GeneralName::Utf8Mailbox(name)) => mailbox(base, name),
        (GeneralName::Upn(base), GeneralName::Upn(name)) => mailbox(base, name),
        (GeneralName::Dns(base), GeneralName::Dns(name)) => dns(base, name),
        (GeneralName::Uri(base), GeneralName::Uri(name)) => uri(base, name),
        (GeneralName::Directory(base, _), GeneralName::Directory(name, _)) => directory(base, name),
        (GeneralName::Ip(base), GeneralName::Ip(name)) => ip(base, name),
        // RFC 9598 6 constrains these by rfc822Name alone
        (GeneralName::Utf8Mailbox(_), GeneralName::Utf8Mailbox(_)) => Place::Unknown,
        (GeneralName::Other(base), GeneralName::Other(name)) if base == name => Place::Unknown,
        _ => Place::OtherForm,
    };
    if subtree.bounded && place != Place::OtherForm { Place::Unknown } else { place }
}

fn inside(yes: bool) -> Place {
    if yes { Place::Inside } else { Place::Outside }
}

fn directory(base: &NameKey, name: &NameKey) -> Place {
    inside(name.is_within(base))
}

/// One mailbox, all of a host, or all of the hosts below a domain that begins with a dot.
fn mailbox(base: &str, name: &str) -> Place {
    let Some((local, host)) = name.rsplit_once('@') else { return Place::Nowhere };
    // some take an empty one for all mailboxes, some for none: neither is relied on
    if base.is_empty() || base == "@" {
        return Place::Nowhere;
    }
    let host = host_key(host);
    match base.rsplit_once('@') {
        // Microsoft's tools write a user principal name's host with the sign in front
        Some(("", base)) => inside(host == host_key(base)),
        Some((base_local, base)) => inside(base_local == local && host_key(base) == host),
        None => inside(host_within(base, &host, false)),
    }
}

/// The host or what is below it.
fn dns(base: &str, name: &str) -> Place {
    inside(base.is_empty() || host_within(base, &host_key(name), true))
}

/// The host, or the hosts below a domain that begins with a dot; a URI without a host's name is nowhere.
fn uri(base: &str, name: &str) -> Place {
    match uri_host(name) {
        Some(host) if !base.is_empty() => inside(host_within(base, &host_key(host), false)),
        _ => Place::Nowhere,
    }
}

/// The registered name in a URI's authority (RFC 3986 3.2.2); an address is none.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let named = !host.is_empty() && !host.starts_with('[') && matches!(Host::parse(host), Ok(Host::Domain(_)));
    named.then_some(host)
}

/// Whether a host is the base or, where the base begins with a dot or `or_below`, below it.
fn host_within(base: &str, host: &str, or_below: bool) -> bool {
    if let Some(domain) = base.strip_prefix('.') {
        return host.strip_suffix(&host_key(domain)).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'));
    }
    let base = host_key(base);
    host == base || or_below && host.strip_suffix(&base).is_some_and(|rest| rest.ends_with('.'))
}

/// A host as hosts compare: lower case, A-labels (RFC 9549), without the root's dot.
fn host_key(host: &str) -> String {
    domain_key(host.strip_suffix('.').unwrap_or(host))
}

/// An address within address and mask.
fn ip(base: &[u8], name: &[u8]) -> Place {
    let (address, mask) = base.split_at(base.len() / 2);
    let masked = || name.iter().zip(address).zip(mask).all(|((name, address), mask)| name & mask == address & mask);
    inside(name.len() == address.len() && masked())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(base: &str, name: &str) -> Place {
        mailbox(base, name)
    }

    #[test]
    fn mailboxes_hosts_and_domains() {
        assert_eq!(email("ann@contoso.com", "ann@CONTOSO.com"), Place::Inside);
        assert_eq!(email("ann@contoso.com", "Ann@contoso.com"), Place::Outside);
        assert_eq!(email("contoso.com", "ann@contoso.com"), Place::Inside);
        assert_eq!(email("contoso.com", "ann@mail.contoso.com"), Place::Outside);
        assert_eq!(email(".contoso.com", "ann@mail.contoso.com"), Place::Inside);
        assert_eq!(email(".contoso.com", "ann@contoso.com"), Place::Outside);
        assert_eq!(email(".contoso.com", "ann@evilcontoso.com"), Place::Outside);
        assert_eq!(email("", "ann@contoso.com"), Place::Nowhere);
        assert_eq!(email("contoso.com", "contoso.com"), Place::Nowhere);
        assert_eq!(email("contoso.com", "ann@evil.com@contoso.com"), Place::Inside);
        assert_eq!(email("xn--mller-kva.de", "änne@müller.de"), Place::Inside);
        assert_eq!(email("@contoso.com", "ann@contoso.com"), Place::Inside);
    }

    #[test]
    fn hosts() {
        assert_eq!(dns("contoso.com", "WWW.contoso.com."), Place::Inside);
        assert_eq!(dns("contoso.com", "evilcontoso.com"), Place::Outside);
        assert_eq!(dns(".contoso.com", "contoso.com"), Place::Outside);
        assert_eq!(dns("", "contoso.com"), Place::Inside);
    }

    #[test]
    fn uris_are_compared_by_host() {
        assert_eq!(uri("contoso.com", "https://ann:secret@Contoso.com:443/x"), Place::Inside);
        assert_eq!(uri("contoso.com", "https://contoso.com@evil.com/"), Place::Outside);
        assert_eq!(uri("contoso.com", "https://evil.com/@contoso.com"), Place::Outside);
        assert_eq!(uri(".contoso.com", "https://www.contoso.com"), Place::Inside);
        assert_eq!(uri("contoso.com", "https://www.contoso.com"), Place::Outside);
        for nowhere in ["mailto:ann@contoso.com", "https://127.0.0.1/", "https://[::1]/", "https:///x"] {
            assert_eq!(uri("contoso.com", nowhere), Place::Nowhere, "{nowhere}");
        }
    }

    #[test]
    fn addresses_within_a_mask() {
        let base = [10, 0, 0, 0, 255, 0, 0, 0];
        assert_eq!(ip(&base, &[10, 9, 8, 7]), Place::Inside);
        assert_eq!(ip(&base, &[11, 0, 0, 0]), Place::Outside);
        assert_eq!(ip(&base, &[0; 16]), Place::Outside);
    }
}
