//! Certificates that are added to people in the directory.

use crate::directory::Selection;
use crate::error::Result;
use crate::people::RawValue;
use crate::planning::plan_publish;

use super::RunContext;
use super::directory_run::{self, Request};

/// What is published.
#[derive(Debug, Clone)]
pub struct Publish {
    /// To whom.
    pub selection: Selection,
    /// The values, and the attribute they go to.
    pub values: Vec<RawValue>,
    /// Whether nothing is written.
    pub staging: bool,
    /// Guards that are lifted.
    pub force: Vec<String>,
}

/// Adds certificates to people in the directory, each to those it is fit for. Rows go to the observer.
///
/// # Errors
/// Those of a run.
pub async fn publish(context: &RunContext<'_>, publish: Publish) -> Result<()> {
    let request = Request {
        verb: "publish",
        selection: &publish.selection,
        staging: publish.staging,
        force: &publish.force,
        backup: None,
        offered: &publish.values,
    };
    directory_run::run(context, request, &|policy, person, values, offers| plan_publish(person, values, offers, policy))
        .await
}
