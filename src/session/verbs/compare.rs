//! `compare`: what a run would change, recorded as a staging run.

use std::sync::Arc;

use serde::Deserialize;

use crate::config::Config;
use crate::error::Result;
use crate::exchange::Exchange;
use crate::session::context::Context;
use crate::session::options::{PolicyType, with_selection};
use crate::session::output::Output;
use crate::store::Store;
use crate::sync::{self, Job, Request, RunContext};

use super::Work;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    policy_type: Option<PolicyType>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let (selection, options) = with_selection::<Options>(options)?;
    let policy_type = options.policy_type.map(Into::into);
    let request = Request { selection, policy_type, staging: true, force: Vec::new() };
    Ok(Box::pin(async move {
        let (config, store, exchange) = (context.config(), context.store()?, context.exchange(&output)?);
        sync::run(&job(&context, &config, &store, &exchange, &output), &request).await
    }))
}

/// What a run over the tenant works with.
pub(super) fn job<'a>(
    context: &'a Context,
    config: &'a Config,
    store: &'a Store,
    exchange: &'a Exchange,
    output: &'a Output,
) -> Job<'a> {
    Job { context: run_context(context, config, store, output), exchange }
}

/// What a run of this session works with, whatever it is about.
pub(super) fn run_context<'a>(
    context: &'a Context,
    config: &'a Config,
    store: &'a Store,
    output: &'a Output,
) -> RunContext<'a> {
    let (surroundings, culture) = (context.surroundings(), context.culture());
    RunContext { config, store, surroundings, observer: output, culture }
}
