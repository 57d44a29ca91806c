//! How much memory a comparison takes, in processes of their own: it must not be a matter of how many people there are.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use smimesync::session::{Session, Step, Verb};
use smimesync_tenant::{Recipient, RecipientTypeDetails, State, Tenant};
use uuid::Uuid;

/// Tells the process that is measured what to run.
const CONFIGURATION: &str = "SMIMESYNC_TEST_CONFIGURATION";
const VERB: &str = "SMIMESYNC_TEST_VERB";
const DOMAIN: &str = "contoso.onmicrosoft.com";
const APP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const SECRET: &str = "open sesame";
/// What each of everybody's two values takes; a certificate in a container is about as long.
const VALUE_BYTES: usize = 1024;
/// More than are looked at together, and three times as many: the values of the latter alone are 70 MiB.
const FEW: u64 = 4_000;
const MANY: u64 = 12_000;
/// What a person and a recipient may take, with their values and rows. Set aside they take less than 300 bytes; a person
/// with nothing but two values that lay in memory would take more than 8 KiB.
const BYTES_EACH: u64 = 1_500;

fn address(number: u64) -> String {
    format!("person.number{number}@contoso.com")
}

fn value(number: u64, which: u8) -> Vec<u8> {
    let mut value = vec![which; VALUE_BYTES];
    value[..8].copy_from_slice(&number.to_be_bytes());
    value
}

/// Not a test of its own: the process that is measured. It prints how many rows came and the most memory it had, in KiB.
#[test]
fn as_the_process_that_is_measured() {
    let Ok(configuration) = std::env::var(CONFIGURATION) else { return };
    let verb = if std::env::var(VERB).unwrap() == "compare" { Verb::Compare } else { Verb::Coverage };
    let session = Session::open(&configuration).unwrap();
    let mut cursor = session.start(verb, "{}").unwrap();
    let mut rows = 0;
    while let Step::Row = cursor.next(Duration::from_secs(120)).unwrap() {
        rows += 1;
        while cursor.event().is_some() {}
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let out = format!("\nmeasured {rows} {}\n", peak.trim().trim_end_matches(" kB"));
    std::io::Write::write_all(&mut std::io::stdout(), out.as_bytes()).unwrap();
}

/// Rows, and the most memory in KiB, of a verb for so many people in so many directories; everybody and every recipient
/// holds two values.
fn measured(verb: &str, count: u64, directories: u64) -> (u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = vec![String::from("version: 1\n"); usize::try_from(directories).unwrap()];
    for number in 0..count {
        let people = &mut files[usize::try_from(number % directories).unwrap()];
        write!(people, "\ndn: cn=p{number},dc=x\nobjectClass: inetOrgPerson\n").unwrap();
        write!(people, "entryUUID: 00000000-0000-4000-a000-{number:012}\nmail: {}\n", address(number)).unwrap();
        for which in [1, 2] {
            writeln!(people, "userCertificate;binary:: {}", BASE64_STANDARD.encode(value(number, which))).unwrap();
        }
    }
    let named = |(number, people): (usize, &String)| {
        let name = format!("{number}.ldif");
        std::fs::write(folder.path().join(&name), people).unwrap();
        json!({ "kind": "ldif", "path": name })
    };
    let directories: Vec<_> = files.iter().enumerate().map(named).collect();
    let recipients = (0..count).map(|number| Recipient {
        guid: Uuid::from_u128(u128::from(number) + 1),
        external_directory_object_id: None,
        recipient_type_details: RecipientTypeDetails::UserMailbox,
        display_name: format!("Person Number {number}"),
        user_principal_name: Some(address(number)),
        primary_smtp_address: address(number),
        email_addresses: vec![format!("SMTP:{}", address(number))],
        is_dir_synced: false,
        is_exchange_cloud_managed: false,
        immutable_id: None,
        user_certificate: vec![value(number, 1), value(number, 3)],
        user_smime_certificate: Vec::new(),
    });
    let state: State = serde_json::from_value(json!({
        "tenant": { "id": "11111111-2222-4333-8444-555555555555", "domain": DOMAIN },
        "apps": [{ "app_id": APP, "secret": SECRET }],
    }))
    .unwrap();
    let running = Tenant::with_recipients(state, recipients).unwrap().start().unwrap();
    let config = json!({
        "base_dir": folder.path(),
        "directories": directories,
        "exchange": {
            "organization": DOMAIN,
            "auth": { "method": "secret", "app_id": APP, "secret": SECRET },
            "admin_url": running.url(),
            "authority_url": running.url(),
        },
        "revocation": { "mode": "off" },
        "policy": { "at": "2026-06-01T00:00:00Z" },
        "store": { "path": "state.db" },
    });
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "as_the_process_that_is_measured", "--nocapture"])
        .env(CONFIGURATION, config.to_string())
        .env(VERB, verb)
        // arenas for each thread would make it a matter of how threads were scheduled
        .env("MALLOC_ARENA_MAX", "1")
        .env("SQLITE_TMPDIR", folder.path())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let line = out.lines().find_map(|line| line.strip_prefix("measured "));
    assert!(line.is_some(), "{out}");
    let (rows, peak) = line.unwrap().split_once(' ').unwrap();
    (rows.parse().unwrap(), peak.parse().unwrap())
}

#[track_caller]
fn assert_flat(verb: &str, directories: u64, rows_each: u64) {
    let (few, many) = (measured(verb, FEW, directories), measured(verb, MANY, directories));
    assert_eq!((few.0, many.0), (FEW * rows_each, MANY * rows_each));
    let allowed = few.1 + (MANY - FEW) * BYTES_EACH / 1024;
    assert!(many.1 <= allowed, "{} KiB for {FEW}, {} KiB for {MANY}", few.1, many.1);
}

#[test]
fn comparing_takes_no_memory_for_values_verdicts_and_rows() {
    assert_flat("compare", 1, 2);
}

#[test]
fn coverage_takes_none_either() {
    assert_flat("coverage", 1, 1);
}

#[test]
fn several_directories_are_united_without_holding_everybody() {
    assert_flat("compare", 2, 2);
}
