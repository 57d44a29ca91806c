//! cRLDistributionPoints (SBR 7.1.2.3 b; RFC 5280 4.2.1.13).

use x509_parser::asn1_rs::Any;

use crate::certificate::der;

use super::name::GeneralName;
use super::profile::Generation;
use super::rule::Answer;
use super::text;
use super::view::View;

const DISTRIBUTION_POINTS: &str = "2.5.29.31";

/// One point: the names of the place, and whether it names a CRL issuer.
struct Point {
    names: Vec<GeneralName>,
    relative: bool,
    issuer: bool,
}

fn points(view: &View<'_>) -> Option<Vec<Point>> {
    let extension = view.extension(DISTRIBUTION_POINTS)?;
    Some(extension.elements().unwrap_or_default().iter().filter_map(point).collect())
}

fn point(element: &Any<'_>) -> Option<Point> {
    let mut point = Point { names: Vec::new(), relative: false, issuer: false };
    for part in der::elements(element.data)? {
        match part.tag().0 {
            0 => {
                let name = der::whole(part.data)?;
                point.relative = name.tag().0 == 1;
                if !point.relative {
                    point.names = der::elements(name.data)?.iter().filter_map(GeneralName::read).collect();
                }
            }
            2 => point.issuer = true,
            _ => {}
        }
    }
    Some(point)
}

/// The addresses of the lists.
pub(super) fn uris(view: &View<'_>) -> Vec<String> {
    let names = points(view).unwrap_or_default().into_iter().flat_map(|point| point.names);
    names.filter_map(|name| if let GeneralName::Uri(uri) = name { Some(uri) } else { None }).collect()
}

pub(super) fn present(view: &View<'_>) -> Answer {
    Answer::broken_if(uris(view).is_empty())
}

pub(super) fn not_critical(view: &View<'_>) -> Answer {
    view.extension(DISTRIBUTION_POINTS).map_or(Answer::Nothing, |extension| Answer::broken_if(extension.critical))
}

pub(super) fn one_http(view: &View<'_>) -> Answer {
    Answer::given(view.extension(DISTRIBUTION_POINTS).is_some(), || {
        let uris = uris(view);
        let http = uris.iter().any(|uri| text::scheme(uri) == "http");
        Answer::without(if http { Vec::new() } else { vec![uris.join(", ")] }).expecting("http")
    })
}

pub(super) fn schemes(view: &View<'_>) -> Answer {
    Answer::given(view.extension(DISTRIBUTION_POINTS).is_some(), || {
        let allowed = text::schemes(view.profile.generation == Generation::Legacy);
        let wrong = uris(view).into_iter().filter(|uri| !allowed.contains(&text::scheme(uri).as_str()));
        Answer::without(wrong.collect()).expecting(allowed.join(", "))
    })
}

pub(super) fn name_types(view: &View<'_>) -> Answer {
    points(view).map_or(Answer::Nothing, |points| {
        let names = points.iter().flat_map(|point| &point.names);
        let wrong = names.filter(|name| !matches!(name, GeneralName::Uri(_))).map(|name| name.kind().to_owned());
        Answer::without(wrong.collect()).expecting("uniformResourceIdentifier")
    })
}

pub(super) fn not_empty(view: &View<'_>) -> Answer {
    points(view).map_or(Answer::Nothing, |points| {
        Answer::broken_if(points.iter().any(|point| point.names.is_empty() && !point.relative && !point.issuer))
    })
}

pub(super) fn reachable(view: &View<'_>) -> Answer {
    let uris = uris(view);
    Answer::given(!uris.is_empty(), || {
        Answer::without(uris.into_iter().filter(|uri| text::leads_inside(uri)).collect())
    })
}
