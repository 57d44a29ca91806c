//! The C ABI: translation only. Every export goes through one guard; every pointer is checked; ownership is in the types.

#![expect(unreachable_pub, reason = "what C calls is public at the ABI, not in Rust")]

mod column;
mod cursor;
mod error;
mod guard;
mod session;
mod text;
mod verb;
mod version;
