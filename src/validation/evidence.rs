//! What verdicts rest on: anchors, intermediates, CRLs, OCSP answers, indexed once and shared by all threads.

use std::collections::{HashMap, HashSet};
use std::sync::RwLock;

use crate::certificate::{Certificate, CertificateId, Crl, NameKey, OcspAnswer, OcspResponse, Sha256};

use super::signature::SignatureCheck;
use super::tenant::Tenant;

/// A certificate that is trusted by itself.
#[derive(Debug, Clone)]
pub struct Anchor {
    /// The certificate.
    pub certificate: Certificate,
    /// The mail domains it may vouch for; all if `None`.
    pub domains: Option<Vec<String>>,
}

/// What verdicts rest on. Made once, used by any number of threads.
#[derive(Debug, Default)]
pub struct Evidence {
    anchors: Vec<Anchor>,
    intermediates: Vec<Certificate>,
    crls: Vec<Crl>,
    ocsp_responses: Vec<OcspResponse>,
    anchors_by_subject: HashMap<NameKey, Vec<usize>>,
    intermediates_by_subject: HashMap<NameKey, Vec<usize>>,
    crls_by_issuer: HashMap<NameKey, Vec<usize>>,
    /// Places of a response and of the answer in it.
    answers_by_certificate: HashMap<CertificateId, Vec<(usize, usize)>>,
    /// What Exchange Online knows, where it is asked what it would say.
    tenant: Option<Tenant>,
    /// By URL, and for OCSP by what was asked there, why nothing came.
    failures: HashMap<(String, Option<Sha256>), String>,
    /// What came of checking what is signed (by its SHA-256) with a certificate's key (by the certificate's SHA-256).
    signatures: RwLock<HashMap<(Sha256, Sha256), SignatureCheck>>,
}

impl Evidence {
    /// Takes anchors, intermediates and CRLs over. The same certificate given twice counts once; as anchor if it is one.
    pub fn new(anchors: Vec<Anchor>, intermediates: Vec<Certificate>, crls: Vec<Crl>) -> Self {
        let mut seen: HashSet<Sha256> = anchors.iter().map(|anchor| anchor.certificate.sha256).collect();
        let intermediates: Vec<Certificate> =
            intermediates.into_iter().filter(|certificate| seen.insert(certificate.sha256)).collect();
        let crls: Vec<Crl> = crls.into_iter().filter(|crl| seen.insert(crl.sha256)).collect();
        Self {
            anchors_by_subject: index(anchors.iter().map(|anchor| &anchor.certificate.details.subject)),
            intermediates_by_subject: index(intermediates.iter().map(|certificate| &certificate.details.subject)),
            crls_by_issuer: index(crls.iter().map(|crl| &crl.details.issuer)),
            anchors,
            intermediates,
            crls,
            ..Self::default()
        }
    }

    /// Takes over what was fetched; what is known already counts once.
    pub fn add(&mut self, certificates: Vec<Certificate>, crls: Vec<Crl>) {
        for certificate in certificates {
            let known =
                self.anchors_named(&certificate.details.subject).any(|it| it.certificate.sha256 == certificate.sha256)
                    || self.intermediates_named(&certificate.details.subject).any(|it| it.sha256 == certificate.sha256);
            if !known {
                let place = self.intermediates.len();
                self.intermediates_by_subject.entry(certificate.details.subject.clone()).or_default().push(place);
                self.intermediates.push(certificate);
            }
        }
        for crl in crls {
            if !self.crls_of(&crl.details.issuer).any(|it| it.sha256 == crl.sha256) {
                self.crls_by_issuer.entry(crl.details.issuer.clone()).or_default().push(self.crls.len());
                self.crls.push(crl);
            }
        }
    }

    /// Takes OCSP responses over; what is known already counts once.
    pub fn add_ocsp_responses(&mut self, responses: Vec<OcspResponse>) {
        let mut known: HashSet<Sha256> = self.ocsp_responses.iter().map(|response| response.sha256).collect();
        for response in responses.into_iter().filter(|response| known.insert(response.sha256)) {
            for (place, answer) in response.details.answers.iter().enumerate() {
                let places = self.answers_by_certificate.entry(answer.id.clone()).or_default();
                places.push((self.ocsp_responses.len(), place));
            }
            self.ocsp_responses.push(response);
        }
    }

    /// Has verdicts say what the tenant would make of a certificate; `None` has them say nothing of it.
    pub fn set_tenant(&mut self, tenant: impl Into<Option<Tenant>>) {
        self.tenant = tenant.into();
    }

    /// The tenant, where one is known.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// Keeps why a place gave nothing, so that findings can say it. `cause` is a short word or two, such as `http 404`. What a
    /// responder refuses is about one certificate: `request` is the digest of what it was asked, `None` for all other places.
    pub fn failed(&mut self, url: String, request: Option<Sha256>, cause: String) {
        self.failures.insert((url, request), cause);
    }

    /// Why a place gave nothing; `None` where it was not asked or gave something.
    pub fn failure(&self, url: &str, request: Option<Sha256>) -> Option<&str> {
        self.failures.get(&(url.to_owned(), request)).map(String::as_str)
    }

    /// The anchors.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The intermediates.
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// The CRLs.
    pub fn crls(&self) -> &[Crl] {
        &self.crls
    }

    /// The OCSP responses.
    pub fn ocsp_responses(&self) -> &[OcspResponse] {
        &self.ocsp_responses
    }

    pub(super) fn anchors_named<'a>(&'a self, subject: &NameKey) -> impl Iterator<Item = &'a Anchor> {
        named(&self.anchors_by_subject, subject, &self.anchors)
    }

    pub(super) fn intermediates_named<'a>(&'a self, subject: &NameKey) -> impl Iterator<Item = &'a Certificate> {
        named(&self.intermediates_by_subject, subject, &self.intermediates)
    }

    pub(super) fn crls_of<'a>(&'a self, issuer: &NameKey) -> impl Iterator<Item = &'a Crl> {
        named(&self.crls_by_issuer, issuer, &self.crls)
    }

    /// The OCSP answers about a certificate that this issuer signed, whatever hash they know it by.
    pub(super) fn answers_about<'a>(
        &'a self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Vec<(&'a OcspResponse, &'a OcspAnswer)> {
        if self.answers_by_certificate.is_empty() {
            return Vec::new();
        }
        let ids = CertificateId::HASHES.into_iter().filter_map(|hash| CertificateId::of(certificate, issuer, hash));
        let places = ids.filter_map(|id| self.answers_by_certificate.get(&id)).flatten();
        let answers = places.filter_map(|&(response, answer)| {
            let response = self.ocsp_responses.get(response)?;
            Some((response, response.details.answers.get(answer)?))
        });
        answers.collect()
    }

    /// The answer for a signature, remembered.
    pub(super) fn remembered(
        &self,
        signed: Sha256,
        signer: Sha256,
        check: impl FnOnce() -> SignatureCheck,
    ) -> SignatureCheck {
        let key = (signed, signer);
        let known = self.signatures.read().ok().and_then(|known| known.get(&key).copied());
        known.unwrap_or_else(|| {
            let answer = check();
            // a poisoned lock costs the memory, not the answer
            if let Ok(mut known) = self.signatures.write() {
                known.insert(key, answer);
            }
            answer
        })
    }
}

fn index<'a>(names: impl Iterator<Item = &'a NameKey>) -> HashMap<NameKey, Vec<usize>> {
    let mut index: HashMap<NameKey, Vec<usize>> = HashMap::new();
    for (place, name) in names.enumerate() {
        index.entry(name.clone()).or_default().push(place);
    }
    index
}

fn named<'a, T>(index: &'a HashMap<NameKey, Vec<usize>>, name: &NameKey, all: &'a [T]) -> impl Iterator<Item = &'a T> {
    index.get(name).into_iter().flatten().filter_map(|&place| all.get(place))
}
