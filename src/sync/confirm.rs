//! People who show no certificates: whether they have none is confirmed by the directory before a run takes any away.
//!
//! A search leaves out an attribute that the account may not read, as if it were not there. So before a value is taken
//! for gone, the directory is asked in a way that tells the two apart.

use std::collections::{BTreeSet, HashMap};

use crate::certificate::Attribute;
use crate::config::{Config, Foreign, LogLevel};
use crate::directory::confirmed_without;
use crate::error::{Code, Result};
use crate::people::{Match, Person, Problem, Recipient};
use crate::text::Text;

use super::Job;
use super::observer::until_cancelled;

/// Marks as incomplete who shows no value of an attribute, would lose some by it, and may have some all the same.
///
/// # Errors
/// `cancelled`, those of the store. A directory that does not answer confirms nobody.
pub(super) async fn confirm(
    job: &Job<'_>,
    people: &mut [Person],
    recipients: &[Recipient],
    matches: &[Match],
) -> Result<()> {
    let mut doubtful = BTreeSet::new();
    for attribute in Attribute::ALL {
        let emptied = emptied(job, attribute, people, recipients, matches)?;
        if emptied.is_empty() {
            continue;
        }
        let identities: Vec<String> = emptied.keys().cloned().collect();
        let asking = async { Ok(confirmed_without(job.config, attribute, &identities).await.unwrap_or_default()) };
        let confirmed = until_cancelled(job.observer, asking).await?;
        for (_, place) in emptied.into_iter().filter(|(identity, _)| !confirmed.contains(identity)) {
            if let Some(person) = people.get_mut(place) {
                person.complete = false;
                person.problems.push(problem(attribute));
                doubtful.insert(place);
            }
        }
    }
    if !doubtful.is_empty() {
        let count = vec![("count", doubtful.len().to_string())];
        job.observer.event(LogLevel::Warn, Code::CertificatesUnread, count).await;
    }
    Ok(())
}

/// Says of people who show no value at all where the account may not be able to read them. A directory that does not
/// answer leaves it unsaid.
pub async fn say_unread(config: &Config, people: &mut [Person]) {
    let is_bare = |person: &&Person| person.values.is_empty() && !person.deleted;
    let bare: Vec<String> = people.iter().filter(is_bare).map(|person| person.identity.clone()).collect();
    for attribute in Attribute::ALL.into_iter().filter(|_| !bare.is_empty()) {
        let Ok(confirmed) = confirmed_without(config, attribute, &bare).await else { continue };
        for person in people.iter_mut().filter(|person| person.values.is_empty() && !person.deleted) {
            if !confirmed.contains(&person.identity) {
                person.problems.push(problem(attribute));
            }
        }
    }
}

/// The places of people who show no value of an attribute, and whose recipients would lose some by it.
fn emptied(
    job: &Job<'_>,
    attribute: Attribute,
    people: &[Person],
    recipients: &[Recipient],
    matches: &[Match],
) -> Result<HashMap<String, usize>> {
    let mut emptied = HashMap::new();
    for (place, (person, found)) in people.iter().zip(matches).enumerate() {
        let Match::One(recipient) = found else { continue };
        let Some(recipient) = recipients.get(*recipient) else { continue };
        let shows = person.values.iter().any(|value| value.attribute == attribute);
        let holds = recipient.values(attribute).is_some_and(|values| !values.is_empty());
        if shows || !holds || !person.complete {
            continue;
        }
        let is_ours = || {
            Ok::<_, crate::error::Error>(job.store.ours(&recipient.identity)?.iter().any(|(of, _)| *of == attribute))
        };
        if job.config.policy.foreign == Foreign::Replace || is_ours()? {
            emptied.insert(person.identity.clone(), place);
        }
    }
    Ok(emptied)
}

fn problem(attribute: Attribute) -> Problem {
    let name = attribute.name().to_owned();
    Problem {
        code: "certificates_unread",
        message: Text::new("problem", "certificates_unread", vec![("attribute", name.clone())]),
        attribute: Some(name),
        value_sha256: None,
    }
}
