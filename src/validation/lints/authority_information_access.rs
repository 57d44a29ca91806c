//! authorityInfoAccess (SBR 7.1.2.3 c; RFC 5280 4.2.2.1).

use x509_parser::asn1_rs::Any;

use crate::certificate::der;

use super::name::{GeneralName, oid};
use super::profile::Generation;
use super::rule::Answer;
use super::text;
use super::view::View;

const AUTHORITY_INFORMATION: &str = "1.3.6.1.5.5.7.1.1";
const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// What is offered, by number, and where.
fn descriptions(view: &View<'_>) -> Option<Vec<(String, GeneralName)>> {
    let description = |element: &Any<'_>| {
        let parts = der::elements(element.data)?;
        let [method, location] = parts.as_slice() else { return None };
        Some((oid(method)?, GeneralName::read(location)?))
    };
    view.extension(AUTHORITY_INFORMATION)?.elements()?.iter().map(description).collect()
}

/// Every address.
pub(super) fn uris(view: &View<'_>) -> Vec<String> {
    let all = descriptions(view).unwrap_or_default().into_iter();
    all.filter_map(|(_, name)| if let GeneralName::Uri(uri) = name { Some(uri) } else { None }).collect()
}

pub(super) fn present(view: &View<'_>) -> Answer {
    Answer::broken_if(view.extension(AUTHORITY_INFORMATION).is_none())
}

pub(super) fn readable(view: &View<'_>) -> Answer {
    view.extension(AUTHORITY_INFORMATION).map_or(Answer::Nothing, |_| Answer::broken_if(descriptions(view).is_none()))
}

pub(super) fn ca_issuers(view: &View<'_>) -> Answer {
    descriptions(view).map_or(Answer::Nothing, |found| {
        Answer::broken_if(!found.iter().any(|(method, _)| method == CA_ISSUERS)).expecting("caIssuers")
    })
}

fn one_http(view: &View<'_>, wanted: &str) -> Answer {
    let mut found = descriptions(view).unwrap_or_default();
    found.retain(|(method, _)| method == wanted);
    Answer::given(!found.is_empty(), || {
        let http = |name: &GeneralName| matches!(name, GeneralName::Uri(uri) if text::scheme(uri) == "http");
        Answer::broken_if(!found.iter().any(|(_, name)| http(name))).expecting("http")
    })
}

pub(super) fn ca_issuers_http(view: &View<'_>) -> Answer {
    one_http(view, CA_ISSUERS)
}

pub(super) fn ocsp_http(view: &View<'_>) -> Answer {
    one_http(view, OCSP)
}

pub(super) fn schemes(view: &View<'_>) -> Answer {
    Answer::given(view.extension(AUTHORITY_INFORMATION).is_some(), || {
        let allowed = text::schemes(view.profile.generation == Generation::Legacy);
        let wrong = uris(view).into_iter().filter(|uri| !allowed.contains(&text::scheme(uri).as_str()));
        Answer::without(wrong.collect()).expecting(allowed.join(", "))
    })
}

pub(super) fn name_types(view: &View<'_>) -> Answer {
    descriptions(view).map_or(Answer::Nothing, |found| {
        let wrong = found.iter().filter(|(_, name)| !matches!(name, GeneralName::Uri(_)));
        Answer::without(wrong.map(|(_, name)| name.kind().to_owned()).collect()).expecting("uniformResourceIdentifier")
    })
}

pub(super) fn reachable(view: &View<'_>) -> Answer {
    Answer::given(view.extension(AUTHORITY_INFORMATION).is_some(), || {
        Answer::without(uris(view).into_iter().filter(|uri| text::leads_inside(uri)).collect())
    })
}
