//! The one table of columns: what a row of each verb is made of. The ABI, the hosts and the module all follow it.

use super::Verb;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Blob,
    /// 0 or 1.
    Boolean,
    /// Milliseconds since 1970 UTC.
    Time,
    /// Nested rows of one text column, `value`.
    List,
    /// Nested rows of these columns.
    Rows(&'static [Column]),
}

impl Kind {
    /// The name the verb `columns` shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Text => "TEXT",
            Self::Blob => "BLOB",
            Self::Boolean => "BOOLEAN",
            Self::Time => "TIME",
            Self::List => "LIST",
            Self::Rows(_) => "ROWS",
        }
    }
}

/// A column of a row. Its meaning is the sentence `column.<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name, snake_case.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

const fn integer(name: &'static str) -> Column {
    Column { name, kind: Kind::Integer }
}
const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}
const fn blob(name: &'static str) -> Column {
    Column { name, kind: Kind::Blob }
}
const fn boolean(name: &'static str) -> Column {
    Column { name, kind: Kind::Boolean }
}
const fn time(name: &'static str) -> Column {
    Column { name, kind: Kind::Time }
}
const fn list(name: &'static str) -> Column {
    Column { name, kind: Kind::List }
}
const fn rows(name: &'static str, columns: &'static [Column]) -> Column {
    Column { name, kind: Kind::Rows(columns) }
}

/// Joins two lists of columns at compile time; `N` is the sum of their lengths.
const fn joined<const N: usize>(first: &[Column], second: &[Column]) -> [Column; N] {
    let mut out = [integer(""); N];
    let mut index = 0;
    while index < N {
        out[index] = if index < first.len() { first[index] } else { second[index - first.len()] };
        index += 1;
    }
    out
}

/// The column of a LIST.
pub const LIST: &[Column] = &[text("value")];

/// One row per certificate, however its value held it.
pub const CERTIFICATE: &[Column] = &[
    text("attribute"),
    text("value_sha256"),
    text("sha256"),
    text("thumbprint"),
    text("subject"),
    text("issuer"),
    text("serial"),
    time("not_before"),
    time("not_after"),
    integer("days_left"),
    list("emails"),
    text("key"),
    text("signature"),
    list("usages"),
    text("container"),
    blob("der"),
];

/// What could not be understood of a person.
pub const PROBLEM: &[Column] = &[text("code"), text("message"), text("attribute"), text("value_sha256")];

/// What speaks for or against a certificate.
pub const FINDING: &[Column] = &[
    text("code"),
    text("severity"),
    text("use"),
    text("message"),
    text("observed"),
    text("expected"),
    text("rule"),
    text("remedy"),
    integer("certificate_index"),
];

/// A value that is added, removed or left behind.
pub const ITEM: &[Column] = &[text("sha256"), text("thumbprint"), text("subject"), time("not_after"), text("reason")];

/// A value with its bytes.
pub const VALUE: &[Column] = &[text("sha256"), blob("bytes")];

const ERROR: &[Column] = &[integer("error_code"), text("error")];

const CHECK: &[Column] = &[
    text("target"),
    text("step"),
    text("result"),
    integer("latency_ms"),
    text("detail"),
    text("remedy"),
    integer("error_code"),
    text("error"),
];

const FETCH: &[Column] = &[
    text("identity"),
    text("distinguished_name"),
    text("kind"),
    text("display_name"),
    text("user_principal_name"),
    text("primary_smtp_address"),
    list("addresses"),
    text("source_anchor"),
    boolean("enabled"),
    boolean("deleted"),
    rows("certificates", CERTIFICATE),
    rows("problems", PROBLEM),
    integer("error_code"),
    text("error"),
];

const JUDGEMENT: &[Column] = &[
    text("source"),
    text("person"),
    boolean("path_valid"),
    text("encrypt"),
    text("sign"),
    text("address_match"),
    boolean("address_exact"),
    list("path"),
    rows("findings", FINDING),
    integer("error_code"),
    text("error"),
];

const VALIDATE: &[Column] = &joined::<{ CERTIFICATE.len() + JUDGEMENT.len() }>(CERTIFICATE, JUDGEMENT);

const COVERAGE: &[Column] = &[
    text("person"),
    text("display_name"),
    text("primary_smtp_address"),
    text("recipient"),
    text("encrypt"),
    text("sign"),
    text("thumbprint"),
    time("not_after"),
    boolean("in_exchange"),
    text("blocked_by"),
    text("remedy"),
    integer("error_code"),
    text("error"),
];

const WEAKNESS: &[Column] = &[
    text("source"),
    text("person"),
    text("weakness"),
    text("severity"),
    list("shared_with"),
    text("message"),
    text("observed"),
    text("expected"),
    text("rule"),
    text("remedy"),
    integer("error_code"),
    text("error"),
];

const KEYS: &[Column] = &joined::<{ CERTIFICATE.len() + WEAKNESS.len() }>(CERTIFICATE, WEAKNESS);

const RECIPIENTS: &[Column] = &[
    text("identity"),
    text("external_directory_object_id"),
    text("display_name"),
    text("user_principal_name"),
    text("primary_smtp_address"),
    list("addresses"),
    text("recipient_type_details"),
    boolean("is_dir_synced"),
    boolean("is_exchange_cloud_managed"),
    text("immutable_id"),
    rows("certificates", CERTIFICATE),
    integer("error_code"),
    text("error"),
];

/// Whose attribute a change is about: a recipient's, or that of an entry of the directory.
const OF_RECIPIENT: &[Column] = &[text("run"), integer("change"), text("person"), text("recipient")];
const OF_ENTRY: &[Column] =
    &[text("run"), integer("change"), text("person"), text("directory"), text("distinguished_name")];

/// What is done to it.
const CHANGE: &[Column] = &[
    text("primary_smtp_address"),
    text("attribute"),
    text("action"),
    list("before"),
    list("after"),
    rows("added", ITEM),
    rows("removed", ITEM),
    text("reason"),
    rows("losers", ITEM),
];

const PLANNED: &[Column] = &joined::<{ OF_RECIPIENT.len() + CHANGE.len() }>(OF_RECIPIENT, CHANGE);

const RESULT: &[Column] = &[text("result"), integer("error_code"), text("error")];

const COMPARE: &[Column] = &joined::<{ PLANNED.len() + ERROR.len() }>(PLANNED, ERROR);
const SYNC: &[Column] = &joined::<{ PLANNED.len() + RESULT.len() }>(PLANNED, RESULT);

const ENTRY: &[Column] = &joined::<{ OF_ENTRY.len() + CHANGE.len() }>(OF_ENTRY, CHANGE);
const DIRECTORY: &[Column] = &joined::<{ ENTRY.len() + RESULT.len() }>(ENTRY, RESULT);

const BYTES: &[Column] = &[
    text("directory"),
    rows("before_values", VALUE),
    rows("after_values", VALUE),
    text("result"),
    integer("error_code"),
    text("error"),
];
const CHANGES: &[Column] = &joined::<{ PLANNED.len() + BYTES.len() }>(PLANNED, BYTES);

const AUTHORITY: &[Column] = &[
    text("run"),
    text("person"),
    integer("needed_by"),
    boolean("in_tenant"),
    text("action"),
    text("reason"),
    text("result"),
    integer("error_code"),
    text("error"),
];

const ISSUERS: &[Column] = &joined::<{ CERTIFICATE.len() + AUTHORITY.len() }>(CERTIFICATE, AUTHORITY);

const RUNS: &[Column] = &[
    text("run"),
    time("started"),
    time("ended"),
    text("policy_type"),
    boolean("staging"),
    text("result"),
    integer("people"),
    integer("recipients"),
    integer("unchanged"),
    integer("changed"),
    integer("skipped"),
    integer("failed"),
    integer("values_added"),
    integer("values_removed"),
    integer("requests"),
    integer("error_code"),
    text("error"),
];

const SETTINGS: &[Column] = &[text("name"), text("value"), text("default"), text("unit"), text("description")];

const COLUMNS: &[Column] = &[text("verb"), text("parent"), text("column"), text("type"), text("meaning")];

/// The columns of a verb's rows.
pub fn of(verb: Verb) -> &'static [Column] {
    match verb {
        Verb::Check => CHECK,
        Verb::Fetch => FETCH,
        Verb::Validate => VALIDATE,
        Verb::Coverage => COVERAGE,
        Verb::Keys => KEYS,
        Verb::Recipients => RECIPIENTS,
        Verb::Compare => COMPARE,
        Verb::Sync => SYNC,
        Verb::Publish | Verb::Prune => DIRECTORY,
        Verb::Issuers => ISSUERS,
        Verb::Runs => RUNS,
        Verb::Changes => CHANGES,
        Verb::Settings => SETTINGS,
        Verb::Columns => COLUMNS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Culture, exists};

    fn meanings(columns: &[Column]) {
        for column in columns {
            assert!(exists(Culture::English, "column", column.name), "no meaning for column {}", column.name);
            if let Kind::Rows(nested) = column.kind {
                meanings(nested);
            }
        }
    }

    #[test]
    fn every_column_has_a_meaning_and_appears_once() {
        for verb in Verb::ALL {
            let columns = of(verb);
            meanings(columns);
            let names: std::collections::BTreeSet<_> = columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), columns.len(), "{} repeats a column", verb.name());
        }
    }
}
