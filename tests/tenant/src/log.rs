//! The request log: what was asked, never a secret, a token or a certificate's bytes.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// One request to the token endpoint or the admin API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEntry {
    /// Counts requests since the double started, from 1.
    pub sequence: u64,
    /// When it arrived, milliseconds since 1970 UTC by the double's clock.
    pub at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// `CmdletName`, as sent.
    pub cmdlet: Option<String>,
    /// `Identity`, as sent.
    pub identity: Option<String>,
    /// Names of the parameters, sorted, annotations included.
    pub parameters: Vec<String>,
    /// Values of parameters that hold bytes, where they had the accepted shape.
    pub certificates: Vec<CertificateValues>,
    /// `$select`, decoded.
    pub select: Option<String>,
    /// Whether this asked for a further page.
    pub continuation: bool,
    /// `client-request-id`.
    pub client_request_id: Option<String>,
    /// `X-AnchorMailbox`.
    pub anchor_mailbox: Option<String>,
    /// `X-ResponseFormat`.
    pub response_format: Option<String>,
    /// `Prefer`.
    pub prefer: Option<String>,
    /// The fault that struck it.
    pub fault: Option<String>,
    /// Whether a `Set-*` changed the state.
    pub applied: bool,
    /// How long the answer took, in milliseconds; absent while it is pending.
    pub took_ms: Option<u64>,
    /// Status of the answer; absent while it is pending and when the connection was cut.
    pub status: Option<u16>,
}

/// What one parameter was to be set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateValues {
    /// The parameter's name.
    pub parameter: String,
    /// How many values; 0 clears.
    pub count: usize,
    /// SHA-256 of each value, lower-case hex, in order.
    pub sha256: Vec<String>,
}

impl CertificateValues {
    pub(crate) fn new<'a>(parameter: &str, values: impl IntoIterator<Item = &'a Vec<u8>>) -> Self {
        let sha256: Vec<String> = values.into_iter().map(|value| hex::encode(digest(&SHA256, value))).collect();
        Self { parameter: parameter.to_owned(), count: sha256.len(), sha256 }
    }
}

/// The entries since the last reset.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: Vec<RequestEntry>,
    before: u64,
}

impl RequestLog {
    /// Adds an entry on arrival and returns its number.
    pub(crate) fn begin(&mut self, mut entry: RequestEntry) -> u64 {
        let sequence = self.before + self.entries.len() as u64 + 1;
        entry.sequence = sequence;
        self.entries.push(entry);
        sequence
    }

    /// Completes an entry, unless a reset took it away.
    pub(crate) fn update(&mut self, sequence: u64, change: impl FnOnce(&mut RequestEntry)) {
        let position = sequence.checked_sub(self.before + 1).and_then(|position| usize::try_from(position).ok());
        if let Some(entry) = position.and_then(|position| self.entries.get_mut(position)) {
            change(entry);
        }
    }

    pub(crate) fn entries(&self) -> &[RequestEntry] {
        &self.entries
    }

    pub(crate) fn reset(&mut self) {
        self.before += self.entries.len() as u64;
        self.entries.clear();
    }
}
