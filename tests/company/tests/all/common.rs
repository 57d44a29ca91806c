//! What the tests share: companies written to disk, a reader of LDIF that is not the writer's, and the openssl program.

use smimesync_company::certificate::sha256;
use smimesync_company::company::{Company, Options};
use smimesync_company::output;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use time::OffsetDateTime;
use time::macros::datetime;

/// A test's outcome.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// The moment of all test companies.
pub(crate) const AT: OffsetDateTime = datetime!(2026-11-20 00:00 UTC);

/// Where keys are kept between test runs.
pub(crate) fn pool() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("company-pool")
}

/// A company in memory.
pub(crate) fn company(people: usize, seed: u64, name: &str) -> Result<Company, Box<dyn Error>> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scratch-{name}"));
    Ok(Company::make(&Options { people, seed, at: AT, pool: pool() }, &scratch)?)
}

/// A company of 300 people on disk, in a folder of this name.
pub(crate) fn written(name: &str) -> Result<(Company, PathBuf), Box<dyn Error>> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("company-{name}"));
    let company = company(300, 1, name)?;
    output::write(&company, &dir, true)?;
    Ok((company, dir))
}

/// Runs a program.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<Output, Box<dyn Error>> {
    Ok(Command::new(program).args(arguments).output().map_err(|e| format!("{program}: {e}"))?)
}

/// An entry as read: attribute names in lower case, without options.
#[derive(Debug, Default, Clone)]
pub(crate) struct ReadEntry {
    /// DN.
    pub(crate) dn: String,
    /// Values by attribute.
    pub(crate) values: BTreeMap<String, Vec<Vec<u8>>>,
}

impl ReadEntry {
    /// SHA-256 of an attribute's values, sorted.
    pub(crate) fn hashes(&self, attribute: &str) -> Vec<String> {
        let mut hashes: Vec<String> =
            self.values.get(&attribute.to_lowercase()).into_iter().flatten().map(|value| sha256(value)).collect();
        hashes.sort();
        hashes
    }

    /// An attribute's first value as text.
    pub(crate) fn text(&self, attribute: &str) -> Option<String> {
        let value = self.values.get(&attribute.to_lowercase())?.first()?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// Reads LDIF content records.
pub(crate) fn read_ldif(text: &str) -> Result<Vec<ReadEntry>, Box<dyn Error>> {
    use base64::Engine as _;
    let unfolded = text.replace("\n ", "");
    let mut entries = Vec::new();
    for block in unfolded.split("\n\n") {
        let mut entry = ReadEntry::default();
        for line in block.lines().filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "version: 1") {
            let (name, rest) = line.split_once(':').ok_or_else(|| format!("no colon: {line}"))?;
            let value = match rest.strip_prefix(':') {
                Some(encoded) => base64::engine::general_purpose::STANDARD.decode(encoded.trim())?,
                None => rest.trim_start().as_bytes().to_vec(),
            };
            if name == "dn" {
                entry.dn = String::from_utf8(value)?;
            } else {
                let name = name.split(';').next().unwrap_or_default().to_lowercase();
                entry.values.entry(name).or_default().push(value);
            }
        }
        if !entry.dn.is_empty() {
            entries.push(entry);
        }
    }
    Ok(entries)
}
