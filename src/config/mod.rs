//! The configuration: one JSON object into typed values; what is wrong is named by its JSON pointer.

mod check;
mod read;
mod secret;
mod sections;

use std::path::{Path, PathBuf};

pub use check::thumbprint;
pub use read::{Source, from_json, pointer_error, rfc3339, text_or};
pub use secret::Secret;
pub use sections::*;

use crate::error::{Code, Error, Result};

/// Reads a configuration. Files with secrets are read here, nothing else is opened and no network is used.
///
/// # Errors
/// Area `config`; the target is the JSON pointer of what is wrong.
pub fn parse(text: &str) -> Result<Config> {
    let mut config: Config = from_json(text, Source::Configuration)?;
    config.check()?;
    check::secrets(&mut config)?;
    Ok(config)
}

impl Config {
    /// Refuses what types alone cannot: values out of their range, what does not belong together, what this version
    /// cannot do.
    ///
    /// # Errors
    /// `config_value`, `config_unsupported`; the target is the JSON pointer.
    pub fn check(&self) -> Result<()> {
        check::ranges(self)?;
        check::unsupported(self)
    }

    /// The directories people come from, at least one.
    ///
    /// # Errors
    /// `config_missing` at `/directory`.
    pub fn all_directories(&self) -> Result<Vec<&Directory>> {
        let all: Vec<_> = self.directory.iter().chain(&self.directories).collect();
        if all.is_empty() { Err(Error::new(Code::ConfigMissing).target("/directory")) } else { Ok(all) }
    }

    /// The directory people come from, where there is one alone.
    ///
    /// # Errors
    /// `config_missing` at `/directory`; `config_unsupported` at `/directories` for several.
    pub fn only_directory(&self) -> Result<&Directory> {
        match self.all_directories()?.as_slice() {
            [only] => Ok(only),
            _ => {
                let what = "this with several directories";
                Err(Error::new(Code::ConfigUnsupported).target("/directories").with("detail", what))
            }
        }
    }

    /// The time verdicts are computed for, in milliseconds since 1970 UTC: the policy's, else now.
    ///
    /// # Errors
    /// `config_value` at `/policy/at`.
    pub fn at_ms(&self, now_ms: i64) -> Result<i64> {
        self.policy.at.as_deref().map_or(Ok(now_ms), |at| rfc3339(at, Source::Configuration, "/policy/at"))
    }

    /// A file name of the configuration, made absolute by `base_dir`.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        match &self.base_dir {
            Some(base) => base.join(name),
            None => name.as_ref().to_path_buf(),
        }
    }
}
