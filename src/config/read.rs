//! JSON into typed values with the pointer of what does not fit; for the configuration and for the options of verbs.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_path_to_error::Segment;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{Code, Error, Result};

/// Where the JSON comes from, which decides the codes of its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The configuration.
    Configuration,
    /// The options of a verb.
    Options,
}

impl Source {
    fn syntax(self) -> Code {
        if self == Self::Configuration { Code::ConfigSyntax } else { Code::OptionSyntax }
    }
    fn unknown(self) -> Code {
        if self == Self::Configuration { Code::ConfigUnknownKey } else { Code::OptionUnknown }
    }
    fn wrong_type(self) -> Code {
        if self == Self::Configuration { Code::ConfigType } else { Code::OptionType }
    }
    fn value(self) -> Code {
        if self == Self::Configuration { Code::ConfigValue } else { Code::OptionValue }
    }
}

/// Reads `T` from JSON; empty text is `{}`. Unknown keys are errors.
///
/// # Errors
/// Syntax, unknown key, wrong type or value of the source; the target is the JSON pointer (RFC 6901).
pub fn from_json<T: DeserializeOwned>(text: &str, source: Source) -> Result<T> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let mut unknown = None;
    let mut track = serde_path_to_error::Track::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    let value = serde_ignored::deserialize(tracked, |path| {
        unknown.get_or_insert_with(|| ignored_pointer(&path));
    });
    let value: T = value.map_err(|error| data_error(&error, &track.path(), source))?;
    json.end().map_err(|error| syntax_error(&error, source))?;
    if source == Source::Options {
        no_nulls(text)?;
    }
    match unknown {
        Some(pointer) => Err(Error::new(source.unknown()).target(pointer)),
        None => Ok(value),
    }
}

/// An option that is null is refused: a caller whose variable is empty must not get everything instead of nothing.
fn no_nulls(text: &str) -> Result<()> {
    let options: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| syntax_error(&error, Source::Options))?;
    match options.iter().find(|(_, value)| value.is_null()) {
        None => Ok(()),
        Some((name, _)) => {
            let mut pointer = String::new();
            push_key(&mut pointer, name);
            Err(Error::new(Code::OptionType).target(pointer).with("detail", "expected a value, not null"))
        }
    }
}

/// Reads either a text or an object; unlike an untagged enum it lets unknown keys of the object be noticed.
///
/// # Errors
/// Those of the deserializer; `expected` is what is said to be expected.
pub fn text_or<'de, D: Deserializer<'de>, O: Deserialize<'de>, T>(
    deserializer: D,
    expected: &str,
    of_text: impl FnOnce(&str) -> T,
    of_object: impl FnOnce(O) -> T,
) -> std::result::Result<T, D::Error> {
    struct Either<'a, O, T, F, G>(&'a str, F, G, PhantomData<(O, T)>);
    impl<'de, O: Deserialize<'de>, T, F: FnOnce(&str) -> T, G: FnOnce(O) -> T> Visitor<'de> for Either<'_, O, T, F, G> {
        type Value = T;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }
        fn visit_str<E>(self, text: &str) -> std::result::Result<T, E> {
            Ok((self.1)(text))
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<T, A::Error> {
            O::deserialize(MapAccessDeserializer::new(map)).map(self.2)
        }
    }
    deserializer.deserialize_any(Either(expected, of_text, of_object, PhantomData))
}

/// A value that has the right type and is not allowed.
pub fn pointer_error(source: Source, pointer: &str, detail: &str) -> Error {
    Error::new(source.value()).target(pointer).with("detail", detail)
}

/// Milliseconds since 1970 UTC of an RFC 3339 time.
///
/// # Errors
/// A value error at `pointer`.
pub fn rfc3339(text: &str, source: Source, pointer: &str) -> Result<i64> {
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()
        .and_then(|time| i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok())
        .ok_or_else(|| pointer_error(source, pointer, "expected a time such as 2026-11-20T00:00:00Z"))
}

fn syntax_error(error: &serde_json::Error, source: Source) -> Error {
    // serde_json quotes nothing of the text in syntax errors, only the position
    Error::new(source.syntax()).with("detail", error.to_string())
}

fn data_error(error: &serde_json::Error, path: &serde_path_to_error::Path, source: Source) -> Error {
    if !error.is_data() {
        return syntax_error(error, source);
    }
    let words = error.to_string();
    let code = if words.starts_with("invalid type") { source.wrong_type() } else { source.value() };
    Error::new(code).target(tracked_pointer(path)).with("detail", without_value(&words))
}

/// The value itself may be a secret in the wrong place, so only what was expected is repeated.
fn without_value(words: &str) -> String {
    let words = words.rsplit_once(" at line ").map_or(words, |(before, _)| before);
    words.find("expected ").map_or_else(|| "not readable".to_owned(), |start| words[start..].to_owned())
}

fn tracked_pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => push_key(&mut pointer, key),
            Segment::Enum { variant } => push_key(&mut pointer, variant),
            Segment::Unknown => {}
        }
    }
    pointer
}

fn ignored_pointer(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", ignored_pointer(parent)),
        Path::Map { parent, key } => {
            let mut pointer = ignored_pointer(parent);
            push_key(&mut pointer, key);
            pointer
        }
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            ignored_pointer(parent)
        }
    }
}

fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_is_null_is_refused_and_a_configuration_value_is_absent() {
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        struct Values {
            run: Option<String>,
        }
        let error = from_json::<Values>(r#"{"run":null}"#, Source::Options).unwrap_err();
        assert_eq!((error.code(), error.get_target()), (Code::OptionType, Some("/run")));
        assert_eq!(from_json::<Values>(r#"{"run":null}"#, Source::Configuration).unwrap().run, None);
    }
}
