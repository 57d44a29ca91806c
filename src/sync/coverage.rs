//! Who can be encrypted to from Exchange Online today, and if not, why.

use std::collections::BTreeSet;

use crate::certificate::Attribute;
use crate::directory::Selection;
use crate::error::{Error, Result};
use crate::people::{Match, Person, Recipient};
use crate::planning::{Before, Value, reason, senders_pick};
use crate::trust::Sources;
use crate::validation::{Finding, Fitness, Need};

use super::extent::Extent;
use super::gather::{Wish, gather};
use super::judge::needs;
use super::tenant::{self, Remarks};
use super::{Job, Judge, Phase, judge_all};

/// Nobody published a certificate for the person.
const NO_CERTIFICATE: &str = "no_certificate";
/// The directory has a fit certificate that Exchange does not hold.
const NOT_PUBLISHED: &str = "not_published";

/// Whether a person can be encrypted to.
#[derive(Debug, Clone)]
pub struct Coverage {
    /// The person.
    pub person: Person,
    /// Identity of the recipient.
    pub recipient: Option<String>,
    /// Fitness of the certificate below for encrypting; `None` without one.
    pub encrypt: Option<Fitness>,
    /// Fitness of the best certificate for verifying signatures.
    pub sign: Option<Fitness>,
    /// SHA-1 of the certificate senders will use, or would if it were published.
    pub thumbprint: Option<String>,
    /// Its end, milliseconds since 1970 UTC.
    pub not_after_ms: Option<i64>,
    /// Whether the recipient holds it.
    pub in_exchange: bool,
    /// Why senders cannot encrypt today; `None` where they can.
    pub blocked_by: Option<&'static str>,
}

/// Coverage of the selected people; identities that could not be resolved come as errors.
///
/// # Errors
/// What ends a read.
pub async fn coverage(job: &Job<'_>, selection: &Selection) -> Result<(Vec<Coverage>, Vec<Error>, Option<Error>)> {
    let mut judge = Judge::new(job.config, &Sources::of(job.config), job.at_ms()?)?;
    let tenant = tenant::read(job).await?.judging(job).await?;
    let is_held_against = tenant.is_some();
    judge.evidence.set_tenant(tenant);
    let gathered = gather(job, Wish { selection, extent: Extent::Everybody(None), marks: false }).await?;
    job.observer.begin(Phase::Judging, gathered.people.len());
    let pairs = gathered.people.into_iter().zip(&gathered.matches);
    let mut items: Vec<_> = pairs.map(|(person, found)| Item::new(person, *found)).collect();
    let rejudge = |judge: &Judge, item: &mut Item| item.judge(judge, &gathered.recipients);
    let mut retriever = job.retriever();
    judge_all(&mut judge, retriever.as_mut(), job.observer, &mut items, rejudge, |item| item.needs.clone()).await?;
    if is_held_against {
        let mut remarks = Remarks::default();
        items.iter_mut().for_each(|item| remarks.add(std::mem::take(&mut item.remarks)));
        remarks.tell(job).await;
    }
    let covered = items.into_iter().filter_map(|item| item.coverage);
    Ok((covered.collect(), gathered.report.unresolved, gathered.report.incomplete_reason))
}

/// A person under judgement. Of the values only what the verdicts lack is kept: there are many people.
struct Item {
    person: Person,
    found: Match,
    coverage: Option<Coverage>,
    needs: BTreeSet<Need>,
    /// What the tenant makes of the values.
    remarks: Vec<Finding>,
}

impl Item {
    fn new(person: Person, found: Match) -> Self {
        Self { person, found, coverage: None, needs: BTreeSet::new(), remarks: Vec::new() }
    }

    fn judge(&mut self, judge: &Judge, recipients: &[Recipient]) {
        let recipient = match self.found {
            Match::One(place) => recipients.get(place),
            _ => None,
        };
        let values = judge.person(&self.person);
        let before = recipient.map(|it| judge.recipient(it, &self.person.addresses)).unwrap_or_default();
        self.needs = needs(&values, &before);
        self.remarks = Remarks::of(&values);
        self.coverage = Some(of_person(judge, &self.person, self.found, recipient, &values, &before));
    }
}

fn of_person(
    judge: &Judge,
    person: &Person,
    found: Match,
    recipient: Option<&Recipient>,
    values: &[Value],
    before: &Before,
) -> Coverage {
    let readable = Attribute::ALL.into_iter().all(|attribute| before.values(attribute).is_some());
    let held: Vec<&Value> = Attribute::ALL.into_iter().filter_map(|it| before.values(it)).flatten().collect();
    let pick = senders_pick(&held, judge.rules.at_ms);
    let best = pick.or_else(|| best_to_encrypt(values));
    let blocked_by = match (found, recipient, pick) {
        (Match::None(unmatched), ..) => Some(unmatched.reason()),
        (_, None, _) => Some(reason::AMBIGUOUS),
        // what senders will take may be among what cannot be read
        _ if !readable => Some(reason::UNREADABLE),
        (.., Some(pick)) if pick.verdict.encrypt == Fitness::Fit => None,
        (.., Some(pick)) => Some(pick.reason.unwrap_or(reason::WRONG_PURPOSE)),
        (_, Some(recipient), None) => Some(unpublished(best, recipient)),
    };
    let signing = held.iter().copied().chain(values).map(|value| value.verdict.sign);
    Coverage {
        recipient: recipient.map(|recipient| recipient.identity.clone()),
        encrypt: best.map(|value| value.verdict.encrypt),
        sign: signing.min_by_key(|fitness| rank(*fitness)),
        thumbprint: best.and_then(|value| Some(value.certificate.as_ref()?.thumbprint.clone())),
        not_after_ms: best.and_then(|value| Some(value.certificate.as_ref()?.not_after_ms)),
        in_exchange: pick.is_some(),
        blocked_by,
        person: person.clone(),
    }
}

/// Why nothing is there to encrypt with, given the best the directory has.
fn unpublished(best: Option<&Value>, recipient: &Recipient) -> &'static str {
    match best {
        None => NO_CERTIFICATE,
        Some(value) if value.verdict.encrypt == Fitness::Fit && !recipient.is_mastered_in_cloud() => reason::DIR_SYNCED,
        Some(value) if value.verdict.encrypt == Fitness::Fit => NOT_PUBLISHED,
        Some(value) => value.reason.unwrap_or(reason::WRONG_PURPOSE),
    }
}

/// The directory's best value to encrypt with: the fittest, of these the newest.
fn best_to_encrypt(values: &[Value]) -> Option<&Value> {
    let newness = |value: &Value| value.certificate.as_ref().map_or(i64::MIN, |certificate| certificate.not_before_ms);
    values.iter().min_by_key(|value| (rank(value.verdict.encrypt), std::cmp::Reverse(newness(value))))
}

fn rank(fitness: Fitness) -> u8 {
    match fitness {
        Fitness::Fit => 0,
        Fitness::Undetermined => 1,
        Fitness::Unfit => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Culture, exists};
    use crate::validation::NOT_IN_TENANT;

    #[test]
    fn every_reason_of_coverage_has_a_remedy() {
        let skips = [
            reason::UNREADABLE,
            reason::NO_RECIPIENT,
            reason::AMBIGUOUS,
            reason::NO_ADDRESS,
            reason::DIR_SYNCED,
            reason::UNDETERMINED,
            reason::UNFIT,
        ];
        for reason in skips.into_iter().chain(reason::REMOVING).chain([NO_CERTIFICATE, NOT_PUBLISHED, NOT_IN_TENANT]) {
            assert!(exists(Culture::English, "remedy", reason), "{reason}");
        }
    }
}
