//! The committed header is what the sources make, and the library exports exactly what it declares.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops at what it does not expect, and says what it leaves out"
)]

#[path = "../src/ffi/header.rs"]
mod header;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn committed() -> String {
    std::fs::read_to_string(root().join("include/smimesync.h")).unwrap()
}

fn declared() -> BTreeSet<String> {
    let text = committed();
    let starts = text.match_indices("smimesync_").filter(|(at, _)| text[..*at].ends_with([' ', '*']));
    starts
        .filter_map(|(at, _)| {
            let rest = &text[at..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
            rest[end..].starts_with('(').then(|| rest[..end].to_owned())
        })
        .collect()
}

#[test]
fn the_committed_header_is_what_the_sources_make() {
    let made = header::generate(&root()).expect("the sources of the ABI parse");
    assert!(made == committed(), "include/smimesync.h is stale: cargo build writes it anew");
}

#[test]
fn every_function_says_who_owns_what() {
    let text = committed();
    for name in declared() {
        let at = text.rfind(&format!("{name}(")).unwrap();
        let before = &text[..at];
        let documented = before.rfind("*/").is_some_and(|end| before[end..].matches(['{', ';']).count() == 0);
        assert!(documented, "{name} has no documentation");
    }
}

#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    // the library lies two folders above this test, where cargo put it for this very run
    let library = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("libsmimesync.so");
    if !library.exists() {
        println!("SKIPPED exports: no {} on this platform", library.display());
        return;
    }
    let listed = match Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output() {
        Ok(listed) => listed,
        Err(error) => return println!("SKIPPED exports: nm: {error}"),
    };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let exported: BTreeSet<_> = listed.lines().filter_map(|line| line.split(' ').nth(2)).map(str::to_owned).collect();
    assert_eq!(exported, declared());
}
