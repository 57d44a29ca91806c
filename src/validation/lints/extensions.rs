//! Extensions that some profiles do not have, and extensions that are never critical (SBR 7.1.2.3 i to m; RFC 5280 4.2).

use x509_parser::asn1_rs::Any;

use crate::certificate::der;

use super::name::GeneralName;
use super::rule::Answer;
use super::text;
use super::view::View;

const SUBJECT_DIRECTORY_ATTRIBUTES: &str = "2.5.29.9";
const ISSUER_ALTERNATIVE_NAME: &str = "2.5.29.18";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const LEI: &str = "1.3.6.1.4.1.52266.1";
const LEI_ROLE: &str = "1.3.6.1.4.1.52266.2";
const ADOBE_TIME_STAMP: &str = "1.2.840.113583.1.1.9.1";
const ADOBE_ARCHIVE: &str = "1.2.840.113583.1.1.9.2";

/// subjectKeyIdentifier, subjectDirectoryAttributes, authorityInfoAccess, subjectInfoAccess, smimeCapabilities.
const NEVER_CRITICAL: [&str; 5] =
    ["2.5.29.14", SUBJECT_DIRECTORY_ATTRIBUTES, "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11", "1.2.840.113549.1.9.15"];

/// nameConstraints, policyMappings, policyConstraints, inhibitAnyPolicy.
const OF_AUTHORITIES: [&str; 4] = ["2.5.29.30", "2.5.29.33", "2.5.29.36", "2.5.29.54"];

fn none_of(view: &View<'_>, kinds: &[&str]) -> Answer {
    let found = view.extensions.iter().filter(|extension| kinds.contains(&extension.kind.as_str()));
    Answer::without(found.map(|extension| extension.kind.clone()).collect())
}

/// Of these, none is critical; nothing to say where there are none.
fn none_critical(view: &View<'_>, kinds: &[&str]) -> Answer {
    let found: Vec<_> = view.extensions.iter().filter(|extension| kinds.contains(&extension.kind.as_str())).collect();
    Answer::given(!found.is_empty(), || {
        let critical = found.iter().filter(|extension| extension.critical);
        Answer::without(critical.map(|extension| extension.kind.clone()).collect())
    })
}

pub(super) fn no_directory_attributes(view: &View<'_>) -> Answer {
    none_of(view, &[SUBJECT_DIRECTORY_ATTRIBUTES])
}

pub(super) fn no_lei(view: &View<'_>) -> Answer {
    none_of(view, &[LEI])
}

pub(super) fn no_lei_role(view: &View<'_>) -> Answer {
    none_of(view, &[LEI_ROLE])
}

pub(super) fn lei_not_critical(view: &View<'_>) -> Answer {
    none_critical(view, &[LEI])
}

pub(super) fn lei_role_not_critical(view: &View<'_>) -> Answer {
    none_critical(view, &[LEI_ROLE])
}

pub(super) fn no_adobe(view: &View<'_>) -> Answer {
    none_of(view, &[ADOBE_TIME_STAMP, ADOBE_ARCHIVE])
}

pub(super) fn adobe_not_critical(view: &View<'_>) -> Answer {
    none_critical(view, &[ADOBE_TIME_STAMP, ADOBE_ARCHIVE])
}

pub(super) fn not_critical(view: &View<'_>) -> Answer {
    none_critical(view, &NEVER_CRITICAL)
}

pub(super) fn issuer_name_not_critical(view: &View<'_>) -> Answer {
    none_critical(view, &[ISSUER_ALTERNATIVE_NAME])
}

pub(super) fn none_of_authorities(view: &View<'_>) -> Answer {
    none_of(view, &OF_AUTHORITIES)
}

pub(super) fn no_path_length(view: &View<'_>) -> Answer {
    let basic = view.certificate.details.extensions.basic_constraints.filter(|basic| !basic.ca);
    Answer::given(view.extension(BASIC_CONSTRAINTS).is_some(), || {
        let length = basic.and_then(|basic| basic.path_length);
        Answer::without(length.map(|length| length.to_string()).into_iter().collect())
    })
}

/// The identifier in the extension.
fn lei<'a>(view: &View<'a>) -> Option<&'a str> {
    std::str::from_utf8(der::whole(view.extension(LEI)?.value)?.data).ok()
}

pub(super) fn lei_syntax(view: &View<'_>) -> Answer {
    lei(view)
        .map_or(Answer::Nothing, |lei| Answer::without(if text::is_lei(lei) { Vec::new() } else { vec![lei.into()] }))
}

pub(super) fn lei_checksum(view: &View<'_>) -> Answer {
    lei(view).filter(|lei| text::is_lei(lei)).map_or(Answer::Nothing, |lei| {
        Answer::without(if text::lei_adds_up(lei) { Vec::new() } else { vec![lei.into()] })
    })
}

/// The place of Adobe's time stamp server is a URI.
pub(super) fn adobe_location(view: &View<'_>) -> Answer {
    let Some(parts) = view.extension(ADOBE_TIME_STAMP).map(|extension| extension.elements().unwrap_or_default()) else {
        return Answer::Nothing;
    };
    // version, location, requiresAuth
    let location: Option<&Any<'_>> = parts.get(1);
    let kind = location.and_then(GeneralName::read).map_or("", |name| name.kind());
    Answer::without(if kind == "uniformResourceIdentifier" { Vec::new() } else { vec![kind.to_owned()] })
        .expecting("uniformResourceIdentifier")
}
