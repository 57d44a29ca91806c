//! Text that never appears in a log, an error or a `Debug` output.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::platform;

use super::read::text_or;

/// A password, a client secret or a token: the text itself, or the file it is read from.
#[derive(Clone)]
pub struct Secret(Kept);

#[derive(Clone)]
enum Kept {
    Text(Zeroizing<String>),
    File(PathBuf),
}

impl Secret {
    /// A secret from its text.
    pub fn new(text: String) -> Self {
        Self(Kept::Text(Zeroizing::new(text)))
    }

    /// The text; empty while it is still a file name.
    pub fn reveal(&self) -> &str {
        match &self.0 {
            Kept::Text(text) => text,
            Kept::File(_) => "",
        }
    }

    /// Reads the file if it is one. One line end at the end of the file is not part of the secret.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`, `config_secret_exposed`; the target is the file.
    pub fn resolve(&mut self, base: Option<&Path>) -> Result<()> {
        let Kept::File(name) = &self.0 else { return Ok(()) };
        let path = base.map_or_else(|| name.clone(), |base| base.join(name));
        let target = path.display().to_string();
        if platform::others_can_read(&path).map_err(|error| platform::file_error(&path, &error))? {
            return Err(Error::new(Code::ConfigSecretExposed).target(target));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| platform::file_error(&path, &error))?;
        let text = Zeroizing::new(text);
        let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        self.0 = Kept::Text(Zeroizing::new(line.to_owned()));
        Ok(())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct File {
            file: PathBuf,
        }
        text_or(
            deserializer,
            "a text or { \"file\": \"...\" }",
            |text| Self::new(text.to_owned()),
            |File { file }| Self(Kept::File(file)),
        )
    }
}
