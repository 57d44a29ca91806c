//! What a run is about to take out of the directory, saved as files with a list.

use std::fs::{File, OpenOptions, create_dir_all};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::certificate::{Attribute, Container, SmimeValue};
use crate::error::{Code, Error, Result};
use crate::people::RawValue;
use crate::planning::{Change, Item};

/// The name of the list.
const LIST: &str = "removed.csv";

/// A folder that removed values are saved to.
pub(super) struct Backup {
    folder: PathBuf,
}

impl Backup {
    /// A folder, which need not exist yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Saves what these changes remove below a folder of the run's own; when this returns, it is on the disk.
    ///
    /// # Errors
    /// `backup_failed`; nothing may be removed then.
    pub(super) fn save(&self, run: i64, changes: &[&Change]) -> Result<()> {
        if changes.iter().all(|change| change.removed.is_empty()) {
            return Ok(());
        }
        let folder = self.folder.join(format!("run-{run}"));
        let failed = |error: io::Error| {
            Error::new(Code::BackupFailed).target(folder.display().to_string()).with("detail", error.to_string())
        };
        save(&folder, changes).map_err(failed)
    }
}

fn save(folder: &Path, changes: &[&Change]) -> io::Result<()> {
    create_dir_all(folder)?;
    let mut list = create(&folder.join(LIST))?;
    line(
        &mut list,
        &[
            "person",
            "directory",
            "distinguished_name",
            "attribute",
            "sha256",
            "thumbprint",
            "subject",
            "reason",
            "file",
        ],
    )?;
    for change in changes {
        for item in &change.removed {
            let Some(value) = change.before.iter().find(|value| value.sha256 == item.sha256) else { continue };
            let file = name(value);
            match create(&folder.join(&file)) {
                Ok(mut out) => {
                    out.write_all(&value.bytes)?;
                    out.sync_all()?;
                }
                // the same bytes stood at somebody else's entry, too
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
            of_item(&mut list, change, item, &file)?;
        }
    }
    list.sync_all()
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// A certificate opens in Windows by its ending, a container does not.
fn name(value: &RawValue) -> String {
    let ending = match SmimeValue::parse(Arc::clone(&value.bytes)).container {
        Container::None => "cer",
        Container::Cms => "p7b",
        Container::Tlv => "bin",
    };
    format!("{}.{ending}", value.sha256)
}

fn of_item(list: &mut File, change: &Change, item: &Item, file: &str) -> io::Result<()> {
    line(
        list,
        &[
            change.person.as_deref().unwrap_or_default(),
            change.directory.as_deref().unwrap_or_default(),
            change.recipient.as_deref().unwrap_or_default(),
            change.attribute.map_or("", Attribute::name),
            &item.sha256.to_string(),
            item.thumbprint.as_deref().unwrap_or_default(),
            item.subject.as_deref().unwrap_or_default(),
            item.reason.as_deref().unwrap_or_default(),
            file,
        ],
    )
}

/// A line by RFC 4180. What a spreadsheet would take for a formula gets an apostrophe, as names come from the directory.
fn line(list: &mut File, fields: &[&str]) -> io::Result<()> {
    let quoted = fields.iter().map(|field| {
        let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        format!("\"{guard}{}\"", field.replace('"', "\"\""))
    });
    list.write_all((quoted.collect::<Vec<_>>().join(",") + "\r\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::{Action, skip_unresolved};

    #[test]
    fn what_goes_is_saved_before_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let value = RawValue::new(Attribute::UserCertificate, b"bytes".as_slice());
        let item = |subject: &str| Item {
            sha256: value.sha256,
            thumbprint: None,
            subject: Some(subject.into()),
            not_after_ms: None,
            reason: Some("expired".into()),
        };
        let change = |subject| Change {
            attribute: Some(Attribute::UserCertificate),
            action: Action::Clear,
            before: vec![value.clone()],
            removed: vec![item(subject)],
            ..skip_unresolved("a", "unfit")
        };
        let (one, two) = (change("CN=\"x\""), change("=cmd()"));
        let backup = Backup::new(folder.path().to_path_buf());
        backup.save(7, &[&one, &two]).unwrap();
        let saved = folder.path().join("run-7");
        assert_eq!(std::fs::read(saved.join(name(&value))).unwrap(), b"bytes");
        let list = std::fs::read_to_string(saved.join(LIST)).unwrap();
        assert_eq!(list.lines().count(), 3);
        assert!(list.contains("\"CN=\"\"x\"\"\"") && list.contains("\"'=cmd()\""), "{list}");
        assert_eq!(backup.save(7, &[&one]).unwrap_err().code(), Code::BackupFailed);
    }
}
