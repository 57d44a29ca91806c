//! One LDAPMessage (RFC 4511 4.1.1) as bytes: where it ends, and whether its form is what the LDAP library relies on.
//!
//! The library panics on a missing element, waits for ever on a length that leads outside, and recurses as deep as a
//! message is nested; so all of that is looked at here, before it sees a byte.

use crate::error::{Code, Error};

use super::MAX_MESSAGE_BYTES;

/// Elements within elements; no message of LDAP has more than eight.
const MAX_DEPTH: u32 = 16;

const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0A;
const SEQUENCE: u8 = 0x30;
/// The controls of a message.
const CONTROLS: u8 = 0xA0;
/// Where Active Directory puts the name of its notice of disconnection: outside of the operation.
const MISPLACED_NAME: u8 = 0x8A;

/// Numbers of the protocol operations, the application tags of RFC 4511 4.
pub(super) mod operation {
    #[cfg(feature = "gssapi")]
    pub(in crate::net::ldap) const BIND_RESPONSE: u8 = 1;
    pub(in crate::net::ldap) const UNBIND: u8 = 2;
    pub(in crate::net::ldap) const SEARCH_REQUEST: u8 = 3;
    pub(in crate::net::ldap) const SEARCH_ENTRY: u8 = 4;
    pub(in crate::net::ldap) const SEARCH_DONE: u8 = 5;
    pub(in crate::net::ldap) const ABANDON: u8 = 16;
    pub(in crate::net::ldap) const SEARCH_REFERENCE: u8 = 19;
    pub(in crate::net::ldap) const EXTENDED_RESPONSE: u8 = 24;
    pub(in crate::net::ldap) const INTERMEDIATE: u8 = 25;
}

/// What is wrong with bytes that should be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// They are something else.
    NotLdap,
    /// The message is longer than accepted, or does not say how long it is.
    TooLong,
    /// It has not the form of its kind.
    Malformed,
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        let detail = match broken {
            Broken::NotLdap => "what came is no LDAP message",
            Broken::TooLong => "a message longer than 16 MiB",
            Broken::Malformed => "a malformed message",
        };
        Self::new(Code::DirectoryProtocol).with("detail", detail)
    }
}

/// A message's id and operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The message id; 0 is the server's own word, unasked.
    pub(super) id: i32,
    /// The number of its operation.
    pub(super) operation: u8,
}

/// The length of the message that begins here, header included; `None` where more bytes are needed to tell.
pub(super) fn extent(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    match bytes {
        [] => return Ok(None),
        [SEQUENCE, ..] => {}
        _ => return Err(Broken::NotLdap),
    }
    let Some((header, length)) = length(bytes)? else { return Ok(None) };
    if length > MAX_MESSAGE_BYTES { Err(Broken::TooLong) } else { Ok(Some(header + length)) }
}

/// The name of the entry that a message beginning like this brings, for one that is too long to be read.
pub(super) fn entry_name(beginning: &[u8]) -> Option<String> {
    let content = |bytes: &[u8]| Some(length(bytes).ok()??.0);
    let message = beginning.get(content(beginning)?..)?;
    let (_, _, operation) = element(message).ok()?;
    if operation.first() != Some(&(0x60 | operation::SEARCH_ENTRY)) {
        return None;
    }
    match element(operation.get(content(operation)?..)?).ok()? {
        (OCTET_STRING, name, _) => std::str::from_utf8(name).ok().map(str::to_owned),
        _ => None,
    }
}

/// Bytes of tag and length, and the length; `None` where more bytes are needed.
fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Broken> {
    let Some(&first) = bytes.get(1) else { return Ok(None) };
    let octets = match first {
        0..=0x7F => return Ok(Some((2, usize::from(first)))),
        // LDAP allows the definite form alone (RFC 4511 5.1)
        0x80 | 0xFF => return Err(Broken::TooLong),
        _ => usize::from(first - 0x80),
    };
    let Some(octets) = bytes.get(2..2 + octets) else { return Ok(None) };
    let significant = octets.iter().position(|octet| *octet != 0).map_or(&[][..], |first| &octets[first..]);
    if significant.len() > 4 {
        return Err(Broken::TooLong);
    }
    let length = significant.iter().fold(0usize, |sum, octet| sum << 8 | usize::from(*octet));
    Ok(Some((2 + octets.len(), length)))
}

/// One element: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Broken> {
    // tags of several octets do not occur in LDAP
    let tag = *bytes.first().filter(|tag| *tag & 0x1F != 0x1F).ok_or(Broken::Malformed)?;
    let (header, length) = length(bytes).ok().flatten().ok_or(Broken::Malformed)?;
    let end = header.checked_add(length).filter(|end| *end <= bytes.len()).ok_or(Broken::Malformed)?;
    Ok((tag, &bytes[header..end], &bytes[end..]))
}

/// Looks at a complete message of a server.
pub(super) fn head(message: &[u8]) -> Result<Head, Broken> {
    let (_, content, _) = element(message)?;
    well_formed(content, 1)?;
    let (head, operation, rest) = parts(message)?;
    if is_result(head.operation) {
        result(operation)?;
    }
    match rest {
        [] => {}
        [CONTROLS, ..] => controls(rest)?,
        [MISPLACED_NAME, ..] if head.id == 0 => {}
        _ => return Err(Broken::Malformed),
    }
    Ok(head)
}

/// Looks at the outside of a complete message, for those of our own.
pub(super) fn envelope(message: &[u8]) -> Result<Head, Broken> {
    parts(message).map(|(head, _, _)| head)
}

/// Id and number of the operation, the operation's content, and what follows it.
fn parts(message: &[u8]) -> Result<(Head, &[u8], &[u8]), Broken> {
    let (_, content, _) = element(message)?;
    let (tag, id, rest) = element(content)?;
    if tag != INTEGER || !(1..=4).contains(&id.len()) || id[0] > 0x7F {
        return Err(Broken::Malformed);
    }
    let id = id.iter().fold(0i32, |sum, octet| sum << 8 | i32::from(*octet));
    let (tag, operation, rest) = element(rest)?;
    // all operations are of the class APPLICATION
    if tag & 0xC0 != 0x40 {
        return Err(Broken::Malformed);
    }
    Ok((Head { id, operation: tag & 0x1F }, operation, rest))
}

/// Whether an operation of this number is an LDAPResult (RFC 4511 4.1.9).
fn is_result(number: u8) -> bool {
    matches!(number, 1 | 5 | 7 | 9 | 11 | 13 | 15 | 24)
}

/// Looks into all constructed elements.
fn well_formed(mut bytes: &[u8], depth: u32) -> Result<(), Broken> {
    if depth > MAX_DEPTH {
        return Err(Broken::Malformed);
    }
    while !bytes.is_empty() {
        let (tag, content, rest) = element(bytes)?;
        if tag & 0x20 != 0 {
            well_formed(content, depth + 1)?;
        }
        bytes = rest;
    }
    Ok(())
}

fn result(content: &[u8]) -> Result<(), Broken> {
    let (tag, code, rest) = element(content)?;
    if tag != ENUMERATED || !(1..=4).contains(&code.len()) {
        return Err(Broken::Malformed);
    }
    let rest = text(text(rest)?)?;
    let mut left = rest;
    while !left.is_empty() {
        let (tag, content, rest) = element(left)?;
        match tag {
            // referral, an ExtendedResponse's name; both text
            0xA3 => texts(content)?,
            0x8A if std::str::from_utf8(content).is_err() => return Err(Broken::Malformed),
            0x87 | 0x8A | 0x8B => {}
            // numbers that the library would take for these, in a form it cannot read
            _ if matches!(tag & 0x1F, 3 | 7 | 10 | 11) => return Err(Broken::Malformed),
            _ => {}
        }
        left = rest;
    }
    Ok(())
}

/// An OCTET STRING that is text; gives what follows it.
fn text(bytes: &[u8]) -> Result<&[u8], Broken> {
    match element(bytes)? {
        (OCTET_STRING, content, rest) if std::str::from_utf8(content).is_ok() => Ok(rest),
        _ => Err(Broken::Malformed),
    }
}

fn texts(mut bytes: &[u8]) -> Result<(), Broken> {
    while !bytes.is_empty() {
        bytes = text(bytes)?;
    }
    Ok(())
}

fn controls(bytes: &[u8]) -> Result<(), Broken> {
    let (_, mut controls, rest) = element(bytes)?;
    if !rest.is_empty() {
        return Err(Broken::Malformed);
    }
    while !controls.is_empty() {
        let (tag, control, following) = element(controls)?;
        if tag != SEQUENCE {
            return Err(Broken::Malformed);
        }
        let mut rest = text(control)?;
        if rest.first() == Some(&BOOLEAN) {
            let (_, criticality, after) = element(rest)?;
            if criticality.is_empty() {
                return Err(Broken::Malformed);
            }
            rest = after;
        }
        if !rest.is_empty() {
            let (tag, _, after) = element(rest)?;
            if tag != OCTET_STRING || !after.is_empty() {
                return Err(Broken::Malformed);
            }
        }
        controls = following;
    }
    Ok(())
}

/// Code and words of a result, such as a notice of disconnection's; the message was looked at by [`head`].
pub(super) fn outcome(message: &[u8]) -> Option<(u32, String)> {
    let (_, operation, _) = parts(message).ok()?;
    let (_, code, rest) = element(operation).ok()?;
    let (_, _, rest) = element(rest).ok()?;
    let (_, words, _) = element(rest).ok()?;
    let code = code.iter().fold(0u32, |sum, octet| sum << 8 | u32::from(*octet));
    Some((code, String::from_utf8_lossy(words).trim_matches(['\0', ' ']).to_owned()))
}

/// The request that asks for TLS (RFC 4511 4.14), with id 1.
pub(super) fn start_tls_request() -> Vec<u8> {
    request(1, 0x77, &tlv(0x80, b"1.3.6.1.4.1.1466.20037"))
}

/// A step of a SASL bind (RFC 4511 4.2) with the client's token, if there is one.
#[cfg(feature = "gssapi")]
pub(super) fn sasl_bind_request(id: u8, mechanism: &[u8], token: Option<&[u8]>) -> Vec<u8> {
    let token = token.map(|token| tlv(OCTET_STRING, token)).unwrap_or_default();
    let credentials = tlv(0xA3, &[tlv(OCTET_STRING, mechanism), token].concat());
    request(id, 0x60, &[tlv(INTEGER, &[3]), tlv(OCTET_STRING, b""), credentials].concat())
}

/// The server's token of a bind's result (serverSaslCreds); the message was looked at by [`head`].
#[cfg(feature = "gssapi")]
pub(super) fn sasl_credentials(message: &[u8]) -> Option<Vec<u8>> {
    let (_, mut left, _) = parts(message).ok()?;
    while !left.is_empty() {
        let (tag, content, rest) = element(left).ok()?;
        if tag == 0x87 {
            return Some(content.to_vec());
        }
        left = rest;
    }
    None
}

fn request(id: u8, operation: u8, content: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[tlv(INTEGER, &[id]), tlv(operation, content)].concat())
}

/// An element with the length in its shortest form.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let octets = content.len().to_be_bytes();
    let octets = &octets[octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len())..];
    let length = match octets {
        [] => vec![0],
        [short @ 0..=0x7F] => vec![*short],
        _ => [&[0x80 | octets.len() as u8], octets].concat(),
    };
    [&[tag][..], &length, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_lengths_in_the_shortest_form() {
        let expected = [&[0x30, 29, 2, 1, 1, 0x77, 24, 0x80, 22], &b"1.3.6.1.4.1.1466.20037"[..]].concat();
        assert_eq!(start_tls_request(), expected);
        assert_eq!(
            (tlv(4, &[0; 127])[..2].to_vec(), tlv(4, &[0; 128])[..3].to_vec()),
            (vec![4, 127], vec![4, 0x81, 128])
        );
        assert_eq!(tlv(4, &[0; 256])[..4], [4, 0x82, 1, 0]);
    }

    fn message(id: &[u8], operation: &[u8], rest: &[u8]) -> Vec<u8> {
        tlv(SEQUENCE, &[tlv(INTEGER, id), operation.to_vec(), rest.to_vec()].concat())
    }

    fn done(rest: &[u8]) -> Vec<u8> {
        tlv(0x65, &[tlv(ENUMERATED, &[0]), tlv(4, b""), tlv(4, b""), rest.to_vec()].concat())
    }

    #[test]
    fn the_end_of_a_message_is_known_before_it_is_there() {
        assert_eq!(extent(&[]), Ok(None));
        assert_eq!(extent(&[0x30]), Ok(None));
        assert_eq!(extent(&[0x30, 5]), Ok(Some(7)));
        assert_eq!(extent(&[0x30, 0x82, 1]), Ok(None));
        assert_eq!(extent(&[0x30, 0x82, 1, 0]), Ok(Some(260)));
        assert_eq!(extent(&[0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 3]), Ok(Some(13)));
    }

    #[test]
    fn what_is_too_long_or_no_message_is_told_by_its_first_bytes() {
        for header in [
            &[0x30, 0x84, 0x80, 0, 0, 0][..],
            &[0x30, 0x84, 0x01, 0, 0, 1],
            &[0x30, 0x88, 0x10, 0, 0, 0, 0, 0, 0, 0],
            &[0x30, 0x80],
            &[0x30, 0xFF],
        ] {
            assert_eq!(extent(header), Err(Broken::TooLong), "{header:x?}");
        }
        assert_eq!(extent(&[0x30, 0x84, 0x01, 0, 0, 0]), Ok(Some(MAX_MESSAGE_BYTES + 6)));
        assert_eq!(extent(b"HTTP/1.1"), Err(Broken::NotLdap));
        assert_eq!(extent(&[0x15, 3, 3]), Err(Broken::NotLdap), "a TLS alert");
    }

    #[test]
    fn an_entry_that_is_too_long_is_known_by_its_name() {
        let entry =
            [&[0x64, 0x84, 0x01, 0, 0, 0][..], &tlv(4, b"cn=a,dc=x"), &[0x30, 0x84, 0, 0xFF, 0xFF, 0xF0]].concat();
        let long = [&[0x30, 0x84, 0x01, 0, 0, 16][..], &tlv(INTEGER, &[3]), &entry].concat();
        assert_eq!(extent(&long), Err(Broken::TooLong));
        assert_eq!(entry_name(&long).as_deref(), Some("cn=a,dc=x"));
        for end in 0..long.len() - 6 {
            assert_eq!(entry_name(&long[..end]), None, "{end}");
        }
        assert_eq!(entry_name(&message(&[3], &done(&[]), &[])), None);
    }

    #[test]
    fn ordinary_messages_are_taken() {
        let control = tlv(SEQUENCE, &[tlv(4, b"1.2.3"), tlv(BOOLEAN, &[0xFF]), tlv(4, b"v")].concat());
        let bare = tlv(SEQUENCE, &tlv(4, b"1.2.3"));
        let referral = tlv(0xA3, &tlv(4, b"ldap://x/"));
        for (bytes, expected) in [
            (message(&[3], &done(&[]), &[]), Head { id: 3, operation: 5 }),
            (
                message(&[1, 0], &done(&referral), &tlv(CONTROLS, &[control, bare].concat())),
                Head { id: 256, operation: 5 },
            ),
            (
                message(&[3], &tlv(0x64, &[tlv(4, b"cn=a"), tlv(SEQUENCE, &[])].concat()), &[]),
                Head { id: 3, operation: 4 },
            ),
        ] {
            assert_eq!(extent(&bytes), Ok(Some(bytes.len())));
            assert_eq!(head(&bytes), Ok(expected));
        }
    }

    #[test]
    fn active_directory_s_notice_of_disconnection_is_understood() {
        let operation =
            tlv(0x78, &[tlv(ENUMERATED, &[52]), tlv(4, b""), tlv(4, b"00000000: LdapErr: shutting down\0")].concat());
        let notice = message(&[0], &operation, &tlv(MISPLACED_NAME, b"1.3.6.1.4.1.1466.20036"));
        assert_eq!(head(&notice), Ok(Head { id: 0, operation: operation::EXTENDED_RESPONSE }));
        assert_eq!(outcome(&notice), Some((52, "00000000: LdapErr: shutting down".into())));
    }

    #[test]
    fn what_the_library_would_stumble_over_is_malformed() {
        let mut nested = tlv(4, b"");
        for _ in 0..200 {
            nested = tlv(SEQUENCE, &nested);
        }
        let broken = [
            vec![0x30, 0],
            tlv(SEQUENCE, &tlv(INTEGER, &[1])),
            message(&[], &done(&[]), &[]),
            message(&[0xFF], &done(&[]), &[]),
            message(&[1, 2, 3, 4, 5], &done(&[]), &[]),
            message(&[3], &tlv(0x65, &[]), &[]),
            message(&[3], &tlv(0x65, &tlv(ENUMERATED, &[0])), &[]),
            message(&[3], &tlv(0x65, &[tlv(ENUMERATED, &[0]), tlv(4, &[0xFF]), tlv(4, b"")].concat()), &[]),
            message(&[3], &done(&tlv(0x83, b"ldap://x")), &[]),
            message(&[3], &done(&[]), &tlv(0x80, b"")),
            message(&[3], &done(&[]), &tlv(CONTROLS, &tlv(SEQUENCE, b""))),
            message(&[3], &done(&[]), &tlv(CONTROLS, &tlv(SEQUENCE, &[tlv(4, b"1.2"), tlv(BOOLEAN, b"")].concat()))),
            message(&[3], &done(&[]), &tlv(CONTROLS, &tlv(SEQUENCE, &[tlv(4, b"1.2"), tlv(INTEGER, &[1])].concat()))),
            message(&[3], &tlv(0x64, &[tlv(4, b"cn=a"), vec![0x30, 0x84, 0, 0, 1, 0]].concat()), &[]),
            message(&[3], &tlv(0x64, &nested), &[]),
            message(&[3], &tlv(0x30, &[]), &[]),
        ];
        for bytes in broken {
            assert_eq!(head(&bytes), Err(Broken::Malformed), "{bytes:x?}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let good =
            message(&[3], &done(&tlv(0xA3, &tlv(4, b"ldap://x/"))), &tlv(CONTROLS, &tlv(SEQUENCE, &tlv(4, b"1"))));
        for place in 0..good.len() {
            for byte in [0, 1, 0x1F, 0x7F, 0x80, 0x84, 0xFF] {
                let mut bytes = good.clone();
                bytes[place] = byte;
                let _ = (extent(&bytes), head(&bytes), outcome(&bytes));
                let _ = (extent(&good[..place]), head(&good[..place]));
            }
        }
    }
}
