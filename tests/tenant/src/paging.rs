//! Pages: what `Prefer` asks for, and the token in a continuation link.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const TAG_BYTES: usize = 32;
const CONTENT_BYTES: usize = 32;

/// Where the next page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Continuation {
    /// The back end that gave it and alone takes it.
    pub(crate) back_end: u64,
    /// Position in the list of all recipients.
    pub(crate) start: usize,
    /// Objects given on the pages before.
    pub(crate) given: usize,
}

/// The text of a `$skiptoken`, bound to the request body and the path it belongs to.
pub(crate) fn token(key: &hmac::Key, next: Continuation, now_s: i64, request: &[u8]) -> String {
    let mut content = Vec::with_capacity(CONTENT_BYTES + TAG_BYTES);
    for number in [next.start as u64, next.given as u64, now_s.cast_unsigned(), next.back_end] {
        content.extend_from_slice(&number.to_be_bytes());
    }
    let tag = sign(key, &content, request);
    content.extend_from_slice(tag.as_ref());
    URL_SAFE_NO_PAD.encode(content)
}

/// Reads a `$skiptoken` no older than `lifetime_s`; `None` when it is altered, stale, or belongs to another request.
pub(crate) fn read_token(
    key: &hmac::Key,
    text: &str,
    now_s: i64,
    lifetime_s: u32,
    request: &[u8],
) -> Option<Continuation> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (content, tag) = bytes.split_at_checked(CONTENT_BYTES)?;
    hmac::verify(key, &signed(content, request), tag).ok()?;
    let number = |at: usize| Some(u64::from_be_bytes(content.get(at..at + 8)?.try_into().ok()?));
    let issued_s = number(16)?.cast_signed();
    if now_s.saturating_sub(issued_s) > i64::from(lifetime_s) {
        return None;
    }
    let position = |at: usize| usize::try_from(number(at)?).ok();
    Some(Continuation { back_end: number(24)?, start: position(0)?, given: position(8)? })
}

fn sign(key: &hmac::Key, content: &[u8], request: &[u8]) -> hmac::Tag {
    hmac::sign(key, &signed(content, request))
}

fn signed(content: &[u8], request: &[u8]) -> Vec<u8> {
    [b"skiptoken".as_slice(), content, request].concat()
}

/// `odata.maxpagesize` of a `Prefer` header, which may hold other preferences and spaces.
pub(crate) fn max_page_size(prefer: &str) -> Option<usize> {
    prefer
        .split([',', ';'])
        .filter_map(|preference| preference.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("odata.maxpagesize"))
        .and_then(|(_, size)| size.trim().parse().ok())
        .filter(|size| *size > 0)
}
