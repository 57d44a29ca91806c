//! What must come of every person, as a file that can be compared with what a host printed.

use crate::company::Company;
use crate::directory::Directory;
use crate::person::{Attribute, Fitness, Held, Mailbox, Person};
use crate::recipe::Recipe;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A value and why it was left behind or removed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reasoned {
    /// SHA-256 of the value.
    pub sha256: String,
    /// The reason.
    pub reason: String,
}

/// A row of `compare` or `sync`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The attribute; none for a person without a recipient.
    pub attribute: Option<Attribute>,
    /// none, set, clear or skip.
    pub action: String,
    /// The row's reason.
    pub reason: Option<String>,
    /// SHA-256 of what Exchange holds, sorted.
    pub before: Vec<String>,
    /// SHA-256 of what it is to hold, sorted.
    pub after: Vec<String>,
    /// SHA-256 of what is added, sorted.
    pub added: Vec<String>,
    /// What is removed, sorted.
    pub removed: Vec<Reasoned>,
    /// What the directory has and is not published, sorted.
    pub losers: Vec<Reasoned>,
}

/// A directory value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpectedValue {
    /// Where it stands.
    pub attribute: Attribute,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// SHA-1 of the certificate it is judged by.
    pub thumbprint: Option<String>,
    /// Fitness to encrypt.
    pub encrypt: Fitness,
    /// Fitness to verify a signature.
    pub sign: Fitness,
    /// `published`, or why not.
    pub outcome: String,
}

/// One person and their rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpectedPerson {
    /// Primary address, or the DN of a person without one: unique, and for people to read.
    pub key: String,
    /// How they were made.
    pub recipe: Recipe,
    /// What is special about them.
    pub meaning: String,
    /// Identity in the directory.
    pub identity: String,
    /// DN in the directory.
    pub distinguished_name: String,
    /// Primary address.
    pub primary_smtp_address: Option<String>,
    /// Guid of the recipient.
    pub recipient: Option<String>,
    /// Directory values.
    pub values: Vec<ExpectedValue>,
    /// Rows: one per attribute, or a single one without a recipient.
    pub rows: Vec<Row>,
}

/// What a recipient holds: SHA-256 by attribute, sorted.
pub type Holding = BTreeMap<Attribute, Vec<String>>;

/// A recipient before and after a complete `sync`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpectedRecipient {
    /// Guid.
    pub guid: String,
    /// Primary address.
    pub primary_smtp_address: String,
    /// Before.
    pub before: Holding,
    /// After.
    pub after: Holding,
}

/// Something a directory cannot hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotHeld {
    /// What, and why.
    pub what: String,
    /// Keys of the people whose outcome differs therefore.
    pub people: Vec<String>,
}

/// Everything expected of one directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Expected {
    /// Which directory.
    pub directory: Directory,
    /// The company's seed.
    pub seed: u64,
    /// The company's moment, RFC 3339.
    pub at: String,
    /// All people.
    pub people: Vec<ExpectedPerson>,
    /// All recipients of the tenant.
    pub recipients: Vec<ExpectedRecipient>,
    /// What this directory cannot hold.
    pub not_held: Vec<NotHeld>,
}

/// What must come of the one person whose certificate changed after a first `sync`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExpectedChange {
    /// Key of the person.
    pub key: String,
    /// Guid of the recipient.
    pub recipient: String,
    /// Their rows; everybody else's action is none, or skip as before.
    pub rows: Vec<Row>,
    /// What the recipient holds afterwards.
    pub after: Holding,
}

impl Expected {
    /// What must come of a company in one directory.
    pub fn of(company: &Company, directory: Directory) -> Self {
        let people: Vec<_> = company.people.iter().map(|person| expected_person(person, directory)).collect();
        let mut recipients: Vec<_> = company
            .people
            .iter()
            .zip(&people)
            .filter_map(|(person, expected)| expected_recipient(person, &expected.rows))
            .collect();
        recipients.extend(company.strangers.iter().map(|stranger| {
            let before = holding(&stranger.held);
            ExpectedRecipient {
                guid: stranger.recipient.guid.to_string(),
                primary_smtp_address: stranger.address.clone(),
                after: before.clone(),
                before,
            }
        }));
        let mut not_held: Vec<NotHeld> =
            directory.lacks().iter().map(|what| NotHeld { what: (*what).to_owned(), people: Vec::new() }).collect();
        for person in &company.people {
            for what in person.values.iter().filter_map(|value| directory.refuses(value)) {
                match not_held.iter_mut().find(|entry| entry.what == what) {
                    Some(entry) => entry.people.push(key(person, directory)),
                    None => not_held.push(NotHeld { what: what.to_owned(), people: vec![key(person, directory)] }),
                }
            }
        }
        Self { directory, seed: company.seed, at: company.at_text(), people, recipients, not_held }
    }
}

impl ExpectedChange {
    /// The rows of the second run: the renewed certificate in, the one it replaces out as `vanished`, because by now it
    /// is SmimeSync's own.
    pub fn of(company: &Company) -> Option<Self> {
        let old = company.people.get(company.changed.index)?;
        let new = &company.changed.person;
        let guid = new.recipient()?.guid.to_string();
        let before: Vec<String> = sorted(old.values.iter().map(crate::person::Value::sha256));
        let after: Vec<String> = sorted(new.values.iter().map(crate::person::Value::sha256));
        let removed = before.iter().map(|sha256| Reasoned { sha256: sha256.clone(), reason: "vanished".to_owned() });
        let changed = Row {
            attribute: Some(Attribute::UserCertificate),
            action: "set".to_owned(),
            reason: Some("vanished".to_owned()),
            added: after.clone(),
            removed: removed.collect(),
            before,
            after: after.clone(),
            losers: Vec::new(),
        };
        let untouched = attribute_row(new, Attribute::UserSmimeCertificate, Directory::Ldif);
        Some(Self {
            key: key(new, Directory::Ldif),
            recipient: guid,
            rows: vec![changed, untouched],
            after: Holding::from([(Attribute::UserCertificate, after), (Attribute::UserSmimeCertificate, Vec::new())]),
        })
    }
}

fn key(person: &Person, directory: Directory) -> String {
    match &person.mailbox {
        // people who share an address cannot be told apart by it
        Mailbox::Own(_) => person.primary().map_or_else(|| directory.dn(person), str::to_owned),
        Mailbox::Ambiguous(_) | Mailbox::None => directory.dn(person),
    }
}

fn expected_person(person: &Person, directory: Directory) -> ExpectedPerson {
    let rows = match person.skipped_because() {
        Some(reason) => vec![Row {
            attribute: None,
            action: "skip".to_owned(),
            reason: Some(reason.to_owned()),
            before: Vec::new(),
            after: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
            losers: Vec::new(),
        }],
        None => Attribute::ALL.iter().map(|attribute| attribute_row(person, *attribute, directory)).collect(),
    };
    let stopped = |attribute: Attribute| {
        rows.iter()
            .find(|row| row.action == "skip" && row.attribute.is_none_or(|other| other == attribute))
            .and_then(|row| row.reason.clone())
    };
    let values = person.values.iter().filter(|value| directory.refuses(value).is_none()).map(|value| ExpectedValue {
        attribute: value.attribute,
        sha256: value.sha256(),
        thumbprint: value.thumbprint.clone(),
        encrypt: value.encrypt,
        sign: value.sign,
        outcome: match value.loses {
            Some(reason) => reason.to_owned(),
            None => stopped(value.attribute).unwrap_or_else(|| "published".to_owned()),
        },
    });
    ExpectedPerson {
        key: key(person, directory),
        recipe: person.recipe,
        meaning: person.recipe.meaning().to_owned(),
        identity: directory.identity(person),
        distinguished_name: directory.dn(person),
        primary_smtp_address: person.primary().map(str::to_owned),
        recipient: person.recipient().map(|recipient| recipient.guid.to_string()),
        values: values.collect(),
        rows,
    }
}

/// The row that follows from what the recipe said of each value: published, losing, kept or removed.
fn attribute_row(person: &Person, attribute: Attribute, directory: Directory) -> Row {
    let values =
        || person.values.iter().filter(|value| value.attribute == attribute && directory.refuses(value).is_none());
    let held = || person.held.iter().filter(|held| held.attribute == attribute);
    let before: BTreeSet<String> = held().map(Held::sha256).collect();
    let published = values().filter(|value| value.loses.is_none()).map(crate::person::Value::sha256);
    let kept = held().filter(|held| held.removed.is_none()).map(Held::sha256);
    let after: BTreeSet<String> = published.chain(kept).collect();
    let mut removed: Vec<Reasoned> =
        held().filter_map(|held| Some(Reasoned { sha256: held.sha256(), reason: held.removed?.to_owned() })).collect();
    removed.sort();
    let mut losers: Vec<Reasoned> = values()
        .filter_map(|value| Some(Reasoned { sha256: value.sha256(), reason: value.loses?.to_owned() }))
        .collect();
    losers.sort();
    let mastered_elsewhere = person.recipient().is_some_and(|r| r.is_dir_synced && !r.is_exchange_cloud_managed);
    let (action, reason) = if before == after {
        ("none", None)
    } else if mastered_elsewhere {
        ("skip", Some("dir_synced".to_owned()))
    } else {
        (if after.is_empty() { "clear" } else { "set" }, removed.first().map(|gone| gone.reason.clone()))
    };
    Row {
        attribute: Some(attribute),
        action: action.to_owned(),
        reason,
        added: after.difference(&before).cloned().collect(),
        before: before.into_iter().collect(),
        after: after.into_iter().collect(),
        removed,
        losers,
    }
}

fn expected_recipient(person: &Person, rows: &[Row]) -> Option<ExpectedRecipient> {
    let recipient = match &person.mailbox {
        Mailbox::Own(recipient) => recipient,
        Mailbox::Ambiguous(recipient) if !recipient.shared_with_other => recipient,
        Mailbox::Ambiguous(_) | Mailbox::None => return None,
    };
    let before = holding(&person.held);
    let mut after = before.clone();
    for row in rows.iter().filter(|row| row.action == "set" || row.action == "clear") {
        if let Some(attribute) = row.attribute {
            after.insert(attribute, row.after.clone());
        }
    }
    Some(ExpectedRecipient {
        guid: recipient.guid.to_string(),
        primary_smtp_address: person.primary().unwrap_or_default().to_owned(),
        before,
        after,
    })
}

fn holding(held: &[Held]) -> Holding {
    Attribute::ALL
        .into_iter()
        .map(|attribute| (attribute, sorted(held.iter().filter(|h| h.attribute == attribute).map(Held::sha256))))
        .collect()
}

fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.collect();
    items.sort();
    items
}
