//! What the values of one person say together: which one clients take, what it hides, what is missing, what is too much.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::certificate::{Attribute, Certificate};

use super::catalogue as rule;
use super::pick::{Candidate, CandidateCertificate, outlook_pick, owa_pick};
use super::verdict::{Finding, Fitness, Use, Verdict};

/// Longest value in bytes that Active Directory takes (rangeUpper of both attributes).
const MAX_VALUE_BYTES: usize = 32_768;
/// Most values of userCertificate that Entra ID takes ("LargeObject").
const MAX_VALUES: usize = 15;

/// A value of a person.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The attribute that holds it.
    pub attribute: Attribute,
    /// The certificate that was judged; `None` where the value holds none.
    pub certificate: Option<&'a Certificate>,
    /// Its length in bytes.
    pub length: usize,
}

/// Adds to the verdicts on all values of one person what only all of them together tell; fitness stays what it is.
///
/// `verdicts` are those on `values`, in the same order, which is the directory's.
pub fn judge_together(values: &[Held<'_>], verdicts: &mut [Verdict], at_ms: i64) {
    let pairs = values.iter().zip(verdicts.iter());
    let candidates: Vec<Candidate<'_>> = pairs
        .map(|(value, verdict)| Candidate {
            attribute: value.attribute,
            certificate: value.certificate.map(|certificate| CandidateCertificate {
                thumbprint: &certificate.thumbprint,
                not_before_ms: certificate.not_before_ms,
                not_after_ms: certificate.not_after_ms,
            }),
            verdict,
        })
        .collect();
    let mut found: Vec<(usize, Finding)> = Vec::new();
    hiding(&candidates, at_ms, &mut found);
    picks(&candidates, at_ms, &mut found);
    missing(&candidates, &mut found);
    limits(values, &mut found);
    for (place, finding) in found {
        if let Some(verdict) = verdicts.get_mut(place) {
            verdict.add(finding);
        }
    }
}

fn is_fit(candidate: &Candidate<'_>) -> bool {
    candidate.verdict.encrypt == Fitness::Fit
}

fn thumbprint<'a>(candidate: &Candidate<'a>) -> &'a str {
    candidate.certificate.map(|certificate| certificate.thumbprint).unwrap_or_default()
}

/// An unfit value that Outlook takes first, and the fit ones it keeps Outlook from.
fn hiding(values: &[Candidate<'_>], at_ms: i64, found: &mut Vec<(usize, Finding)>) {
    let pick = outlook_pick(values, at_ms).and_then(|place| Some((place, values.get(place)?)));
    let Some((place, pick)) = pick.filter(|(_, pick)| pick.verdict.encrypt == Fitness::Unfit) else { return };
    let hidden: Vec<(usize, &Candidate<'_>)> =
        values.iter().enumerate().filter(|(_, candidate)| is_fit(candidate)).collect();
    let Some((_, best)) = hidden.first() else { return };
    found.push((place, rule::HIDES_BETTER.broken_by(0).observed(thumbprint(best))));
    for (place, _) in &hidden {
        found.push((*place, rule::HIDDEN_BY_STALE.broken_by(0).observed(thumbprint(pick))));
    }
}

/// Of several certificates the ones that clients take; of one there is nothing to say.
fn picks(values: &[Candidate<'_>], at_ms: i64, found: &mut Vec<(usize, Finding)>) {
    let certificates: BTreeSet<_> = values.iter().filter_map(|value| Some(value.certificate?.thumbprint)).collect();
    if certificates.len() < 2 {
        return;
    }
    let (desktop, web) = (outlook_pick(values, at_ms), owa_pick(values, Use::Encrypt, at_ms));
    let mut say = |place: Option<usize>, rule: &'static rule::Rule, client: &str| {
        found.extend(place.map(|place| (place, rule.broken_by(0).observed(client))));
    };
    if desktop == web {
        say(desktop, &rule::PICKED_TO_ENCRYPT, "Outlook, OWA");
    } else {
        say(desktop, &rule::PICKED_TO_ENCRYPT, "Outlook");
        say(web, &rule::PICKED_TO_ENCRYPT, "OWA");
    }
    say(owa_pick(values, Use::Sign, at_ms), &rule::PICKED_TO_SIGN, "OWA");
}

/// Somebody who signs and cannot be encrypted to.
fn missing(values: &[Candidate<'_>], found: &mut Vec<(usize, Finding)>) {
    let signs = values.iter().position(|value| value.verdict.sign == Fitness::Fit);
    if let Some(place) = signs.filter(|_| values.iter().all(|value| value.verdict.encrypt == Fitness::Unfit)) {
        found.push((place, rule::PERSON_WITHOUT_ENCRYPTION.broken_by(0)));
    }
}

/// What the directories do not take: a value that is too long, and the oldest of too many.
fn limits(values: &[Held<'_>], found: &mut Vec<(usize, Finding)>) {
    for (place, value) in values.iter().enumerate().filter(|(_, value)| value.length > MAX_VALUE_BYTES) {
        let finding = rule::VALUE_TOO_LONG.broken().observed(value.length.to_string());
        found.push((place, finding.expected(MAX_VALUE_BYTES.to_string())));
    }
    let held = values.iter().enumerate().filter(|(_, value)| value.attribute == Attribute::UserCertificate);
    let newness = |value: &Held<'_>| value.certificate.map_or(i64::MIN, |certificate| certificate.not_before_ms);
    let mut newest: Vec<_> = held.map(|(place, value)| (Reverse(newness(value)), place)).collect();
    newest.sort_unstable();
    for (_, place) in newest.iter().skip(MAX_VALUES) {
        let finding = rule::VALUES_OVER_LIMIT.broken().observed(newest.len().to_string());
        found.push((*place, finding.expected(MAX_VALUES.to_string())));
    }
}
