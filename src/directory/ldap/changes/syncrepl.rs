//! Content synchronisation (RFC 4533), refreshOnly: entries that changed, and who is gone by either of its two phases.

use std::collections::HashSet;

use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag};
use ldap3::controls::{Control, RawControl};
use uuid::Uuid;

use crate::directory::WhyEverybody;
use crate::directory::entry::Entry;
use crate::error::Result;

use super::super::connect::Connection;
use super::super::failure::{self, Doing};
use super::super::search::malformed;
use super::super::unpaged::{Message, Unpaged, control_value};
use super::ber::tlv;

/// The Sync Request control, its State and Done answers, and the intermediate message.
pub(super) const REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";
const STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";
const DONE: &str = "1.3.6.1.4.1.4203.1.9.1.3";
const INFO: &[u8] = b"1.3.6.1.4.1.4203.1.9.1.4";

const REFRESH_ONLY: &[u8] = &[1];
/// States of an entry (RFC 4533 2.3).
const PRESENT: u8 = 0;
const DELETE: u8 = 3;
/// Universal tags.
const BOOLEAN: u64 = 1;
const OCTET_STRING: u64 = 4;
const SET: u64 = 17;

/// What a search of one base told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Entries that changed or are new; those of a first search, whose attributes nobody asked for, are left out.
    pub(super) entries: Vec<Entry>,
    /// The cookie of its end.
    pub(super) cookie: Vec<u8>,
    /// entryUUIDs that are gone.
    pub(super) deleted: Vec<String>,
    /// With a present phase: entryUUIDs of everybody who is there; who is not among them is gone.
    pub(super) present: Option<HashSet<String>>,
}

/// Asks for what changed since a cookie, or for everything without one.
///
/// # Errors
/// Those of a search; `Err` within for a server that cannot or does not take the cookie.
pub(super) async fn refresh(
    connection: &mut Connection,
    base: &str,
    filter: &str,
    attributes: &[String],
    cookie: Option<&[u8]>,
) -> Result<std::result::Result<Told, WhyEverybody>> {
    let mut search = Unpaged::begin(connection, base, filter, attributes.to_vec(), vec![request(cookie)]).await?;
    let mut told = Told::default();
    let (mut there, mut present_phase) = (HashSet::new(), false);
    let result = loop {
        match search.next(connection).await? {
            Message::Entry(entry, controls) => {
                let state = control_value(&controls, STATE).and_then(state);
                let (state, uuid) = state.ok_or_else(|| malformed(connection))?;
                match state {
                    DELETE => told.deleted.push(uuid),
                    PRESENT => {
                        there.insert(uuid);
                    }
                    _ => {
                        there.insert(uuid);
                        if cookie.is_some() {
                            told.entries.push(entry);
                        }
                    }
                }
            }
            Message::Intermediate(message) => match info(message).ok_or_else(|| malformed(connection))? {
                Info::RefreshPresent => present_phase = true,
                Info::Ids { gone: true, uuids } => told.deleted.extend(uuids),
                Info::Ids { gone: false, uuids } => there.extend(uuids),
                Info::Other => {}
            },
            Message::End(result) => break result,
        }
    };
    if result.rc != failure::SUCCESS {
        if !super::is_refusal(&result) {
            return Err(failure::of_result(&result, Doing::Search).target(connection.url.clone()));
        }
        let why = match (cookie, result.rc) {
            (_, failure::INSUFFICIENT_ACCESS_RIGHTS) => WhyEverybody::Denied,
            (Some(_), _) => WhyEverybody::Refused,
            (None, _) => WhyEverybody::Unsupported,
        };
        return Ok(Err(why));
    }
    let controls: Vec<RawControl> = result.ctrls.into_iter().map(|Control(_, raw)| raw).collect();
    let Some(value) = control_value(&controls, DONE) else { return Ok(Err(WhyEverybody::Unsupported)) };
    let (next, deletes_only) = done(value).ok_or_else(|| malformed(connection))?;
    // a server that had nothing to tell may give no cookie: then the old one goes on
    let Some(next) = next.or_else(|| cookie.map(<[u8]>::to_vec)) else { return Ok(Err(WhyEverybody::Unsupported)) };
    told.cookie = next;
    told.present = (present_phase || !deletes_only).then_some(there);
    Ok(Ok(told))
}

/// SEQUENCE { mode ENUMERATED, cookie OCTET STRING OPTIONAL }; critical, or a server that does not know it would answer
/// with everybody and no cookie.
fn request(cookie: Option<&[u8]>) -> RawControl {
    let cookie = cookie.map(|cookie| tlv(0x04, cookie)).unwrap_or_default();
    let value = tlv(0x30, &[tlv(0x0A, REFRESH_ONLY), cookie].concat());
    RawControl { ctype: REQUEST.into(), crit: true, val: Some(value) }
}

fn uuid(octets: &[u8]) -> Option<String> {
    Some(Uuid::from_bytes(<[u8; 16]>::try_from(octets).ok()?).to_string())
}

fn parts(tag: StructureTag) -> Option<std::vec::IntoIter<StructureTag>> {
    Some(tag.expect_constructed()?.into_iter())
}

/// SEQUENCE { state ENUMERATED, entryUUID OCTET STRING, cookie OCTET STRING OPTIONAL }.
fn state(value: &[u8]) -> Option<(u8, String)> {
    let mut parts = parts(parse_tag(value).ok()?.1)?;
    let state = parts.next()?.expect_primitive()?;
    let uuid = uuid(&parts.next()?.expect_primitive()?)?;
    match state.as_slice() {
        [state @ 0..=3] => Some((*state, uuid)),
        _ => None,
    }
}

/// SEQUENCE { cookie OCTET STRING OPTIONAL, refreshDeletes BOOLEAN DEFAULT FALSE }.
fn done(value: &[u8]) -> Option<(Option<Vec<u8>>, bool)> {
    let (mut cookie, mut deletes) = (None, false);
    for part in parts(parse_tag(value).ok()?.1)? {
        match (part.id, part.expect_primitive()?) {
            (OCTET_STRING, octets) => cookie = Some(octets),
            (BOOLEAN, octets) => deletes = octets.first().is_some_and(|octet| *octet != 0),
            _ => return None,
        }
    }
    Some((cookie, deletes))
}

/// What an intermediate message says.
#[derive(Debug, PartialEq, Eq)]
enum Info {
    /// A present phase ended.
    RefreshPresent,
    /// Entries that are gone, or that are there unchanged.
    Ids { gone: bool, uuids: Vec<String> },
    /// A cookie on the way, the end of a delete phase, or another protocol's message.
    Other,
}

fn info(message: StructureTag) -> Option<Info> {
    let (mut name, mut value) = (Vec::new(), None);
    for part in parts(message.match_id(25)?)? {
        match part.id {
            0 => name = part.expect_primitive()?,
            1 => value = Some(part.expect_primitive()?),
            _ => return None,
        }
    }
    if name != INFO {
        return Some(Info::Other);
    }
    let choice = parse_tag(&value?).ok()?.1.match_class(TagClass::Context)?;
    match choice.id {
        2 => Some(Info::RefreshPresent),
        3 => ids(choice),
        _ => Some(Info::Other),
    }
}

/// [3] SEQUENCE { cookie OPTIONAL, refreshDeletes BOOLEAN DEFAULT FALSE, syncUUIDs SET OF OCTET STRING }.
fn ids(choice: StructureTag) -> Option<Info> {
    let (mut gone, mut uuids) = (false, Vec::new());
    for part in parts(choice)? {
        match (part.id, part.payload) {
            (OCTET_STRING, PL::P(_)) => {}
            (BOOLEAN, PL::P(octets)) => gone = octets.first().is_some_and(|octet| *octet != 0),
            (SET, PL::C(set)) => {
                for item in set {
                    uuids.push(uuid(&item.expect_primitive()?)?);
                }
            }
            _ => return None,
        }
    }
    Some(Info::Ids { gone, uuids })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(value: &[u8]) -> Option<Info> {
        let content = [tlv(0x80, INFO), tlv(0x81, value)].concat();
        info(parse_tag(&tlv(0x79, &content)).unwrap().1)
    }

    #[test]
    fn sets_of_ids_are_there_unless_they_say_gone() {
        let id = tlv(0x04, &[1; 16]);
        let uuids = vec!["01010101-0101-0101-0101-010101010101".to_owned()];
        let set = tlv(0x31, &id);
        let there = message(&tlv(0xA3, &set)).unwrap();
        assert_eq!(there, Info::Ids { gone: false, uuids: uuids.clone() });
        let gone = message(&tlv(0xA3, &[tlv(0x04, b"c"), tlv(0x01, &[0xFF]), set.clone()].concat())).unwrap();
        assert_eq!(gone, Info::Ids { gone: true, uuids });
        assert_eq!(message(&tlv(0xA2, &[])), Some(Info::RefreshPresent));
        assert_eq!(message(&tlv(0xA1, &[])), Some(Info::Other));
        assert_eq!(message(&tlv(0x80, b"cookie")), Some(Info::Other));
        assert_eq!(message(&tlv(0xA3, &tlv(0x31, &tlv(0x04, &[1; 15])))), None);
        assert_eq!(message(b""), None);
    }

    #[test]
    fn states_and_ends_are_read_and_nothing_panics() {
        let value = tlv(0x30, &[tlv(0x0A, &[2]), tlv(0x04, &[2; 16])].concat());
        assert_eq!(state(&value), Some((2, "02020202-0202-0202-0202-020202020202".into())));
        assert_eq!(state(&tlv(0x30, &[tlv(0x0A, &[4]), tlv(0x04, &[2; 16])].concat())), None);
        assert_eq!(done(&tlv(0x30, &[])), Some((None, false)));
        let both = tlv(0x30, &[tlv(0x04, b"c"), tlv(0x01, &[1])].concat());
        assert_eq!(done(&both), Some((Some(b"c".to_vec()), true)));
        for wrong in [&b""[..], b"\x30\x02\x02", b"\x04\x00"] {
            assert_eq!((state(wrong), done(wrong)), (None, None), "{wrong:?}");
        }
    }
}
