//! Compares what a host printed, and what the tenant holds, with what was expected: one line for each difference.

use crate::certificate::sha256;
use crate::error::{Error, Result};
use crate::expected::{Expected, ExpectedChange, ExpectedPerson, ExpectedRecipient, Holding, Reasoned, Row};
use crate::observed::ObservedRow;
use crate::person::Attribute;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// What is compared with what.
#[derive(Debug, Clone)]
pub struct Options {
    /// `expected-*.json`.
    pub expected: PathBuf,
    /// JSON lines of `compare` or `sync`.
    pub rows: PathBuf,
    /// The tenant's saved state.
    pub tenant: Option<PathBuf>,
    /// The run came after a complete one and after one person's certificate had changed.
    pub after_change: bool,
    /// The run only looked: the tenant must be as it was before.
    pub unchanged: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// One line each.
    pub differences: Vec<String>,
    /// People found in the rows.
    pub people: usize,
    /// Rows compared.
    pub rows: usize,
    /// Rows of accounts that are not the company's, such as a domain's own; all of them skipped.
    pub others: usize,
    /// Recipients compared.
    pub recipients: usize,
}

impl Report {
    /// The closing line.
    pub fn summary(&self) -> String {
        format!(
            "{} people, {} rows ({} of other accounts), {} recipients compared: {} differences",
            self.people,
            self.rows,
            self.others,
            self.recipients,
            self.differences.len()
        )
    }
}

/// Compares.
///
/// # Errors
/// A file cannot be read or is not what it should be. Differences are no error.
pub fn verify(options: &Options) -> Result<Report> {
    let mut expected: Expected = read_json(&options.expected)?;
    let mut held: HashMap<String, Holding> = expected
        .recipients
        .iter()
        .map(|r| (r.guid.clone(), if options.unchanged { r.before.clone() } else { r.after.clone() }))
        .collect();
    if options.after_change {
        let change: ExpectedChange = read_json(&options.expected.with_file_name("expected-change.json"))?;
        if options.unchanged {
            held = expected.recipients.iter().map(|r| (r.guid.clone(), r.after.clone())).collect();
        } else {
            held.insert(change.recipient.clone(), change.after.clone());
        }
        settle(&mut expected.people, &change);
    }
    let mut report = Report::default();
    compare_rows(&expected.people, &ObservedRow::read(&options.rows)?, options.after_change, &mut report);
    if let Some(path) = &options.tenant {
        compare_tenant(&expected.recipients, &held, &read_json(path)?, &mut report)?;
    }
    Ok(report)
}

/// Turns the rows of a first run into those of a second: what was written is right now, what was skipped is skipped again.
fn settle(people: &mut [ExpectedPerson], change: &ExpectedChange) {
    for person in people {
        if person.key == change.key {
            person.rows.clone_from(&change.rows);
            continue;
        }
        for row in person.rows.iter_mut().filter(|row| row.action != "skip") {
            row.action = "none".to_owned();
            row.reason = None;
            row.before.clone_from(&row.after);
            row.added.clear();
            row.removed.clear();
        }
    }
}

/// `partial`: a delta looks only at what changed, so rows that would say `none` or `skip` may be absent.
fn compare_rows(people: &[ExpectedPerson], rows: &[ObservedRow], partial: bool, report: &mut Report) {
    let mut index: HashMap<String, usize> = HashMap::new();
    for (i, person) in people.iter().enumerate() {
        let names = [Some(&person.identity), Some(&person.distinguished_name), person.recipient.as_ref()];
        for name in names.into_iter().flatten() {
            index.insert(normal(name), i);
        }
    }
    let mut found: BTreeMap<usize, Vec<&ObservedRow>> = BTreeMap::new();
    for row in rows {
        let by_person = row.person.as_ref().and_then(|name| index.get(&normal(name)));
        match by_person.or_else(|| row.recipient.as_ref().and_then(|name| index.get(&normal(name)))) {
            Some(i) => found.entry(*i).or_default().push(row),
            None => stranger(row, report),
        }
    }
    for (i, person) in people.iter().enumerate() {
        let observed = found.get(&i).map(Vec::as_slice).unwrap_or_default();
        report.people += usize::from(!observed.is_empty());
        compare_person(person, observed, partial, report);
    }
}

/// A domain has accounts of its own: they may appear, but nothing may be done for them.
fn stranger(row: &ObservedRow, report: &mut Report) {
    report.others += 1;
    let harmless = row.action == "skip" && row.recipient.is_none();
    if !harmless || !matches!(row.reason.as_deref(), Some("no_address" | "no_recipient")) {
        report.differences.push(format!(
            "{}: unexpected row: {} {}",
            row.person.as_deref().unwrap_or("nobody"),
            row.action,
            row.reason.as_deref().unwrap_or_default()
        ));
    }
}

fn compare_person(person: &ExpectedPerson, observed: &[&ObservedRow], partial: bool, report: &mut Report) {
    let label = |attribute: Option<Attribute>| {
        let recipe = serde_json::to_value(person.recipe).unwrap_or_default();
        format!(
            "{} [{}] {}",
            person.key,
            recipe.as_str().unwrap_or_default(),
            attribute.map_or("person", Attribute::name)
        )
    };
    for expected in &person.rows {
        let mut same = observed.iter().filter(|row| row.attribute == expected.attribute);
        let Some(row) = same.next() else {
            if !(partial && matches!(expected.action.as_str(), "none" | "skip")) {
                report.differences.push(format!("{}: no row, expected {}", label(expected.attribute), expected.action));
            }
            continue;
        };
        if same.next().is_some() {
            report.differences.push(format!("{}: more than one row", label(expected.attribute)));
        }
        report.rows += 1;
        for difference in compare_row(person, expected, row) {
            report.differences.push(format!("{}: {difference}", label(expected.attribute)));
        }
    }
    for row in observed.iter().filter(|row| person.rows.iter().all(|expected| expected.attribute != row.attribute)) {
        report.differences.push(format!("{}: unexpected row: {}", label(row.attribute), row.action));
    }
}

fn compare_row(person: &ExpectedPerson, expected: &Row, row: &ObservedRow) -> Vec<String> {
    let mut out = Vec::new();
    let mut text = |what: &str, observed: Option<&str>, wanted: Option<&str>| {
        if observed != wanted {
            out.push(format!("{what} {}, expected {}", observed.unwrap_or("null"), wanted.unwrap_or("null")));
        }
    };
    text("action", Some(&row.action), Some(&expected.action));
    text("reason", row.reason.as_deref(), expected.reason.as_deref());
    let recipient = row.recipient.as_deref().map(normal);
    text("recipient", recipient.as_deref(), person.recipient.as_deref());
    // a person without a recipient has no values to compare
    if expected.attribute.is_some() {
        let observed = |list| ObservedRow::sorted_hashes(list);
        hashes(&mut out, "before", &observed(row.before.as_ref()), &expected.before);
        hashes(&mut out, "after", &observed(row.after.as_ref()), &expected.after);
        let added: Vec<String> =
            ObservedRow::sorted_values(row.added.as_ref()).into_iter().map(|value| value.sha256).collect();
        hashes(&mut out, "added", &added, &expected.added);
        reasons(&mut out, "removed", &ObservedRow::sorted_values(row.removed.as_ref()), &expected.removed);
        reasons(&mut out, "losers", &ObservedRow::sorted_values(row.losers.as_ref()), &expected.losers);
    }
    let writes = matches!(expected.action.as_str(), "set" | "clear");
    match row.result.as_deref() {
        Some("failed") => out.push("the write failed".to_owned()),
        Some("skipped") if writes => out.push("result skipped, expected a write".to_owned()),
        Some("applied") if expected.action == "skip" => out.push("result applied, expected skipped".to_owned()),
        _ => {}
    }
    if let Some(code) = &row.error_code {
        out.push(format!("error {code}: {}", row.error.as_deref().unwrap_or_default()));
    }
    out
}

fn hashes(out: &mut Vec<String>, what: &str, observed: &[String], expected: &[String]) {
    if observed != expected {
        let short = |list: &[String]| list.iter().map(|hash| head(hash)).collect::<Vec<_>>().join(" ");
        out.push(format!("{what} [{}], expected [{}]", short(observed), short(expected)));
    }
}

fn reasons(out: &mut Vec<String>, what: &str, observed: &[Reasoned], expected: &[Reasoned]) {
    if observed != expected {
        let short = |list: &[Reasoned]| {
            list.iter().map(|value| format!("{}:{}", head(&value.sha256), value.reason)).collect::<Vec<_>>().join(" ")
        };
        out.push(format!("{what} [{}], expected [{}]", short(observed), short(expected)));
    }
}

/// Enough of a hash to find it in the expected file.
fn head(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Identities are compared without regard to case and to the braces some programs put around a GUID.
fn normal(identity: &str) -> String {
    identity.trim_matches(['{', '}']).to_lowercase()
}

#[derive(Deserialize)]
struct State {
    recipients: Vec<StateRecipient>,
}

#[derive(Deserialize)]
struct StateRecipient {
    guid: String,
    user_certificate: Vec<String>,
    user_smime_certificate: Vec<String>,
}

fn compare_tenant(
    recipients: &[ExpectedRecipient],
    held: &HashMap<String, Holding>,
    state: &State,
    report: &mut Report,
) -> Result<()> {
    let mut observed: HashMap<String, &StateRecipient> =
        state.recipients.iter().map(|r| (normal(&r.guid), r)).collect();
    for recipient in recipients {
        report.recipients += 1;
        let Some(found) = observed.remove(&normal(&recipient.guid)) else {
            report.differences.push(format!("{}: recipient is gone", recipient.primary_smtp_address));
            continue;
        };
        for (attribute, values) in [
            (Attribute::UserCertificate, &found.user_certificate),
            (Attribute::UserSmimeCertificate, &found.user_smime_certificate),
        ] {
            let wanted =
                held.get(&recipient.guid).and_then(|holding| holding.get(&attribute)).cloned().unwrap_or_default();
            let mut out = Vec::new();
            hashes(&mut out, "holds", &value_hashes(values)?, &wanted);
            report.differences.extend(
                out.into_iter().map(|line| {
                    format!("{} {} in the tenant: {line}", recipient.primary_smtp_address, attribute.name())
                }),
            );
        }
    }
    report.differences.extend(observed.into_keys().map(|guid| format!("{guid}: recipient that was never made")));
    Ok(())
}

fn value_hashes(values: &[String]) -> Result<Vec<String>> {
    let mut hashes = values
        .iter()
        .map(|text| {
            let bytes = STANDARD.decode(text).map_err(|e| Error::Other(format!("value in the tenant's state: {e}")))?;
            Ok(sha256(&bytes))
        })
        .collect::<Result<Vec<_>>>()?;
    hashes.sort();
    Ok(hashes)
}

/// Reads a JSON file.
///
/// # Errors
/// It cannot be read, or is not of this form.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read(path).map_err(Error::io(path))?;
    serde_json::from_slice(&text).map_err(Error::json(path))
}
