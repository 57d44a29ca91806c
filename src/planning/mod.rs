//! Which values a recipient should hold, and which authorities the tenant, what that changes, and what stops it. Pure: no I/O, no clock.
//!
//! [`select`] ranks what the directory has for one attribute, [`plan_recipient`] holds that against what Exchange has,
//! [`Plan`] numbers the rows of a run, [`guard`] says whether the run may begin to write.

mod change;
mod directory;
pub mod guard;
mod issuers;
mod pick;
mod policy;
pub mod reason;
mod recipient;
mod select;
mod value;

pub use change::{Action, Change, Item, Plan};
pub use directory::{Prune, plan_prune, plan_publish};
pub use guard::{GuardInput, tripped};
pub use issuers::{IssuerAction, IssuerLimits, IssuerPlan, IssuersPlan, Needed, TenantStore, plan_issuers};
pub use pick::senders_pick;
pub use policy::Policy;
pub use reason::Reason;
pub use recipient::{Circumstances, Ours, Subject, plan_recipient, plan_vanished, skip_person, skip_unresolved};
pub use select::{Loser, Selection, select};
pub use value::{Before, CertificateSummary, Value};
