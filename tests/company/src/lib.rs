//! A seeded, believable company to work on: its PKI, its people, their mailboxes, and what must come of every
//! certificate. It knows nothing of the product: an expected outcome follows from how a person was made.

pub mod arguments;
pub mod certificate;
pub mod company;
pub mod container;
pub mod der;
pub mod directory;
pub mod error;
pub mod expected;
pub mod ldif;
pub mod maker;
pub mod names;
pub mod observed;
pub mod output;
pub mod people;
pub mod person;
pub mod pki;
pub mod pool;
pub mod random;
pub mod recipe;
pub mod summary;
pub mod tenant;
pub mod verify;
