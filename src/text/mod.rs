//! Every sentence a person reads: a kind, a name and named parameters, put into words per culture.
//!
//! A sentence is `<kind>.<name>`: `error.*` and `event.*` (by code), `finding.*` and `remedy.*` (by finding or reason),
//! `changes.*` (why everybody is read), `weakness.*` (of a key), `check.*` (steps of the verb `check`), `column.*` (meaning of a column), `setting.*` (meaning
//! of a setting), `sign_in.*` (what mends a sign-in that failed).
//! Templates name their parameters in braces: `{target}`.

mod english;

use std::sync::Arc;

/// The language of the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Culture {
    /// English, which is also what every other culture falls back to.
    #[default]
    English,
}

impl Culture {
    /// The culture for a BCP 47 name such as `de-DE`; what is not spoken yet is English.
    pub fn from_name(_name: &str) -> Self {
        Self::English
    }
}

/// A sentence before it is put into a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    kind: &'static str,
    name: &'static str,
    parameters: Arc<[(&'static str, String)]>,
}

impl Text {
    /// A sentence by kind, name and parameters.
    pub fn new(kind: &'static str, name: &'static str, parameters: Vec<(&'static str, String)>) -> Self {
        Self { kind, name, parameters: parameters.into() }
    }

    /// A sentence without parameters.
    pub fn plain(kind: &'static str, name: &'static str) -> Self {
        Self::new(kind, name, Vec::new())
    }

    /// The words. A sentence nobody wrote appears as its own key, which the tests of this room forbid.
    pub fn render(&self, culture: Culture) -> String {
        let Some(template) = template(culture, self.kind, self.name) else {
            return format!("{}.{}", self.kind, self.name);
        };
        fill(template, &self.parameters)
    }
}

/// A sentence without parameters whose name is only known at run time, such as the remedy of a reason; `None` if there is none.
pub fn sentence(culture: Culture, kind: &str, name: &str) -> Option<String> {
    template(culture, kind, name).map(|template| fill(template, &[]))
}

/// Whether a sentence exists; the tests of other rooms hold their codes against this.
pub fn exists(culture: Culture, kind: &str, name: &str) -> bool {
    template(culture, kind, name).is_some()
}

fn template(culture: Culture, kind: &str, name: &str) -> Option<&'static str> {
    match culture {
        Culture::English => english::template(kind, name),
    }
}

/// Replaces `{name}`; a parameter that was not given leaves nothing, together with the `: ` before it.
fn fill(template: &str, parameters: &[(&'static str, String)]) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match parameters.iter().find(|(key, _)| *key == name) {
            Some((_, value)) if !value.is_empty() => out.push_str(value),
            _ => {
                if let Some(shorter) = out.strip_suffix(": ") {
                    out.truncate(shorter.len());
                }
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_filled_in_by_name() {
        assert_eq!(fill("a {x} b: {y}", &[("x", "1".into()), ("y", "2".into())]), "a 1 b: 2");
    }

    #[test]
    fn a_missing_detail_takes_its_colon_along() {
        assert_eq!(fill("the store failed: {detail}", &[]), "the store failed");
    }

    #[test]
    fn values_with_braces_are_not_templates() {
        assert_eq!(fill("{x}", &[("x", "{y}".into()), ("y", "no".into())]), "{y}");
    }

    #[test]
    fn every_code_has_its_sentence() {
        for info in crate::error::CODES {
            assert!(exists(Culture::English, "error", info.name), "no sentence for {}", info.name);
        }
    }

    #[test]
    fn messages_are_one_lower_case_line_without_full_stop() {
        for (name, sentence) in english::all("error") {
            assert!(!sentence.ends_with('.') && !sentence.contains('\n'), "{name}");
            let name_of_something = ["Exchange Online", "LDIF", "TLS"].iter().any(|word| sentence.starts_with(word));
            assert!(!sentence.starts_with(char::is_uppercase) || name_of_something, "{name}");
        }
    }
}
