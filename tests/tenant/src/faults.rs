//! Faults: what goes wrong with the next requests.

use serde::{Deserialize, Serialize};

use crate::cmdlets::Cmdlet;
use crate::errors::plain_envelope;
use crate::http::{Call, Outcome, Reply};

/// One fault and the requests it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub fault: FaultKind,
    /// How many matching requests are struck.
    #[serde(default = "one")]
    pub count: u32,
    /// How many matching requests pass unharmed before.
    #[serde(default)]
    pub after: u32,
    /// Which face it strikes.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// Only requests that run this cmdlet; admin API only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmdlet: Option<String>,
    /// Only requests with exactly this `Identity`, without case; admin API only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Whether 429, 500, 503 and 504 come before or after the effect; kinds with a moment of their own have it there.
    #[serde(default = "before")]
    pub when: When,
}

fn one() -> u32 {
    1
}

fn before() -> When {
    When::Before
}

/// The faces a fault can strike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `InvokeCommand`.
    #[default]
    Admin,
    /// The token endpoint.
    Token,
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// 429.
    Throttled {
        /// `Retry-After`, in seconds; absent: no header.
        #[serde(default)]
        retry_after_s: Option<u64>,
        /// The plain-text body about concurrent requests instead of JSON.
        #[serde(default)]
        plain_text: bool,
    },
    /// 503.
    Unavailable {
        /// `Retry-After`, in seconds; absent: no header.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// 504.
    GatewayTimeout,
    /// 500.
    ServerError,
    /// 401; every token issued so far is worth nothing from now on. Admin API only.
    TokenExpired,
    /// The same, with a claims challenge: from now on only a token that was asked for with these claims is good. Admin
    /// API only.
    ClaimsChallenge,
    /// 403 with a body of 4096 NUL bytes. Admin API only.
    Forbidden,
    /// 403 whose body claims gzip and is none. Admin API only.
    MislabelledGzip,
    /// 403 without a body; the reason is in `x-ms-diagnostics`. Admin API only.
    Diagnostics,
    /// 302; nothing done. Admin API only.
    Redirect {
        /// Where it leads.
        to: RedirectTo,
    },
    /// 404 without a word, as for a page that is gone; nothing done. Admin API only.
    Gone,
    /// 200 with no values and no link, whatever there is. Admin API only.
    EmptyPage,
    /// Everything is done, and the answer is a page of HTML.
    InvalidJson,
    /// 200 with `@adminapi.errors` and no values; nothing done. Admin API only.
    ErrorsInSuccess,
    /// Everything is done, and half of the answer's JSON arrives as if it were whole.
    TruncatedJson,
    /// The connection is cut without an answer.
    Reset {
        /// Before or after the effect.
        when: When,
    },
    /// The answer takes longer; a later fault may strike the same request.
    Slow {
        /// By how much, in milliseconds.
        ms: u64,
        /// Whether the wait lies before or after the effect.
        #[serde(default)]
        when: When,
    },
}

/// Where a redirect leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedirectTo {
    /// The same host with port 446, which clients replace by the ordinary one.
    Port446,
    /// Another host of the same cloud, with port 446.
    CloudHost,
    /// A host that is none of the cloud's.
    ForeignHost,
}

/// The moment a fault strikes, relative to the request's effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Nothing has been done.
    Before,
    /// Everything has been done.
    #[default]
    After,
}

impl Fault {
    /// This fault once, for the next request to the admin API.
    pub fn once(fault: FaultKind) -> Self {
        Self { fault, count: 1, after: 0, endpoint: Endpoint::Admin, cmdlet: None, identity: None, when: When::Before }
    }

    /// Refuses a fault that could never strike.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(name) = &self.cmdlet
            && Cmdlet::from_name(name).is_none()
        {
            return Err(format!("fault names the unknown cmdlet `{name}`"));
        }
        if self.when == When::After && !(self.endpoint == Endpoint::Admin && self.fault.may_follow_the_effect()) {
            return Err("fault has no moment after the effect".to_owned());
        }
        if self.endpoint == Endpoint::Token {
            if self.cmdlet.is_some() || self.identity.is_some() {
                return Err("fault of the token endpoint names a cmdlet or an identity".to_owned());
            }
            if self.fault.is_of_the_admin_api() {
                return Err("fault exists at the admin API only".to_owned());
            }
        }
        Ok(())
    }

    fn strikes(&self, target: &Target<'_>) -> bool {
        let names = |wanted: &Option<String>, given: Option<&str>| match wanted {
            None => true,
            Some(wanted) => given.is_some_and(|given| wanted.eq_ignore_ascii_case(given)),
        };
        self.endpoint == target.endpoint && names(&self.cmdlet, target.cmdlet) && names(&self.identity, target.identity)
    }
}

/// What is known of a request before anything is done.
pub(crate) struct Target<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) cmdlet: Option<&'a str>,
    pub(crate) identity: Option<&'a str>,
}

/// The faults that strike one request: any number of delays, then at most one other.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    pub(crate) wait_before_ms: u64,
    pub(crate) wait_after_ms: u64,
    pub(crate) fault: Option<FaultKind>,
    /// Whether what comes instead of the answer comes after the effect.
    pub(crate) after_effect: bool,
}

/// Takes the faults that strike `target` out of the list.
pub(crate) fn strike(faults: &mut Vec<Fault>, target: &Target<'_>) -> Struck {
    let mut struck = Struck::default();
    for fault in faults.iter_mut().filter(|fault| fault.count > 0 && fault.strikes(target)) {
        if fault.after > 0 {
            fault.after -= 1;
            continue;
        }
        fault.count -= 1;
        match &fault.fault {
            FaultKind::Slow { ms, when: When::Before } => struck.wait_before_ms += ms,
            FaultKind::Slow { ms, when: When::After } => struck.wait_after_ms += ms,
            other => {
                struck.fault = Some(other.clone());
                struck.after_effect = fault.when == When::After;
                break;
            }
        }
    }
    faults.retain(|fault| fault.count > 0);
    struck
}

impl FaultKind {
    fn is_of_the_admin_api(&self) -> bool {
        match self {
            Self::TokenExpired
            | Self::ClaimsChallenge
            | Self::Forbidden
            | Self::MislabelledGzip
            | Self::Diagnostics
            | Self::Redirect { .. }
            | Self::Gone
            | Self::EmptyPage
            | Self::ErrorsInSuccess => true,
            Self::Throttled { .. }
            | Self::Unavailable { .. }
            | Self::GatewayTimeout
            | Self::ServerError
            | Self::TruncatedJson
            | Self::InvalidJson
            | Self::Reset { .. }
            | Self::Slow { .. } => false,
        }
    }

    /// Whether the service may have done everything before it answers so.
    fn may_follow_the_effect(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unavailable { .. } | Self::GatewayTimeout | Self::ServerError)
    }

    /// The name the request log gives it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::Unavailable { .. } => "unavailable",
            Self::GatewayTimeout => "gateway_timeout",
            Self::ServerError => "server_error",
            Self::TokenExpired => "token_expired",
            Self::ClaimsChallenge => "claims_challenge",
            Self::Forbidden => "forbidden",
            Self::MislabelledGzip => "mislabelled_gzip",
            Self::Diagnostics => "diagnostics",
            Self::Redirect { .. } => "redirect",
            Self::Gone => "gone",
            Self::EmptyPage => "empty_page",
            Self::InvalidJson => "invalid_json",
            Self::ErrorsInSuccess => "errors_in_success",
            Self::TruncatedJson => "truncated_json",
            Self::Reset { .. } => "reset",
            Self::Slow { .. } => "slow",
        }
    }
}

impl Struck {
    /// What the request log says of it.
    pub(crate) fn name(&self) -> Option<String> {
        let waits = self.wait_before_ms > 0 || self.wait_after_ms > 0;
        self.fault.as_ref().map(FaultKind::name).or(waits.then_some("slow")).map(str::to_owned)
    }

    /// What comes instead of the answer.
    pub(crate) fn instead(&self) -> Option<Outcome> {
        let reply = match self.fault.as_ref()? {
            FaultKind::Throttled { retry_after_s, plain_text: true } => retry_after(crowded(), *retry_after_s),
            FaultKind::Throttled { retry_after_s, plain_text: false } => {
                retry_after(plain_reply(429, "TooManyRequests", "Too many requests."), *retry_after_s)
            }
            FaultKind::Unavailable { retry_after_s } => {
                retry_after(plain_reply(503, "ServiceUnavailable", "The service is unavailable."), *retry_after_s)
            }
            FaultKind::GatewayTimeout => plain_reply(504, "GatewayTimeout", "The gateway did not answer in time."),
            FaultKind::ServerError => plain_reply(500, "InternalServerError", "An internal server error occurred."),
            FaultKind::Forbidden => nul_reply(),
            FaultKind::MislabelledGzip => nul_reply().with_header("content-encoding", "gzip"),
            FaultKind::Diagnostics => Reply::empty(403).with_header("x-ms-diagnostics", DIAGNOSTICS),
            FaultKind::Gone => Reply::empty(404),
            FaultKind::Reset { when: When::Before } => return Some(Outcome::Cut),
            FaultKind::TokenExpired
            | FaultKind::ClaimsChallenge
            | FaultKind::ErrorsInSuccess
            | FaultKind::TruncatedJson
            | FaultKind::InvalidJson
            | FaultKind::EmptyPage
            | FaultKind::Redirect { .. }
            | FaultKind::Reset { when: When::After }
            | FaultKind::Slow { .. } => return None,
        };
        Some(Outcome::Reply(reply))
    }
}

const CONCURRENCY_TEXT: &str = "You have reached the maximum number of concurrent requests per tenant. Please wait and \
                                try again.";

const DIAGNOSTICS: &str =
    "2000003;reason=\"The application does not hold a role that allows this command.\";error_category=\"invalid_role\"";

/// 429 in plain text, as for too many calls at a time.
pub(crate) fn crowded() -> Reply {
    Reply {
        status: 429,
        headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())],
        body: CONCURRENCY_TEXT.as_bytes().to_vec(),
    }
}

/// 429 with the seconds to wait.
pub(crate) fn throttled(seconds: u64) -> Reply {
    retry_after(plain_reply(429, "TooManyRequests", "Too many requests."), Some(seconds))
}

/// 302 to where a redirect of this request leads.
pub(crate) fn redirect(call: &Call, to: RedirectTo) -> Reply {
    Reply::empty(302).with_header("location", location(call, to))
}

fn location(call: &Call, to: RedirectTo) -> String {
    let host = call.header("host").unwrap_or("localhost");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let (scheme, host) = match to {
        RedirectTo::Port446 => (call.base_url.split(':').next().unwrap_or("https"), name),
        RedirectTo::CloudHost => ("https", "eurpr00mb0001.outlook.com"),
        RedirectTo::ForeignHost => ("https", "outlook.office365.com.foreign.example"),
    };
    let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish();
    let query = if query.is_empty() { query } else { format!("?{query}") };
    format!("{scheme}://{host}:446{}{query}", call.path)
}

fn retry_after(reply: Reply, seconds: Option<u64>) -> Reply {
    match seconds {
        Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
        None => reply,
    }
}

fn plain_reply(status: u16, code: &'static str, message: &'static str) -> Reply {
    Reply::json(status, "application/json; charset=utf-8", &plain_envelope(code, message))
}

/// 403 as the service gives it: no word, only NUL bytes.
pub(crate) fn nul_reply() -> Reply {
    Reply { status: 403, headers: vec![("content-type", "application/json".to_owned())], body: vec![0; 4096] }
}
