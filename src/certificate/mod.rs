//! What a certificate is: facts read from bytes, without any opinion on them. Pure: no I/O, no clock.

mod algorithm;
mod attribute;
mod bundle;
mod cms;
mod constraints;
mod crl;
pub(crate) mod der;
mod digest;
mod distribution_point;
mod extensions;
mod facts;
mod general_name;
pub(crate) mod name;
mod oid;
mod policies;
mod sst;
mod tagged_list;
mod value;

pub(crate) use algorithm::{Curve, DsaParameters, Hash, KeyKind, MlDsa, Pss, PublicKey, Scheme, dsa_signature};
pub use attribute::Attribute;
pub use bundle::Bundle;
pub(crate) use bundle::{is_pem, pem_objects};
pub(crate) use constraints::{NameConstraints, Subtree};
pub use crl::Crl;
pub(crate) use crl::{CrlDefect, Entry};
pub use digest::Sha256;
pub(crate) use distribution_point::{DistributionPoint, Reasons, directory_key};
pub(crate) use facts::SignatureValue;
pub use facts::{Certificate, ParseError};
pub(crate) use general_name::GeneralName;
pub(crate) use name::NameKey;
pub(crate) use policies::Policies;
pub use policies::PolicyId;
pub use value::{Container, SmimeValue};
