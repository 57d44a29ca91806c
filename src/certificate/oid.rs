//! Object identifiers, as the contents of their DER.

/// otherName of an internationalised mailbox, 1.3.6.1.5.5.7.8.9 (RFC 9598 3).
pub(super) const SMTP_UTF8_MAILBOX: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 8, 9];
/// otherName of Microsoft's user principal name, 1.3.6.1.4.1.311.20.2.3.
pub(super) const USER_PRINCIPAL_NAME: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x14, 2, 3];
/// Microsoft's szOID_APPLICATION_CERT_POLICIES, 1.3.6.1.4.1.311.21.10, written like certificatePolicies.
pub(super) const APPLICATION_POLICIES: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x15, 10];
/// anyPolicy, 2.5.29.32.0 (RFC 5280 4.2.1.4).
pub(super) const ANY_POLICY: &[u8] = &[0x55, 0x1d, 0x20, 0];
/// id-ad-caIssuers, 1.3.6.1.5.5.7.48.2 (RFC 5280 4.2.2.1).
pub(super) const CA_ISSUERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 2];
/// id-ad-ocsp, 1.3.6.1.5.5.7.48.1 (RFC 5280 4.2.2.1).
pub(super) const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
/// id-pe-authorityInfoAccess, 1.3.6.1.5.5.7.1.1 (RFC 5280 4.2.2.1).
pub(super) const AUTHORITY_INFORMATION_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
/// id-pkix-ocsp-nocheck, 1.3.6.1.5.5.7.48.1.5 (RFC 6960 4.2.2.2.1).
pub(super) const OCSP_NO_CHECK: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5];
/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1 (RFC 6960 4.2.1).
pub(super) const OCSP_BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
/// id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2 (RFC 9654).
pub(super) const OCSP_NONCE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
/// id-pkix-ocsp-crl, 1.3.6.1.5.5.7.48.1.3 (RFC 6960 4.4.2).
pub(super) const OCSP_CRL_REFERENCE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 3];
/// id-pkix-ocsp-archive-cutoff, 1.3.6.1.5.5.7.48.1.6 (RFC 6960 4.4.4).
pub(super) const OCSP_ARCHIVE_CUTOFF: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 6];
/// reasonCode, 2.5.29.21 (RFC 5280 5.3.1).
pub(super) const REASON_CODE: &[u8] = &[0x55, 0x1d, 0x15];
/// invalidityDate, 2.5.29.24 (RFC 5280 5.3.2).
pub(super) const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 0x18];
/// id-sha1, 1.3.14.3.2.26.
pub(super) const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];
/// id-sha256, 2.16.840.1.101.3.4.2.1.
pub(super) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
/// id-sha384, 2.16.840.1.101.3.4.2.2.
pub(super) const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
/// id-sha512, 2.16.840.1.101.3.4.2.3.
pub(super) const SHA512: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
