//! Why nothing came from a place: the one table of the short words that findings and events show.

use std::fmt;

/// Why nothing came from a place that a certificate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The server answered with this status.
    Http(u16),
    /// No complete answer within the time.
    Timeout,
    /// No connection came about.
    Unreachable,
    /// The connection broke in the middle of the answer.
    Interrupted,
    /// The server's TLS certificate is not trusted.
    Untrusted,
    /// The address is one that is not spoken to.
    AddressNotAllowed,
    /// Neither http nor ldap.
    SchemeNotAllowed,
    /// No URL, or one with a user name or a password.
    UrlNotAllowed,
    /// More redirects than are followed.
    TooManyRedirects,
    /// The answer is larger than allowed.
    TooLarge,
    /// This run has fetched as much as it may.
    TooMuch,
    /// This run has fetched as long as it may.
    TooLate,
    /// What came is no CRL.
    NotACrl,
    /// What came is no certificate.
    NotACertificate,
    /// What came is no OCSP answer.
    NotAnOcspAnswer,
    /// The responder gives no answer, and says why by a name of RFC 6960 4.2.1.
    Refused(&'static str),
    /// The next update of the CRL or the OCSP answer is past.
    Outdated,
    /// The directory has no such entry, or does not show it.
    NoSuchEntry,
    /// The directory refused the read.
    Denied,
    /// The directory refers to another one.
    Referral,
    /// The directory's answer cannot be understood.
    Malformed,
    /// The session has no directory server to read it from.
    NoDirectory,
    /// The session's directory has no configuration naming context.
    NoConfigurationContext,
    /// The entry is outside of the directory's configuration naming context.
    OutsideOfConfiguration,
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Http(status) => return write!(formatter, "http {status}"),
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::Untrusted => "server not trusted",
            Self::AddressNotAllowed => "address not allowed",
            Self::SchemeNotAllowed => "scheme not allowed",
            Self::UrlNotAllowed => "url not allowed",
            Self::TooManyRedirects => "too many redirects",
            Self::TooLarge => "too large",
            Self::TooMuch => "too much for one run",
            Self::TooLate => "too late for this run",
            Self::NotACrl => "not a CRL",
            Self::NotACertificate => "not a certificate",
            Self::NotAnOcspAnswer => "not an OCSP answer",
            Self::Refused(status) => status,
            Self::Outdated => "outdated",
            Self::NoSuchEntry => "no such entry",
            Self::Denied => "denied",
            Self::Referral => "referral",
            Self::Malformed => "malformed answer",
            Self::NoDirectory => "no directory server",
            Self::NoConfigurationContext => "no configuration naming context",
            Self::OutsideOfConfiguration => "outside of the configuration naming context",
        })
    }
}

impl Cause {
    /// Whether it is the host's and would meet its other URLs as well.
    pub fn is_of_host(self) -> bool {
        matches!(self, Self::Timeout | Self::Unreachable | Self::Untrusted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_on_fetching_has_every_word() {
        let page = include_str!("../../docs/fetching.md");
        let words = page.rsplit("## The words of a failure").next().unwrap();
        for cause in [
            Cause::Http(404),
            Cause::Timeout,
            Cause::Unreachable,
            Cause::Interrupted,
            Cause::Untrusted,
            Cause::AddressNotAllowed,
            Cause::SchemeNotAllowed,
            Cause::UrlNotAllowed,
            Cause::TooManyRedirects,
            Cause::TooLarge,
            Cause::TooMuch,
            Cause::TooLate,
            Cause::NotACrl,
            Cause::NotACertificate,
            Cause::NotAnOcspAnswer,
            Cause::Refused("tryLater"),
            Cause::Outdated,
            Cause::NoSuchEntry,
            Cause::Denied,
            Cause::Referral,
            Cause::Malformed,
            Cause::NoDirectory,
            Cause::NoConfigurationContext,
            Cause::OutsideOfConfiguration,
        ] {
            assert!(words.contains(&format!("`{cause}`")), "{cause}");
        }
    }
}
