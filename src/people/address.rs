//! SMTP addresses and how they compare.

use std::fmt;

/// An SMTP address as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// An address; `None` unless it has a local part and a domain.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        (!local.is_empty() && !domain.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The address as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is behind the last `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What is before the last `@`.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// Whether both reach the same mailbox in Exchange, which ignores case everywhere.
    pub fn same_mailbox(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// Whether both are the same by RFC 5321 2.4: local part exactly, domain without regard to case.
    pub fn same_exactly(&self, other: &Self) -> bool {
        self.local_part() == other.local_part() && self.domain().to_lowercase() == other.domain().to_lowercase()
    }

    /// What to look it up by: Exchange ignores case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The SMTP addresses of `proxyAddresses` ([MS-ADA3] 2.116), primary (`SMTP:`) first; other types are left out.
pub fn proxy_addresses<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Address> {
    let mut addresses = Vec::new();
    for value in values {
        let Some((kind, text)) = value.split_once(':') else { continue };
        let Some(address) = Address::parse(text) else { continue };
        match kind {
            "SMTP" => addresses.insert(0, address),
            _ if kind.eq_ignore_ascii_case("smtp") => addresses.push(address),
            _ => {}
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_comes_first_and_other_types_are_left_out() {
        let found = proxy_addresses(["smtp:b@x.test", "X500:/o=x", "SMTP:a@x.test", "sip:a@x.test", "smtp:bad"]);
        assert_eq!(found.iter().map(Address::as_str).collect::<Vec<_>>(), ["a@x.test", "b@x.test"]);
    }

    #[test]
    fn case_matters_in_the_local_part_only_when_exact() {
        let (a, b) = (Address::parse("Ann@X.test").unwrap(), Address::parse("ann@x.TEST").unwrap());
        assert!(a.same_mailbox(&b) && !a.same_exactly(&b));
        assert!(Address::parse("Ann@x.test").unwrap().same_exactly(&a));
    }
}
