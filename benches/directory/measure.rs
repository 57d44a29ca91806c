//! A read in a process of its own, so that its memory is its own.

use std::process::Command;
use std::time::Instant;

use smimesync::config::{Bind, BindMethod, Directory, DirectoryKind, Secret};
use smimesync::directory::{Changes, Cursor, ReadReport, Selection, Since, read, read_changes, read_everybody};
use smimesync::people::Person;

/// What a read gave and took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    pub(crate) people: u64,
    pub(crate) values: u64,
    pub(crate) bytes: u64,
    /// By the clock.
    pub(crate) seconds: f64,
    /// Of processors.
    pub(crate) cpu_seconds: f64,
    /// Most memory at a time (VmHWM).
    pub(crate) kib: u64,
}

/// Where people are.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) base: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Place {
    /// An LDIF file.
    pub(crate) fn file(path: &str) -> Self {
        Self { url: path.into(), base: String::new(), user: String::new(), password: String::new() }
    }

    fn config(&self) -> Directory {
        if self.user.is_empty() {
            return Directory {
                kind: DirectoryKind::Ldif,
                path: Some(self.url.clone().into()),
                ..Directory::default()
            };
        }
        Directory {
            urls: vec![self.url.clone()],
            base: Some(self.base.clone()),
            bind: Bind {
                method: BindMethod::Simple,
                user: Some(self.user.clone()),
                password: Some(Secret::new(self.password.clone())),
                allow_plaintext: true,
                ..Bind::default()
            },
            timeout_ms: Some(600_000),
            ..Directory::default()
        }
    }

    /// Everybody, read by a child process.
    pub(crate) fn full(&self) -> Figures {
        let own = std::env::current_exe().unwrap();
        let output = Command::new(own).args(["--child", &self.url, &self.base, &self.user, &self.password]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut numbers = text.split_whitespace().map(|number| number.parse::<f64>().unwrap());
        let mut next = || numbers.next().unwrap();
        Figures {
            people: next() as u64,
            values: next() as u64,
            bytes: next() as u64,
            seconds: next(),
            cpu_seconds: next(),
            kib: next() as u64,
        }
    }

    /// The cursor a sync would take before it reads everybody.
    pub(crate) fn mark(&self) -> Cursor {
        let (report, _) = collect(|sink| async move { read_everybody(&self.config(), None, sink).await });
        report.unwrap().cursor.unwrap()
    }

    /// What changed since then: people, seconds, and the next cursor.
    pub(crate) fn delta(&self, cursor: Cursor) -> (u64, f64, Cursor) {
        let since = Since { cursor, besides: Vec::new() };
        let begun = Instant::now();
        let (changes, figures) = collect(|sink| {
            let since = since.clone();
            async move { read_changes(&self.config(), None, &Selection::default(), &since, sink).await }
        });
        let seconds = begun.elapsed().as_secs_f64();
        let Changes::Read(report) = changes.unwrap() else { panic!("everybody has to be read") };
        assert!(report.read.complete);
        (figures.people, seconds, report.read.cursor.unwrap())
    }
}

fn collect<T, F: Future<Output = T>>(reading: impl FnOnce(tokio::sync::mpsc::Sender<Person>) -> F) -> (T, Figures) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (sink, mut source) = tokio::sync::mpsc::channel::<Person>(64);
        let counting = async {
            let mut figures = Figures::default();
            while let Some(person) = source.recv().await {
                figures.people += 1;
                figures.values += person.values.len() as u64;
                figures.bytes += person.values.iter().map(|value| value.bytes.len() as u64).sum::<u64>();
            }
            figures
        };
        tokio::join!(reading(sink), counting)
    })
}

/// What the child process does, if this is one.
pub(crate) fn is_child() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [child, url, base, user, password] = arguments.as_slice() else { return false };
    if child != "--child" {
        return false;
    }
    let place = Place { url: url.clone(), base: base.clone(), user: user.clone(), password: password.clone() };
    let begun = Instant::now();
    let (report, figures): (smimesync::error::Result<ReadReport>, _) =
        collect(|sink| async move { read(&place.config(), None, &Selection::default(), sink).await });
    let seconds = begun.elapsed().as_secs_f64();
    assert!(report.unwrap().complete);
    let (cpu_seconds, kib) = (cpu_seconds(), memory());
    println!("{} {} {} {seconds} {cpu_seconds} {kib}", figures.people, figures.values, figures.bytes);
    true
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, in hundredths of a second on every Linux there is
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
