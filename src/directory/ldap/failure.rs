//! What failures of ldap3 and of the server itself mean.

use ldap3::{LdapError, LdapResult};

use crate::error::{Code, Error};
use crate::text::{Culture, Text};

/// What was being done when the server answered with a result code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Binding.
    Bind,
    /// Searching.
    Search,
    /// Changing an entry.
    Modify,
}

/// Result codes (RFC 4511 4.1.9) that are told apart here.
pub(super) const SUCCESS: u32 = 0;
const OPERATIONS_ERROR: u32 = 1;
const TIME_LIMIT_EXCEEDED: u32 = 3;
const SIZE_LIMIT_EXCEEDED: u32 = 4;
const AUTH_METHOD_NOT_SUPPORTED: u32 = 7;
const STRONGER_AUTH_REQUIRED: u32 = 8;
const REFERRAL: u32 = 10;
const ADMIN_LIMIT_EXCEEDED: u32 = 11;
const CONFIDENTIALITY_REQUIRED: u32 = 13;
pub(super) const NO_SUCH_OBJECT: u32 = 32;
pub(super) const INVALID_DN_SYNTAX: u32 = 34;
const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
const INVALID_CREDENTIALS: u32 = 49;
pub(super) const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;
const UNWILLING_TO_PERFORM: u32 = 53;
/// RFC 4528 2.
pub(super) const ASSERTION_FAILED: u32 = 122;

/// What a result other than success means.
pub(super) fn of_result(result: &LdapResult, doing: Doing) -> Error {
    let code = match (doing, result.rc) {
        (_, BUSY | UNAVAILABLE) => Code::DirectoryUnreachable,
        (
            Doing::Bind,
            INVALID_CREDENTIALS
            | AUTH_METHOD_NOT_SUPPORTED
            | STRONGER_AUTH_REQUIRED
            | CONFIDENTIALITY_REQUIRED
            | INAPPROPRIATE_AUTHENTICATION,
        ) => Code::DirectoryAuth,
        // a referral that is not followed leaves out what is behind it
        (Doing::Search, TIME_LIMIT_EXCEEDED | SIZE_LIMIT_EXCEEDED | ADMIN_LIMIT_EXCEEDED | REFERRAL) => {
            Code::DirectoryIncomplete
        }
        (
            _,
            INSUFFICIENT_ACCESS_RIGHTS
            | UNWILLING_TO_PERFORM
            | STRONGER_AUTH_REQUIRED
            | CONFIDENTIALITY_REQUIRED
            | INAPPROPRIATE_AUTHENTICATION,
        ) => Code::DirectoryDenied,
        (Doing::Modify, 1..) => Code::DirectoryRefused,
        (Doing::Search, OPERATIONS_ERROR) if refuses_anonymous(&result.text) => Code::DirectoryDenied,
        _ => Code::DirectoryProtocol,
    };
    let words = words(result);
    let detail = match bind_reason(result).filter(|_| code == Code::DirectoryAuth) {
        Some(reason) => format!("{} ({words})", reason.render(Culture::default())),
        None => words,
    };
    Error::new(code).with("detail", detail)
}

/// Whether these are Active Directory's or Samba's words for a search that an anonymous bind may not make.
fn refuses_anonymous(words: &str) -> bool {
    words.contains("a successful bind must be completed") || words.contains("without authentication")
}

/// Why a bind was refused, where the result tells: by its code, or by Active Directory's sub-code in its words
/// (`..., data 52e, v1db1`).
fn bind_reason(result: &LdapResult) -> Option<Text> {
    if matches!(result.rc, STRONGER_AUTH_REQUIRED | CONFIDENTIALITY_REQUIRED) {
        return Some(Text::plain("check", "directory_bind_protection"));
    }
    let (_, rest) = result.text.split_once("data ")?;
    let name = match rest.split(|c: char| !c.is_ascii_alphanumeric()).next()? {
        "525" => "directory_bind_525",
        "52e" => "directory_bind_52e",
        "530" => "directory_bind_530",
        "531" => "directory_bind_531",
        "532" => "directory_bind_532",
        "533" => "directory_bind_533",
        "701" => "directory_bind_701",
        "773" => "directory_bind_773",
        "775" => "directory_bind_775",
        "80090346" => "directory_bind_80090346",
        _ => return None,
    };
    Some(Text::plain("check", name))
}

/// The result's number, its name and the server's own words.
fn words(result: &LdapResult) -> String {
    let name = match result.rc {
        OPERATIONS_ERROR => "operationsError",
        2 => "protocolError",
        TIME_LIMIT_EXCEEDED => "timeLimitExceeded",
        SIZE_LIMIT_EXCEEDED => "sizeLimitExceeded",
        AUTH_METHOD_NOT_SUPPORTED => "authMethodNotSupported",
        STRONGER_AUTH_REQUIRED => "strongerAuthRequired",
        REFERRAL => "referral",
        ADMIN_LIMIT_EXCEEDED => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        CONFIDENTIALITY_REQUIRED => "confidentialityRequired",
        NO_SUCH_OBJECT => "noSuchObject",
        INVALID_DN_SYNTAX => "invalidDNSyntax",
        INAPPROPRIATE_AUTHENTICATION => "inappropriateAuthentication",
        INVALID_CREDENTIALS => "invalidCredentials",
        INSUFFICIENT_ACCESS_RIGHTS => "insufficientAccessRights",
        BUSY => "busy",
        UNAVAILABLE => "unavailable",
        UNWILLING_TO_PERFORM => "unwillingToPerform",
        _ => "result",
    };
    let mut words = format!("{name} ({})", result.rc);
    if !result.text.trim_matches(['\0', ' ']).is_empty() {
        words.push_str(": ");
        words.push_str(result.text.trim_matches(['\0', ' ']));
    }
    if result.rc == REFERRAL && !result.refs.is_empty() {
        words.push_str(": ");
        words.push_str(&result.refs.join(", "));
    }
    words
}

/// What a failure of the library means; `None` where only the end of its connection can tell.
pub(super) fn of_library(error: LdapError, doing: Doing) -> Option<Error> {
    Some(match error {
        LdapError::Timeout { .. } => Error::new(Code::DirectoryTimeout),
        LdapError::LdapResult { result } => of_result(&result, doing),
        // what it reads and writes is the relay, which knows more
        LdapError::Io { .. }
        | LdapError::EndOfStream
        | LdapError::OpSend { .. }
        | LdapError::ResultRecv { .. }
        | LdapError::IdScrubSend { .. }
        | LdapError::MiscSend { .. } => return None,
        other => Error::new(Code::DirectoryProtocol).with("detail", other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult { rc, matched: String::new(), text: text.into(), refs: Vec::new(), ctrls: Vec::new() }
    }

    #[test]
    fn active_directory_s_sub_codes_are_put_into_words() {
        for code in ["525", "52e", "530", "531", "532", "533", "701", "773", "775", "80090346"] {
            let words =
                format!("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {code}, v1db1");
            let error = of_result(&result(INVALID_CREDENTIALS, &words), Doing::Bind);
            assert_eq!(error.code(), Code::DirectoryAuth);
            assert!(error.to_string().contains(&words) && !error.to_string().contains("check.directory"), "{error}");
        }
        assert_eq!(bind_reason(&result(INVALID_CREDENTIALS, "data 999, v1")), None);
        assert_eq!(bind_reason(&result(INVALID_CREDENTIALS, "invalid credentials")), None);
        assert!(bind_reason(&result(STRONGER_AUTH_REQUIRED, "data 0, v4563")).is_some());
    }

    #[test]
    fn result_codes_become_codes() {
        for (doing, rc, code) in [
            (Doing::Search, 3, Code::DirectoryIncomplete),
            (Doing::Search, 4, Code::DirectoryIncomplete),
            (Doing::Search, 10, Code::DirectoryIncomplete),
            (Doing::Search, 11, Code::DirectoryIncomplete),
            (Doing::Search, 50, Code::DirectoryDenied),
            (Doing::Search, 51, Code::DirectoryUnreachable),
            (Doing::Search, 80, Code::DirectoryProtocol),
            (Doing::Bind, 8, Code::DirectoryAuth),
            (Doing::Bind, 49, Code::DirectoryAuth),
            (Doing::Bind, 52, Code::DirectoryUnreachable),
            (Doing::Bind, 53, Code::DirectoryDenied),
        ] {
            assert_eq!(of_result(&result(rc, ""), doing).code(), code, "{doing:?} {rc}");
        }
        let anonymous = "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection.";
        assert_eq!(of_result(&result(1, anonymous), Doing::Search).code(), Code::DirectoryDenied);
    }
}
