//! authorityKeyIdentifier and subjectKeyIdentifier (SBR 7.1.2.3 g; RFC 5280 4.2.1.1, 4.2.1.2, RFC 7093).

use aws_lc_rs::digest;
use x509_parser::asn1_rs::Any;

use crate::certificate::der;

use super::rule::Answer;
use super::view::View;

const AUTHORITY: &str = "2.5.29.35";
const SUBJECT: &str = "2.5.29.14";

/// Octets of an identifier that is a digest cut to 160 bits (RFC 7093 2).
const CUT: usize = 20;

fn fields<'a>(view: &View<'a>) -> Option<Vec<Any<'a>>> {
    view.extension(AUTHORITY)?.elements()
}

fn has(fields: &[Any<'_>], tag: u32) -> bool {
    fields.iter().any(|field| field.tag().0 == tag)
}

pub(super) fn present(view: &View<'_>) -> Answer {
    Answer::broken_if(view.extension(AUTHORITY).is_none())
}

pub(super) fn not_critical(view: &View<'_>) -> Answer {
    view.extension(AUTHORITY).map_or(Answer::Nothing, |extension| Answer::broken_if(extension.critical))
}

pub(super) fn has_key_identifier(view: &View<'_>) -> Answer {
    fields(view).map_or(Answer::Nothing, |fields| Answer::broken_if(!has(&fields, 0)).expecting("keyIdentifier"))
}

pub(super) fn names_no_issuer(view: &View<'_>) -> Answer {
    fields(view).map_or(Answer::Nothing, |fields| {
        let named = [(1, "authorityCertIssuer"), (2, "authorityCertSerialNumber")];
        Answer::without(
            named.iter().filter(|(tag, _)| has(&fields, *tag)).map(|(_, name)| (*name).to_owned()).collect(),
        )
    })
}

pub(super) fn issuer_and_serial(view: &View<'_>) -> Answer {
    fields(view).map_or(Answer::Nothing, |fields| Answer::broken_if(has(&fields, 1) != has(&fields, 2)))
}

pub(super) fn subject_present(view: &View<'_>) -> Answer {
    Answer::broken_if(view.extension(SUBJECT).is_none())
}

/// Whether the identifier is made from the key in one of the ways that standards give.
pub(super) fn known_method(view: &View<'_>) -> Answer {
    let Some(id) = view.extension(SUBJECT).and_then(|extension| der::whole(extension.value)) else {
        return Answer::Nothing;
    };
    let key = &view.certificate.details.public_key;
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &key.bytes);
    let mut short = sha1.as_ref().iter().skip(12).copied().collect::<Vec<u8>>();
    if let Some(first) = short.first_mut() {
        *first = 0x40 | (*first & 0x0f);
    }
    let cut = |algorithm, bytes: &[u8]| digest::digest(algorithm, bytes).as_ref().iter().take(CUT).copied().collect();
    let known: [Vec<u8>; 6] = [
        sha1.as_ref().to_vec(),
        short,
        cut(&digest::SHA256, &key.bytes),
        cut(&digest::SHA384, &key.bytes),
        cut(&digest::SHA512, &key.bytes),
        // RFC 7093 2 (4) leaves the hash open; this is the usual one
        digest::digest(&digest::SHA256, &key.spki).as_ref().to_vec(),
    ];
    let fits = known.iter().any(|known| known == id.data);
    Answer::without(if fits { Vec::new() } else { vec![hex::encode_upper(id.data)] })
}
