//! `coverage`: who can be encrypted to, and if not, why.

use std::sync::Arc;

use serde::Deserialize;

use crate::error::{Category, Code, Error, Result};
use crate::people::Address;
use crate::session::context::Context;
use crate::session::options::with_selection;
use crate::session::output::Output;
use crate::session::{Row, Verb, columns, rows};
use crate::sync::{self, Coverage};
use crate::text::Culture;
use crate::validation::Fitness;

use super::Work;
use super::compare::job;

#[derive(Default, Deserialize)]
struct Options {}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let (selection, Options {}) = with_selection(options)?;
    Ok(Box::pin(async move {
        let (config, store, exchange) = (context.config(), context.store()?, context.exchange(&output)?);
        let job = job(&context, &config, &store, &exchange, &output);
        let mut covering = sync::coverage(&job, &selection).await?;
        loop {
            let covered = covering.next_few().await?;
            if covered.is_empty() {
                break;
            }
            for coverage in &covered {
                output.row(row(coverage, context.culture())).await?;
            }
        }
        for error in covering.unresolved() {
            let row = Row::new(columns::of(Verb::Coverage)).set("primary_smtp_address", error.get_target());
            output.row(rows::failure(row, Some(error), context.culture())).await?;
        }
        match covering.incomplete_reason() {
            None => Ok(()),
            Some(error) if error.category() == Category::DirectoryIncomplete => Err(error.clone()),
            Some(error) => Err(Error::new(Code::DirectoryIncomplete).with("detail", error.to_string())),
        }
    }))
}

fn row(coverage: &Coverage, culture: Culture) -> Row {
    Row::new(columns::of(Verb::Coverage))
        .set("person", coverage.person.identity.clone())
        .set("display_name", coverage.person.display_name.clone())
        .set("primary_smtp_address", coverage.person.primary_address().map(Address::to_string))
        .set("recipient", coverage.recipient.clone())
        .set("encrypt", coverage.encrypt.map(Fitness::name))
        .set("sign", coverage.sign.map(Fitness::name))
        .set("thumbprint", coverage.thumbprint.clone())
        .time("not_after", coverage.not_after_ms)
        .set("in_exchange", coverage.in_exchange)
        .set("blocked_by", coverage.blocked_by)
        .set("remedy", coverage.blocked_by.and_then(|reason| rows::remedy(reason, culture)))
}
