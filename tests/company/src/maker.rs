//! The tools recipes work with: a person's certificates and mailbox, made from the person's own random source.

use crate::certificate::{Leaf, Profile, Usage};
use crate::error::Result;
use crate::names::{DEPARTMENTS, Name, Names};
use crate::person::{Mailbox, Person, Recipient};
use crate::pki::{Authority, Pki};
use crate::pool::{KeyKind, Pool};
use crate::random::Random;
use crate::recipe::Recipe;
use rcgen::ExtendedKeyUsagePurpose;
use std::collections::HashMap;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

/// The company's mail domain.
pub const DOMAIN: &str = "contoso.com";
/// The partner's mail domain, the only one its authority vouches for.
pub const PARTNER_DOMAIN: &str = "fabrikam.com";
/// The tenant's own domain.
pub const TENANT_DOMAIN: &str = "contoso.onmicrosoft.com";

/// What all people are made with.
pub struct Maker<'a> {
    /// The authorities.
    pub pki: &'a mut Pki,
    /// The keys.
    pub pool: &'a Pool,
    /// Names given so far.
    pub names: Names,
    /// Folder for openssl's files.
    pub scratch: PathBuf,
    /// How often each recipe was used so far.
    pub occurrences: HashMap<Recipe, usize>,
    /// The recipient the next person of a pair shares, with its address.
    pub shared: Option<(Recipient, String)>,
}

impl Maker<'_> {
    /// A user with a mailbox and no certificate yet: what most recipes start from.
    pub fn user(&mut self, recipe: Recipe, random: &mut Random) -> Person {
        let name = match recipe {
            Recipe::SharedMailbox | Recipe::RoomMailbox => self.names.next_function(random),
            _ => self.names.next_name(random),
        };
        let guid = random.guid();
        let source_anchor = match random.between(0, 9) {
            0 | 1 => None,
            2 => Some(random.guid()),
            _ => Some(guid),
        };
        let mut addresses = vec![format!("{}@{DOMAIN}", name.account)];
        if random.chance(70) {
            addresses.push(format!("{}@{TENANT_DOMAIN}", name.account));
        }
        if random.chance(30) {
            addresses.push(format!("{}@corp.{DOMAIN}", name.account));
        }
        let user_principal_name = Some(format!("{}@{DOMAIN}", name.account));
        let has_immutable_id = source_anchor.is_some() && random.chance(60);
        let recipient = Recipient {
            guid: random.guid(),
            external_directory_object_id: random.guid(),
            kind: "UserMailbox",
            user_principal_name: user_principal_name.clone(),
            is_dir_synced: false,
            is_exchange_cloud_managed: false,
            has_immutable_id,
            shared_with_other: false,
        };
        Person {
            recipe,
            name,
            department: random.index(DEPARTMENTS.len()),
            is_contact: false,
            enabled: true,
            guid,
            source_anchor,
            user_principal_name,
            addresses,
            values: Vec::new(),
            mailbox: Mailbox::Own(recipient),
            held: Vec::new(),
        }
    }

    /// The profile of a good certificate for a person's primary address, valid now.
    pub fn profile(&self, person: &Person, random: &mut Random) -> Profile {
        let authority = if random.chance(75) { Authority::IssuingRsa } else { Authority::IssuingEc };
        let issued =
            self.pki.at() - Duration::days(random.between(20, 600)) - Duration::seconds(random.between(0, 86_399));
        let primary = person.primary().unwrap_or_default().to_owned();
        // addresses are compared without regard to case: a few authorities capitalise them
        let email = if random.chance(8) { capitalised(&primary) } else { primary };
        Profile {
            authority,
            key: KeyKind::Rsa2048,
            key_index: random.index(self.pool.count(KeyKind::Rsa2048)),
            common_name: person.name.display.clone(),
            subject_email: random.chance(30).then(|| email.clone()),
            emails: vec![email],
            user_principal_name: if random.chance(40) { person.user_principal_name.clone() } else { None },
            dns_names: Vec::new(),
            usage: Usage::Both,
            extended_key_usages: vec![ExtendedKeyUsagePurpose::EmailProtection],
            not_before: issued,
            not_after: issued + Duration::days(3 * 365),
            serial: serial(random),
        }
    }

    /// The same person's profile for a certificate of other validity.
    pub fn valid(&self, profile: Profile, not_before: OffsetDateTime, days: i64) -> Profile {
        Profile { not_before, not_after: not_before + Duration::days(days), ..profile }
    }

    /// Signs.
    ///
    /// # Errors
    /// The profile cannot be encoded.
    pub fn issue(&self, profile: &Profile) -> Result<Leaf> {
        self.pki.issue(self.pool, profile)
    }

    /// A good certificate for a person.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn good(&self, person: &Person, random: &mut Random) -> Result<Leaf> {
        self.issue(&self.profile(person, random))
    }

    /// One certificate to encrypt and one to sign.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn dual(&self, person: &Person, random: &mut Random) -> Result<(Leaf, Leaf)> {
        let encrypt = Profile { usage: Usage::Encrypt, ..self.profile(person, random) };
        let sign = Profile { usage: Usage::Sign, ..self.profile(person, random) };
        Ok((self.issue(&encrypt)?, self.issue(&sign)?))
    }

    /// True for every second person of a recipe: those of whom Exchange holds the bad value already.
    pub fn is_second(&self, recipe: Recipe) -> bool {
        self.occurrences.get(&recipe).copied().unwrap_or(0) % 2 == 0
    }
}

fn serial(random: &mut Random) -> [u8; 16] {
    let mut serial = random.bytes();
    // positive, and of full length, as DER INTEGER
    serial[0] = serial[0] & 0x3F | 0x40;
    serial
}

fn capitalised(address: &str) -> String {
    let mut start = true;
    address
        .split_once('@')
        .map(|(local, domain)| {
            let local: String = local
                .chars()
                .map(|letter| {
                    let out = if start { letter.to_ascii_uppercase() } else { letter };
                    start = letter == '.';
                    out
                })
                .collect();
            format!("{local}@{domain}")
        })
        .unwrap_or_default()
}

/// A colleague who exists only as an address on somebody else's certificate.
pub fn colleague(name: &Name) -> String {
    format!("not.{}@{DOMAIN}", name.account)
}
