//! Distinguished names (RFC 4514) as sequences of RDNs, for comparing them; not for showing them.

use std::fmt::Write as _;

/// A DN in a form that compares as directories do: without regard to case, spaces around separators or the order
/// within a multi-valued RDN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// RDNs, the entry's own first.
    rdns: Vec<String>,
}

impl Name {
    /// The name a text stands for; `None` if it is no DN. The empty text is the root.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self { rdns: Vec::new() });
        }
        let rdns = split(text, &[',', ';'])?.into_iter().map(rdn).collect::<Option<Vec<_>>>()?;
        Some(Self { rdns })
    }

    /// How many RDNs it has.
    pub(super) fn depth(&self) -> usize {
        self.rdns.len()
    }

    /// Whether this is `base` or an entry below it.
    pub(super) fn is_within(&self, base: &Self) -> bool {
        self.rdns.ends_with(&base.rdns)
    }

    /// Whether the first RDN is `type=value`.
    pub(super) fn starts_with(&self, kind: &str, value: &str) -> bool {
        self.rdns.first().is_some_and(|first| *first == part(kind, &fold(value)))
    }

    /// A text that is the same for equal names.
    pub(super) fn normal_form(&self) -> String {
        self.rdns.join(",")
    }
}

/// Splits at unescaped, unquoted separators; `None` where an escape or a quotation does not end.
fn split<'a>(text: &'a str, separators: &[char]) -> Option<Vec<&'a str>> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next()?;
            }
            '"' => quoted = !quoted,
            _ if !quoted && separators.contains(&character) => {
                parts.push(&text[start..index]);
                start = index + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

fn rdn(text: &str) -> Option<String> {
    let mut parts = split(text, &['+'])?.into_iter().map(attribute_and_value).collect::<Option<Vec<_>>>()?;
    parts.sort();
    Some(parts.join("+"))
}

fn attribute_and_value(text: &str) -> Option<String> {
    let (kind, value) = text.split_once('=')?;
    let kind = kind.trim();
    let is_type = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    is_type.then(|| unescape(value)).flatten().map(|value| part(kind, &fold(&value)))
}

/// One attribute and value; separators within the value are escaped so that no two names share a normal form.
fn part(kind: &str, value: &str) -> String {
    let mut out = kind.to_ascii_lowercase();
    out.push('=');
    for character in value.chars() {
        if matches!(character, ',' | '+' | '=' | '\\') {
            let _ = write!(out, "\\{:02x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// The value without escapes and quotation marks; pairs of hexadecimal digits are bytes of UTF-8.
fn unescape(value: &str) -> Option<String> {
    // spaces around the value belong to nobody, an escaped one at its end does
    let value = value.trim_start();
    let trimmed = value.trim_end();
    let value = if ends_with_escape(trimmed) { &value[..(trimmed.len() + 1).min(value.len())] } else { trimmed };
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'\\', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex_digit(*high)? << 4 | hex_digit(*low)?);
                rest = after;
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(*escaped);
                rest = after;
            }
            (b'\\', []) => return None,
            (b'"', _) => {}
            _ => bytes.push(*first),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn ends_with_escape(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// What caseIgnoreMatch (RFC 4518 2.6.1) leaves of a value: lower case, single spaces inside, none around.
pub(super) fn fold(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn equal_names_in_different_writing() {
        for (left, right) in [
            ("CN=Ann Lee,OU=People,DC=x,DC=test", "cn=ann  lee, ou=PEOPLE ,dc=X;dc=test"),
            (r"CN=Lee\, Ann,DC=x", r"CN=Lee\2C Ann,DC=x"),
            (r"CN=Lee\, Ann,DC=x", "CN=\"Lee, Ann\",DC=x"),
            (r"CN=J\C3\BCrgen,DC=x", "CN=JÜRGEN,DC=x"),
            ("OU=a+CN=b,DC=x", "cn=B + ou=A,dc=x"),
        ] {
            assert_eq!(name(left), name(right), "{left} and {right}");
        }
        assert_ne!(name(r"CN=a\,DC\=x"), name("CN=a,DC=x"));
        assert_eq!(name(r"CN=a\ ,DC=x").normal_form(), name("CN=a,DC=x").normal_form());
    }

    #[test]
    fn below_means_by_rdns_not_by_text() {
        let base = name("OU=People,DC=x,DC=test");
        assert!(name("cn=a,ou=people,dc=x,dc=test").is_within(&base));
        assert!(base.is_within(&base));
        assert!(!name("cn=a,ou=MorePeople,dc=x,dc=test").is_within(&base));
        assert!(!name(r"cn=a\,OU=People,DC=x,DC=test").is_within(&base));
        assert!(!name("dc=x,dc=test").is_within(&base));
        assert!(base.is_within(&name("")));
    }

    #[test]
    fn what_is_no_name() {
        for text in ["abc", "CN=a,b", "=a", r"CN=a\", "CN=\"a", "C N=a", "a@b.test"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
