//! The verb `check` for servers: each one's name, port, TLS, bind, what a search shows, and the rights to read attributes,
//! changes and deleted objects.

use std::path::Path;
use std::time::Instant;

use rustls::pki_types::CertificateDer;

use crate::certificate::Certificate;
use crate::config::{self, BindMethod};
use crate::directory::Selection;
use crate::directory::check::{failed, found, passed};
use crate::directory::selection::{Finder, Repeated, Wanted};
use crate::directory::{Cursor, WhyEverybody};
use crate::error::{Code, Error, Result};
use crate::net::ldap::Transport;
use crate::net::{CheckResult, CheckStep};
use crate::text::{Culture, Text};

use super::changes;
use super::connect::{self, Connection, Protection, Server, Settings};
use super::failure;
use super::people::{Questions, Reading, base_missing};
use super::search::Search;

/// The steps in their order.
const STEPS: [&str; 8] = ["name", "connect", "tls", "bind", "search", "attributes", "changes", "deleted"];

/// Tries every configured server.
pub(super) async fn check(config: &config::Directory, base_dir: Option<&Path>) -> Vec<CheckStep> {
    let started = Instant::now();
    let prepared = async {
        let wanted = super::wanted(config, &Selection::default())?;
        let servers = connect::servers(config).await?;
        let settings = Settings::new(config, base_dir, &servers)?;
        Ok::<_, Error>((wanted, servers, settings))
    };
    let (wanted, servers, settings) = match prepared.await {
        Ok(prepared) => prepared,
        Err(error) => {
            let target = error.get_target().unwrap_or_default().to_owned();
            // files of authorities are TLS's, all else is needed before the first step
            let (tried, remedy) = match error.code() {
                Code::DirectoryCertificate | Code::ConfigSecretExposed => (3, "directory_bind_external"),
                Code::FileNotFound | Code::FileUnreadable | Code::TrustUnreadable => (2, "directory_tls"),
                Code::DirectoryFilter => (0, "directory_nobody"),
                _ if target.starts_with("/directory/base") => (0, "directory_base"),
                _ => (0, "directory_name"),
            };
            let mut steps: Vec<_> =
                STEPS[..tried].iter().map(|step| CheckStep::skipped(step).at(target.clone())).collect();
            steps.push(failed(STEPS[tried], target.clone(), started, error, remedy));
            return with_skipped(steps, &target);
        }
    };
    let mut steps = Vec::new();
    for server in &servers {
        let mut tried = Vec::new();
        one(config, &wanted, server, &settings, &mut tried).await;
        steps.extend(with_skipped(tried, &server.url));
    }
    steps
}

/// What was tried, followed by what was not.
fn with_skipped(mut tried: Vec<CheckStep>, target: &str) -> Vec<CheckStep> {
    tried.extend(STEPS[tried.len()..].iter().map(|step| CheckStep::skipped(step).at(target.to_owned())));
    tried
}

async fn one(
    config: &config::Directory,
    wanted: &Wanted,
    server: &Server,
    settings: &Settings,
    steps: &mut Vec<CheckStep>,
) {
    // notes how a step ended and passes on what it yielded
    macro_rules! step {
        ($name:expr, $work:expr, $remedy:expr) => {{
            let started = Instant::now();
            match $work {
                Ok(value) => {
                    steps.push(passed($name, server.url.clone(), started, None));
                    value
                }
                Err(error) => {
                    steps.push(failed($name, server.url.clone(), started, error, $remedy));
                    return;
                }
            }
        }};
    }
    let addresses = step!(STEPS[0], server.resolve(settings).await, "directory_name");
    let stream = step!(STEPS[1], server.connect(&addresses, settings).await, "directory_connect");
    let started = Instant::now();
    let (secured, chain) = secured(server, stream, settings).await;
    let stream = match secured {
        Ok(stream) => stream,
        Err(error) => {
            let detail = sent(&chain).map(|chain| {
                Text::new("check", "directory_chain_refused", vec![("reason", error.to_string()), ("chain", chain)])
            });
            steps.push(CheckStep { detail, ..failed(STEPS[2], server.url.clone(), started, error, "directory_tls") });
            return;
        }
    };
    steps.push(match server.protection {
        Protection::Plain | Protection::Local => CheckStep::skipped(STEPS[2]).at(server.url.clone()),
        Protection::StartTls | Protection::Ldaps => {
            let detail = sent(&chain).map(|chain| Text::new("check", "directory_chain", vec![("chain", chain)]));
            passed(STEPS[2], server.url.clone(), started, detail)
        }
    });
    let started = Instant::now();
    if let Err(error) = connect::credentials_allowed(&config.bind, server) {
        let remedy = match error.code() {
            Code::DirectoryPlaintext => "directory_plaintext",
            _ => bind_remedy(config),
        };
        steps.push(failed(STEPS[3], server.url.clone(), started, error, remedy));
        return;
    }
    let mut connection = step!(STEPS[3], server.sign_in(stream, &config.bind, settings).await, bind_remedy(config));
    let started = Instant::now();
    let seen = match look(&mut connection, config, wanted).await {
        Ok(seen) => seen,
        Err(error) => {
            let remedy = match error.code() {
                Code::ConfigValue | Code::DirectoryDenied => "directory_base",
                _ => "directory_search",
            };
            steps.push(failed(STEPS[4], server.url.clone(), started, error, remedy));
            return;
        }
    };
    steps.push(seen.step(server.url.clone(), started));
    if seen.people == 0 {
        return;
    }
    steps.push(seen.attributes_step(server.url.clone(), started));
    let started = Instant::now();
    let changes = changes_step(&mut connection, config, wanted, server, started).await;
    let read = changes.result == CheckResult::Pass;
    steps.push(changes);
    if read {
        let started = Instant::now();
        steps.push(match changes::shows_deletions(&mut connection, wanted).await {
            Ok(None) => CheckStep::skipped(STEPS[7]).at(server.url.clone()),
            Ok(Some(true)) => passed(STEPS[7], server.url.clone(), started, None),
            Ok(Some(false)) => CheckStep {
                remedy: Some(Text::plain("check", "directory_deleted")),
                ..passed(STEPS[7], server.url.clone(), started, Some(Text::plain("check", "directory_deleted_none")))
            },
            Err(error) => failed(STEPS[7], server.url.clone(), started, error, "directory_deleted"),
        });
    }
    connection.close().await;
}

/// What mends a bind that was refused.
fn bind_remedy(config: &config::Directory) -> &'static str {
    match config.bind.method {
        BindMethod::External => "directory_bind_external",
        BindMethod::Simple | BindMethod::Gssapi | BindMethod::Anonymous => "directory_bind",
    }
}

/// The step `changes`: by what means the account can read them.
async fn changes_step(
    connection: &mut Connection,
    config: &config::Directory,
    wanted: &Wanted,
    server: &Server,
    started: Instant,
) -> CheckStep {
    let mut finder = Finder::new(wanted, Repeated::Same);
    // nobody is read
    let (sink, _) = tokio::sync::mpsc::channel(1);
    let mut reading = Reading {
        config,
        wanted,
        bases_selected: false,
        finder: &mut finder,
        export: None,
        sink: &sink,
        referrals: 0,
        is_selected: false,
        newest: None,
        members: None,
    };
    let name = match changes::begin(connection, &mut reading).await {
        Ok(Ok(Cursor::Dirsync { object_security: false, .. })) => "directory_changes_dirsync",
        Ok(Ok(Cursor::Dirsync { .. })) => "directory_changes_dirsync_own",
        Ok(Ok(Cursor::Usn { .. })) => "directory_changes_usn",
        Ok(Ok(Cursor::Syncrepl { .. })) => "directory_changes_syncrepl",
        Ok(Ok(_)) => "directory_changes_timestamps",
        Ok(Err(why @ (WhyEverybody::Denied | WhyEverybody::Unsupported)))
            if !matches!(config.changes, config::Changes::Auto) =>
        {
            let error = Error::new(Code::ConfigValue)
                .target("/directory/changes")
                .with("detail", why.text().render(Culture::default()));
            return failed(STEPS[6], server.url.clone(), started, error, "directory_changes");
        }
        Ok(Err(why)) => {
            let detail = Some(why.text());
            return CheckStep { detail, ..CheckStep::skipped(STEPS[6]).at(server.url.clone()) };
        }
        Err(error) => return failed(STEPS[6], server.url.clone(), started, error, "directory_changes"),
    };
    passed(STEPS[6], server.url.clone(), started, Some(Text::plain("check", name)))
}

/// The connection with TLS as configured, and the certificates the server sent for it, accepted or not.
async fn secured(
    server: &Server,
    stream: Transport,
    settings: &Settings,
) -> (Result<Transport>, Vec<CertificateDer<'static>>) {
    if !server.protection.is_tls() {
        return (Ok(stream), Vec::new());
    }
    match settings.witnessed_tls() {
        Ok((tls, witness)) => (server.secure_by(stream, tls, settings).await, witness.chain()),
        Err(error) => (Err(error), Vec::new()),
    }
}

/// The certificates a server sent, in words, its own first; `None` where it sent none.
fn sent(chain: &[CertificateDer<'_>]) -> Option<String> {
    let words = |der: &CertificateDer<'_>| match Certificate::parse(der) {
        Ok(certificate) => {
            let Certificate { subject, issuer, not_after_ms, .. } = &certificate;
            let until = time::OffsetDateTime::from_unix_timestamp(not_after_ms / 1000);
            let until = until.map_or_else(|_| not_after_ms.to_string(), |until| until.date().to_string());
            format!("{subject} (issued by {issuer}, until {until})")
        }
        Err(_) => "an unreadable certificate".to_owned(),
    };
    Some(chain.iter().map(words).collect::<Vec<_>>().join("; ")).filter(|words| !words.is_empty())
}

/// What a look at the first page of people showed.
#[derive(Debug, Default)]
struct Seen {
    people: u64,
    with_certificates: u64,
    more: bool,
    /// Attributes that somebody has, and those nobody has.
    present: Vec<&'static str>,
    absent: Vec<&'static str>,
}

impl Seen {
    fn step(&self, target: String, started: Instant) -> CheckStep {
        let mut step = found(target, started, self.people, self.with_certificates);
        if self.more {
            let counts =
                vec![("people", self.people.to_string()), ("certificates", self.with_certificates.to_string())];
            step.detail = Some(Text::new("check", "directory_found_more", counts));
        }
        step
    }

    /// The step `attributes`: who has no address, or no identity but a name, cannot be matched and cannot be followed.
    /// Servers leave out what may not be read, so an attribute nobody has may be one nobody has.
    fn attributes_step(&self, target: String, started: Instant) -> CheckStep {
        let has = |names: &[&str]| names.iter().any(|name| self.present.contains(name));
        let names = |list: &[&str]| list.join(", ");
        let words = vec![("present", names(&self.present)), ("absent", names(&self.absent))];
        let detail = match self.absent.is_empty() {
            true => Text::new("check", "directory_attributes", words),
            false => Text::new("check", "directory_attributes_absent", words),
        };
        let step = passed(STEPS[5], target, started, Some(detail));
        let remedy = (!self.absent.is_empty()).then(|| Text::plain("check", "directory_attributes_remedy"));
        let result = match has(&ADDRESSES) && has(&IDENTITIES) {
            true => CheckResult::Pass,
            false => CheckResult::Fail,
        };
        CheckStep { result, remedy, ..step }
    }
}

/// Attributes of which somebody should have each: of Active Directory, and of a standard server.
const EXPECTED: [&[&str]; 2] = [
    &[
        "objectGUID",
        "displayName",
        "userPrincipalName",
        "mail",
        "proxyAddresses",
        "userAccountControl",
        "userCertificate",
        "userSMIMECertificate",
    ],
    &["entryUUID", "displayName", "cn", "mail", "userCertificate", "userSMIMECertificate"],
];
/// Attributes of which one at least is needed to match people, and to know them again.
const ADDRESSES: [&str; 4] = ["mail", "proxyAddresses", "targetAddress", "userPrincipalName"];
const IDENTITIES: [&str; 2] = ["objectGUID", "entryUUID"];

/// Looks at up to a page of people of each base, and for somebody with what none of these has.
async fn look(connection: &mut Connection, config: &config::Directory, wanted: &Wanted) -> Result<Seen> {
    const ENOUGH: u64 = 1000;
    let questions = Questions::new(connection, config, wanted).await?;
    let expected = EXPECTED[usize::from(!questions.active_directory())];
    let mut seen = Seen::default();
    for base in &wanted.bases {
        let mut search = questions.all(&base.text);
        let mut people = 0;
        while let Some(entry) = next(&mut search, connection, || base_missing(base, false)).await? {
            if people == ENOUGH {
                seen.more = true;
                break;
            }
            people += 1;
            seen.with_certificates += u64::from(entry.has("userCertificate") || entry.has("userSMIMECertificate"));
            seen.present.extend(expected.iter().copied().filter(|name| entry.has(name)));
            seen.present.sort_unstable();
            seen.present.dedup();
        }
        seen.people += people;
        for name in expected.iter().copied().filter(|_| people > 0) {
            if !seen.present.contains(&name) && questions.having(&base.text, name).next(connection).await?.is_some() {
                seen.with_certificates += u64::from(name.starts_with("user") && name.ends_with("Certificate"));
                seen.present.push(name);
            }
        }
    }
    seen.absent = expected.iter().copied().filter(|name| !seen.present.contains(name)).collect();
    Ok(seen)
}

async fn next(
    search: &mut Search,
    connection: &mut Connection,
    missing: impl FnOnce() -> Error,
) -> Result<Option<crate::directory::entry::Entry>> {
    let found = search.next(connection).await;
    found.map_err(|error| if search.result == failure::NO_SUCH_OBJECT { missing() } else { error })
}
