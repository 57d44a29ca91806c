//! Path building: from the leaf up by names, all ways in a stable order, until one is good; the best explanation is kept.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::certificate::{Certificate, DsaParameters, NameKey, Sha256, SignatureValue};

use super::catalogue as rule;
use super::demands::{self, Demands};
use super::evidence::{Anchor, Evidence};
use super::need::Need;
use super::needs::Needs;
use super::rules::Rules;
use super::signature::{self, SignatureCheck};
use super::verdict::{Finding, Severity};
use super::{issuers, leaf, names, policies, revocation};

/// Signatures looked at for one certificate, of CRLs too and remembered ones too; no pool, however hostile, costs more.
pub(super) const MAX_SIGNATURE_CHECKS: usize = 128;
/// Issuers of CRLs whose own CRLs have such an issuer again.
const MAX_SIGNERS: usize = 4;
/// Certificates in a path, anchor and leaf included.
const MAX_PATH_CERTIFICATES: usize = 12;

/// A certificate of a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'a> {
    pub(super) certificate: &'a Certificate,
    /// The anchor it is, at the end of a path.
    pub(super) anchor: Option<&'a Anchor>,
    /// Whether it belongs to the evidence, so that what is learned about it is worth remembering.
    pub(super) pooled: bool,
    /// What came of checking, with its key, the signature of the certificate before it.
    pub(super) signature: SignatureCheck,
    /// The parameters of its key, where it leaves them to its issuer's (RFC 5280 6.1.4 (f)).
    pub(super) inherited: Option<&'a DsaParameters>,
}

/// The best path found, and what speaks against it.
#[derive(Debug, Default)]
pub(super) struct Outcome<'a> {
    /// Its certificates, leaf first.
    pub(super) path: Vec<&'a Certificate>,
    /// Whether it ends in an anchor.
    pub(super) complete: bool,
    /// Whether the leaf itself is an anchor.
    pub(super) leaf_is_anchor: bool,
    pub(super) findings: Vec<Finding>,
    /// What might have led further.
    pub(super) needs: Vec<Need>,
}

/// How a path ends that reaches no anchor.
enum End<'a> {
    NotFound,
    SelfSigned,
    BadSignature(&'a Certificate),
    TooLong,
}

/// Lower is better: complete without a block, complete, incomplete; then fewer blocks, then fewer open questions.
type Score = (u8, usize, usize);

/// A search for one leaf.
pub(super) struct Search<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) rules: &'a Rules,
    demands: &'a Demands,
    embedded: &'a [Certificate],
    /// Domains of which the anchor has to vouch for one.
    domains: Option<&'a [String]>,
    /// The one anchor that counts, where not all do.
    only_anchor: Option<Sha256>,
    /// The CRL issuers that are being looked at, the outermost first.
    signers: Vec<Sha256>,
    /// What came of looking at a CRL issuer below an anchor.
    vouched: HashMap<(Sha256, Sha256), bool>,
    checks_left: usize,
    comparisons_left: usize,
    best: Option<(Score, Outcome<'a>)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        evidence: &'a Evidence,
        rules: &'a Rules,
        demands: &'a Demands,
        embedded: &'a [Certificate],
        domains: Option<&'a [String]>,
    ) -> Self {
        Self {
            evidence,
            rules,
            demands,
            embedded,
            domains,
            only_anchor: None,
            signers: Vec::new(),
            vouched: HashMap::new(),
            checks_left: MAX_SIGNATURE_CHECKS,
            comparisons_left: names::MAX_COMPARISONS,
            best: None,
        }
    }

    /// The same search, with fewer signatures to look at: so many were looked at elsewhere for the same certificate.
    pub(super) fn after(mut self, checks: usize) -> Self {
        self.checks_left = self.checks_left.saturating_sub(checks);
        self
    }

    /// The best path of a leaf.
    pub(super) fn run(&mut self, leaf: &'a Certificate) -> Outcome<'a> {
        let subject = &leaf.details.subject;
        let anchor = self.evidence.anchors_named(subject).find(|anchor| anchor.certificate.sha256 == leaf.sha256);
        let mut path = vec![link(leaf, anchor, anchor.is_some())];
        if anchor.is_some() {
            self.complete(&path);
        } else {
            self.extend(&mut path);
        }
        let mut outcome = self.best.take().map(|(_, outcome)| outcome).unwrap_or_default();
        outcome.leaf_is_anchor = anchor.is_some();
        if self.checks_left == 0 && !is_good(&outcome.findings) {
            outcome.findings.push(rule::PATH_SEARCH_LIMIT.broken().expected(MAX_SIGNATURE_CHECKS.to_string()));
        }
        outcome
    }

    /// Goes on from a path's end. True once a good path is found.
    fn extend(&mut self, path: &mut Vec<Link<'a>>) -> bool {
        let Some(last) = path.last().copied() else { return false };
        if path.len() >= MAX_PATH_CERTIFICATES {
            self.incomplete(path, &End::TooLong);
            return false;
        }
        let mut refused = None;
        let mut went_on = false;
        for candidate in self.candidates(last.certificate) {
            if path.iter().any(|link| is_same_authority(link.certificate, candidate.certificate)) {
                continue;
            }
            let remember = (last.pooled && candidate.pooled).then_some(last.certificate.sha256);
            let signed = &last.certificate.details.signature;
            let Some(check) = self.check(signed, remember, &candidate) else { break };
            if check == SignatureCheck::Bad {
                // where key identifiers differ it is simply not the issuer
                if hint(last.certificate, candidate.certificate) < DIFFERENT_KEY {
                    refused.get_or_insert(candidate.certificate);
                }
                continue;
            }
            went_on = true;
            path.push(Link { signature: check, ..candidate });
            let good = if candidate.anchor.is_some() { self.complete(path) } else { self.extend(path) };
            path.pop();
            if good {
                return true;
            }
        }
        if !went_on {
            let end = match refused {
                Some(certificate) => End::BadSignature(certificate),
                None if self.is_self_signed(last) => End::SelfSigned,
                None => End::NotFound,
            };
            self.incomplete(path, &end);
        }
        false
    }

    /// Who may have issued a certificate, the likeliest first: anchors, then by key identifier, validity and age.
    fn candidates(&self, certificate: &'a Certificate) -> Vec<Link<'a>> {
        let issuer: &NameKey = &certificate.details.issuer;
        let counts = |anchor: &&Anchor| self.only_anchor.is_none_or(|only| anchor.certificate.sha256 == only);
        let anchors = self
            .evidence
            .anchors_named(issuer)
            .filter(counts)
            .map(|anchor| link(&anchor.certificate, Some(anchor), true));
        let pooled = self.evidence.intermediates_named(issuer).map(|certificate| link(certificate, None, true));
        let mut candidates: Vec<Link<'a>> = anchors.chain(pooled).collect();
        // more than the limit could not be checked anyway
        let embedded = self.embedded.iter().filter(|embedded| embedded.details.subject == *issuer);
        for embedded in embedded.take(MAX_SIGNATURE_CHECKS) {
            if candidates.iter().all(|known| known.certificate.sha256 != embedded.sha256) {
                candidates.push(link(embedded, None, false));
            }
        }
        let at_ms = self.rules.at_ms;
        candidates.sort_by_key(|candidate| {
            let found = candidate.certificate;
            let age = Reverse(found.not_before_ms);
            (candidate.anchor.is_none(), hint(certificate, found), !found.is_valid_at(at_ms), age, found.sha256)
        });
        candidates
    }

    /// Checks a signature with a certificate's key, once for each pair where `remember` names what is signed.
    /// `None` when the limit is reached.
    pub(super) fn check(
        &mut self,
        signed: &SignatureValue,
        remember: Option<Sha256>,
        signer: &Link<'_>,
    ) -> Option<SignatureCheck> {
        let key = &signer.certificate.details.public_key;
        if key.inherits_parameters() && signer.inherited.is_none() {
            return Some(SignatureCheck::Pending);
        }
        self.checks_left = self.checks_left.checked_sub(1)?;
        let check = || signature::check(signed, key, signer.inherited);
        // with other parameters the same key is another one
        Some(match remember.filter(|_| signer.inherited.is_none()) {
            Some(digest) => self.evidence.remembered(digest, signer.certificate.sha256, check),
            None => check(),
        })
    }

    fn is_self_signed(&mut self, link: Link<'a>) -> bool {
        let certificate = link.certificate;
        certificate.is_self_issued()
            && self.check(&certificate.details.signature, None, &link).is_some_and(|check| check != SignatureCheck::Bad)
    }

    /// Gives every key that leaves its parameters to its issuer those of the path, and checks what had to wait for them.
    fn with_parameters(&mut self, path: &[Link<'a>]) -> Vec<Link<'a>> {
        let mut path = path.to_vec();
        let mut above: Option<&'a DsaParameters> = None;
        for index in (0..path.len()).rev() {
            let Some(link) = path.get_mut(index) else { break };
            let key = &link.certificate.details.public_key;
            if key.inherits_parameters() {
                link.inherited = above;
            }
            above = key.dsa_parameters.as_ref().or(link.inherited);
            let link = *link;
            if link.signature != SignatureCheck::Pending {
                continue;
            }
            let below = index.checked_sub(1).and_then(|below| path.get(below));
            let check = below.and_then(|below| self.check(&below.certificate.details.signature, None, &link));
            if let Some(link) = path.get_mut(index) {
                link.signature =
                    check.filter(|check| *check != SignatureCheck::Pending).unwrap_or(SignatureCheck::Unsupported);
            }
        }
        path
    }

    /// What speaks against the names of a path.
    pub(super) fn names(&mut self, path: &[Link<'a>]) -> Vec<Finding> {
        let mut findings = Vec::new();
        names::check(path, &mut self.comparisons_left, &mut findings);
        findings
    }

    /// Whether an authority below the same anchor may sign CRLs: its own path is good. One that is looked at already
    /// is taken to be, so that a list may speak of its own issuer too.
    pub(super) fn vouches(&mut self, signer: &'a Certificate, anchor: Sha256) -> bool {
        if self.signers.contains(&signer.sha256) {
            return true;
        }
        if self.signers.len() >= MAX_SIGNERS {
            return false;
        }
        if let Some(known) = self.vouched.get(&(signer.sha256, anchor)) {
            return *known;
        }
        let mut search = Self::new(self.evidence, self.rules, &demands::NONE, &[], None);
        search.only_anchor = Some(anchor);
        search.signers = self.signers.iter().copied().chain([signer.sha256]).collect();
        search.checks_left = self.checks_left;
        search.comparisons_left = self.comparisons_left;
        let outcome = search.run(signer);
        self.checks_left = search.checks_left;
        self.comparisons_left = search.comparisons_left;
        let mut findings = outcome.findings;
        leaf::check_crl_issuer(signer, self.rules, &mut findings);
        let good = !outcome.path.is_empty() && findings.iter().all(|finding| !rule::spoils_a_crl_issuer(finding));
        // what was taken for granted about the outer ones may turn out wrong
        if self.signers.is_empty() {
            self.vouched.insert((signer.sha256, anchor), good);
        }
        good
    }

    /// Judges a path that ends in an anchor. True if nothing speaks against it.
    fn complete(&mut self, path: &[Link<'a>]) -> bool {
        let mut findings = Vec::new();
        let path = &self.with_parameters(path)[..];
        issuers::check(path, self.rules, &mut findings);
        names::check(path, &mut self.comparisons_left, &mut findings);
        policies::check(path, self.demands, &mut findings);
        let mut needs = Needs::new(self.evidence);
        revocation::check(path, self, &mut findings, &mut needs);
        if let Some(domains) = path.last().and_then(|link| link.anchor).and_then(|anchor| anchor.domains.as_ref())
            && let Some(wanted) = self.domains
            && !super::address::vouched_for(wanted, domains)
        {
            let finding = rule::ANCHOR_DOMAIN.broken_by(path.len().saturating_sub(1));
            findings.push(finding.observed(wanted.join(", ")).expected(domains.join(", ")));
        }
        let good = is_good(&findings);
        self.keep(path, findings, needs, true);
        good
    }

    /// Says how far a path came.
    fn incomplete(&mut self, path: &[Link<'a>], end: &End<'a>) {
        let mut findings = Vec::new();
        issuers::check(path, self.rules, &mut findings);
        names::check(path, &mut self.comparisons_left, &mut findings);
        // without an anchor it is not settled that these are the issuers, so nothing about them is held against the leaf
        for finding in findings.iter_mut().filter(|finding| finding.severity == Severity::Block) {
            finding.severity = Severity::Warn;
            finding.leaves_open = true;
        }
        let index = path.len().saturating_sub(1);
        let issuer = path.last().map(|link| link.certificate.issuer.clone()).unwrap_or_default();
        let without_anchors = self.evidence.anchors().is_empty();
        match end {
            End::BadSignature(certificate) => {
                findings.push(rule::SIGNATURE_INVALID.broken_by(index).observed(&certificate.subject));
            }
            End::SelfSigned if without_anchors => {}
            End::SelfSigned => findings.push(rule::ANCHOR_NOT_TRUSTED.broken_by(index).observed(issuer)),
            End::NotFound => findings.push(rule::ISSUER_NOT_FOUND.broken_by(index).observed(issuer)),
            End::TooLong => {
                let expected = MAX_PATH_CERTIFICATES.to_string();
                findings.push(rule::PATH_SEARCH_LIMIT.broken_by(index).observed(issuer).expected(expected));
            }
        }
        if without_anchors {
            findings.push(rule::NO_ANCHORS.broken());
        }
        let mut needs = Needs::new(self.evidence);
        if self.rules.fetch_issuers
            && matches!(end, End::NotFound | End::BadSignature(_))
            && let Some(last) = path.last()
        {
            needs.issuer(last.certificate);
        }
        self.keep(path, findings, needs, false);
    }

    fn keep(&mut self, path: &[Link<'a>], findings: Vec<Finding>, needs: Needs<'a>, complete: bool) {
        let blocks = findings.iter().filter(|finding| finding.severity == Severity::Block).count();
        let open = findings.iter().filter(|finding| finding.leaves_open).count();
        let class = match (complete, blocks) {
            (true, 0) => 0,
            (true, _) => 1,
            (false, _) => 2,
        };
        let score = (class, blocks, open);
        if self.best.as_ref().is_none_or(|(best, _)| score < *best) {
            let path = path.iter().map(|link| link.certificate).collect();
            let outcome = Outcome { path, complete, leaf_is_anchor: false, findings, needs: needs.stated() };
            self.best = Some((score, outcome));
        }
    }
}

pub(super) fn link<'a>(certificate: &'a Certificate, anchor: Option<&'a Anchor>, pooled: bool) -> Link<'a> {
    Link { certificate, anchor, pooled, signature: SignatureCheck::Good, inherited: None }
}

fn is_good(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity != Severity::Block && !finding.leaves_open)
}

/// The same name and key twice in a path is a loop, whoever signed.
fn is_same_authority(left: &Certificate, right: &Certificate) -> bool {
    left.sha256 == right.sha256
        || (left.details.subject == right.details.subject
            && left.details.public_key.spki == right.details.public_key.spki)
}

const DIFFERENT_KEY: u8 = 2;

/// What the key identifiers say: 0 the same, 1 nothing, 2 different.
fn hint(certificate: &Certificate, issuer: &Certificate) -> u8 {
    let wanted = &certificate.details.extensions.authority_key_identifier;
    match (wanted, &issuer.details.extensions.subject_key_identifier) {
        (Some(wanted), Some(found)) if wanted == found => 0,
        (Some(_), Some(_)) => DIFFERENT_KEY,
        _ => 1,
    }
}
