//! Who is meant: people of the directory, recipients of Exchange, their addresses, and who is who. Pure.

mod address;
mod digest;
mod matching;
mod person;
mod recipient;
mod unite;

pub use address::{Address, proxy_addresses};
pub use digest::{PersonDigest, digest};
pub use matching::{Claims, Match, PeopleIndex, PeopleKeys, RecipientIndex, RecipientKeys, Unmatched};
pub use person::{Person, PersonKind, Problem, RawValue};
pub use recipient::{Recipient, RecipientClass};
pub use unite::{Group, UnitingKey, groups, identity_key, identity_unites, merge, other_keys, uniting_keys};
