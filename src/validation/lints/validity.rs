//! The certificate's dates and number (SBR 6.3.2, 7.1.6.1; RFC 5280 4.1.2).

use x509_parser::asn1_rs::Tag;

use super::rule::Answer;
use super::view::View;

const DAY_MS: i64 = 86_400_000;
const LEGACY_DAYS: i64 = 1185;
const DAYS: i64 = 825;

/// Milliseconds from the first to the last second, both counted (RFC 5280 4.1.2.5).
fn length_ms(view: &View<'_>) -> i64 {
    view.certificate.not_after_ms.saturating_sub(view.certificate.not_before_ms).saturating_add(1000)
}

fn at_most(view: &View<'_>, days: i64) -> Answer {
    let length = length_ms(view);
    // any fraction of a day counts as another day
    let started = length.div_euclid(DAY_MS) + i64::from(length.rem_euclid(DAY_MS) > 0);
    Answer::without(if started > days { vec![format!("{started} d")] } else { Vec::new() })
        .expecting(format!("{days} d"))
}

pub(super) fn legacy_length(view: &View<'_>) -> Answer {
    at_most(view, LEGACY_DAYS)
}

pub(super) fn length(view: &View<'_>) -> Answer {
    at_most(view, DAYS)
}

pub(super) fn legacy_margin(view: &View<'_>) -> Answer {
    Answer::broken_if(length_ms(view) == LEGACY_DAYS * DAY_MS)
}

pub(super) fn margin(view: &View<'_>) -> Answer {
    Answer::broken_if(length_ms(view) == DAYS * DAY_MS)
}

pub(super) fn order(view: &View<'_>) -> Answer {
    Answer::broken_if(view.certificate.not_before_ms > view.certificate.not_after_ms)
}

/// Whatever is issued in the Legacy generation breaks this while it is in force.
pub(super) fn legacy_ended(_: &View<'_>) -> Answer {
    Answer::broken_if(true)
}

pub(super) fn time_types(view: &View<'_>) -> Answer {
    let early = |(tag, text): &&(Tag, &[u8])| {
        *tag == Tag::GeneralizedTime && text.get(..4).is_some_and(|year| (b"1950".as_slice()..b"2050").contains(&year))
    };
    Answer::without(
        view.times.iter().filter(early).map(|(_, text)| String::from_utf8_lossy(text).into_owned()).collect(),
    )
    .expecting("UTCTime")
}

pub(super) fn time_syntax(view: &View<'_>) -> Answer {
    let wrong = |(tag, text): &&(Tag, &[u8])| {
        let digits = if *tag == Tag::UtcTime { 12 } else { 14 };
        text.len() != digits + 1 || text.last() != Some(&b'Z') || !text.iter().take(digits).all(u8::is_ascii_digit)
    };
    Answer::without(
        view.times.iter().filter(wrong).map(|(_, text)| String::from_utf8_lossy(text).into_owned()).collect(),
    )
    .expecting("YYMMDDhhmmssZ")
}

/// Positive, and of at most 20 octets.
pub(super) fn serial_number(view: &View<'_>) -> Answer {
    let positive = view.serial.first().is_some_and(|first| *first < 0x80) && view.serial.iter().any(|byte| *byte != 0);
    let fits = positive && view.serial.len() <= 20;
    Answer::without(if fits { Vec::new() } else { vec![hex::encode_upper(view.serial)] })
}

pub(super) fn no_unique_ids(view: &View<'_>) -> Answer {
    Answer::without(view.unique_ids.iter().map(|&id| id.to_owned()).collect())
}
