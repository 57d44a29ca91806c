//! Options that several verbs share.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::config::{Source, from_json, pointer_error};
use crate::error::Result;

/// Which people a verb looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// DN, GUID, UPN or address of each.
    pub identities: Vec<String>,
    /// LDAP filter (RFC 4515).
    pub filter: Option<String>,
    /// DNs below which they are.
    pub bases: Vec<String>,
    /// People, at most.
    pub limit: Option<u64>,
}

impl Selection {
    /// Whether everybody is meant, so that somebody who is absent has really gone.
    pub fn is_everybody(&self) -> bool {
        *self == Self::default()
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
pub fn with_selection<T: DeserializeOwned>(text: &str) -> Result<(Selection, T)> {
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
pub fn identities(raw: Option<Vec<Option<String>>>) -> Result<Vec<String>> {
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
