//! Locks on files: released when they are dropped, and by the operating system when the process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::error::{Code, Error, Result};

use super::file_error;

/// Words a holder writes are read back up to this length.
const MAX_HOLDER_BYTES: u64 = 200;

/// A lock on a file. The file stays when the lock is gone: removing it would let two processes lock two files.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Locks a file for this handle alone, without waiting; `None` where somebody else has it.
    ///
    /// # Errors
    /// Those of opening and locking.
    pub fn exclusive(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Locks a file together with others who share it; waits for one who has it alone.
    ///
    /// # Errors
    /// Those of opening and locking.
    pub fn shared(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        file.lock_shared()?;
        Ok(Self { file })
    }

    /// Lets others share it from now on.
    ///
    /// # Errors
    /// Those of locking.
    pub fn into_shared(self) -> io::Result<Self> {
        self.file.unlock()?;
        self.file.lock_shared()?;
        Ok(self)
    }
}

/// An exclusive lock whose file names its holder to those who come too late.
#[derive(Debug)]
pub struct HolderLock {
    lock: FileLock,
}

impl HolderLock {
    /// Takes the lock without waiting and writes `holder` into its file.
    ///
    /// # Errors
    /// `store_locked` with the holder's own words where somebody else has it, else what opening the file means.
    pub fn take(path: &Path, holder: &str) -> Result<Self> {
        let taken = FileLock::exclusive(path).map_err(|error| file_error(path, &error))?;
        let Some(mut lock) = taken else {
            // Windows does not let others read what is locked; then the error goes without a name
            let holder = read_holder(path).unwrap_or_default();
            return Err(Error::new(Code::StoreLocked).target(path.display().to_string()).with("holder", holder));
        };
        let named = lock.file.set_len(0).and_then(|()| lock.file.write_all(holder.as_bytes()));
        named.map_err(|error| file_error(path, &error))?;
        Ok(Self { lock })
    }
}

impl Drop for HolderLock {
    fn drop(&mut self) {
        // whoever reads the file later must not take a former holder for a present one; the lock goes in any case
        let _ = self.lock.file.set_len(0);
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn read_holder(path: &Path) -> io::Result<String> {
    let mut holder = Vec::new();
    File::open(path)?.take(MAX_HOLDER_BYTES).read_to_end(&mut holder)?;
    Ok(String::from_utf8_lossy(&holder).into_owned())
}
