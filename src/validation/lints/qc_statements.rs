//! qcStatements (SBR 7.1.2.3 k; RFC 3739 3.2.6, ETSI EN 319 412-5).

use x509_parser::asn1_rs::{Any, Tag};

use crate::certificate::der;

use super::name::oid;
use super::rule::Answer;
use super::view::View;

const QC_STATEMENTS: &str = "1.3.6.1.5.5.7.1.3";

pub(super) fn not_critical(view: &View<'_>) -> Answer {
    view.extension(QC_STATEMENTS).map_or(Answer::Nothing, |extension| Answer::broken_if(extension.critical))
}

/// The statements whose contents do not have their form.
pub(super) fn well_formed(view: &View<'_>) -> Answer {
    let Some(extension) = view.extension(QC_STATEMENTS) else { return Answer::Nothing };
    let Some(statements) = extension.elements() else { return Answer::broken_if(true) };
    Answer::without(statements.iter().filter_map(malformed).collect())
}

/// The number of a statement whose contents do not have their form.
fn malformed(statement: &Any<'_>) -> Option<String> {
    let parts = der::elements(statement.data).unwrap_or_default();
    let Some(kind) = parts.first().and_then(oid) else { return Some(hex::encode(statement.data)) };
    let info = parts.get(1);
    let list = || info.filter(|info| info.tag() == Tag::Sequence).and_then(|info| der::elements(info.data));
    let all = |fits: fn(&Any<'_>) -> bool| list().is_some_and(|list| !list.is_empty() && list.iter().all(fits));
    let fits = match kind.as_str() {
        // QcCompliance and QcSSCD say all by being there
        "0.4.0.1862.1.1" | "0.4.0.1862.1.4" => info.is_none(),
        "0.4.0.1862.1.2" => list().is_some_and(|list| list.len() == 3 && list.iter().skip(1).all(is_integer)),
        "0.4.0.1862.1.3" => info.is_some_and(is_integer),
        "0.4.0.1862.1.5" => all(is_disclosure),
        "0.4.0.1862.1.6" => all(|kind| kind.tag() == Tag::Oid),
        "0.4.0.1862.1.7" => all(is_two_letters),
        _ => true,
    };
    (!fits).then_some(kind)
}

fn is_integer(any: &Any<'_>) -> bool {
    any.tag() == Tag::Integer
}

fn is_two_letters(any: &Any<'_>) -> bool {
    any.tag() == Tag::PrintableString && any.data.len() == 2 && any.data.iter().all(u8::is_ascii_alphabetic)
}

/// Where a disclosure statement is, and in which language.
fn is_disclosure(any: &Any<'_>) -> bool {
    let parts = der::elements(any.data).unwrap_or_default();
    matches!(parts.as_slice(), [url, language] if url.tag() == Tag::Ia5String && is_two_letters(language))
}
