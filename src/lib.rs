//! SmimeSync brings S/MIME certificates from a directory to Exchange Online: fetch, validate, sync.
//!
//! Data flows down this list of rooms and never back up; `ARCHITECTURE.md` shows the flow of one certificate.

pub mod text;
pub mod error;
pub mod platform;
pub mod certificate;
pub mod config;
pub mod people;
pub mod validation;
pub mod planning;
pub mod store;
pub mod net;
pub mod directory;
pub mod exchange;
pub mod trust;
pub mod sync;
pub mod session;
mod ffi;
