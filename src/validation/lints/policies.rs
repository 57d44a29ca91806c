//! certificatePolicies (SBR 7.1.2.3 a, 7.1.6.1; RFC 5280 4.2.1.4).

use x509_parser::asn1_rs::{Any, Tag};

use crate::certificate::{der, name};

use super::name::oid;
use super::profile::Profile;
use super::rule::Answer;
use super::view::View;

const POLICIES: &str = "2.5.29.32";
const ANY_POLICY: &str = "2.5.29.32.0";
const CPS: &str = "1.3.6.1.5.5.7.2.1";
const USER_NOTICE: &str = "1.3.6.1.5.5.7.2.2";

/// One policy: its number, and its qualifiers by number.
struct Policy<'a> {
    kind: String,
    qualifiers: Vec<(String, Option<Any<'a>>)>,
}

fn read<'a>(view: &View<'a>) -> Option<Vec<Policy<'a>>> {
    let policy = |element: &Any<'a>| {
        let parts = der::elements(element.data)?;
        let (kind, rest) = parts.split_first()?;
        let qualifier = |element: &Any<'a>| {
            let parts = der::elements(element.data)?;
            let (kind, rest) = parts.split_first()?;
            Some((oid(kind)?, rest.first().cloned()))
        };
        let qualifiers = match rest.first() {
            Some(list) => der::elements(list.data)?.iter().map(qualifier).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        Some(Policy { kind: oid(kind)?, qualifiers })
    };
    view.extension(POLICIES)?.elements()?.iter().map(policy).collect()
}

/// The numbers of a certificate's policies; none where there are none or they cannot be read.
pub(super) fn numbers(view: &View<'_>) -> Vec<String> {
    read(view).unwrap_or_default().into_iter().map(|policy| policy.kind).collect()
}

/// The profiles whose reserved policies a certificate asserts.
pub(super) fn asserted(view: &View<'_>) -> Vec<Profile> {
    let numbers = numbers(view);
    Profile::all().filter(|profile| numbers.contains(&profile.policy())).collect()
}

pub(super) fn present(view: &View<'_>) -> Answer {
    Answer::broken_if(view.extension(POLICIES).is_none()).expecting(view.profile.policy())
}

pub(super) fn reserved(view: &View<'_>) -> Answer {
    Answer::given(view.extension(POLICIES).is_some(), || {
        let numbers = numbers(view);
        let wanted = view.profile.policy();
        let missing = if numbers.contains(&wanted) { Vec::new() } else { vec![numbers.join(", ")] };
        Answer::without(missing).expecting(wanted)
    })
}

pub(super) fn one_reserved(view: &View<'_>) -> Answer {
    let asserted = asserted(view);
    Answer::given(!asserted.is_empty(), || {
        let numbers: Vec<String> = asserted.into_iter().map(Profile::policy).collect();
        Answer::without(if numbers.len() > 1 { numbers } else { Vec::new() })
    })
}

pub(super) fn no_any_policy(view: &View<'_>) -> Answer {
    let numbers = numbers(view);
    Answer::given(!numbers.is_empty(), || Answer::broken_if(numbers.iter().any(|kind| kind == ANY_POLICY)))
}

pub(super) fn not_critical(view: &View<'_>) -> Answer {
    view.extension(POLICIES).map_or(Answer::Nothing, |extension| Answer::broken_if(extension.critical))
}

pub(super) fn distinct(view: &View<'_>) -> Answer {
    let numbers = numbers(view);
    Answer::given(!numbers.is_empty(), || {
        let again = numbers.iter().enumerate().filter(|(index, kind)| numbers.iter().take(*index).any(|k| k == *kind));
        Answer::without(again.map(|(_, kind)| kind.clone()).collect())
    })
}

pub(super) fn unqualified(view: &View<'_>) -> Answer {
    let policies = read(view).unwrap_or_default();
    Answer::given(!policies.is_empty(), || {
        let qualified = policies.iter().filter(|policy| !policy.qualifiers.is_empty());
        Answer::without(qualified.map(|policy| policy.kind.clone()).collect())
    })
}

pub(super) fn any_policy_qualifiers(view: &View<'_>) -> Answer {
    let policies = read(view).unwrap_or_default();
    let any: Vec<_> = policies.iter().filter(|policy| policy.kind == ANY_POLICY).collect();
    Answer::given(!any.is_empty(), || {
        let kinds = any.iter().flat_map(|policy| &policy.qualifiers).map(|(kind, _)| kind);
        Answer::without(kinds.filter(|kind| *kind != CPS && *kind != USER_NOTICE).cloned().collect())
    })
}

/// Pointers to certification practice statements.
pub(super) fn statements(view: &View<'_>) -> Vec<String> {
    qualifiers(view, CPS).iter().map(|value| String::from_utf8_lossy(value.data).into_owned()).collect()
}

fn qualifiers<'a>(view: &View<'a>, wanted: &str) -> Vec<Any<'a>> {
    let policies = read(view).unwrap_or_default();
    let all = policies.into_iter().flat_map(|policy| policy.qualifiers);
    all.filter(|(kind, _)| kind == wanted).filter_map(|(_, value)| value).collect()
}

pub(super) fn statement_schemes(view: &View<'_>) -> Answer {
    let statements = statements(view);
    Answer::given(!statements.is_empty(), || {
        let on_the_web = |uri: &String| {
            let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
            scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
        };
        Answer::without(statements.into_iter().filter(|uri| !on_the_web(uri)).collect())
    })
}

/// The parts of each user notice.
fn notices<'a>(view: &View<'a>) -> Vec<Vec<Any<'a>>> {
    qualifiers(view, USER_NOTICE).iter().filter_map(|notice| der::elements(notice.data)).collect()
}

pub(super) fn no_notice_reference(view: &View<'_>) -> Answer {
    let notices = notices(view);
    Answer::given(!notices.is_empty(), || {
        Answer::broken_if(notices.iter().flatten().any(|part| part.tag() == Tag::Sequence))
    })
}

/// explicitText of each user notice: its string type and its text.
fn explicit_texts(view: &View<'_>, check: impl Fn(Tag, &str) -> bool) -> Answer {
    let notices = notices(view);
    let texts: Vec<&Any<'_>> = notices.iter().flatten().filter(|part| part.tag() != Tag::Sequence).collect();
    Answer::given(!texts.is_empty(), || {
        let wrong = texts.iter().filter(|text| !check(text.tag(), &name::text(text).unwrap_or_default()));
        Answer::without(wrong.map(|text| text.tag().to_string()).collect())
    })
}

pub(super) fn explicit_text_not_ia5(view: &View<'_>) -> Answer {
    let allowed = [Tag::Utf8String, Tag::BmpString, Tag::VisibleString];
    explicit_texts(view, |tag, _| allowed.contains(&tag)).expecting("UTF8String")
}

pub(super) fn explicit_text_utf8(view: &View<'_>) -> Answer {
    explicit_texts(view, |tag, _| tag == Tag::Utf8String).expecting("UTF8String")
}

pub(super) fn explicit_text_printable(view: &View<'_>) -> Answer {
    explicit_texts(view, |_, text| !text.contains(char::is_control))
}

pub(super) fn readable(view: &View<'_>) -> Answer {
    view.extension(POLICIES).map_or(Answer::Nothing, |_| Answer::broken_if(read(view).is_none()))
}
