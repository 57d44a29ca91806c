//! Who was seen in the directory, when it was last read to its end, and who is gone since.

use rusqlite::{OptionalExtension as _, Row, params};

use crate::error::Result;
pub use crate::people::PersonDigest;
use crate::validation::Fitness;

use super::{Store, not_understood};

/// A person that was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeenPerson<'a> {
    /// The person's identity.
    pub identity: &'a str,
    /// The recipient the person stands behind; without one, the last one stays known.
    pub recipient: Option<&'a str>,
    /// The best value's fitness; `None` without any value.
    pub fitness: Option<Fitness>,
    /// The recipient that the person's names lead to, whether or not others claim it.
    pub claims: Option<&'a str>,
    /// What the person was made of.
    pub digest: Option<PersonDigest>,
    /// When time alone may change what the recipient should hold, in milliseconds since 1970 UTC.
    pub due_ms: Option<i64>,
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
    /// What the person was made of then.
    pub digest: Option<PersonDigest>,
    /// The recipient that the person's names led to then, whether or not others claimed it.
    pub claims: Option<String>,
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

    /// Looks through everybody seen in a scope so far, by identity. What is done must not need the store.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn each_known(&self, scope: &str, mut visit: impl FnMut(String, KnownPerson)) -> Result<()> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!("{KNOWN} WHERE scope = ? ORDER BY identity"))?;
        let mut rows = statement.query([scope])?;
        while let Some(row) = rows.next()? {
            visit(row.get(0)?, known_person(row)?);
        }
        Ok(())
    }

    /// What is known of a person; identities are compared as they are.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn known_person(&self, scope: &str, identity: &str) -> Result<Option<KnownPerson>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!("{KNOWN} WHERE scope = ? AND identity = ?"))?;
        let mut rows = statement.query([scope, identity])?;
        rows.next()?.map(known_person).transpose()
    }

    /// Identities of people who left the directory earlier and are still known for what they left behind.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn gone_people(&self, scope: &str) -> Result<Vec<String>> {
        self.identities("SELECT identity FROM people WHERE scope = ? AND gone <> 0", [scope])
    }

    /// Identities of those whom a run looks at whether they changed or not: what failed or was skipped for a passing
    /// reason, and what fell due.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn to_look_at(&self, scope: &str, at_ms: i64) -> Result<Vec<String>> {
        self.identities(
            "SELECT identity FROM retries WHERE scope = ?1 UNION \
             SELECT identity FROM people WHERE scope = ?1 AND due <= ?2 AND gone = 0",
            params![scope, at_ms],
        )
    }

    /// Identities of those whose names led to a recipient when they were last looked at, whether or not others claimed it.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn claimants(&self, scope: &str, recipient: &str) -> Result<Vec<String>> {
        self.identities("SELECT identity FROM people WHERE scope = ? AND claims = ? AND gone = 0", [scope, recipient])
    }

    fn identities(&self, query: &str, parameters: impl rusqlite::Params) -> Result<Vec<String>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(query)?;
        let rows = statement.query_map(parameters, |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// People seen in a scope earlier and not in this complete, unselected read of it, by identity.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn vanished(&self, scope: &str, is_seen: impl Fn(&str) -> bool) -> Result<Vec<Vanished>> {
        let mut gone = Vec::new();
        self.each_known(scope, |identity, person| {
            if !is_seen(&identity) {
                gone.push(Vanished { identity, recipient: person.recipient });
            }
        })?;
        Ok(gone)
    }
}

/// The columns of [`known_person`].
const KNOWN: &str = "SELECT identity, recipient, fitness, last_seen_run, digest, claims FROM people";

fn known_person(row: &Row<'_>) -> Result<KnownPerson> {
    let fitness = match row.get::<_, Option<String>>(2)? {
        Some(name) => Some(fitness_of(&name).ok_or_else(|| not_understood("a person's fitness"))?),
        None => None,
    };
    Ok(KnownPerson {
        recipient: row.get(1)?,
        fitness,
        last_seen_run: row.get(3)?,
        digest: row.get(4)?,
        claims: row.get(5)?,
    })
}

pub(super) fn fitness_of(name: &str) -> Option<Fitness> {
    [Fitness::Fit, Fitness::Unfit, Fitness::Undetermined].into_iter().find(|fitness| fitness.name() == name)
}
