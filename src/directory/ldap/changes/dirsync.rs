//! Active Directory's DirSync control ([MS-ADTS] 3.1.1.3.4.1.3): who changed, round by round.

use ldap3::asn1::{TagClass, parse_tag};
use ldap3::controls::{Control, RawControl};

use crate::directory::WhyEverybody;
use crate::directory::entry::Entry;
use crate::directory::guid;
use crate::error::{Code, Error, Result};

use super::super::connect::Connection;
use super::super::failure::{self, Doing};
use super::super::search::malformed;
use super::super::unpaged::{Message, Unpaged, control_value};
use super::ber::{integer, tlv};
use super::feed::{CONTAINERS, Feed, PEOPLE, is_deleted};

/// LDAP_SERVER_DIRSYNC_OID.
pub(super) const OID: &str = "1.2.840.113556.1.4.841";
/// LDAP_DIRSYNC_OBJECT_SECURITY: what the account may read, without the right to replicate.
const OBJECT_SECURITY: u32 = 1;
/// Bytes of one round, a hint that servers may ignore.
const MAX_BYTES: u32 = 1 << 20;
/// Rounds without an entry in a row; a server may skip what the filter leaves out in some.
const MAX_EMPTY_ROUNDS: u32 = 100_000;
/// Matches nobody: the cookie alone is wanted.
const NOBODY: &str = "(objectGUID=\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00\\00)";

/// How a server is asked.
pub(super) struct Asked<'a> {
    /// The root of the naming context, which is the only base the control takes.
    pub(super) context: &'a str,
    /// What shows a change of a person: attributes of people and those the filters look at.
    pub(super) attributes: Vec<String>,
    /// Whether moved containers matter, because not everybody below the context is wanted.
    pub(super) containers: bool,
    /// Whether to ask without the right to replicate.
    pub(super) object_security: bool,
}

/// What a server made of a question: the next cookie, or the result code of its first answer.
type Answer = std::result::Result<Vec<u8>, u32>;

/// The cookie of now, and whether it was got without the right to replicate.
///
/// # Errors
/// Those of the connection; `Err` within for a server or an account that cannot.
pub(super) async fn begin(
    connection: &mut Connection,
    context: &str,
) -> Result<std::result::Result<(Vec<u8>, bool), WhyEverybody>> {
    for object_security in [false, true] {
        let asked = Asked { context, attributes: vec!["name".into()], containers: false, object_security };
        match rounds(connection, &asked, NOBODY, Vec::new(), |_| Some(())).await? {
            Ok(cookie) => return Ok(Ok((cookie, object_security))),
            Err(failure::INSUFFICIENT_ACCESS_RIGHTS) => {}
            Err(_) => return Ok(Err(WhyEverybody::Unsupported)),
        }
    }
    Ok(Err(WhyEverybody::Denied))
}

/// Who changed since a cookie, and the next one.
///
/// # Errors
/// Those of a search; `Err` within for a cookie that the server does not take, or changes that a cookie cannot tell of.
pub(super) async fn since(
    connection: &mut Connection,
    asked: &Asked<'_>,
    cookie: &[u8],
) -> Result<std::result::Result<(Feed, Vec<u8>), WhyEverybody>> {
    let refused = |code| match code {
        failure::INSUFFICIENT_ACCESS_RIGHTS => WhyEverybody::Denied,
        _ => WhyEverybody::Refused,
    };
    let mut feed = Feed::default();
    // tombstones have neither objectCategory nor certificates, so classes are all that can be asked for
    let people = rounds(connection, asked, PEOPLE, cookie.to_vec(), |entry| {
        let guid = entry.plain("objectGUID").find_map(guid::from_object_guid)?;
        if is_deleted(entry) {
            feed.deleted.push(guid)
        } else {
            feed.changed.push(guid)
        }
        Some(())
    });
    let next = match people.await? {
        Ok(next) => next,
        Err(code) => return Ok(Err(refused(code))),
    };
    if !asked.containers {
        return Ok(Ok((feed, next)));
    }
    // after the people: what moves in between shows again from the people's cookie on
    let asked = Asked { attributes: vec!["name".into(), "objectClass".into(), "isDeleted".into()], ..*asked };
    let mut moved = false;
    let containers = rounds(connection, &asked, CONTAINERS, cookie.to_vec(), |entry| {
        // what is new comes with its class, what is not comes with what changed
        moved |= entry.has("name") && !entry.has("objectClass") && !is_deleted(entry);
        Some(())
    });
    Ok(match containers.await? {
        Ok(_) if moved => Err(WhyEverybody::ContainerMoved),
        Ok(_) => Ok((feed, next)),
        Err(code) => Err(refused(code)),
    })
}

/// Asks until the server has no more. `take` says `None` to an entry that lacks what every one has.
async fn rounds(
    connection: &mut Connection,
    asked: &Asked<'_>,
    filter: &str,
    mut cookie: Vec<u8>,
    mut take: impl FnMut(&Entry) -> Option<()>,
) -> Result<Answer> {
    let mut first = true;
    let mut empty = 0;
    while empty < MAX_EMPTY_ROUNDS {
        let control = request(asked.object_security, &cookie);
        let mut search =
            Unpaged::begin(connection, asked.context, filter, asked.attributes.clone(), vec![control]).await?;
        empty += 1;
        let result = loop {
            match search.next(connection).await? {
                Message::Entry(entry, _) => {
                    empty = 0;
                    take(&entry).ok_or_else(|| malformed(connection))?;
                }
                Message::Intermediate(_) => {}
                Message::End(result) => break result,
            }
        };
        if result.rc != failure::SUCCESS {
            if first && super::is_refusal(&result) {
                return Ok(Err(result.rc));
            }
            return Err(failure::of_result(&result, Doing::Search).target(connection.url.clone()));
        }
        first = false;
        let controls: Vec<RawControl> = result.ctrls.into_iter().map(|Control(_, raw)| raw).collect();
        let Some(value) = control_value(&controls, OID) else { return Ok(Err(failure::SUCCESS)) };
        let (more, next) = response(value).ok_or_else(|| malformed(connection))?;
        if !more {
            return Ok(Ok(next));
        }
        cookie = next;
    }
    let detail = "rounds of changes without end";
    Err(Error::new(Code::DirectoryIncomplete).with("detail", detail).target(connection.url.clone()))
}

/// SEQUENCE { Flags INTEGER, MaxBytes INTEGER, Cookie OCTET STRING }; critical, or a server that does not know it would
/// answer with everybody.
fn request(object_security: bool, cookie: &[u8]) -> RawControl {
    let flags = if object_security { OBJECT_SECURITY } else { 0 };
    let value = tlv(0x30, &[integer(flags), integer(MAX_BYTES), tlv(0x04, cookie)].concat());
    RawControl { ctype: OID.into(), crit: true, val: Some(value) }
}

/// SEQUENCE { MoreResults INTEGER, unused INTEGER, CookieServer OCTET STRING }.
fn response(value: &[u8]) -> Option<(bool, Vec<u8>)> {
    let (_, tag) = parse_tag(value).ok()?;
    let mut parts = tag.match_class(TagClass::Universal)?.expect_constructed()?.into_iter();
    let more = parts.next()?.expect_primitive()?.iter().any(|octet| *octet != 0);
    let cookie = parts.nth(1)?.expect_primitive()?;
    Some((more, cookie))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_is_encoded_as_active_directory_takes_it() {
        let control = request(true, b"MSDS");
        assert!(control.crit);
        assert_eq!(control.val.unwrap(), b"\x30\x0e\x02\x01\x01\x02\x03\x10\x00\x00\x04\x04MSDS");
    }

    #[test]
    fn answers_say_whether_more_follows() {
        assert_eq!(response(b"\x30\x0c\x02\x01\x01\x02\x01\x00\x04\x04MSDS"), Some((true, b"MSDS".to_vec())));
        assert_eq!(response(b"\x30\x08\x02\x01\x00\x02\x01\x00\x04\x00"), Some((false, Vec::new())));
        for wrong in [&b""[..], b"\x30\x00", b"\x30\x03\x02\x01\x00", b"\x04\x01x", b"\x30\x80\x02"] {
            assert_eq!(response(wrong), None, "{wrong:?}");
        }
    }
}
