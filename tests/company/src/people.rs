//! The recipes' cooking: every kind of person with their values, their mailbox and the outcome that follows from it.

use crate::certificate::{ENCRYPTING_FILE_SYSTEM, Profile, SMART_CARD_LOGON, Usage};
use crate::container::{signed_data, signed_data_ber, tagged_list, tagged_list_of_hashes};
use crate::error::Result;
use crate::maker::{DOMAIN, Maker, PARTNER_DOMAIN, colleague};
use crate::person::Fitness::{Fit, Unfit};
use crate::person::{Attribute, Held, Mailbox, Person, Recipient, Value};
use crate::pki::Authority;
use crate::pool::KeyKind;
use crate::random::Random;
use crate::recipe::Recipe;
use rcgen::ExtendedKeyUsagePurpose as Eku;
use time::Duration;

impl Maker<'_> {
    /// Makes one person of a recipe.
    ///
    /// # Errors
    /// A certificate or container cannot be made.
    pub fn person(&mut self, recipe: Recipe, random: &mut Random) -> Result<Person> {
        *self.occurrences.entry(recipe).or_default() += 1;
        let mut person = self.user(recipe, random);
        match recipe {
            Recipe::NoCertificate => {}
            Recipe::Good
            | Recipe::EllipticCurve
            | Recipe::Renewed
            | Recipe::DualKey
            | Recipe::SecondaryAddress
            | Recipe::TwentyGood => self.with_good_certificates(&mut person, random)?,
            Recipe::CmsWithChain
            | Recipe::CmsDualKey
            | Recipe::CmsBer
            | Recipe::TaggedList
            | Recipe::TaggedListOfHashes
            | Recipe::BareSmime
            | Recipe::CmsSigningOnly
            | Recipe::ExpiredSmime => self.with_container(&mut person, random)?,
            Recipe::Expired
            | Recipe::NotYetValid
            | Recipe::WeakKey
            | Recipe::Revoked
            | Recipe::OtherAddress
            | Recipe::OutsideDomain
            | Recipe::UnknownAuthority => self.with_unfit_certificate(&mut person, random)?,
            Recipe::ClientLogon | Recipe::ClientLogonOnly | Recipe::EncryptingFileSystem | Recipe::TlsServer => {
                self.with_other_purpose(&mut person, random)?;
            }
            Recipe::Garbage | Recipe::GarbageSmime | Recipe::GarbageOnly => self.with_garbage(&mut person, random)?,
            Recipe::PartnerContact => self.become_contact(&mut person, random)?,
            Recipe::SharedMailbox
            | Recipe::RoomMailbox
            | Recipe::DirSynced
            | Recipe::DirSyncedRight
            | Recipe::CloudManaged
            | Recipe::MailUser
            | Recipe::NoMailbox
            | Recipe::NoAddress
            | Recipe::SameAddress => self.with_odd_mailbox(&mut person, random)?,
            Recipe::AlreadyRight | Recipe::ForeignGood | Recipe::ForeignExpired | Recipe::ForeignFillsUp => {
                self.with_values_in_exchange(&mut person, random)?;
            }
        }
        Ok(person)
    }

    fn with_good_certificates(&self, person: &mut Person, random: &mut Random) -> Result<()> {
        match person.recipe {
            Recipe::EllipticCurve => {
                let key_index = random.index(self.pool.count(KeyKind::P256));
                let profile = Profile { key: KeyKind::P256, key_index, ..self.profile(person, random) };
                person.values.push(Value::fit(&self.issue(&profile)?));
            }
            Recipe::Renewed => {
                let at = self.pki.at();
                let old =
                    self.valid(self.profile(person, random), at - Duration::days(random.between(900, 1000)), 1095);
                let new = self.valid(self.profile(person, random), at - Duration::days(random.between(2, 15)), 1095);
                person.values = vec![Value::fit(&self.issue(&old)?), Value::fit(&self.issue(&new)?)];
            }
            Recipe::DualKey => {
                let (encrypt, sign) = self.dual(person, random)?;
                person.values = vec![Value::fit(&encrypt).only(Fit, Unfit), Value::fit(&sign).only(Unfit, Fit)];
            }
            Recipe::SecondaryAddress => {
                let secondary = format!("{}@mail.{DOMAIN}", person.name.account);
                let profile =
                    Profile { emails: vec![secondary.clone()], subject_email: None, ..self.profile(person, random) };
                person.addresses.push(secondary);
                person.values.push(Value::fit(&self.issue(&profile)?));
            }
            Recipe::TwentyGood => person.values = self.ranked(person, random, 20, 15, "over_limit")?,
            _ => person.values.push(Value::fit(&self.good(person, random)?)),
        }
        Ok(())
    }

    /// `count` good certificates, of which the `kept` newest are published and the others lose with `reason`.
    fn ranked(
        &self,
        person: &Person,
        random: &mut Random,
        count: i64,
        kept: i64,
        reason: &'static str,
    ) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        for rank in 0..count {
            let issued = self.pki.at() - Duration::days(10 + 30 * rank) - Duration::seconds(random.between(0, 86_399));
            let leaf = self.issue(&self.valid(self.profile(person, random), issued, 3 * 365))?;
            let value = Value::fit(&leaf);
            values.push(if rank < kept { value } else { value.but_loses(reason) });
        }
        // a directory has no order of age
        random.shuffle(&mut values);
        Ok(values)
    }

    fn with_container(&self, person: &mut Person, random: &mut Random) -> Result<()> {
        let signed = self.pki.at() - Duration::days(random.between(1, 19));
        match person.recipe {
            Recipe::CmsDualKey | Recipe::TaggedList => {
                let (encrypt, sign) = self.dual(person, random)?;
                let bytes = if person.recipe == Recipe::CmsDualKey {
                    signed_data(self.pki, self.pool, &sign, &encrypt, signed)?
                } else {
                    tagged_list(&encrypt, &sign, &person.name.display)
                };
                person.values = vec![
                    Value::fit(&encrypt).only(Fit, Unfit),
                    Value::fit(&sign).only(Unfit, Fit),
                    Value::fit(&encrypt).only(Fit, Unfit).inside(bytes),
                ];
            }
            Recipe::CmsSigningOnly => {
                let good = self.good(person, random)?;
                let sign = self.issue(&Profile { usage: Usage::Sign, ..self.profile(person, random) })?;
                let bytes = signed_data(self.pki, self.pool, &sign, &sign, signed)?;
                let hiding = Value::fit(&sign).only(Unfit, Fit).inside(bytes).but_loses("hides_better");
                person.values = vec![Value::fit(&good), hiding];
            }
            Recipe::ExpiredSmime => {
                let good = self.good(person, random)?;
                let issued = self.pki.at() - Duration::days(random.between(800, 900));
                let old = self.issue(&self.valid(self.profile(person, random), issued, 730))?;
                let bytes = signed_data(self.pki, self.pool, &old, &old, issued + Duration::days(1))?;
                let stale = Value::unfit(&old, "expired").inside(bytes);
                person.held.push(Held::copy_of(&stale, Some("expired")));
                person.values = vec![Value::fit(&good), stale];
            }
            _ => {
                let good = self.good(person, random)?;
                let value = match person.recipe {
                    Recipe::CmsBer => {
                        Value::fit(&good).inside(signed_data_ber(self.pki, self.pool, &good, &self.scratch)?)
                    }
                    Recipe::TaggedListOfHashes => {
                        Value::unreadable(Attribute::UserSmimeCertificate, tagged_list_of_hashes(&good))
                    }
                    Recipe::BareSmime => Value::fit(&good).inside(good.der.clone()),
                    _ => Value::fit(&good).inside(signed_data(self.pki, self.pool, &good, &good, signed)?),
                };
                person.values = vec![Value::fit(&good), value];
            }
        }
        Ok(())
    }

    fn with_unfit_certificate(&mut self, person: &mut Person, random: &mut Random) -> Result<()> {
        let at = self.pki.at();
        let profile = self.profile(person, random);
        let (profile, reason) = match person.recipe {
            Recipe::Expired => {
                let ended = at - Duration::days(random.between(3, 400));
                (self.valid(profile, ended - Duration::days(730), 730), "expired")
            }
            Recipe::NotYetValid => {
                (self.valid(profile, at + Duration::days(random.between(5, 40)), 730), "not_yet_valid")
            }
            Recipe::WeakKey => {
                let key_index = random.index(self.pool.count(KeyKind::Rsa1024));
                (Profile { key: KeyKind::Rsa1024, key_index, ..profile }, "weak")
            }
            Recipe::OtherAddress => {
                let emails = vec![colleague(&person.name)];
                (Profile { emails, subject_email: None, user_principal_name: None, ..profile }, "other_person")
            }
            Recipe::OutsideDomain => (Profile { authority: Authority::Partner, ..profile }, "anchor_domain"),
            Recipe::UnknownAuthority => (Profile { authority: Authority::Unknown, ..profile }, "undetermined"),
            _ => (profile, "revoked"),
        };
        let leaf = self.issue(&profile)?;
        let value = if person.recipe == Recipe::UnknownAuthority {
            Value::undetermined(&leaf)
        } else {
            Value::unfit(&leaf, reason)
        };
        if person.recipe == Recipe::Revoked {
            self.pki.revoke(&leaf);
        }
        // reasons that remove even what SmimeSync did not write itself
        let removes = matches!(person.recipe, Recipe::Expired | Recipe::Revoked | Recipe::OtherAddress);
        if removes && self.is_second(person.recipe) {
            person.held.push(Held::copy_of(&value, Some(reason)));
        }
        person.values.push(value);
        Ok(())
    }

    fn with_other_purpose(&self, person: &mut Person, random: &mut Random) -> Result<()> {
        let profile = self.profile(person, random);
        let logon_name = person.user_principal_name.clone();
        let profile = match person.recipe {
            Recipe::TlsServer => Profile {
                common_name: format!("{}.{DOMAIN}", person.name.account),
                dns_names: vec![format!("{}.{DOMAIN}", person.name.account)],
                emails: Vec::new(),
                subject_email: None,
                user_principal_name: None,
                extended_key_usages: vec![Eku::ServerAuth],
                ..profile
            },
            Recipe::EncryptingFileSystem => Profile {
                emails: Vec::new(),
                subject_email: None,
                user_principal_name: logon_name,
                usage: Usage::Encrypt,
                extended_key_usages: vec![Eku::Other(ENCRYPTING_FILE_SYSTEM.to_vec())],
                ..profile
            },
            _ => Profile {
                emails: Vec::new(),
                subject_email: None,
                user_principal_name: logon_name,
                extended_key_usages: vec![Eku::ClientAuth, Eku::Other(SMART_CARD_LOGON.to_vec())],
                ..profile
            },
        };
        let value = Value::unfit(&self.issue(&profile)?, "wrong_purpose");
        if self.is_second(person.recipe) {
            person.held.push(Held::copy_of(&value, Some("wrong_purpose")));
        }
        person.values.push(value);
        if matches!(person.recipe, Recipe::ClientLogon | Recipe::EncryptingFileSystem) {
            person.values.push(Value::fit(&self.good(person, random)?));
        }
        Ok(())
    }

    fn with_garbage(&self, person: &mut Person, random: &mut Random) -> Result<()> {
        let good = self.good(person, random)?;
        let bytes = match random.between(0, 2) {
            // looks like the beginning of a certificate
            0 => good.der[..good.der.len() / 2].to_vec(),
            1 => b"certificate goes here".to_vec(),
            _ => [&[0x30, 0x82][..], &random.bytes::<90>()].concat(),
        };
        let attribute = match person.recipe {
            Recipe::GarbageSmime => Attribute::UserSmimeCertificate,
            _ => Attribute::UserCertificate,
        };
        if person.recipe != Recipe::GarbageOnly {
            person.values.push(Value::fit(&good));
        }
        person.values.push(Value::unreadable(attribute, bytes));
        Ok(())
    }

    fn become_contact(&self, person: &mut Person, random: &mut Random) -> Result<()> {
        person.is_contact = true;
        person.source_anchor = None;
        person.user_principal_name = None;
        person.addresses = vec![format!("{}@{PARTNER_DOMAIN}", person.name.account)];
        if let Mailbox::Own(recipient) = &mut person.mailbox {
            recipient.kind = "MailContact";
            recipient.user_principal_name = None;
            recipient.has_immutable_id = false;
        }
        let profile = Profile { authority: Authority::Partner, ..self.profile(person, random) };
        person.values.push(Value::fit(&self.issue(&profile)?));
        Ok(())
    }

    fn with_odd_mailbox(&mut self, person: &mut Person, random: &mut Random) -> Result<()> {
        if person.recipe == Recipe::SameAddress {
            self.share_address(person);
        }
        let value = if person.recipe == Recipe::NoAddress {
            person.addresses.clear();
            let profile = Profile {
                emails: Vec::new(),
                subject_email: None,
                extended_key_usages: vec![Eku::ClientAuth],
                ..self.profile(person, random)
            };
            Value::unfit(&self.issue(&profile)?, "wrong_purpose")
        } else {
            Value::fit(&self.good(person, random)?)
        };
        if person.source_anchor.is_none() && is_dir_synced(person.recipe) {
            person.source_anchor = Some(person.guid);
        }
        if let Mailbox::Own(recipient) = &mut person.mailbox {
            recipient.is_dir_synced = is_dir_synced(person.recipe);
            recipient.has_immutable_id |= recipient.is_dir_synced;
            match person.recipe {
                Recipe::SharedMailbox => (recipient.kind, person.enabled) = ("SharedMailbox", false),
                Recipe::RoomMailbox => (recipient.kind, person.enabled) = ("RoomMailbox", false),
                Recipe::CloudManaged => recipient.is_exchange_cloud_managed = true,
                Recipe::MailUser => recipient.kind = "MailUser",
                Recipe::DirSyncedRight => person.held.push(Held::copy_of(&value, None)),
                Recipe::NoMailbox | Recipe::NoAddress => person.mailbox = Mailbox::None,
                _ => {}
            }
        }
        person.values.push(value);
        Ok(())
    }

    fn share_address(&mut self, person: &mut Person) {
        let (recipient, address) = match self.shared.take() {
            Some((recipient, address)) => (Recipient { shared_with_other: true, ..recipient }, address),
            None => {
                let address = format!("team.{}@{DOMAIN}", person.name.account);
                let Mailbox::Own(mine) = &person.mailbox else { return };
                let recipient = Recipient {
                    kind: "SharedMailbox",
                    user_principal_name: Some(address.clone()),
                    has_immutable_id: false,
                    ..mine.clone()
                };
                self.shared = Some((recipient.clone(), address.clone()));
                (recipient, address)
            }
        };
        person.addresses = vec![address];
        person.mailbox = Mailbox::Ambiguous(recipient);
    }

    fn with_values_in_exchange(&self, person: &mut Person, random: &mut Random) -> Result<()> {
        match person.recipe {
            Recipe::ForeignFillsUp => person.values = self.ranked(person, random, 15, 14, "no_room")?,
            _ => person.values.push(Value::fit(&self.good(person, random)?)),
        }
        match person.recipe {
            Recipe::AlreadyRight => {
                person.held = person.values.iter().map(|value| Held::copy_of(value, None)).collect();
            }
            Recipe::ForeignExpired => {
                let issued = self.pki.at() - Duration::days(random.between(800, 1000));
                let old = self.issue(&self.valid(self.profile(person, random), issued, 730))?;
                person.held.push(Held::copy_of(&Value::unfit(&old, "expired"), Some("expired")));
            }
            _ => person.held.push(Held::copy_of(&Value::fit(&self.good(person, random)?), None)),
        }
        Ok(())
    }
}

fn is_dir_synced(recipe: Recipe) -> bool {
    matches!(recipe, Recipe::DirSynced | Recipe::DirSyncedRight | Recipe::CloudManaged)
}
