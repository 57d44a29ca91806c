//! `recipients`: recipients of Exchange Online and their certificates.

use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::mpsc;

use crate::certificate::{Attribute, SmimeValue};
use crate::config::{LogLevel, Source, from_json};
use crate::error::{Code, Error, Result};
use crate::exchange::{Exchange, ListReport, Selection};
use crate::people::{Address, Recipient};
use crate::session::context::Context;
use crate::session::options::identities;
use crate::session::output::Output;
use crate::session::{Row, Verb, columns, rows};
use crate::sync::{Observer as _, Phase};
use crate::text::Culture;

use super::Work;

/// Pages that wait between Exchange and the caller's queue.
const WAITING_PAGES: usize = 2;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    identities: Option<Vec<Option<String>>>,
    recipient_filter: Option<String>,
    types: Option<Vec<String>>,
    limit: Option<u64>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let options: Options = from_json(options, Source::Options)?;
    let identities = identities(options.identities.clone())?;
    Ok(Box::pin(async move {
        let exchange = context.exchange(&output)?;
        let at_ms = context.config().at_ms(context.surroundings().now_ms())?;
        let row = |recipient: &Recipient| row(recipient, at_ms, context.culture());
        output.begin(Phase::ReadingRecipients, identities.len());
        if identities.is_empty() {
            return list(&exchange, &options, &output, row).await;
        }
        for identity in &identities {
            output.step();
            match output.until_cancelled(exchange.get(identity)).await? {
                Ok(recipient) => output.row(row(&recipient)).await?,
                Err(error) if identities.len() > 1 && is_about_one(&error) => {
                    let row = Row::new(columns::of(Verb::Recipients)).set("identity", identity.as_str());
                    output.row(rows::failure(row, Some(&error), context.culture())).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }))
}

fn is_about_one(error: &Error) -> bool {
    matches!(error.code(), Code::ExchangeNotFound | Code::ExchangeAmbiguous)
}

async fn list(exchange: &Exchange, options: &Options, output: &Output, row: impl Fn(&Recipient) -> Row) -> Result<()> {
    let selection = Selection {
        types: options.types.as_deref(),
        filter: options.recipient_filter.as_deref(),
        limit: options.limit,
    };
    let (sink, mut pages) = mpsc::channel(WAITING_PAGES);
    let listing = async {
        let report = exchange.list(selection, &sink).await;
        drop(sink);
        report
    };
    let taking = async {
        while let Some(page) = pages.recv().await {
            for recipient in &page {
                output.step();
                output.row(row(recipient)).await?;
            }
        }
        Ok::<(), Error>(())
    };
    let (report, taken) = output.until_cancelled(async { tokio::join!(listing, taking) }).await?;
    taken?;
    let ListReport { recipients, pages, limit_reached } = report?;
    let counts = vec![("count", recipients.to_string()), ("by", "page".to_owned()), ("requests", pages.to_string())];
    output.event(LogLevel::Info, Code::RecipientsRead, counts).await;
    if limit_reached {
        let limit = options.limit.unwrap_or(recipients).to_string();
        output.event(LogLevel::Warn, Code::LimitReached, vec![("limit", limit)]).await;
    }
    Ok(())
}

fn row(recipient: &Recipient, at_ms: i64, culture: Culture) -> Row {
    let mut certificates = Vec::new();
    let mut unreadable = None;
    for attribute in Attribute::ALL {
        match recipient.values(attribute) {
            Some(values) => {
                certificates.extend(values.iter().flat_map(|bytes| {
                    rows::certificates(Some(attribute), &SmimeValue::parse(Arc::clone(bytes)), at_ms)
                }))
            }
            None => unreadable = Some(Error::new(Code::ExchangeUnreadable)),
        }
    }
    let row = Row::new(columns::of(Verb::Recipients))
        .set("identity", recipient.identity.clone())
        .set("external_directory_object_id", recipient.external_directory_object_id.clone())
        .set("display_name", recipient.display_name.clone())
        .set("user_principal_name", recipient.user_principal_name.clone())
        .set("primary_smtp_address", recipient.primary_address().map(Address::to_string))
        .set("addresses", recipient.addresses.iter().map(Address::to_string).collect::<Vec<_>>())
        .set("recipient_type_details", recipient.recipient_type_details.clone())
        .set("is_dir_synced", recipient.is_dir_synced)
        .set("is_exchange_cloud_managed", recipient.is_exchange_cloud_managed)
        .set("immutable_id", recipient.immutable_id.clone())
        .set("certificates", certificates);
    rows::failure(row, unreadable.as_ref(), culture)
}
