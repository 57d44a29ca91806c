//! A directory as an LDIF file, a tenant, a store: everything a run needs.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use serde_json::json;
use smimesync::certificate::Bundle;
use smimesync::error::{Code, Error};
use smimesync::session::{Row, Session, Step, Value, Verb};
use smimesync_tenant::{Running, Tenant};
use tempfile::TempDir;

const TENANT_ID: &str = "11111111-2222-4333-8444-555555555555";
const APP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const SECRET: &str = "a secret of the scene";

/// An authority, a directory file, a tenant and a store.
pub(crate) struct Scene {
    folder: TempDir,
    root: CertificateParams,
    root_key: KeyPair,
    pub(crate) tenant: Tenant,
    running: Running,
}

/// What came out of a verb.
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) events: Vec<(Code, String)>,
    pub(crate) error: Option<Error>,
}

/// An entry of the directory.
pub(crate) struct Entry<'a> {
    /// Number of its entryUUID.
    pub(crate) number: u32,
    pub(crate) addresses: &'a [&'a str],
    pub(crate) certificates: &'a [Vec<u8>],
    pub(crate) deleted: bool,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

/// The identity of a person or recipient by its number.
pub(crate) fn guid(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

impl Scene {
    /// Mailboxes with these primary addresses, numbered from 1.
    pub(crate) fn new(mailboxes: &[&str]) -> Self {
        Self::with_root_until(mailboxes, 4096)
    }

    /// The same, with an authority that ends with the beginning of a year.
    pub(crate) fn with_root_until(mailboxes: &[&str], year: i32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root_key = key();
        let mut root = CertificateParams::default();
        root.not_after = date_time_ymd(year, 1, 1);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        std::fs::write(folder.path().join("root.pem"), root.self_signed(&root_key).unwrap().pem()).unwrap();
        let recipients: Vec<_> = (1..)
            .zip(mailboxes)
            .map(|(number, address)| {
                json!({
                    "guid": guid(number),
                    "recipient_type_details": "UserMailbox",
                    "display_name": address,
                    "primary_smtp_address": address,
                    "email_addresses": [format!("SMTP:{address}")],
                })
            })
            .collect();
        let state = json!({
            "tenant": { "id": TENANT_ID, "domain": "contoso.onmicrosoft.com" },
            "apps": [{ "app_id": APP, "secret": SECRET }],
            "recipients": recipients,
        });
        let tenant = Tenant::new(serde_json::from_value(state).unwrap()).unwrap();
        let running = tenant.start().unwrap();
        Self { folder, root, root_key, tenant, running }
    }

    /// The authority's own certificate.
    pub(crate) fn root(&self) -> Vec<u8> {
        let text = std::fs::read(self.path("root.pem")).unwrap();
        Bundle::read(&text).certificates[0].der.to_vec()
    }

    /// An authority that nobody needs, until the beginning of a year.
    pub(crate) fn other_root(&self, year: i32) -> Vec<u8> {
        let mut params = self.root.clone();
        params.distinguished_name.push(DnType::CommonName, "Other");
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
        params.self_signed(&key()).unwrap().der().to_vec()
    }

    /// A file of the scene.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts another authority's certificate beside the first one in the file of anchors.
    pub(crate) fn replace_root(&self) {
        let path = self.folder.path().join("root.pem");
        let other = self.root.self_signed(&key()).unwrap().pem();
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + &other).unwrap();
    }

    /// A good certificate for an address.
    pub(crate) fn certificate(&self, address: &str) -> Vec<u8> {
        self.certificate_until(address, date_time_ymd(2027, 1, 1))
    }

    /// A certificate that is good until then.
    pub(crate) fn certificate_until(&self, address: &str, end: time::OffsetDateTime) -> Vec<u8> {
        self.certificate_within(address, date_time_ymd(2026, 1, 1), end)
    }

    /// A certificate that is good from one time to the other.
    pub(crate) fn certificate_within(
        &self,
        address: &str,
        start: time::OffsetDateTime,
        end: time::OffsetDateTime,
    ) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
        params.subject_alt_names = vec![SanType::Rfc822Name(address.try_into().unwrap())];
        (params.not_before, params.not_after) = (start, end);
        let issuer = Issuer::from_params(&self.root, &self.root_key);
        params.signed_by(&key(), &issuer).unwrap().der().to_vec()
    }

    /// Writes the directory.
    pub(crate) fn directory(&self, entries: &[Entry<'_>]) {
        self.export("people.ldif", entries);
    }

    /// Writes a directory to a file of this name.
    pub(crate) fn export(&self, name: &str, entries: &[Entry<'_>]) {
        let mut text = String::from("version: 1\n");
        for Entry { number, addresses, certificates, deleted } in entries {
            write!(text, "\ndn: CN={number},DC=x\nobjectClass: user\nentryUUID: {}\n", guid(*number)).unwrap();
            for address in *addresses {
                writeln!(text, "mail: {address}").unwrap();
            }
            for certificate in *certificates {
                writeln!(text, "userCertificate;binary:: {}", BASE64_STANDARD.encode(certificate)).unwrap();
            }
            if *deleted {
                text.push_str("isDeleted: TRUE\n");
            }
        }
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Has the directory's file end in the middle of a search that failed.
    pub(crate) fn cut(&self) {
        let path = self.folder.path().join("people.ldif");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text + "\nsearch: 2\nresult: 4 Size limit exceeded\n").unwrap();
    }

    /// Runs a verb to its end, in a session of its own.
    pub(crate) fn run(&self, verb: Verb, options: &str) -> Outcome {
        self.run_with(&json!({}), verb, options)
    }

    /// The same with these sections of the configuration instead.
    pub(crate) fn run_with(&self, sections: &serde_json::Value, verb: Verb, options: &str) -> Outcome {
        let session = self.session(sections);
        let mut cursor = session.start(verb, options).unwrap();
        let mut outcome = Outcome { rows: Vec::new(), events: Vec::new(), error: None };
        loop {
            let step = cursor.next(Duration::from_secs(30));
            assert!(!matches!(step, Ok(Step::Timeout)), "nothing in thirty seconds");
            while let Some(event) = cursor.event() {
                outcome.events.push((event.code, event.text.render(session.culture())));
            }
            match step {
                Ok(Step::Row) => outcome.rows.extend(cursor.row().cloned()),
                Ok(Step::Done | Step::Timeout) => return outcome,
                Err(error) => {
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
    }

    /// What is wrong with options, by its place.
    pub(crate) fn refused(&self, verb: Verb, options: &str) -> Option<String> {
        let refused = self.session(&json!({})).start(verb, options).err()?;
        refused.get_target().map(str::to_owned)
    }

    fn session(&self, sections: &serde_json::Value) -> Session {
        let mut config = json!({
            "base_dir": self.folder.path(),
            "directory": { "kind": "ldif", "path": "people.ldif" },
            "exchange": {
                "organization": "contoso.onmicrosoft.com",
                "auth": { "method": "secret", "app_id": APP, "secret": SECRET },
                "admin_url": self.running.url(),
                "authority_url": self.running.url(),
            },
            "trust": { "anchors": ["root.pem"] },
            "revocation": { "mode": "off" },
            "policy": { "at": "2026-06-01T00:00:00Z" },
            "store": { "path": "state.db" },
        });
        for (name, section) in sections.as_object().unwrap() {
            config[name] = section.clone();
        }
        // a section of null is none
        config.as_object_mut().unwrap().retain(|_, section| !section.is_null());
        Session::open(&config.to_string()).unwrap()
    }

    /// The certificates a mailbox holds in `UserCertificate`.
    pub(crate) fn held(&self, number: u32) -> Vec<Vec<u8>> {
        let recipients = self.tenant.state().recipients;
        recipients.into_iter().find(|found| found.guid.to_string() == guid(number)).unwrap().user_certificate
    }

    /// Adds a mailbox.
    pub(crate) fn add_mailbox(&self, number: u32, address: &str) {
        let mut state = self.tenant.state();
        let mut mailbox = state.recipients[0].clone();
        mailbox.guid = guid(number).parse().unwrap();
        mailbox.external_directory_object_id = None;
        mailbox.user_principal_name = None;
        mailbox.primary_smtp_address = address.into();
        mailbox.email_addresses = vec![format!("SMTP:{address}")];
        mailbox.user_certificate = Vec::new();
        state.recipients.push(mailbox);
        self.tenant.set_state(state).unwrap();
    }

    /// Names of the cmdlets of all requests after the first so many.
    pub(crate) fn cmdlets(&self, before: usize) -> Vec<String> {
        self.tenant.requests().into_iter().skip(before).filter_map(|request| request.cmdlet).collect()
    }

    /// Gives a mailbox certificates behind everybody's back.
    pub(crate) fn hold(&self, number: u32, certificates: &[Vec<u8>]) {
        let mut state = self.tenant.state();
        let found = state.recipients.iter_mut().find(|found| found.guid.to_string() == guid(number)).unwrap();
        found.user_certificate = certificates.to_vec();
        self.tenant.set_state(state).unwrap();
    }
}

impl Outcome {
    /// Nothing went wrong.
    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        assert!(self.error.is_none(), "{:?}", self.error);
        self
    }

    /// A column of the rows about `userCertificate` or about a person without a recipient.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let text = |row: &Row, name: &str| match row.get(name) {
            Some(Value::Text(text)) => text.clone(),
            Some(Value::Integer(number)) => number.to_string(),
            _ => String::new(),
        };
        let shown = self.rows.iter().filter(|row| text(row, "attribute") != "userSMIMECertificate");
        shown.map(|row| text(row, name)).collect()
    }
}

/// A person as most are.
pub(crate) fn entry<'a>(number: u32, addresses: &'a [&'a str], certificates: &'a [Vec<u8>]) -> Entry<'a> {
    Entry { number, addresses, certificates, deleted: false }
}
