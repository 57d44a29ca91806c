//! What Exchange Online would say: it trusts the collection uploaded to it alone, and reads CRLs from public addresses.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::certificate::{Certificate, Sha256};

use super::catalogue as rule;
use super::demands;
use super::evidence::{Anchor, Evidence};
use super::lints::text;
use super::path::{Outcome, Search};
use super::rules::{RevocationCheck, Rules};
use super::signature::{self, SignatureCheck};
use super::verdict::Finding;

/// A tenant's collection of authorities, `SMIMECertificateIssuingCA` (an SST).
#[derive(Debug)]
pub struct Tenant {
    evidence: Box<Evidence>,
    roots: HashSet<Sha256>,
    intermediates: HashSet<Sha256>,
    /// Subject and end of validity of all of it.
    ends: Vec<(String, i64)>,
}

impl Tenant {
    /// Takes the certificates of the collection over. Those that are signed with their own key are its roots.
    pub fn new(certificates: Vec<Certificate>) -> Self {
        let ends = certificates.iter().map(|held| (held.subject.clone(), held.not_after_ms)).collect();
        let (roots, intermediates): (Vec<_>, Vec<_>) = certificates.into_iter().partition(is_root);
        let digests = |held: &[Certificate]| held.iter().map(|certificate| certificate.sha256).collect();
        let (root_digests, intermediate_digests) = (digests(&roots), digests(&intermediates));
        let anchors = roots.into_iter().map(|certificate| Anchor { certificate, domains: None }).collect();
        let evidence = Box::new(Evidence::new(anchors, intermediates, Vec::new()));
        Self { evidence, roots: root_digests, intermediates: intermediate_digests, ends }
    }

    /// Subjects of the authorities whose time is over. A collection with one of them cannot be uploaded, whether or not
    /// anybody needs that one.
    pub fn expired(&self, at_ms: i64) -> impl Iterator<Item = &str> {
        self.ends.iter().filter(move |(_, end)| at_ms > *end).map(|(subject, _)| subject.as_str())
    }

    /// Whether it holds a whole path that was found elsewhere, so that none needs to be looked for in it.
    fn holds(&self, found: &Outcome<'_>) -> bool {
        let [_, intermediates @ .., root] = &found.path[..] else { return false };
        found.complete
            && self.roots.contains(&root.sha256)
            && intermediates.iter().all(|held| self.intermediates.contains(&held.sha256))
    }
}

/// What cannot be checked counts: a root's own signature proves nothing.
fn is_root(certificate: &Certificate) -> bool {
    let details = &certificate.details;
    let check = || signature::check(&details.signature, &details.public_key, None);
    certificate.is_self_issued() && check() != SignatureCheck::Bad
}

/// Holds a certificate, and the path found elsewhere, against a tenant.
pub(super) fn check(
    certificate: &Certificate,
    found: &Outcome<'_>,
    tenant: &Tenant,
    rules: &Rules,
    findings: &mut Vec<Finding>,
) {
    if !tenant.holds(found) {
        chain(certificate, tenant, rules, findings);
    }
    let expired: Vec<_> = tenant.expired(rules.at_ms).collect();
    if !expired.is_empty() {
        findings.push(rule::TENANT_STORE_EXPIRED.broken().observed(expired.join("; ")));
    }
    // nobody asks for a CRL about an anchor
    let asked = found.path.len().saturating_sub(usize::from(found.complete));
    for (index, certificate) in found.path.iter().take(asked).enumerate() {
        lists(certificate, index, findings);
    }
}

/// Whether the collection holds all of a path, its root included: Exchange Online has nothing else to build one from.
fn chain(certificate: &Certificate, tenant: &Tenant, rules: &Rules, findings: &mut Vec<Finding>) {
    let rules = Rules { revocation: RevocationCheck::Off, fetch_issuers: false, ..rules.clone() };
    let outcome = Search::new(&tenant.evidence, &rules, &demands::NONE, &[], None).run(certificate);
    if !outcome.complete {
        let missing = outcome.path.last().map(|last| last.issuer.as_str()).unwrap_or_default();
        findings.push(rule::TENANT_CHAIN.broken().observed(missing));
    }
}

/// Whether the addresses of a certificate's CRL look as if they could be reached from outside.
fn lists(certificate: &Certificate, index: usize, findings: &mut Vec<Finding>) {
    let extensions = &certificate.details.extensions;
    let urls: Vec<&str> = extensions.distribution_points.iter().flat_map(|point| point.urls()).collect();
    if urls.is_empty() {
        // what its issuer says nothing about needs no CRL (RFC 9608)
        if !extensions.no_revocation {
            findings.push(rule::CRL_NONE.broken_by(index).observed(&certificate.subject));
        }
    } else if !urls.iter().any(|url| is_public(url)) {
        findings.push(rule::CRL_NOT_PUBLIC.broken_by(index).observed(urls.join(", ")));
    }
}

/// Whether a URL's form lets it be reached from everywhere: a scheme for CRLs, and a host that is not some network's own.
fn is_public(url: &str) -> bool {
    let known = ["http", "https", "ldap", "ldaps"].contains(&text::scheme(url).as_str());
    known
        && text::host(url).is_some_and(|host| match host.parse::<IpAddr>() {
            Ok(address) => is_public_address(address),
            Err(_) => !text::is_inside(&host),
        })
}

fn is_public_address(address: IpAddr) -> bool {
    let v4 = |address: Ipv4Addr| {
        let [first, second, ..] = address.octets();
        // 100.64.0.0/10: shared among a provider's customers (RFC 6598)
        let shared = first == 100 && (64..128).contains(&second);
        let own = address.is_private() || address.is_loopback() || address.is_link_local();
        !own && !shared && !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast()
    };
    match address.to_canonical() {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => {
            let own = address.is_unique_local() || address.is_unicast_link_local() || address.is_loopback();
            !own && !address.is_unspecified() && !address.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_some_network_alone_are_not_public() {
        for inside in [
            "ldap:///CN=CA,CN=CDP,DC=contoso,DC=com?certificateRevocationList?base",
            "http://pki/ca.crl",
            "http://pki.contoso.local/ca.crl",
            "http://pki.contoso.LAN./ca.crl",
            "http://crl.corp/ca.crl",
            "http://crl.contoso.internal:8080/ca.crl",
            "http://10.1.2.3/ca.crl",
            "http://172.31.0.1/ca.crl",
            "http://192.168.0.1/ca.crl",
            "http://100.64.0.1/ca.crl",
            "http://127.0.0.1/ca.crl",
            "http://169.254.1.1/ca.crl",
            "http://[::1]/ca.crl",
            "http://[fd00::1]/ca.crl",
            "http://[fe80::1]/ca.crl",
            "http://[::ffff:10.0.0.1]/ca.crl",
            "file://pki.contoso.com/share/ca.crl",
            "ca.crl",
            "",
        ] {
            assert!(!is_public(inside), "{inside}");
        }
        for outside in [
            "http://crl.contoso.com/ca.crl",
            "https://crl.contoso.com:8443/ca.crl",
            "ldap://ldap.contoso.com/CN=CA?certificateRevocationList",
            "http://198.51.100.7/ca.crl",
            "http://[2001:db8::1]/ca.crl",
        ] {
            assert!(is_public(outside), "{outside}");
        }
    }
}
