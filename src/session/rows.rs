//! Nouns into rows: what the columns of several verbs are made of.

use crate::certificate::{Attribute, Certificate, SmimeValue};
use crate::error::Error;
use crate::people::RawValue;
use crate::planning::{Change, Item};
use crate::text::{Culture, Text};
use crate::validation::{Finding, Verdict};

use super::columns::{CERTIFICATE, Column, FINDING, ITEM, VALUE};
use super::row::Row;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A certificate's columns; for a value that holds none, its attribute and digest alone.
pub(super) fn certificate(
    value: Option<(Option<Attribute>, &SmimeValue)>,
    certificate: Option<&Certificate>,
    at_ms: i64,
) -> Row {
    let mut row = Row::new(CERTIFICATE);
    if let Some((attribute, value)) = value {
        row = row
            .set("attribute", attribute.map(Attribute::name))
            .set("value_sha256", value.sha256.to_string())
            .set("container", value.container.name());
    }
    let Some(certificate) = certificate else { return row };
    row.set("sha256", certificate.sha256.to_string())
        .set("thumbprint", certificate.thumbprint.clone())
        .set("subject", certificate.subject.clone())
        .set("issuer", certificate.issuer.clone())
        .set("serial", certificate.serial.clone())
        .time("not_before", certificate.not_before_ms)
        .time("not_after", certificate.not_after_ms)
        .set("days_left", (certificate.not_after_ms - at_ms).div_euclid(DAY_MS))
        .set("emails", certificate.emails.clone())
        .set("key", certificate.key.clone())
        .set("signature", certificate.signature.clone())
        .set("usages", certificate.usages.clone())
        .set("der", std::sync::Arc::clone(&certificate.der))
}

/// One row per certificate of a value; one without certificate columns where it holds none that can be read.
pub(super) fn certificates(attribute: Option<Attribute>, value: &SmimeValue, at_ms: i64) -> Vec<Row> {
    let held = Some((attribute, value));
    if value.certificates.is_empty() {
        return vec![certificate(held, None, at_ms)];
    }
    value.certificates.iter().map(|found| certificate(held, Some(found), at_ms)).collect()
}

/// A verdict's columns of the verb `validate`.
pub(super) fn verdict(row: Row, verdict: &Verdict, culture: Culture) -> Row {
    let findings: Vec<_> = verdict.findings.iter().map(|found| finding(found, culture)).collect();
    row.set("path_valid", verdict.path_valid)
        .set("encrypt", verdict.encrypt.name())
        .set("sign", verdict.sign.name())
        .set("address_match", verdict.address_match.map(crate::validation::AddressMatch::name))
        .set("address_exact", verdict.address_exact)
        .set("path", verdict.path.clone())
        .set("findings", findings)
}

fn finding(finding: &Finding, culture: Culture) -> Row {
    let parameters = vec![
        ("observed", finding.observed.clone().unwrap_or_default()),
        ("expected", finding.expected.clone().unwrap_or_default()),
    ];
    Row::new(FINDING)
        .set("code", finding.code)
        .set("severity", finding.severity.name())
        .set("use", finding.concerns.name())
        .set("message", Text::new("finding", finding.code, parameters).render(culture))
        .set("observed", finding.observed.clone())
        .set("expected", finding.expected.clone())
        .set("rule", finding.rule)
        .set("remedy", remedy(finding.code, culture))
        .set("certificate_index", finding.certificate_index)
}

/// What mends a finding or a reason, where somebody knows.
pub(super) fn remedy(code: &str, culture: Culture) -> Option<String> {
    crate::text::sentence(culture, "remedy", code)
}

/// A change's columns of the verbs `compare`, `sync`, `publish`, `prune` and `changes`.
pub(super) fn change(columns: &'static [Column], run: i64, change: &Change) -> Row {
    let digests = |values: &[RawValue]| values.iter().map(|value| value.sha256.to_string()).collect::<Vec<_>>();
    let mut row = Row::new(columns);
    if columns.iter().any(|column| column.name == "directory") {
        row = row.set("directory", change.directory.clone());
    }
    row.set("run", run.to_string())
        .set("change", change.number)
        .set("person", change.person.clone())
        .set(target_column(columns), change.recipient.clone())
        .set("primary_smtp_address", change.primary_smtp_address.clone())
        .set("attribute", change.attribute.map(Attribute::name))
        .set("action", change.action.name())
        .set("before", digests(&change.before))
        .set("after", digests(&change.after))
        .set("added", items(&change.added))
        .set("removed", items(&change.removed))
        .set("reason", change.reason.as_ref().map(ToString::to_string))
        .set("losers", items(&change.losers))
}

/// Where the one that is changed is named: an entry of the directory, or a recipient.
fn target_column(columns: &[Column]) -> &'static str {
    let is_entry = columns.iter().any(|column| column.name == "distinguished_name");
    if is_entry { "distinguished_name" } else { "recipient" }
}

fn items(items: &[Item]) -> Vec<Row> {
    items
        .iter()
        .map(|item| {
            Row::new(ITEM)
                .set("sha256", item.sha256.to_string())
                .set("thumbprint", item.thumbprint.clone())
                .set("subject", item.subject.clone())
                .time("not_after", item.not_after_ms)
                .set("reason", item.reason.as_ref().map(ToString::to_string))
        })
        .collect()
}

/// Values with their bytes.
pub(super) fn values(values: &[RawValue]) -> Vec<Row> {
    values
        .iter()
        .map(|value| {
            Row::new(VALUE).set("sha256", value.sha256.to_string()).set("bytes", std::sync::Arc::clone(&value.bytes))
        })
        .collect()
}

/// Sets `error_code` and `error`, with which every row about an object ends.
pub(super) fn failure(row: Row, error: Option<&Error>, culture: Culture) -> Row {
    let Some(error) = error else { return row };
    row.set("error_code", i64::from(error.code().number())).set("error", error.message(culture))
}
