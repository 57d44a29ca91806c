//! Who signs in, from the configuration.

use std::path::Path;
use std::sync::Arc;

#[cfg(windows)]
use crate::config;
use crate::config::{Auth, AuthMethod, Secret};
use crate::error::{Code, Error, Result};
use crate::exchange::surroundings::Surroundings;

use super::{ManagedIdentity, SigningKey};

/// Who signs in.
#[derive(Clone)]
pub(in crate::exchange) enum Credential {
    /// An application by its secret.
    Secret { app_id: String, secret: Secret },
    /// An application by its certificate's key.
    Certificate { app_id: String, key: Arc<SigningKey> },
    /// The machine by the identity Azure lends it.
    ManagedIdentity(Arc<ManagedIdentity>),
    /// Whoever the token was made for.
    Token(Secret),
}

impl Credential {
    /// Reads what the method needs; the certificate's file is read, nothing is sent.
    ///
    /// # Errors
    /// `config_missing`, `config_unsupported` at the pointer; those of [`SigningKey::read`] and [`ManagedIdentity::new`].
    pub(in crate::exchange) fn new(
        auth: &Auth,
        base_dir: Option<&Path>,
        surroundings: &dyn Surroundings,
    ) -> Result<Self> {
        match auth.method {
            AuthMethod::Secret => {
                let secret = given(&auth.secret).ok_or_else(|| missing("secret"))?;
                Ok(Self::Secret { app_id: app_id(auth)?, secret })
            }
            AuthMethod::Certificate => {
                let (app_id, key) = (app_id(auth)?, signing_key(auth, base_dir)?);
                Ok(Self::Certificate { app_id, key: Arc::new(key) })
            }
            AuthMethod::ManagedIdentity => {
                let client_id = auth.managed_identity_client_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
                let identity = ManagedIdentity::new(surroundings.machine(), client_id)?;
                Ok(Self::ManagedIdentity(Arc::new(identity)))
            }
            AuthMethod::Token => {
                let token = given(&auth.token).ok_or_else(|| missing("token"))?;
                Ok(Self::Token(Secret::new(token.reveal().trim().to_owned())))
            }
        }
    }
}

/// The key in a file or, on Windows, in a store. Both at once, and what is no thumbprint, were refused with the configuration.
fn signing_key(auth: &Auth, base_dir: Option<&Path>) -> Result<SigningKey> {
    #[cfg(windows)]
    if let Some(thumbprint) = auth.certificate_thumbprint.as_deref().and_then(config::thumbprint) {
        return SigningKey::in_store(&thumbprint);
    }
    let file = auth.certificate_file.as_ref().ok_or_else(|| missing("certificate_file"))?;
    let path = base_dir.map_or_else(|| file.clone(), |base| base.join(file));
    SigningKey::read(&path, auth.certificate_password.as_ref())
}

fn missing(key: &str) -> Error {
    Error::new(Code::ConfigMissing).target(format!("/exchange/auth/{key}"))
}

fn app_id(auth: &Auth) -> Result<String> {
    let id = auth.app_id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(|| missing("app_id"))
}

fn given(secret: &Option<Secret>) -> Option<Secret> {
    secret.clone().filter(|secret| !secret.reveal().is_empty())
}
