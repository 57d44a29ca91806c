//! Judging with what can be fetched: verdicts say what they lack, it is brought, and who lacked something is judged again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::config::LogLevel;
use crate::error::{Code, Error, Result};
use crate::trust::Retriever;
use crate::validation::{Interrupted, Need, Pace};

use super::observer::until_cancelled;
use super::{Judge, Observer};

/// Rounds of fetching; an issuer's issuer and its CRL need no more.
const MAX_ROUNDS: u32 = 3;

/// Judges all items and, where there is a retriever, judges those again that lacked something it could bring.
///
/// `rejudge` judges one item with the evidence there is, `needs` says what its verdicts lack. Gives whether the evidence
/// is another than before.
///
/// # Errors
/// `cancelled`; defects of this library.
pub async fn judge_all<T: Send>(
    judge: &mut Judge,
    retriever: Option<&mut Retriever<'_>>,
    observer: &dyn Observer,
    items: &mut [T],
    rejudge: impl Fn(&Judge, &mut T) + Sync,
    needs: impl Fn(&T) -> BTreeSet<Need>,
) -> Result<bool> {
    let mut lacking: Vec<&mut T> = items.iter_mut().collect();
    judge_each(judge, &mut lacking, &rejudge, &|| {
        observer.step();
        !observer.is_cancelled()
    })?;
    let mut changed = false;
    let Some(retriever) = retriever else { return Ok(changed) };
    for _ in 0..MAX_ROUNDS {
        let mut wanted = BTreeSet::new();
        lacking.retain(|item| {
            let needs = needs(item);
            let lacks = !needs.is_empty();
            wanted.extend(needs);
            lacks
        });
        if wanted.is_empty() {
            break;
        }
        let brought = until_cancelled(observer, retriever.bring(&wanted, &mut judge.evidence)).await?;
        for (url, cause) in brought.failures {
            let parameters = vec![("url", shown(&url)), ("cause", cause.to_string())];
            observer.event(LogLevel::Warn, Code::EvidenceUnavailable, parameters).await;
        }
        if !brought.changed {
            break;
        }
        changed = true;
        judge_each(judge, &mut lacking, &rejudge, &|| !observer.is_cancelled())?;
    }
    Ok(changed)
}

/// Judges items on all cores of the machine. Judging never waits, so `tick` has to look for a caller who wants no more.
///
/// # Errors
/// `cancelled`.
fn judge_each<T: Send>(
    judge: &Judge,
    items: &mut [&mut T],
    rejudge: &(impl Fn(&Judge, &mut T) + Sync),
    tick: &(dyn Fn() -> bool + Sync),
) -> Result<()> {
    let items: Vec<Mutex<&mut T>> = items.iter_mut().map(|item| Mutex::new(&mut **item)).collect();
    let work = |place: usize| {
        if let Some(item) = items.get(place) {
            rejudge(judge, &mut item.lock().unwrap_or_else(PoisonError::into_inner));
        }
    };
    let done = Pace::of_machine(tick).each(items.len(), work);
    done.map(|_| ()).map_err(|Interrupted| Error::new(Code::Cancelled))
}

/// A stranger's URL in one line of bearable length, without a password that stands in it.
fn shown(url: &str) -> String {
    const LONGEST: usize = 300;
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let start = rest[..authority].rfind('@').map_or(0, |at| at + 1);
    let separator = if scheme.is_empty() { "" } else { "://" };
    let text = [scheme, separator, &rest[start..]].concat();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_strangers_are_shown_on_one_line_without_passwords() {
        assert_eq!(shown("http://u:p@x.test/a?b=@c"), "http://x.test/a?b=@c");
        assert_eq!(shown("ldap:///CN=a,DC=x?y@z"), "ldap:///CN=a,DC=x?y@z");
        assert_eq!(shown("http://x.test/\r\nInfo: b"), "http://x.test/  Info: b");
        assert_eq!(shown(&"ü".repeat(1000)).chars().count(), 300);
    }
}
