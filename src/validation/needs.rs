//! What a verdict says it needs, within bounds: addresses come out of certificates, and certificates may be hostile.

use crate::certificate::{Certificate, CertificateId, DistributionPoint, Reasons, Sha256};

use super::evidence::Evidence;
use super::need::Need;

/// Needs of one verdict. A path of twelve certificates that each name a CRL and its changes stays below.
const MAX_NEEDS: usize = 32;
/// Addresses of one need.
const MAX_URLS: usize = 8;
/// Bytes of one address; longer than any that servers take (2,048 is the usual limit of a browser and of IIS).
const MAX_URL_LENGTH: usize = 2048;
/// Failures that a finding tells of.
const MAX_FAILURES: usize = 4;
/// Distribution points of one certificate or CRL that are looked at.
const MAX_POINTS: usize = 64;

const ANY: &[&str] = &["http://", "https://", "ldap://"];
const HTTP: &[&str] = &["http://", "https://"];

/// The needs of one path, as they turn up from the leaf upwards.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    evidence: &'a Evidence,
    stated: Vec<Need>,
}

impl<'a> Needs<'a> {
    pub(super) fn new(evidence: &'a Evidence) -> Self {
        Self { evidence, stated: Vec::new() }
    }

    /// All of them, sorted.
    pub(super) fn stated(mut self) -> Vec<Need> {
        self.stated.sort();
        self.stated
    }

    /// A certificate's issuer.
    pub(super) fn issuer(&mut self, certificate: &Certificate) {
        let urls = self.left(certificate.details.extensions.access.issuers.iter().map(String::as_str), ANY, None);
        self.state(urls, |urls| Need::Issuer { urls });
    }

    /// CRLs of these places, one for each set of reasons that is not `covered` yet. True if there is one left to ask for.
    pub(super) fn crls<'p>(&mut self, points: impl Iterator<Item = &'p DistributionPoint>, covered: Reasons) -> bool {
        let points: Vec<&DistributionPoint> = points.take(MAX_POINTS).collect();
        let mut reasons: Vec<Reasons> = Vec::new();
        for point in points.iter().filter(|point| point.reasons.and(covered) != point.reasons) {
            if !reasons.contains(&point.reasons) {
                reasons.push(point.reasons);
            }
        }
        let mut left = false;
        for reasons in reasons {
            // places with the same reasons are as good as each other
            let same = points.iter().filter(|point| point.reasons == reasons);
            let urls = self.left(same.flat_map(|point| point.urls()), ANY, None);
            left |= !urls.is_empty();
            self.state(urls, |urls| Need::Crl { urls });
        }
        left
    }

    /// Delta CRLs of these places.
    pub(super) fn changes<'p>(&mut self, points: impl Iterator<Item = &'p DistributionPoint>) {
        self.crls(points, Reasons::NONE);
    }

    /// An OCSP answer about a certificate.
    pub(super) fn answer(&mut self, certificate: &Certificate, issuer: &Certificate) {
        let responders = certificate.details.extensions.access.responders.iter().map(String::as_str);
        if let Some(request) = request(certificate, issuer) {
            let urls = self.left(responders, HTTP, Some(Sha256::of(&request)));
            self.state(urls, |urls| Need::Ocsp { urls, request });
        }
    }

    /// A cause, and why nothing came from the places a certificate names.
    pub(super) fn with_failures(
        &self,
        certificate: &Certificate,
        issuer: Option<&Certificate>,
        cause: String,
    ) -> String {
        let extensions = &certificate.details.extensions;
        let lists = extensions.distribution_points.iter().take(MAX_POINTS).flat_map(DistributionPoint::urls);
        let asked = issuer.and_then(|issuer| request(certificate, issuer)).map(|request| Sha256::of(&request));
        let responders = extensions.access.responders.iter().map(|url| (url.as_str(), asked));
        let mut told: Vec<String> = vec![cause];
        for (url, asked) in lists.map(|url| (url, None)).chain(responders) {
            if told.len() > MAX_FAILURES {
                break;
            }
            if let Some(failure) = self.evidence.failure(url, asked) {
                let failure = format!("{url}: {failure}");
                if !told.contains(&failure) {
                    told.push(failure);
                }
            }
        }
        told.join("; ")
    }

    /// The addresses that can be asked and have not failed, in their order; `asked` is what responders would be asked.
    fn left<'p>(&self, urls: impl Iterator<Item = &'p str>, schemes: &[&str], asked: Option<Sha256>) -> Vec<String> {
        let mut left: Vec<String> = Vec::new();
        for url in urls.filter(|url| is_fetchable(url, schemes)) {
            if left.len() == MAX_URLS {
                break;
            }
            if !left.iter().any(|known| known == url) {
                left.push(url.to_owned());
            }
        }
        // only then, so that failures do not let a hostile certificate name more
        left.retain(|url| self.evidence.failure(url, asked).is_none());
        left
    }

    fn state(&mut self, urls: Vec<String>, need: impl FnOnce(Vec<String>) -> Need) {
        if urls.is_empty() || self.stated.len() >= MAX_NEEDS {
            return;
        }
        let need = need(urls);
        if !self.stated.contains(&need) {
            self.stated.push(need);
        }
    }
}

/// What a responder is asked about a certificate.
fn request(certificate: &Certificate, issuer: &Certificate) -> Option<Vec<u8>> {
    // AD CS's responder, among others, knows certificates by SHA-1 alone
    CertificateId::of(certificate, issuer, CertificateId::HASHES[0])?.request()
}

/// Whether an address has one of these schemes and a form that can be spoken and shown.
fn is_fetchable(url: &str, schemes: &[&str]) -> bool {
    let printable = url.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let starts = |scheme: &&str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    printable && url.len() <= MAX_URL_LENGTH && schemes.iter().any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_asked() {
        for url in ["http://a/b.crl", "HTTPS://a", "ldap:///CN=A?certificateRevocationList?base?objectClass=x"] {
            assert!(is_fetchable(url, ANY), "{url}");
        }
        for url in
            ["ftp://a/b", "file:///etc/passwd", "ldaps://a", "//a/b", "", "http:/a", "http://a\n", "http://\u{e4}"]
        {
            assert!(!is_fetchable(url, ANY), "{url}");
        }
        assert!(!is_fetchable("ldap:///CN=A", HTTP));
        let longest = format!("http://{}", "a".repeat(MAX_URL_LENGTH - 7));
        assert!(is_fetchable(&longest, ANY) && !is_fetchable(&(longest + "a"), ANY));
    }
}
