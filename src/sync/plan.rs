//! The plan of a run: every person's rows, in their order and numbered, set aside as they are planned.

use crate::certificate::Attribute;
use crate::config::LogLevel;
use crate::error::{Code, Result};
use crate::people::{Match, Person, Recipient};
use crate::planning::{Before, Change, Subject, Value, plan_recipient, plan_vanished, reason, skip_person};
use crate::store::{SeenPerson, Spool};
use crate::trust::Retriever;
use crate::validation::{Fitness, RevocationCheck};

use super::confirm::confirm;
use super::gather::Pair;
use super::judge_people::{AT_A_TIME, Judged, each, judged};
use super::prepare::{Gone, Prepared};
use super::tenant::Remarks;
use super::{Job, Judge, Phase};

/// How long until somebody is looked at again whose evidence could not be fetched.
const LACKING_AGAIN_MS: i64 = 3_600_000;
/// How long until revocation is looked at again where it is asked for online, unless a value is due before.
const ONLINE_AGAIN_MS: i64 = 86_400_000;

/// What is to be done about one person's recipient, or why nothing is.
#[derive(Default)]
struct Planned {
    changes: Vec<Change>,
    /// When time alone may change that, in milliseconds since 1970 UTC.
    due_ms: Option<i64>,
    /// The fitness of the person's best value, as far as it is known.
    fitness: Option<Fitness>,
    /// Whether there is any value on either side.
    has_values: bool,
    /// Whether the person had a fit value at the last run and certainly has none now.
    is_newly_unfit: bool,
}

/// How planning everybody went.
#[derive(Default)]
struct Course {
    /// People who had a fit value at the last run and certainly have none now.
    newly_unfit: u64,
    /// Whether somebody was planned by other evidence than there is in the end.
    is_old: bool,
    /// People of whom nobody can say that they have no certificates.
    unread: u64,
    remarks: Remarks,
}

/// Somebody who is not there and has rows all the same.
enum Absent<'a> {
    Deleted(&'a Person),
    Gone(&'a Gone),
}

impl Absent<'_> {
    fn identity(&self) -> &str {
        match self {
            Self::Deleted(person) => &person.identity,
            Self::Gone(gone) => &gone.identity,
        }
    }
}

impl Prepared {
    /// Judges and plans everybody, and sets the rows aside, and with `remembers` who was seen. Gives how many people had a
    /// fit value at the last run and have none now.
    pub(super) async fn plan(&self, job: &Job<'_>, judge: &mut Judge, remembers: bool) -> Result<u64> {
        let people = self.gathered.count();
        job.observer.begin(Phase::Judging, people);
        let mut retriever = job.retriever();
        let mut course = self.plan_all(job, judge, retriever.as_mut(), remembers).await?;
        let unread = course.unread;
        job.observer.begin(Phase::Planning, people);
        if course.is_old {
            // what was fetched for the later ones may say something about the earlier ones, too
            self.gathered.spool.forget_rows()?;
            course = self.plan_all(job, judge, None, remembers).await?;
        } else {
            // whoever was judged was planned, too
            (0..people).for_each(|_| job.observer.step());
        }
        if unread > 0 {
            let count = vec![("count", unread.to_string())];
            job.observer.event(LogLevel::Warn, Code::CertificatesUnread, count).await;
        }
        course.remarks.tell(job, judge).await;
        Ok(course.newly_unfit)
    }

    /// Plans everybody, once.
    async fn plan_all(
        &self,
        job: &Job<'_>,
        judge: &mut Judge,
        mut retriever: Option<&mut Retriever<'_>>,
        remembers: bool,
    ) -> Result<Course> {
        let spool = &self.gathered.spool;
        let mut absent = self.absent().into_iter().peekable();
        let (mut rows, mut course) = (Rows::new(spool), Course::default());
        let order = spool.by_identity()?;
        for (chunk, places) in order.chunks(AT_A_TIME).enumerate() {
            let (mut people, learnt) = judged(job, &self.gathered, places, judge, retriever.as_deref_mut()).await?;
            course.is_old |= learnt && chunk > 0;
            course.unread += confirm(job, spool, places, &mut people).await?;
            people.iter().for_each(|judged| course.remarks.add(&judged.values));
            let (judge, evidence_due) = (&*judge, judge.due_ms());
            let planned = each(job, &people, |judged| {
                let claims = if remembers { self.claim_of(&judged.pair)? } else { None };
                Ok((self.of_judged(job, judge, judged, evidence_due)?, claims))
            })?;
            for ((place, Judged { pair, .. }), (planned, claims)) in places.iter().zip(&people).zip(planned) {
                let identity = pair.person.identity.as_str();
                while let Some(before) = absent.next_if(|absent| absent.identity() <= identity) {
                    rows.extend(before.identity(), self.of_absent(job, judge, &before)?)?;
                }
                course.newly_unfit += u64::from(planned.is_newly_unfit);
                if remembers {
                    let seen = SeenPerson {
                        identity,
                        recipient: pair.recipient.as_ref().map(|recipient| recipient.identity.as_str()),
                        fitness: planned.fitness,
                        claims: claims.as_deref(),
                        digest: None,
                        due_ms: planned.due_ms,
                    };
                    spool.see(*place, &seen)?;
                }
                rows.extend(identity, planned.changes)?;
            }
        }
        for absent in absent {
            rows.extend(absent.identity(), self.of_absent(job, judge, &absent)?)?;
        }
        rows.end()?;
        Ok(course)
    }

    /// Those who are not there, by identity.
    fn absent(&self) -> Vec<Absent<'_>> {
        let deleted = self.gathered.deleted.iter().filter(|_| !self.scope.everybody).map(Absent::Deleted);
        let gone = self.gone.iter().filter(|gone| !gone.contested && gone.recipient.is_some()).map(Absent::Gone);
        let mut absent: Vec<_> = deleted.chain(gone).collect();
        absent.sort_by(|one, other| one.identity().cmp(other.identity()));
        absent
    }

    /// Plans a recipient anew from what it holds now; the rows have no numbers.
    pub(super) fn anew(&self, job: &Job<'_>, judge: &Judge, person: &str, now: &Recipient) -> Result<Vec<Change>> {
        let behind = |place: u32| self.behind.get(place as usize).copied().flatten();
        match self.gathered.recipients.identified(&now.identity).filter_map(behind).last() {
            Some(place) => {
                let person = self.gathered.spool.person(place)?;
                let (values, before) = (judge.person(&person), judge.recipient(now, &person.addresses));
                Ok(self.of_person(job, judge, (&person, &values), (now, &before))?.changes)
            }
            None => self.of_gone(job, judge, person, now),
        }
    }

    fn of_judged(&self, job: &Job<'_>, judge: &Judge, judged: &Judged, evidence_due: Option<i64>) -> Result<Planned> {
        let Judged { pair: Pair { person, found, recipient }, values, before, .. } = judged;
        let skipped = |reason| Planned { changes: vec![skip_person(person, reason)], ..Planned::default() };
        let mut planned = match (found, recipient) {
            (Match::One(_), Some(recipient)) => {
                let planned = self.of_person(job, judge, (person, values), (recipient, before))?;
                Planned { due_ms: earliest(planned.due_ms, evidence_due.filter(|_| planned.has_values)), ..planned }
            }
            (Match::One(_), None) => Planned::default(),
            (Match::None(unmatched), _) => skipped(unmatched.reason()),
            (Match::Ambiguous, _) => skipped(reason::AMBIGUOUS),
        };
        planned.fitness = best(values);
        if planned.fitness != Some(Fitness::Fit) && self.was_fit(job, person)? {
            planned.is_newly_unfit = person.complete && planned.fitness != Some(Fitness::Undetermined);
            // what nobody can say now is no jump, and a jump later on counts from what was known last
            if !planned.is_newly_unfit {
                planned.fitness = Some(Fitness::Fit);
            }
        }
        Ok(planned)
    }

    /// Identity of the recipient that a person's names lead to, whether or not others claim it.
    fn claim_of(&self, pair: &Pair) -> Result<Option<String>> {
        match (self.gathered.recipients.claim(&pair.person), &pair.recipient) {
            (None, _) => Ok(None),
            (place, Some(recipient)) if place == pair.found.place() => Ok(Some(recipient.identity.clone())),
            (Some(place), _) => Ok(self.gathered.spool.recipient_alone(place)?.map(|recipient| recipient.identity)),
        }
    }

    fn was_fit(&self, job: &Job<'_>, person: &Person) -> Result<bool> {
        let Some(last) = &self.scope.last else { return Ok(false) };
        let known = job.store.known_person(&last.scope, &person.identity)?;
        Ok(known.is_some_and(|known| known.fitness == Some(Fitness::Fit)))
    }

    fn of_person(
        &self,
        job: &Job<'_>,
        judge: &Judge,
        (person, values): (&Person, &[Value]),
        (recipient, before): (&Recipient, &Before),
    ) -> Result<Planned> {
        let subject = Subject {
            person: &person.identity,
            recipient,
            values,
            before,
            ours: &job.store.ours(&recipient.identity)?,
            circumstances: self.circumstances(person.complete),
        };
        let held = Attribute::ALL.into_iter().filter_map(|attribute| before.values(attribute)).flatten();
        let all: Vec<&Value> = values.iter().chain(held).collect();
        let at_ms = judge.rules.at_ms;
        let by_time = all.iter().filter_map(|value| value.due_ms(at_ms)).min();
        // what could not be fetched may be had soon, and what responders say is asked again
        let lacks = all.iter().any(|value| !value.verdict.needs.is_empty());
        let is_online = judge.rules.revocation == RevocationCheck::Online;
        let again = lacks.then_some(LACKING_AGAIN_MS).or(is_online.then_some(ONLINE_AGAIN_MS));
        let due_ms = earliest(by_time, again.filter(|_| !all.is_empty()).map(|wait| at_ms + wait));
        let (changes, has_values) = (plan_recipient(&subject, &self.policy), !all.is_empty());
        Ok(Planned { changes, due_ms, has_values, ..Planned::default() })
    }

    fn of_absent(&self, job: &Job<'_>, judge: &Judge, absent: &Absent<'_>) -> Result<Vec<Change>> {
        match absent {
            Absent::Deleted(person) => Ok(vec![skip_person(person, reason::VANISHED)]),
            Absent::Gone(gone) => match self.left_behind(gone)? {
                Some(recipient) => self.of_gone(job, judge, &gone.identity, &recipient),
                None => Ok(Vec::new()),
            },
        }
    }

    fn of_gone(&self, job: &Job<'_>, judge: &Judge, person: &str, recipient: &Recipient) -> Result<Vec<Change>> {
        let subject = Subject {
            person,
            recipient,
            values: &[],
            before: &judge.recipient(recipient, &recipient.addresses),
            ours: &job.store.ours(&recipient.identity)?,
            circumstances: self.circumstances(true),
        };
        Ok(plan_vanished(&subject, &self.policy))
    }
}

/// Rows on their way into the spool. They come person by person in the order of identities, and get their numbers here.
struct Rows<'a> {
    spool: &'a Spool,
    number: u32,
    identity: String,
    /// Rows of that identity.
    waiting: Vec<Change>,
}

impl<'a> Rows<'a> {
    fn new(spool: &'a Spool) -> Self {
        Self { spool, number: 0, identity: String::new(), waiting: Vec::new() }
    }

    fn extend(&mut self, identity: &str, changes: Vec<Change>) -> Result<()> {
        if self.identity != identity {
            self.end()?;
            identity.clone_into(&mut self.identity);
        }
        self.waiting.extend(changes);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.waiting.sort_by(Change::order);
        for mut change in self.waiting.drain(..) {
            self.number += 1;
            change.number = self.number;
            self.spool.add_row(&change)?;
        }
        Ok(())
    }
}

/// The earlier of two times there may be.
fn earliest(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// The fitness of the best value; `None` without any.
fn best(values: &[Value]) -> Option<Fitness> {
    let all = || values.iter().map(|value| value.verdict.fitness());
    [Fitness::Fit, Fitness::Undetermined, Fitness::Unfit].into_iter().find(|wanted| all().any(|found| found == *wanted))
}
