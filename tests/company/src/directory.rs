//! The same people as three directories hold them, and what each of these cannot hold.

use crate::ldif::{Entry, escape};
use crate::names::DEPARTMENTS;
use crate::person::{Attribute, Person, Value};
use serde::{Deserialize, Serialize};

/// A kind of directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Directory {
    /// An export of the company's Active Directory.
    Ldif,
    /// The domain that tests/servers/ad-dc.sh starts.
    Ad,
    /// The server that tests/servers/openldap.sh starts.
    OpenLdap,
}

impl Directory {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Ldif, Self::Ad, Self::OpenLdap];

    /// The name used in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ldif => "ldif",
            Self::Ad => "ad",
            Self::OpenLdap => "openldap",
        }
    }

    /// The DN people's entries lie below.
    pub fn people_dn(self) -> &'static str {
        match self {
            Self::Ldif => "OU=People,DC=contoso,DC=com",
            Self::Ad => "OU=People,DC=ad,DC=test",
            Self::OpenLdap => "ou=people,dc=example,dc=test",
        }
    }

    /// Why a value cannot stand in this directory; none where it can.
    pub fn refuses(self, value: &Value) -> Option<&'static str> {
        let no_certificate = value.thumbprint.is_none() && value.attribute == Attribute::UserCertificate;
        (self == Self::OpenLdap && no_certificate)
            .then_some("slapd checks the syntax of userCertificate and refuses what is no certificate")
    }

    /// What this directory lacks that changes nobody's outcome.
    pub fn lacks(self) -> &'static [&'static str] {
        match self {
            Self::Ldif => &[],
            Self::Ad => &["targetAddress of contacts: the schema of a domain without Exchange has no such attribute"],
            Self::OpenLdap => &[
                "contacts as a class of their own: partners are inetOrgPerson entries",
                "userPrincipalName and mS-DS-ConsistencyGuid: people are matched by address alone",
                "proxyAddresses: all addresses are values of mail, the primary first",
                "userAccountControl: it cannot be told that an account is disabled",
            ],
        }
    }

    /// A person's DN.
    pub fn dn(self, person: &Person) -> String {
        let name = escape(&person.name.common_name);
        match self {
            Self::OpenLdap => format!("cn={name},{}", self.people_dn()),
            Self::Ldif | Self::Ad => {
                let unit = if person.is_contact { "Partners" } else { DEPARTMENTS[person.department] };
                format!("CN={name},OU={},{}", escape(unit), self.people_dn())
            }
        }
    }

    /// What the directory calls a person: objectGUID or entryUUID, and the DN where an export lacks both.
    pub fn identity(self, person: &Person) -> String {
        if self == Self::Ldif && exported_without_guid(person) { self.dn(person) } else { person.guid.to_string() }
    }

    /// All entries, parents first.
    pub fn entries(self, people: &[Person]) -> Vec<Entry> {
        let mut entries = self.units();
        entries.extend(people.iter().enumerate().map(|(i, person)| match self {
            Self::OpenLdap => self.inet_org_person(person),
            Self::Ldif | Self::Ad => self.active_directory_entry(person, i),
        }));
        entries
    }

    fn units(self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let unit = |dn: String| {
            let mut entry = Entry::new(dn);
            entry.add("objectClass", "top");
            entry.add("objectClass", "organizationalUnit");
            entry
        };
        if self == Self::Ldif {
            let mut top = unit(self.people_dn().to_owned());
            top.comment = Some("export of the people of contoso.com, with the units they are in".to_owned());
            entries.push(top);
        }
        if self != Self::OpenLdap {
            for name in DEPARTMENTS.iter().chain(&["Partners"]) {
                entries.push(unit(format!("OU={},{}", escape(name), self.people_dn())));
            }
        }
        entries
    }

    fn active_directory_entry(self, person: &Person, number: usize) -> Entry {
        let mut entry = Entry::new(self.dn(person));
        let is_export = self == Self::Ldif;
        if person.is_contact {
            for class in ["top", "person", "organizationalPerson", "contact"] {
                entry.add("objectClass", class);
            }
        } else {
            for class in ["top", "person", "organizationalPerson", "user"] {
                entry.add("objectClass", class);
            }
            entry.add("sAMAccountName", &person.name.account);
            // 32 = no password required: the accounts of the test domain have none
            let control = if person.enabled { 512 } else { 514 } + if is_export { 0 } else { 32 };
            entry.add("userAccountControl", control.to_string());
        }
        if is_export {
            entry.add("cn", &person.name.common_name);
            entry.add("distinguishedName", self.dn(person));
            entry.add("uSNChanged", (20_000 + 7 * number).to_string());
            entry.add("objectCategory", "CN=Person,CN=Schema,CN=Configuration,DC=contoso,DC=com");
            if number.is_multiple_of(25) {
                entry.comment = Some(format!(
                    "entry {number}: a comment long enough to need folding, because readers of this format have to expect that as well"
                ));
            }
            if person.is_contact {
                entry.add("targetAddress", format!("SMTP:{}", person.primary().unwrap_or_default()));
            }
        }
        entry.add("sn", &person.name.surname);
        if !person.name.given.is_empty() {
            entry.add("givenName", &person.name.given);
        }
        entry.add("displayName", &person.name.display);
        if !(is_export && exported_without_guid(person)) {
            entry.add("objectGUID", person.guid.to_bytes_le());
        }
        if let Some(anchor) = person.source_anchor {
            entry.add("mS-DS-ConsistencyGuid", anchor.to_bytes_le());
        }
        if let Some(upn) = &person.user_principal_name {
            entry.add("userPrincipalName", upn);
        }
        for (i, address) in person.addresses.iter().enumerate() {
            if i == 0 {
                entry.add("mail", address);
                entry.add(
                    "proxyAddresses",
                    format!("X500:/o=Contoso/ou=Exchange/cn=Recipients/cn={}", person.name.account),
                );
            }
            entry.add("proxyAddresses", format!("{}:{address}", if i == 0 { "SMTP" } else { "smtp" }));
        }
        for value in &person.values {
            // exports of other tools write the option of RFC 4522, Active Directory does not need it
            let option = if is_export && number % 10 == 3 { ";binary" } else { "" };
            entry.add(&format!("{}{option}", value.attribute.name()), &value.bytes);
        }
        entry
    }

    fn inet_org_person(self, person: &Person) -> Entry {
        let mut entry = Entry::new(self.dn(person));
        entry.add("objectClass", "inetOrgPerson");
        entry.add("entryUUID", person.guid.to_string());
        entry.add("uid", &person.name.account);
        entry.add("cn", &person.name.common_name);
        entry.add("sn", &person.name.surname);
        if !person.name.given.is_empty() {
            entry.add("givenName", &person.name.given);
        }
        entry.add("displayName", &person.name.display);
        for address in &person.addresses {
            entry.add("mail", address);
        }
        for value in person.values.iter().filter(|value| self.refuses(value).is_none()) {
            entry.add(self.attribute_description(value.attribute), &value.bytes);
        }
        entry
    }

    /// The attribute's name as this directory wants it written: slapd demands `;binary` on the one and refuses it on the other.
    pub fn attribute_description(self, attribute: Attribute) -> &'static str {
        match (self, attribute) {
            (Self::OpenLdap, Attribute::UserCertificate) => "userCertificate;binary",
            _ => attribute.name(),
        }
    }
}

/// A few entries of the export lack objectGUID, as exports of other tools do.
fn exported_without_guid(person: &Person) -> bool {
    person.guid.as_bytes()[0] < 12
}
