//! What a company decides: the same every time, every recipe in it, and outcomes that fit together.

use crate::common::{AT, Outcome, company};
use smimesync_company::company::Company;
use smimesync_company::directory::Directory;
use smimesync_company::expected::Expected;
use smimesync_company::random::Random;
use smimesync_company::recipe::{Recipe, all, draw};
use std::collections::{BTreeMap, BTreeSet};

/// Everything but the signatures, of which ECDSA's are random.
fn decisions(company: &Company) -> Vec<String> {
    company
        .people
        .iter()
        .map(|person| {
            let certificates: Vec<String> = person
                .values
                .iter()
                .filter_map(|value| x509_parser::parse_x509_certificate(&value.bytes).ok())
                .map(|(_, c)| format!("{} {} {} {:?}", c.subject(), c.issuer(), c.raw_serial_as_string(), c.validity()))
                .collect();
            let outcomes: Vec<_> = person.values.iter().map(|value| value.loses).collect();
            format!(
                "{:?} {:?} {:?} {:?} {:?} {certificates:?} {outcomes:?}",
                person.recipe, person.name, person.addresses, person.guid, person.mailbox
            )
        })
        .collect()
}

#[test]
fn same_seed_same_company() -> Outcome {
    let first = company(120, 7, "first")?;
    let second = company(120, 7, "second")?;
    assert_eq!(decisions(&first), decisions(&second));
    assert_eq!(first.app_id, second.app_id);
    assert_eq!(first.secret, second.secret);
    assert_eq!(first.changed.index, second.changed.index);
    Ok(())
}

#[test]
fn another_seed_another_company() -> Outcome {
    let first = decisions(&company(60, 7, "seed-7")?);
    let second = decisions(&company(60, 8, "seed-8")?);
    assert_eq!(first.iter().filter(|decision| second.contains(decision)).count(), 0);
    Ok(())
}

#[test]
fn every_recipe_occurs_and_most_people_are_good() {
    for seed in 0..20 {
        let mut counts: BTreeMap<Recipe, usize> = BTreeMap::new();
        let drawn = draw(300, &mut Random::new(seed));
        assert_eq!(drawn.len(), 300);
        for recipe in drawn {
            *counts.entry(recipe).or_default() += 1;
        }
        for recipe in all() {
            assert!(counts.get(&recipe).copied().unwrap_or(0) >= 2, "{recipe:?} at seed {seed}");
        }
        assert!(counts[&Recipe::Good] > 150, "{} good people at seed {seed}", counts[&Recipe::Good]);
    }
}

#[test]
fn any_number_of_people_can_be_drawn() {
    for people in 0..400 {
        let drawn = draw(people, &mut Random::new(people as u64));
        assert_eq!(drawn.len(), people);
        let sharing = drawn.iter().filter(|recipe| **recipe == Recipe::SameAddress).count();
        assert_eq!(sharing % 2, 0, "{people} people");
    }
}

#[test]
fn names_and_addresses_are_unique() -> Outcome {
    let company = company(1000, 3, "unique")?;
    let mut names = BTreeSet::new();
    let mut accounts = BTreeSet::new();
    for person in &company.people {
        assert!(names.insert(person.name.common_name.to_lowercase()), "{}", person.name.common_name);
        assert!(accounts.insert(person.name.account.to_lowercase()), "{}", person.name.account);
        assert!(person.name.account.len() <= 20, "{}", person.name.account);
        assert!(person.addresses.iter().all(|address| address.is_ascii()), "{:?}", person.addresses);
    }
    let keys: BTreeSet<String> =
        Expected::of(&company, Directory::Ldif).people.into_iter().map(|person| person.key).collect();
    assert_eq!(keys.len(), 1000);
    Ok(())
}

#[test]
fn rows_follow_from_the_values() -> Outcome {
    let company = company(300, 1, "rows")?;
    assert_eq!(company.at, AT);
    for directory in Directory::ALL {
        for person in Expected::of(&company, directory).people {
            for row in &person.rows {
                let kept_or_new = row.after.iter().all(|hash| row.before.contains(hash) || row.added.contains(hash));
                assert!(kept_or_new, "{}", person.key);
                assert_eq!(row.before.len() + row.added.len(), row.after.len() + row.removed.len(), "{}", person.key);
                assert!(row.after.len() <= 15, "{}", person.key);
                assert_eq!(row.action == "none", row.attribute.is_some() && row.before == row.after, "{}", person.key);
            }
        }
    }
    Ok(())
}

#[test]
fn openldap_differs_where_it_cannot_hold_a_value() -> Outcome {
    let company = company(300, 1, "not-held")?;
    let expected = Expected::of(&company, Directory::OpenLdap);
    let refused: usize = expected.not_held.iter().map(|entry| entry.people.len()).sum();
    let garbage = |recipe| matches!(recipe, Recipe::Garbage | Recipe::GarbageOnly);
    assert_eq!(refused, company.people.iter().filter(|person| garbage(person.recipe)).count());
    let values = |expected: &Expected| expected.people.iter().map(|person| person.values.len()).sum::<usize>();
    assert_eq!(values(&Expected::of(&company, Directory::Ad)) - values(&expected), refused);
    Ok(())
}
