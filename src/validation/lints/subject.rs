//! The subject, and each directoryName beside it (SBR 7.1.4.2).

use super::name::{Attribute, Dn};
use super::profile::{Generation, Type};
use super::rule::Answer;
use super::text;
use super::view::View;

const COMMON_NAME: &str = "2.5.4.3";
const SURNAME: &str = "2.5.4.4";
const SERIAL_NUMBER: &str = "2.5.4.5";
const COUNTRY: &str = "2.5.4.6";
const LOCALITY: &str = "2.5.4.7";
const STATE: &str = "2.5.4.8";
const STREET: &str = "2.5.4.9";
const ORGANIZATION: &str = "2.5.4.10";
const UNIT: &str = "2.5.4.11";
const TITLE: &str = "2.5.4.12";
const POSTAL_CODE: &str = "2.5.4.17";
const GIVEN_NAME: &str = "2.5.4.42";
const PSEUDONYM: &str = "2.5.4.65";
const ORGANIZATION_IDENTIFIER: &str = "2.5.4.97";
const EMAIL_ADDRESS: &str = "1.2.840.113549.1.9.1";
const DOMAIN_COMPONENT: &str = "0.9.2342.19200300.100.1.25";

/// Every attribute the profiles speak of.
const KNOWN: [&str; 15] = [
    COMMON_NAME,
    SURNAME,
    SERIAL_NUMBER,
    COUNTRY,
    LOCALITY,
    STATE,
    STREET,
    ORGANIZATION,
    UNIT,
    TITLE,
    POSTAL_CODE,
    GIVEN_NAME,
    PSEUDONYM,
    ORGANIZATION_IDENTIFIER,
    EMAIL_ADDRESS,
];

/// Those a type must not have (SBR 7.1.4.2.3 to 7.1.4.2.6).
fn prohibited(subject: Type) -> &'static [&'static str] {
    match subject {
        Type::Mailbox | Type::Sponsor => &[],
        Type::Organization => &[GIVEN_NAME, SURNAME, PSEUDONYM, TITLE],
        Type::Individual => &[ORGANIZATION, UNIT, ORGANIZATION_IDENTIFIER],
    }
}

/// Which attribute needs one of which others beside it (SBR 7.1.4.2.2 j to m).
const DEPENDENT: [(&str, &[&str]); 4] =
    [(STREET, &[LOCALITY, STATE]), (STATE, &[COUNTRY]), (LOCALITY, &[COUNTRY]), (POSTAL_CODE, &[COUNTRY])];

/// The attributes, of the subject and of each directoryName, that a test finds.
fn offending(view: &View<'_>, offends: impl Fn(&Attribute) -> bool) -> Vec<String> {
    view.subjects().flat_map(Dn::attributes).filter(|attribute| offends(attribute)).map(shown).collect()
}

/// An attribute's number, with its value where that can be read.
fn shown(attribute: &Attribute) -> String {
    attribute.value.as_ref().map_or_else(|| attribute.kind.clone(), |value| format!("{}={value}", attribute.kind))
}

pub(super) fn mailbox_alone(view: &View<'_>) -> Answer {
    let allowed = [COMMON_NAME, SERIAL_NUMBER, EMAIL_ADDRESS];
    let wrong = offending(view, |attribute| !allowed.contains(&attribute.kind.as_str()));
    Answer::without(wrong).expecting("commonName, serialNumber, emailAddress")
}

pub(super) fn none_prohibited(view: &View<'_>) -> Answer {
    let strict = view.profile.generation == Generation::Strict;
    let others = view.profile.generation == Generation::Legacy;
    Answer::without(offending(view, |attribute| {
        let kind = attribute.kind.as_str();
        prohibited(view.profile.subject).contains(&kind)
            || (strict && [STREET, POSTAL_CODE].contains(&kind))
            || (!others && !KNOWN.contains(&kind))
    }))
}

pub(super) fn organization(view: &View<'_>) -> Answer {
    let missing =
        |name: &Dn| [ORGANIZATION, ORGANIZATION_IDENTIFIER].into_iter().filter(|kind| !name.has(kind)).collect();
    Answer::without(view.subjects().flat_map::<Vec<&str>, _>(missing).map(str::to_owned).collect())
}

fn someone(view: &View<'_>, one_of: &[&str]) -> Answer {
    Answer::broken_if(view.subjects().any(|name| !one_of.iter().any(|kind| name.has(kind))))
        .expecting(one_of.join(", "))
}

pub(super) fn person(view: &View<'_>) -> Answer {
    someone(view, &[GIVEN_NAME, SURNAME, PSEUDONYM])
}

pub(super) fn person_or_common_name(view: &View<'_>) -> Answer {
    someone(view, &[GIVEN_NAME, SURNAME, PSEUDONYM, COMMON_NAME])
}

pub(super) fn name_or_pseudonym(view: &View<'_>) -> Answer {
    Answer::broken_if(view.subjects().any(|name| name.has(PSEUDONYM) && (name.has(GIVEN_NAME) || name.has(SURNAME))))
}

pub(super) fn dependencies(view: &View<'_>) -> Answer {
    let alone = |name: &Dn| -> Vec<String> {
        let broken =
            DEPENDENT.iter().filter(|(kind, needs)| name.has(kind) && !needs.iter().any(|kind| name.has(kind)));
        broken.map(|(kind, needs)| format!("{kind} without {}", needs.join(" or "))).collect()
    };
    Answer::without(view.subjects().flat_map(alone).collect())
}

/// Common names that come from nowhere a profile allows. An address has to be repeated, which is another rule.
fn common_names(view: &View<'_>, fits: impl Fn(&Dn, &str) -> bool) -> Answer {
    let unknown = |name: &Dn| -> Vec<String> {
        let values = name.values(COMMON_NAME).filter(|value| !text::is_any_mailbox(value) && !fits(name, value));
        values.map(str::to_owned).collect()
    };
    Answer::without(view.subjects().flat_map(unknown).collect())
}

pub(super) fn mailbox_common_name(view: &View<'_>) -> Answer {
    common_names(view, |_, _| false)
}

pub(super) fn organization_common_name(view: &View<'_>) -> Answer {
    common_names(view, |name, value| name.values(ORGANIZATION).any(|organization| organization == value))
}

pub(super) fn person_common_name(view: &View<'_>) -> Answer {
    let legacy = view.profile.generation == Generation::Legacy;
    common_names(view, |name, value| {
        let personal = name.has(GIVEN_NAME) || name.has(SURNAME);
        // Legacy profiles may give a personal name there alone
        personal || (legacy && !name.has(PSEUDONYM)) || name.values(PSEUDONYM).any(|pseudonym| pseudonym == value)
    })
}

pub(super) fn country(view: &View<'_>) -> Answer {
    let wrong = |value: &&str| !text::is_country(value) && *value != "XX";
    Answer::without(view.subjects().flat_map(|name| name.values(COUNTRY)).filter(wrong).map(str::to_owned).collect())
        .expecting("ISO 3166-1")
}

/// The countries of the subject.
pub(super) fn countries<'a>(view: &'a View<'_>) -> Vec<&'a str> {
    view.subject.values(COUNTRY).collect()
}

pub(super) fn significant(view: &View<'_>) -> Answer {
    Answer::without(offending(view, |attribute| {
        attribute.value.as_ref().is_some_and(|value| !text::is_significant(value))
    }))
}

pub(super) fn no_entities(view: &View<'_>) -> Answer {
    Answer::without(offending(view, |attribute| attribute.value.as_ref().is_some_and(|value| text::has_entity(value))))
}

pub(super) fn readable(view: &View<'_>) -> Answer {
    Answer::without(offending(view, |attribute| attribute.value.is_none()))
}

pub(super) fn single_valued(view: &View<'_>) -> Answer {
    Answer::broken_if(view.subjects().flat_map(|name| &name.rdns).any(|rdn| rdn.len() > 1))
}

pub(super) fn distinct_in_rdn(view: &View<'_>) -> Answer {
    let again = |rdn: &Vec<Attribute>| -> Vec<String> {
        let kinds = rdn
            .iter()
            .enumerate()
            .filter(|(index, attribute)| rdn.iter().take(*index).any(|earlier| earlier.kind == attribute.kind));
        kinds.map(|(_, attribute)| attribute.kind.clone()).collect()
    };
    let names = view.subjects().chain(std::iter::once(&view.issuer));
    Answer::without(names.flat_map(|name| &name.rdns).flat_map(again).collect())
}

pub(super) fn domain_components(view: &View<'_>) -> Answer {
    let mut labels: Vec<&str> = view.subject.values(DOMAIN_COMPONENT).collect();
    Answer::given(!labels.is_empty(), || {
        labels.reverse();
        let domain = labels.join(".");
        Answer::without(if text::is_domain(&domain) { Vec::new() } else { vec![domain] })
    })
}

pub(super) fn has_issuer(view: &View<'_>) -> Answer {
    Answer::broken_if(view.issuer.rdns.is_empty())
}

/// The type of profile that a subject fits best.
pub(super) fn fitting(name: &Dn) -> Type {
    let person = name.has(GIVEN_NAME) || name.has(SURNAME) || name.has(PSEUDONYM);
    let organization = name.values(ORGANIZATION).next();
    let personal = |value: &str| !text::is_any_mailbox(value) && organization != Some(value);
    match organization {
        Some(_) if person || name.values(COMMON_NAME).any(personal) => Type::Sponsor,
        Some(_) => Type::Organization,
        None if person => Type::Individual,
        None => Type::Mailbox,
    }
}
