//! A run: gather, judge, plan, guard, journal, write, verify, record.

mod apply;
mod backup;
mod chosen;
mod confirm;
mod coverage;
mod directory_run;
mod delta;
mod entry_writers;
mod extent;
mod found;
mod gather;
mod guard;
mod issuers;
mod judge;
mod judge_people;
mod learn;
mod observer;
mod outage;
mod plan;
mod prepare;
mod prune;
mod publish;
mod read_form;
mod record;
mod run;
mod settle;
mod tasks;
mod tenant;
mod write_all;

pub use chosen::{Chosen, apply_chosen};
pub use confirm::say_unread;
pub use coverage::{Coverage, Covering, coverage};
pub use delta::{Delta, delta};
pub use extent::{Circumstances, Extent, extent};
pub use issuers::{Issuers, IssuersRequest, issuers};
pub use judge::{Judge, revocation_check};
pub use learn::judge_all;
pub use observer::{Observer, Phase, Told};
pub use prune::{Prune, prune};
pub use publish::{Publish, publish};
pub use run::{Request, run};

use std::ops::Deref;

use crate::config::Config;
use crate::error::Result;
use crate::exchange::{Exchange, Surroundings};
use crate::store::Store;
use crate::text::Culture;
use crate::trust::Retriever;

/// What every run works with.
#[derive(Clone, Copy)]
pub struct RunContext<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The store.
    pub store: &'a Store,
    /// Clock and chance.
    pub surroundings: &'a dyn Surroundings,
    /// Who is told, and who may cancel.
    pub observer: &'a dyn Observer,
    /// The language errors are recorded in.
    pub culture: Culture,
}

/// What a run over the tenant works with.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What every run works with.
    pub context: RunContext<'a>,
    /// The tenant.
    pub exchange: &'a Exchange,
}

impl<'a> Deref for Job<'a> {
    type Target = RunContext<'a>;

    fn deref(&self) -> &Self::Target {
        &self.context
    }
}

impl<'a> RunContext<'a> {
    /// The time verdicts are computed for, in milliseconds since 1970 UTC.
    fn at_ms(&self) -> Result<i64> {
        self.config.at_ms(self.surroundings.now_ms())
    }

    /// What brings evidence that verdicts lack; `None` where nothing may be fetched.
    fn retriever(&self) -> Option<Retriever<'a>> {
        Retriever::new(self.config, self.config.revocation.mode, self.store, self.surroundings)
    }
}
