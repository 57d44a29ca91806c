//! Signing in: from credentials to an access token.

mod access_token;
mod arc;
mod assertion;
mod challenge;
mod credential;
mod entra;
mod machine;
mod managed_identity;
mod signing_key;
mod token_endpoint;

pub(super) use access_token::{Asking, Granted, Token};
pub(super) use challenge::claims;
pub(super) use credential::Credential;
pub use machine::Machine;
pub(super) use managed_identity::ManagedIdentity;
pub(super) use signing_key::{SigningKey, day};
pub(super) use token_endpoint::{Proof, TokenEndpoint};
