//! Values into judged values: the container read, the certificate judged for the person.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::certificate::{Attribute, SmimeValue};
use crate::config::{Config, RevocationMode};
use crate::error::Result;
use crate::people::{Address, Person, RawValue, Recipient};
use crate::planning::{Before, Value};
use crate::trust::Sources;
use crate::validation::{Audience, Evidence, Interrupted, Need, Pace, RevocationCheck, Rules, judge_value, reason};

/// Evidence and rules of one run.
#[derive(Debug)]
pub struct Judge {
    /// What verdicts rest on.
    pub evidence: Evidence,
    /// What counts.
    pub rules: Rules,
}

impl Judge {
    /// Loads the evidence the configuration names.
    ///
    /// # Errors
    /// Those of reading the files.
    pub fn new(config: &Config, sources: &Sources, at_ms: i64) -> Result<Self> {
        Ok(Self { evidence: sources.load()?, rules: rules(config, at_ms) })
    }

    /// A person's values, judged for the person's addresses.
    pub fn person(&self, person: &Person) -> Vec<Value> {
        person.values.iter().map(|raw| self.value(raw, &person.addresses)).collect()
    }

    /// Many people's values, judged by several threads; in the people's order.
    ///
    /// # Errors
    /// Where the pace called it off.
    pub fn people(&self, people: &[Person], pace: &Pace<'_>) -> std::result::Result<Vec<Vec<Value>>, Interrupted> {
        pace.each(people.len(), |place| people.get(place).map(|person| self.person(person)).unwrap_or_default())
    }

    /// What a recipient holds, judged for these addresses.
    pub fn recipient(&self, recipient: &Recipient, addresses: &[Address]) -> Before {
        let judged = |attribute| {
            let values = recipient.values(attribute)?;
            let judge = |bytes: &Arc<[u8]>| self.value(&RawValue::new(attribute, Arc::clone(bytes)), addresses);
            Some(values.iter().map(judge).collect())
        };
        Before {
            user_certificate: judged(Attribute::UserCertificate),
            user_smime_certificate: judged(Attribute::UserSmimeCertificate),
        }
    }

    /// When the evidence changes by time alone, in milliseconds since 1970 UTC: an authority begins or ends to be valid,
    /// or a CRL is due.
    pub fn due_ms(&self) -> Option<i64> {
        let anchors = self.evidence.anchors().iter().map(|anchor| &anchor.certificate);
        let authorities = anchors.chain(self.evidence.intermediates());
        let times = authorities.flat_map(|it| [Some(it.not_before_ms), Some(it.not_after_ms)]);
        let lists = self.evidence.crls().iter().filter(|_| self.rules.revocation != RevocationCheck::Off);
        let times = times.chain(lists.flat_map(|list| [Some(list.this_update_ms), list.next_update_ms]));
        times.flatten().filter(|time| *time > self.rules.at_ms).min()
    }

    pub(super) fn value(&self, raw: &RawValue, addresses: &[Address]) -> Value {
        let value = SmimeValue::parse(Arc::clone(&raw.bytes));
        let verdict = judge_value(&value, Some(&Audience { addresses }), &self.evidence, &self.rules);
        Value {
            attribute: raw.attribute,
            sha256: raw.sha256,
            bytes: Arc::clone(&raw.bytes),
            certificate: value.chosen(self.rules.at_ms).map(|certificate| Arc::new(certificate.into())),
            reason: reason(&verdict),
            verdict: Arc::new(verdict),
        }
    }
}

/// What the verdicts on a person's values lack, and those on what the recipient holds.
pub(super) fn needs(values: &[Value], before: &Before) -> BTreeSet<Need> {
    let held = Attribute::ALL.into_iter().filter_map(|attribute| before.values(attribute)).flatten();
    held.chain(values).flat_map(|value| value.verdict.needs.iter().cloned()).collect()
}

fn rules(config: &Config, at_ms: i64) -> Rules {
    let policy = &config.policy;
    Rules {
        at_ms,
        min_rsa_bits: policy.min_rsa_bits,
        allow_sha1: policy.allow_sha1,
        allow_no_address: policy.allow_no_address,
        expiring_days: policy.expiring_days,
        revocation: revocation_check(config.revocation.mode),
        fetch_issuers: config.trust.fetch_issuers != Some(false),
    }
}

/// How revocation is looked at in a mode.
pub fn revocation_check(mode: RevocationMode) -> RevocationCheck {
    match mode {
        RevocationMode::Off => RevocationCheck::Off,
        RevocationMode::Offline => RevocationCheck::Offline,
        RevocationMode::Online => RevocationCheck::Online,
    }
}
