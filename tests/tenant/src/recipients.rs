//! The recipients in memory, found by what Exchange accepts as an identity.

use std::collections::HashMap;
use std::hash::Hash;

use uuid::Uuid;

use crate::state::{Recipient, RecipientTypeDetails};

/// Recipients in listing order with an index over their keys. Keys never change, as no cmdlet of the double writes them.
pub(crate) struct Recipients {
    all: Vec<Recipient>,
    by_guid: Index<Uuid>,
    by_name: Index<String>,
}

/// What an identity leads to.
pub(crate) enum Found {
    One(usize),
    None,
    Several,
}

impl Recipients {
    pub(crate) fn new(all: Vec<Recipient>) -> Self {
        let mut by_guid = Index::default();
        let mut by_name = Index::default();
        for (position, recipient) in all.iter().enumerate() {
            by_guid.add(recipient.guid, position);
            if let Some(id) = recipient.external_directory_object_id {
                by_guid.add(id, position);
            }
            if let Some(name) = &recipient.user_principal_name {
                by_name.add(name.to_lowercase(), position);
            }
            by_name.add(recipient.primary_smtp_address.to_lowercase(), position);
            for address in recipient.email_addresses.iter().filter_map(|proxy| smtp_address(proxy)) {
                by_name.add(address.to_lowercase(), position);
            }
        }
        Self { all, by_guid, by_name }
    }

    pub(crate) fn all(&self) -> &[Recipient] {
        &self.all
    }

    pub(crate) fn get_mut(&mut self, position: usize) -> Option<&mut Recipient> {
        self.all.get_mut(position)
    }

    /// Finds by GUID, ExternalDirectoryObjectId, UPN or any SMTP address, among the given types only.
    pub(crate) fn find(&self, identity: &str, types: &[RecipientTypeDetails]) -> Found {
        let mut positions = self.by_name.get(&identity.to_lowercase());
        if identity.len() == 36
            && let Ok(id) = Uuid::try_parse(identity)
        {
            positions.extend(self.by_guid.get(&id));
        }
        positions.retain(|position| self.all.get(*position).is_some_and(|r| types.contains(&r.recipient_type_details)));
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

/// Positions by key; collisions are rare, so the common case costs no list.
struct Index<K> {
    first: HashMap<K, usize>,
    further: HashMap<K, Vec<usize>>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { first: HashMap::new(), further: HashMap::new() }
    }
}

impl<K: Eq + Hash> Index<K> {
    fn add(&mut self, key: K, position: usize) {
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
        self.first.get(key).into_iter().chain(further).copied().collect()
    }
}
