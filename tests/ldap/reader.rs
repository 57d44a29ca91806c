//! Reads as a verb would.

use std::path::Path;

use smimesync::config::{Bind, BindMethod, Directory, Secret};
use smimesync::directory::{ReadReport, Selection, check, read};
use smimesync::error::Error;
use smimesync::net::{CheckResult, CheckStep};
use smimesync::people::Person;

/// What a read gave.
pub(crate) type Outcome = Result<(Vec<Person>, ReadReport), Error>;

/// Reads everybody a configuration and a selection stand for.
pub(crate) fn people(config: &Directory, selection: &Selection) -> Outcome {
    run(async {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
        let collect = async {
            let mut people = Vec::new();
            while let Some(person) = receiver.recv().await {
                people.push(person);
            }
            people
        };
        let (report, people) = tokio::join!(read(config, None, selection, sender), collect);
        report.map(|report| (people, report))
    })
}

/// Reads everybody of a configuration.
pub(crate) fn everybody(config: &Directory) -> Outcome {
    people(config, &Selection::default())
}

/// The steps of the verb `check`.
pub(crate) fn steps(config: &Directory) -> Vec<CheckStep> {
    run(check(config, None)).unwrap()
}

/// Names and results of steps, as `name pass, connect fail, …`, without those at the end that were not tried.
pub(crate) fn shown(steps: &[CheckStep]) -> String {
    let last = steps.iter().rposition(|step| step.result != CheckResult::Skipped).map_or(0, |last| last + 1);
    steps[..last].iter().map(|step| format!("{} {}", step.step, step.result.name())).collect::<Vec<_>>().join(", ")
}

/// The step that failed.
pub(crate) fn failed(steps: &[CheckStep]) -> &CheckStep {
    steps.iter().find(|step| step.result == CheckResult::Fail).unwrap()
}

/// A selection by identities.
pub(crate) fn named(identities: &[&str]) -> Selection {
    Selection { identities: identities.iter().map(|text| (*text).to_owned()).collect(), ..Selection::default() }
}

/// A simple bind.
pub(crate) fn simple(user: &str, password: &str) -> Bind {
    Bind { user: Some(user.into()), password: Some(Secret::new(password.into())), ..Bind::default() }
}

/// An anonymous bind.
pub(crate) fn anonymous() -> Bind {
    Bind { method: BindMethod::Anonymous, ..Bind::default() }
}

/// A directory at a URL.
pub(crate) fn directory(url: &str, base: &str, bind: Bind, ca_file: Option<&Path>) -> Directory {
    Directory {
        urls: vec![url.into()],
        base: Some(base.into()),
        bind,
        ca_files: ca_file.map(Path::to_path_buf).into_iter().collect(),
        timeout_ms: Some(20_000),
        ..Directory::default()
    }
}

/// Runs a future to its end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}
