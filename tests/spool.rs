//! What a run sets aside: it comes back as it went in, and nobody else ever finds it.

#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

use std::sync::Arc;

use smimesync::certificate::{Attribute, Sha256};
use smimesync::people::{Address, Person, PersonKind, RawValue, Recipient, RecipientClass};
use smimesync::planning::{Action, Change, Item};
use smimesync::store::{PersonDigest, SeenPerson, Spool, Tally};
use smimesync::validation::Fitness;

const UC: Attribute = Attribute::UserCertificate;
const US: Attribute = Attribute::UserSmimeCertificate;

fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().map(|text| Address::parse(text).unwrap()).collect()
}

fn person(identity: &str) -> Person {
    Person {
        identity: identity.into(),
        distinguished_name: "CN=Änn,DC=x".into(),
        kind: PersonKind::Contact,
        display_name: Some("Änn".into()),
        user_principal_name: Some(String::new()),
        addresses: addresses(&["Ann@x.test", "a@y.test"]),
        source_anchor: Some("AAA=".into()),
        enabled: Some(false),
        deleted: true,
        parts: vec![(0, identity.into()), (1, "cn=ann".into())],
        values: vec![RawValue::new(UC, *b"one"), RawValue::new(US, *b"")],
        complete: false,
        problems: Vec::new(),
    }
}

fn bare(identity: &str) -> Person {
    Person {
        identity: identity.into(),
        distinguished_name: String::new(),
        kind: PersonKind::User,
        display_name: None,
        user_principal_name: None,
        addresses: Vec::new(),
        source_anchor: None,
        enabled: None,
        deleted: false,
        parts: Vec::new(),
        values: Vec::new(),
        complete: true,
        problems: Vec::new(),
    }
}

fn recipient(identity: &str) -> Recipient {
    Recipient {
        identity: identity.into(),
        class: RecipientClass::MailContact,
        external_directory_object_id: Some("e".into()),
        display_name: Some("d".into()),
        user_principal_name: Some("u".into()),
        addresses: addresses(&["Ann@x.test", "a@y.test"]),
        recipient_type_details: "MailContact".into(),
        is_dir_synced: true,
        is_exchange_cloud_managed: true,
        immutable_id: Some("i".into()),
        user_certificate: Some(vec![Arc::from(*b"one"), Arc::from(*b"")]),
        user_smime_certificate: None,
    }
}

fn item(bytes: &[u8], not_after_ms: Option<i64>, reason: Option<&'static str>) -> Item {
    Item {
        sha256: Sha256::of(bytes),
        thumbprint: reason.map(|_| "AB".into()),
        subject: not_after_ms.map(|_| "CN=x".into()),
        not_after_ms,
        reason: reason.map(Into::into),
    }
}

/// A row that writes; it removes something and adds something.
fn change(number: u32, recipient: &str, attribute: Attribute) -> Change {
    let value = |text: &str| RawValue::new(attribute, text.as_bytes());
    Change {
        number,
        person: Some(format!("person of {recipient}")),
        recipient: Some(recipient.into()),
        directory: Some("ldap://x.test".into()),
        primary_smtp_address: Some("a@x.test".into()),
        attribute: Some(attribute),
        action: Action::Set,
        before: vec![value("old"), value("kept")],
        after: vec![value("kept"), value("new")],
        added: vec![item(b"new", Some(-1), None)],
        removed: vec![item(b"old", None, Some("expired"))],
        losers: vec![item(b"other", Some(i64::MAX), Some("weak")), item(b"x", None, None)],
        reason: Some("expired".into()),
        loses_last: false,
    }
}

fn skipped(number: u32) -> Change {
    Change {
        number,
        person: None,
        recipient: None,
        directory: None,
        primary_smtp_address: None,
        attribute: None,
        action: Action::Skip,
        before: Vec::new(),
        after: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
        losers: Vec::new(),
        reason: None,
        ..change(number, "x", UC)
    }
}

#[test]
fn people_come_back_as_they_went_in() {
    let spool = Spool::new().unwrap();
    let people = [person("b"), bare("a"), bare("B"), bare("a")];
    for (place, person) in (0..).zip(&people) {
        spool.add_person(place, person, &PersonDigest::default()).unwrap();
    }
    for (place, person) in (0..).zip(&people) {
        assert_eq!(spool.person(place).unwrap(), *person);
    }
    let mut met = Vec::new();
    spool
        .each_person(|person| {
            met.push(person);
            Ok(())
        })
        .unwrap();
    let without_values = people.clone().map(|person| Person { values: Vec::new(), ..person });
    assert_eq!(met, without_values);
    // by the bytes of the identity; of two the first one first
    assert_eq!(spool.by_identity().unwrap(), [2, 1, 3, 0]);
    assert_eq!(spool.incomplete_people().unwrap(), ["b"]);
    assert!(spool.person(4).is_err() && spool.add_person(0, &bare("c"), &PersonDigest::default()).is_err());
    spool.forget_people().unwrap();
    assert!(spool.by_identity().unwrap().is_empty() && spool.person(0).is_err());
}

#[test]
fn recipients_come_back_as_they_went_in_or_as_they_were_read_last() {
    let spool = Spool::new().unwrap();
    let other = Recipient {
        class: RecipientClass::Mailbox,
        external_directory_object_id: None,
        display_name: None,
        user_principal_name: None,
        addresses: Vec::new(),
        recipient_type_details: String::new(),
        is_dir_synced: false,
        is_exchange_cloud_managed: false,
        immutable_id: None,
        user_certificate: None,
        user_smime_certificate: Some(Vec::new()),
        ..recipient("s")
    };
    let user = Recipient { class: RecipientClass::MailUser, ..other.clone() };
    let all = [recipient("r"), other.clone(), user];
    for (place, recipient) in (0..).zip(&all) {
        spool.put_recipient(place, recipient, i64::from(place) - 1).unwrap();
    }
    for (place, recipient) in (0..).zip(&all) {
        assert_eq!(spool.recipient(place).unwrap(), Some((recipient.clone(), i64::from(place) - 1)));
        let alone = Recipient { user_certificate: None, user_smime_certificate: None, ..recipient.clone() };
        assert_eq!(spool.recipient_alone(place).unwrap(), Some(alone));
    }
    let again = Recipient { user_certificate: Some(Vec::new()), ..recipient("r") };
    spool.put_recipient(0, &again, 7).unwrap();
    assert_eq!(spool.recipient(0).unwrap(), Some((again, 7)));
    assert_eq!(spool.recipient(3).unwrap(), None);
    spool.forget_recipients().unwrap();
    assert_eq!((spool.recipient(0).unwrap(), spool.recipient_alone(1).unwrap()), (None, None));
}

#[test]
fn rows_come_back_by_number_and_recipients_to_write_by_identity() {
    let spool = Spool::new().unwrap();
    assert_eq!((spool.tally().unwrap(), spool.next_to_write("").unwrap()), (Tally::default(), None));
    let none = Change { action: Action::None, removed: Vec::new(), added: Vec::new(), ..change(2, "b", US) };
    let clear = Change { action: Action::Clear, loses_last: true, ..change(5, "a", UC) };
    let kept_back = Change { action: Action::Skip, ..change(6, "c", UC) };
    let rows = [change(1, "b", UC), none, skipped(3), change(4, "a", US), clear, kept_back];
    for row in &rows {
        spool.add_row(row).unwrap();
    }
    let mut met = Vec::new();
    spool
        .each_row(|row| {
            met.push(row);
            Ok(())
        })
        .unwrap();
    assert_eq!(met, rows);
    assert_eq!(spool.rows_after(0, 2).unwrap(), rows[..2]);
    assert_eq!(spool.rows_after(2, 10).unwrap(), rows[2..]);
    assert!(spool.rows_after(6, 10).unwrap().is_empty());
    let first = spool.next_to_write("").unwrap().unwrap();
    assert_eq!(first, ("a".into(), rows[3..5].to_vec()));
    assert_eq!(spool.next_to_write("a").unwrap().unwrap(), ("b".into(), rows[..1].to_vec()));
    assert_eq!(spool.next_to_write("b").unwrap(), None, "a row that is skipped is not written");
    assert!(spool.is_written("a").unwrap() && !spool.is_written("c").unwrap());
    let tally = Tally { recipients_losing: 2, people_losing_last: 1, recipients_written: 2, writes: 3 };
    assert_eq!(spool.tally().unwrap(), tally);
}

#[test]
fn who_was_seen_comes_back_with_what_the_person_is_made_of() {
    let spool = Spool::new().unwrap();
    spool.add_person(0, &bare("a"), &[7; 16]).unwrap();
    spool.add_person(1, &bare("b"), &[8; 16]).unwrap();
    let whole = SeenPerson {
        identity: "a",
        recipient: Some("r"),
        fitness: Some(Fitness::Undetermined),
        claims: Some("c"),
        digest: Some([7; 16]),
        due_ms: Some(-9),
    };
    let nothing = SeenPerson { identity: "b", digest: Some([8; 16]), ..SeenPerson::default() };
    spool.see(1, &nothing).unwrap();
    spool.see(0, &whole).unwrap();
    let mut met = Vec::new();
    spool
        .each_seen(|seen| {
            met.push(*seen == [whole, nothing][met.len()]);
            Ok(())
        })
        .unwrap();
    assert_eq!(met, [true, true]);
}

/// The file behind a spool that does not fit into its cache.
#[cfg(target_os = "linux")]
mod file {
    use std::os::unix::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use super::*;

    const FOLDER: &str = "SQLITE_TMPDIR";

    /// Files of a process that are below a folder.
    fn open_files(process: u32, folder: &Path) -> Vec<(PathBuf, std::fs::Metadata)> {
        let all = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
        let files = all.filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((std::fs::read_link(&path).ok()?, std::fs::metadata(&path).ok()?))
        });
        files.filter(|(link, _)| link.starts_with(folder)).collect()
    }

    /// Not a test of its own: sets aside more than memory keeps, and waits to be killed.
    #[test]
    fn as_the_process_that_is_killed() {
        let Some(folder) = std::env::var_os(FOLDER) else { return };
        let spool = Spool::new().unwrap();
        let large = RawValue::new(UC, vec![7; 1 << 20]);
        for place in 0..32 {
            let person = Person { values: vec![large.clone()], ..bare("x") };
            spool.add_person(place, &person, &PersonDigest::default()).unwrap();
        }
        assert_eq!(spool.person(0).unwrap().values, [large]);
        assert!(std::fs::read_dir(folder).unwrap().next().is_none());
        std::io::Write::write_all(&mut std::io::stdout(), b"\nready\n").unwrap();
        std::io::stdin().lines().for_each(drop);
        drop(spool);
    }

    #[test]
    fn it_has_no_name_belongs_to_its_owner_alone_and_is_gone_with_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "file::as_the_process_that_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = std::io::BufReader::new(process.stdout.as_mut().unwrap());
        assert!(std::io::BufRead::lines(out).any(|line| line.unwrap().contains("ready")));
        let files = open_files(process.id(), folder.path());
        assert_eq!(files.len(), 1, "{files:?}");
        let (name, file) = &files[0];
        assert!(name.to_string_lossy().ends_with("(deleted)"), "{name:?}");
        assert_eq!((file.mode() & 0o777, file.nlink()), (0o600, 0));
        assert!(file.len() > 16 << 20, "{}", file.len());
        // SIGKILL: nothing in it can tidy up
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}
