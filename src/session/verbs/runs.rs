//! `runs`: runs of the past.

use std::sync::Arc;

use serde::Deserialize;

use crate::config::{Source, from_json, rfc3339};
use crate::error::Result;
use crate::session::context::Context;
use crate::session::options::RunId;
use crate::session::output::Output;
use crate::session::{Row, Verb, columns};
use crate::store::{RunFilter, RunResult, StoredRun};

use super::Work;

/// Which runs are meant.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Options {
    pub(super) run: Option<RunId>,
    pub(super) last: Option<u32>,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
}

impl Options {
    pub(super) fn filter(&self) -> Result<RunFilter> {
        let time = |text: &Option<String>, pointer| {
            text.as_deref().map(|text| rfc3339(text, Source::Options, pointer)).transpose()
        };
        Ok(RunFilter {
            run: self.run.as_ref().map(RunId::number).transpose()?,
            last: self.last,
            since_ms: time(&self.since, "/since")?,
            until_ms: time(&self.until, "/until")?,
        })
    }
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let filter = from_json::<Options>(options, Source::Options)?.filter()?;
    Ok(Box::pin(async move {
        for run in context.store()?.runs(&filter)? {
            output.row(row(&run)).await?;
        }
        Ok(())
    }))
}

fn row(run: &StoredRun) -> Row {
    let counters = &run.counters;
    Row::new(columns::of(Verb::Runs))
        .set("run", run.run.to_string())
        .time("started", run.started_ms)
        .time("ended", run.ended_ms)
        .set("policy_type", run.policy_type.name())
        .set("staging", run.staging)
        .set("result", run.result.map(RunResult::name))
        .set("people", counters.people)
        .set("recipients", counters.recipients)
        .set("unchanged", counters.unchanged)
        .set("changed", counters.written)
        .set("skipped", counters.skipped)
        .set("failed", counters.failed)
        .set("values_added", counters.values_added)
        .set("values_removed", counters.values_removed)
        .set("requests", counters.requests)
        .set("error_code", run.error.as_ref().map(|error| i64::from(error.code)))
        .set("error", run.error.as_ref().map(|error| error.message.clone()))
}
