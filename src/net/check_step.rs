//! One thing that must work before a run can; the rows of the verb `check` are made from it.

use crate::error::Error;
use crate::text::Text;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckResult {
    /// It works.
    Pass,
    /// It does not.
    Fail,
    /// It was not tried, because what it rests on failed.
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

/// One thing that must work before a run can.
#[derive(Debug, Clone)]
pub struct CheckStep {
    /// The server or the file it is about, where there are several.
    pub target: Option<String>,
    /// Its stable name.
    pub step: &'static str,
    /// How it ended.
    pub result: CheckResult,
    /// Milliseconds it took; `None` where it was not tried.
    pub latency_ms: Option<u64>,
    /// What was seen.
    pub detail: Option<Text>,
    /// What mends it.
    pub remedy: Option<Text>,
    /// What went wrong.
    pub error: Option<Error>,
}

impl CheckStep {
    /// A step that works.
    pub fn pass(step: &'static str, latency_ms: u64) -> Self {
        Self { result: CheckResult::Pass, latency_ms: Some(latency_ms), ..Self::skipped(step) }
    }

    /// A step that does not work.
    pub fn fail(step: &'static str, latency_ms: u64, error: Error, remedy: Option<Text>) -> Self {
        let (latency_ms, error) = (Some(latency_ms), Some(error));
        Self { result: CheckResult::Fail, latency_ms, error, remedy, ..Self::skipped(step) }
    }

    /// A step that was not tried.
    pub fn skipped(step: &'static str) -> Self {
        let result = CheckResult::Skipped;
        Self { target: None, step, result, latency_ms: None, detail: None, remedy: None, error: None }
    }

    /// Names the server or the file.
    #[must_use]
    pub fn at(mut self, target: String) -> Self {
        self.target = Some(target);
        self
    }
}
