//! Everything a run looks at: people, recipients, and who is who.

use std::collections::HashSet;

use tokio::sync::mpsc;

use crate::config::{DirectoryKind, LogLevel};
use crate::directory::{self, Cursor, ReadReport, Selection, WhyEverybody};
use crate::error::{Code, Result};
use crate::exchange::{self, ListReport};
use crate::people::{Match, Person, Recipient, RecipientIndex};

use super::delta::{Delta, delta};
use super::extent::Extent;
use super::found::{FEW, Sought, find};
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
    /// Whether these are all recipients there are, and not only those of the people.
    pub(super) all_recipients: bool,
    /// Which recipient each person is, in the order of `people`.
    pub(super) matches: Vec<Match>,
    /// Places of recipients that somebody without a clear match could mean, too.
    pub(super) contested: HashSet<usize>,
    /// When the recipients were read, in milliseconds since 1970 UTC.
    pub(super) read_ms: i64,
    /// The recipient each person's names lead to, whether or not others claim it; in the order of `people`.
    pub(super) claims: Vec<Option<usize>>,
    /// What a read of changes told besides; `None` where everybody was wanted.
    pub(super) changed: Option<Changed>,
}

/// What a read of changes told besides the people.
pub(super) struct Changed {
    /// Identities of people who are gone.
    pub(super) gone: Vec<String>,
    /// Identities that changed and that the account does not see.
    pub(super) unseen: Vec<String>,
}

/// What is to be gathered.
pub(super) struct Wish<'a> {
    pub(super) selection: &'a Selection,
    pub(super) extent: Extent,
    /// Whether a complete read should leave a cursor.
    pub(super) marks: bool,
}

pub(super) async fn gather(job: &Job<'_>, wish: Wish<'_>) -> Result<Gathered> {
    let selection = wish.selection;
    let Read { people, report, changed } = until_cancelled(job.observer, wanted(job, wish)).await?;
    let (deleted, people): (Vec<_>, Vec<_>) = people.into_iter().partition(|person| person.deleted);
    let mut read_ms = job.surroundings.now_ms();
    let selected = *selection != Selection::default();
    let few = match &changed {
        Some(changed) => Some(until_cancelled(job.observer, recipients_of(job, &people, changed)).await?),
        None if selected => until_cancelled(job.observer, few_recipients(job, &people)).await?,
        None => None,
    };
    let mut all_recipients = few.is_none();
    let mut recipients = match few {
        Some(few) => few,
        None => until_cancelled(job.observer, recipients(job)).await?,
    };
    let mut index = RecipientIndex::new(&recipients);
    let mut matches = index.find_all(&people);
    if let Some(changed) = &changed {
        part_from_known(job, &people, changed, &recipients, &mut matches)?;
    }
    if selected || may_be_asked_of_rivals(job, &changed, &matches)? {
        let mut everybody = until_cancelled(job.observer, claimants(job, &recipients, &matches)).await?;
        if !all_recipients && changed.is_none() && has_others(&everybody, &people) {
            // which recipient a rival is can only be told among all of them
            read_ms = job.surroundings.now_ms();
            all_recipients = true;
            recipients = until_cancelled(job.observer, self::recipients(job)).await?;
            index = RecipientIndex::new(&recipients);
            matches = index.find_all(&people);
            everybody = until_cancelled(job.observer, claimants(job, &recipients, &matches)).await?;
        }
        index.part_from(&everybody, &people, &mut matches);
    }
    let unclear = people.iter().zip(&matches).filter(|(_, found)| **found == Match::Ambiguous);
    let contested = unclear.flat_map(|(person, _)| index.all_of(person)).collect();
    let claims = people.iter().map(|person| index.claim(person)).collect();
    Ok(Gathered { people, deleted, report, recipients, all_recipients, matches, contested, read_ms, claims, changed })
}

/// Whether asking the directory for rivals of those who changed costs less than they do; the store knows of the others.
fn may_be_asked_of_rivals(job: &Job<'_>, changed: &Option<Changed>, matches: &[Match]) -> Result<bool> {
    let directories = job.config.all_directories()?;
    // several are read to their end for it, as a rival may be made of all of them
    let is_server = matches!(directories.as_slice(), [only] if only.kind == DirectoryKind::Ldap);
    Ok(changed.is_some() && is_server && matches.len() <= FEW)
}

/// Makes every claim ambiguous that somebody has, too, whom this read of changes did not look at.
fn part_from_known(
    job: &Job<'_>,
    people: &[Person],
    changed: &Changed,
    recipients: &[Recipient],
    matches: &mut [Match],
) -> Result<()> {
    let scope = directory::scope_of(job.config)?;
    let looked_at = people.iter().map(|person| person.identity.as_str());
    let looked_at: HashSet<&str> = looked_at.chain(changed.gone.iter().map(String::as_str)).collect();
    for (person, found) in people.iter().zip(matches) {
        let Match::One(place) = *found else { continue };
        let rivals = match recipients.get(place) {
            Some(recipient) => job.store.claimants(&scope, &recipient.identity)?,
            None => Vec::new(),
        };
        // of two entries with one identity the other may not have changed
        let is_repeated = person.problems.iter().any(|problem| problem.code == "duplicate_entry");
        if is_repeated || rivals.iter().any(|rival| !looked_at.contains(rival.as_str())) {
            *found = Match::Ambiguous;
        }
    }
    Ok(())
}

/// People as they were read.
struct Read {
    people: Vec<Person>,
    report: ReadReport,
    changed: Option<Changed>,
}

async fn wanted(job: &Job<'_>, wish: Wish<'_>) -> Result<Read> {
    let why = match wish.extent {
        Extent::Everybody(why) => why,
        Extent::Changed(cursor) => match changes(job, wish.selection, cursor).await? {
            Ok(read) => return Ok(read),
            Err(why) => Some(why),
        },
    };
    if let Some(why) = why {
        let detail = why.text().render(job.culture);
        job.observer.event(LogLevel::Warn, Code::EverybodyRead, vec![("detail", detail)]).await;
    }
    let (people, report) = people(job, wish.selection, wish.marks).await?;
    if let Some(why) = report.no_cursor.filter(|why| *why != WhyEverybody::Off) {
        let detail = why.text().render(job.culture);
        job.observer.event(LogLevel::Warn, Code::NoCursor, vec![("detail", detail)]).await;
    }
    Ok(Read { people, report, changed: None })
}

async fn changes(
    job: &Job<'_>,
    selection: &Selection,
    cursor: Cursor,
) -> Result<std::result::Result<Read, WhyEverybody>> {
    job.observer.begin(Phase::ReadingPeople, 0);
    let scope = directory::scope_of(job.config)?;
    let besides = job.store.to_look_at(&scope, job.at_ms()?)?;
    let delta = match delta(job.store, job.config, selection, cursor, besides, || job.observer.step()).await? {
        Ok(delta) => delta,
        Err(why) => return Ok(Err(why)),
    };
    delta.announce(job.observer, job.culture).await;
    let Delta { people, mut gone, unseen, report, .. } = delta;
    if report.complete && *selection == Selection::default() {
        let there: HashSet<&str> = people.iter().map(|person| person.identity.as_str()).collect();
        let earlier = job.store.gone_people(&scope)?;
        gone.extend(earlier.into_iter().filter(|identity| !there.contains(identity.as_str())));
        gone.sort();
        gone.dedup();
    }
    Ok(Ok(Read { people, report, changed: Some(Changed { gone, unseen }) }))
}

/// The recipients of those who changed and of those who are gone.
async fn recipients_of(job: &Job<'_>, people: &[Person], changed: &Changed) -> Result<Vec<Recipient>> {
    if people.is_empty() && changed.gone.is_empty() {
        return Ok(Vec::new());
    }
    if people.len() + changed.gone.len() > FEW {
        return recipients(job).await;
    }
    job.observer.begin(Phase::ReadingRecipients, people.len() + changed.gone.len());
    let scope = directory::scope_of(job.config)?;
    let last = |identity: &str| -> Result<Option<String>> {
        Ok(job.store.known_person(&scope, identity)?.and_then(|known| known.recipient))
    };
    let mut sought = Vec::new();
    for person in people {
        sought.push(Sought { person: Some(person), last: last(&person.identity)? });
    }
    for identity in &changed.gone {
        sought.push(Sought { person: None, last: last(identity)? });
    }
    match find(job, sought).await? {
        Some(found) => {
            let count = found.len().to_string();
            job.observer.event(LogLevel::Info, Code::RecipientsRead, vec![("count", count)]).await;
            Ok(found)
        }
        None => recipients(job).await,
    }
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
        let (people, report) = read(job, &selection, false, strip).await?;
        report.ended()?;
        found.extend(people.into_iter().filter(|person| !person.deleted));
    }
    Ok(found)
}

/// Reads people, keeps what `keep` leaves of each, and tells nobody.
async fn read(
    job: &Job<'_>,
    selection: &Selection,
    marks: bool,
    keep: impl Fn(Person) -> Person,
) -> Result<(Vec<Person>, ReadReport)> {
    let (sink, mut source) = mpsc::channel(WAITING_PEOPLE);
    let reading = async {
        match marks && *selection == Selection::default() {
            true => directory::read_everybody_of(job.config, sink).await,
            false => directory::read_all(job.config, selection, sink).await,
        }
    };
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

async fn people(job: &Job<'_>, selection: &Selection, marks: bool) -> Result<(Vec<Person>, ReadReport)> {
    job.observer.begin(Phase::ReadingPeople, 0);
    let (people, report) = read(job, selection, marks, |person| person).await?;
    job.observer.event(LogLevel::Info, Code::PeopleRead, vec![("count", people.len().to_string())]).await;
    for error in &report.replaced {
        let detail = error.message(job.culture);
        job.observer.event(LogLevel::Warn, Code::ServerReplaced, vec![("detail", detail)]).await;
    }
    if report.limit_reached {
        let limit = selection.limit.unwrap_or_default().to_string();
        job.observer.event(LogLevel::Warn, Code::LimitReached, vec![("limit", limit)]).await;
    }
    Ok((people, report))
}

fn has_others(everybody: &[Person], people: &[Person]) -> bool {
    let known: HashSet<&str> = people.iter().map(|person| person.identity.as_str()).collect();
    everybody.iter().any(|person| !known.contains(person.identity.as_str()))
}

/// The recipients of a few people, where finding them alone takes fewer requests than listing everybody.
async fn few_recipients(job: &Job<'_>, people: &[Person]) -> Result<Option<Vec<Recipient>>> {
    job.observer.begin(Phase::ReadingRecipients, 0);
    let Some((recipients, report)) = job.exchange.collect_people(people).await? else { return Ok(None) };
    tell(job, recipients.len(), "identity", report).await;
    Ok(Some(recipients))
}

async fn recipients(job: &Job<'_>) -> Result<Vec<Recipient>> {
    job.observer.begin(Phase::ReadingRecipients, 0);
    let (recipients, report) = job.exchange.collect(exchange::Selection::default()).await?;
    tell(job, recipients.len(), "page", report).await;
    Ok(recipients)
}

async fn tell(job: &Job<'_>, count: usize, by: &str, report: ListReport) {
    let counts = vec![("count", count.to_string()), ("by", by.to_owned()), ("requests", report.pages.to_string())];
    job.observer.event(LogLevel::Info, Code::RecipientsRead, counts).await;
}
