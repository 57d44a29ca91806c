//! One file per verb: options in, rows out.

mod changes;
mod check;
mod columns;
mod compare;
mod coverage;
mod fetch;
mod issuers;
mod keys;
mod prune;
mod publish;
mod recipients;
mod runs;
mod settings;
mod sync;
mod validate;

use std::pin::Pin;
use std::sync::Arc;

use crate::error::Result;

use super::Verb;
use super::context::Context;
use super::output::Output;

/// The work of a verb, to be run on the session's threads.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Reads a verb's options and makes its work.
pub(super) fn prepare(verb: Verb, options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    match verb {
        Verb::Check => check::prepare(options, context, output),
        Verb::Fetch => fetch::prepare(options, context, output),
        Verb::Validate => validate::prepare(options, context, output),
        Verb::Coverage => coverage::prepare(options, context, output),
        Verb::Keys => keys::prepare(options, context, output),
        Verb::Recipients => recipients::prepare(options, context, output),
        Verb::Compare => compare::prepare(options, context, output),
        Verb::Sync => sync::prepare(options, context, output),
        Verb::Publish => publish::prepare(options, context, output),
        Verb::Prune => prune::prepare(options, context, output),
        Verb::Issuers => issuers::prepare(options, context, output),
        Verb::Runs => runs::prepare(options, context, output),
        Verb::Changes => changes::prepare(options, context, output),
        Verb::Settings => settings::prepare(options, context, output),
        Verb::Columns => columns::prepare(options, &context, output),
    }
}
