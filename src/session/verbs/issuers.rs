//! `issuers`: the authorities that the tenant should trust, into a file or into the tenant.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use crate::error::Result;
use crate::planning::{IssuerAction, IssuerPlan};
use crate::session::context::Context;
use crate::session::options::{guards, with_selection};
use crate::session::output::Output;
use crate::session::{Row, Verb, columns, rows};
use crate::store::ChangeResult;
use crate::sync::{self, Issuers, IssuersRequest};

use super::Work;
use super::compare::run_context;
use super::sync::durable;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    sst_path: Option<PathBuf>,
    upload: bool,
    staging: Option<bool>,
    force: Vec<String>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let (selection, options) = with_selection::<Options>(options)?;
    let force = guards(options.force)?;
    Ok(Box::pin(async move {
        let (config, store) = (context.config(), context.store()?);
        let upload = options.upload && !durable(&store, options.staging)?;
        // without a tenant there is still a file to be made
        let exchange = match options.upload || config.exchange.is_some() {
            true => Some(context.exchange(&output)?),
            false => None,
        };
        let path = options.sst_path.map(|path| config.path(&path));
        let request = IssuersRequest { selection, path, upload, force };
        let run = run_context(&context, &config, &store, &output);
        let mut found = sync::issuers(&run, exchange.as_ref(), &request).await;
        if options.upload && !upload {
            found.result = Some(ChangeResult::Planned);
        }
        let at_ms = config.at_ms(context.surroundings().now_ms())?;
        for issuer in &found.issuers {
            output.last_row(row(&found, issuer, at_ms, &context)).await;
        }
        for error in &found.unresolved {
            let row = Row::new(columns::of(Verb::Issuers)).set("person", error.get_target());
            output.last_row(rows::failure(row, Some(error), context.culture())).await;
        }
        found.error.map_or(Ok(()), Err)
    }))
}

fn row(found: &Issuers, issuer: &IssuerPlan, at_ms: i64, context: &Context) -> Row {
    let is_written = matches!(issuer.action, IssuerAction::Add | IssuerAction::Drop);
    let result = found.result.filter(|_| is_written);
    let failure = found.failure.as_ref().filter(|_| is_written);
    // what no certificate is made of is named by its bytes
    let unreadable = issuer.certificate.is_none().then(|| issuer.sha256.to_string());
    let row = Row::new(columns::of(Verb::Issuers))
        .with_all_of(rows::certificate(None, issuer.certificate.as_ref(), at_ms))
        .set("value_sha256", unreadable)
        .set("run", found.run.map(|run| run.to_string()))
        .set("needed_by", i64::try_from(issuer.people).unwrap_or(i64::MAX))
        .set("in_tenant", in_tenant(issuer, result))
        .set("action", issuer.action.name())
        .set("reason", issuer.reason)
        .set("result", result.map(ChangeResult::name));
    rows::failure(row, failure, context.culture())
}

/// Whether the tenant has it now.
fn in_tenant(issuer: &IssuerPlan, result: Option<ChangeResult>) -> Option<bool> {
    match (issuer.action, result) {
        (IssuerAction::Add, Some(ChangeResult::Applied)) => Some(true),
        (IssuerAction::Drop, Some(ChangeResult::Applied)) => Some(false),
        _ => issuer.in_tenant,
    }
}
