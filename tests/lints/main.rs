//! `smimesync::validation::lints` beside zlint and pkilint on their own certificates, and on certificates made here.
//!
//! The others' certificates stay where they are: `SMIMESYNC_LINT_DATA` names the folder that holds `zlint-smime/`,
//! `zlint-smime-expected.json` and `pkilint-smime/`.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test says best where it fails")]

mod made;
mod pkilint;
mod zlint;

use std::env;
use std::path::PathBuf;

use smimesync::certificate::{Bundle, Certificate};

/// The folder with the others' certificates; says so by name where there is none.
fn data(test: &str) -> Option<PathBuf> {
    let folder = env::var_os("SMIMESYNC_LINT_DATA").map(PathBuf::from);
    if folder.is_none() {
        say(&format!("SKIPPED lints: SMIMESYNC_LINT_DATA is not set ({test})"));
    }
    folder
}

/// Says something where the test's runner keeps it.
fn say(line: &str) {
    println!("{line}");
}

/// The one certificate of a PEM text.
fn certificate(pem: &str) -> Certificate {
    let mut found = Bundle::read(pem.as_bytes()).certificates;
    assert_eq!(found.len(), 1);
    found.remove(0)
}
