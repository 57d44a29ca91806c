//! `sync`: a run, or chosen changes of a compared one.

use std::sync::Arc;

use serde::Deserialize;

use crate::config::{Source, pointer_error};
use crate::directory::Selection;
use crate::error::{Code, Error, Result};
use crate::session::context::Context;
use crate::session::options::{PolicyType, RunId, guards, with_selection};
use crate::session::output::Output;
use crate::store::Store;
use crate::sync::{self, Chosen, Request};

use super::Work;
use super::compare::job;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    policy_type: Option<PolicyType>,
    staging: Option<bool>,
    force: Vec<String>,
    run: Option<RunId>,
    changes: Option<Vec<u32>>,
}

enum Task {
    Run(Box<Request>, Option<bool>),
    Chosen(Chosen, Option<bool>),
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let task = task(options)?;
    Ok(Box::pin(async move {
        let (config, store) = (context.config(), context.store()?);
        let (Task::Run(_, asked) | Task::Chosen(_, asked)) = &task;
        let staging = durable(&store, *asked)?;
        let exchange = context.exchange(&output)?;
        let job = job(&context, &config, &store, &exchange, &output);
        match task {
            Task::Run(request, _) => sync::run(&job, &Request { staging, ..*request }).await,
            Task::Chosen(chosen, _) => sync::apply_chosen(&job, &Chosen { staging, ..chosen }).await,
        }
    }))
}

/// Whether the run stages. One that writes needs a store that outlives the process.
///
/// # Errors
/// `config_missing` at `/store/path`.
pub(super) fn durable(store: &Store, staging: Option<bool>) -> Result<bool> {
    let staging = staging.map_or_else(|| store.staging(), Ok)?;
    if !staging && !store.is_durable() {
        return Err(Error::new(Code::ConfigMissing).target("/store/path"));
    }
    Ok(staging)
}

fn task(options: &str) -> Result<Task> {
    let (selection, options) = with_selection::<Options>(options)?;
    let policy_type = options.policy_type.map(Into::into);
    let force = guards(options.force)?;
    let Some(run) = options.run else {
        return match options.changes {
            Some(_) => Err(pointer_error(Source::Options, "/changes", "expected the run they belong to in run")),
            None => {
                let request = Request { selection, policy_type, staging: true, force };
                Ok(Task::Run(Box::new(request), options.staging))
            }
        };
    };
    if selection != Selection::default() || policy_type.is_some() {
        return Err(pointer_error(Source::Options, "/run", "expected either a run, or a selection and policy_type"));
    }
    // an empty list would be everything, and nothing is never everything
    if options.changes.as_ref().is_some_and(Vec::is_empty) {
        return Err(pointer_error(Source::Options, "/changes", "expected at least one change"));
    }
    let numbers = options.changes.unwrap_or_default();
    let chosen = Chosen { run: run.number()?, numbers, staging: true, force };
    Ok(Task::Chosen(chosen, options.staging))
}
