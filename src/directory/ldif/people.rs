//! People of an LDIF file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use aws_lc_rs::digest::{Context, SHA256};
use tokio::sync::mpsc::Sender;

use crate::certificate::Sha256;
use crate::config;
use crate::directory::check::{failed, found, passed};
use crate::directory::filter::Filter;
use crate::directory::name::Name;
use crate::directory::person::person;
use crate::directory::selection::{Finder, Next, Repeated, Wanted};
use crate::directory::{
    ChangeReport, Changes, Cursor, Export, Gone, ReadReport, Selection, Since, WhyEverybody, incomplete,
};
use crate::error::{Code, Error, Result};
use crate::net::CheckStep;
use crate::people::Person;
use crate::platform;

use super::reader::{Reader, Record};

/// People that are handed on together, unless their values have more bytes than this.
const AT_A_TIME: usize = 64;
const MAX_WAITING_BYTES: usize = 1 << 20;

/// SHA-256 of a file, by which an unchanged export is recognised before it is parsed.
///
/// # Errors
/// `file_not_found`, `file_unreadable`.
pub fn content_sha256(path: &Path) -> Result<Sha256> {
    let failed = |error: &io::Error| platform::file_error(path, error);
    let mut file = File::open(path).map_err(|error| failed(&error))?;
    let mut hashing = Hashing { input: &mut file, context: Context::new(&SHA256), bytes: 0 };
    io::copy(&mut hashing, &mut io::sink()).map_err(|error| failed(&error))?;
    Ok(hashing.finish())
}

/// Reads the wanted people of a file; blocks.
pub(in crate::directory) fn read(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    export: Option<&Export>,
    sink: &Sender<Person>,
) -> Result<ReadReport> {
    let mut finder = Finder::new(&Wanted::new(config, selection)?, Repeated::Another);
    let mut report = read_with(config, base_dir, selection, &mut finder, Sinks { export, people: sink })?;
    if let [failed] = report.unresolved.as_slice()
        && selection.identities.len() == 1
        && report.complete
    {
        return Err(failed.clone());
    }
    report.complete &= !report.limit_reached;
    if config.changes == config::Changes::None {
        (report.cursor, report.no_cursor) = (None, Some(WhyEverybody::Off));
    }
    Ok(report)
}

/// Reads the file again if it is another one; its people are compared by whoever takes them. Blocks.
pub(in crate::directory) fn read_changes(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    since: &Since,
    sink: &Sender<Person>,
) -> Result<Changes> {
    let Cursor::File { bytes, sha256 } = &since.cursor else {
        return Ok(Changes::Everybody(WhyEverybody::OtherMethod));
    };
    if config.changes == config::Changes::None {
        return Ok(Changes::Everybody(WhyEverybody::Off));
    }
    let path = path(config, base_dir)?;
    let size = std::fs::metadata(&path).map_err(|error| platform::file_error(&path, &error))?.len();
    let unchanged = size == *bytes && content_sha256(&path)?.as_bytes() == sha256;
    if unchanged && since.besides.is_empty() {
        let read = ReadReport {
            complete: true,
            content_sha256: Some(Sha256::from(*sha256)),
            cursor: Some(since.cursor.clone()),
            ..ReadReport::default()
        };
        let gone = Gone::Named(Vec::new());
        return Ok(Changes::Read(Box::new(ChangeReport {
            read,
            gone,
            unseen: Vec::new(),
            deletions_show: true,
            reread: Vec::new(),
        })));
    }
    let mut finder = Finder::new(&Wanted::new(config, selection)?, Repeated::Another);
    let mut read = read_with(config, base_dir, selection, &mut finder, Sinks { export: None, people: sink })?;
    read.complete &= !read.limit_reached;
    read.unresolved.clear();
    let gone = match selection == &Selection::default() {
        true => Gone::AllBut(finder.into_seen()),
        false => Gone::Named(Vec::new()),
    };
    Ok(Changes::Read(Box::new(ChangeReport {
        read,
        gone,
        unseen: Vec::new(),
        deletions_show: true,
        reread: Vec::new(),
    })))
}

fn read_with(
    config: &config::Directory,
    base_dir: Option<&Path>,
    selection: &Selection,
    finder: &mut Finder,
    sinks: Sinks<'_>,
) -> Result<ReadReport> {
    let wanted = Wanted::new(config, selection)?;
    let path = path(config, base_dir)?;
    let file = File::open(&path).map_err(|error| platform::file_error(&path, &error))?;
    let named =
        |error: Error| if error.get_target().is_none() { error.target(path.display().to_string()) } else { error };
    let mut hashing = Hashing { input: file, context: Context::new(&SHA256), bytes: 0 };
    let mut report = ReadReport::default();
    let mut people = Outgoing::new(sinks.people);
    let ended = entries(&mut hashing, config, &wanted, finder, (sinks.export, &mut people));
    people.flush()?;
    match ended {
        Ok(end) => {
            report.complete = matches!(end, End::Complete);
            match end {
                End::Complete => {
                    let bytes = hashing.bytes;
                    let sha256 = hashing.finish();
                    report.content_sha256 = Some(sha256);
                    report.cursor = Some(Cursor::File { bytes, sha256: *sha256.as_bytes() });
                }
                End::Limit => {}
                End::Incomplete(reason) => report.incomplete_reason = Some(named(reason)),
            }
        }
        Err(error) if finder.delivered() == 0 => return Err(named(error)),
        Err(error) if matches!(error.code(), Code::Cancelled | Code::FileUnwritable) => return Err(named(error)),
        Err(error) => report.incomplete_reason = Some(incomplete(named(error))),
    }
    let found = finder.finish();
    if let Some(export) = sinks.export {
        export.add_held(&found.people)?;
    }
    for person in found.people {
        people.send(person)?;
    }
    people.flush()?;
    report.people = finder.delivered();
    report.limit_reached = finder.limit_reached();
    report.unresolved = found.unresolved;
    Ok(report)
}

/// Where people go, and the file their entries go into where one is wanted.
#[derive(Clone, Copy)]
struct Sinks<'a> {
    export: Option<&'a Export>,
    people: &'a Sender<Person>,
}

/// How reading a file ended.
enum End {
    Complete,
    Limit,
    Incomplete(Error),
}

fn entries(
    input: &mut impl Read,
    config: &config::Directory,
    wanted: &Wanted,
    finder: &mut Finder,
    (export, people): (Option<&Export>, &mut Outgoing<'_>),
) -> Result<End> {
    let filters = wanted.filters.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>>>()?;
    let mut reader = Reader::new(input);
    let mut end = End::Complete;
    while let Some(record) = reader.next()? {
        let (entry, line) = match record {
            Record::Entry { entry, line } => (entry, line),
            Record::SearchResult { code: 0, .. } => continue,
            // the file is what a search that failed left behind
            Record::SearchResult { code, words } => {
                let detail = format!("result {code} {words}");
                end = End::Incomplete(Error::new(Code::DirectoryIncomplete).with("detail", detail));
                continue;
            }
        };
        let name = Name::parse(&entry.dn).ok_or_else(|| {
            Error::new(Code::LdifSyntax)
                .with("line", line.to_string())
                .with("detail", "a DN that RFC 4514 does not know")
        })?;
        if !wanted.covers(&name) || !filters.iter().all(|filter| filter.matches(&entry)) {
            continue;
        }
        let Some(person) = person(&entry, config.source_anchor.as_deref()) else { continue };
        match finder.take(person, &name) {
            Next::Deliver(person) => {
                if let Some(export) = export {
                    export.add(&entry)?;
                }
                people.send(*person)?;
            }
            Next::Named => {
                if let Some(export) = export {
                    export.hold(&entry);
                }
            }
            Next::Continue => {}
            Next::Full => return Ok(End::Limit),
        }
    }
    Ok(end)
}

/// People on their way to whoever takes them, some at a time: to wake that one up costs more than to read a person.
struct Outgoing<'a> {
    sink: &'a Sender<Person>,
    waiting: Vec<Person>,
    bytes: usize,
}

impl<'a> Outgoing<'a> {
    fn new(sink: &'a Sender<Person>) -> Self {
        Self { sink, waiting: Vec::with_capacity(AT_A_TIME), bytes: 0 }
    }

    fn send(&mut self, person: Person) -> Result<()> {
        self.bytes += person.values.iter().map(|value| value.bytes.len()).sum::<usize>();
        self.waiting.push(person);
        if self.waiting.len() == AT_A_TIME || self.bytes >= MAX_WAITING_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.bytes = 0;
        for person in self.waiting.drain(..) {
            self.sink.blocking_send(person).map_err(|_| Error::new(Code::Cancelled))?;
        }
        Ok(())
    }
}

fn path(config: &config::Directory, base_dir: Option<&Path>) -> Result<PathBuf> {
    let path = config.path.as_ref().ok_or_else(|| Error::new(Code::ConfigMissing).target("/directory/path"))?;
    Ok(base_dir.map_or_else(|| path.clone(), |base| base.join(path)))
}

/// Whether the file can be opened, read to its end, and holds people with certificates; blocks.
pub(in crate::directory) fn check(config: &config::Directory, base_dir: Option<&Path>) -> Vec<CheckStep> {
    let started = Instant::now();
    let opened = path(config, base_dir).and_then(|path| match File::open(&path) {
        Ok(file) => Ok((path, file)),
        Err(error) => Err(platform::file_error(&path, &error)),
    });
    let (path, file) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let target = error.get_target().unwrap_or_default().to_owned();
            return vec![
                failed("open", target.clone(), started, error, "directory_file"),
                CheckStep::skipped("search").at(target),
            ];
        }
    };
    let target = path.display().to_string();
    let open = passed("open", target.clone(), started, None);
    let started = Instant::now();
    let search = match count(file, config) {
        Ok((people, certificates)) => found(target, started, people, certificates),
        Err(error) => failed("search", target, started, error, "directory_file"),
    };
    vec![open, search]
}

fn count(file: File, config: &config::Directory) -> Result<(u64, u64)> {
    let wanted = Wanted::new(config, &Selection::default())?;
    let filters = wanted.filters.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>>>()?;
    let mut reader = Reader::new(file);
    let (mut people, mut with_certificates) = (0, 0);
    while let Some(record) = reader.next()? {
        let Record::Entry { entry, .. } = record else { continue };
        let covered = Name::parse(&entry.dn).is_some_and(|name| wanted.covers(&name));
        if covered
            && filters.iter().all(|filter| filter.matches(&entry))
            && let Some(person) = person(&entry, None)
        {
            people += 1;
            with_certificates += u64::from(!person.values.is_empty());
        }
    }
    Ok((people, with_certificates))
}

/// Passes bytes on and digests them.
struct Hashing<R> {
    input: R,
    context: Context,
    bytes: u64,
}

impl<R> Hashing<R> {
    fn finish(self) -> Sha256 {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.context.finish().as_ref());
        Sha256::from(digest)
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.context.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}
