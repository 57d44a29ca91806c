//! How the client fares against the double at a stated rate and latency.
//!
//!     cargo bench --bench exchange -- [RECIPIENTS]        10,000 if none are given
//!
//! The double runs in a process of its own, so that its memory and its time are not counted. Three parts: all recipients
//! listed at ten pages a second; a run that changes one recipient in twenty at fifty calls a second;
//! a comparison in which nothing changes, for the memory.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use serde_json::{Value, json};
use smimesync::exchange::{Exchange, Selection, SystemSurroundings};
use smimesync::session::{Session, Step, Verb};
use smimesync_tenant::{Recipient, RecipientTypeDetails, RequestEntry, State, Tenant};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const DOMAIN: &str = "contoso.onmicrosoft.com";
const APP: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const SECRET: &str = "open sesame";
/// One in so many is to be changed.
const CHANGED: usize = 20;
/// Pages a second that the double serves, and how long each takes, in milliseconds.
const PAGE_RATE: u32 = 10;
const PAGE_BURST: u32 = 4;
const PAGE_MS: u64 = 50;
/// Calls a second that the double allows for writing, and how long each takes.
const RATE: u32 = 50;
const BURST: u32 = 10;
const WRITE_MS: u64 = 40;

fn address(number: usize) -> String {
    format!("person.number{number}@contoso.com")
}

/// Writes the authority, the directory's export and the values: one certificate for everybody's own address.
fn make(folder: &Path, count: usize) -> Outcome<()> {
    let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256);
    let (root_key, leaf_key) = (key()?, key()?);
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    std::fs::write(folder.join("root.pem"), root.self_signed(&root_key)?.pem())?;
    let issuer = Issuer::from_params(&root, &root_key);
    let mut people = std::io::BufWriter::new(std::fs::File::create(folder.join("people.ldif"))?);
    writeln!(people, "version: 1")?;
    for number in 0..count {
        let mut params = CertificateParams::default();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyAgreement];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
        params.subject_alt_names = vec![SanType::Rfc822Name(address(number).as_str().try_into()?)];
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        let value = BASE64_STANDARD.encode(params.signed_by(&leaf_key, &issuer)?.der());
        let identity = format!("00000000-0000-4000-a000-{number:012}");
        writeln!(people, "\ndn: cn=p{number},dc=x\nobjectClass: inetOrgPerson\nentryUUID: {identity}")?;
        writeln!(people, "mail: {}\nuserCertificate;binary:: {value}", address(number))?;
    }
    Ok(people.flush()?)
}

/// The double's side: recipients who hold what the export says, but for one in twenty, who holds nothing.
fn serve(export: &str) -> Outcome<()> {
    let values = std::fs::read_to_string(export)?;
    let values = values.lines().filter_map(|line| line.strip_prefix("userCertificate;binary:: "));
    let recipients = values.enumerate().map(|(number, value)| Recipient {
        guid: Uuid::from_u128(number as u128 + 1),
        external_directory_object_id: Some(Uuid::from_u128(number as u128 + (1 << 64))),
        recipient_type_details: RecipientTypeDetails::UserMailbox,
        display_name: format!("Person Number {number}"),
        user_principal_name: Some(address(number)),
        primary_smtp_address: address(number),
        email_addresses: vec![format!("SMTP:{}", address(number))],
        is_dir_synced: false,
        is_exchange_cloud_managed: false,
        immutable_id: None,
        user_certificate: if number % CHANGED == 0 {
            Vec::new()
        } else {
            BASE64_STANDARD.decode(value).into_iter().collect()
        },
        user_smime_certificate: Vec::new(),
    });
    let state: State = serde_json::from_value(json!({
        "tenant": { "id": "11111111-2222-4333-8444-555555555555", "domain": DOMAIN },
        "apps": [{ "app_id": APP, "secret": SECRET }],
    }))?;
    let running = Tenant::with_recipients(state, recipients)?.start()?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", running.url())?;
    out.flush()?;
    // until the parent goes
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(())
}

/// The double in its process.
struct Double {
    process: Child,
    host: String,
}

impl Double {
    fn start(export: &Path) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .arg(export)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut url)?;
        let host = url.trim().strip_prefix("http://").ok_or("the double does not serve")?.to_owned();
        Ok(Self { process, host })
    }

    /// Asks the control face.
    fn control(&self, method: &str, action: &str, body: &str) -> Outcome<Value> {
        let mut stream = TcpStream::connect(&self.host)?;
        write!(
            stream,
            "{method} /control/{action} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        )?;
        let answer = std::io::read_to_string(stream)?;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        Ok(if body.is_empty() { Value::Null } else { serde_json::from_str(body)? })
    }

    fn switch(&self, switches: &Value) -> Outcome<()> {
        self.control("POST", "switches", &switches.to_string())?;
        self.control("POST", "reset-log", "")?;
        Ok(())
    }

    fn requests(&self) -> Outcome<Vec<RequestEntry>> {
        let all: Vec<RequestEntry> = serde_json::from_value(self.control("GET", "requests", "")?)?;
        Ok(all.into_iter().filter(|request| request.path.starts_with("/adminapi/")).collect())
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        // it ends with its input, and is not waited for longer than that
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn config(folder: &Path, double: &Double) -> String {
    let url = format!("http://{}", double.host);
    let config = json!({
        "base_dir": folder,
        "directory": { "kind": "ldif", "path": "people.ldif" },
        "exchange": {
            "organization": DOMAIN,
            "auth": { "method": "secret", "app_id": APP, "secret": SECRET },
            "admin_url": url,
            "authority_url": url,
        },
        "trust": { "anchors": ["root.pem"] },
        "revocation": { "mode": "off" },
        "policy": { "at": "2026-06-01T00:00:00Z" },
        "store": { "path": "state.db" },
    });
    config.to_string()
}

/// Runs a verb to its end and counts its rows.
fn run(folder: &Path, double: &Double, verb: Verb) -> Outcome<(usize, Duration)> {
    // everybody, whether or not anything changed in the directory
    let options = json!({ "policy_type": "initial" });
    let begun = Instant::now();
    let session = Session::open(&config(folder, double))?;
    let mut cursor = session.start(verb, &options.to_string())?;
    let mut rows = 0;
    loop {
        match cursor.next(Duration::from_secs(600))? {
            Step::Row => rows += 1,
            Step::Done => return Ok((rows, begun.elapsed())),
            Step::Timeout => return Err("nothing in ten minutes".into()),
        }
        while cursor.event().is_some() {}
    }
}

/// The most memory this process ever had, in MiB, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.map_or("?".to_owned(), |kib| (kib / 1024).to_string())
}

fn is_write(request: &RequestEntry) -> bool {
    request.cmdlet.as_deref().is_some_and(|cmdlet| cmdlet.starts_with("Set-"))
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn listing(folder: &Path, double: &Double, count: usize) -> Outcome<()> {
    double.switch(&json!({ "latency_ms": PAGE_MS, "rate": { "calls_per_second": PAGE_RATE, "burst": PAGE_BURST } }))?;
    let config = smimesync::config::parse(&config(folder, double))?;
    let exchange = config.exchange.as_ref().ok_or("no tenant")?;
    let exchange = Exchange::new(exchange, None, Arc::new(SystemSurroundings))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let begun = Instant::now();
    let rows = runtime.block_on(async {
        let (sink, mut pages) = tokio::sync::mpsc::channel(2);
        let listing = async {
            let sink = sink;
            exchange.list(Selection::default(), &sink).await
        };
        let counting = async {
            let mut rows = 0;
            while let Some(page) = pages.recv().await {
                rows += page.len();
            }
            rows
        };
        let (report, rows) = tokio::join!(listing, counting);
        report.map(|_| rows)
    })?;
    let elapsed = begun.elapsed();
    let requests = double.requests()?;
    // what was saved up before is used, too
    let serving = requests.len().saturating_sub(PAGE_BURST as usize) as f64 / f64::from(PAGE_RATE);
    println!(
        "list     {rows} recipients in {:.1} s, {} requests at {PAGE_RATE} a second are {serving:.1} s: {:.3} times; peak {} MiB",
        elapsed.as_secs_f64(),
        requests.len(),
        elapsed.as_secs_f64() / serving,
        peak()
    );
    assert_eq!(rows, count, "everybody is listed");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn writing(folder: &Path, double: &Double, count: usize) -> Outcome<()> {
    double.switch(&json!({ "latency_ms": WRITE_MS, "rate": { "calls_per_second": RATE, "burst": BURST } }))?;
    run(folder, double, Verb::Sync)?;
    // before the double's record of all requests is in memory, too
    let peak = peak();
    let requests = double.requests()?;
    let writes: Vec<_> = requests.iter().filter(|request| is_write(request)).collect();
    let changed = count.div_ceil(CHANGED);
    let (first, last) = (writes.first().ok_or("no write")?.at_ms, writes.last().ok_or("no write")?.at_ms);
    // what was saved up before the first write may be used, too
    let allowed = (last - first) as f64 / 1000.0 * f64::from(RATE) + f64::from(BURST);
    let alone = requests.iter().filter(|request| !is_write(request) && request.identity.is_some()).count();
    let refused = requests.iter().filter(|request| request.status == Some(429)).count();
    println!(
        "write    {changed} of {count} changed: {:.3} writes each, {:.1} % of the {RATE} calls a second; {} list requests, \
         {alone} readings alone, {refused} refused; peak {peak} MiB",
        writes.len() as f64 / changed as f64,
        writes.len() as f64 / allowed * 100.0,
        requests.len() - writes.len() - alone,
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn comparing(folder: &Path, double: &Double, count: usize) -> Outcome<()> {
    double.switch(&json!({ "latency_ms": null, "rate": null }))?;
    let (rows, elapsed) = run(folder, double, Verb::Compare)?;
    assert!(rows >= count, "everybody is compared");
    println!("compare  {rows} rows in {:.1} s; peak {} MiB", elapsed.as_secs_f64(), peak());
    Ok(())
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, export] = arguments.as_slice()
        && mode == "--serve"
    {
        return serve(export);
    }
    let count = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let folder = tempfile::tempdir()?;
    make(folder.path(), count)?;
    let double = Double::start(&folder.path().join("people.ldif"))?;
    listing(folder.path(), &double, count)?;
    writing(folder.path(), &double, count)?;
    comparing(folder.path(), &double, count)
}
