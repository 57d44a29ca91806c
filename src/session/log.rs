//! The log file: one line per event, rolled by size. Lines are made from the same texts people read, so they hold no secret.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::{self, LogLevel};
use crate::error::{Error, Result};
use crate::platform;
use crate::text::{Culture, Text};

/// Where events are logged; nowhere without a file.
#[derive(Clone)]
pub(super) struct Log(Option<Arc<Mutex<Rolling>>>);

struct Rolling {
    level: LogLevel,
    path: PathBuf,
    max_bytes: u64,
    files: u32,
    file: File,
    written: u64,
}

impl Log {
    /// Opens the log file.
    ///
    /// # Errors
    /// `file_not_found`, `file_unreadable`; the target is the file.
    pub(super) fn open(config: &config::Config) -> Result<Self> {
        let Some(name) = &config.log.file else { return Ok(Self(None)) };
        let path = config.path(name);
        let file = append(&path).map_err(|error| platform::file_error(&path, &error))?;
        let written = file.metadata().map_or(0, |metadata| metadata.len());
        let log = &config.log;
        let rolling = Rolling { level: log.level, path, max_bytes: log.max_bytes, files: log.files, file, written };
        Ok(Self(Some(Arc::new(Mutex::new(rolling)))))
    }

    /// Writes a line, with the ids by which the service finds the request of an error. A log that cannot be written
    /// stops nothing.
    pub(super) fn write(&self, level: LogLevel, code: i32, text: &Text, error: Option<&Error>) {
        let Some(log) = &self.0 else { return };
        let Ok(mut log) = log.lock() else { return };
        if level > log.level {
            return;
        }
        let now = OffsetDateTime::now_utc();
        let time = now.replace_microsecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
        let about = error.map(about).unwrap_or_default();
        let line = format!("{time} {level:?} {code} {}{about}\n", text.render(Culture::English));
        log.roll(line.len());
        if log.file.write_all(line.as_bytes()).is_ok() {
            log.written += line.len() as u64;
        }
    }
}

impl Rolling {
    fn roll(&mut self, more: usize) {
        if self.written == 0 || self.written + more as u64 <= self.max_bytes {
            return;
        }
        let numbered = |number: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..self.files.saturating_sub(1)).rev() {
            let _ = std::fs::rename(numbered(number), numbered(number + 1));
        }
        let _ =
            if self.files > 1 { std::fs::rename(&self.path, numbered(1)) } else { std::fs::remove_file(&self.path) };
        if let Ok(file) = append(&self.path) {
            self.file = file;
            self.written = 0;
        }
    }
}

/// What an error is about, and the ids of its request and connection.
fn about(error: &Error) -> String {
    let parts = [
        ("target", error.get_target()),
        ("request", error.get_request_id()),
        ("connection", error.get_connection_id()),
    ];
    // a service's words must not make a line of their own
    let plain = |text: &str| text.replace(char::is_control, " ");
    parts.iter().filter_map(|(name, value)| Some(format!(" {name}={}", plain((*value)?)))).collect()
}

fn append(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
