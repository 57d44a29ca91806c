//! The configuration's values. Names and defaults are the contract's (section 2).

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

use super::Secret;
use super::read::text_or;

/// The whole configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    /// BCP 47 name of the language of all sentences.
    pub culture: Option<String>,
    /// What file names are relative to; the working directory if absent.
    pub base_dir: Option<PathBuf>,
    /// Where people come from.
    pub directory: Option<Directory>,
    /// Several directories; instead of `directory`.
    pub directories: Vec<Directory>,
    /// Where certificates go.
    pub exchange: Option<Exchange>,
    /// What certificates are trusted by.
    pub trust: Trust,
    /// How revocation is learned.
    pub revocation: Revocation,
    /// What is published.
    pub policy: Policy,
    /// What stops a run.
    pub guard: Guard,
    /// What survives a run.
    pub store: Store,
    /// Where log lines go.
    pub log: Log,
}

/// Kind of directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryKind {
    /// A live server.
    #[default]
    Ldap,
    /// An export (RFC 2849).
    Ldif,
}

/// A directory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Directory {
    /// A live server or an export.
    pub kind: DirectoryKind,
    /// The export's file.
    pub path: Option<PathBuf>,
    /// DNS domain whose servers are looked up.
    pub domain: Option<String>,
    /// Site whose servers come first.
    pub site: Option<String>,
    /// Servers, `ldap://`, `ldaps://` or `ldapi://`, tried in order.
    pub urls: Vec<String>,
    /// DN below which people are.
    pub base: Option<String>,
    /// Credentials.
    pub bind: Bind,
    /// TLS by the StartTLS operation on `ldap://`.
    pub start_tls: bool,
    /// Authorities that may vouch for the server.
    pub ca_files: Vec<PathBuf>,
    /// Whether the operating system's authorities may, too.
    pub os_store: bool,
    /// Further LDAP filter people must match.
    pub filter: Option<String>,
    /// Several DNs below which people are; instead of `base`.
    pub bases: Vec<String>,
    /// DN of a group whose members are meant.
    pub group: Option<String>,
    /// Attribute whose value is the source anchor.
    pub source_anchor: Option<String>,
    /// Entries per page.
    pub page_size: Option<u32>,
    /// Milliseconds for connecting and for each answer.
    pub timeout_ms: Option<u64>,
    /// How changes are read.
    pub changes: Changes,
}

/// How changes are read from a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changes {
    /// By the best way the server has.
    #[default]
    Auto,
    /// By Active Directory's DirSync control.
    Dirsync,
    /// By `uSNChanged`.
    Usn,
    /// By RFC 4533.
    Syncrepl,
    /// Not at all: every read is complete.
    None,
}

/// How to bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BindMethod {
    /// Name and password (RFC 4513 5.1.3).
    #[default]
    Simple,
    /// Kerberos.
    Gssapi,
    /// Who the connection itself says: the TLS client certificate, or this process at a local socket (RFC 4422 A).
    External,
    /// Nobody (RFC 4513 5.1.1).
    Anonymous,
}

/// Credentials for a directory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Bind {
    /// How to bind.
    pub method: BindMethod,
    /// DN, UPN or `DOMAIN\user`.
    pub user: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Kerberos keytab.
    pub keytab: Option<PathBuf>,
    /// Client certificate and key for TLS.
    pub certificate_file: Option<PathBuf>,
    /// Password of that file.
    pub certificate_password: Option<Secret>,
    /// Whether a password may travel without TLS.
    pub allow_plaintext: bool,
}

/// Exchange Online.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Exchange {
    /// The tenant's domain or GUID.
    pub organization: Option<String>,
    /// The cloud.
    pub environment: Environment,
    /// How to sign in.
    pub auth: Auth,
    /// Replaces scheme, host and port of the admin API.
    pub admin_url: Option<String>,
    /// Replaces scheme, host and port of the token endpoint.
    pub authority_url: Option<String>,
    /// Further authorities that may vouch for the servers.
    pub ca_files: Vec<PathBuf>,
    /// Proxy; the environment's and the system's if absent. Its URL may hold a password.
    pub proxy: Option<Secret>,
    /// Requests at a time, at most.
    pub concurrency: Option<u32>,
    /// Milliseconds for one request.
    pub timeout_ms: Option<u64>,
}

/// The clouds by Exchange's names (`-ExchangeEnvironmentName`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Environment {
    /// Worldwide and GCC.
    #[default]
    O365Default,
    /// US Government GCC High.
    O365USGovGCCHigh,
    /// US Government DoD.
    O365USGovDoD,
    /// 21Vianet.
    O365China,
    /// The closed German cloud.
    O365GermanyCloud,
}

impl Environment {
    /// Exchange's name, as in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::O365Default => "O365Default",
            Self::O365USGovGCCHigh => "O365USGovGCCHigh",
            Self::O365USGovDoD => "O365USGovDoD",
            Self::O365China => "O365China",
            Self::O365GermanyCloud => "O365GermanyCloud",
        }
    }
}

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Client secret.
    #[default]
    Secret,
    /// Assertion signed by the application's certificate.
    Certificate,
    /// Managed identity.
    ManagedIdentity,
    /// A token that the caller brings.
    Token,
}

/// Sign-in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// How to sign in.
    pub method: AuthMethod,
    /// The application's (client) id.
    pub app_id: Option<String>,
    /// Its client secret.
    pub secret: Option<Secret>,
    /// Its certificate and key.
    pub certificate_file: Option<PathBuf>,
    /// Password of that file.
    pub certificate_password: Option<Secret>,
    /// SHA-1 of a certificate in the Windows store.
    pub certificate_thumbprint: Option<String>,
    /// Client id of a user-assigned managed identity.
    pub managed_identity_client_id: Option<String>,
    /// A ready access token.
    pub token: Option<Secret>,
}

/// A trust anchor file: a file name, or an object with the domains its authorities are held to.
#[derive(Debug, Clone)]
pub enum AnchorFile {
    /// Its authorities vouch for every address.
    Any(PathBuf),
    /// Its authorities vouch only for addresses in these domains.
    Restricted {
        /// The file.
        file: PathBuf,
        /// The domains.
        domains: Vec<String>,
    },
}

// by hand, because what serde derives for either-or hides unknown keys
impl<'de> Deserialize<'de> for AnchorFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Restricted {
            file: PathBuf,
            domains: Vec<String>,
        }
        text_or(
            deserializer,
            "a file name or { \"file\": \"...\", \"domains\": [...] }",
            |file| Self::Any(file.into()),
            |Restricted { file, domains }| Self::Restricted { file, domains },
        )
    }
}

/// What certificates are trusted by.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Trust {
    /// Trust anchors.
    pub anchors: Vec<AnchorFile>,
    /// Issuing authorities, not trusted by themselves.
    pub intermediates: Vec<PathBuf>,
    /// The operating system's anchors.
    pub os_store: bool,
    /// Whether issuers may be fetched by AIA; so it is if absent.
    pub fetch_issuers: Option<bool>,
}

/// How revocation is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationMode {
    /// From the given CRLs and the network.
    #[default]
    Online,
    /// From the given CRLs alone.
    Offline,
    /// Not at all.
    Off,
}

/// What an undetermined value means for publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undetermined {
    /// Stays if it is there, is not added.
    #[default]
    Keep,
    /// Counts as fit.
    Accept,
    /// Is not added.
    Reject,
}

/// Revocation.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Revocation {
    /// How it is learned.
    pub mode: RevocationMode,
    /// CRL files.
    pub crls: Vec<PathBuf>,
    /// Milliseconds for one fetch.
    pub timeout_ms: u64,
    /// Largest answer that is read.
    pub max_bytes: u64,
    /// Whether loopback addresses may be fetched from.
    pub allow_loopback: bool,
    /// What an undetermined value means.
    pub undetermined: Undetermined,
}

impl Default for Revocation {
    fn default() -> Self {
        Self {
            mode: RevocationMode::default(),
            crls: Vec::new(),
            timeout_ms: 10_000,
            max_bytes: 64 << 20,
            allow_loopback: false,
            undetermined: Undetermined::default(),
        }
    }
}

/// Which fit values are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Publish {
    /// All, up to `max_values`.
    #[default]
    Fit,
    /// The newest for each use.
    Newest,
}

/// What happens to values SmimeSync did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Foreign {
    /// They stay unless expired, revoked, of the wrong purpose or another person's.
    #[default]
    Keep,
    /// They go when the directory does not have them.
    Replace,
}

/// Which S/MIME rules beyond RFC 5280 are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lints {
    /// The CA/Browser Forum's S/MIME Baseline Requirements.
    Cabf,
    /// None.
    #[default]
    Off,
}

/// What is published.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// The time verdicts are computed for, RFC 3339; now if absent.
    pub at: Option<String>,
    /// Values per attribute, at most.
    pub max_values: u32,
    /// Bytes per value, at most.
    pub max_value_bytes: u32,
    /// Days before the end at which a certificate counts as expiring.
    pub expiring_days: u32,
    /// Smallest RSA modulus in bits.
    pub min_rsa_bits: u32,
    /// Whether SHA-1 signatures are good enough.
    pub allow_sha1: bool,
    /// Whether a certificate without an address is good enough.
    pub allow_no_address: bool,
    /// Attributes that are synchronised.
    pub attributes: Vec<String>,
    /// Which fit values are published.
    pub publish: Publish,
    /// What happens to values SmimeSync did not write.
    pub foreign: Foreign,
    /// Whether recipients mastered on-premises are written.
    pub write_dir_synced: bool,
    /// Which further rules are looked at.
    pub lints: Lints,
    /// Days after which a delta becomes an initial run.
    pub full_every_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            at: None,
            max_values: 15,
            max_value_bytes: 32_768,
            expiring_days: 30,
            min_rsa_bits: 2048,
            allow_sha1: false,
            allow_no_address: false,
            attributes: vec!["userCertificate".into(), "userSMIMECertificate".into()],
            publish: Publish::default(),
            foreign: Foreign::default(),
            write_dir_synced: false,
            lints: Lints::default(),
            full_every_days: 7,
        }
    }
}

/// What stops a run before its first write.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Guard {
    /// Recipients that lose a value, within the window.
    pub max_removals: u32,
    /// The same in percent of the people of the last complete read.
    pub max_removals_percent: u32,
    /// People who lose their last value, within the window.
    pub max_people_losing_last: u32,
    /// The same in percent.
    pub max_people_losing_last_percent: u32,
    /// Length of the window.
    pub window_hours: u32,
    /// Percent by which the number of people may have shrunk.
    pub max_shrink_percent: u32,
    /// Percent of people who may have become unfit since the last run.
    pub max_newly_unfit_percent: u32,
    /// Largest difference between this clock and the server's.
    pub max_clock_skew_ms: u64,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            max_removals: 500,
            max_removals_percent: 20,
            max_people_losing_last: 500,
            max_people_losing_last_percent: 20,
            window_hours: 24,
            max_shrink_percent: 20,
            max_newly_unfit_percent: 20,
            max_clock_skew_ms: 300_000,
        }
    }
}

/// What survives a run.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Store {
    /// The database file.
    pub path: Option<PathBuf>,
    /// Days that runs are kept.
    pub keep_days: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self { path: None, keep_days: 400 }
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Errors alone.
    Error,
    /// And what may become one.
    Warn,
    /// And what a run did.
    #[default]
    Info,
    /// And how.
    Debug,
    /// Everything.
    Trace,
}

/// Where log lines go.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Log {
    /// How much is logged.
    pub level: LogLevel,
    /// The file; no log if absent.
    pub file: Option<PathBuf>,
    /// Size at which a new file is begun.
    pub max_bytes: u64,
    /// Files kept.
    pub files: u32,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: LogLevel::default(), file: None, max_bytes: 10 << 20, files: 10 }
    }
}
