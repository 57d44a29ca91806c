//! `sync`: a run, or chosen changes of a compared one.

use std::sync::Arc;

use serde::Deserialize;

use crate::config::{Source, pointer_error};
use crate::directory::Selection;
use crate::error::{Code, Error, Result};
use crate::planning::guard::NAMES;
use crate::session::context::Context;
use crate::session::options::{PolicyType, RunId, with_selection};
use crate::session::output::Output;
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
        let staging = asked.map_or_else(|| store.staging(), Ok)?;
        if !staging && !store.is_durable() {
            return Err(Error::new(Code::ConfigMissing).target("/store/path"));
        }
        let exchange = context.exchange()?;
        let job = job(&context, &config, &store, &exchange, &output);
        match task {
            Task::Run(request, _) => sync::run(&job, &Request { staging, ..*request }).await,
            Task::Chosen(chosen, _) => sync::apply_chosen(&job, &Chosen { staging, ..chosen }).await,
        }
    }))
}

fn task(options: &str) -> Result<Task> {
    let (selection, options) = with_selection::<Options>(options)?;
    let policy_type = options.policy_type.map(Into::into);
    for (index, name) in options.force.iter().enumerate() {
        if name != "scope" && !NAMES.contains(&name.as_str()) {
            return Err(pointer_error(Source::Options, &format!("/force/{index}"), "expected the name of a guard"));
        }
    }
    let Some(run) = options.run else {
        return match options.changes {
            Some(_) => Err(pointer_error(Source::Options, "/changes", "expected the run they belong to in run")),
            None => {
                let request = Request { selection, policy_type, staging: true, force: options.force };
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
    let chosen = Chosen { run: run.number()?, numbers, staging: true, force: options.force };
    Ok(Task::Chosen(chosen, options.staging))
}
