//! Which recipient a person is. Pure.

use std::collections::{HashMap, HashSet};

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
    /// The recipient at this index.
    One(usize),
    /// None.
    None(Unmatched),
    /// Several, or one that another person claims as well.
    Ambiguous,
}

/// Recipients by everything a person can be known by. Indices are those of the list it was made of.
#[derive(Debug, Default)]
pub struct RecipientIndex {
    by_anchor: HashMap<String, Keyed>,
    by_name: HashMap<String, Keyed>,
    by_address: HashMap<String, Keyed>,
}

/// The recipients one key leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Keyed {
    One(usize),
    Several(Vec<usize>),
}

impl Keyed {
    fn all(&self) -> &[usize] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Several(numbers) => numbers,
        }
    }
}

impl RecipientIndex {
    /// An index of these recipients.
    pub fn new<'a>(recipients: impl IntoIterator<Item = &'a Recipient>) -> Self {
        let mut index = Self::default();
        for (number, recipient) in recipients.into_iter().enumerate() {
            if let Some(anchor) = &recipient.immutable_id {
                insert(&mut index.by_anchor, anchor.clone(), number);
            }
            if let Some(name) = &recipient.user_principal_name {
                insert(&mut index.by_name, name.to_lowercase(), number);
            }
            for address in &recipient.addresses {
                insert(&mut index.by_address, address.key(), number);
            }
        }
        index
    }

    /// The recipient of one person: by source anchor, else by user principal name, else by addresses.
    /// Two recipients within the step that decides make it ambiguous.
    pub fn find(&self, person: &Person) -> Match {
        match self.by_anchor(person).or_else(|| self.by_name(person)) {
            Some(Keyed::One(number)) => return Match::One(*number),
            Some(Keyed::Several(_)) => return Match::Ambiguous,
            None => {}
        }
        let mut found = None;
        for keyed in self.by_addresses(person) {
            match (keyed, found) {
                (Keyed::Several(_), _) => return Match::Ambiguous,
                (Keyed::One(number), Some(other)) if *number != other => return Match::Ambiguous,
                (Keyed::One(number), _) => found = Some(*number),
            }
        }
        match found {
            Some(number) => Match::One(number),
            None if person.addresses.is_empty() => Match::None(Unmatched::NoAddress),
            None => Match::None(Unmatched::NoRecipient),
        }
    }

    /// The recipient a person's names lead to, if to one, whether or not others claim it.
    pub fn claim(&self, person: &Person) -> Option<usize> {
        match self.find(person) {
            Match::One(number) => Some(number),
            Match::None(_) | Match::Ambiguous => None,
        }
    }

    /// The recipients of all people of a run, in their order; a recipient that two people claim is neither's, and two
    /// entries with one identity are nobody, because what one of them has the other may lack.
    pub fn find_all(&self, people: &[Person]) -> Vec<Match> {
        let mut entries: HashMap<String, usize> = HashMap::with_capacity(people.len());
        for person in people {
            *entries.entry(person.identity.to_lowercase()).or_default() += 1;
        }
        let is_repeated =
            |person: &Person| entries.get(&person.identity.to_lowercase()).is_some_and(|count| *count > 1);
        let find = |person| if is_repeated(person) { Match::Ambiguous } else { self.find(person) };
        let mut matches: Vec<_> = people.iter().map(find).collect();
        part_rivals(&mut matches);
        matches
    }

    /// Makes every claim of these people ambiguous that somebody of `everybody` has on the same recipient. For runs that
    /// look at a part of the people: `everybody` holds those people again and all others who could claim their recipients.
    pub fn part_from<'a>(
        &self,
        everybody: impl IntoIterator<Item = &'a Person>,
        people: &[Person],
        matches: &mut [Match],
    ) {
        let mut claimants: HashMap<usize, Vec<&str>> = HashMap::new();
        for person in everybody {
            if let Match::One(number) = self.find(person) {
                claimants.entry(number).or_default().push(&person.identity);
            }
        }
        for (person, found) in people.iter().zip(matches) {
            let Match::One(number) = found else { continue };
            let others = claimants.get(number).is_some_and(|claimants| match claimants.as_slice() {
                [one] => *one != person.identity,
                several => !several.is_empty(),
            });
            if others {
                *found = Match::Ambiguous;
            }
        }
    }

    /// Every recipient that anything of a person leads to, whichever step would decide.
    pub fn all_of(&self, person: &Person) -> impl Iterator<Item = usize> {
        let keyed = self.by_anchor(person).into_iter().chain(self.by_name(person)).chain(self.by_addresses(person));
        keyed.flat_map(Keyed::all).copied()
    }

    fn by_anchor(&self, person: &Person) -> Option<&Keyed> {
        self.by_anchor.get(person.source_anchor.as_ref()?)
    }

    fn by_name(&self, person: &Person) -> Option<&Keyed> {
        self.by_name.get(&person.user_principal_name.as_ref()?.to_lowercase())
    }

    fn by_addresses(&self, person: &Person) -> impl Iterator<Item = &Keyed> {
        person.addresses.iter().filter_map(|address| self.by_address.get(&address.key()))
    }
}

/// Makes every claim on a recipient ambiguous that is not the only one.
fn part_rivals(matches: &mut [Match]) {
    let (mut claimed, mut contested) = (HashSet::new(), HashSet::new());
    for found in matches.iter() {
        if let Match::One(number) = found
            && !claimed.insert(*number)
        {
            contested.insert(*number);
        }
    }
    for found in matches {
        if matches!(found, Match::One(number) if contested.contains(number)) {
            *found = Match::Ambiguous;
        }
    }
}

fn insert(keys: &mut HashMap<String, Keyed>, key: String, number: usize) {
    keys.entry(key)
        .and_modify(|keyed| {
            if !keyed.all().contains(&number) {
                *keyed = Keyed::Several(keyed.all().iter().copied().chain([number]).collect());
            }
        })
        .or_insert(Keyed::One(number));
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
            values: Vec::new(),
            complete: true,
            problems: Vec::new(),
        }
    }

    fn named(identity: &str, person: Person) -> Person {
        Person { identity: identity.into(), ..person }
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
            company().find_all(&people),
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
        assert_eq!(company().find_all(&people), [Match::Ambiguous, Match::Ambiguous, Match::One(1)]);
    }

    #[test]
    fn who_was_not_selected_can_contest_a_recipient() {
        let ann = named("1", person(None, None, &["ann@x.test"]));
        let bob = named("2", person(None, None, &["bob@x.test"]));
        let rival = named("3", person(Some("AAA="), None, &["elsewhere@x.test"]));
        let people = [ann.clone(), bob.clone()];
        let mut matches = company().find_all(&people);
        company().part_from([&ann, &bob], &people, &mut matches);
        assert_eq!(matches, [Match::One(0), Match::One(1)]);
        company().part_from([&ann, &rival, &bob], &people, &mut matches);
        assert_eq!(matches, [Match::Ambiguous, Match::One(1)]);
    }

    #[test]
    fn all_of_a_person_is_found_whichever_step_decides() {
        let person = person(Some("BBB="), Some("twin@x.test"), &["ann@x.test"]);
        let mut all: Vec<_> = company().all_of(&person).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 3, 4]);
    }
}
