//! People in an export, their mailboxes in the double, and sessions over both.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};
use smimesync::error::{Code, Error};
use smimesync::session::{Cursor, Row, Session, Step, Value, Verb};
use smimesync::store::{RunFilter, Store, StoredRun};
use smimesync_tenant::{Fault, FaultKind, Recipient, Running, State, Tenant};
use tempfile::TempDir;

use crate::pki::{AT, Authority};

const DOMAIN: &str = "contoso.onmicrosoft.com";
const APP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const SECRET: &str = "open sesame";

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody in the directory.
#[derive(Clone)]
pub(crate) struct Human {
    number: usize,
    /// Values of `userCertificate`.
    pub(crate) values: Vec<Vec<u8>>,
}

impl Human {
    /// The identity rows name the person by.
    pub(crate) fn identity(&self) -> String {
        format!("00000000-0000-4000-a000-{:012}", self.number)
    }

    /// The Guid of the person's recipient.
    pub(crate) fn recipient(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.number)
    }

    pub(crate) fn address(&self) -> String {
        format!("u{}@contoso.com", self.number)
    }

    fn ldif(&self) -> String {
        let (number, identity, address) = (self.number, self.identity(), self.address());
        let mut text = format!(
            "dn: cn=u{number},dc=x\nobjectClass: inetOrgPerson\ncn: u{number}\nentryUUID: {identity}\nmail: {address}\n"
        );
        for value in &self.values {
            text += &format!("userCertificate;binary:: {}\n", BASE64_STANDARD.encode(value));
        }
        text
    }

    fn mailbox(&self) -> Json {
        json!({
            "guid": self.recipient(),
            "external_directory_object_id": format!("00000000-0000-4000-9000-{:012}", self.number),
            "recipient_type_details": "UserMailbox",
            "display_name": format!("u{}", self.number),
            "user_principal_name": self.address(),
            "primary_smtp_address": self.address(),
            "email_addresses": [format!("SMTP:{}", self.address())],
        })
    }
}

/// Everything a session needs.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) authority: Authority,
    pub(crate) people: Vec<Human>,
    pub(crate) tenant: Tenant,
    running: Running,
}

impl Bench {
    /// So many people with a fit certificate each, which no mailbox holds yet.
    pub(crate) fn new(people: usize) -> Self {
        Self::with_clock(people, SystemTime::now())
    }

    /// Like [`Bench::new`], with a tenant whose clock shows this.
    pub(crate) fn with_clock(people: usize, now: SystemTime) -> Self {
        let (folder, authority) = (TempDir::new().unwrap(), Authority::new());
        let person = |number| {
            let mut human = Human { number, values: Vec::new() };
            human.values.push(authority.issue(&human.address(), 2026, 2030));
            human
        };
        let people: Vec<_> = (1..=people).map(person).collect();
        let state: State = serde_json::from_value(json!({
            "tenant": { "id": "11111111-2222-4333-8444-555555555555", "domain": DOMAIN },
            "apps": [{ "app_id": APP, "secret": SECRET }],
            "recipients": people.iter().map(Human::mailbox).collect::<Vec<_>>(),
        }))
        .unwrap();
        let tenant = Tenant::new_at(state, now).unwrap();
        let running = tenant.start().unwrap();
        std::fs::write(folder.path().join("root.pem"), authority.pem()).unwrap();
        let bench = Self { folder, authority, people, tenant, running };
        bench.export(&bench.people);
        bench
    }

    /// Like [`Bench::new`], and every mailbox holds an expired value that SmimeSync did not write: a run removes them.
    pub(crate) fn with_expired(people: usize) -> Self {
        let bench = Self::new(people);
        for human in &bench.people {
            let expired = bench.authority.issue(&human.address(), 2022, 2024);
            bench.recipient(human, |recipient| recipient.user_certificate = vec![expired]);
        }
        bench
    }

    /// Writes the export.
    pub(crate) fn export(&self, people: &[Human]) {
        let entries: Vec<_> = people.iter().map(Human::ldif).collect();
        std::fs::write(self.path("people.ldif"), format!("version: 1\n\n{}", entries.join("\n"))).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The double's address.
    pub(crate) fn url(&self) -> &str {
        self.running.url()
    }

    /// The configuration with `patch` on top (RFC 7396).
    pub(crate) fn config(&self, patch: &Json) -> String {
        let mut config = json!({
            "base_dir": self.folder.path(),
            "directory": { "kind": "ldif", "path": "people.ldif" },
            "exchange": {
                "organization": DOMAIN,
                "auth": { "method": "secret", "app_id": APP, "secret": SECRET },
                "admin_url": self.url(),
                "authority_url": self.url(),
                "concurrency": 1,
            },
            "trust": { "anchors": ["root.pem"] },
            "revocation": { "mode": "off" },
            "policy": { "at": AT },
            "store": { "path": "state.db" },
        });
        merge(&mut config, patch);
        config.to_string()
    }

    /// A session that must open.
    pub(crate) fn session(&self, patch: &Json) -> Session {
        Session::open(&self.config(patch)).unwrap()
    }

    /// A verb from opening a session to closing it.
    pub(crate) fn run(&self, patch: &Json, verb: Verb, options: &Json) -> Outcome {
        match Session::open(&self.config(patch)) {
            Ok(session) => run(&session, verb, options),
            Err(error) => Outcome { error: Some(error), ..Outcome::default() },
        }
    }

    /// A run that must end well.
    pub(crate) fn sync(&self) -> Outcome {
        let outcome = self.run(&json!({}), Verb::Sync, &json!({}));
        assert!(outcome.error.is_none(), "{:?}", outcome.error);
        outcome
    }

    /// Changes a mailbox behind SmimeSync's back.
    pub(crate) fn recipient(&self, human: &Human, change: impl FnOnce(&mut Recipient)) {
        let mut state = self.tenant.state();
        let found = state.recipients.iter_mut().find(|found| found.guid.to_string() == human.recipient());
        change(found.unwrap());
        self.tenant.set_state(state).unwrap();
    }

    /// What a mailbox holds as `UserCertificate`.
    pub(crate) fn held(&self, human: &Human) -> Vec<Vec<u8>> {
        let recipients = self.tenant.state().recipients;
        recipients.into_iter().find(|found| found.guid.to_string() == human.recipient()).unwrap().user_certificate
    }

    /// Whether a mailbox holds what the directory has.
    pub(crate) fn has_its_values(&self, human: &Human) -> bool {
        self.held(human) == human.values
    }

    /// Puts a fault before the next writes to a mailbox.
    pub(crate) fn fault_on_write(&self, human: Option<&Human>, count: u32, fault: FaultKind) {
        let cmdlet = Some("Set-Mailbox".to_owned());
        let identity = human.map(Human::recipient);
        self.tenant.add_fault(Fault { cmdlet, identity, count, ..Fault::once(fault) }).unwrap();
    }

    /// How many writes arrived.
    pub(crate) fn writes(&self) -> usize {
        let is_write = |cmdlet: &String| cmdlet.starts_with("Set-");
        self.tenant.requests().iter().filter(|request| request.cmdlet.as_ref().is_some_and(is_write)).count()
    }

    /// The store, opened as the next process would.
    pub(crate) fn store(&self) -> Store {
        Store::open(&self.path("state.db"), 0).unwrap()
    }

    /// The last run as the store has it.
    pub(crate) fn last_run(&self) -> Option<StoredRun> {
        self.store().runs(&RunFilter { last: Some(1), ..RunFilter::default() }).unwrap().pop()
    }

    /// Asserts how the last run is on record, and that no write is left open.
    pub(crate) fn assert_recorded(&self, result: &str, code: Option<Code>) {
        let run = self.last_run().unwrap();
        assert_eq!(run.result.map(|result| result.name()), Some(result));
        assert_eq!(run.error.map(|error| error.code), code.map(Code::number));
        assert!(self.store().open_writes().unwrap().is_empty());
    }

    /// An access token of the application.
    pub(crate) fn token(&self) -> String {
        self.tenant.issue_token(APP.parse().unwrap()).unwrap()
    }
}

fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in members {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name], value);
        }
    }
}

/// What a verb gave.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) events: Vec<Code>,
    pub(crate) error: Option<Error>,
}

impl Outcome {
    /// Code, category and target of the error that ended it.
    pub(crate) fn failure(&self) -> (Code, &str, &str) {
        let error = self.error.as_ref().unwrap();
        (error.code(), error.category().name(), error.get_target().unwrap_or_default())
    }

    /// Rows with this result.
    pub(crate) fn with_result(&self, result: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| text(row, "result") == result).collect()
    }

    /// The row of a person that is more than `none`.
    pub(crate) fn of(&self, human: &Human) -> &Row {
        let of_person = |row: &&Row| text(row, "person") == human.identity() && text(row, "action") != "none";
        self.rows.iter().find(of_person).unwrap()
    }
}

/// A column's text; empty for NULL.
pub(crate) fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    match row.get(column) {
        Some(Value::Text(text)) => text,
        Some(Value::Null) => "",
        other => panic!("{column} is {other:?}"),
    }
}

/// The code in a row.
pub(crate) fn error_code(row: &Row) -> Option<Code> {
    match row.get("error_code") {
        Some(Value::Integer(number)) => Code::from_number(i32::try_from(*number).unwrap()),
        _ => None,
    }
}

/// Runs a verb to its end.
pub(crate) fn run(session: &Session, verb: Verb, options: &Json) -> Outcome {
    match session.start(verb, &options.to_string()) {
        Ok(mut cursor) => drain(&mut cursor),
        Err(error) => Outcome { error: Some(error), ..Outcome::default() },
    }
}

/// Takes what is left of a cursor.
pub(crate) fn drain(cursor: &mut Cursor) -> Outcome {
    let mut outcome = Outcome::default();
    loop {
        match cursor.next(PATIENCE) {
            Ok(Step::Row) => outcome.rows.push(cursor.row().unwrap().clone()),
            Ok(Step::Done) => break,
            Ok(Step::Timeout) => panic!("the verb takes too long"),
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        }
    }
    outcome.events.extend(std::iter::from_fn(|| cursor.event()).map(|event| event.code));
    outcome
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}
