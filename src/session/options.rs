//! Options that several verbs share.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::config::{Source, from_json, pointer_error};
use crate::directory::Selection;
use crate::error::Result;
use crate::planning::guard::NAMES;
use crate::store;

/// How much of the directory is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PolicyType {
    /// Everybody.
    Initial,
    /// What changed.
    Delta,
}

impl From<PolicyType> for store::PolicyType {
    fn from(asked: PolicyType) -> Self {
        match asked {
            PolicyType::Initial => Self::Initial,
            PolicyType::Delta => Self::Delta,
        }
    }
}

/// Names of guards to lift, each one that there is.
///
/// # Errors
/// `option_value` at the name.
pub(super) fn guards(force: Vec<String>) -> Result<Vec<String>> {
    match force.iter().position(|name| name != "scope" && !NAMES.contains(&name.as_str())) {
        Some(index) => Err(pointer_error(Source::Options, &format!("/force/{index}"), "expected the name of a guard")),
        None => Ok(force),
    }
}

/// The id of a run: text, as rows show it, or the number itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum RunId {
    /// As rows show it.
    Text(String),
    /// The number itself.
    Number(i64),
}

impl RunId {
    /// The number in the store.
    ///
    /// # Errors
    /// `option_value` at `/run`.
    pub(super) fn number(&self) -> Result<i64> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => {
                text.parse().map_err(|_| pointer_error(Source::Options, "/run", "expected the id of a run"))
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    identities: Option<Vec<Option<String>>>,
    filter: Option<String>,
    bases: Vec<String>,
    limit: Option<u64>,
}

/// Reads options that consist of a selection and the verb's own.
///
/// # Errors
/// Those of options; an empty identity is refused, because Exchange's "null means everything" is a trap.
pub(super) fn with_selection<T: DeserializeOwned>(text: &str) -> Result<(Selection, T)> {
    let mut own: Map<String, Value> = from_json(text, Source::Options)?;
    let mut shared = Map::new();
    for key in ["identities", "filter", "bases", "limit"] {
        if let Some(value) = own.remove(key) {
            shared.insert(key.to_owned(), value);
        }
    }
    let raw: Raw = from_json(&Value::Object(shared).to_string(), Source::Options)?;
    let selection =
        Selection { identities: identities(raw.identities)?, filter: raw.filter, bases: raw.bases, limit: raw.limit };
    Ok((selection, from_json(&Value::Object(own).to_string(), Source::Options)?))
}

/// Identities as a caller gave them; one that is empty or null is an error, and so is an empty list.
///
/// # Errors
/// `option_value` at the identity.
pub(super) fn identities(raw: Option<Vec<Option<String>>>) -> Result<Vec<String>> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    let wrong = |pointer: &str| pointer_error(Source::Options, pointer, "expected an identity, not nothing");
    if raw.is_empty() {
        return Err(wrong("/identities"));
    }
    raw.into_iter()
        .enumerate()
        .map(|(index, identity)| {
            identity
                .filter(|identity| !identity.trim().is_empty())
                .ok_or_else(|| wrong(&format!("/identities/{index}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Own {
        staging: bool,
    }

    #[test]
    fn selection_and_own_options_share_one_object() {
        let (selection, own) = with_selection::<Own>(r#"{"identities":["a@x"],"limit":3,"staging":true}"#).unwrap();
        assert_eq!((selection.identities, selection.limit, own.staging), (vec!["a@x".to_owned()], Some(3), true));
    }

    #[test]
    fn nothing_is_never_everything() {
        for (text, pointer) in [
            (r#"{"identities":[]}"#, "/identities"),
            (r#"{"identities":["a",null]}"#, "/identities/1"),
            (r#"{"identities":["  "]}"#, "/identities/0"),
        ] {
            let error = with_selection::<Own>(text).unwrap_err();
            assert_eq!((error.code(), error.get_target()), (Code::OptionValue, Some(pointer)));
        }
    }

    #[test]
    fn unknown_options_are_named() {
        let error = with_selection::<Own>(r#"{"stagin":true}"#).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::OptionUnknown, Some("/stagin")));
        let error = with_selection::<Own>(r#"{"limit":"many"}"#).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::OptionType, Some("/limit")));
    }
}
