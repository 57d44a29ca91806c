//! Values that are taken out of the directory.

use std::path::PathBuf;

use crate::directory::Selection;
use crate::error::Result;
use crate::planning::{self, plan_prune};

use super::RunContext;
use super::backup::Backup;
use super::directory_run::{self, Request};

/// What is pruned.
#[derive(Debug, Clone)]
pub struct Prune {
    /// Which people are looked at.
    pub selection: Selection,
    /// Which values go.
    pub which: planning::Prune,
    /// Certificates (SHA-1, upper-case hexadecimal) of which alone values go; those of all if empty.
    pub thumbprints: Vec<String>,
    /// A folder that what goes is saved to before.
    pub backup_to: Option<PathBuf>,
    /// Whether nothing is written.
    pub staging: bool,
    /// Guards that are lifted.
    pub force: Vec<String>,
}

/// Takes values out of the directory that are expired or unfit. Rows go to the observer.
///
/// # Errors
/// Those of a run; `backup_failed` before the first change.
pub async fn prune(context: &RunContext<'_>, prune: Prune) -> Result<()> {
    let request = Request {
        verb: "prune",
        selection: &prune.selection,
        staging: prune.staging,
        force: &prune.force,
        backup: prune.backup_to.map(Backup::new),
        offered: &[],
    };
    let (which, thumbprints) = (prune.which, &prune.thumbprints);
    directory_run::run(context, request, &|policy, person, values, _| {
        plan_prune(person, values, which, thumbprints, policy)
    })
    .await
}
