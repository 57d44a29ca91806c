//! The entries of several directories, each by itself: for what is written to entries and not to people.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::config;
use crate::directory::{ReadReport, Selection, incomplete, read};
use crate::error::{Code, Error, Result};
use crate::people::Person;

use super::{WAITING, concerns_one_server, unknown_everywhere};

/// Reads the selected entries of each directory and sends them with the directory's number. One directory that cannot be
/// read makes the whole incomplete.
///
/// # Errors
/// As of one directory; what keeps every directory from being read.
pub(in crate::directory) async fn read_apart(
    directories: &[&config::Directory],
    base_dir: Option<&Path>,
    selection: &Selection,
    sink: Sender<(usize, Person)>,
) -> Result<ReadReport> {
    let delivered = AtomicU64::new(0);
    let reads = directories.iter().enumerate().map(async |(number, directory)| {
        let (entries, source) = mpsc::channel(WAITING);
        let reading = read(directory, base_dir, selection, entries);
        let (report, passed) = tokio::join!(reading, pass(source, number, selection.limit, &delivered, &sink));
        let is_full = passed?;
        match report {
            Err(error) if is_full && error.code() == Code::Cancelled => {
                Ok(ReadReport { limit_reached: true, ..ReadReport::default() })
            }
            report => report.map(|report| ReadReport { limit_reached: report.limit_reached || is_full, ..report }),
        }
    });
    let outcomes: Vec<Result<ReadReport>> = join_all(reads).await;
    let mut whole = ReadReport { complete: true, ..ReadReport::default() };
    let (mut unresolved, mut elsewhere, mut down) = (Vec::new(), Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(report) => {
                whole.complete &= report.complete;
                whole.limit_reached |= report.limit_reached;
                whole.incomplete_reason = whole.incomplete_reason.or(report.incomplete_reason);
                whole.referrals += report.referrals;
                whole.replaced.extend(report.replaced);
                whole.server = whole.server.or(report.server);
                unresolved.push(report.unresolved);
            }
            Err(error) if matches!(error.code(), Code::DirectoryNotFound | Code::DirectoryAmbiguous) => {
                unresolved.push(vec![error]);
            }
            // a base of the selection is one directory's alone
            Err(error) if error.code() == Code::OptionValue && !selection.bases.is_empty() => elsewhere.push(error),
            Err(error) if concerns_one_server(&error) => down.push(error),
            Err(error) => return Err(error),
        }
    }
    for mut failures in [elsewhere, down.clone()] {
        if failures.len() == directories.len() {
            return Err(failures.swap_remove(0));
        }
    }
    whole.incomplete_reason = whole.incomplete_reason.or_else(|| down.into_iter().next().map(incomplete));
    whole.unresolved = unknown_everywhere(&unresolved);
    if let ([failed], [_], None) =
        (whole.unresolved.as_slice(), selection.identities.as_slice(), &whole.incomplete_reason)
    {
        return Err(failed.clone());
    }
    whole.people = delivered.into_inner();
    whole.complete &= whole.incomplete_reason.is_none() && !whole.limit_reached;
    Ok(whole)
}

/// Passes a directory's entries on; `true` if there are more than the limit of all directories together. Returning drops the
/// source, which ends the read.
async fn pass(
    mut source: Receiver<Person>,
    number: usize,
    limit: Option<u64>,
    delivered: &AtomicU64,
    sink: &Sender<(usize, Person)>,
) -> Result<bool> {
    while let Some(person) = source.recv().await {
        if limit.is_some_and(|limit| delivered.load(Ordering::Relaxed) >= limit) {
            return Ok(true);
        }
        delivered.fetch_add(1, Ordering::Relaxed);
        sink.send((number, person)).await.map_err(|_| Error::new(Code::Cancelled))?;
    }
    Ok(false)
}
