//! Everything a run looks at: people, recipients, and who is who. Both are set aside as they come; memory keeps what they
//! are found by.

use std::collections::HashSet;

use tokio::sync::mpsc;

use crate::config::{DirectoryKind, LogLevel};
use crate::directory::{self, Cursor, MOST_CLAIMED, ReadReport, Selection, WhyEverybody};
use crate::error::{Code, Error, Result};
use crate::exchange::{self, ListReport};
use crate::people::{Claims, Match, PeopleIndex, PeopleKeys, Person, Recipient, RecipientIndex, RecipientKeys, digest};
use crate::store::Spool;

use super::delta::{Delta, delta};
use super::extent::Extent;
use super::found::{FEW, Sought, find};
use super::observer::until_cancelled;
use super::{Job, Phase};

/// People that wait between the directory and the spool.
const WAITING_PEOPLE: usize = 256;
/// Pages of recipients that wait for it.
const WAITING_PAGES: usize = 2;
/// People whose recipients may be asked for by what they are known by; for more, a list of everybody takes fewer requests.
const MOST_NAMED: usize = 20_000;

/// What a run looks at.
pub(super) struct Gathered {
    /// People and recipients themselves, by their places.
    pub(super) spool: Spool,
    /// People who are there.
    pub(super) people: PeopleIndex,
    /// Tombstones, without values: nobody stands behind a recipient any more by one.
    pub(super) deleted: Vec<Person>,
    pub(super) report: ReadReport,
    pub(super) recipients: RecipientIndex,
    /// Whether these are all recipients there are, and not only those of the people.
    pub(super) all_recipients: bool,
    /// Which recipient each person is, by the person's place.
    pub(super) matches: Vec<Match>,
    /// Places of recipients that somebody without a clear match could mean, too.
    pub(super) contested: HashSet<u32>,
    /// What a read of changes told besides; `None` where everybody was wanted.
    pub(super) changed: Option<Changed>,
}

/// A person and the recipient the person stands behind.
pub(super) struct Pair {
    pub(super) person: Person,
    pub(super) found: Match,
    pub(super) recipient: Option<Recipient>,
}

impl Gathered {
    /// The person at a place, and the person's recipient.
    pub(super) fn pair(&self, place: u32) -> Result<Pair> {
        let found = self.matches.get(place as usize).copied().unwrap_or(Match::Ambiguous);
        let recipient = match found.place() {
            Some(recipient) => self.recipient(recipient)?,
            None => None,
        };
        Ok(Pair { person: self.spool.person(place)?, found, recipient })
    }

    /// The recipient at a place.
    pub(super) fn recipient(&self, place: u32) -> Result<Option<Recipient>> {
        Ok(self.spool.recipient(place)?.map(|(recipient, _)| recipient))
    }

    /// The place of the recipient with an identity.
    pub(super) fn place_of(&self, identity: &str) -> Option<u32> {
        self.recipients.identified(identity).last()
    }

    /// How many people there are.
    pub(super) fn count(&self) -> usize {
        self.people.count()
    }
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
    let spool = Spool::new()?;
    let read = until_cancelled(job.observer, wanted(job, wish, &spool)).await?;
    let Read { people, deleted, repeated, report, changed } = read;
    let selected = *selection != Selection::default();
    let few = match &changed {
        Some(changed) => Some(until_cancelled(job.observer, recipients_of(job, &spool, &people, changed)).await?),
        None if selected => until_cancelled(job.observer, few_recipients(job, &spool, &people)).await?,
        None => None,
    };
    let mut all_recipients = few.is_none();
    let mut index = match few {
        Some(few) => few,
        None => until_cancelled(job.observer, recipients(job, &spool)).await?,
    };
    let mut matches = matched(&spool, &people, &index)?;
    if let Some(changed) = &changed {
        part_from_known(job, &spool, &people, &repeated, changed, &mut matches)?;
    }
    if selected || may_be_asked_of_rivals(job, &changed, &matches)? {
        let rivals = claimants(job, &spool, &people, &index, &matches);
        let mut rivals = until_cancelled(job.observer, rivals).await?;
        if !all_recipients && changed.is_none() && rivals.others {
            // which recipient a rival is can only be told among all of them
            all_recipients = true;
            index = until_cancelled(job.observer, recipients(job, &spool)).await?;
            matches = matched(&spool, &people, &index)?;
            let again = claimants(job, &spool, &people, &index, &matches);
            rivals = until_cancelled(job.observer, again).await?;
        }
        people.part_from(rivals.claims, &mut matches);
    }
    let contested = contested(&spool, &index, &matches)?;
    Ok(Gathered { spool, people, deleted, report, recipients: index, all_recipients, matches, contested, changed })
}

/// Which recipient each person is.
fn matched(spool: &Spool, people: &PeopleIndex, recipients: &RecipientIndex) -> Result<Vec<Match>> {
    let mut matches = Vec::with_capacity(people.count());
    spool.each_person(|person| {
        matches.push(recipients.find(&person));
        Ok(())
    })?;
    people.part(&mut matches);
    Ok(matches)
}

/// Every recipient that anything of somebody without a clear match leads to.
fn contested(spool: &Spool, recipients: &RecipientIndex, matches: &[Match]) -> Result<HashSet<u32>> {
    let mut contested = HashSet::new();
    if matches.contains(&Match::Ambiguous) {
        let mut found = matches.iter();
        spool.each_person(|person| {
            if found.next() == Some(&Match::Ambiguous) {
                contested.extend(recipients.all_of(&person));
            }
            Ok(())
        })?;
    }
    Ok(contested)
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
    spool: &Spool,
    people: &PeopleIndex,
    repeated: &HashSet<u32>,
    changed: &Changed,
    matches: &mut [Match],
) -> Result<()> {
    let scope = directory::scope_of(job.config)?;
    let gone: HashSet<&str> = changed.gone.iter().map(String::as_str).collect();
    for (person, found) in (0..).zip(matches) {
        let Match::One(place) = *found else { continue };
        let rivals = match spool.recipient_alone(place)? {
            Some(recipient) => job.store.claimants(&scope, &recipient.identity)?,
            None => Vec::new(),
        };
        let is_looked_at = |rival: &String| people.contains(rival) || gone.contains(rival.as_str());
        // of two entries with one identity the other may not have changed
        if repeated.contains(&person) || !rivals.iter().all(is_looked_at) {
            *found = Match::Ambiguous;
        }
    }
    Ok(())
}

/// People as they were read; they themselves are in the spool.
struct Read {
    people: PeopleIndex,
    deleted: Vec<Person>,
    /// Places of people beside whom another entry has the same identity.
    repeated: HashSet<u32>,
    report: ReadReport,
    changed: Option<Changed>,
}

/// Sets people aside as they come.
struct Taking<'a> {
    spool: &'a Spool,
    keys: PeopleKeys,
    deleted: Vec<Person>,
    repeated: HashSet<u32>,
}

impl<'a> Taking<'a> {
    fn new(spool: &'a Spool) -> Self {
        Self { spool, keys: PeopleKeys::default(), deleted: Vec::new(), repeated: HashSet::new() }
    }

    fn take(&mut self, person: Person) -> Result<()> {
        if person.deleted {
            self.deleted.push(Person { values: Vec::new(), problems: Vec::new(), ..person });
            return Ok(());
        }
        let place = self.keys.add(&person.identity);
        for (_, part) in person.parts.iter().filter(|(_, part)| *part != person.identity) {
            self.keys.add_part(part);
        }
        if person.problems.iter().any(|problem| problem.code == "duplicate_entry") {
            self.repeated.insert(place);
        }
        self.spool.add_person(place, &person, &digest(&person))
    }

    fn read(self, report: ReadReport, changed: Option<Changed>) -> Read {
        let Self { keys, deleted, repeated, .. } = self;
        Read { people: keys.into_index(), deleted, repeated, report, changed }
    }
}

async fn wanted(job: &Job<'_>, wish: Wish<'_>, spool: &Spool) -> Result<Read> {
    let why = match wish.extent {
        Extent::Everybody(why) => why,
        Extent::Changed(cursor) => match changes(job, wish.selection, cursor, spool).await? {
            Ok(read) => return Ok(read),
            Err(why) => Some(why),
        },
    };
    if let Some(why) = why {
        let detail = why.text().render(job.culture);
        job.observer.event(LogLevel::Warn, Code::EverybodyRead, vec![("detail", detail)]).await;
    }
    let read = people(job, wish.selection, wish.marks, spool).await?;
    if let Some(why) = read.report.no_cursor.filter(|why| *why != WhyEverybody::Off) {
        let detail = why.text().render(job.culture);
        job.observer.event(LogLevel::Warn, Code::NoCursor, vec![("detail", detail)]).await;
    }
    Ok(read)
}

async fn changes(
    job: &Job<'_>,
    selection: &Selection,
    cursor: Cursor,
    spool: &Spool,
) -> Result<std::result::Result<Read, WhyEverybody>> {
    job.observer.begin(Phase::ReadingPeople, 0);
    let scope = directory::scope_of(job.config)?;
    let besides = job.store.to_look_at(&scope, job.at_ms()?)?;
    let mut taking = Taking::new(spool);
    let (step, take) = (|| job.observer.step(), |person| taking.take(person));
    let delta = match delta(job.store, job.config, selection, cursor, besides, step, take).await? {
        Ok(delta) => delta,
        Err(why) => {
            spool.forget_people()?;
            return Ok(Err(why));
        }
    };
    delta.announce(job.observer, job.culture).await;
    let Delta { mut gone, unseen, report, .. } = delta;
    let mut read = taking.read(report, None);
    if read.report.complete && *selection == Selection::default() {
        let earlier = job.store.gone_people(&scope)?;
        gone.extend(earlier.into_iter().filter(|identity| !read.people.contains(identity)));
        gone.sort();
        gone.dedup();
    }
    read.changed = Some(Changed { gone, unseen });
    Ok(Ok(read))
}

/// The recipients of those who changed and of those who are gone.
async fn recipients_of(
    job: &Job<'_>,
    spool: &Spool,
    people: &PeopleIndex,
    changed: &Changed,
) -> Result<RecipientIndex> {
    let count = people.count() + changed.gone.len();
    if count == 0 {
        return Ok(RecipientIndex::default());
    }
    if count > FEW {
        return recipients(job, spool).await;
    }
    job.observer.begin(Phase::ReadingRecipients, count);
    let read_ms = job.surroundings.now_ms();
    let scope = directory::scope_of(job.config)?;
    let last = |identity: &str| -> Result<Option<String>> {
        Ok(job.store.known_person(&scope, identity)?.and_then(|known| known.recipient))
    };
    let people = names(spool)?;
    let mut sought = Vec::new();
    for person in &people {
        sought.push(Sought { person: Some(person), last: last(&person.identity)? });
    }
    for identity in &changed.gone {
        sought.push(Sought { person: None, last: last(identity)? });
    }
    match find(job, sought).await? {
        Some(found) => {
            let count = found.len().to_string();
            job.observer.event(LogLevel::Info, Code::RecipientsRead, vec![("count", count)]).await;
            set_aside(spool, &found, read_ms)
        }
        None => recipients(job, spool).await,
    }
}

/// Everybody without values, for runs that look at few.
fn names(spool: &Spool) -> Result<Vec<Person>> {
    let mut people = Vec::new();
    spool.each_person(|person| {
        people.push(person);
        Ok(())
    })?;
    Ok(people)
}

/// Who claims one of the matched recipients, besides those who were looked at.
struct Rivals {
    claims: Claims,
    /// Whether there is anybody who was not looked at.
    others: bool,
}

/// Everybody in the directory who could claim one of the matched recipients, so that a selection hides no rival.
///
/// # Errors
/// `directory_incomplete` where that cannot be learned: a selected run that cannot exclude a rival must not write.
async fn claimants(
    job: &Job<'_>,
    spool: &Spool,
    people: &PeopleIndex,
    recipients: &RecipientIndex,
    matches: &[Match],
) -> Result<Rivals> {
    let mut matched = Vec::new();
    // of more of them it does not matter which they are
    for place in matches.iter().filter_map(Match::place).take(MOST_CLAIMED + 1) {
        matched.extend(spool.recipient_alone(place)?);
    }
    let mut rivals = Rivals { claims: Claims::default(), others: false };
    if matched.is_empty() {
        return Ok(rivals);
    }
    let matched: Vec<&Recipient> = matched.iter().collect();
    for selection in directory::claims_of(job.config, &matched)? {
        let take = |person: Person| {
            if !person.deleted {
                rivals.claims.add(recipients, &person);
                rivals.others |= !people.contains(&person.identity);
            }
            Ok(())
        };
        let report = read(job, &selection, false, take).await?;
        report.ended()?;
    }
    Ok(rivals)
}

/// Reads people, hands them on, and tells nobody.
async fn read(
    job: &Job<'_>,
    selection: &Selection,
    marks: bool,
    mut take: impl FnMut(Person) -> Result<()>,
) -> Result<ReadReport> {
    let (sink, source) = mpsc::channel(WAITING_PEOPLE);
    let reading = async {
        match marks && *selection == Selection::default() {
            true => directory::read_everybody_of(job.config, sink).await,
            false => directory::read_all(job.config, selection, sink).await,
        }
    };
    let taking = async {
        // given up on a failure, so that nobody waits for it to be emptied
        let mut source = source;
        while let Some(person) = source.recv().await {
            take(person)?;
            job.observer.step();
        }
        Ok::<_, Error>(())
    };
    let (report, taken) = tokio::join!(reading, taking);
    taken.and(report)
}

async fn people(job: &Job<'_>, selection: &Selection, marks: bool, spool: &Spool) -> Result<Read> {
    job.observer.begin(Phase::ReadingPeople, 0);
    let mut taking = Taking::new(spool);
    let report = read(job, selection, marks, |person| taking.take(person)).await?;
    let read = taking.read(report, None);
    let count = vec![("count", (read.people.count() + read.deleted.len()).to_string())];
    job.observer.event(LogLevel::Info, Code::PeopleRead, count).await;
    for error in &read.report.replaced {
        let detail = error.message(job.culture);
        job.observer.event(LogLevel::Warn, Code::ServerReplaced, vec![("detail", detail)]).await;
    }
    if read.report.limit_reached {
        let limit = selection.limit.unwrap_or_default().to_string();
        job.observer.event(LogLevel::Warn, Code::LimitReached, vec![("limit", limit)]).await;
    }
    Ok(read)
}

/// The recipients of a few people, where finding them alone takes fewer requests than listing everybody.
async fn few_recipients(job: &Job<'_>, spool: &Spool, people: &PeopleIndex) -> Result<Option<RecipientIndex>> {
    job.observer.begin(Phase::ReadingRecipients, 0);
    if people.count() > MOST_NAMED {
        return Ok(None);
    }
    let read_ms = job.surroundings.now_ms();
    let people = names(spool)?;
    let Some((recipients, report)) = job.exchange.collect_people(&people).await? else { return Ok(None) };
    tell(job, "identity", report).await;
    set_aside(spool, &recipients, read_ms).map(Some)
}

/// Sets recipients aside, in the place of all that are there.
fn set_aside(spool: &Spool, recipients: &[Recipient], read_ms: i64) -> Result<RecipientIndex> {
    spool.forget_recipients()?;
    let mut keys = RecipientKeys::default();
    for recipient in recipients {
        spool.put_recipient(keys.add(recipient), recipient, read_ms)?;
    }
    Ok(keys.into_index())
}

/// All recipients there are.
async fn recipients(job: &Job<'_>, spool: &Spool) -> Result<RecipientIndex> {
    job.observer.begin(Phase::ReadingRecipients, 0);
    spool.forget_recipients()?;
    let read_ms = job.surroundings.now_ms();
    let (sink, pages) = mpsc::channel::<Vec<Recipient>>(WAITING_PAGES);
    let listing = async {
        let sink = sink;
        job.exchange.list(exchange::Selection::default(), &sink).await
    };
    let taking = async {
        let (mut pages, mut keys) = (pages, RecipientKeys::default());
        while let Some(page) = pages.recv().await {
            for recipient in &page {
                spool.put_recipient(keys.add(recipient), recipient, read_ms)?;
            }
        }
        Ok::<_, Error>(keys)
    };
    let (report, keys) = tokio::join!(listing, taking);
    let index = keys?.into_index();
    tell(job, "page", report?).await;
    Ok(index)
}

async fn tell(job: &Job<'_>, by: &str, report: ListReport) {
    let (count, requests) = (report.recipients.to_string(), report.pages.to_string());
    let counts = vec![("count", count), ("by", by.to_owned()), ("requests", requests)];
    job.observer.event(LogLevel::Info, Code::RecipientsRead, counts).await;
}
