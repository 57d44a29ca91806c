//! Delta CRLs: the changes since a complete list.

use std::cmp::Ordering;

use crate::certificate::{Certificate, Crl, Entry};

use super::super::path::{Link, Search};
use super::super::signature::SignatureCheck;
use super::lists::{is_current, newest_first, signature, usable};

/// The newest lists of changes that belong to a complete list: same issuer, scope and key (RFC 5280 6.3.3 (c) and (h)).
pub(super) struct Changes<'a> {
    /// The one that builds on this list or an older one, so that both together are a complete list.
    pub(super) applied: Option<&'a Crl>,
    /// One that builds on a list nobody has: what it adds is known, what it takes back is not.
    ahead: Option<&'a Crl>,
    /// Whether current changes since this list are known, be it that there are none yet.
    pub(super) at_hand: bool,
}

impl<'a> Changes<'a> {
    pub(super) fn of(complete: &Crl, signer: &Link<'a>, search: &mut Search<'a>) -> Self {
        let mut changes = Self { applied: None, ahead: None, at_hand: false };
        let Some(number) = &complete.details.number else { return changes };
        let mut deltas: Vec<(&'a Crl, bool)> = Vec::new();
        for delta in search.evidence.crls_of(&complete.details.issuer) {
            let Some(base) = &delta.details.base else { continue };
            if delta.details.scope != complete.details.scope || !is_current(delta, search.rules.at_ms) {
                continue;
            }
            match delta.details.number.as_ref().map(|delta| delta.cmp(number)) {
                Some(Ordering::Greater) => deltas.push((delta, base <= number)),
                // published together with the list (RFC 5280 5.2.4)
                Some(Ordering::Equal) => changes.at_hand = true,
                Some(Ordering::Less) | None => {}
            }
        }
        deltas.sort_by(|(left, _), (right, _)| newest_first(left, right));
        for (delta, applies) in deltas {
            let place = if applies { &mut changes.applied } else { &mut changes.ahead };
            if place.is_none()
                && usable(delta, search).is_ok()
                && signature(delta, signer, search) == Some(SignatureCheck::Good)
            {
                *place = Some(delta);
            }
        }
        changes.at_hand |= changes.applied.is_some();
        changes
    }

    /// What a complete list and its changes say about a certificate.
    pub(super) fn entry(&self, complete: &Crl, certificate: &Certificate) -> Option<Entry> {
        let listed = |crl: &Crl| crl.details.entry(&certificate.details.issuer, &certificate.details.serial);
        let ahead = self.ahead.and_then(listed).filter(|entry| !entry.is_removal());
        let known = || self.applied.and_then(listed).or_else(|| listed(complete));
        ahead.or_else(known).filter(|entry| !entry.is_removal())
    }
}
