//! Who can be encrypted to from Exchange Online today, and if not, why.

use crate::certificate::Attribute;
use crate::directory::Selection;
use crate::error::{Error, Result};
use crate::people::{Match, Person, Recipient};
use crate::planning::{Value, reason, senders_pick};
use crate::trust::{Retriever, Sources};
use crate::validation::Fitness;

use super::extent::Extent;
use super::gather::{Gathered, Pair, Wish, gather};
use super::judge_people::{AT_A_TIME, Judged, judged};
use super::tenant::{self, Remarks};
use super::{Job, Judge, Phase, read_form};

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

/// Coverage of people, worked out a few at a time.
pub struct Covering<'a> {
    job: Job<'a>,
    judge: Judge,
    retriever: Option<Retriever<'a>>,
    gathered: Gathered,
    /// The place of the next person.
    next: u32,
    /// What the tenant makes of those so far.
    remarks: Remarks,
}

/// Reads the selected people and their recipients.
///
/// # Errors
/// What ends a read.
pub async fn coverage<'a>(job: &Job<'a>, selection: &Selection) -> Result<Covering<'a>> {
    let mut judge = Judge::new(job.config, &Sources::of(job.config), job.at_ms()?)?;
    judge.evidence.set_tenant(tenant::read(job).await?.judging(job).await?);
    read_form::expect(job)?;
    let gathered = gather(job, Wish { selection, extent: Extent::Everybody(None), marks: false }).await?;
    read_form::keep(job)?;
    job.observer.begin(Phase::Judging, gathered.count());
    Ok(Covering { job: *job, judge, retriever: job.retriever(), gathered, next: 0, remarks: Remarks::default() })
}

impl Covering<'_> {
    /// The next people, in the order they were read; none after the last, when what the tenant makes of them was told.
    ///
    /// # Errors
    /// `cancelled`, `store_failed`.
    pub async fn next_few(&mut self) -> Result<Vec<Coverage>> {
        let left = self.gathered.count().saturating_sub(self.next as usize);
        let places: Vec<u32> = (self.next..).take(AT_A_TIME.min(left)).collect();
        if places.is_empty() {
            std::mem::take(&mut self.remarks).tell(&self.job, &self.judge).await;
        }
        self.next = places.last().map_or(self.next, |last| last + 1);
        let (judge, retriever) = (&mut self.judge, self.retriever.as_mut());
        let (people, _) = judged(&self.job, &self.gathered, &places, judge, retriever).await?;
        people.iter().for_each(|judged| self.remarks.add(&judged.values));
        Ok(people.iter().map(|judged| of_person(&self.judge, judged)).collect())
    }

    /// Identities that could not be resolved.
    pub fn unresolved(&self) -> &[Error] {
        &self.gathered.report.unresolved
    }

    /// Why the read of the directory did not come to its end, if it did not.
    pub fn incomplete_reason(&self) -> Option<&Error> {
        self.gathered.report.incomplete_reason.as_ref()
    }
}

fn of_person(judge: &Judge, judged: &Judged) -> Coverage {
    let Judged { pair: Pair { person, found, recipient }, values, before, .. } = judged;
    let recipient = recipient.as_ref();
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
