//! Whose certificate it is: its addresses beside the person's (RFC 8550 3, RFC 9598 5).

use url::Host;

use crate::certificate::Certificate;
use crate::people::Address;

use super::catalogue as rule;
use super::rules::{Audience, Rules};
use super::verdict::{AddressMatch, Finding, Severity};

/// How a certificate's addresses meet a person's.
#[derive(Debug, Default)]
pub(super) struct Matching {
    pub(super) found: Option<AddressMatch>,
    pub(super) exact: Option<bool>,
    /// Domains of which an anchor has to vouch for one; `None` where no anchor could help.
    pub(super) domains: Option<Vec<String>>,
}

/// Compares; without an audience there is nothing to find.
pub(super) fn check(
    certificate: &Certificate,
    audience: Option<&Audience<'_>>,
    rules: &Rules,
    findings: &mut Vec<Finding>,
) -> Matching {
    let own: Vec<Address> = certificate.emails.iter().filter_map(|email| Address::parse(email)).collect();
    let Some(audience) = audience else {
        let domains = own.iter().map(|address| domain_key(address.domain())).collect();
        return Matching { domains: Some(domains), ..Matching::default() };
    };
    let primary = audience.addresses.first();
    if certificate.emails.is_empty() {
        let mut finding = rule::ADDRESS_ABSENT.broken_by(0).expected(primary.map(Address::as_str).unwrap_or_default());
        if rules.allow_no_address {
            finding.severity = Severity::Warn;
        }
        findings.push(finding);
        let domains = primary.map(|address| domain_key(address.domain())).into_iter().collect();
        return Matching { found: Some(AddressMatch::Absent), exact: None, domains: Some(domains) };
    }
    let pairs: Vec<(usize, &Address, &Address)> = audience
        .addresses
        .iter()
        .enumerate()
        .flat_map(|(rank, theirs)| own.iter().map(move |ours| (rank, theirs, ours)))
        .filter(|(_, theirs, ours)| same_mailbox(theirs, ours))
        .collect();
    // the primary address counts before another, an exact match before one in other case
    let best =
        pairs.iter().min_by_key(|(rank, theirs, ours)| (*rank > 0, theirs.local_part() != ours.local_part(), *rank));
    let Some((rank, theirs, ours)) = best else {
        let expected = primary.map(Address::as_str).unwrap_or_default();
        findings.push(rule::ADDRESS_OTHER.broken_by(0).observed(certificate.emails.join(", ")).expected(expected));
        return Matching { found: Some(AddressMatch::Other), ..Matching::default() };
    };
    let exact = theirs.local_part() == ours.local_part();
    if *rank > 0 {
        let expected = primary.map(Address::as_str).unwrap_or_default();
        findings.push(rule::ADDRESS_SECONDARY.broken_by(0).observed(ours.as_str()).expected(expected));
    }
    if !exact {
        findings.push(rule::ADDRESS_CASE.broken_by(0).observed(ours.as_str()).expected(theirs.as_str()));
    }
    Matching {
        found: Some(if *rank == 0 { AddressMatch::Primary } else { AddressMatch::Secondary }),
        exact: Some(exact),
        domains: Some(pairs.iter().map(|(_, _, ours)| domain_key(ours.domain())).collect()),
    }
}

/// Whether a certificate names one of the person's mailboxes.
pub(super) fn names(certificate: &Certificate, audience: &Audience<'_>) -> bool {
    let mut own = certificate.emails.iter().filter_map(|email| Address::parse(email));
    own.any(|ours| audience.addresses.iter().any(|theirs| same_mailbox(theirs, &ours)))
}

/// Whether one of these domains is among those an anchor may vouch for.
pub(super) fn vouched_for(domains: &[String], anchor: &[String]) -> bool {
    let allowed: Vec<String> = anchor.iter().map(|domain| domain_key(domain)).collect();
    domains.iter().any(|domain| allowed.contains(domain))
}

fn same_mailbox(left: &Address, right: &Address) -> bool {
    left.local_part().to_lowercase() == right.local_part().to_lowercase()
        && domain_key(left.domain()) == domain_key(right.domain())
}

/// A domain as domains compare: lower case, A-labels, whichever form somebody wrote (RFC 9598 5).
pub(super) fn domain_key(domain: &str) -> String {
    if domain.is_ascii() {
        return domain.to_ascii_lowercase();
    }
    match Host::parse(domain) {
        Ok(Host::Domain(ascii)) => ascii,
        _ => domain.to_lowercase(),
    }
}
