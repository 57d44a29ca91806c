//! What the verbs of a session share: the configuration as it is now, and the log.

use std::sync::{Arc, PoisonError, RwLock};

use serde::de::DeserializeOwned;

use crate::config::{Config, Secret};
use crate::error::{Code, Error, Result};
use crate::text::Culture;

use super::log::Log;

/// What the verbs of a session share.
pub(super) struct Context {
    config: RwLock<Arc<Config>>,
    culture: Culture,
    log: Log,
}

impl Context {
    pub(super) fn new(config: Config) -> Result<Self> {
        let culture = config.culture.as_deref().map_or_else(Culture::default, Culture::from_name);
        let log = Log::open(&config)?;
        Ok(Self { config: RwLock::new(Arc::new(config)), culture, log })
    }

    pub(super) fn culture(&self) -> Culture {
        self.culture
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// The configuration as it is now; a verb keeps the one it began with.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, pointer: &str, value: &str) -> Result<()> {
        let mut config = (*self.config()).clone();
        match pointer {
            "/exchange/auth/app_id" => {
                config.exchange.get_or_insert_default().auth.app_id = Some(read(pointer, value)?)
            }
            "/exchange/auth/secret" => {
                config.exchange.get_or_insert_default().auth.secret = Some(secret(&config, pointer, value)?);
            }
            "/exchange/auth/token" => {
                config.exchange.get_or_insert_default().auth.token = Some(secret(&config, pointer, value)?);
            }
            "/directory/bind/user" => config.directory.get_or_insert_default().bind.user = Some(read(pointer, value)?),
            "/directory/bind/password" => {
                config.directory.get_or_insert_default().bind.password = Some(secret(&config, pointer, value)?);
            }
            _ => return Err(Error::new(Code::ConfigUnknownKey).target(pointer)),
        }
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        Ok(())
    }
}

fn read<T: DeserializeOwned>(pointer: &str, value: &str) -> Result<T> {
    // serde_json's own words could repeat a secret, so they are not kept
    serde_json::from_str(value).map_err(|_| Error::new(Code::ConfigType).target(pointer))
}

fn secret(config: &Config, pointer: &str, value: &str) -> Result<Secret> {
    let mut secret: Secret = read(pointer, value)?;
    secret.resolve(config.base_dir.as_deref())?;
    Ok(secret)
}
