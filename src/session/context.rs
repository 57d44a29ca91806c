//! What the verbs of a session share: the configuration as it is now, the store, the tenant, the log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::de::DeserializeOwned;

use crate::config::{Bind, Config, Secret, Source, pointer_error};
use crate::error::{Code, Error, Result};
use crate::exchange::{Exchange, Surroundings, SystemSurroundings};
use crate::store::Store;
use crate::text::Culture;

use super::log::Log;
use super::output::Output;

/// What the verbs of a session share.
pub(super) struct Context {
    config: RwLock<Arc<Config>>,
    culture: Culture,
    log: Log,
    surroundings: Arc<dyn Surroundings>,
    /// Opened when the first verb needs it.
    store: Mutex<Option<Arc<Store>>>,
    /// Made when the first verb needs it, and anew after its credentials were replaced.
    exchange: Mutex<Option<Exchange>>,
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

    /// The tenant, for a verb that is told of waits.
    pub(super) fn exchange(&self, output: &Output) -> Result<Exchange> {
        let mut made = unpoisoned(&self.exchange);
        let listener = Arc::new(output.clone());
        if let Some(exchange) = &*made {
            return Ok(exchange.told(listener));
        }
        let config = self.config();
        let wanted = config.exchange.as_ref().ok_or_else(|| Error::new(Code::ConfigMissing).target("/exchange"))?;
        let surroundings = Arc::clone(&self.surroundings);
        let exchange = Exchange::new(wanted, config.base_dir.as_deref(), surroundings)?;
        Ok(made.insert(exchange).told(listener))
    }

    /// Replaces one value; nothing changes where the result would be refused as a configuration.
    pub(super) fn set(&self, pointer: &str, value: &str) -> Result<()> {
        let mut current = self.config.write().unwrap_or_else(PoisonError::into_inner);
        let mut config = (**current).clone();
        replace(&mut config, pointer, value)?;
        config.check()?;
        *current = Arc::new(config);
        drop(current);
        if pointer.starts_with("/exchange/") {
            *unpoisoned(&self.exchange) = None;
        }
        Ok(())
    }
}

fn replace(config: &mut Config, pointer: &str, value: &str) -> Result<()> {
    let base_dir = config.base_dir.clone();
    let secret = || {
        let mut secret: Secret = read(pointer, value)?;
        secret.resolve(base_dir.as_deref())?;
        Ok::<_, Error>(Some(secret))
    };
    let unknown = || Error::new(Code::ConfigUnknownKey).target(pointer);
    if let Some(key) = pointer.strip_prefix("/exchange/auth/") {
        let auth = &mut config.exchange.get_or_insert_default().auth;
        match key {
            "method" => auth.method = read(pointer, value)?,
            "app_id" => auth.app_id = Some(read(pointer, value)?),
            "secret" => auth.secret = secret()?,
            "certificate_file" => auth.certificate_file = Some(read(pointer, value)?),
            "certificate_password" => auth.certificate_password = secret()?,
            "certificate_thumbprint" => auth.certificate_thumbprint = Some(read(pointer, value)?),
            "managed_identity_client_id" => auth.managed_identity_client_id = Some(read(pointer, value)?),
            "token" => auth.token = secret()?,
            _ => return Err(unknown()),
        }
        return Ok(());
    }
    let (bind, key) = bind(config, pointer)?;
    match key {
        "method" => bind.method = read(pointer, value)?,
        "user" => bind.user = Some(read(pointer, value)?),
        "password" => bind.password = secret()?,
        "certificate_file" => bind.certificate_file = Some(read(pointer, value)?),
        "certificate_password" => bind.certificate_password = secret()?,
        "keytab" => bind.keytab = Some(read(pointer, value)?),
        "allow_plaintext" => bind.allow_plaintext = read(pointer, value)?,
        _ => return Err(unknown()),
    }
    Ok(())
}

/// The credentials below which `pointer` names a key, and that key.
fn bind<'a>(config: &'a mut Config, pointer: &'a str) -> Result<(&'a mut Bind, &'a str)> {
    if let Some(key) = pointer.strip_prefix("/directory/bind/") {
        let directory = match config.directories.as_mut_slice() {
            [] => config.directory.get_or_insert_default(),
            [only] => only,
            // a password must not reach a server it is not meant for
            _ => return Err(pointer_error(Source::Configuration, pointer, "expected /directories/N/bind of one")),
        };
        return Ok((&mut directory.bind, key));
    }
    let named = || {
        let (index, key) = pointer.strip_prefix("/directories/")?.split_once("/bind/")?;
        Some((index.parse::<usize>().ok()?, key))
    };
    let found = named().and_then(|(index, key)| Some((&mut config.directories.get_mut(index)?.bind, key)));
    found.ok_or_else(|| Error::new(Code::ConfigUnknownKey).target(pointer))
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T: DeserializeOwned>(pointer: &str, value: &str) -> Result<T> {
    // serde_json's own words could repeat a secret, so they are not kept
    serde_json::from_str(value).map_err(|_| Error::new(Code::ConfigType).target(pointer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(config: &str) -> Context {
        Context::new(crate::config::parse(config).unwrap()).unwrap()
    }

    #[test]
    fn a_credential_goes_to_the_directory_there_is() {
        let context = context(r#"{"directories":[{"urls":["ldaps://dc.x.test"],"base":"DC=x"}]}"#);
        context.set("/directory/bind/user", r#""svc""#).unwrap();
        context.set("/directory/bind/password", r#""hunter2""#).unwrap();
        let config = context.config();
        let directory = config.only_directory().unwrap();
        assert_eq!(directory.urls, ["ldaps://dc.x.test"]);
        assert_eq!(directory.bind.password.as_ref().unwrap().reveal(), "hunter2");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_credential_for_one_of_several_directories_names_it() {
        let context = context(r#"{"directories":[{"base":"DC=x"},{"base":"DC=y"}]}"#);
        let refused = context.set("/directory/bind/password", r#""hunter2""#).unwrap_err();
        assert_eq!((refused.code(), refused.get_target()), (Code::ConfigValue, Some("/directory/bind/password")));
        context.set("/directories/1/bind/password", r#""hunter2""#).unwrap();
        let config = context.config();
        let passwords = config.directories.iter().map(|it| it.bind.password.as_ref().map(Secret::reveal));
        assert!(passwords.eq([None, Some("hunter2")]));
        for pointer in ["/directories/2/bind/password", "/directories/x/bind/password", "/directories/0/base"] {
            assert_eq!(context.set(pointer, r#""x""#).unwrap_err().code(), Code::ConfigUnknownKey, "{pointer}");
        }
    }

    #[test]
    fn what_a_configuration_may_not_say_cannot_be_set() {
        let context = context("{}");
        for (pointer, value, code) in [
            ("/exchange/auth/certificate_thumbprint", r#""00""#, Code::ConfigUnsupported),
            ("/exchange/auth/method", r#""nonsense""#, Code::ConfigType),
            ("/exchange/auth/secret", "7", Code::ConfigType),
            ("/exchange/auth/secret", "hunter2", Code::ConfigType),
            ("/exchange/auth/tokn", r#""x""#, Code::ConfigUnknownKey),
            ("/directory/bind/keytab", r#""k""#, Code::ConfigUnsupported),
            ("/policy/max_values", "1", Code::ConfigUnknownKey),
            ("", "{}", Code::ConfigUnknownKey),
        ] {
            let error = context.set(pointer, value).unwrap_err();
            assert_eq!((error.code(), error.get_target()), (code, Some(pointer)));
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        assert!(context.config().exchange.is_none() && context.config().directory.is_none());
        context.set("/exchange/auth/token", r#""fresh""#).unwrap();
        context.set("/exchange/auth/method", r#""token""#).unwrap();
    }
}
