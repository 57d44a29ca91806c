//! The one error of this package.

use std::path::{Path, PathBuf};

/// What can go wrong while a company is made or checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder meant.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A certificate, key or CRL could not be made.
    #[error("certificate generator: {0}")]
    Generator(#[from] rcgen::Error),
    /// A file is not the JSON expected.
    #[error("{path}: {source}")]
    Json {
        /// The file meant.
        path: PathBuf,
        /// The parser's answer.
        source: serde_json::Error,
    },
    /// The openssl command line refused.
    #[error("openssl {command}: {message}")]
    Openssl {
        /// Its first argument.
        command: String,
        /// What it wrote to its standard error.
        message: String,
    },
    /// Anything else, told in words.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// An operating system error with the path it concerns.
    pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }

    /// A JSON error with the file it concerns.
    pub fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Json { path, source }
    }
}

/// This package's result.
pub type Result<T> = std::result::Result<T, Error>;
