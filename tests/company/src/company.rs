//! A company: everything decided, nothing written yet.

use crate::certificate::Profile;
use crate::error::{Error, Result};
use crate::maker::{Maker, TENANT_DOMAIN};
use crate::names::Names;
use crate::person::{Held, Mailbox, Person, Recipient, Value};
use crate::pki::Pki;
use crate::pool::Pool;
use crate::random::Random;
use crate::recipe::{Recipe, draw};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// What a company is made from.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many people.
    pub people: usize,
    /// The seed of every choice.
    pub seed: u64,
    /// The moment all dates are relative to, whole seconds, UTC.
    pub at: OffsetDateTime,
    /// Folder of the key pool.
    pub pool: PathBuf,
}

/// A recipient no person of the directory stands behind.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// The recipient.
    pub recipient: Recipient,
    /// Display name.
    pub display_name: String,
    /// Primary address.
    pub address: String,
    /// What it holds, which nobody may touch.
    pub held: Vec<Held>,
}

/// The person whose certificate is renewed after the first run.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Their place among the people.
    pub index: usize,
    /// They afterwards.
    pub person: Person,
}

/// A company.
pub struct Company {
    /// The seed.
    pub seed: u64,
    /// The moment.
    pub at: OffsetDateTime,
    /// The authorities, with everything revoked that is to be.
    pub pki: Pki,
    /// The people.
    pub people: Vec<Person>,
    /// Recipients without people.
    pub strangers: Vec<Stranger>,
    /// Who changes.
    pub changed: Changed,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The application that may write.
    pub app_id: Uuid,
    /// Its secret, worth nothing outside a test.
    pub secret: String,
}

impl Company {
    /// Decides everything: the same options and the same pool give the same people, names, serials and dates.
    ///
    /// # Errors
    /// The pool cannot be read or made, a certificate cannot be made, or there are too few people for one of them to change.
    pub fn make(options: &Options, scratch: &Path) -> Result<Self> {
        let mut pool = Pool::open(&options.pool)?;
        let mut pki = Pki::new(&mut pool, options.at)?;
        let mut maker = Maker {
            pki: &mut pki,
            pool: &pool,
            names: Names::default(),
            scratch: scratch.to_path_buf(),
            occurrences: HashMap::new(),
            shared: None,
        };
        let recipes = draw(options.people, &mut Random::part(options.seed, "recipes", 0));
        let mut people = Vec::with_capacity(recipes.len());
        for (i, recipe) in recipes.into_iter().enumerate() {
            people.push(maker.person(recipe, &mut Random::part(options.seed, "person", i as u64))?);
        }
        Random::part(options.seed, "order", 0).shuffle(&mut people);
        let strangers = (0..2 + options.people as u64 / 50)
            .map(|i| stranger(&mut maker, i, &mut Random::part(options.seed, "stranger", i)))
            .collect::<Result<_>>()?;
        let changed = renew(&maker, &people, &mut Random::part(options.seed, "renewal", 0))?;
        let mut random = Random::part(options.seed, "tenant", 0);
        Ok(Self {
            seed: options.seed,
            at: options.at,
            people,
            strangers,
            changed,
            tenant_id: random.guid(),
            app_id: random.guid(),
            secret: hex::encode(random.bytes::<20>()),
            pki,
        })
    }

    /// The moment as RFC 3339.
    pub fn at_text(&self) -> String {
        self.at.format(&Rfc3339).unwrap_or_default()
    }

    /// The people after one of them changed.
    pub fn people_changed(&self) -> Vec<Person> {
        let mut people = self.people.clone();
        if let Some(person) = people.get_mut(self.changed.index) {
            *person = self.changed.person.clone();
        }
        people
    }
}

fn stranger(maker: &mut Maker<'_>, number: u64, random: &mut Random) -> Result<Stranger> {
    let kind = if number.is_multiple_of(2) { "UserMailbox" } else { "GuestMailUser" };
    let mut person = maker.user(Recipe::NoCertificate, random);
    let address = format!("cloud.{}@{TENANT_DOMAIN}", person.name.account);
    person.addresses = vec![address.clone()];
    person.user_principal_name = Some(address.clone());
    let held = if number.is_multiple_of(2) {
        vec![Held::copy_of(&Value::fit(&maker.good(&person, random)?), None)]
    } else {
        Vec::new()
    };
    let recipient = Recipient {
        guid: random.guid(),
        external_directory_object_id: random.guid(),
        kind,
        user_principal_name: Some(address.clone()),
        is_dir_synced: false,
        is_exchange_cloud_managed: false,
        has_immutable_id: false,
        shared_with_other: false,
    };
    Ok(Stranger { recipient, display_name: person.name.display, address, held })
}

/// Renews the certificate of the first ordinary person: the directory holds the new one instead of the old.
fn renew(maker: &Maker<'_>, people: &[Person], random: &mut Random) -> Result<Changed> {
    let plain = |person: &Person| person.recipe == Recipe::Good && matches!(person.mailbox, Mailbox::Own(_));
    let (index, old) = people
        .iter()
        .enumerate()
        .find(|(_, person)| plain(person))
        .ok_or_else(|| Error::Other("too few people: nobody has just one good certificate".to_owned()))?;
    let issued = maker.pki.at() - Duration::hours(random.between(1, 40));
    let profile = maker.profile(old, random);
    let profile = Profile { not_before: issued, not_after: issued + Duration::days(3 * 365), ..profile };
    let mut person = old.clone();
    person.values = vec![Value::fit(&maker.issue(&profile)?)];
    Ok(Changed { index, person })
}
