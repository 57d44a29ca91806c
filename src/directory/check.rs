//! Steps of the verb `check` for a directory.

use std::time::Instant;

use crate::error::Error;
use crate::text::Text;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckResult {
    /// It works.
    Pass,
    /// It does not.
    Fail,
    /// An earlier step failed, so it was not tried.
    Skipped,
}

impl CheckResult {
    /// The name at the ABI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that must work before people can be read.
#[derive(Debug, Clone)]
pub struct CheckStep {
    /// The server or the file.
    pub target: String,
    /// `name`, `connect`, `tls`, `bind`, `search`; for a file `open`, `search`.
    pub step: &'static str,
    /// How it ended.
    pub result: CheckResult,
    /// Milliseconds it took, where it was tried.
    pub latency_ms: Option<u64>,
    /// What was seen.
    pub detail: Option<Text>,
    /// What mends it.
    pub remedy: Option<Text>,
    /// Why it failed.
    pub error: Option<Error>,
}

impl CheckStep {
    pub(super) fn passed(step: &'static str, target: String, started: Instant, detail: Option<Text>) -> Self {
        let result = CheckResult::Pass;
        Self { target, step, result, latency_ms: Some(since(started)), detail, remedy: None, error: None }
    }

    /// A failure whose remedy is the sentence `check.<remedy>`.
    pub(super) fn failed(
        step: &'static str,
        target: String,
        started: Instant,
        error: Error,
        remedy: &'static str,
    ) -> Self {
        Self {
            target,
            step,
            result: CheckResult::Fail,
            latency_ms: Some(since(started)),
            detail: Some(error.text()),
            remedy: Some(Text::plain("check", remedy)),
            error: Some(error),
        }
    }

    pub(super) fn skipped(step: &'static str, target: String) -> Self {
        let result = CheckResult::Skipped;
        Self { target, step, result, latency_ms: None, detail: None, remedy: None, error: None }
    }

    /// The step `search` by what it found: nobody at all is a failure, nobody with a certificate is worth a word.
    pub(super) fn found(target: String, started: Instant, people: u64, with_certificates: u64) -> Self {
        let counts = vec![("people", people.to_string()), ("certificates", with_certificates.to_string())];
        let remedy = match (people, with_certificates) {
            (0, _) => Some("directory_nobody"),
            (_, 0) => Some("directory_no_certificates"),
            _ => None,
        };
        Self {
            target,
            step: "search",
            result: if people == 0 { CheckResult::Fail } else { CheckResult::Pass },
            latency_ms: Some(since(started)),
            detail: Some(Text::new("check", "directory_found", counts)),
            remedy: remedy.map(|name| Text::plain("check", name)),
            error: None,
        }
    }
}

fn since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
