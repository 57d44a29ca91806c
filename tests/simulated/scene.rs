//! Ten people in an export and fifteen recipients, of whom some hold what they should and some do not.

use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use smimesync::config::{self, Config, LogLevel};
use smimesync::error::{Code, Error};
use smimesync::exchange::Surroundings;
use smimesync::planning::Change;
use smimesync::store::ChangeResult;
use smimesync::sync::{Observer, Phase, Told};
use smimesync_tenant::{State, Switches};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::chance::Chance;
use crate::pki::{AT, Authority};

pub(crate) const DOMAIN: &str = "contoso.onmicrosoft.com";
const APP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const SECRET: &str = "open sesame";
/// What the recipients are; the first ten belong to people.
const CLASSES: [&str; 15] = [
    "UserMailbox",
    "UserMailbox",
    "SharedMailbox",
    "UserMailbox",
    "RoomMailbox",
    "UserMailbox",
    "MailUser",
    "GuestMailUser",
    "MailContact",
    "MailContact",
    "UserMailbox",
    "UserMailbox",
    "MailUser",
    "MailContact",
    "UserMailbox",
];

/// The moment simulated time begins.
pub(crate) fn begin() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000)
}

fn address(number: usize) -> String {
    format!("u{number}@contoso.com")
}

/// The files of a run, and the tenant as it is before.
pub(crate) struct Scene {
    _folder: TempDir,
    pub(crate) config: Config,
    state: State,
}

impl Scene {
    /// The scene of this file's first line.
    pub(crate) fn new() -> Self {
        let authority = Authority::new();
        let good = |number| authority.issue(&address(number), 2026, 2030);
        let expired = |number| authority.issue(&address(number), 2022, 2024);
        let values = |number| {
            let own = good(number);
            match number {
                2 | 10 => (vec![own.clone()], vec![own]),
                3 | 8 => (vec![own], vec![expired(number)]),
                4 => (vec![own], vec![good(number), expired(number)]),
                5 => (Vec::new(), vec![expired(number)]),
                7 => (vec![own, good(number)], Vec::new()),
                11.. => (Vec::new(), vec![own]),
                _ => (vec![own], Vec::new()),
            }
        };
        Self::with(&authority, &CLASSES, 10, values)
    }

    /// So many people with a mailbox that holds nothing yet.
    pub(crate) fn of_mailboxes(count: usize) -> Self {
        let authority = Authority::new();
        let values = |number| (vec![authority.issue(&address(number), 2026, 2030)], Vec::new());
        Self::with(&authority, &vec!["UserMailbox"; count], count, values)
    }

    /// Recipients of these types, of whom the first so many belong to people; the values are those of the directory and
    /// of the tenant.
    fn with(
        authority: &Authority,
        types: &[&str],
        count: usize,
        values: impl Fn(usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut people, mut recipients) = ("version: 1\n".to_owned(), Vec::new());
        for (number, class) in (1..).zip(types) {
            let (in_directory, held) = values(number);
            if number <= count {
                let identity = format!("00000000-0000-4000-a000-{number:012}");
                write!(people, "\ndn: cn=u{number},dc=x\nobjectClass: inetOrgPerson\nentryUUID: {identity}\n").unwrap();
                writeln!(people, "mail: {}", address(number)).unwrap();
                for value in &in_directory {
                    writeln!(people, "userCertificate;binary:: {}", BASE64_STANDARD.encode(value)).unwrap();
                }
            }
            recipients.push(json!({
                "guid": format!("00000000-0000-4000-8000-{number:012}"),
                "external_directory_object_id": format!("00000000-0000-4000-9000-{number:012}"),
                "recipient_type_details": class,
                "display_name": format!("u{number}"),
                "primary_smtp_address": address(number),
                "email_addresses": [format!("SMTP:{}", address(number))],
                "is_dir_synced": count < types.len() && number == 6,
                "user_certificate": held.iter().map(|value| BASE64_STANDARD.encode(value)).collect::<Vec<_>>(),
            }));
        }
        std::fs::write(folder.path().join("people.ldif"), people).unwrap();
        std::fs::write(folder.path().join("root.pem"), authority.pem()).unwrap();
        let state = json!({
            "tenant": { "id": "11111111-2222-4333-8444-555555555555", "domain": DOMAIN },
            "apps": [{ "app_id": APP, "secret": SECRET }],
            "recipients": recipients,
        });
        let guard = json!({
            "max_removals_percent": 100, "max_people_losing_last_percent": 100,
        });
        let config = json!({
            "base_dir": folder.path(),
            "directory": { "kind": "ldif", "path": "people.ldif" },
            "exchange": { "organization": DOMAIN, "auth": { "method": "secret", "app_id": APP, "secret": SECRET } },
            "trust": { "anchors": ["root.pem"] },
            "revocation": { "mode": "off" },
            "policy": { "at": AT },
            "guard": guard,
        });
        let config = config::parse(&config.to_string()).unwrap();
        Self { _folder: folder, config, state: serde_json::from_value(state).unwrap() }
    }

    /// The tenant before the first run, with these switches.
    pub(crate) fn state(&self, switches: Switches) -> State {
        State { switches, ..self.state.clone() }
    }
}

/// Simulated time, and chance from a seed.
#[derive(Debug)]
pub(crate) struct Simulated {
    begun: Instant,
    chance: Mutex<Chance>,
}

impl Simulated {
    pub(crate) fn new(chance: Chance) -> Self {
        Self { begun: Instant::now(), chance: Mutex::new(chance) }
    }
}

impl Surroundings for Simulated {
    fn now_ms(&self) -> i64 {
        let now = begin() + self.begun.elapsed();
        i64::try_from(now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap()
    }

    fn sleep(&self, milliseconds: u64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(Duration::from_millis(milliseconds)))
    }

    fn random_below(&self, bound: u64) -> u64 {
        self.chance.lock().unwrap().below(bound)
    }
}

/// Counts what failed.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    failed: AtomicU64,
}

impl Counting {
    pub(crate) fn failures(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Observer for Counting {
    fn begin(&self, _: Phase, _: usize) {}

    fn step(&self) {}

    fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn cancelled(&self) -> Told<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn event(&self, _: LogLevel, _: Code, _: Vec<(&'static str, String)>) -> Told<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn row<'a>(&'a self, _: i64, _: &'a Change, _: Option<ChangeResult>, _: Option<&'a Error>) -> Told<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}
