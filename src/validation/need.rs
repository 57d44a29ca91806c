//! What a verdict could use and does not have. The engine fetches nothing: it says what is missing and where that may be.

/// Evidence that may let a verdict say more. URLs stand in the order of preference and are as hostile as the certificate
/// they come from; one that answers is enough.
///
/// There are 32 at most in a verdict, with 8 URLs of 2,048 bytes each at most: http, https and ldap, for OCSP without ldap.
/// A URL that failed ([`super::Evidence::failed`]), a responder for the same request, is not named again. One that brought
/// something is, where that did not help, so that whoever fetches asks a place once, or says that it failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A certificate's issuer (RFC 5280 4.2.2.1, caIssuers): one certificate, or a certs-only CMS with several.
    Issuer {
        /// Where it may be.
        urls: Vec<String>,
    },
    /// A CRL or a delta CRL (RFC 5280 4.2.1.13, 4.2.1.15).
    Crl {
        /// Where it may be.
        urls: Vec<String>,
    },
    /// An OCSP answer (RFC 6960).
    Ocsp {
        /// Responders.
        urls: Vec<String>,
        /// The DER of the OCSPRequest.
        request: Vec<u8>,
    },
}
