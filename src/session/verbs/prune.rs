//! `prune`: expired or unfit values out of the directory.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use crate::config::{Source, pointer_error};
use crate::error::Result;
use crate::planning;
use crate::session::context::Context;
use crate::session::options::{guards, with_selection};
use crate::session::output::Output;
use crate::sync::{self, Prune};

use super::Work;
use super::compare::run_context;
use super::sync::durable;

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Only {
    #[default]
    Expired,
    Unfit,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    thumbprints: Option<Vec<String>>,
    only: Only,
    backup_to: Option<PathBuf>,
    staging: Option<bool>,
    force: Vec<String>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let (selection, options) = with_selection::<Options>(options)?;
    let force = guards(options.force)?;
    let thumbprints = thumbprints(options.thumbprints)?;
    let which = match options.only {
        Only::Expired => planning::Prune::Expired,
        Only::Unfit => planning::Prune::Unfit,
    };
    Ok(Box::pin(async move {
        let (config, store) = (context.config(), context.store()?);
        let staging = durable(&store, options.staging)?;
        let backup_to = options.backup_to.map(|folder| config.path(&folder));
        let prune = Prune { selection, which, thumbprints, backup_to, staging, force };
        sync::prune(&run_context(&context, &config, &store, &output), prune).await
    }))
}

/// SHA-1 as rows show it, however it was written; an empty list would be everything, and nothing is never everything.
fn thumbprints(given: Option<Vec<String>>) -> Result<Vec<String>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let wrong = |pointer: &str| Err(pointer_error(Source::Options, pointer, "expected SHA-1 thumbprints"));
    if given.is_empty() {
        return wrong("/thumbprints");
    }
    let mut found = Vec::new();
    for (index, text) in given.iter().enumerate() {
        let plain: String = text.chars().filter(|c| !matches!(c, ' ' | ':')).collect();
        if plain.len() != 40 || !plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return wrong(&format!("/thumbprints/{index}"));
        }
        found.push(plain.to_ascii_uppercase());
    }
    Ok(found)
}
