//! The command line.

use crate::company::Options;
use crate::error::{Error, Result};
use crate::recipe::{Recipe, by_name};
use crate::verify;
use std::path::PathBuf;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What `--help` prints.
pub const USAGE: &str = "\
smimesync-company make --people N --seed N --out DIR --pool DIR [--at RFC3339]
smimesync-company verify --expected FILE --rows FILE [--tenant STATE.json] [--after-change] [--unchanged]
smimesync-company summary --expected FILE --rows FILE
smimesync-company find --expected FILE --recipe NAME

make     writes a company of N people: directories, tenant, PKI and the expected outcomes
verify   compares the JSON lines of compare or sync (and a tenant's saved state) with the expected outcomes; 1 = differs
         --after-change: the run after one person's certificate changed; --unchanged: a run that only looked
summary  prints the numbers of a run in a short table
find     prints the first person of a recipe: identity, primary address and what is special about them, a line each";

const FLAGS: [&str; 2] = ["--after-change", "--unchanged"];

/// A command with its options.
#[derive(Debug)]
pub enum Command {
    /// Print the usage.
    Help,
    /// Make a company.
    Make {
        /// From what.
        options: Options,
        /// Into which folder.
        out: PathBuf,
        /// `--at` was given: the configuration gets it as well.
        fixed_time: bool,
    },
    /// Compare a run with what was expected.
    Verify(verify::Options),
    /// Print a run's numbers.
    Summary {
        /// `expected-*.json`.
        expected: PathBuf,
        /// JSON lines of the run.
        rows: PathBuf,
    },
    /// Find a person by the way they were made.
    Find {
        /// `expected-*.json`.
        expected: PathBuf,
        /// How they were made.
        recipe: Recipe,
    },
}

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// An option is unknown, lacks its value, or its value is not of its type.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let verb = arguments.next().unwrap_or_default();
        let mut given = Given(Vec::new());
        while let Some(name) = arguments.next() {
            let value = if FLAGS.contains(&name.as_str()) { Some(String::new()) } else { arguments.next() };
            let value = value.ok_or_else(|| Error::Other(format!("{name} needs a value")))?;
            given.0.push((name, value));
        }
        let command = match verb.as_str() {
            "" | "help" | "--help" | "-h" => Self::Help,
            "make" => {
                let at = given.take("--at").map(|text| parse_time(&text)).transpose()?;
                Self::Make {
                    fixed_time: at.is_some(),
                    options: Options {
                        people: given.number("--people", 300)? as usize,
                        seed: given.number("--seed", 1)?,
                        at: at.unwrap_or_else(this_hour),
                        pool: given.path("--pool")?,
                    },
                    out: given.path("--out")?,
                }
            }
            "verify" => Self::Verify(verify::Options {
                expected: given.path("--expected")?,
                rows: given.path("--rows")?,
                tenant: given.take("--tenant").map(PathBuf::from),
                after_change: given.take("--after-change").is_some(),
                unchanged: given.take("--unchanged").is_some(),
            }),
            "summary" => Self::Summary { expected: given.path("--expected")?, rows: given.path("--rows")? },
            "find" => {
                let name = given.take("--recipe").unwrap_or_default();
                let recipe = by_name(&name).ok_or_else(|| Error::Other(format!("no such recipe: {name}")))?;
                Self::Find { expected: given.path("--expected")?, recipe }
            }
            other => return Err(Error::Other(format!("no such command: {other}"))),
        };
        match given.0.first() {
            Some((name, _)) => Err(Error::Other(format!("unknown option: {name}"))),
            None => Ok(command),
        }
    }
}

struct Given(Vec<(String, String)>);

impl Given {
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| given == name)?;
        Some(self.0.remove(at).1)
    }

    fn path(&mut self, name: &str) -> Result<PathBuf> {
        self.take(name).map(PathBuf::from).ok_or_else(|| Error::Other(format!("{name} is missing")))
    }

    fn number(&mut self, name: &str, default: u64) -> Result<u64> {
        match self.take(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Error::Other(format!("{name}: not a number: {text}"))),
        }
    }
}

fn parse_time(text: &str) -> Result<OffsetDateTime> {
    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|e| Error::Other(format!("--at {text}: {e}")))?;
    Ok(at.to_offset(time::UtcOffset::UTC).truncate_to_second())
}

/// The current hour: a company made twice in a few minutes is the same one.
fn this_hour() -> OffsetDateTime {
    OffsetDateTime::now_utc().truncate_to_hour()
}
