//! `fetch`: people and their certificates.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::mpsc;

use crate::certificate::SmimeValue;
use crate::config::{Config, LogLevel, Source, pointer_error};
use crate::directory::{self, Export, ReadReport, Selection};
use crate::error::{Code, Result};
use crate::people::{Address, Person};
use crate::session::columns::{self, PROBLEM};
use crate::session::context::Context;
use crate::session::options::{PolicyType, with_selection};
use crate::session::output::Output;
use crate::session::{Row, Verb, rows};
use crate::store;
use crate::sync::{self, Circumstances, Delta, Extent, Observer as _, Phase};
use crate::text::Culture;

use super::Work;

/// People that wait between the directory and the caller's queue.
const WAITING: usize = 64;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    policy_type: Option<PolicyType>,
    ldif_path: Option<PathBuf>,
    overwrite: bool,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let (selection, options) = with_selection::<Options>(options)?;
    let wrong = |pointer, expected| Err(pointer_error(Source::Options, pointer, expected));
    match &options.ldif_path {
        Some(path) if path.as_os_str().is_empty() => return wrong("/ldif_path", "expected the name of a file"),
        // a part of the people in a file would be taken for all of them when it is read
        Some(_) if options.policy_type == Some(PolicyType::Delta) => {
            return wrong("/policy_type", "expected initial with ldif_path");
        }
        Some(_) if selection.limit.is_some() => return wrong("/limit", "expected no limit with ldif_path"),
        None if options.overwrite => return wrong("/overwrite", "expected ldif_path beside it"),
        _ => {}
    }
    let asked = options.policy_type.map(Into::into);
    Ok(Box::pin(async move {
        let culture = context.culture();
        let at_ms = context.config().at_ms(context.surroundings().now_ms())?;
        if let Some(path) = options.ldif_path {
            return export(&context, &selection, &output, path, options.overwrite, at_ms).await;
        }
        if changes(&context, &selection, asked, &output, at_ms).await? {
            return Ok(());
        }
        let config = context.config();
        let row = |person: &Person| vec![row(person, at_ms, culture)];
        let report = match selection.identities.is_empty() {
            true => each_person(&context, &selection, &output, row).await?,
            // of a few it can be said at little cost whether they have no certificates or do not show them
            false => {
                read_people(&context, &selection, &output, async |source| {
                    hand_out_named(source, &config, &output, row).await
                })
                .await?
            }
        };
        tell_unresolved(&report, &output, culture).await?;
        report.ended()
    }))
}

/// Hands out everybody selected, and puts a file with their entries into its place when all of them were read.
async fn export(
    context: &Context,
    selection: &Selection,
    output: &Output,
    path: PathBuf,
    overwrite: bool,
    at_ms: i64,
) -> Result<()> {
    let (config, culture) = (context.config(), context.culture());
    let export = Arc::new(Export::create(config.path(path), overwrite)?);
    let taking = async |source| hand_out(source, output, |person| vec![row(person, at_ms, culture)]).await;
    let reading = |sink| directory::read_and_export(&config, selection, Arc::clone(&export), sink);
    let report = read_by(context, selection, output, reading, taking).await?;
    tell_unresolved(&report, output, culture).await?;
    report.ended()?;
    export.keep()
}

/// A row for each identity that stands for nobody or for several.
async fn tell_unresolved(report: &ReadReport, output: &Output, culture: Culture) -> Result<()> {
    for error in &report.unresolved {
        let row = Row::new(columns::of(Verb::Fetch)).set("identity", error.get_target());
        output.row(rows::failure(row, Some(error), culture)).await?;
    }
    Ok(())
}

/// Hands out who changed since the watermark, and who is gone; `false` where everybody is to be read.
async fn changes(
    context: &Context,
    selection: &Selection,
    asked: Option<store::PolicyType>,
    output: &Output,
    at_ms: i64,
) -> Result<bool> {
    let (config, culture) = (context.config(), context.culture());
    // without a file there is no watermark, and none is made for the question
    let has_store = config.store.path.as_ref().is_some_and(|path| config.path(path).exists());
    match asked {
        None if !has_store || *selection != Selection::default() => return Ok(false),
        Some(store::PolicyType::Initial) => return Ok(false),
        _ => {}
    }
    let store = context.store()?;
    let scope = directory::scope_of(&config)?;
    let now_ms = context.surroundings().now_ms();
    let circumstances = Circumstances { asked, selection, scope: &scope, policy_hash: None, now_ms };
    let why = match sync::extent(&store, &config, circumstances)? {
        Extent::Everybody(why) => why,
        Extent::Changed(cursor) => {
            output.begin(Phase::ReadingPeople, 0);
            let mut people = Vec::new();
            let take = |person| {
                people.push(person);
                Ok(())
            };
            let reading = sync::delta(&store, &config, selection, cursor, Vec::new(), || output.step(), take);
            match output.until_cancelled(reading).await?? {
                Ok(delta) => {
                    tell(&people, &delta, output, at_ms, culture).await?;
                    return delta.report.ended().map(|()| true);
                }
                Err(why) => Some(why),
            }
        }
    };
    if let Some(why) = why {
        let detail = why.text().render(culture);
        output.event(LogLevel::Warn, Code::EverybodyRead, vec![("detail", detail)]).await;
    }
    Ok(false)
}

async fn tell(people: &[Person], delta: &Delta, output: &Output, at_ms: i64, culture: Culture) -> Result<()> {
    delta.announce(output, culture).await;
    for person in people {
        output.row(row(person, at_ms, culture)).await?;
    }
    for identity in &delta.gone {
        let gone = Row::new(columns::of(Verb::Fetch)).set("identity", identity.clone()).set("deleted", true);
        output.row(gone).await?;
    }
    Ok(())
}

/// Reads the selected people, hands out the rows each gives, and tells how far the read got.
pub(super) async fn each_person(
    context: &Context,
    selection: &Selection,
    output: &Output,
    rows: impl Fn(&Person) -> Vec<Row>,
) -> Result<ReadReport> {
    read_people(context, selection, output, async |source| hand_out(source, output, rows).await).await
}

/// Hands out the rows each person gives.
async fn hand_out(
    mut source: mpsc::Receiver<Person>,
    output: &Output,
    rows: impl Fn(&Person) -> Vec<Row>,
) -> Result<()> {
    while let Some(person) = source.recv().await {
        for row in rows(&person) {
            output.row(row).await?;
        }
        output.step();
    }
    Ok(())
}

/// Hands out the rows of people who were named.
async fn hand_out_named(
    mut source: mpsc::Receiver<Person>,
    config: &Config,
    output: &Output,
    rows: impl Fn(&Person) -> Vec<Row>,
) -> Result<()> {
    let mut people = Vec::new();
    while let Some(person) = source.recv().await {
        people.push(person);
        output.step();
    }
    sync::say_unread(config, &mut people).await;
    for row in people.iter().flat_map(rows) {
        output.row(row).await?;
    }
    Ok(())
}

/// Reads the selected people, hands them to `taking` as they come, and tells how far the read got.
pub(super) async fn read_people(
    context: &Context,
    selection: &Selection,
    output: &Output,
    taking: impl AsyncFnOnce(mpsc::Receiver<Person>) -> Result<()>,
) -> Result<ReadReport> {
    let config = context.config();
    let reading = |sink| directory::read_all(&config, selection, sink);
    read_by(context, selection, output, reading, taking).await
}

async fn read_by<R: Future<Output = Result<ReadReport>>>(
    context: &Context,
    selection: &Selection,
    output: &Output,
    read: impl FnOnce(mpsc::Sender<Person>) -> R,
    taking: impl AsyncFnOnce(mpsc::Receiver<Person>) -> Result<()>,
) -> Result<ReadReport> {
    output.begin(Phase::ReadingPeople, 0);
    let (sink, source) = mpsc::channel(WAITING);
    let reading = read(sink);
    // a caller who wants no more drops the source, which ends the reading
    let (report, taken) = output.until_cancelled(async { tokio::join!(reading, taking(source)) }).await?;
    taken?;
    let report = report?;
    for error in &report.replaced {
        let detail = error.message(context.culture());
        output.event(LogLevel::Warn, Code::ServerReplaced, vec![("detail", detail)]).await;
    }
    output.event(LogLevel::Info, Code::PeopleRead, vec![("count", report.people.to_string())]).await;
    if report.limit_reached {
        let limit = selection.limit.unwrap_or_default().to_string();
        output.event(LogLevel::Warn, Code::LimitReached, vec![("limit", limit)]).await;
    }
    Ok(report)
}

fn row(person: &Person, at_ms: i64, culture: Culture) -> Row {
    let certificates: Vec<_> = person
        .values
        .iter()
        .flat_map(|raw| rows::certificates(Some(raw.attribute), &SmimeValue::parse(Arc::clone(&raw.bytes)), at_ms))
        .collect();
    let problems: Vec<_> = person
        .problems
        .iter()
        .map(|problem| {
            Row::new(PROBLEM)
                .set("code", problem.code)
                .set("message", problem.message.render(culture))
                .set("attribute", problem.attribute.clone())
                .set("value_sha256", problem.value_sha256.map(|digest| digest.to_string()))
        })
        .collect();
    Row::new(columns::of(Verb::Fetch))
        .set("identity", person.identity.clone())
        .set("distinguished_name", person.distinguished_name.clone())
        .set("kind", person.kind.name())
        .set("display_name", person.display_name.clone())
        .set("user_principal_name", person.user_principal_name.clone())
        .set("primary_smtp_address", person.primary_address().map(Address::to_string))
        .set("addresses", person.addresses.iter().map(Address::to_string).collect::<Vec<_>>())
        .set("source_anchor", person.source_anchor.clone())
        .set("enabled", person.enabled)
        .set("deleted", person.deleted)
        .set("certificates", certificates)
        .set("problems", problems)
}
