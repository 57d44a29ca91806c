//! `docs/findings.md` is made from the tables: this writes it, and holds it equal to them.

use std::path::Path;
use std::{env, fs};

use time::OffsetDateTime;
use time::macros::format_description;

use super::profile::{Profile, Profiles};
use super::rule::{Demand, Lint};
use crate::text::{Culture, Text, exists};
use crate::validation::catalogue;

const HEAD: &str = "\
# Findings

What `validate` and `coverage` find, by code. Made from the code by `UPDATE_DOCS=1 cargo test --lib docs_findings`; a test
holds it equal.

Severity: `block` makes the certificate unfit, `warn` should be mended or leaves the verdict open, `info` is worth knowing.

## Verdict

| code | rule | severity | remedy |
|---|---|---|---|
";

const LINTS: &str = "
## S/MIME Baseline Requirements

Looked at by `validate` alone, with `policy/lints: cabf` or the option `lint_profile`. None of them makes a certificate
unfit. The severity is that for a public authority: one whose certificate asserts a reserved policy, or that is held against
a profile by name. For every other certificate it is `info`. SBR is the CA/Browser Forum's Baseline Requirements for the
Issuance and Management of Publicly-Trusted S/MIME Certificates; a rule binds what was issued within its dates.

| code | rule | profiles | issued from | issued before | severity | remedy |
|---|---|---|---|---|---|---|
";

fn page() -> String {
    let remedy = |code| Text::plain("remedy", code).render(Culture::English).replace('|', "\\|");
    let mut rules: Vec<_> = catalogue::ALL.iter().collect();
    rules.sort_by_key(|rule| rule.code);
    let mut page = HEAD.to_owned();
    for rule in rules {
        page += &format!("| `{}` | {} | {} | {} |\n", rule.code, rule.source, rule.severity.name(), remedy(rule.code));
    }
    page += LINTS;
    for lint in super::all() {
        let severity = if lint.demand == Demand::Shall { "warn" } else { "info" };
        let (from, before) = (day(lint.effective_ms), day(lint.ineffective_ms));
        let bound = profiles(lint);
        let (code, source, remedy) = (lint.code, lint.source, remedy(lint.code));
        page += &format!("| `{code}` | {source} | {bound} | {from} | {before} | {severity} | {remedy} |\n");
    }
    page
}

fn day(at_ms: Option<i64>) -> String {
    let Some(at_ms) = at_ms else { return String::new() };
    let time = OffsetDateTime::from_unix_timestamp(at_ms / 1000).unwrap();
    time.format(format_description!("[year]-[month]-[day]")).unwrap()
}

/// The profiles a rule binds: `all`, or the generations and types whose crossing they are.
fn profiles(lint: &Lint) -> String {
    if lint.binds == Profiles::ALL {
        return "all".to_owned();
    }
    let bound: Vec<String> =
        Profile::all().filter(|profile| lint.binds.contain(*profile)).map(|profile| profile.to_string()).collect();
    let parts = |side: fn(&str) -> Option<&str>| {
        let mut parts: Vec<&str> = bound.iter().filter_map(|name| side(name)).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    };
    let subjects = parts(|name| name.split('_').next());
    let generations = parts(|name| name.split('_').nth(1));
    assert_eq!(bound.len(), subjects.len() * generations.len(), "{} binds no crossing", lint.code);
    let shown = |parts: &[&str], whole: usize| if parts.len() == whole { String::new() } else { parts.join(", ") };
    let both = [shown(&generations, 3), shown(&subjects, 4)];
    both.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

#[test]
fn docs_findings_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(written == page(), "docs/findings.md is out of date: UPDATE_DOCS=1 cargo test --lib docs_findings");
}

#[test]
fn every_lint_has_a_sentence_and_a_remedy() {
    for lint in super::all() {
        for kind in ["finding", "remedy"] {
            assert!(exists(Culture::English, kind, lint.code), "no {kind} for {}", lint.code);
            let words = Text::plain(kind, lint.code).render(Culture::English);
            assert!(!words.ends_with('.') && !words.contains('\n'), "{words}");
            assert!(!words.starts_with(char::is_uppercase), "{words}");
        }
    }
}

#[test]
fn codes_of_lints_are_unique_and_dates_in_order() {
    for (index, lint) in super::all().iter().enumerate() {
        assert!(super::all().iter().skip(index + 1).all(|other| other.code != lint.code), "{} twice", lint.code);
        assert!(lint.code.starts_with("lint_") && catalogue::ALL.iter().all(|rule| rule.code != lint.code));
        assert!(lint.ineffective_ms.is_none_or(|until| lint.effective_ms.is_none_or(|from| from < until)));
    }
}
