//! organizationIdentifier: scheme, country, reference (SBR 7.1.4.2.2 d, Appendix A).

use x509_parser::asn1_rs::Tag;

use super::rule::Answer;
use super::view::View;
use super::{subject, text};

const ORGANIZATION_IDENTIFIER: &str = "2.5.4.97";

/// The pseudo country of registers that are no country's.
const GLOBAL: &str = "XG";

/// Schemes, and whether each may name a part of a country, and has to have, must not have a reference.
const SCHEMES: [(&str, bool, bool); 6] = [
    ("GOV", true, false),
    ("INT", false, false),
    ("LEI", false, true),
    ("NTR", true, true),
    ("PSD", false, true),
    ("VAT", false, true),
];

/// An identifier taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Identifier<'a> {
    whole: &'a str,
    scheme: &'a str,
    country: &'a str,
    state: Option<&'a str>,
    reference: Option<&'a str>,
}

impl<'a> Identifier<'a> {
    /// `NTRDE+BE-HRB1`: three letters, a country, a part of it, a reference.
    fn parse(whole: &'a str) -> Option<Self> {
        let letters = |text: &str, fits: fn(&u8) -> bool| text.bytes().all(|byte| fits(&byte));
        let (scheme, rest) = (whole.get(..3)?, whole.get(3..)?);
        let (country, rest) = (rest.get(..2)?, rest.get(2..)?);
        // a national scheme ends with a colon
        if !letters(scheme.strip_suffix(':').unwrap_or(scheme), u8::is_ascii_uppercase) {
            return None;
        }
        let (place, reference) = match rest.split_once('-') {
            Some((place, reference)) => (place, Some(reference)),
            None => (rest, None),
        };
        let state = match place.strip_prefix('+') {
            Some(state) => Some(state),
            None if place.is_empty() => None,
            None => return None,
        };
        let state_fits =
            state.is_none_or(|state| (1..=3).contains(&state.len()) && letters(state, u8::is_ascii_alphanumeric));
        let reference_fits = reference.is_none_or(|reference| !reference.is_empty());
        (letters(country, u8::is_ascii_alphabetic) && state_fits && reference_fits).then_some(Self {
            whole,
            scheme,
            country,
            state,
            reference,
        })
    }

    fn rules(&self) -> Option<(bool, bool)> {
        SCHEMES.iter().find(|(scheme, ..)| *scheme == self.scheme).map(|(_, state, reference)| (*state, *reference))
    }

    fn is_global(&self) -> bool {
        matches!(self.scheme, "INT" | "LEI")
    }

    fn country_fits(&self) -> bool {
        match self.scheme {
            "INT" | "LEI" => self.country == GLOBAL,
            // Greece and Northern Ireland have codes of their own for tax
            "VAT" => text::is_country(self.country) || matches!(self.country, "EL" | "XI"),
            _ => text::is_country(self.country),
        }
    }

    /// Whether a reference is a European Unique Identifier of its own country: `DER3306.HRB12345`.
    fn is_euid(&self) -> bool {
        let Some(reference) = self.reference else { return false };
        let number = reference.strip_prefix(self.country).and_then(|rest| rest.split_once('.'));
        self.state.is_none() && number.is_some_and(|(register, number)| !register.is_empty() && !number.is_empty())
    }
}

fn values<'a>(view: &'a View<'_>) -> Vec<&'a str> {
    view.subjects().flat_map(|name| name.values(ORGANIZATION_IDENTIFIER)).collect()
}

/// Broken by the identifiers of which something does not hold; nothing to say where there is none that can be read.
fn each(view: &View<'_>, applies: impl Fn(&Identifier<'_>) -> bool, holds: impl Fn(&Identifier<'_>) -> bool) -> Answer {
    let values = values(view);
    let read: Vec<Identifier<'_>> =
        values.iter().filter_map(|value| Identifier::parse(value)).filter(applies).collect();
    Answer::given(!read.is_empty(), || {
        Answer::without(read.iter().filter(|found| !holds(found)).map(|found| found.whole.to_owned()).collect())
    })
}

pub(super) fn encoding(view: &View<'_>) -> Answer {
    let mut found = view.subjects().flat_map(|name| name.attributes());
    let wrong = found.any(|attribute| {
        attribute.kind == ORGANIZATION_IDENTIFIER && ![Tag::Utf8String, Tag::PrintableString].contains(&attribute.tag)
    });
    Answer::given(!values(view).is_empty(), || Answer::broken_if(wrong)).expecting("UTF8String, PrintableString")
}

pub(super) fn format(view: &View<'_>) -> Answer {
    let values = values(view);
    Answer::given(!values.is_empty(), || {
        let wrong = values.iter().filter(|value| Identifier::parse(value).is_none());
        Answer::without(wrong.map(|&value| value.to_owned()).collect())
    })
}

pub(super) fn scheme(view: &View<'_>) -> Answer {
    let known: Vec<&str> = SCHEMES.iter().map(|(scheme, ..)| *scheme).collect();
    each(view, |_| true, |found| found.rules().is_some()).expecting(known.join(", "))
}

pub(super) fn country(view: &View<'_>) -> Answer {
    each(view, |found| found.rules().is_some(), |found| found.country_fits())
}

pub(super) fn state(view: &View<'_>) -> Answer {
    each(view, |_| true, |found| found.rules().is_none_or(|(state, _)| state || found.state.is_none()))
}

pub(super) fn reference_present(view: &View<'_>) -> Answer {
    let needs = |found: &Identifier<'_>| found.rules().is_some_and(|(_, reference)| reference);
    each(view, needs, |found| found.reference.is_some())
}

pub(super) fn reference_absent(view: &View<'_>) -> Answer {
    let has_none = |found: &Identifier<'_>| found.rules().is_some_and(|(_, reference)| !reference);
    each(view, has_none, |found| found.reference.is_none())
}

pub(super) fn german_euid(view: &View<'_>) -> Answer {
    let german = |found: &Identifier<'_>| found.scheme == "NTR" && found.country == "DE" && found.reference.is_some();
    each(view, german, |found| found.is_euid())
}

pub(super) fn lei_syntax(view: &View<'_>) -> Answer {
    each(
        view,
        |found| found.scheme == "LEI" && found.reference.is_some(),
        |found| found.reference.is_some_and(text::is_lei),
    )
}

pub(super) fn lei_checksum(view: &View<'_>) -> Answer {
    let is_lei = |found: &Identifier<'_>| found.scheme == "LEI" && found.reference.is_some_and(text::is_lei);
    each(view, is_lei, |found| found.reference.is_some_and(text::lei_adds_up))
}

pub(super) fn same_country(view: &View<'_>) -> Answer {
    let countries = subject::countries(view);
    let Some(country) = countries.first() else { return Answer::Nothing };
    let of_a_country = |found: &Identifier<'_>| !found.is_global() && found.country != GLOBAL;
    each(view, of_a_country, |found| found.country == *country).expecting(*country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_come_apart() {
        let found = Identifier::parse("NTRDE+BE-DER3306.HRB12345").unwrap();
        assert_eq!((found.scheme, found.country, found.state), ("NTR", "DE", Some("BE")));
        assert_eq!(found.reference, Some("DER3306.HRB12345"));
        assert_eq!(Identifier::parse("GOVUS").unwrap().reference, None);
        for bad in ["GOV", "NTRFR+PARI-1", "ntrDE-1", "NTRDE-", "NTRDEX-1", "ÄÖÜ", "aßDE", "NTRß", ":::DE-1"] {
            assert_eq!(Identifier::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_euid_names_register_and_country() {
        assert!(Identifier::parse("NTRDE-DER3306.HRB12345").unwrap().is_euid());
        for other in ["NTRDE-FRR3306.HRB12345", "NTRDE-DER3306HRB12345", "NTRDE+BE-DER3306.HRB12345"] {
            assert!(!Identifier::parse(other).unwrap().is_euid(), "{other}");
        }
    }
}
