//! The identities a caller names people by: DN, GUID, user principal name or address.

use crate::people::{Address, Person};

use super::filter::escape;
use super::guid;
use super::name::Name;

/// An identity as the caller wrote it, understood.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// As written.
    pub(super) text: String,
    /// What it is.
    pub(super) kind: IdentityKind,
}

/// What kind of identity it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IdentityKind {
    /// A distinguished name.
    Name(Name),
    /// objectGUID or entryUUID, lower case.
    Guid(String),
    /// A user principal name or an address.
    Address,
}

impl Identity {
    /// Understands a text; never fails, for what is neither GUID nor DN can only be a name or an address.
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim();
        let kind = if let Some(guid) = guid::from_text(text) {
            IdentityKind::Guid(guid)
        } else {
            match Name::parse(text) {
                // an address may hold `=` as well, but then it is a single "RDN" with an `@`
                Some(name) if name.depth() > 1 || (name.depth() == 1 && !text.contains('@')) => {
                    IdentityKind::Name(name)
                }
                _ => IdentityKind::Address,
            }
        };
        Self { text: text.to_owned(), kind }
    }

    /// Whether this person is meant.
    pub(super) fn names(&self, person: &Person, name: &Name) -> bool {
        match &self.kind {
            IdentityKind::Name(wanted) => wanted == name,
            IdentityKind::Guid(guid) => person.identity == *guid,
            IdentityKind::Address => {
                let wanted = self.text.to_lowercase();
                person.user_principal_name.as_ref().is_some_and(|upn| upn.to_lowercase() == wanted)
                    || person.addresses.iter().map(Address::key).any(|address| address == wanted)
            }
        }
    }

    /// The LDAP filter that finds it; `None` for a DN, which is a search base.
    pub(super) fn filter(&self, active_directory: bool) -> Option<String> {
        match &self.kind {
            IdentityKind::Name(_) => None,
            IdentityKind::Guid(guid) if active_directory => {
                let octets = guid::to_object_guid(guid)?;
                Some(format!("(objectGUID={})", octets.map(|octet| format!("\\{octet:02x}")).concat()))
            }
            IdentityKind::Guid(guid) => Some(format!("(entryUUID={guid})")),
            IdentityKind::Address => {
                let value = escape(&self.text);
                Some(format!(
                    "(|(userPrincipalName={value})(mail={value})(proxyAddresses=smtp:{value})(targetAddress=smtp:{value}))"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let kind = |text: &str| Identity::new(text).kind;
        assert!(matches!(kind("CN=Ann,DC=x"), IdentityKind::Name(_)));
        assert!(matches!(kind("cn=Ann"), IdentityKind::Name(_)));
        assert!(matches!(kind("01020304-0506-0708-090A-0B0C0D0E0F10"), IdentityKind::Guid(_)));
        assert_eq!(kind("ann@x.test"), IdentityKind::Address);
        assert_eq!(kind("bounce=ann@x.test"), IdentityKind::Address);
        assert_eq!(kind(" ann "), IdentityKind::Address);
    }

    #[test]
    fn nothing_written_can_widen_the_filter() {
        let filter = Identity::new("*)(objectClass=*").filter(true).unwrap();
        assert!(filter.starts_with(r"(|(userPrincipalName=\2a\29\28objectClass=\2a)"), "{filter}");
        let guid = Identity::new("01020304-0506-0708-090a-0b0c0d0e0f10");
        assert_eq!(guid.filter(true).unwrap(), r"(objectGUID=\04\03\02\01\06\05\08\07\09\0a\0b\0c\0d\0e\0f\10)");
        assert_eq!(guid.filter(false).unwrap(), "(entryUUID=01020304-0506-0708-090a-0b0c0d0e0f10)");
    }
}
