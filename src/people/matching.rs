//! Which recipient a person is. Pure.
//!
//! Whoever is matched need not be in memory: people and recipients are known by their places, counted from 0 in the order
//! they came, and what they are known by is kept as digests.

use std::collections::HashSet;

use crate::certificate::Sha256;

use super::{Person, Recipient};

/// Why a person has no recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmatched {
    /// The person has no address, and nothing else leads to a recipient.
    NoAddress,
    /// No recipient has the person's anchor, name or addresses.
    NoRecipient,
}

impl Unmatched {
    /// The reason of the person's row (contract, "What a run does").
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoAddress => "no_address",
            Self::NoRecipient => "no_recipient",
        }
    }
}

/// Which recipient a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The recipient at this place.
    One(u32),
    /// None.
    None(Unmatched),
    /// Several, or one that another person claims as well.
    Ambiguous,
}

/// A digest of something a person or recipient is known by; half a SHA-256 is enough never to take two for one.
type Key = [u8; 16];

fn key(kind: u8, text: &str) -> Key {
    let whole = Sha256::of(&[&[kind], text.as_bytes()].concat());
    let mut half = Key::default();
    half.copy_from_slice(&whole.as_bytes()[..16]);
    half
}

fn identity_key(identity: &str) -> Key {
    key(b'i', identity)
}

fn anchor_key(anchor: &str) -> Key {
    key(b'a', anchor)
}

fn name_key(name: &str) -> Key {
    key(b'n', &name.to_lowercase())
}

fn address_key(address: &super::Address) -> Key {
    key(b'm', &address.key())
}

/// What recipients can be found by, gathered as they come.
#[derive(Debug, Default)]
pub struct RecipientKeys {
    keys: Vec<(Key, u32)>,
    count: u32,
}

impl RecipientKeys {
    /// Adds a recipient and gives its place.
    pub fn add(&mut self, recipient: &Recipient) -> u32 {
        let place = self.count;
        self.count += 1;
        let anchor = recipient.immutable_id.as_deref().map(anchor_key);
        let name = recipient.user_principal_name.as_deref().map(name_key);
        let addresses = recipient.addresses.iter().map(address_key);
        let keys = [identity_key(&recipient.identity)].into_iter().chain(anchor).chain(name).chain(addresses);
        self.keys.extend(keys.map(|key| (key, place)));
        place
    }

    /// Everything found by key from now on.
    pub fn into_index(self) -> RecipientIndex {
        let Self { mut keys, count } = self;
        keys.sort_unstable();
        keys.dedup();
        keys.shrink_to_fit();
        RecipientIndex { keys, count }
    }
}

/// Recipients by everything a person can be known by.
#[derive(Debug, Default)]
pub struct RecipientIndex {
    /// In order.
    keys: Vec<(Key, u32)>,
    count: u32,
}

/// Where a key leads.
enum Led {
    Nowhere,
    To(u32),
    Apart,
}

impl RecipientIndex {
    /// An index of these recipients.
    pub fn new<'a>(recipients: impl IntoIterator<Item = &'a Recipient>) -> Self {
        let mut keys = RecipientKeys::default();
        for recipient in recipients {
            keys.add(recipient);
        }
        keys.into_index()
    }

    /// How many recipients there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The places of the recipients with an identity; more than one where a list had it twice.
    pub fn identified(&self, identity: &str) -> impl Iterator<Item = u32> {
        self.places(identity_key(identity))
    }

    /// The recipient of one person: by source anchor, else by user principal name, else by addresses.
    /// Two recipients within the step that decides make it ambiguous.
    pub fn find(&self, person: &Person) -> Match {
        for key in anchor_and_name(person) {
            match self.led(key) {
                Led::To(place) => return Match::One(place),
                Led::Apart => return Match::Ambiguous,
                Led::Nowhere => {}
            }
        }
        let mut found = None;
        for address in &person.addresses {
            match (self.led(address_key(address)), found) {
                (Led::Apart, _) => return Match::Ambiguous,
                (Led::To(place), Some(other)) if place != other => return Match::Ambiguous,
                (Led::To(place), _) => found = Some(place),
                (Led::Nowhere, _) => {}
            }
        }
        match found {
            Some(place) => Match::One(place),
            None if person.addresses.is_empty() => Match::None(Unmatched::NoAddress),
            None => Match::None(Unmatched::NoRecipient),
        }
    }

    /// The recipient a person's names lead to, if to one, whether or not others claim it.
    pub fn claim(&self, person: &Person) -> Option<u32> {
        match self.find(person) {
            Match::One(place) => Some(place),
            Match::None(_) | Match::Ambiguous => None,
        }
    }

    /// Every recipient that anything of a person leads to, whichever step would decide.
    pub fn all_of(&self, person: &Person) -> impl Iterator<Item = u32> {
        let addresses = person.addresses.iter().map(address_key);
        anchor_and_name(person).chain(addresses).flat_map(|key| self.places(key))
    }

    fn led(&self, key: Key) -> Led {
        let mut places = self.places(key);
        match (places.next(), places.next()) {
            (None, _) => Led::Nowhere,
            (Some(place), None) => Led::To(place),
            (Some(_), Some(_)) => Led::Apart,
        }
    }

    fn places(&self, key: Key) -> impl Iterator<Item = u32> {
        let first = self.keys.partition_point(|(other, _)| *other < key);
        let keys = self.keys.get(first..).unwrap_or_default();
        keys.iter().take_while(move |(other, _)| *other == key).map(|(_, place)| *place)
    }
}

fn anchor_and_name(person: &Person) -> impl Iterator<Item = Key> {
    let anchor = person.source_anchor.as_deref().map(anchor_key);
    anchor.into_iter().chain(person.user_principal_name.as_deref().map(name_key))
}

/// The people of a run by their identities, gathered as they come.
#[derive(Debug, Default)]
pub struct PeopleKeys {
    identities: Vec<Key>,
    /// Without regard to case.
    folded: Vec<Key>,
    /// Of entries that are part of somebody with another identity.
    parts: Vec<Key>,
}

impl PeopleKeys {
    /// Adds a person and gives its place.
    pub fn add(&mut self, identity: &str) -> u32 {
        let place = u32::try_from(self.identities.len()).unwrap_or(u32::MAX);
        self.identities.push(identity_key(identity));
        self.folded.push(identity_key(&identity.to_lowercase()));
        place
    }

    /// Adds the identity of an entry that is part of a person with another one.
    pub fn add_part(&mut self, identity: &str) {
        self.parts.push(identity_key(identity));
    }

    /// Everybody found by identity from now on.
    pub fn into_index(self) -> PeopleIndex {
        let Self { identities, folded, mut parts } = self;
        parts.sort_unstable();
        let mut sorted = folded.clone();
        sorted.sort_unstable();
        let repeated: HashSet<Key> = sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        let repeated = (0..).zip(&folded).filter(|(_, key)| repeated.contains(*key)).map(|(place, _)| place).collect();
        sorted.clone_from(&identities);
        sorted.sort_unstable();
        PeopleIndex { identities, sorted, repeated, parts }
    }
}

/// The people of a run by their identities.
#[derive(Debug, Default)]
pub struct PeopleIndex {
    /// By place.
    identities: Vec<Key>,
    /// In order.
    sorted: Vec<Key>,
    /// Places of those whose identity another one has as well.
    repeated: HashSet<u32>,
    /// In order: of entries that are part of somebody with another identity.
    parts: Vec<Key>,
}

impl PeopleIndex {
    /// How many people there are.
    pub fn count(&self) -> usize {
        self.identities.len()
    }

    /// Whether somebody has this identity.
    pub fn contains(&self, identity: &str) -> bool {
        self.sorted.binary_search(&identity_key(identity)).is_ok()
    }

    /// Whether an entry with this identity is part of somebody with another one.
    pub fn has_part(&self, identity: &str) -> bool {
        self.parts.binary_search(&identity_key(identity)).is_ok()
    }

    /// Of what each of these people is by itself, what all of them are: a recipient that two people claim is neither's,
    /// and two entries with one identity are nobody, because what one of them has the other may lack.
    pub fn part(&self, matches: &mut [Match]) {
        for (place, found) in (0..).zip(&mut *matches) {
            if self.repeated.contains(&place) {
                *found = Match::Ambiguous;
            }
        }
        part_rivals(matches);
    }

    /// Makes every claim of these people ambiguous that somebody else has on the same recipient. For runs that look at a
    /// part of the people: the claims are those of these people again and of all others who could have one.
    pub fn part_from(&self, mut claims: Claims, matches: &mut [Match]) {
        claims.0.sort_unstable();
        for (identity, found) in self.identities.iter().zip(matches) {
            let Match::One(place) = *found else { continue };
            let first = claims.0.partition_point(|(other, _)| *other < place);
            let mut claimants =
                claims.0.get(first..).unwrap_or_default().iter().take_while(|(other, _)| *other == place);
            let others = match (claimants.next(), claimants.next()) {
                (None, _) => false,
                (Some((_, one)), None) => one != identity,
                (Some(_), Some(_)) => true,
            };
            if others {
                *found = Match::Ambiguous;
            }
        }
    }
}

/// Who claims which recipient.
#[derive(Debug, Default)]
pub struct Claims(Vec<(u32, Key)>);

impl Claims {
    /// Adds what a person claims, if anything.
    pub fn add(&mut self, index: &RecipientIndex, person: &Person) {
        self.0.extend(index.claim(person).map(|place| (place, identity_key(&person.identity))));
    }
}

/// Makes every claim on a recipient ambiguous that is not the only one.
fn part_rivals(matches: &mut [Match]) {
    let mut claimed: Vec<u32> = matches.iter().filter_map(Match::place).collect();
    claimed.sort_unstable();
    let contested: HashSet<u32> = claimed.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    for found in matches {
        if found.place().is_some_and(|place| contested.contains(&place)) {
            *found = Match::Ambiguous;
        }
    }
}

impl Match {
    /// The recipient's place, where there is one.
    pub fn place(&self) -> Option<u32> {
        match self {
            Self::One(place) => Some(*place),
            Self::None(_) | Self::Ambiguous => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Address, PersonKind, RecipientClass};
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<Address> {
        texts.iter().map(|text| Address::parse(text).unwrap()).collect()
    }

    fn recipient(anchor: Option<&str>, name: Option<&str>, mail: &[&str]) -> Recipient {
        Recipient {
            identity: String::new(),
            class: RecipientClass::Mailbox,
            external_directory_object_id: None,
            display_name: None,
            user_principal_name: name.map(str::to_owned),
            addresses: addresses(mail),
            recipient_type_details: "UserMailbox".into(),
            is_dir_synced: false,
            is_exchange_cloud_managed: false,
            immutable_id: anchor.map(str::to_owned),
            user_certificate: None,
            user_smime_certificate: None,
        }
    }

    fn person(anchor: Option<&str>, name: Option<&str>, mail: &[&str]) -> Person {
        Person {
            identity: String::new(),
            distinguished_name: String::new(),
            kind: PersonKind::User,
            display_name: None,
            user_principal_name: name.map(str::to_owned),
            addresses: addresses(mail),
            source_anchor: anchor.map(str::to_owned),
            enabled: None,
            deleted: false,
            parts: Vec::new(),
            values: Vec::new(),
            complete: true,
            problems: Vec::new(),
        }
    }

    fn named(identity: &str, person: Person) -> Person {
        Person { identity: identity.into(), ..person }
    }

    fn find_all(index: &RecipientIndex, people: &[Person]) -> Vec<Match> {
        let mut matches: Vec<_> = people.iter().map(|person| index.find(person)).collect();
        index_of(people).part(&mut matches);
        matches
    }

    fn index_of(people: &[Person]) -> PeopleIndex {
        let mut keys = PeopleKeys::default();
        for person in people {
            keys.add(&person.identity);
        }
        keys.into_index()
    }

    fn claims<'a>(index: &RecipientIndex, people: impl IntoIterator<Item = &'a Person>) -> Claims {
        let mut claims = Claims::default();
        for person in people {
            claims.add(index, person);
        }
        claims
    }

    fn company() -> RecipientIndex {
        RecipientIndex::new(&[
            recipient(Some("AAA="), Some("ann@x.test"), &["ann@x.test", "a.lee@x.test"]),
            recipient(Some("BBB="), Some("bob@x.test"), &["bob@x.test"]),
            recipient(None, None, &["partner@y.test"]),
            recipient(Some("CCC="), Some("twin@x.test"), &["twin1@x.test", "shared@x.test"]),
            recipient(Some("CCC="), Some("TWIN@x.test"), &["twin2@x.test", "shared@x.test"]),
        ])
    }

    #[test]
    fn the_anchor_wins_over_name_and_address() {
        assert_eq!(company().find(&person(Some("BBB="), Some("ann@x.test"), &["ann@x.test"])), Match::One(1));
        assert_eq!(company().find(&person(Some("bbb="), None, &["ann@x.test"])), Match::One(0), "base64 has case");
    }

    #[test]
    fn the_name_wins_over_addresses_and_ignores_case() {
        assert_eq!(company().find(&person(Some("ZZZ="), Some("Bob@X.test"), &["ann@x.test"])), Match::One(1));
    }

    #[test]
    fn any_address_will_do_in_any_case() {
        assert_eq!(company().find(&person(None, None, &["new@x.test", "A.LEE@x.test"])), Match::One(0));
        assert_eq!(company().find(&person(None, None, &["a.lee@x.test", "ann@x.test"])), Match::One(0));
        assert_eq!(company().find(&person(None, Some("no@x.test"), &["partner@y.test"])), Match::One(2));
    }

    #[test]
    fn addresses_that_lead_apart_are_ambiguous() {
        assert_eq!(company().find(&person(None, None, &["ann@x.test", "bob@x.test"])), Match::Ambiguous);
    }

    #[test]
    fn a_key_of_two_recipients_is_ambiguous_at_every_step() {
        assert_eq!(company().find(&person(Some("CCC="), None, &["twin1@x.test"])), Match::Ambiguous);
        assert_eq!(company().find(&person(None, Some("twin@x.test"), &["twin1@x.test"])), Match::Ambiguous);
        assert_eq!(company().find(&person(None, None, &["twin1@x.test", "shared@x.test"])), Match::Ambiguous);
    }

    #[test]
    fn nobody_is_named_by_reason() {
        assert_eq!(company().find(&person(None, None, &["who@x.test"])), Match::None(Unmatched::NoRecipient));
        assert_eq!(company().find(&person(Some("ZZZ="), Some("z@x.test"), &[])), Match::None(Unmatched::NoAddress));
    }

    #[test]
    fn two_people_who_claim_one_recipient_get_none() {
        let people = [
            named("1", person(Some("AAA="), None, &[])),
            named("2", person(None, None, &["ann@x.test"])),
            named("3", person(None, None, &["bob@x.test"])),
            named("4", person(None, None, &["who@x.test"])),
        ];
        assert_eq!(
            find_all(&company(), &people),
            [Match::Ambiguous, Match::Ambiguous, Match::One(1), Match::None(Unmatched::NoRecipient)]
        );
    }

    #[test]
    fn two_entries_with_one_identity_are_nobody() {
        let people = [
            named("Same", person(None, None, &["ann@x.test"])),
            named("same", person(None, None, &[])),
            named("other", person(None, None, &["bob@x.test"])),
        ];
        assert_eq!(find_all(&company(), &people), [Match::Ambiguous, Match::Ambiguous, Match::One(1)]);
    }

    #[test]
    fn who_was_not_selected_can_contest_a_recipient() {
        let ann = named("1", person(None, None, &["ann@x.test"]));
        let bob = named("2", person(None, None, &["bob@x.test"]));
        let rival = named("3", person(Some("AAA="), None, &["elsewhere@x.test"]));
        let people = [ann.clone(), bob.clone()];
        let mut matches = find_all(&company(), &people);
        index_of(&people).part_from(claims(&company(), [&ann, &bob]), &mut matches);
        assert_eq!(matches, [Match::One(0), Match::One(1)]);
        index_of(&people).part_from(claims(&company(), [&ann, &rival, &bob]), &mut matches);
        assert_eq!(matches, [Match::Ambiguous, Match::One(1)]);
    }

    #[test]
    fn all_of_a_person_is_found_whichever_step_decides() {
        let person = person(Some("BBB="), Some("twin@x.test"), &["ann@x.test"]);
        let mut all: Vec<_> = company().all_of(&person).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 3, 4]);
    }

    #[test]
    fn identities_are_found_exactly_and_recipients_by_theirs() {
        let people = [named("Same", person(None, None, &[])), named("other", person(None, None, &[]))];
        let index = index_of(&people);
        assert!(index.contains("Same") && !index.contains("same") && index.count() == 2);
        let twice = Recipient { identity: "r".into(), ..recipient(None, None, &[]) };
        let recipients = RecipientIndex::new([&twice, &recipient(None, None, &[]), &twice]);
        assert_eq!(recipients.identified("r").collect::<Vec<_>>(), [0, 2]);
        assert_eq!((recipients.identified("R").count(), recipients.count()), (0, 3));
    }
}
