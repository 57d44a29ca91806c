//! What is read, into an LDIF file (RFC 2849) that is in its place only when all of it was.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Code, Error, Result};
use crate::people::Person;

use super::entry::Entry;
use super::ldif;

/// Bytes that wait to be written.
const BUFFER: usize = 1 << 20;

/// A file that people's entries go into as they are read. It has another name until [`Export::keep`]; dropped before, it
/// is gone.
#[derive(Debug)]
pub struct Export {
    path: PathBuf,
    partial: PathBuf,
    overwrite: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: BufWriter<File>,
    /// Entries of people who were named, until it is known which of them are meant.
    held: Vec<Entry>,
    kept: bool,
}

impl Export {
    /// Begins a file beside the one of this name.
    ///
    /// # Errors
    /// `file_exists` for one that is there and not to be overwritten, `file_unwritable`; the target is the file.
    pub fn create(path: PathBuf, overwrite: bool) -> Result<Self> {
        if !overwrite && path.exists() {
            return Err(exists(&path));
        }
        let mut name = path.file_name().map(OsString::from).ok_or_else(|| {
            unwritable(&path, &io::Error::new(io::ErrorKind::InvalidInput, "the path ends in no file name"))
        })?;
        name.push(format!(".{}.partial", uuid::Uuid::new_v4().simple()));
        let partial = path.with_file_name(name);
        let created = OpenOptions::new().write(true).create_new(true).open(&partial);
        let mut file = BufWriter::with_capacity(BUFFER, created.map_err(|error| unwritable(&path, &error))?);
        let begun = ldif::begin(&mut file);
        let state = Mutex::new(State { file, held: Vec::new(), kept: false });
        let export = Self { path, partial, overwrite, state };
        begun.map_err(|error| unwritable(&export.path, &error))?;
        Ok(export)
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// `file_unwritable`.
    pub(super) fn add(&self, entry: &Entry) -> Result<()> {
        ldif::record(&mut self.state().file, entry).map_err(|error| unwritable(&self.path, &error))
    }

    /// Keeps the entry of somebody who was named in mind.
    pub(super) fn hold(&self, entry: &Entry) {
        self.state().held.push(entry.clone());
    }

    /// Writes the entries held of those who are meant.
    ///
    /// # Errors
    /// `file_unwritable`.
    pub(super) fn add_held(&self, people: &[Person]) -> Result<()> {
        let mut state = self.state();
        let held = std::mem::take(&mut state.held);
        let is_meant = |entry: &&Entry| people.iter().any(|person| person.distinguished_name == entry.dn);
        let mut meant = held.iter().filter(is_meant);
        meant.try_for_each(|entry| ldif::record(&mut state.file, entry)).map_err(|error| unwritable(&self.path, &error))
    }

    /// Puts the file into its place; it is on the disk then.
    ///
    /// # Errors
    /// `file_exists`, `file_unwritable`.
    pub fn keep(&self) -> Result<()> {
        let mut state = self.state();
        let written = state.file.flush().and_then(|()| state.file.get_ref().sync_all());
        written.and_then(|()| self.put_into_place()).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => unwritable(&self.path, &error),
        })?;
        state.kept = true;
        Ok(())
    }

    fn put_into_place(&self) -> io::Result<()> {
        if self.overwrite {
            return fs::rename(&self.partial, &self.path);
        }
        // a link, unlike a name, never takes another file's place
        match fs::hard_link(&self.partial, &self.path) {
            Ok(()) => fs::remove_file(&self.partial),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists || self.path.exists() => {
                Err(io::ErrorKind::AlreadyExists.into())
            }
            // not every file system has links
            Err(_) => rename_to_nobodys(&self.partial, &self.path),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if !self.state().kept {
            // nobody is left to be told
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Renames a file to a name that nobody has: it is taken before it is given.
fn rename_to_nobodys(from: &Path, to: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(to)?;
    fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
}

fn exists(path: &Path) -> Error {
    Error::new(Code::FileExists).target(path.display().to_string())
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::new(Code::FileUnwritable).target(path.display().to_string()).with("detail", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry::new(format!("CN={name}"))
    }

    fn names(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_is_in_its_place_only_when_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.ldif");
        let export = Export::create(path.clone(), false).unwrap();
        export.add(&entry("a")).unwrap();
        assert!(!path.exists() && names(folder.path()).len() == 1);
        drop(export);
        assert_eq!(names(folder.path()).len(), 0, "what was dropped is gone");
        let export = Export::create(path.clone(), false).unwrap();
        export.add(&entry("a")).unwrap();
        export.keep().unwrap();
        drop(export);
        assert_eq!(names(folder.path()), ["people.ldif"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "version: 1\ndn: CN=a\n\n");
    }

    #[test]
    fn nothing_is_overwritten_that_is_not_meant_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.ldif");
        fs::write(&path, "mine").unwrap();
        let error = Export::create(path.clone(), false).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::FileExists, path.to_str()));
        fs::remove_file(&path).unwrap();
        let export = Export::create(path.clone(), false).unwrap();
        fs::write(&path, "came meanwhile").unwrap();
        assert_eq!(export.keep().unwrap_err().code(), Code::FileExists);
        drop(export);
        assert_eq!(fs::read_to_string(&path).unwrap(), "came meanwhile");
        let export = Export::create(path.clone(), true).unwrap();
        export.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "version: 1\n");
        assert_eq!(names(folder.path()), ["people.ldif"]);
    }

    #[test]
    fn without_links_no_other_file_loses_its_place_either() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        fs::write(&to, "mine").unwrap();
        fs::write(&from, "new").unwrap();
        assert_eq!(rename_to_nobodys(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&to).unwrap(), "mine");
        fs::remove_file(&to).unwrap();
        rename_to_nobodys(&from, &to).unwrap();
        assert_eq!((fs::read_to_string(&to).unwrap(), names(folder.path()).len()), ("new".into(), 1));
        assert!(rename_to_nobodys(&from, &folder.path().join("other")).is_err());
        assert_eq!(names(folder.path()), ["to"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("nowhere/people.ldif"), PathBuf::from("/")] {
            let error = Export::create(path.clone(), true).unwrap_err();
            assert_eq!((error.code(), error.get_target()), (Code::FileUnwritable, path.to_str()));
        }
    }
}
