//! People who show no certificates: whether they have none is confirmed by the directory before a run takes any away.
//!
//! A search leaves out an attribute that the account may not read, as if it were not there. So before a value is taken
//! for gone, the directory is asked in a way that tells the two apart.

use std::collections::BTreeSet;

use crate::certificate::Attribute;
use crate::config::{Config, Foreign};
use crate::directory::confirmed_without;
use crate::error::Result;
use crate::people::{Person, Problem};
use crate::store::Spool;
use crate::text::Text;

use super::Job;
use super::gather::Pair;
use super::judge_people::Judged;
use super::observer::until_cancelled;

/// Marks as incomplete who of these people shows no value of an attribute, would lose some by it, and may have some all
/// the same; how many they are.
///
/// # Errors
/// `cancelled`, those of the store. A directory that does not answer confirms nobody.
pub(super) async fn confirm(job: &Job<'_>, spool: &Spool, places: &[u32], people: &mut [Judged]) -> Result<u64> {
    let mut doubtful = BTreeSet::new();
    for attribute in Attribute::ALL {
        let mut emptied = Vec::new();
        for (at, judged) in people.iter().enumerate() {
            if is_emptied(job, attribute, judged)? {
                emptied.push((at, &judged.pair.person));
            }
        }
        if emptied.is_empty() {
            continue;
        }
        let asked: Vec<&Person> = emptied.iter().map(|(_, person)| *person).collect();
        let asking = async { Ok(confirmed_without(job.config, attribute, &asked).await.unwrap_or_default()) };
        let confirmed = until_cancelled(job.observer, asking).await?;
        doubtful.extend(emptied.iter().filter(|(_, person)| !confirmed.contains(&person.identity)).map(|(at, _)| *at));
    }
    for at in &doubtful {
        if let (Some(place), Some(judged)) = (places.get(*at), people.get_mut(*at)) {
            judged.pair.person.complete = false;
            spool.mark_incomplete(*place)?;
        }
    }
    Ok(doubtful.len() as u64)
}

/// Says of people who show no value at all where the account may not be able to read them. A directory that does not
/// answer leaves it unsaid.
pub async fn say_unread(config: &Config, people: &mut [Person]) {
    let is_bare = |person: &&Person| person.values.is_empty() && !person.deleted;
    for attribute in Attribute::ALL {
        let bare: Vec<&Person> = people.iter().filter(is_bare).collect();
        if bare.is_empty() {
            return;
        }
        let Ok(confirmed) = confirmed_without(config, attribute, &bare).await else { continue };
        for person in people.iter_mut().filter(|person| person.values.is_empty() && !person.deleted) {
            if !confirmed.contains(&person.identity) {
                person.problems.push(problem(attribute));
            }
        }
    }
}

/// Whether a person shows no value of an attribute, and the recipient would lose some by it.
fn is_emptied(job: &Job<'_>, attribute: Attribute, judged: &Judged) -> Result<bool> {
    let Pair { person, recipient, .. } = &judged.pair;
    let Some(recipient) = recipient else { return Ok(false) };
    let shows = person.values.iter().any(|value| value.attribute == attribute);
    let holds = recipient.values(attribute).is_some_and(|values| !values.is_empty());
    if shows || !holds || !person.complete {
        return Ok(false);
    }
    let replaces = job.config.policy.foreign == Foreign::Replace;
    Ok(replaces || job.store.ours(&recipient.identity)?.iter().any(|(of, _)| *of == attribute))
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
