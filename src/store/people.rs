//! Who was seen in the directory, when it was last read to its end, and who is gone since.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{OptionalExtension as _, params};

use crate::error::Result;
use crate::validation::Fitness;

use super::{Store, not_understood};

/// A person of a complete read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenPerson<'a> {
    /// The person's identity.
    pub identity: &'a str,
    /// The recipient the person stands behind; without one, the last one stays known.
    pub recipient: Option<&'a str>,
    /// The best value's fitness; `None` without any value.
    pub fitness: Option<Fitness>,
}

/// A read of everybody in a scope that reached its end.
#[derive(Debug, Clone, Copy)]
pub struct CompleteRead<'a> {
    /// Hash of what was read from which directory.
    pub scope: &'a str,
    /// The scope that this one takes the place of, by the operator's word: its people are this one's from now on.
    pub replaces: Option<&'a str>,
    /// The run that read.
    pub run: i64,
    /// When.
    pub at_ms: i64,
    /// Everybody.
    pub people: &'a [SeenPerson<'a>],
}

/// What is known of a person seen earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPerson {
    /// The recipient the person last stood behind.
    pub recipient: Option<String>,
    /// The best value's fitness when last seen.
    pub fitness: Option<Fitness>,
    /// The run that last saw the person.
    pub last_seen_run: i64,
}

/// A person who is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vanished {
    /// The person's identity.
    pub identity: String,
    /// The recipient the person stood behind.
    pub recipient: Option<String>,
}

/// The last complete read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRead {
    /// Its scope.
    pub scope: String,
    /// The run that read.
    pub run: i64,
    /// When.
    pub at_ms: i64,
    /// How many people there were.
    pub people: u64,
}

impl Store {
    /// Records a complete read. People who were not in it stay known until [`Store::forget_person`], so that what they
    /// leave behind is not lost when a run is stopped.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn record_read(&self, read: &CompleteRead<'_>) -> Result<()> {
        self.transaction(|connection| {
            if let Some(old) = read.replaces.filter(|old| *old != read.scope) {
                connection.execute("UPDATE OR IGNORE people SET scope = ? WHERE scope = ?", [read.scope, old])?;
                connection.execute("DELETE FROM people WHERE scope = ?", [old])?;
                connection.execute("DELETE FROM watermarks WHERE scope = ?", [old])?;
            }
            let mut statement = connection.prepare_cached(
                "INSERT INTO people (scope, identity, recipient, fitness, last_seen_run) VALUES (?, ?, ?, ?, ?) \
                 ON CONFLICT (scope, identity) DO UPDATE SET recipient = coalesce(excluded.recipient, recipient), \
                 fitness = excluded.fitness, last_seen_run = excluded.last_seen_run",
            )?;
            for person in read.people {
                let fitness = person.fitness.map(Fitness::name);
                statement.execute(params![read.scope, person.identity, person.recipient, fitness, read.run])?;
            }
            connection.execute(
                "INSERT INTO watermarks (scope, kind, read_run, read_at, people) VALUES (?, 'complete', ?, ?, ?) \
                 ON CONFLICT (scope) DO UPDATE SET read_run = excluded.read_run, read_at = excluded.read_at, \
                 people = excluded.people",
                params![read.scope, read.run, read.at_ms, read.people.len() as i64],
            )?;
            Ok(())
        })
    }

    /// The last complete read of any scope.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn last_complete_read(&self) -> Result<Option<LastRead>> {
        let connection = self.connection();
        let read = connection
            .query_row(
                "SELECT scope, read_run, read_at, people FROM watermarks ORDER BY read_at DESC, read_run DESC LIMIT 1",
                [],
                |row| {
                    let people: i64 = row.get(3)?;
                    Ok(LastRead {
                        scope: row.get(0)?,
                        run: row.get(1)?,
                        at_ms: row.get(2)?,
                        people: people.unsigned_abs(),
                    })
                },
            )
            .optional()?;
        Ok(read)
    }

    /// Everybody seen in a scope so far, by identity.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn known_people(&self, scope: &str) -> Result<BTreeMap<String, KnownPerson>> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT identity, recipient, fitness, last_seen_run FROM people WHERE scope = ?")?;
        let mut rows = statement.query([scope])?;
        let mut known = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let fitness = match row.get::<_, Option<String>>(2)? {
                Some(name) => Some(fitness_of(&name).ok_or_else(|| not_understood("a person's fitness"))?),
                None => None,
            };
            let person = KnownPerson { recipient: row.get(1)?, fitness, last_seen_run: row.get(3)? };
            known.insert(row.get(0)?, person);
        }
        Ok(known)
    }

    /// People seen in a scope earlier and not in this complete, unselected read of it, by identity.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn vanished(&self, scope: &str, seen: &HashSet<&str>) -> Result<Vec<Vanished>> {
        let known = self.known_people(scope)?;
        let gone = known.into_iter().filter(|(identity, _)| !seen.contains(identity.as_str()));
        Ok(gone.map(|(identity, person)| Vanished { identity, recipient: person.recipient }).collect())
    }

    /// Forgets a person who vanished and left nothing behind that is SmimeSync's.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn forget_person(&self, scope: &str, identity: &str) -> Result<()> {
        self.connection().execute("DELETE FROM people WHERE scope = ? AND identity = ?", [scope, identity])?;
        Ok(())
    }
}

fn fitness_of(name: &str) -> Option<Fitness> {
    [Fitness::Fit, Fitness::Unfit, Fitness::Undetermined].into_iter().find(|fitness| fitness.name() == name)
}
