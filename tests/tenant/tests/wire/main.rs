//! The double as a client sees it: over loopback with a plain HTTP client, over TLS, and over streams in memory.

mod admin_rules;
mod assertion;
mod batch;
mod client;
mod control;
mod faults;
mod filters;
mod limits;
mod listing;
mod managed_identity;
mod read_back;
mod simulated_time;
mod smime_config;
mod tls;
mod token;
mod writing;
