//! How the double behaves where the service is uncertain or differs from day to day.

use serde::{Deserialize, Serialize};

use crate::faults::Fault;
use crate::limits::RateLimit;

/// Every switch with its default: the behaviour the reference calls most likely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// How a JSON answer shows bytes.
    pub read_back: ReadBack,
    /// Whether `X-ResponseFormat: clixml` is heeded; if not, the answer is JSON all the same.
    pub clixml: bool,
    /// How `details[0].message` of an error is written.
    pub error_detail: ErrorDetail,
    /// Status for an object that does not exist: 404 or 400.
    pub not_found_status: u16,
    /// Whether writing certificates of a directory-synchronised, not cloud-managed recipient is refused.
    pub dir_sync_refusal: bool,
    /// The most objects one page holds, whatever `odata.maxpagesize` asks for: 1 to 1000.
    pub page_size: usize,
    /// What `ResultSize: Unlimited` does.
    pub result_size_unlimited: ResultSizeUnlimited,
    /// How a successful `Set-*` is answered.
    pub set_response: SetResponse,
    /// Whether answers carry `Rate-Limit-*` headers.
    pub rate_limit_headers: bool,
    /// A rate that is enforced, and that the headers then speak of; absent: none is.
    pub rate: Option<RateLimit>,
    /// Calls at a time; one more is refused. Absent: any number.
    pub max_concurrent: Option<u32>,
    /// How long every answer of the admin API takes, in milliseconds.
    pub latency_ms: u64,
    /// Life of a continuation link, in seconds.
    pub page_token_lifetime_s: u32,
    /// Whether a cookie binds a client to a back end, at which alone its continuation links work.
    pub affinity: bool,
    /// Whether `GET …/Mailbox('id')` is answered; if not, it is 404.
    pub typed_mailbox: bool,
    /// In which order the answers of a batch come.
    pub batch: BatchOrder,
    /// Where warnings are.
    pub warnings: WarningsForm,
    /// Life of an access token, in seconds.
    pub token_lifetime_s: u32,
    /// Whether `Get-SmimeConfig` is within the application's role; if not, it is 403.
    pub smime_config_readable: bool,
    /// The largest SST that `Set-SmimeConfig` takes, in bytes.
    pub max_sst_bytes: usize,
    /// How many answers of `Get-SmimeConfig` after a write still show what was there before.
    pub smime_config_lag: u32,
    /// What goes wrong, in order; a spent fault disappears.
    pub faults: Vec<Fault>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            read_back: ReadBack::Base64,
            clixml: true,
            error_detail: ErrorDetail::Pipe,
            not_found_status: 404,
            dir_sync_refusal: true,
            page_size: 1000,
            result_size_unlimited: ResultSizeUnlimited::Honoured,
            set_response: SetResponse::EmptyCollection,
            rate_limit_headers: true,
            rate: None,
            max_concurrent: None,
            latency_ms: 0,
            page_token_lifetime_s: 1800,
            affinity: false,
            typed_mailbox: true,
            batch: BatchOrder::InOrder,
            warnings: WarningsForm::Body,
            token_lifetime_s: 3599,
            smime_config_readable: true,
            max_sst_bytes: 70_000,
            smime_config_lag: 0,
            faults: Vec::new(),
        }
    }
}

impl Switches {
    /// Refuses values out of range.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !matches!(self.not_found_status, 400 | 404) {
            return Err("switch not_found_status is neither 404 nor 400".to_owned());
        }
        if !(1..=1000).contains(&self.page_size) {
            return Err("switch page_size is not within 1 to 1000".to_owned());
        }
        if self.max_concurrent == Some(0) {
            return Err("switch max_concurrent allows no call at all".to_owned());
        }
        self.rate.map_or(Ok(()), RateLimit::check)?;
        self.faults.iter().try_for_each(Fault::check)
    }
}

/// The forms in which a JSON answer may show a `byte[]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBack {
    /// A base64 string.
    Base64,
    /// The useless text `System.Byte[]`.
    TypeName,
    /// `{"Data":[48,130,…]}`.
    Data,
    /// The property is missing from JSON; only CLIXML has it.
    ClixmlOnly,
}

/// The orders in which the answers of a batch may come; their ids tell whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchOrder {
    /// As the requests.
    InOrder,
    /// The last one first.
    Reversed,
}

/// The two places where warnings may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningsForm {
    /// `@adminapi.warnings` in the body.
    Body,
    /// The header `X-Warnings`.
    Header,
}

/// The two encodings of an error's detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorDetail {
    /// `prefix|Type|text`.
    Pipe,
    /// A JSON object as text.
    Json,
}

/// What becomes of `ResultSize: Unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultSizeUnlimited {
    /// Everything, page by page.
    Honoured,
    /// Everything in one answer without a link.
    HonouredWithoutPaging,
    /// The first 1000 and a warning.
    Ignored,
}

/// The answers a successful `Set-*` may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetResponse {
    /// 200 with `"value":[]`.
    EmptyCollection,
    /// 200 without a body.
    EmptyBody,
    /// 204.
    NoContent,
}
