//! A double of Exchange Online for tests and the demo: token endpoint, admin API, and a control face of its own.
//!
//! Written from the reference of the wire protocol alone; it shares no type with the client it tests. The README lists
//! faces, switches and what is uncertain about the real service.

mod admin_api;
mod assertion;
mod affinity;
mod batch;
mod clixml;
mod clock;
mod cmdlets;
mod control;
mod errors;
mod faults;
mod get_recipients;
mod http;
mod limits;
mod log;
mod managed_identity;
mod mailbox_entity;
mod node;
mod opath;
mod paging;
mod parameters;
mod properties;
mod recipients;
mod set_recipient;
mod smime_config;
mod sst;
mod state;
mod switches;
mod tenant;
mod tls;
mod token;
mod write_shape;

pub use faults::{Endpoint, Fault, FaultKind, RedirectTo, When};
pub use limits::RateLimit;
pub use log::{CertificateValues, RequestEntry};
pub use state::{
    App, EXCHANGE_ADMINISTRATOR, EXCHANGE_RECIPIENT_ADMINISTRATOR, MANAGE_AS_APP, ManagedIdentity, Organization,
    Recipient, RecipientTypeDetails, SmimeConfig, State, StateError, replace_file,
};
pub use switches::{BatchOrder, ErrorDetail, ReadBack, ResultSizeUnlimited, SetResponse, Switches, WarningsForm};
pub use tenant::{Running, Tenant, require_loopback};
pub use tls::server_config;
