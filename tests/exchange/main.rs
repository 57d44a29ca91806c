//! The client of Exchange Online against its double, and against answers the double does not give.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod canned;
mod certificate;
mod faults;
mod managed_identity;
mod proxy;
mod reading;
mod sign_in;
mod support;
mod writing;
