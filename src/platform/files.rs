//! Files: who may read them, and what their errors mean.

use std::io;
use std::path::Path;

use crate::error::{Code, Error};

/// Whether anybody but the owner can read a file.
///
/// # Errors
/// Those of looking the file up.
#[cfg(unix)]
pub fn others_can_read(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 != 0)
}

/// On Windows files inherit their folder's access list, which this version does not judge.
///
/// # Errors
/// Those of looking the file up.
#[cfg(not(unix))]
pub fn others_can_read(path: &Path) -> io::Result<bool> {
    std::fs::metadata(path).map(|_| false)
}

/// What a failed file access means; the target is the file.
pub fn file_error(path: &Path, error: &io::Error) -> Error {
    let code = if error.kind() == io::ErrorKind::NotFound { Code::FileNotFound } else { Code::FileUnreadable };
    Error::new(code).target(path.display().to_string()).with("detail", error.to_string())
}
