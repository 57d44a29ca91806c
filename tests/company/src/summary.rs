//! The numbers of a run in a short table.

use crate::error::Result;
use crate::expected::Expected;
use crate::observed::ObservedRow;
use crate::person::Fitness;
use crate::verify::read_json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// People and certificates are the company's; published and left behind are what the rows say.
///
/// # Errors
/// A file cannot be read.
pub fn table(expected: &Path, rows: &Path) -> Result<String> {
    let expected: Expected = read_json(expected)?;
    let rows = ObservedRow::read(rows)?;
    let values = || expected.people.iter().flat_map(|person| &person.values);
    let fit = values().filter(|value| value.encrypt == Fitness::Fit || value.sign == Fitness::Fit).count();
    let written = |row: &&ObservedRow| row.action != "skip";
    let mut out = String::new();
    line(&mut out, "people", expected.people.len());
    line(&mut out, "certificates in the directory", values().count());
    line(&mut out, "fit", fit);
    line(&mut out, "published", rows.iter().filter(written).filter_map(|row| row.after.as_ref()).map(Vec::len).sum());
    let removed = rows.iter().filter(written).map(|row| ObservedRow::sorted_values(row.removed.as_ref()));
    group(&mut out, "removed from Exchange", removed.flatten().map(|value| value.reason));
    let losers = rows.iter().map(|row| ObservedRow::sorted_values(row.losers.as_ref()));
    group(&mut out, "left behind", losers.flatten().map(|value| value.reason));
    let skipped = rows.iter().filter(|row| row.action == "skip");
    group(&mut out, "rows skipped", skipped.map(|row| row.reason.clone().unwrap_or_default()));
    Ok(out)
}

fn group(out: &mut String, title: &str, reasons: impl Iterator<Item = String>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    line(out, title, counts.values().sum());
    for (reason, count) in counts {
        line(out, &format!("  {reason}"), count);
    }
}

fn line(out: &mut String, title: &str, count: usize) {
    // writing to a String cannot fail
    let _ = writeln!(out, "{title:<32}{count:>8}");
}
