//! What a host printed: JSON lines of `compare` or `sync`.

use crate::error::{Error, Result};
use crate::expected::Reasoned;
use crate::person::Attribute;
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A row as printed. Columns that do not matter here are passed over.
#[derive(Debug, Clone, Deserialize)]
pub struct ObservedRow {
    /// Identity of the person.
    pub person: Option<String>,
    /// Guid of the recipient.
    pub recipient: Option<String>,
    /// The attribute.
    pub attribute: Option<Attribute>,
    /// none, set, clear or skip.
    pub action: String,
    /// The row's reason.
    pub reason: Option<String>,
    /// SHA-256 of what Exchange held.
    #[serde(default)]
    pub before: Option<Vec<String>>,
    /// SHA-256 of what it is to hold.
    #[serde(default)]
    pub after: Option<Vec<String>>,
    /// What is added.
    #[serde(default)]
    pub added: Option<Vec<ObservedValue>>,
    /// What is removed.
    #[serde(default)]
    pub removed: Option<Vec<ObservedValue>>,
    /// What is not published.
    #[serde(default)]
    pub losers: Option<Vec<ObservedValue>>,
    /// `sync` only.
    #[serde(default)]
    pub result: Option<String>,
    /// Code of what went wrong with this object.
    #[serde(default)]
    pub error_code: Option<Value>,
    /// And its message.
    #[serde(default)]
    pub error: Option<String>,
}

/// A nested row.
#[derive(Debug, Clone, Deserialize)]
pub struct ObservedValue {
    /// SHA-256 of the value.
    pub sha256: String,
    /// The reason; none for what is added.
    #[serde(default)]
    pub reason: Option<String>,
}

impl ObservedRow {
    /// Reads all rows of a file.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no row.
    pub fn read(path: &Path) -> Result<Vec<Self>> {
        let text = fs::read_to_string(path).map_err(Error::io(path))?;
        text.lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(i, line)| {
                serde_json::from_str(line)
                    .and_then(|row| serde_json::from_value(snake_case(row)))
                    .map_err(|e| Error::Other(format!("{} line {}: {e}", path.display(), i + 1)))
            })
            .collect()
    }

    /// A list of hashes, sorted; an absent one is empty.
    pub fn sorted_hashes(list: Option<&Vec<String>>) -> Vec<String> {
        let mut hashes: Vec<String> = list.into_iter().flatten().map(|hash| hash.to_lowercase()).collect();
        hashes.sort();
        hashes
    }

    /// Nested rows with their reasons, sorted; an absent list is empty.
    pub fn sorted_values(list: Option<&Vec<ObservedValue>>) -> Vec<Reasoned> {
        let mut values: Vec<Reasoned> = list
            .into_iter()
            .flatten()
            .map(|value| Reasoned {
                sha256: value.sha256.to_lowercase(),
                reason: value.reason.clone().unwrap_or_default(),
            })
            .collect();
        values.sort();
        values
    }
}

/// PowerShell writes the same columns in PascalCase: `ErrorCode` is `error_code`.
fn snake_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (snake_case_name(&name), snake_case(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(snake_case).collect(),
        other => other,
    }
}

fn snake_case_name(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
