//! One error for every room: a stable code, what it is about, and whether trying again can help.
//!
//! The list of codes below is the only one. cbindgen puts it into the header, `about_SmimeSync_Errors` is made from it,
//! and the sentence that belongs to a code is found in `src/text/` under `error.<name>`.

use std::fmt;

use crate::text::{Culture, Text};

/// Every code that an error or an event can carry. Numbers are never reused; -1..-99 are free for hosts.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The configuration is not JSON.
    ConfigSyntax = -101,
    /// The configuration has a key that does not exist.
    ConfigUnknownKey = -102,
    /// A configuration value has the wrong type.
    ConfigType = -103,
    /// A configuration value is out of its range.
    ConfigValue = -104,
    /// The verb needs a configuration value that is absent.
    ConfigMissing = -105,
    /// A secret's file can be read by others than its owner.
    ConfigSecretExposed = -106,
    /// The configuration asks for something this version cannot do.
    ConfigUnsupported = -107,
    /// A file named in the configuration or the options does not exist.
    FileNotFound = -108,
    /// A file exists and cannot be read.
    FileUnreadable = -109,
    /// What would be removed could not be saved before.
    BackupFailed = -110,
    /// A file cannot be written.
    FileUnwritable = -114,
    /// A file that should be written is there already.
    FileExists = -115,
    /// The options are not JSON.
    OptionSyntax = -121,
    /// An option does not exist.
    OptionUnknown = -122,
    /// An option has the wrong type.
    OptionType = -123,
    /// An option's value is out of its range.
    OptionValue = -124,
    /// No connection to the directory.
    DirectoryUnreachable = -201,
    /// The directory did not answer in time.
    DirectoryTimeout = -202,
    /// The directory's TLS certificate is not trusted.
    DirectoryTls = -203,
    /// The directory refused the credentials.
    DirectoryAuth = -204,
    /// The account may not read what was asked for.
    DirectoryDenied = -205,
    /// The directory's answer could not be understood.
    DirectoryProtocol = -206,
    /// The read ended before everything was read.
    DirectoryIncomplete = -207,
    /// A named person does not exist in the directory.
    DirectoryNotFound = -208,
    /// A named person exists more than once.
    DirectoryAmbiguous = -209,
    /// The LDIF file breaks RFC 2849.
    LdifSyntax = -210,
    /// The LDIF file holds change records instead of content records.
    LdifChangeRecord = -211,
    /// A password would travel over an unencrypted connection.
    DirectoryPlaintext = -212,
    /// The LDAP filter cannot be parsed.
    DirectoryFilter = -213,
    /// The client certificate for the directory, or its key, cannot be used.
    DirectoryCertificate = -214,
    /// The directory refused a change.
    DirectoryRefused = -220,
    /// After a change the directory does not hold what it should.
    DirectoryVerify = -221,
    /// No connection to Exchange Online or to its token endpoint.
    ExchangeUnreachable = -301,
    /// Exchange Online did not answer in time.
    ExchangeTimeout = -302,
    /// The TLS certificate of Exchange Online or its token endpoint is not trusted.
    ExchangeTls = -303,
    /// Sign-in was refused, or the token is not accepted.
    ExchangeAuth = -304,
    /// The application lacks a right.
    ExchangeDenied = -305,
    /// Exchange Online asks to wait.
    ExchangeThrottled = -306,
    /// The answer of Exchange Online could not be understood.
    ExchangeProtocol = -307,
    /// The recipient does not exist.
    ExchangeNotFound = -308,
    /// The identity stands for several recipients.
    ExchangeAmbiguous = -309,
    /// Exchange Online refused the command.
    ExchangeRefused = -310,
    /// A list of recipients ended before its end.
    ExchangeIncomplete = -311,
    /// The recipient is mastered on-premises and refuses the write.
    ExchangeDirSynced = -312,
    /// What was read back differs from what was written.
    ExchangeVerify = -313,
    /// The certificates of a recipient cannot be read in any known form.
    ExchangeUnreadable = -314,
    /// The application's certificate, or its key, cannot be used to sign in.
    ExchangeCertificate = -315,
    /// This machine's managed identity gave no token.
    ExchangeIdentity = -316,
    /// The collection of authorities that the tenant trusts cannot be read.
    ExchangeIssuers = -331,
    /// The collection of authorities would be larger than the tenant takes.
    ExchangeIssuersTooLarge = -332,
    /// A file that should hold certificates or CRLs holds none that can be read.
    TrustUnreadable = -401,
    /// The store cannot be opened.
    StoreOpen = -501,
    /// The store failed.
    StoreFailed = -502,
    /// The store was made by a newer version.
    StoreVersion = -503,
    /// Another process holds the lock.
    StoreLocked = -504,
    /// The run does not exist.
    RunNotFound = -505,
    /// The change does not exist in its run.
    ChangeNotFound = -506,
    /// A recipient is no longer as the compared run found it.
    ChangeStale = -507,
    /// A guard stopped the run before its first write.
    GuardStopped = -601,
    /// A defect of this library.
    Internal = -701,
    /// The handle was poisoned by an earlier defect.
    Poisoned = -702,
    /// The caller cancelled.
    Cancelled = -703,
    /// Text handed in is not UTF-8.
    InvalidUtf8 = -704,
    /// A pointer handed in is NULL.
    NullPointer = -705,
    /// A column does not exist or has another type.
    ColumnMismatch = -706,
    /// Event: the limit of rows was reached, there is more.
    LimitReached = -801,
    /// Event: people were read.
    PeopleRead = -802,
    /// Event: recipients were read.
    RecipientsRead = -803,
    /// Event: a run began.
    RunStarted = -804,
    /// Event: a run ended.
    RunEnded = -805,
    /// Event: a request is repeated after waiting.
    Retrying = -806,
    /// Event: a recipient had changed since it was read and was planned anew.
    PlannedAnew = -807,
    /// Event: the scope changed, so nobody is taken for vanished.
    ScopeChanged = -808,
    /// Event: a place that a certificate names gave no issuer, CRL or OCSP answer.
    EvidenceUnavailable = -809,
    /// Event: everybody is read instead of what changed.
    EverybodyRead = -820,
    /// Event: this read leaves no place from which changes can be read, so the next one reads everybody as well.
    NoCursor = -821,
    /// Event: the account may not see deleted objects, so deletions are found by the next complete read.
    DeletionsUnseen = -822,
    /// Event: a server failed while it was read from, and another one was read from its beginning.
    ServerReplaced = -825,
    /// Event: it cannot be confirmed that people have no certificates any more, so none of theirs is taken for gone.
    CertificatesUnread = -826,
    /// Event: the tenant has no collection of authorities, so no verdict is held against one.
    TenantIssuersAbsent = -841,
    /// Event: the tenant's collection of authorities cannot be read, so no verdict is held against it.
    TenantIssuersUnread = -842,
    /// Event: the tenant's collection of authorities holds one that has expired.
    TenantIssuersExpired = -843,
    /// Event: what the tenant makes of certificates that people publish.
    TenantFinding = -844,
}

/// What kind of trouble it is; hosts map it to their own classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// What was named does not exist.
    NotFound,
    /// What was named stands for several.
    Ambiguous,
    /// An argument is wrong.
    Invalid,
    /// Credentials were refused.
    Auth,
    /// A right is missing.
    Denied,
    /// The network failed.
    Network,
    /// Time ran out.
    Timeout,
    /// The service asks for patience.
    Throttled,
    /// A TLS certificate is not trusted, or a certificate file cannot be used.
    Certificate,
    /// Something changed meanwhile.
    Conflict,
    /// Somebody else holds the lock.
    Locked,
    /// A guard stopped the run.
    Guard,
    /// The directory was not read to its end.
    DirectoryIncomplete,
    /// The store failed.
    Store,
    /// The caller cancelled.
    Cancelled,
    /// This version cannot do it.
    Unsupported,
    /// The configuration is wrong.
    Config,
    /// A defect of this library.
    Internal,
}

/// Which part of the work it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The configuration.
    Config,
    /// The directory people come from.
    Directory,
    /// Exchange Online.
    Exchange,
    /// Anchors, intermediates, CRLs.
    Trust,
    /// The store.
    Store,
    /// The caller or this library itself.
    Host,
}

impl Category {
    /// The name at the ABI, as the contract lists it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Ambiguous => "ambiguous",
            Self::Invalid => "invalid",
            Self::Auth => "auth",
            Self::Denied => "denied",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Throttled => "throttled",
            Self::Certificate => "certificate",
            Self::Conflict => "conflict",
            Self::Locked => "locked",
            Self::Guard => "guard",
            Self::DirectoryIncomplete => "directory_incomplete",
            Self::Store => "store",
            Self::Cancelled => "cancelled",
            Self::Unsupported => "unsupported",
            Self::Config => "config",
            Self::Internal => "internal",
        }
    }
}

impl Area {
    /// The name at the ABI, as the contract lists it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Directory => "directory",
            Self::Exchange => "exchange",
            Self::Trust => "trust",
            Self::Store => "store",
            Self::Host => "host",
        }
    }
}

/// What is known of a code besides its number.
#[derive(Debug, Clone, Copy)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// Its name: in texts (`error.<name>`), in tests, in documentation.
    pub name: &'static str,
    /// Its area.
    pub area: Area,
    /// Its category.
    pub category: Category,
    /// Whether the same call may succeed later without anything being mended.
    pub transient: bool,
}

const fn info(code: Code, name: &'static str, area: Area, category: Category, transient: bool) -> CodeInfo {
    CodeInfo { code, name, area, category, transient }
}

/// All codes in the order of their numbers.
pub const CODES: &[CodeInfo] = &[
    info(Code::ConfigSyntax, "config_syntax", Area::Config, Category::Config, false),
    info(Code::ConfigUnknownKey, "config_unknown_key", Area::Config, Category::Config, false),
    info(Code::ConfigType, "config_type", Area::Config, Category::Config, false),
    info(Code::ConfigValue, "config_value", Area::Config, Category::Config, false),
    info(Code::ConfigMissing, "config_missing", Area::Config, Category::Config, false),
    info(Code::ConfigSecretExposed, "config_secret_exposed", Area::Config, Category::Config, false),
    info(Code::ConfigUnsupported, "config_unsupported", Area::Config, Category::Unsupported, false),
    info(Code::FileNotFound, "file_not_found", Area::Config, Category::NotFound, false),
    info(Code::FileUnreadable, "file_unreadable", Area::Config, Category::Config, false),
    info(Code::BackupFailed, "backup_failed", Area::Store, Category::Store, false),
    info(Code::FileUnwritable, "file_unwritable", Area::Host, Category::Config, false),
    info(Code::FileExists, "file_exists", Area::Host, Category::Conflict, false),
    info(Code::OptionSyntax, "option_syntax", Area::Host, Category::Invalid, false),
    info(Code::OptionUnknown, "option_unknown", Area::Host, Category::Invalid, false),
    info(Code::OptionType, "option_type", Area::Host, Category::Invalid, false),
    info(Code::OptionValue, "option_value", Area::Host, Category::Invalid, false),
    info(Code::DirectoryUnreachable, "directory_unreachable", Area::Directory, Category::Network, true),
    info(Code::DirectoryTimeout, "directory_timeout", Area::Directory, Category::Timeout, true),
    info(Code::DirectoryTls, "directory_tls", Area::Directory, Category::Certificate, false),
    info(Code::DirectoryAuth, "directory_auth", Area::Directory, Category::Auth, false),
    info(Code::DirectoryDenied, "directory_denied", Area::Directory, Category::Denied, false),
    info(Code::DirectoryProtocol, "directory_protocol", Area::Directory, Category::Network, true),
    info(Code::DirectoryIncomplete, "directory_incomplete", Area::Directory, Category::DirectoryIncomplete, true),
    info(Code::DirectoryNotFound, "directory_not_found", Area::Directory, Category::NotFound, false),
    info(Code::DirectoryAmbiguous, "directory_ambiguous", Area::Directory, Category::Ambiguous, false),
    info(Code::LdifSyntax, "ldif_syntax", Area::Directory, Category::Invalid, false),
    info(Code::LdifChangeRecord, "ldif_change_record", Area::Directory, Category::Unsupported, false),
    info(Code::DirectoryPlaintext, "directory_plaintext", Area::Config, Category::Config, false),
    info(Code::DirectoryFilter, "directory_filter", Area::Directory, Category::Invalid, false),
    info(Code::DirectoryCertificate, "directory_certificate", Area::Directory, Category::Certificate, false),
    info(Code::DirectoryRefused, "directory_refused", Area::Directory, Category::Invalid, false),
    info(Code::DirectoryVerify, "directory_verify", Area::Directory, Category::Conflict, true),
    info(Code::ExchangeUnreachable, "exchange_unreachable", Area::Exchange, Category::Network, true),
    info(Code::ExchangeTimeout, "exchange_timeout", Area::Exchange, Category::Timeout, true),
    info(Code::ExchangeTls, "exchange_tls", Area::Exchange, Category::Certificate, false),
    info(Code::ExchangeAuth, "exchange_auth", Area::Exchange, Category::Auth, false),
    info(Code::ExchangeDenied, "exchange_denied", Area::Exchange, Category::Denied, false),
    info(Code::ExchangeThrottled, "exchange_throttled", Area::Exchange, Category::Throttled, true),
    info(Code::ExchangeProtocol, "exchange_protocol", Area::Exchange, Category::Network, true),
    info(Code::ExchangeNotFound, "exchange_not_found", Area::Exchange, Category::NotFound, false),
    info(Code::ExchangeAmbiguous, "exchange_ambiguous", Area::Exchange, Category::Ambiguous, false),
    info(Code::ExchangeRefused, "exchange_refused", Area::Exchange, Category::Invalid, false),
    info(Code::ExchangeIncomplete, "exchange_incomplete", Area::Exchange, Category::Network, true),
    info(Code::ExchangeDirSynced, "exchange_dir_synced", Area::Exchange, Category::Denied, false),
    info(Code::ExchangeVerify, "exchange_verify", Area::Exchange, Category::Conflict, true),
    info(Code::ExchangeUnreadable, "exchange_unreadable", Area::Exchange, Category::Unsupported, false),
    info(Code::ExchangeCertificate, "exchange_certificate", Area::Exchange, Category::Certificate, false),
    info(Code::ExchangeIdentity, "exchange_identity", Area::Exchange, Category::Auth, false),
    info(Code::ExchangeIssuers, "exchange_issuers", Area::Exchange, Category::Unsupported, false),
    info(Code::ExchangeIssuersTooLarge, "exchange_issuers_too_large", Area::Exchange, Category::Invalid, false),
    info(Code::TrustUnreadable, "trust_unreadable", Area::Trust, Category::Certificate, false),
    info(Code::StoreOpen, "store_open", Area::Store, Category::Store, false),
    info(Code::StoreFailed, "store_failed", Area::Store, Category::Store, false),
    info(Code::StoreVersion, "store_version", Area::Store, Category::Store, false),
    info(Code::StoreLocked, "store_locked", Area::Store, Category::Locked, true),
    info(Code::RunNotFound, "run_not_found", Area::Store, Category::NotFound, false),
    info(Code::ChangeNotFound, "change_not_found", Area::Store, Category::NotFound, false),
    info(Code::ChangeStale, "change_stale", Area::Exchange, Category::Conflict, false),
    info(Code::GuardStopped, "guard_stopped", Area::Host, Category::Guard, false),
    info(Code::Internal, "internal", Area::Host, Category::Internal, false),
    info(Code::Poisoned, "poisoned", Area::Host, Category::Internal, false),
    info(Code::Cancelled, "cancelled", Area::Host, Category::Cancelled, false),
    info(Code::InvalidUtf8, "invalid_utf8", Area::Host, Category::Invalid, false),
    info(Code::NullPointer, "null_pointer", Area::Host, Category::Invalid, false),
    info(Code::ColumnMismatch, "column_mismatch", Area::Host, Category::Invalid, false),
    info(Code::LimitReached, "limit_reached", Area::Host, Category::Invalid, false),
    info(Code::PeopleRead, "people_read", Area::Directory, Category::Invalid, false),
    info(Code::RecipientsRead, "recipients_read", Area::Exchange, Category::Invalid, false),
    info(Code::RunStarted, "run_started", Area::Host, Category::Invalid, false),
    info(Code::RunEnded, "run_ended", Area::Host, Category::Invalid, false),
    info(Code::Retrying, "retrying", Area::Exchange, Category::Invalid, false),
    info(Code::PlannedAnew, "planned_anew", Area::Exchange, Category::Invalid, false),
    info(Code::ScopeChanged, "scope_changed", Area::Directory, Category::Invalid, false),
    info(Code::EvidenceUnavailable, "evidence_unavailable", Area::Trust, Category::Network, true),
    info(Code::EverybodyRead, "everybody_read", Area::Directory, Category::Invalid, false),
    info(Code::NoCursor, "no_cursor", Area::Directory, Category::Invalid, false),
    info(Code::DeletionsUnseen, "deletions_unseen", Area::Directory, Category::Invalid, false),
    info(Code::ServerReplaced, "server_replaced", Area::Directory, Category::Network, false),
    info(Code::CertificatesUnread, "certificates_unread", Area::Directory, Category::Denied, false),
    info(Code::TenantIssuersAbsent, "tenant_issuers_absent", Area::Exchange, Category::Invalid, false),
    info(Code::TenantIssuersUnread, "tenant_issuers_unread", Area::Exchange, Category::Invalid, false),
    info(Code::TenantIssuersExpired, "tenant_issuers_expired", Area::Exchange, Category::Invalid, false),
    info(Code::TenantFinding, "tenant_finding", Area::Exchange, Category::Invalid, false),
];

impl Code {
    /// The number at the ABI.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The code of a number, as the store keeps it; `None` for a number of a newer version.
    pub fn from_number(number: i32) -> Option<Self> {
        CODES.iter().map(|info| info.code).find(|code| code.number() == number)
    }

    /// What else is known of it.
    pub fn info(self) -> &'static CodeInfo {
        const UNLISTED: CodeInfo = info(Code::Internal, "internal", Area::Host, Category::Internal, false);
        CODES.iter().find(|info| info.code == self).unwrap_or(&UNLISTED)
    }
}

/// What went wrong. Its sentence is made on demand, in the culture of whoever reads it.
#[derive(Debug, Clone)]
pub struct Error {
    code: Code,
    details: Box<Details>,
}

#[derive(Debug, Clone, Default)]
struct Details {
    parameters: Vec<(&'static str, String)>,
    target: Option<String>,
    retry_after_ms: Option<i64>,
    request_id: Option<String>,
    connection_id: Option<String>,
    passing: bool,
    location: Option<String>,
    remedy: Option<Text>,
}

impl Error {
    /// An error of this code, with nothing else known yet.
    pub fn new(code: Code) -> Self {
        Self { code, details: Box::default() }
    }

    /// Adds a named parameter of the code's sentence. Never a secret.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.parameters.push((name, one_line(&value.into())));
        self
    }

    /// Names what it is about: a JSON pointer, a file, a URL, a DN, an identity.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.details.target = Some(target.into());
        self
    }

    /// Says how long the service asked to wait, in milliseconds.
    #[must_use]
    pub fn retry_after_ms(mut self, milliseconds: i64) -> Self {
        self.details.retry_after_ms = Some(milliseconds);
        self
    }

    /// Keeps the service's own id of the request.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.details.request_id = Some(id.into());
        self
    }

    /// Keeps the id of the connection the request belonged to, as the service's records have it.
    #[must_use]
    pub fn connection_id(mut self, id: impl Into<String>) -> Self {
        self.details.connection_id = Some(id.into());
        self
    }

    /// Says that this one passes by itself, whatever others of its code do.
    #[must_use]
    pub fn passing(mut self) -> Self {
        self.details.passing = true;
        self
    }

    /// Says where in this library it happened; for defects only.
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.details.location = Some(location.into());
        self
    }

    /// Says what mends it, where that is known.
    #[must_use]
    pub fn remedy(mut self, remedy: Text) -> Self {
        self.details.remedy = Some(remedy);
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The category of the code.
    pub fn category(&self) -> Category {
        self.code.info().category
    }

    /// The area of the code.
    pub fn area(&self) -> Area {
        self.code.info().area
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.details.passing || self.code.info().transient
    }

    /// Whether this one was said to pass by itself.
    pub fn is_passing(&self) -> bool {
        self.details.passing
    }

    /// What it is about, if anything can be named.
    pub fn get_target(&self) -> Option<&str> {
        self.details.target.as_deref()
    }

    /// How long the service asked to wait, in milliseconds.
    pub fn get_retry_after_ms(&self) -> Option<i64> {
        self.details.retry_after_ms
    }

    /// The service's id of the request.
    pub fn get_request_id(&self) -> Option<&str> {
        self.details.request_id.as_deref()
    }

    /// The id of the connection the request belonged to.
    pub fn get_connection_id(&self) -> Option<&str> {
        self.details.connection_id.as_deref()
    }

    /// Where in this library it happened.
    pub fn get_location(&self) -> Option<&str> {
        self.details.location.as_deref()
    }

    /// What mends it, where that is known.
    pub fn get_remedy(&self) -> Option<&Text> {
        self.details.remedy.as_ref()
    }

    /// The sentence in a culture, and what mends it where that is known.
    pub fn message(&self, culture: Culture) -> String {
        let sentence = self.text().render(culture);
        match &self.details.remedy {
            Some(remedy) => format!("{sentence}; {}", remedy.render(culture)),
            None => sentence,
        }
    }

    /// The sentence without a remedy, before it is put into a language.
    pub fn text(&self) -> Text {
        Text::new("error", self.code.info().name, self.details.parameters.clone())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message(Culture::default()))
    }
}

impl std::error::Error for Error {}

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Words of a service go into a one-line message, whatever they hold.
fn one_line(words: &str) -> String {
    words.split(|c: char| c.is_control()).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_descend() {
        let mut names = std::collections::BTreeSet::new();
        for pair in CODES.windows(2) {
            assert!(pair[0].code.number() > pair[1].code.number(), "{} before {}", pair[0].name, pair[1].name);
        }
        for info in CODES {
            assert!(names.insert(info.name), "{} twice", info.name);
            assert_eq!(info.code.info().name, info.name);
            assert_eq!(Code::from_number(info.code.number()), Some(info.code));
        }
    }

    #[test]
    fn foreign_words_cannot_break_the_line() {
        let error = Error::new(Code::ExchangeRefused).with("detail", "first\r\nsecond\u{0}");
        assert!(error.to_string().contains("first second"));
        assert!(!error.to_string().contains(char::is_control));
    }
}
