//! What a certificate is: facts read from bytes, without any opinion on them. Pure: no I/O, no clock.

mod algorithm;
mod attribute;
mod bundle;
mod cms;
mod crl;
pub(crate) mod der;
mod digest;
mod extensions;
mod facts;
pub(crate) mod name;
mod sst;
mod tagged_list;
mod value;

pub(crate) use algorithm::{Curve, Hash, KeyKind, PublicKey, Scheme};
pub use attribute::Attribute;
pub use bundle::Bundle;
pub use crl::Crl;
pub(crate) use crl::{CrlDefect, Entry};
pub use digest::Sha256;
pub(crate) use extensions::DistributionPoint;
pub(crate) use facts::SignatureValue;
pub use facts::{Certificate, ParseError};
pub(crate) use name::NameKey;
pub use value::{Container, SmimeValue};
