//! What a verdict is asked for: the time, the audience, and what the operator's policy allows.

use crate::people::Address;

/// Whether and how revocation is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RevocationCheck {
    /// Not at all.
    Off,
    /// From the CRLs and OCSP answers in the evidence.
    #[default]
    Offline,
    /// The same, and the verdict says what else it needs.
    Online,
}

/// What the operator's policy says about verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The time the verdict is for, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Smallest RSA modulus in bits.
    pub min_rsa_bits: u32,
    /// Whether SHA-1 signatures are good enough.
    pub allow_sha1: bool,
    /// Whether a certificate without an address is good enough.
    pub allow_no_address: bool,
    /// Days before its end at which a certificate is said to expire soon.
    pub expiring_days: u32,
    /// Whether revocation is looked at.
    pub revocation: RevocationCheck,
    /// Whether the verdict says where a missing issuer may be.
    pub fetch_issuers: bool,
}

/// Whose certificate it should be.
#[derive(Debug, Clone, Copy)]
pub struct Audience<'a> {
    /// The person's addresses, primary first.
    pub addresses: &'a [Address],
}
