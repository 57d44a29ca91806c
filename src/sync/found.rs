//! The recipients of a few people, one by one instead of by listing all.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::error::{Code, Result};
use crate::people::{Person, Recipient};

use super::Job;

/// People beyond which listing all recipients takes fewer requests.
pub(super) const FEW: usize = 200;
/// Requests at a time.
const CONCURRENCY: usize = 4;

/// Somebody whose recipient is looked for.
pub(super) struct Sought<'a> {
    /// The person; `None` for one who is gone.
    pub(super) person: Option<&'a Person>,
    /// The recipient the person last stood behind.
    pub(super) last: Option<String>,
}

/// The recipients these people can be matched to; `None` where only the list of all recipients can tell.
///
/// # Errors
/// What the service refuses.
pub(super) async fn find(job: &Job<'_>, sought: Vec<Sought<'_>>) -> Result<Option<Vec<Recipient>>> {
    let asking: Vec<_> = sought.into_iter().map(|sought| one(job, sought)).collect();
    let found: Vec<_> = futures_util::stream::iter(asking).buffered(CONCURRENCY).try_collect().await?;
    let mut seen = HashSet::new();
    let mut recipients = Vec::new();
    for found in found {
        let Some(found) = found else { return Ok(None) };
        recipients.extend(found.into_iter().filter(|recipient| seen.insert(recipient.identity.clone())));
    }
    Ok(Some(recipients))
}

async fn one(job: &Job<'_>, sought: Sought<'_>) -> Result<Option<Vec<Recipient>>> {
    let mut found: Vec<Recipient> = Vec::new();
    let names = sought.person.into_iter().flat_map(names);
    for key in sought.last.into_iter().chain(names) {
        if found.iter().any(|recipient| is_named(recipient, &key)) {
            continue;
        }
        match job.exchange.get(&key).await {
            Ok(recipient) if found.iter().any(|other| other.identity == recipient.identity) => {}
            Ok(recipient) => found.push(recipient),
            Err(error) if error.code() == Code::ExchangeNotFound => {}
            // several of one name, or a name the service takes for many
            Err(error) if matches!(error.code(), Code::ExchangeAmbiguous | Code::OptionValue) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    // the anchor decides before names do, and no recipient can be asked for by it
    let anchor = sought.person.and_then(|person| person.source_anchor.as_ref());
    let is_other =
        |recipient: &Recipient| recipient.immutable_id.is_some() && recipient.immutable_id.as_ref() != anchor;
    let has_anchor = found.iter().any(|recipient| anchor.is_some() && recipient.immutable_id.as_ref() == anchor);
    Ok((has_anchor || anchor.is_none() || !found.iter().any(is_other)).then_some(found))
}

/// User principal name and addresses.
fn names(person: &Person) -> impl Iterator<Item = String> {
    let addresses = person.addresses.iter().map(|address| address.as_str().to_owned());
    person.user_principal_name.clone().into_iter().chain(addresses)
}

fn is_named(recipient: &Recipient, name: &str) -> bool {
    let name = name.to_lowercase();
    recipient.identity.to_lowercase() == name
        || recipient.user_principal_name.as_ref().is_some_and(|other| other.to_lowercase() == name)
        || recipient.addresses.iter().any(|address| address.key() == name)
}
