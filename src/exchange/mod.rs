//! Exchange Online: tokens and the admin API; reading recipients, writing one; the authorities that a tenant trusts.

mod abilities;
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
mod observed_rate;
mod pace;
mod recipients;
mod retry;
mod sign_in;
mod smime_config;
mod surroundings;
mod terms;
#[cfg(test)]
mod testing;
mod token;

pub use abilities::ReadForm;
pub use client::{Exchange, WriteOutcome};
pub use invoke::{Calls, recipients_in};
pub use recipients::{ListReport, Selection};
pub use retry::PATIENCE_MS;
pub use sign_in::Machine;
pub use smime_config::MAX_STORE_BYTES;
pub use surroundings::{Surroundings, SystemSurroundings};
pub use terms::Listener;
