//! LDAP filters (RFC 4515): checked before they are sent, and evaluated here for LDIF files.

use ldap3::asn1::{ASNTag as _, PL, StructureTag};

use crate::error::{Code, Error, Result};

use super::entry::Entry;
use super::name::{Name, fold};

/// Parentheses nested deeper than this are refused: the parser underneath recurses.
const MAX_DEPTH: usize = 64;
/// Matching rules LDAP_MATCHING_RULE_BIT_AND and _OR ([MS-ADTS] 3.1.1.3.4.4).
const BIT_AND: &str = "1.2.840.113556.1.4.803";
const BIT_OR: &str = "1.2.840.113556.1.4.804";
/// Attributes whose values are DNs and compare as such.
const NAMES: [&str; 6] = ["memberof", "manager", "distinguishedname", "secretary", "seealso", "member"];

/// A filter that can be evaluated without a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Equal(String, Vec<u8>),
    Substrings { attribute: String, initial: Option<String>, any: Vec<String>, last: Option<String> },
    AtLeast(String, Vec<u8>),
    AtMost(String, Vec<u8>),
    Present(String),
    Bits { attribute: String, mask: i64, all: bool },
}

/// Escapes a value for the text of a filter (RFC 4515 3).
pub(super) fn escape(value: &str) -> String {
    ldap3::ldap_escape(value).into_owned()
}

/// The filter's text in parentheses, if it is one.
///
/// # Errors
/// `directory_filter`; the target is the text.
pub(super) fn checked(text: &str) -> Result<String> {
    parse_text(text)?;
    let text = text.trim();
    Ok(if text.starts_with('(') { text.to_owned() } else { format!("({text})") })
}

fn parse_text(text: &str) -> Result<StructureTag> {
    let trimmed = text.trim();
    let refused = |detail: &str| Error::new(Code::DirectoryFilter).target(text).with("detail", detail);
    let mut depth = 0_usize;
    for byte in trimmed.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(refused("nested too deeply"));
        }
    }
    ldap3::parse_filter(trimmed).map(|tag| tag.into_structure()).map_err(|()| refused("RFC 4515 has no such form"))
}

/// The attributes a filter looks at, without options, some perhaps twice.
///
/// # Errors
/// `directory_filter`; the target is the text.
pub(super) fn attributes(text: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    collect_attributes(parse_text(text)?, &mut names);
    Ok(names)
}

/// By the choices of RFC 4511 4.5.1.7: 0 to 2 hold filters, 7 is a name, 9 has it in its [2], all others have it first.
fn collect_attributes(tag: StructureTag, names: &mut Vec<String>) {
    let name = match (tag.id, tag.payload) {
        (0..=2, PL::C(parts)) => return parts.into_iter().for_each(|part| collect_attributes(part, names)),
        (_, PL::P(name)) => Some(name),
        (9, PL::C(parts)) => parts.into_iter().find(|part| part.id == 2).and_then(StructureTag::expect_primitive),
        (_, PL::C(parts)) => parts.into_iter().next().and_then(StructureTag::expect_primitive),
    };
    let name = name.and_then(|name| String::from_utf8(name).ok());
    names.extend(name.and_then(|name| Some(name.split(';').next()?.to_owned())));
}

impl Filter {
    /// Understands a filter's text.
    ///
    /// # Errors
    /// `directory_filter` for what is no filter or can only be evaluated by a server; the target is the text.
    pub(super) fn parse(text: &str) -> Result<Self> {
        Self::build(parse_text(text)?)
            .map_err(|detail| Error::new(Code::DirectoryFilter).target(text).with("detail", detail))
    }

    /// From the filter's BER form (RFC 4511 4.5.1), whose choices are numbered 0 to 9.
    fn build(tag: StructureTag) -> std::result::Result<Self, &'static str> {
        const MALFORMED: &str = "RFC 4515 has no such form";
        let id = tag.id;
        let mut parts = match tag.payload {
            PL::P(name) if id == 7 => return Ok(Self::Present(attribute(name)?)),
            PL::P(_) => return Err(MALFORMED),
            PL::C(parts) => parts.into_iter(),
        };
        match id {
            0 => return Ok(Self::And(parts.map(Self::build).collect::<std::result::Result<_, _>>()?)),
            1 => return Ok(Self::Or(parts.map(Self::build).collect::<std::result::Result<_, _>>()?)),
            2 => return Ok(Self::Not(Box::new(Self::build(parts.next().ok_or(MALFORMED)?)?))),
            9 => return Self::bits(parts),
            _ => {}
        }
        let name = attribute(parts.next().and_then(StructureTag::expect_primitive).ok_or(MALFORMED)?)?;
        let second = parts.next().ok_or(MALFORMED)?;
        if id == 4 {
            return Self::substrings(name, second.expect_constructed().ok_or(MALFORMED)?);
        }
        let value = second.expect_primitive().ok_or(MALFORMED)?;
        match id {
            // approximate match may be equality (RFC 4511 4.5.1.7.6)
            3 | 8 => Ok(Self::Equal(name, value)),
            5 => Ok(Self::AtLeast(name, value)),
            6 => Ok(Self::AtMost(name, value)),
            _ => Err(MALFORMED),
        }
    }

    fn substrings(attribute: String, parts: Vec<StructureTag>) -> std::result::Result<Self, &'static str> {
        let (mut initial, mut any, mut last) = (None, Vec::new(), None);
        for part in parts {
            let id = part.id;
            let bytes = part.expect_primitive().unwrap_or_default();
            let text = String::from_utf8(bytes).map_err(|_| "substrings of octets need a server")?.to_lowercase();
            match id {
                0 => initial = Some(text),
                1 => any.push(text),
                _ => last = Some(text),
            }
        }
        Ok(Self::Substrings { attribute, initial, any, last })
    }

    fn bits(parts: impl Iterator<Item = StructureTag>) -> std::result::Result<Self, &'static str> {
        const UNKNOWN: &str = "this matching rule needs a server";
        let (mut rule, mut name, mut value) = (None, None, None);
        for part in parts {
            let id = part.id;
            let bytes = part.expect_primitive().ok_or(UNKNOWN)?;
            match id {
                1 => rule = String::from_utf8(bytes).ok(),
                2 => name = Some(attribute(bytes)?),
                3 => value = String::from_utf8(bytes).ok(),
                _ => return Err(UNKNOWN),
            }
        }
        let all = match rule.as_deref() {
            Some(BIT_AND) => true,
            Some(BIT_OR) => false,
            _ => return Err(UNKNOWN),
        };
        match (name, value.and_then(|value| value.parse().ok())) {
            (Some(attribute), Some(mask)) => Ok(Self::Bits { attribute, mask, all }),
            _ => Err("a bit filter without attribute or number"),
        }
    }

    /// Whether an entry matches. An attribute the entry does not have makes an item false, as on a server that knows it.
    pub(super) fn matches(&self, entry: &Entry) -> bool {
        match self {
            Self::And(filters) => filters.iter().all(|filter| filter.matches(entry)),
            Self::Or(filters) => filters.iter().any(|filter| filter.matches(entry)),
            Self::Not(filter) => !filter.matches(entry),
            Self::Present(attribute) => entry.has(attribute),
            Self::Equal(attribute, wanted) => entry.all(attribute).any(|value| equal(attribute, value, wanted)),
            Self::AtLeast(attribute, bound) => entry.all(attribute).any(|value| order(value, bound).is_ge()),
            Self::AtMost(attribute, bound) => entry.all(attribute).any(|value| order(value, bound).is_le()),
            Self::Substrings { attribute, initial, any, last } => entry
                .all(attribute)
                .filter_map(|value| std::str::from_utf8(value).ok())
                .any(|value| has_substrings(&value.to_lowercase(), initial.as_deref(), any, last.as_deref())),
            Self::Bits { attribute, mask, all } => entry
                .all(attribute)
                .filter_map(integer)
                .any(|value| if *all { value & mask == *mask } else { value & mask != 0 }),
        }
    }
}

fn attribute(name: Vec<u8>) -> std::result::Result<String, &'static str> {
    let name = String::from_utf8(name).map_err(|_| "an attribute name that is not text")?;
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        // which name an OID stands for is the schema's knowledge
        return Err("attributes by OID need a server");
    }
    Ok(name.split(';').next().unwrap_or_default().to_ascii_lowercase())
}

fn equal(attribute: &str, value: &[u8], wanted: &[u8]) -> bool {
    if value == wanted {
        return true;
    }
    let (Ok(value), Ok(wanted)) = (std::str::from_utf8(value), std::str::from_utf8(wanted)) else { return false };
    if fold(value) == fold(wanted) {
        return true;
    }
    match attribute {
        // Active Directory takes the class's short name for its DN in the schema
        "objectcategory" if !wanted.contains('=') => {
            Name::parse(value).is_some_and(|name| name.starts_with("cn", wanted))
        }
        _ if NAMES.contains(&attribute) || attribute == "objectcategory" => {
            matches!((Name::parse(value), Name::parse(wanted)), (Some(value), Some(wanted)) if value == wanted)
        }
        _ => false,
    }
}

fn integer(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

fn order(value: &[u8], bound: &[u8]) -> std::cmp::Ordering {
    if let (Some(value), Some(bound)) = (integer(value), integer(bound)) {
        return value.cmp(&bound);
    }
    match (std::str::from_utf8(value), std::str::from_utf8(bound)) {
        (Ok(value), Ok(bound)) => fold(value).cmp(&fold(bound)),
        _ => value.cmp(bound),
    }
}

fn has_substrings(value: &str, initial: Option<&str>, any: &[String], last: Option<&str>) -> bool {
    let Some(mut rest) = value.strip_prefix(initial.unwrap_or_default()) else { return false };
    for part in any {
        match rest.find(part.as_str()) {
            Some(index) => rest = &rest[index + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Entry {
        let mut entry = Entry::new("CN=Ann,DC=x".into());
        for (name, value) in [
            ("objectClass", "top"),
            ("objectClass", "user"),
            ("cn", "Ann  Lee"),
            ("department", "IT (core)"),
            ("userAccountControl", "514"),
            ("whenChanged", "20261120000000.0Z"),
            ("objectCategory", "CN=Person,CN=Schema,CN=Configuration,DC=x"),
            ("memberOf", "CN=Sales,OU=Groups,DC=x"),
            ("mail", "ann.lee@x.test"),
        ] {
            entry.add(name, [value.as_bytes().to_vec()]);
        }
        entry.add("userCertificate;binary", [vec![0x30, 0x82, 0xFF]]);
        entry
    }

    #[test]
    fn attributes_are_found_in_every_form() {
        let text = "(&(department=IT)(|(cn=a*b)(!(mail=*)))(uSNChanged>=3)(memberOf:1.2.840.113556.1.4.1941:=cn=g)(a;b=c)(x~=y))";
        assert_eq!(attributes(text).unwrap(), ["department", "cn", "mail", "uSNChanged", "memberOf", "a", "x"]);
        assert_eq!(attributes("((").unwrap_err().code(), Code::DirectoryFilter);
    }

    #[test]
    fn every_form_is_evaluated() {
        for (text, expected) in [
            ("(cn=ann lee)", true),
            ("cn=ANN LEE", true),
            ("(cn=ann)", false),
            ("(CN=*)", true),
            ("(title=*)", false),
            ("(!(title=boss))", true),
            ("(&(objectClass=user)(cn=a*e))", true),
            ("(&(objectClass=user)(cn=b*))", false),
            ("(|(cn=b*)(mail=*lee@X.test))", true),
            ("(mail=a*.*@*test)", true),
            ("(mail=a*@*@*test)", false),
            (r"(department=it \28core\29)", true),
            ("(userAccountControl>=500)", true),
            ("(userAccountControl<=500)", false),
            ("(userAccountControl>=9)", true),
            ("(whenChanged>=20261101000000.0Z)", true),
            ("(userAccountControl:1.2.840.113556.1.4.803:=2)", true),
            ("(userAccountControl:1.2.840.113556.1.4.803:=3)", false),
            ("(userAccountControl:1.2.840.113556.1.4.804:=3)", true),
            ("(objectCategory=person)", true),
            ("(objectCategory=computer)", false),
            ("(memberOf=cn=sales, ou=groups,dc=X)", true),
            ("(cn~=ann lee)", true),
            (r"(userCertificate=\30\82\ff)", true),
            ("(userCertificate=*)", true),
            ("(&)", true),
            ("(|)", false),
        ] {
            assert_eq!(Filter::parse(text).unwrap().matches(&ann()), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused_by_name() {
        let deep = format!("{}(a=b){}", "(!".repeat(500), ")".repeat(500));
        for text in ["", "(", "(a=b", "(a=b))", "(a=**b)", r"(a=\zz)", "(2.5.4.3=x)", "(cn:dn:=x)", &deep] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!((error.code(), error.get_target()), (Code::DirectoryFilter, Some(text)));
        }
        assert!(Filter::parse("(memberOf:1.2.840.113556.1.4.1941:=cn=x)").is_err());
        assert!(checked("(memberOf:1.2.840.113556.1.4.1941:=cn=x)").is_ok());
        assert_eq!(checked(" a=b ").unwrap(), "(a=b)");
    }
}
