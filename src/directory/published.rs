//! What authorities publish in directories (RFC 4523), at the `ldap` URLs of certificates (RFC 4516).

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::{Code, Error};
use crate::net::Cause;

/// What is read from an authority's entry; whatever else its URL asks for is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// certificateRevocationList, deltaRevocationList, authorityRevocationList.
    Crls,
    /// cACertificate, crossCertificatePair.
    Certificates,
}

impl Published {
    /// The attributes.
    pub(super) fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Crls => &["certificateRevocationList", "deltaRevocationList", "authorityRevocationList"],
            Self::Certificates => &["cACertificate", "crossCertificatePair"],
        }
    }
}

/// Where an `ldap` URL points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapPlace {
    /// Host and port; `None` for the directory that the reader belongs to, as Active Directory's authorities mean it.
    pub host: Option<(String, u16)>,
    /// The entry's DN.
    pub dn: String,
}

impl LdapPlace {
    /// The place of a URL. Attributes, scope and filter are left out: always the entry itself is read.
    ///
    /// # Errors
    /// For another scheme, a user name or a password, a DN that is none.
    pub fn of(url: &Url) -> Result<Self, Cause> {
        if url.scheme() != "ldap" {
            return Err(Cause::SchemeNotAllowed);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Cause::UrlNotAllowed);
        }
        let path = url.path().strip_prefix('/').unwrap_or_default();
        let dn = percent_decode_str(path).decode_utf8().map_err(|_| Cause::UrlNotAllowed)?.into_owned();
        // the root DSE holds nothing of an authority's
        let is_entry = super::name::Name::parse(&dn).is_some_and(|name| name.depth() > 0);
        if !is_entry {
            return Err(Cause::UrlNotAllowed);
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        Ok(Self { host: host.map(|host| (host.to_owned(), url.port().unwrap_or(389))), dn })
    }
}

/// Why nothing came, by the error of the read.
pub(super) fn cause(error: &Error) -> Cause {
    match error.code() {
        Code::DirectoryTimeout => Cause::Timeout,
        Code::DirectoryUnreachable => Cause::Unreachable,
        Code::DirectoryTls => Cause::Untrusted,
        Code::DirectoryAuth | Code::DirectoryDenied | Code::DirectoryPlaintext => Cause::Denied,
        Code::DirectoryIncomplete => Cause::Referral,
        Code::ConfigMissing | Code::ConfigValue => Cause::NoDirectory,
        _ => Cause::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Result<LdapPlace, Cause> {
        LdapPlace::of(&Url::parse(url).unwrap())
    }

    #[test]
    fn urls_as_authorities_write_them() {
        let cdp = "ldap:///CN=Contoso%20CA,CN=CDP,CN=Configuration,DC=x,DC=test?certificateRevocationList?base?objectClass=cRLDistributionPoint";
        let dn = "CN=Contoso CA,CN=CDP,CN=Configuration,DC=x,DC=test".to_owned();
        assert_eq!(place(cdp), Ok(LdapPlace { host: None, dn: dn.clone() }));
        // not all authorities escape their spaces
        assert_eq!(place(&cdp.replace("%20", " ")), Ok(LdapPlace { host: None, dn }));
        let host = |name: &str, port| Some((name.to_owned(), port));
        assert_eq!(place("ldap://dir.x.test/cn=a").unwrap().host, host("dir.x.test", 389));
        assert_eq!(place("ldap://[::1]:3890/cn=a").unwrap().host, host("[::1]", 3890));
        assert_eq!(place("ldap://dir.x.test/cn=J%C3%BCrgen%5C%2C%20a,o=c").unwrap().dn, "cn=Jürgen\\, a,o=c");
    }

    #[test]
    fn urls_that_are_not_followed() {
        for (url, cause) in [
            ("ldaps://dir.x.test/cn=a", Cause::SchemeNotAllowed),
            ("ldapi:///cn=a", Cause::SchemeNotAllowed),
            ("ldap://u:p@dir.x.test/cn=a", Cause::UrlNotAllowed),
            ("ldap://dir.x.test/", Cause::UrlNotAllowed),
            ("ldap:///", Cause::UrlNotAllowed),
            ("ldap:///%ff", Cause::UrlNotAllowed),
            ("ldap:///no%20name", Cause::UrlNotAllowed),
        ] {
            assert_eq!(place(url), Err(cause), "{url}");
        }
    }
}
