//! The entries of several directories, set aside until all were read and it is known which of them are one person.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Result;
use crate::people::{Group, Person, Problem, UnitingKey, digest, merge, uniting_keys};
use crate::store::Spool;

/// Entries by their places, of all directories together.
pub(super) struct Aside {
    spool: Spool,
    next: AtomicU32,
}

/// What memory keeps of one directory's entries, in the order they were read.
#[derive(Default)]
pub(super) struct Entries {
    /// What unites each with others.
    pub(super) keys: Vec<Vec<UnitingKey>>,
    places: Vec<u32>,
    /// By place; few have any.
    problems: HashMap<u32, Vec<Problem>>,
}

impl Aside {
    /// # Errors
    /// `store_failed`.
    pub(super) fn new() -> Result<Self> {
        Ok(Self { spool: Spool::new()?, next: AtomicU32::new(0) })
    }

    /// Sets an entry aside.
    ///
    /// # Errors
    /// `store_failed`.
    pub(super) fn add(&self, entries: &mut Entries, mut person: Person) -> Result<()> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        self.spool.add_person(place, &person, &digest(&person))?;
        entries.places.push(place);
        entries.keys.push(uniting_keys(&person));
        if !person.problems.is_empty() {
            entries.problems.insert(place, std::mem::take(&mut person.problems));
        }
        Ok(())
    }

    /// The person that these entries are; `None` without any. Of one who is not clear not everything is known.
    ///
    /// # Errors
    /// `store_failed`.
    pub(super) fn united(&self, directories: &[Entries], group: &Group) -> Result<Option<Person>> {
        let mut united: Option<Person> = None;
        let mut parts = Vec::with_capacity(group.places.len());
        for (directory, at) in &group.places {
            let Some(entries) = directories.get(*directory) else { continue };
            let Some(place) = entries.places.get(*at) else { continue };
            let mut person = self.spool.person(*place)?;
            person.complete &= group.is_clear;
            person.problems = entries.problems.get(place).cloned().unwrap_or_default();
            parts.push((*directory, person.identity.clone()));
            united = Some(match united {
                None => person,
                Some(first) => merge(first, person),
            });
        }
        if let Some(person) = &mut united {
            person.parts = parts;
        }
        Ok(united)
    }
}
