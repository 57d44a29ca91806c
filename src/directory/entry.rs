//! One entry of a directory before it is understood, the same from LDAP and from LDIF.

/// Attributes of one entry beyond this number are not accepted; Active Directory's schema has about 1,500.
pub(super) const MAX_ATTRIBUTES: usize = 4096;

/// An entry: its DN and its attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Distinguished name as the directory wrote it.
    pub(super) dn: String,
    attributes: Vec<Held>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    /// The attribute description as it came, but for its range.
    description: String,
    /// How long the name at its beginning is.
    name: usize,
    /// Whether it came without options other than `binary` and `range`, such as languages.
    plain: bool,
    /// The first value that is missing (`;range=`, [MS-ADTS] 3.1.1.3.1.3.3), if any is.
    missing_from: Option<u64>,
    values: Vec<Vec<u8>>,
}

impl Held {
    fn name(&self) -> &str {
        &self.description[..self.name]
    }

    fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }
}

/// The end of a range of values.
#[derive(Clone, Copy)]
enum Range {
    /// `*`: the last value is there.
    ToTheEnd,
    /// The number of the last value that is there.
    Until(u64),
}

impl Range {
    /// From the option's value, such as `0-1499`. What cannot be understood is not taken for the end.
    fn parse(text: &str) -> Self {
        match text.split_once('-') {
            Some((_, "*")) => Self::ToTheEnd,
            Some((_, last)) => Self::Until(last.parse().unwrap_or_default()),
            None => Self::Until(0),
        }
    }
}

/// An attribute description (RFC 4512 2.5) taken apart.
struct Description<'a> {
    /// As written.
    name: &'a str,
    /// The options but for the range, as written.
    options: Vec<&'a str>,
    plain: bool,
    range: Option<Range>,
}

impl<'a> Description<'a> {
    fn parse(text: &'a str) -> Self {
        const RANGE: &str = "range=";
        let mut parts = text.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let (mut options, mut plain, mut range) = (Vec::new(), true, None);
        for option in parts {
            match option.split_at_checked(RANGE.len()) {
                Some((key, text)) if key.eq_ignore_ascii_case(RANGE) => range = Some(Range::parse(text)),
                _ => {
                    plain &= option.eq_ignore_ascii_case("binary");
                    options.push(option);
                }
            }
        }
        Self { name, options, plain, range }
    }

    fn without_range(&self) -> String {
        self.options.iter().fold(self.name.to_owned(), |text, option| text + ";" + option)
    }

    /// Whether these are values of what is held: of one name, whether `binary` or not, or with the same other options.
    fn is_of(&self, held: &Held) -> bool {
        held.plain == self.plain
            && held.is(self.name)
            && (self.plain || held.description.eq_ignore_ascii_case(&self.without_range()))
    }
}

impl Entry {
    /// An entry without attributes.
    pub(super) fn new(dn: String) -> Self {
        Self { dn, attributes: Vec::new() }
    }

    /// Adds values of an attribute; `false` when there are too many attributes.
    pub(super) fn add(&mut self, description: &str, values: impl IntoIterator<Item = Vec<u8>>) -> bool {
        let described = Description::parse(description);
        // values of one attribute follow each other
        let index = match self.attributes.iter().rposition(|held| described.is_of(held)) {
            Some(index) => index,
            None if self.attributes.len() == MAX_ATTRIBUTES => return false,
            None => {
                let (description, name) = (described.without_range(), described.name.len());
                let plain = described.plain;
                self.attributes.push(Held { description, name, plain, missing_from: None, values: Vec::new() });
                self.attributes.len() - 1
            }
        };
        let held = &mut self.attributes[index];
        let before = held.values.len();
        held.values.extend(values);
        held.missing_from = match described.range {
            Some(Range::ToTheEnd) => None,
            Some(Range::Until(last)) => Some(last.saturating_add(1)),
            // Windows repeats a ranged attribute without the option and without values
            None if held.values.len() == before => held.missing_from,
            None => None,
        };
        true
    }

    /// All values of an attribute, whatever its options. Names are compared without regard to case.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.held(name).flat_map(|held| held.values.iter().map(Vec::as_slice))
    }

    /// The values of an attribute without languages and other tags.
    pub(super) fn plain<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.held(name).filter(|held| held.plain).flat_map(|held| held.values.iter().map(Vec::as_slice))
    }

    /// Whether the attribute has a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Attributes of which the server kept values back, with the number of the first missing one.
    pub(super) fn incomplete(&self) -> impl Iterator<Item = (&str, u64)> {
        self.attributes.iter().filter_map(|held| Some((held.name(), held.missing_from?)))
    }

    /// Every attribute as it came but for its range, the number of the first missing value, and the values.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, Option<u64>, &[Vec<u8>])> {
        self.attributes.iter().map(|held| (held.description.as_str(), held.missing_from, held.values.as_slice()))
    }

    /// The first missing value's number of one attribute.
    pub(super) fn missing_from(&self, name: &str) -> Option<u64> {
        self.held(name).find_map(|held| held.missing_from)
    }

    /// Takes over what the answer to a request for a missing range holds; whether it brought the read forward.
    pub(super) fn continue_range(&mut self, name: &str, answer: Self) -> bool {
        let Some(more) = answer.attributes.into_iter().find(|held| held.is(name)) else {
            return false;
        };
        let Some(held) = self.attributes.iter_mut().find(|held| held.is(name)) else {
            return false;
        };
        let forward = match (held.missing_from, more.missing_from) {
            (Some(before), Some(after)) => after > before,
            _ => true,
        };
        held.values.extend(more.values);
        held.missing_from = more.missing_from;
        forward
    }

    fn held<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Held> {
        self.attributes.iter().filter(move |held| held.is(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attributes: &[(&str, &[&str])]) -> Entry {
        let mut entry = Entry::new("cn=a".into());
        for (description, values) in attributes {
            assert!(entry.add(description, values.iter().map(|value| value.as_bytes().to_vec())));
        }
        entry
    }

    #[test]
    fn names_ignore_case_and_binary() {
        let entry = entry(&[("userCertificate;binary", &["a"]), ("USERCERTIFICATE", &["b"]), ("cn;lang-de", &["c"])]);
        assert_eq!(entry.plain("userCertificate").collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(entry.plain("cn").count(), 0);
        assert_eq!(entry.all("CN").count(), 1);
    }

    #[test]
    fn descriptions_stay_as_they_came_but_for_the_range() {
        let entry = entry(&[
            ("userCertificate;Binary;range=0-0", &["a"]),
            ("CN;lang-de", &["b"]),
            ("cn;lang-fr", &["c"]),
            ("cn;LANG-DE", &["d"]),
            ("userCertificate;range=1-1", &["e"]),
        ]);
        let seen: Vec<_> = entry.attributes().map(|(name, missing, values)| (name, missing, values.len())).collect();
        let expected = [("userCertificate;Binary", Some(2), 2), ("CN;lang-de", None, 2), ("cn;lang-fr", None, 1)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn ranges_are_followed_to_their_end() {
        let mut first = entry(&[("userCertificate", &[]), ("userCertificate;Range=0-1", &["a", "b"])]);
        assert_eq!(first.incomplete().collect::<Vec<_>>(), [("userCertificate", 2)]);
        assert!(first.continue_range("userCertificate", entry(&[("userCertificate;range=2-3", &["c", "d"])])));
        assert_eq!(first.missing_from("userCertificate"), Some(4));
        assert!(first.continue_range("userCertificate", entry(&[("userCertificate;binary;range=4-*", &["e"])])));
        assert_eq!((first.incomplete().count(), first.all("usercertificate").count()), (0, 5));
    }

    #[test]
    fn a_range_that_cannot_be_understood_is_not_the_end() {
        for option in ["range=0-x", "range=x", "range=", "range=0-18446744073709551615", "range=-"] {
            assert!(entry(&[(&format!("member;{option}"), &["a"])]).missing_from("member").is_some(), "{option}");
        }
    }

    #[test]
    fn a_server_that_repeats_a_range_does_not_bring_the_read_forward() {
        let mut first = entry(&[("member;range=0-1", &["a", "b"])]);
        assert!(!first.continue_range("member", entry(&[("member;range=0-1", &["a", "b"])])));
        assert!(!first.continue_range("member", entry(&[])));
    }

    #[test]
    fn an_empty_repetition_after_the_range_hides_nothing() {
        let first = entry(&[("userCertificate;range=0-0", &["a"]), ("userCertificate", &[])]);
        assert_eq!(first.missing_from("userCertificate"), Some(1));
    }
}
