//! The facts of one X.509 certificate.

use std::sync::Arc;

use super::Sha256;

/// An X.509 certificate (RFC 5280 4.1). Times are milliseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate's bytes.
    pub der: Arc<[u8]>,
    /// SHA-256 of `der`.
    pub sha256: Sha256,
    /// SHA-1 of `der`, upper-case hexadecimal.
    pub thumbprint: String,
    /// Subject as RFC 4514 text.
    pub subject: String,
    /// Issuer as RFC 4514 text.
    pub issuer: String,
    /// Serial number, upper-case hexadecimal.
    pub serial: String,
    /// Start of validity.
    pub not_before_ms: i64,
    /// End of validity.
    pub not_after_ms: i64,
    /// Addresses: subjectAltName rfc822Name and SmtpUTF8Mailbox, then subject emailAddress; as written, without repetition.
    pub emails: Vec<String>,
}
