//! Everything a run looks at: people, recipients, and who is who.

use std::collections::HashSet;

use tokio::sync::mpsc;

use crate::config::LogLevel;
use crate::directory::{self, ReadReport, Selection};
use crate::error::{Code, Result};
use crate::exchange;
use crate::people::{Match, Person, Recipient, RecipientIndex};

use super::observer::until_cancelled;
use super::{Job, Phase};

/// People that wait between the directory and memory.
const WAITING_PEOPLE: usize = 256;

/// What a run looks at.
pub(super) struct Gathered {
    pub(super) people: Vec<Person>,
    /// Tombstones: nobody stands behind a recipient any more by one.
    pub(super) deleted: Vec<Person>,
    pub(super) report: ReadReport,
    pub(super) recipients: Vec<Recipient>,
    /// Which recipient each person is, in the order of `people`.
    pub(super) matches: Vec<Match>,
    /// Places of recipients that somebody without a clear match could mean, too.
    pub(super) contested: HashSet<usize>,
    /// When the recipients were read, in milliseconds since 1970 UTC.
    pub(super) read_ms: i64,
}

pub(super) async fn gather(job: &Job<'_>, selection: &Selection) -> Result<Gathered> {
    let (people, report) = until_cancelled(job.observer, people(job, selection)).await?;
    let (deleted, people): (Vec<_>, Vec<_>) = people.into_iter().partition(|person| person.deleted);
    let read_ms = job.surroundings.now_ms();
    let recipients = until_cancelled(job.observer, recipients(job)).await?;
    let index = RecipientIndex::new(&recipients);
    let mut matches = index.find_all(&people);
    if *selection != Selection::default() {
        let everybody = until_cancelled(job.observer, claimants(job, &recipients, &matches)).await?;
        index.part_from(&everybody, &people, &mut matches);
    }
    let unclear = people.iter().zip(&matches).filter(|(_, found)| **found == Match::Ambiguous);
    let contested = unclear.flat_map(|(person, _)| index.all_of(person)).collect();
    Ok(Gathered { people, deleted, report, recipients, matches, contested, read_ms })
}

/// Everybody in the directory who could claim one of the matched recipients, so that a selection hides no rival.
///
/// # Errors
/// `directory_incomplete` where that cannot be learned: a selected run that cannot exclude a rival must not write.
async fn claimants(job: &Job<'_>, recipients: &[Recipient], matches: &[Match]) -> Result<Vec<Person>> {
    let matched: Vec<_> = matches
        .iter()
        .filter_map(|found| match found {
            Match::One(place) => recipients.get(*place),
            Match::None(_) | Match::Ambiguous => None,
        })
        .collect();
    let mut found = Vec::new();
    if matched.is_empty() {
        return Ok(found);
    }
    for selection in directory::claims_of(job.config, &matched)? {
        // what they hold does not matter here, who they are does
        let strip = |person| Person { values: Vec::new(), problems: Vec::new(), ..person };
        let (people, report) = read(job, &selection, strip).await?;
        report.ended()?;
        found.extend(people.into_iter().filter(|person| !person.deleted));
    }
    Ok(found)
}

/// Reads people, keeps what `keep` leaves of each, and tells nobody.
async fn read(
    job: &Job<'_>,
    selection: &Selection,
    keep: impl Fn(Person) -> Person,
) -> Result<(Vec<Person>, ReadReport)> {
    let (sink, mut source) = mpsc::channel(WAITING_PEOPLE);
    let reading = directory::read_all(job.config, selection, sink);
    let taking = async {
        let mut people = Vec::new();
        while let Some(person) = source.recv().await {
            people.push(keep(person));
            job.observer.step();
        }
        people
    };
    let (report, people) = tokio::join!(reading, taking);
    Ok((people, report?))
}

async fn people(job: &Job<'_>, selection: &Selection) -> Result<(Vec<Person>, ReadReport)> {
    job.observer.begin(Phase::ReadingPeople, 0);
    let (people, report) = read(job, selection, |person| person).await?;
    job.observer.event(LogLevel::Info, Code::PeopleRead, vec![("count", people.len().to_string())]).await;
    if report.limit_reached {
        let limit = selection.limit.unwrap_or_default().to_string();
        job.observer.event(LogLevel::Warn, Code::LimitReached, vec![("limit", limit)]).await;
    }
    Ok((people, report))
}

async fn recipients(job: &Job<'_>) -> Result<Vec<Recipient>> {
    job.observer.begin(Phase::ReadingRecipients, 0);
    let (recipients, _) = job.exchange.collect(exchange::Selection::default()).await?;
    job.observer.event(LogLevel::Info, Code::RecipientsRead, vec![("count", recipients.len().to_string())]).await;
    Ok(recipients)
}
