//! A run's entry in the store, and what it did in numbers.

use crate::certificate::Sha256;
use crate::config::LogLevel;
use crate::error::{Category, Code, Error, Result};
use crate::planning::{Action, Change, reason};
use crate::store::{ChangeResult, Counters, NewRun, PolicyType, Retry, RunResult, StoredError};
use crate::trust::Sources;

use super::RunContext;
use super::apply::Outcome;
use super::tenant::TenantTrust;

/// A run that has begun.
pub(super) struct Record<'a> {
    context: RunContext<'a>,
    pub(super) run: i64,
    pub(super) counters: Counters,
    /// Whom the next run looks at again.
    pub(super) retries: Vec<Retry>,
    /// Hash of policy, trust and tenant.
    pub(super) policy_hash: String,
    policy_type: PolicyType,
}

/// Hash of everything that decides about values besides the directory: policy, trust with its files, and the tenant with
/// what it trusts.
pub(super) fn policy_hash(context: &RunContext<'_>, trust: Option<&TenantTrust>) -> String {
    let config = context.config;
    // a file that cannot be read is the run's error, not this one's
    let files = Sources::of(config).digest().map(|digest| digest.to_string()).unwrap_or_default();
    let tenant = config.exchange.as_ref().and_then(|exchange| exchange.organization.as_deref()).unwrap_or_default();
    let tenant = tenant.to_lowercase() + &trust.map(TenantTrust::digest).unwrap_or_default();
    let text = format!("{:?}{:?}{:?}{files}{tenant}", config.policy, config.trust, config.revocation);
    Sha256::of(text.as_bytes()).to_string()
}

impl<'a> Record<'a> {
    /// Begins a run.
    pub(super) async fn begin(
        context: RunContext<'a>,
        verb: &str,
        policy_type: PolicyType,
        staging: bool,
        scope: &str,
        policy_hash: String,
    ) -> Result<Self> {
        let started_ms = context.surroundings.now_ms();
        let new = NewRun { verb, policy_type, staging, scope, policy_hash: &policy_hash, started_ms };
        let run = context.store.begin_run(&new)?;
        context.observer.event(LogLevel::Info, Code::RunStarted, vec![("run", run.to_string())]).await;
        let (counters, retries) = (Counters::default(), Vec::new());
        Ok(Self { context, run, counters, retries, policy_hash, policy_type })
    }

    /// Says that the run looks at everybody after all, because changes could not be read.
    pub(super) fn looks_at_everybody(&mut self) -> Result<()> {
        self.policy_type = PolicyType::Initial;
        self.context.store.became_initial(self.run)
    }

    /// Tells of a row and counts it.
    pub(super) async fn tell(&mut self, change: &Change, result: Option<ChangeResult>, error: Option<&Error>) {
        if let Some(identity) = change.person.as_ref().filter(|_| self.may_pass(change, result)) {
            let error_code = error.map_or(0, |error| error.code().number());
            self.retries.push(Retry { identity: identity.clone(), error_code });
        }
        self.count(change, result);
        self.context.observer.row(self.run, change, result, error).await;
    }

    /// Counts a change.
    pub(super) fn count(&mut self, change: &Change, result: Option<ChangeResult>) {
        let counters = &mut self.counters;
        match (change.action, result) {
            (_, Some(ChangeResult::Failed)) => {
                counters.failed += 1;
                self.context.observer.failed();
            }
            (Action::None, _) => counters.unchanged += 1,
            (Action::Skip, _) => counters.skipped += 1,
            (Action::Set | Action::Clear, _) => {
                counters.written += 1;
                counters.values_added += change.added.len() as u64;
                counters.values_removed += change.removed.len() as u64;
            }
        }
    }

    /// Whether the same may end otherwise next time although neither the directory nor the policy changes.
    fn may_pass(&self, change: &Change, result: Option<ChangeResult>) -> bool {
        let reason = change.reason.as_deref().filter(|_| change.action == Action::Skip);
        match reason {
            _ if result == Some(ChangeResult::Failed) => true,
            Some(reason::UNREADABLE | reason::HELD) => true,
            // who is new to the directory is often there before the mailbox is; all the others wait for a complete read
            Some(reason::NO_RECIPIENT | reason::AMBIGUOUS) => self.policy_type == PolicyType::Delta,
            _ => false,
        }
    }

    /// Tells of changes that were carried out.
    pub(super) async fn tell_outcomes(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            self.tell(&outcome.change, outcome.result, outcome.error.as_ref()).await;
            self.context.observer.step();
        }
    }

    /// Ends the run with what became of it.
    pub(super) async fn end(self, outcome: Result<()>) -> Result<()> {
        let result = match outcome.as_ref().err().map(Error::category) {
            None if self.counters.failed > 0 => RunResult::Partial,
            None => RunResult::Done,
            Some(Category::Guard) => RunResult::Stopped,
            Some(Category::Cancelled) => RunResult::Cancelled,
            Some(Category::DirectoryIncomplete) => RunResult::Incomplete,
            Some(_) => RunResult::Failed,
        };
        let error = outcome.as_ref().err().map(|error| StoredError::of_run(error, self.context.culture));
        let now_ms = self.context.surroundings.now_ms();
        self.context.store.end_run(self.run, result, &self.counters, error.as_ref(), now_ms)?;
        let parameters = vec![("run", self.run.to_string()), ("result", result.name().to_owned())];
        self.context.observer.event(LogLevel::Info, Code::RunEnded, parameters).await;
        outcome
    }
}
