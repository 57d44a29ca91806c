//! What the verbs of a session share: the configuration as it is now, the store, the tenant, the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::de::DeserializeOwned;

use crate::config::{Config, Secret};
use crate::error::{Code, Error, Result};
use crate::exchange::{Exchange, Surroundings, SystemSurroundings};
use crate::store::Store;
use crate::text::Culture;

use super::log::Log;

/// What the verbs of a session share.
pub(super) struct Context {
    config: RwLock<Arc<Config>>,
    culture: Culture,
    log: Log,
    surroundings: Arc<dyn Surroundings>,
    /// Opened when the first verb needs it.
    store: Mutex<Option<Arc<Store>>>,
    /// Made when the first verb needs it, and anew after its credentials were replaced.
    exchange: Mutex<Option<Arc<Exchange>>>,
}

impl Context {
    pub(super) fn new(config: Config) -> Result<Self> {
        let culture = config.culture.as_deref().map_or_else(Culture::default, Culture::from_name);
        let log = Log::open(&config)?;
        Ok(Self {
            config: RwLock::new(Arc::new(config)),
            culture,
            log,
            surroundings: Arc::new(SystemSurroundings),
            store: Mutex::default(),
            exchange: Mutex::default(),
        })
    }

    pub(super) fn culture(&self) -> Culture {
        self.culture
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn surroundings(&self) -> &dyn Surroundings {
        self.surroundings.as_ref()
    }

    /// The configuration as it is now; a verb keeps the one it began with.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store; one in memory where the configuration names no file.
    pub(super) fn store(&self) -> Result<Arc<Store>> {
        let mut opened = unpoisoned(&self.store);
        if let Some(store) = &*opened {
            return Ok(Arc::clone(store));
        }
        let config = self.config();
        let store = Arc::new(match &config.store.path {
            Some(path) => Store::open(&config.path(path), self.surroundings.now_ms())?,
            None => Store::in_memory()?,
        });
        *opened = Some(Arc::clone(&store));
        Ok(store)
    }

    /// An error of the database itself, which does not know its file, with that file as its target.
    pub(super) fn about_store(&self, error: Error) -> Error {
        let config = self.config();
        match &config.store.path {
            Some(path)
                if matches!(error.code(), Code::StoreFailed | Code::StoreLocked) && error.get_target().is_none() =>
            {
                error.target(config.path(path).display().to_string())
            }
            _ => error,
        }
    }

    /// The tenant.
    pub(super) fn exchange(&self) -> Result<Arc<Exchange>> {
        let mut made = unpoisoned(&self.exchange);
        if let Some(exchange) = &*made {
            return Ok(Arc::clone(exchange));
        }
        let config = self.config();
        let wanted = config.exchange.as_ref().ok_or_else(|| Error::new(Code::ConfigMissing).target("/exchange"))?;
        let surroundings = Arc::clone(&self.surroundings);
        let exchange = Arc::new(Exchange::new(wanted, config.base_dir.as_deref(), surroundings)?);
        *made = Some(Arc::clone(&exchange));
        Ok(exchange)
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
        if pointer.starts_with("/exchange/") {
            *unpoisoned(&self.exchange) = None;
        }
        Ok(())
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
