//! Object identifiers, as the contents of their DER.

/// otherName of an internationalised mailbox, 1.3.6.1.5.5.7.8.9 (RFC 9598 3).
pub(super) const SMTP_UTF8_MAILBOX: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 8, 9];
/// otherName of Microsoft's user principal name, 1.3.6.1.4.1.311.20.2.3.
pub(super) const USER_PRINCIPAL_NAME: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x14, 2, 3];
/// anyPolicy, 2.5.29.32.0 (RFC 5280 4.2.1.4).
pub(super) const ANY_POLICY: &[u8] = &[0x55, 0x1d, 0x20, 0];
