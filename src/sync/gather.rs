//! Everything a run looks at: people, recipients, and who is who.

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
    pub(super) report: ReadReport,
    pub(super) recipients: Vec<Recipient>,
    /// Which recipient each person is, in the order of `people`.
    pub(super) matches: Vec<Match>,
    /// When the recipients were read, in milliseconds since 1970 UTC.
    pub(super) read_ms: i64,
}

pub(super) async fn gather(job: &Job<'_>, selection: &Selection) -> Result<Gathered> {
    let (people, report) = until_cancelled(job.observer, people(job, selection)).await?;
    let read_ms = job.surroundings.now_ms();
    let recipients = until_cancelled(job.observer, recipients(job)).await?;
    let matches = RecipientIndex::new(&recipients).find_all(&people);
    Ok(Gathered { people, report, recipients, matches, read_ms })
}

async fn people(job: &Job<'_>, selection: &Selection) -> Result<(Vec<Person>, ReadReport)> {
    let config = job.config.only_directory()?;
    job.observer.begin(Phase::ReadingPeople, 0);
    let (sink, mut source) = mpsc::channel(WAITING_PEOPLE);
    let reading = directory::read(config, job.config.base_dir.as_deref(), selection, sink);
    let taking = async {
        let mut people = Vec::new();
        while let Some(person) = source.recv().await {
            people.push(person);
            job.observer.step();
        }
        people
    };
    let (report, people) = tokio::join!(reading, taking);
    let report = report?;
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
