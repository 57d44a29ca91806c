//! People, recipients and changes as bytes, for what a run sets aside. Nothing of it outlives the run.

use std::sync::Arc;

use crate::certificate::{Attribute, Sha256};
use crate::error::Result;
use crate::people::{Address, Person, PersonKind, RawValue, Recipient, RecipientClass};
use crate::planning::{Action, Change, Item};

use super::not_understood;

/// A person without values, and without its problems: they were told of when it was read.
pub(super) fn person(person: &Person) -> Vec<u8> {
    let Person {
        identity,
        distinguished_name,
        kind,
        display_name,
        user_principal_name,
        addresses,
        source_anchor,
        enabled,
        deleted,
        parts,
        values: _,
        complete,
        problems: _,
    } = person;
    let mut out = Writer::default();
    out.text(identity);
    out.text(distinguished_name);
    out.byte(match kind {
        PersonKind::User => 0,
        PersonKind::Contact => 1,
    });
    for part in [display_name, user_principal_name, source_anchor] {
        out.text_or_none(part.as_deref());
    }
    out.list(addresses, |out, address| out.text(address.as_str()));
    out.byte(enabled.map_or(2, u8::from));
    out.byte((*deleted).into());
    out.byte((*complete).into());
    out.list(parts, |out, (directory, identity)| {
        out.number(*directory as u64);
        out.text(identity);
    });
    out.0
}

/// The person that [`person`] made these bytes of.
pub(super) fn read_person(bytes: &[u8]) -> Result<Person> {
    let mut from = Reader(bytes);
    let mut read = || {
        Some(Person {
            identity: from.text()?,
            distinguished_name: from.text()?,
            kind: match from.byte()? {
                0 => PersonKind::User,
                _ => PersonKind::Contact,
            },
            display_name: from.text_or_none()?,
            user_principal_name: from.text_or_none()?,
            source_anchor: from.text_or_none()?,
            addresses: from.list(|from| Address::parse(&from.text()?))?,
            enabled: match from.byte()? {
                2 => None,
                other => Some(other != 0),
            },
            deleted: from.byte()? != 0,
            complete: from.byte()? != 0,
            parts: from.list(|from| Some((usize::try_from(from.number()?).ok()?, from.text()?)))?,
            values: Vec::new(),
            problems: Vec::new(),
        })
    };
    read().ok_or_else(|| not_understood("a person set aside"))
}

/// Values of both attributes.
pub(super) fn values(values: &[RawValue]) -> Vec<u8> {
    let mut out = Writer::default();
    out.list(values, Writer::value);
    out.0
}

/// The values that [`values`] made these bytes of.
pub(super) fn read_values(bytes: &[u8]) -> Result<Vec<RawValue>> {
    Reader(bytes).list(Reader::value).ok_or_else(|| not_understood("values set aside"))
}

/// A recipient without values.
pub(super) fn recipient(recipient: &Recipient) -> Vec<u8> {
    let Recipient {
        identity,
        class,
        external_directory_object_id,
        display_name,
        user_principal_name,
        addresses,
        recipient_type_details,
        is_dir_synced,
        is_exchange_cloud_managed,
        immutable_id,
        user_certificate: _,
        user_smime_certificate: _,
    } = recipient;
    let mut out = Writer::default();
    out.text(identity);
    out.byte(match class {
        RecipientClass::Mailbox => 0,
        RecipientClass::MailUser => 1,
        RecipientClass::MailContact => 2,
    });
    for part in [external_directory_object_id, display_name, user_principal_name, immutable_id] {
        out.text_or_none(part.as_deref());
    }
    out.list(addresses, |out, address| out.text(address.as_str()));
    out.text(recipient_type_details);
    out.byte((*is_dir_synced).into());
    out.byte((*is_exchange_cloud_managed).into());
    out.0
}

/// The recipient that [`recipient`] made these bytes of; its values are yet to be read.
pub(super) fn read_recipient(bytes: &[u8]) -> Result<Recipient> {
    let mut from = Reader(bytes);
    let mut read = || {
        Some(Recipient {
            identity: from.text()?,
            class: match from.byte()? {
                0 => RecipientClass::Mailbox,
                1 => RecipientClass::MailUser,
                _ => RecipientClass::MailContact,
            },
            external_directory_object_id: from.text_or_none()?,
            display_name: from.text_or_none()?,
            user_principal_name: from.text_or_none()?,
            immutable_id: from.text_or_none()?,
            addresses: from.list(|from| Address::parse(&from.text()?))?,
            recipient_type_details: from.text()?,
            is_dir_synced: from.byte()? != 0,
            is_exchange_cloud_managed: from.byte()? != 0,
            user_certificate: None,
            user_smime_certificate: None,
        })
    };
    read().ok_or_else(|| not_understood("a recipient set aside"))
}

/// What a recipient holds.
pub(super) fn held(recipient: &Recipient) -> Vec<u8> {
    let mut out = Writer::default();
    for values in [&recipient.user_certificate, &recipient.user_smime_certificate] {
        out.byte(values.is_some().into());
        out.list(values.as_deref().unwrap_or_default(), |out, value| out.bytes(value));
    }
    out.0
}

/// Gives a recipient what [`held`] made these bytes of.
pub(super) fn read_held(bytes: &[u8], recipient: &mut Recipient) -> Result<()> {
    let mut from = Reader(bytes);
    let mut one = || {
        let is_known = from.byte()? != 0;
        let values = from.list(|from| Some(Arc::from(from.bytes()?)))?;
        Some(is_known.then_some(values))
    };
    let (Some(first), Some(second)) = (one(), one()) else { return Err(not_understood("what a recipient holds")) };
    (recipient.user_certificate, recipient.user_smime_certificate) = (first, second);
    Ok(())
}

/// A change with all bytes. Values of `after` that `before` has, too, are there once.
pub(super) fn change(change: &Change) -> Vec<u8> {
    let Change {
        number,
        person,
        recipient,
        directory,
        primary_smtp_address,
        attribute,
        action,
        before,
        after,
        added,
        removed,
        losers,
        reason,
        loses_last,
    } = change;
    let mut out = Writer::default();
    out.number((*number).into());
    for part in [person, recipient, directory, primary_smtp_address] {
        out.text_or_none(part.as_deref());
    }
    out.byte(attribute.map_or(NO_ATTRIBUTE, attribute_code));
    out.text(action.name());
    out.list(before, Writer::value);
    out.list(after, |out, value| match before.iter().position(|held| held == value) {
        Some(place) => out.number(place as u64 + 1),
        None => {
            out.number(0);
            out.value(value);
        }
    });
    for items in [added, removed, losers] {
        out.list(items, Writer::item);
    }
    out.text_or_none(reason.as_deref());
    out.byte((*loses_last).into());
    out.0
}

/// The change that [`change`] made these bytes of.
pub(super) fn read_change(bytes: &[u8]) -> Result<Change> {
    let mut from = Reader(bytes);
    let mut read = || {
        let number = u32::try_from(from.number()?).ok()?;
        let (person, recipient) = (from.text_or_none()?, from.text_or_none()?);
        let (directory, primary_smtp_address) = (from.text_or_none()?, from.text_or_none()?);
        let attribute = match from.byte()? {
            NO_ATTRIBUTE => None,
            code => Some(attribute_of(code)?),
        };
        let action = Action::from_name(&from.text()?)?;
        let before = from.list(Reader::value)?;
        let after = from.list(|from| match from.number()? {
            0 => from.value(),
            place => before.get(usize::try_from(place - 1).ok()?).cloned(),
        })?;
        Some(Change {
            number,
            person,
            recipient,
            directory,
            primary_smtp_address,
            attribute,
            action,
            before,
            after,
            added: from.list(Reader::item)?,
            removed: from.list(Reader::item)?,
            losers: from.list(Reader::item)?,
            reason: from.text_or_none()?.map(Into::into),
            loses_last: from.byte()? != 0,
        })
    };
    read().ok_or_else(|| not_understood("a row set aside"))
}

/// In the place of an attribute's code.
const NO_ATTRIBUTE: u8 = u8::MAX;

fn attribute_code(attribute: Attribute) -> u8 {
    match attribute {
        Attribute::UserCertificate => 0,
        Attribute::UserSmimeCertificate => 1,
        Attribute::IssuingCertificates => 2,
    }
}

fn attribute_of(code: u8) -> Option<Attribute> {
    match code {
        0 => Some(Attribute::UserCertificate),
        1 => Some(Attribute::UserSmimeCertificate),
        2 => Some(Attribute::IssuingCertificates),
        _ => None,
    }
}

/// Parts one behind the other, each with its length where that can differ.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn text_or_none(&mut self, text: Option<&str>) {
        self.byte(text.is_some().into());
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn list<T>(&mut self, items: &[T], one: impl Fn(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            one(self, item);
        }
    }

    fn value(&mut self, value: &RawValue) {
        let RawValue { attribute, bytes, sha256 } = value;
        self.byte(attribute_code(*attribute));
        self.0.extend_from_slice(sha256.as_bytes());
        self.bytes(bytes);
    }

    fn item(&mut self, item: &Item) {
        let Item { sha256, thumbprint, subject, not_after_ms, reason } = item;
        self.0.extend_from_slice(sha256.as_bytes());
        self.text_or_none(thumbprint.as_deref());
        self.text_or_none(subject.as_deref());
        self.byte(not_after_ms.is_some().into());
        self.0.extend_from_slice(&not_after_ms.unwrap_or_default().to_le_bytes());
        self.text_or_none(reason.as_deref());
    }
}

/// Takes parts off the front; `None` where there is none such.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    /// `None` within for none.
    fn text_or_none(&mut self) -> Option<Option<String>> {
        match self.byte()? {
            0 => Some(None),
            _ => self.text().map(Some),
        }
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| one(self)).collect()
    }

    fn value(&mut self) -> Option<RawValue> {
        let attribute = attribute_of(self.byte()?)?;
        let sha256 = Sha256::from(self.array::<32>()?);
        Some(RawValue { attribute, sha256, bytes: Arc::from(self.bytes()?) })
    }

    fn item(&mut self) -> Option<Item> {
        let sha256 = Sha256::from(self.array::<32>()?);
        let (thumbprint, subject) = (self.text_or_none()?, self.text_or_none()?);
        let has_end = self.byte()? != 0;
        let end = self.array().map(i64::from_le_bytes)?;
        let reason = self.text_or_none()?.map(Into::into);
        Some(Item { sha256, thumbprint, subject, not_after_ms: has_end.then_some(end), reason })
    }
}
