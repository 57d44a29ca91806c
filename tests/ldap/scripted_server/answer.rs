//! What a server sends, element by element.

/// A protocol operation and its controls' content.
pub(crate) type Answer = (Vec<u8>, Vec<u8>);

/// LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] 3.1.1.3.4.3.1).
pub(crate) const ACTIVE_DIRECTORY: &[u8] = b"1.2.840.113556.1.4.800";

/// The messages of these answers to the request with this id.
pub(super) fn messages(id: i32, answers: Vec<Answer>) -> Vec<u8> {
    let message = |(operation, controls): Answer| {
        let controls = if controls.is_empty() { Vec::new() } else { tlv(0xA0, &controls) };
        tlv(0x30, &[number(0x02, id), operation, controls].concat())
    };
    answers.into_iter().flat_map(message).collect()
}

/// Tag, length, value.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

/// An OCTET STRING.
pub(crate) fn octets(text: &[u8]) -> Vec<u8> {
    tlv(0x04, text)
}

/// An INTEGER or ENUMERATED.
pub(crate) fn number(tag: u8, value: i32) -> Vec<u8> {
    tlv(tag, &value.to_be_bytes())
}

fn control(oid: &str, value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[octets(oid.as_bytes()), octets(value)].concat())
}

/// A result without controls: `tag` 0x61 for a bind, 0x65 for a search, 0x78 for an extended operation.
pub(crate) fn result(tag: u8, code: u8, words: &str) -> Answer {
    (tlv(tag, &[tlv(0x0A, &[code]), octets(b""), octets(words.as_bytes())].concat()), Vec::new())
}

/// The end of a page, with the cookie of the next one.
pub(crate) fn page_end(cookie: &[u8]) -> Answer {
    let value = tlv(0x30, &[tlv(0x02, &[0]), octets(cookie)].concat());
    (result(0x65, 0, "").0, control("1.2.840.113556.1.4.319", &value))
}

/// The end of a DirSync round; `more` is not zero when another is to be asked for.
pub(crate) fn dir_sync_end(more: i32, cookie: &[u8]) -> Answer {
    let value = tlv(0x30, &[number(0x02, more), number(0x02, 0), octets(cookie)].concat());
    (result(0x65, 0, "").0, control("1.2.840.113556.1.4.841", &value))
}

/// The state of an entry of a content synchronisation (RFC 4533 2.3).
#[derive(Clone, Copy)]
pub(crate) enum SyncState {
    /// It has not changed.
    Present,
    /// It is new.
    Add,
    /// It has changed.
    Modify,
    /// It is gone.
    Delete,
}

/// An entry with its state, entryUUID and perhaps a cookie.
pub(crate) fn sync_entry(entry: Answer, state: SyncState, uuid: [u8; 16], cookie: Option<&[u8]>) -> Answer {
    let cookie = cookie.map(octets).unwrap_or_default();
    let value = tlv(0x30, &[tlv(0x0A, &[state as u8]), octets(&uuid), cookie].concat());
    (entry.0, control("1.3.6.1.4.1.4203.1.9.1.2", &value))
}

/// A Sync Info message with entryUUIDs (RFC 4533 2.5, syncIdSet): those deleted, or else those present.
pub(crate) fn sync_id_set(deletes: bool, uuids: &[[u8; 16]], cookie: Option<&[u8]>) -> Answer {
    let cookie = cookie.map(octets).unwrap_or_default();
    let set: Vec<u8> = uuids.iter().flat_map(|uuid| octets(uuid)).collect();
    let flag = tlv(0x01, &[if deletes { 0xFF } else { 0 }]);
    sync_info(&tlv(0xA3, &[cookie, flag, tlv(0x31, &set)].concat()))
}

/// A Sync Info message that ends a phase: the one of deletions, or else the present phase.
pub(crate) fn sync_phase_end(deletes: bool, done: bool, cookie: Option<&[u8]>) -> Answer {
    let cookie = cookie.map(octets).unwrap_or_default();
    let flag = tlv(0x01, &[if done { 0xFF } else { 0 }]);
    sync_info(&tlv(if deletes { 0xA1 } else { 0xA2 }, &[cookie, flag].concat()))
}

fn sync_info(value: &[u8]) -> Answer {
    let name = tlv(0x80, b"1.3.6.1.4.1.4203.1.9.1.4");
    (tlv(0x79, &[name, tlv(0x81, value)].concat()), Vec::new())
}

/// The end of a content synchronisation (RFC 4533 2.4): a result with a cookie and whether deletions were told.
pub(crate) fn sync_done(code: u8, cookie: &[u8], refresh_deletes: bool) -> Answer {
    let flag = tlv(0x01, &[if refresh_deletes { 0xFF } else { 0 }]);
    let value = tlv(0x30, &[octets(cookie), flag].concat());
    (result(0x65, code, "").0, control("1.3.6.1.4.1.4203.1.9.1.3", &value))
}

/// An entry.
pub(crate) fn entry(dn: &str, attributes: &[(&str, &[&[u8]])]) -> Answer {
    let attribute = |(name, values): &(&str, &[&[u8]])| {
        let values: Vec<u8> = values.iter().flat_map(|value| octets(value)).collect();
        tlv(0x30, &[octets(name.as_bytes()), tlv(0x31, &values)].concat())
    };
    let attributes: Vec<u8> = attributes.iter().flat_map(attribute).collect();
    (tlv(0x64, &[octets(dn.as_bytes()), tlv(0x30, &attributes)].concat()), Vec::new())
}

/// A person with a mail address.
pub(crate) fn person(number: u32) -> Answer {
    let (dn, mail) = (format!("cn=u{number},dc=x"), format!("u{number}@x.test"));
    entry(
        &dn,
        &[("objectClass", &[b"inetOrgPerson"]), ("mail", &[mail.as_bytes()]), ("userCertificate;binary", &[b"0a"])],
    )
}

/// A reference to another server.
pub(crate) fn reference(url: &str) -> Answer {
    (tlv(0x73, &octets(url.as_bytes())), Vec::new())
}
