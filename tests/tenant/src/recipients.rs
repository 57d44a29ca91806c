//! The recipients in memory, a million of them if need be, found by what Exchange accepts as an identity.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use uuid::Uuid;

use crate::state::{Recipient, RecipientTypeDetails};

/// Between the texts of a recipient; no name or address has it.
const SEPARATOR: char = '\u{0}';

/// Recipients in listing order with an index over their keys. Keys never change, as no cmdlet of the double writes them.
pub(crate) struct Recipients {
    all: Vec<Compact>,
    values: Values,
    by_guid: Index<Uuid>,
    /// By a hash of the lower-case name: two names may share one, so whoever asks looks again.
    by_name: Index<u64>,
    hasher: RandomState,
}

/// One recipient in few allocations.
struct Compact {
    guid: Uuid,
    external_directory_object_id: Option<Uuid>,
    recipient_type_details: RecipientTypeDetails,
    is_dir_synced: bool,
    is_exchange_cloud_managed: bool,
    has_user_principal_name: bool,
    has_immutable_id: bool,
    /// Display name, user principal name, immutable id, primary address, proxy addresses.
    texts: Box<str>,
    user_certificate: Box<[Arc<[u8]>]>,
    user_smime_certificate: Box<[Arc<[u8]>]>,
}

impl Compact {
    fn new(recipient: Recipient, values: &mut Values) -> Self {
        let (has_user_principal_name, has_immutable_id) =
            (recipient.user_principal_name.is_some(), recipient.immutable_id.is_some());
        let mut texts = vec![
            recipient.display_name,
            recipient.user_principal_name.unwrap_or_default(),
            recipient.immutable_id.unwrap_or_default(),
            recipient.primary_smtp_address,
        ];
        texts.extend(recipient.email_addresses);
        Self {
            guid: recipient.guid,
            external_directory_object_id: recipient.external_directory_object_id,
            recipient_type_details: recipient.recipient_type_details,
            is_dir_synced: recipient.is_dir_synced,
            is_exchange_cloud_managed: recipient.is_exchange_cloud_managed,
            has_user_principal_name,
            has_immutable_id,
            texts: texts.join(&SEPARATOR.to_string()).into_boxed_str(),
            user_certificate: values.keep(recipient.user_certificate),
            user_smime_certificate: values.keep(recipient.user_smime_certificate),
        }
    }

    fn recipient(&self) -> Recipient {
        let mut texts = self.texts.split(SEPARATOR).map(str::to_owned);
        let mut next = || texts.next().unwrap_or_default();
        let (display_name, user_principal_name, immutable_id, primary_smtp_address) = (next(), next(), next(), next());
        let bytes = |values: &[Arc<[u8]>]| values.iter().map(|value| value.to_vec()).collect();
        Recipient {
            guid: self.guid,
            external_directory_object_id: self.external_directory_object_id,
            recipient_type_details: self.recipient_type_details,
            display_name,
            user_principal_name: self.has_user_principal_name.then_some(user_principal_name),
            primary_smtp_address,
            email_addresses: texts.collect(),
            is_dir_synced: self.is_dir_synced,
            is_exchange_cloud_managed: self.is_exchange_cloud_managed,
            immutable_id: self.has_immutable_id.then_some(immutable_id),
            user_certificate: bytes(&self.user_certificate),
            user_smime_certificate: bytes(&self.user_smime_certificate),
        }
    }

    /// What it may be asked for by, besides its ids.
    fn names(&self) -> impl Iterator<Item = &str> {
        let mut texts = self.texts.split(SEPARATOR).skip(1);
        let user_principal_name = texts.next().filter(|_| self.has_user_principal_name);
        let primary = texts.nth(1);
        user_principal_name.into_iter().chain(primary).chain(texts.filter_map(smtp_address))
    }
}

/// The values of all recipients, each kept once.
#[derive(Default)]
struct Values(HashSet<Arc<[u8]>>);

impl Values {
    fn keep(&mut self, values: Vec<Vec<u8>>) -> Box<[Arc<[u8]>]> {
        values.into_iter().map(|value| self.one(value)).collect()
    }

    fn one(&mut self, value: Vec<u8>) -> Arc<[u8]> {
        if let Some(known) = self.0.get(value.as_slice()) {
            return Arc::clone(known);
        }
        let value: Arc<[u8]> = Arc::from(value);
        self.0.insert(Arc::clone(&value));
        value
    }

    /// Forgets values that a recipient no longer holds, unless another one does.
    fn drop_unused(&mut self, values: &[Arc<[u8]>]) {
        for value in values {
            // one here, one in the list given
            if Arc::strong_count(value) <= 2 {
                self.0.remove(value);
            }
        }
    }
}

/// What an identity leads to.
pub(crate) enum Found {
    One(usize),
    None,
    Several,
}

impl Recipients {
    pub(crate) fn new(recipients: impl IntoIterator<Item = Recipient>) -> Self {
        let mut made = Self {
            all: Vec::new(),
            values: Values::default(),
            by_guid: Index::default(),
            by_name: Index::default(),
            hasher: RandomState::new(),
        };
        for recipient in recipients {
            made.add(recipient);
        }
        made.all.shrink_to_fit();
        made
    }

    fn add(&mut self, recipient: Recipient) {
        let position = self.all.len();
        let compact = Compact::new(recipient, &mut self.values);
        self.by_guid.add(compact.guid, position);
        if let Some(id) = compact.external_directory_object_id {
            self.by_guid.add(id, position);
        }
        for name in compact.names() {
            self.by_name.add(self.hasher.hash_one(name.to_lowercase()), position);
        }
        self.all.push(compact);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// All of them, made one by one.
    pub(crate) fn all(&self) -> impl Iterator<Item = Recipient> {
        self.all.iter().map(Compact::recipient)
    }

    /// The one at a position.
    pub(crate) fn get(&self, position: usize) -> Option<Recipient> {
        self.all.get(position).map(Compact::recipient)
    }

    /// The type of the one at a position.
    pub(crate) fn kind(&self, position: usize) -> Option<RecipientTypeDetails> {
        self.all.get(position).map(|recipient| recipient.recipient_type_details)
    }

    /// Replaces the certificates that are given.
    pub(crate) fn set_certificates(
        &mut self,
        position: usize,
        user_certificate: Option<Vec<Vec<u8>>>,
        user_smime_certificate: Option<Vec<Vec<u8>>>,
    ) {
        let Some(recipient) = self.all.get_mut(position) else { return };
        let given = [
            (&mut recipient.user_certificate, user_certificate),
            (&mut recipient.user_smime_certificate, user_smime_certificate),
        ];
        for (held, values) in given.into_iter().filter_map(|(held, values)| Some((held, values?))) {
            let before = std::mem::replace(held, self.values.keep(values));
            self.values.drop_unused(&before);
        }
    }

    /// Finds by GUID, ExternalDirectoryObjectId, UPN or any SMTP address, among the given types only.
    pub(crate) fn find(&self, identity: &str, types: &[RecipientTypeDetails]) -> Found {
        let name = identity.to_lowercase();
        let is_named = |position: &usize| {
            self.all.get(*position).is_some_and(|it| it.names().any(|known| known.to_lowercase() == name))
        };
        let mut positions = self.by_name.get(&self.hasher.hash_one(&name));
        positions.retain(is_named);
        if identity.len() == 36
            && let Ok(id) = Uuid::try_parse(identity)
        {
            positions.extend(self.by_guid.get(&id));
        }
        positions.retain(|position| self.kind(*position).is_some_and(|kind| types.contains(&kind)));
        positions.sort_unstable();
        positions.dedup();
        match positions.as_slice() {
            [] => Found::None,
            [one] => Found::One(*one),
            _ => Found::Several,
        }
    }
}

/// The address in an SMTP proxy address.
pub(crate) fn smtp_address(proxy: &str) -> Option<&str> {
    proxy.split_once(':').filter(|(prefix, _)| prefix.eq_ignore_ascii_case("smtp")).map(|(_, address)| address)
}

/// Positions by key; several at one key are rare, so the common case costs no list.
struct Index<K> {
    first: HashMap<K, u32>,
    further: HashMap<K, Vec<u32>>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { first: HashMap::new(), further: HashMap::new() }
    }
}

impl<K: Eq + Hash> Index<K> {
    fn add(&mut self, key: K, position: usize) {
        let Ok(position) = u32::try_from(position) else { return };
        match self.first.get(&key) {
            None => {
                self.first.insert(key, position);
            }
            Some(first) if *first == position => {}
            Some(_) => self.further.entry(key).or_default().push(position),
        }
    }

    fn get(&self, key: &K) -> Vec<usize> {
        let further = self.further.get(key).into_iter().flatten();
        self.first.get(key).into_iter().chain(further).filter_map(|position| usize::try_from(*position).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(number: u128, value: &[u8]) -> Recipient {
        Recipient {
            guid: Uuid::from_u128(number),
            external_directory_object_id: Some(Uuid::from_u128(number + 1000)),
            recipient_type_details: RecipientTypeDetails::UserMailbox,
            display_name: format!("P{number}"),
            user_principal_name: (number != 2).then(|| format!("P{number}@x.test")),
            primary_smtp_address: format!("p{number}@mail.test"),
            email_addresses: vec![format!("SMTP:p{number}@mail.test"), "X500:/o=x".to_owned()],
            is_dir_synced: false,
            is_exchange_cloud_managed: number == 3,
            immutable_id: (number == 3).then(String::new),
            user_certificate: vec![value.to_vec()],
            user_smime_certificate: Vec::new(),
        }
    }

    #[test]
    fn what_goes_in_comes_out() {
        let given = [recipient(1, b"a"), recipient(2, b"a"), recipient(3, b"b")];
        let recipients = Recipients::new(given.clone());
        assert_eq!(recipients.all().collect::<Vec<_>>(), given);
        let types = [RecipientTypeDetails::UserMailbox];
        for name in ["p2@MAIL.test", "00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-0000000003ea"] {
            assert!(matches!(recipients.find(name, &types), Found::One(1)), "{name}");
        }
        for name in ["p2@x.test", "P2", "", "/o=x"] {
            assert!(matches!(recipients.find(name, &types), Found::None), "{name}");
        }
        assert!(matches!(recipients.find("P1@X.test", &types), Found::One(0)));
    }

    #[test]
    fn a_value_is_kept_once_and_no_longer_than_somebody_holds_it() {
        let mut recipients = Recipients::new([recipient(1, b"a"), recipient(2, b"a")]);
        assert_eq!(recipients.values.0.len(), 1);
        recipients.set_certificates(0, Some(vec![b"c".to_vec()]), None);
        assert_eq!(recipients.values.0.len(), 2);
        recipients.set_certificates(1, Some(Vec::new()), Some(vec![b"c".to_vec()]));
        assert_eq!(recipients.values.0.len(), 1);
        let held = recipients.get(1).map(|it| (it.user_certificate, it.user_smime_certificate));
        assert_eq!(held, Some((Vec::new(), vec![b"c".to_vec()])));
    }
}
