//! Steps of the verb `check` for a directory: `name`, `connect`, `tls`, `bind`, `search`, `attributes`, `changes`, `deleted`;
//! for a file `open`, `search`.

use std::time::Instant;

use crate::error::Error;
use crate::net::{CheckResult, CheckStep};
use crate::text::Text;

/// A step that works, at a server or a file.
pub(super) fn passed(step: &'static str, target: String, started: Instant, detail: Option<Text>) -> CheckStep {
    CheckStep { detail, ..CheckStep::pass(step, since(started)).at(target) }
}

/// A step that does not work; its remedy is the sentence `check.<remedy>`.
pub(super) fn failed(
    step: &'static str,
    target: String,
    started: Instant,
    error: Error,
    remedy: &'static str,
) -> CheckStep {
    CheckStep::fail(step, since(started), error, Some(Text::plain("check", remedy))).at(target)
}

/// The step `search` by what it found: nobody at all is a failure, nobody with a certificate is worth a word.
pub(super) fn found(target: String, started: Instant, people: u64, with_certificates: u64) -> CheckStep {
    let counts = vec![("people", people.to_string()), ("certificates", with_certificates.to_string())];
    let remedy = match (people, with_certificates) {
        (0, _) => Some("directory_nobody"),
        (_, 0) => Some("directory_no_certificates"),
        _ => None,
    };
    CheckStep {
        result: if people == 0 { CheckResult::Fail } else { CheckResult::Pass },
        remedy: remedy.map(|name| Text::plain("check", name)),
        ..passed("search", target, started, Some(Text::new("check", "directory_found", counts)))
    }
}

fn since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
