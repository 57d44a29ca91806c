//! Exchange Online: tokens and the admin API; reading recipients, writing one.

mod certificates;
mod check;
mod client;
mod clixml;
mod cloud;
mod command;
mod entry;
mod failure;
mod invoke;
mod lookup;
mod pace;
mod recipients;
mod retry;
mod sign_in;
mod surroundings;
mod terms;
#[cfg(test)]
mod testing;
mod token;

pub use client::{Exchange, WriteOutcome};
pub use invoke::{Calls, recipients_in};
pub use recipients::{ListReport, Selection};
pub use retry::PATIENCE_MS;
pub use sign_in::Machine;
pub use surroundings::{Surroundings, SystemSurroundings};
pub use terms::Listener;
