//! A run's entry in the store, and what it did in numbers.

use crate::certificate::Sha256;
use crate::config::LogLevel;
use crate::error::{Category, Code, Error, Result};
use crate::planning::{Action, Change};
use crate::store::{ChangeResult, Counters, NewRun, PolicyType, RunResult, StoredError};

use super::Job;
use super::apply::Outcome;

/// A run that has begun.
pub(super) struct Record<'a> {
    job: Job<'a>,
    pub(super) run: i64,
    pub(super) counters: Counters,
    calls_before: u64,
}

impl<'a> Record<'a> {
    /// Begins a run.
    pub(super) async fn begin(job: Job<'a>, verb: &str, staging: bool, scope: &str) -> Result<Self> {
        let started_ms = job.surroundings.now_ms();
        // every key of policy and trust decides about values, so the text of both is what is hashed
        let policy =
            Sha256::of(format!("{:?}{:?}{:?}", job.config.policy, job.config.trust, job.config.revocation).as_bytes());
        let policy_hash = &policy.to_string();
        let policy_type = PolicyType::Initial;
        let run = job.store.begin_run(&NewRun { verb, policy_type, staging, scope, policy_hash, started_ms })?;
        job.observer.event(LogLevel::Info, Code::RunStarted, vec![("run", run.to_string())]).await;
        Ok(Self { job, run, counters: Counters::default(), calls_before: job.exchange.calls().requests })
    }

    /// Tells of a row and counts it.
    pub(super) async fn tell(&mut self, change: &Change, result: Option<ChangeResult>, error: Option<&Error>) {
        let counters = &mut self.counters;
        match (change.action, result) {
            (_, Some(ChangeResult::Failed)) => {
                counters.failed += 1;
                self.job.observer.failed();
            }
            (Action::None, _) => counters.unchanged += 1,
            (Action::Skip, _) => counters.skipped += 1,
            (Action::Set | Action::Clear, _) => {
                counters.written += 1;
                counters.values_added += change.added.len() as u64;
                counters.values_removed += change.removed.len() as u64;
            }
        }
        self.job.observer.row(self.run, change, result, error).await;
    }

    /// Tells of changes that were carried out.
    pub(super) async fn tell_outcomes(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            self.tell(&outcome.change, outcome.result, outcome.error.as_ref()).await;
            self.job.observer.step();
        }
    }

    /// Ends the run with what became of it.
    pub(super) async fn end(mut self, outcome: Result<()>) -> Result<()> {
        self.counters.requests = self.job.exchange.calls().requests - self.calls_before;
        let result = match outcome.as_ref().err().map(Error::category) {
            None if self.counters.failed > 0 => RunResult::Partial,
            None => RunResult::Done,
            Some(Category::Guard) => RunResult::Stopped,
            Some(Category::Cancelled) => RunResult::Cancelled,
            Some(Category::DirectoryIncomplete) => RunResult::Incomplete,
            Some(_) => RunResult::Failed,
        };
        let error = outcome.as_ref().err().map(|error| StoredError::new(error, self.job.culture));
        let now_ms = self.job.surroundings.now_ms();
        self.job.store.end_run(self.run, result, &self.counters, error.as_ref(), now_ms)?;
        let parameters = vec![("run", self.run.to_string()), ("result", result.name().to_owned())];
        self.job.observer.event(LogLevel::Info, Code::RunEnded, parameters).await;
        outcome
    }
}
