//! `changes`: changes of runs of the past, with the bytes before and after.

use std::sync::Arc;

use serde::Deserialize;

use crate::config::{Source, from_json};
use crate::error::Result;
use crate::session::context::Context;
use crate::session::options::{RunId, identities};
use crate::session::output::Output;
use crate::session::{Row, Verb, columns, rows};
use crate::store::{ChangeFilter, StoredChange};

use super::{Work, runs};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    run: Option<RunId>,
    last: Option<u32>,
    since: Option<String>,
    until: Option<String>,
    identities: Option<Vec<Option<String>>>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let Options { run, last, since, until, identities: named } = from_json(options, Source::Options)?;
    let runs = runs::Options { run, last, since, until }.filter()?;
    let filter = ChangeFilter { runs, numbers: Vec::new(), identities: identities(named)? };
    Ok(Box::pin(async move {
        for stored in context.store()?.changes(&filter)? {
            output.row(row(&stored)).await?;
        }
        Ok(())
    }))
}

fn row(stored: &StoredChange) -> Row {
    rows::change(columns::of(Verb::Changes), stored.run, &stored.change)
        .set("before_values", rows::values(&stored.change.before))
        .set("after_values", rows::values(&stored.change.after))
        .set("result", stored.result.name())
        .set("error_code", stored.error.as_ref().map(|error| i64::from(error.code)))
        .set("error", stored.error.as_ref().map(|error| error.message.clone()))
}
