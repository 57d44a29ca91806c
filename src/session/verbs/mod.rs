//! One file per verb: options in, rows out.

mod columns;

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
        Verb::Columns => columns::prepare(options, &context, output),
        _ => todo!(),
    }
}
