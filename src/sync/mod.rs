//! A run: gather, judge, plan, guard, journal, write, verify, record.

mod apply;
mod chosen;
mod coverage;
mod delta;
mod digest;
mod extent;
mod found;
mod gather;
mod guard;
mod judge;
mod observer;
mod prepare;
mod record;
mod run;
mod settle;

pub use chosen::{Chosen, apply_chosen};
pub use coverage::{Coverage, coverage};
pub use delta::{Delta, delta};
pub use extent::{Circumstances, Extent, extent};
pub use judge::Judge;
pub use observer::{Observer, Phase, Told};
pub use run::{Request, run};

use crate::config::Config;
use crate::error::Result;
use crate::exchange::{Exchange, Surroundings};
use crate::store::Store;
use crate::text::Culture;

/// What a run works with.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The store.
    pub store: &'a Store,
    /// The tenant.
    pub exchange: &'a Exchange,
    /// Clock and chance.
    pub surroundings: &'a dyn Surroundings,
    /// Who is told, and who may cancel.
    pub observer: &'a dyn Observer,
    /// The language errors are recorded in.
    pub culture: Culture,
}

impl Job<'_> {
    /// The time verdicts are computed for, in milliseconds since 1970 UTC.
    fn at_ms(&self) -> Result<i64> {
        self.config.at_ms(self.surroundings.now_ms())
    }
}
