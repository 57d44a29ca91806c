//! Whether a security descriptor lets somebody read an attribute ([MS-DTYP] 2.4.6, 2.5.3.2; [MS-ADTS] 5.1.3.3).

/// Octets of a GUID as Active Directory keeps it.
pub(super) type Guid = [u8; 16];

/// ADS_RIGHT_DS_READ_PROP ([MS-ADTS] 5.1.3.2).
const READ_PROPERTY: u32 = 0x10;
/// ADS_RIGHT_DS_CONTROL_ACCESS, which reading a confidential attribute needs, too ([MS-ADTS] 3.1.1.4.4).
const CONTROL_ACCESS: u32 = 0x100;
/// GENERIC_READ and GENERIC_ALL, as far as they stand in an entry unmapped.
const GENERIC_READ: u32 = 0x8000_0000;
const GENERIC_ALL: u32 = 0x1000_0000;

/// SE_DACL_PRESENT.
const DACL_PRESENT: u16 = 0x4;
/// INHERIT_ONLY_ACE: it is for what is below alone.
const INHERIT_ONLY: u8 = 0x8;
/// Principal Self (S-1-5-10): the account that the entry itself is.
const SELF: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 10, 0, 0, 0];

/// An attribute as access control knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secured {
    /// Its schemaIDGUID.
    pub(super) attribute: Guid,
    /// Its attributeSecurityGUID, the property set it belongs to.
    pub(super) property_set: Option<Guid>,
    /// Whether it is confidential (bit 7 of its searchFlags).
    pub(super) confidential: bool,
}

/// Whether one who has these SIDs may read the attribute of an entry with this descriptor. What cannot be understood
/// lets nobody.
pub(super) fn may_read(descriptor: &[u8], sids: &[Vec<u8>], secured: &Secured) -> bool {
    granted(descriptor, sids, secured).unwrap_or(false)
}

fn granted(descriptor: &[u8], sids: &[Vec<u8>], secured: &Secured) -> Option<bool> {
    let control = u16::from_le_bytes(descriptor.get(2..4)?.try_into().ok()?);
    let offset = u32::from_le_bytes(descriptor.get(16..20)?.try_into().ok()?) as usize;
    if control & DACL_PRESENT == 0 || offset == 0 {
        // without a list everybody may do everything
        return Some(true);
    }
    let list = descriptor.get(offset..)?;
    let count = u16::from_le_bytes(list.get(4..6)?.try_into().ok()?);
    let mut missing = if secured.confidential { READ_PROPERTY | CONTROL_ACCESS } else { READ_PROPERTY };
    let mut left = list.get(8..)?;
    for _ in 0..count {
        let size = usize::from(u16::from_le_bytes(left.get(2..4)?.try_into().ok()?));
        let entry = Entry::parse(left.get(..size)?)?;
        left = left.get(size.max(4)..)?;
        if !entry.concerns(secured) {
            continue;
        }
        let is_own = sids.iter().any(|sid| sid == entry.sid);
        match entry.kind {
            Kind::Allows if is_own => missing &= !entry.rights,
            // whether the entry is the reader's own is not looked at, so what is denied to it is denied
            Kind::Denies if (is_own || entry.sid == SELF) && missing & entry.rights != 0 => return Some(false),
            Kind::Allows | Kind::Denies | Kind::Other => {}
        }
        if missing == 0 {
            return Some(true);
        }
    }
    Some(false)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Allows,
    Denies,
    Other,
}

/// An access control entry.
struct Entry<'a> {
    kind: Kind,
    inherit_only: bool,
    rights: u32,
    /// The attribute or property set it is for; everything if absent.
    object: Option<Guid>,
    sid: &'a [u8],
}

impl<'a> Entry<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let [number, flags] = *bytes.first_chunk()?;
        // a condition that cannot be evaluated allows nothing and denies whatever it may
        let (kind, with_object) = match number {
            0x00 => (Kind::Allows, false),
            0x01 | 0x0A => (Kind::Denies, false),
            0x05 => (Kind::Allows, true),
            0x06 | 0x0C => (Kind::Denies, true),
            _ => (Kind::Other, false),
        };
        let mut entry = Self { kind, inherit_only: flags & INHERIT_ONLY != 0, rights: 0, object: None, sid: &[] };
        if kind == Kind::Other {
            return Some(entry);
        }
        let rights = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
        entry.rights = match rights {
            all if all & GENERIC_ALL != 0 => all | READ_PROPERTY | CONTROL_ACCESS,
            read if read & GENERIC_READ != 0 => read | READ_PROPERTY,
            other => other,
        };
        let mut rest = bytes.get(8..)?;
        if with_object {
            let present = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?);
            rest = rest.get(4..)?;
            if present & 1 != 0 {
                entry.object = Some(rest.get(..16)?.try_into().ok()?);
                rest = rest.get(16..)?;
            }
            // for which class it is inherited does not matter where it holds
            rest = rest.get(if present & 2 != 0 { 16 } else { 0 }..)?;
        }
        let length = 8 + 4 * usize::from(*rest.get(1)?);
        entry.sid = rest.get(..length)?;
        Some(entry)
    }

    fn concerns(&self, secured: &Secured) -> bool {
        let is_meant =
            self.object.is_none_or(|object| object == secured.attribute || Some(object) == secured.property_set);
        is_meant && !self.inherit_only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTRIBUTE: Guid = [1; 16];
    const SET: Guid = [2; 16];

    fn sid(number: u32) -> Vec<u8> {
        [&[1, 1, 0, 0, 0, 0, 0, 5][..], &number.to_le_bytes()].concat()
    }

    /// An entry: its type, flags, rights, object and whom it is for.
    fn ace(kind: u8, flags: u8, rights: u32, object: Option<Guid>, sid: &[u8]) -> Vec<u8> {
        let object = match (kind, object) {
            (5 | 6, Some(object)) => [&1u32.to_le_bytes()[..], &object].concat(),
            (5 | 6, None) => vec![0; 4],
            _ => Vec::new(),
        };
        let size = u16::try_from(8 + object.len() + sid.len()).unwrap().to_le_bytes();
        [&[kind, flags][..], &size, &rights.to_le_bytes(), &object, sid].concat()
    }

    fn descriptor(aces: &[Vec<u8>]) -> Vec<u8> {
        let head = [&[1, 0, 4, 0x80][..], &[0; 12], &20u32.to_le_bytes()].concat();
        let count = u16::try_from(aces.len()).unwrap().to_le_bytes();
        let size = u16::try_from(8 + aces.concat().len()).unwrap().to_le_bytes();
        [head, [&[4, 0][..], &size, &count, &[0, 0]].concat(), aces.concat()].concat()
    }

    fn readable(aces: &[Vec<u8>], confidential: bool) -> bool {
        let secured = Secured { attribute: ATTRIBUTE, property_set: Some(SET), confidential };
        may_read(&descriptor(aces), &[sid(11), sid(500)], &secured)
    }

    #[test]
    fn the_first_entry_that_concerns_the_attribute_and_the_account_decides() {
        let allow = ace(0, 0, 0x10, None, &sid(11));
        let deny = ace(6, 0, 0x10, Some(ATTRIBUTE), &sid(500));
        assert!(readable(std::slice::from_ref(&allow), false));
        assert!(!readable(&[deny.clone(), allow.clone()], false));
        assert!(readable(&[allow.clone(), deny], false));
        assert!(readable(&[ace(5, 0, 0x10, Some(SET), &sid(11))], false));
        assert!(readable(&[ace(5, 0, 0x10, None, &sid(11))], false));
        assert!(readable(&[ace(0, 0, GENERIC_READ, None, &sid(11))], false));
        for nothing in [
            Vec::new(),
            vec![ace(0, 0, 0x10, None, &sid(12))],
            vec![ace(0, INHERIT_ONLY, 0x10, None, &sid(11))],
            vec![ace(5, 0, 0x10, Some([3; 16]), &sid(11))],
            vec![ace(0, 0, 0x20, None, &sid(11))],
            vec![ace(9, 0, 0x10, None, &sid(11))],
            vec![ace(6, 0, 0x10, Some(SET), &SELF), allow.clone()],
            vec![ace(10, 0, 0x10, None, &sid(11)), allow.clone()],
        ] {
            assert!(!readable(&nothing, false), "{nothing:x?}");
        }
        for passed_over in [
            ace(6, 0, 0x10, Some([3; 16]), &sid(11)),
            ace(1, INHERIT_ONLY, 0x10, None, &sid(11)),
            ace(1, 0, 0x20, None, &sid(11)),
            ace(1, 0, 0x10, None, &sid(12)),
        ] {
            assert!(readable(&[passed_over, allow.clone()], false));
        }
    }

    #[test]
    fn a_confidential_attribute_needs_both_rights() {
        assert!(!readable(&[ace(0, 0, 0x10, None, &sid(11))], true));
        assert!(readable(&[ace(0, 0, 0x10, None, &sid(11)), ace(0, 0, 0x100, None, &sid(500))], true));
        assert!(readable(&[ace(0, 0, GENERIC_ALL, None, &sid(11))], true));
    }

    #[test]
    fn without_a_list_everybody_may_and_a_damaged_one_lets_nobody() {
        let secured = Secured { attribute: ATTRIBUTE, property_set: None, confidential: false };
        let mut absent = descriptor(&[]);
        absent[16] = 0;
        assert!(may_read(&absent, &[], &secured));
        let whole = descriptor(&[ace(1, 0, 0x20, None, &sid(11)), ace(0, 0, 0x10, None, &sid(11))]);
        assert!(may_read(&whole, &[sid(11)], &secured));
        for end in 0..whole.len() {
            assert!(!may_read(&whole[..end], &[sid(11)], &secured), "{end}");
        }
        for place in 20..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0xFF;
            let _ = may_read(&damaged, &[sid(11)], &secured);
        }
    }
}
