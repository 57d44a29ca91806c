//! All keys of a directory: each distinct one examined once, and held against all others.

use std::collections::{BTreeSet, HashMap};

use dashu_int::UBig;

use crate::certificate::{Certificate, Curve, KeyKind, Sha256};
use crate::validation::{Interrupted, Pace};

use super::catalogue as rule;
use super::{Weakness, curve, rsa, shared_factors};

/// How many of those who share a key or a factor are named.
pub const SHARED_WITH_LIMIT: usize = 100;

/// What a key consists of, as far as it is examined.
enum Body {
    Rsa {
        exponent: UBig,
    },
    Point {
        curve: Curve,
        point: Box<[u8]>,
    },
    Unreadable,
    /// Nothing is known to look for but whether it is shared.
    Other,
}

/// A distinct key.
struct Key {
    body: Body,
    /// Number of its material.
    material: usize,
}

/// What two keys must not have in common: the modulus, else the whole key.
struct Material {
    modulus: Option<UBig>,
    /// The additions it came with.
    additions: Vec<usize>,
}

/// Something that was added.
struct Addition {
    key: usize,
    owner: Option<u32>,
}

/// The keys of a directory, gathered and then judged together. Memory: each distinct key once, and a few bytes for each
/// addition.
#[derive(Default)]
pub struct Survey {
    keys: Vec<Key>,
    materials: Vec<Material>,
    additions: Vec<Addition>,
    known_keys: HashMap<Sha256, usize>,
    known_materials: HashMap<Sha256, usize>,
}

impl Survey {
    /// Adds a certificate's key and says its number, counted from 0. `owner` is the person's number; an authority's key,
    /// which lies beside the certificates of many people, is nobody's and not called shared.
    pub fn add(&mut self, certificate: &Certificate, owner: Option<u32>) -> usize {
        let key = &certificate.details.public_key;
        if let Some((modulus, exponent)) = key.rsa_numbers() {
            return self.add_rsa(modulus, exponent, owner);
        }
        let body = match key.kind {
            KeyKind::Rsa { .. } | KeyKind::RsaPss { .. } => Body::Unreadable,
            KeyKind::Ec(curve) => Body::Point { curve, point: key.bytes.clone() },
            _ => Body::Other,
        };
        let digest = Sha256::of(&key.spki);
        let material = self.material(digest, || None);
        self.take(digest, material, owner, || body)
    }

    /// Adds an RSA key by its numbers, big-endian; otherwise as [`Survey::add`].
    pub fn add_rsa(&mut self, modulus: &[u8], exponent: &[u8], owner: Option<u32>) -> usize {
        let digest = Sha256::of(modulus);
        let material = self.material(digest, || Some(UBig::from_be_bytes(modulus)));
        let key = Sha256::of(&[digest.as_bytes(), exponent].concat());
        self.take(key, material, owner, || Body::Rsa { exponent: UBig::from_be_bytes(exponent) })
    }

    fn material(&mut self, digest: Sha256, modulus: impl FnOnce() -> Option<UBig>) -> usize {
        *self.known_materials.entry(digest).or_insert_with(|| {
            self.materials.push(Material { modulus: modulus(), additions: Vec::new() });
            self.materials.len() - 1
        })
    }

    fn take(&mut self, digest: Sha256, material: usize, owner: Option<u32>, body: impl FnOnce() -> Body) -> usize {
        let key = *self.known_keys.entry(digest).or_insert_with(|| {
            self.keys.push(Key { body: body(), material });
            self.keys.len() - 1
        });
        let number = self.additions.len();
        self.additions.push(Addition { key, owner });
        if let Some(material) = self.materials.get_mut(material) {
            material.additions.push(number);
        }
        number
    }

    /// How many keys are distinct.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How often [`Survey::judge`] ticks, about.
    pub fn ticks(&self) -> usize {
        let moduli = self.materials.iter().filter(|material| material.modulus.is_some()).count();
        self.keys.len() + shared_factors::ticks(moduli)
    }

    /// What speaks against each key that was added, in the order of adding.
    ///
    /// # Errors
    /// When called off.
    pub fn judge(&self, pace: &Pace<'_>) -> Result<Vec<Vec<Weakness>>, Interrupted> {
        let of_keys = pace.each(self.keys.len(), |key| self.inspect(&self.keys[key]))?;
        let factors = self.factors(&of_keys, pace)?;
        let owners: Vec<_> = self.materials.iter().map(|material| self.owners(material)).collect();
        let of_addition = |addition: &Addition| {
            let Some(key) = self.keys.get(addition.key) else { return Vec::new() };
            let mut found = of_keys.get(addition.key).cloned().unwrap_or_default();
            found.extend(owners.get(key.material).and_then(|owners| self.shared(key, addition.owner, owners)));
            found.extend(factors.get(&key.material).cloned());
            found
        };
        Ok(self.additions.iter().map(of_addition).collect())
    }

    fn inspect(&self, key: &Key) -> Vec<Weakness> {
        let modulus = self.materials.get(key.material).and_then(|material| material.modulus.as_ref());
        match (&key.body, modulus) {
            (Body::Rsa { exponent }, Some(modulus)) => rsa::inspect(modulus, exponent),
            (Body::Point { curve, point }, _) => curve::inspect(*curve, point).into_iter().collect(),
            (Body::Unreadable, _) => vec![Weakness::of(&rule::KEY_UNREADABLE)],
            (Body::Rsa { .. } | Body::Other, _) => Vec::new(),
        }
    }

    fn owners(&self, material: &Material) -> BTreeSet<u32> {
        material.additions.iter().filter_map(|number| self.additions.get(*number)?.owner).collect()
    }

    /// The same modulus or key with another person; a renewal that keeps the key is one person's.
    fn shared(&self, key: &Key, owner: Option<u32>, owners: &BTreeSet<u32>) -> Option<Weakness> {
        let owner = owner.filter(|_| owners.len() > 1)?;
        let rule = if matches!(key.body, Body::Rsa { .. }) { &rule::SHARED_MODULUS } else { &rule::SHARED_KEY };
        let mut weakness = Weakness::of(rule).observed((owners.len() - 1).to_string());
        weakness.shared_with = owners.iter().copied().filter(|other| *other != owner).take(SHARED_WITH_LIMIT).collect();
        Some(weakness)
    }

    /// Materials whose modulus has a factor in common with another one.
    fn factors(&self, of_keys: &[Vec<Weakness>], pace: &Pace<'_>) -> Result<HashMap<usize, Weakness>, Interrupted> {
        let (mut places, mut moduli) = (Vec::new(), Vec::new());
        let sound: BTreeSet<usize> = self
            .keys
            .iter()
            .zip(of_keys)
            .filter(|(key, found)| matches!(key.body, Body::Rsa { .. }) && rsa::is_sound(found))
            .map(|(key, _)| key.material)
            .collect();
        for place in sound {
            if let Some(modulus) = self.materials.get(place).and_then(|material| material.modulus.clone()) {
                places.push(place);
                moduli.push(modulus);
            }
        }
        let parts = shared_factors::shared_parts(&moduli, pace)?;
        drop(moduli);
        // moduli that share the very same part need no search for each other, and there may be many
        let mut members: HashMap<UBig, Vec<usize>> = HashMap::new();
        for (place, part) in places.into_iter().zip(parts) {
            if let Some(part) = part {
                members.entry(part).or_default().push(place);
            }
        }
        let mut groups: Vec<_> = members.into_iter().collect();
        groups.sort_unstable_by(|left, right| left.1.cmp(&right.1));
        let (parts, groups): (Vec<UBig>, Vec<Vec<usize>>) = groups.into_iter().unzip();
        let partners = shared_factors::partners(&parts, SHARED_WITH_LIMIT, pace)?;
        let mut found = HashMap::new();
        for (group, partners) in groups.iter().zip(&partners) {
            for place in group {
                let others = partners.iter().filter_map(|partner| groups.get(*partner)).flatten();
                let others = group.iter().filter(|other| *other != place).chain(others);
                found.insert(*place, self.shared_factor(others));
            }
        }
        Ok(found)
    }

    fn shared_factor<'a>(&self, others: impl Iterator<Item = &'a usize>) -> Weakness {
        let others: Vec<_> = others.take(SHARED_WITH_LIMIT).filter_map(|place| self.materials.get(*place)).collect();
        let owners: BTreeSet<u32> = others.iter().flat_map(|material| self.owners(material)).collect();
        let count = others.len();
        let observed = if count < SHARED_WITH_LIMIT { count.to_string() } else { format!("at least {count}") };
        let mut weakness = Weakness::of(&rule::SHARED_FACTOR).observed(observed);
        weakness.shared_with = owners.into_iter().take(SHARED_WITH_LIMIT).collect();
        weakness
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::validation::keys::testing::{codes, prime};

    const USUAL: &[u8] = &[1, 0, 1];
    const PACE: Pace<'static> = Pace { threads: 2, tick: &|| true };

    fn modulus(left: u64, right: u64) -> Box<[u8]> {
        (prime(left, 512) * prime(right, 513)).to_be_bytes()
    }

    fn judged(survey: &Survey) -> Vec<Vec<(&'static str, Vec<u32>)>> {
        let judged = survey.judge(&PACE).unwrap();
        judged.into_iter().map(|found| found.into_iter().map(|each| (each.code, each.shared_with)).collect()).collect()
    }

    #[test]
    fn the_same_modulus_counts_only_between_people() {
        let mut survey = Survey::default();
        let (one, other) = (modulus(1, 2), modulus(3, 4));
        for (modulus, exponent, owner) in [
            (&one, USUAL, Some(7)),
            (&one, USUAL, Some(7)),
            (&one, &[1, 0, 3][..], Some(7)),
            (&other, USUAL, Some(7)),
            (&other, USUAL, None),
        ] {
            survey.add_rsa(modulus, exponent, owner);
        }
        assert!(judged(&survey).iter().all(Vec::is_empty));
        survey.add_rsa(&one, &[1, 0, 3], Some(8));
        let found = judged(&survey);
        assert_eq!(found[0], [("shared_modulus", vec![8])]);
        assert_eq!(found[..3], [found[0].clone(), found[0].clone(), found[0].clone()]);
        assert_eq!(found[5], [("shared_modulus", vec![7])]);
        assert!(found[3].is_empty() && found[4].is_empty());
    }

    #[test]
    fn a_shared_factor_is_found_whoever_holds_the_keys() {
        let mut survey = Survey::default();
        // 1 shares with 2 and 3, 2 and 3 have nothing in common; 4 and 4 again are one person's; 5 is clean
        for (left, right, owner) in [(1, 2, 1), (1, 3, 2), (4, 2, 3), (5, 6, 4), (5, 7, 4), (8, 9, 5)] {
            survey.add_rsa(&modulus(left, right), USUAL, Some(owner));
        }
        let found = judged(&survey);
        let shared = |owners: &[u32]| vec![("shared_factor", owners.to_vec())];
        assert_eq!(found, [shared(&[2, 3]), shared(&[1]), shared(&[1]), shared(&[4]), shared(&[4]), Vec::new()]);
    }

    #[test]
    fn factors_shared_in_a_ring_name_their_neighbours_only() {
        let mut survey = Survey::default();
        for owner in 0..40_u32 {
            let (own, next) = (u64::from(owner), u64::from((owner + 1) % 40));
            survey.add_rsa(&(prime(own, 600) * prime(next, 600)).to_be_bytes(), USUAL, Some(owner));
        }
        for (owner, found) in (0..40_u32).zip(judged(&survey)) {
            let mut neighbours = vec![(owner + 39) % 40, (owner + 1) % 40];
            neighbours.sort_unstable();
            assert_eq!(found, [("shared_factor", neighbours)]);
        }
    }

    #[test]
    fn many_sharers_are_counted_and_the_first_named() {
        let mut survey = Survey::default();
        let one = modulus(1, 2);
        for owner in 0..1000 {
            survey.add_rsa(&one, USUAL, Some(owner));
        }
        let found = survey.judge(&PACE).unwrap();
        assert_eq!(found[0][0].observed.as_deref(), Some("999"));
        assert_eq!(found[0][0].shared_with, (1..101).collect::<Vec<_>>());
        assert_eq!(found[999][0].shared_with, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn broken_moduli_blame_nobody_else() {
        let mut survey = Survey::default();
        let good = prime(1, 512) * prime(2, 513);
        survey.add_rsa(&good.to_be_bytes(), USUAL, Some(1));
        survey.add_rsa(&(&good * 3_u8).to_be_bytes(), USUAL, Some(2));
        survey.add_rsa(&(&good << 1).to_be_bytes(), USUAL, Some(3));
        let found = survey.judge(&PACE).unwrap();
        assert!(found[0].is_empty());
        assert_eq!((codes(&found[1]), codes(&found[2])), (vec!["modulus_small_factor"], vec!["modulus_even"]));
    }

    #[test]
    fn no_factor_appears_in_what_is_said() {
        let mut survey = Survey::default();
        survey.add_rsa(&modulus(1, 2), USUAL, Some(1));
        survey.add_rsa(&modulus(1, 3), USUAL, Some(2));
        let said = format!("{:?}", survey.judge(&PACE).unwrap());
        assert!(!said.contains(&prime(1, 512).to_string()) && said.contains("shared_factor"));
    }

    #[test]
    fn it_can_be_called_off() {
        let mut survey = Survey::default();
        survey.add_rsa(&modulus(1, 2), USUAL, Some(1));
        assert_eq!(survey.judge(&Pace { threads: 1, tick: &|| false }), Err(Interrupted));
        assert_eq!(Survey::default().judge(&PACE), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(keys in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..80), proptest::collection::vec(any::<u8>(), 0..40), any::<Option<u32>>()), 0..40,
        )) {
            let mut survey = Survey::default();
            for (modulus, exponent, owner) in &keys {
                survey.add_rsa(modulus, exponent, *owner);
            }
            let found = survey.judge(&PACE).unwrap();
            prop_assert_eq!(found.len(), keys.len());
            // each of these is shorter than any real key
            prop_assert!(found.iter().all(|found| !found.is_empty()));
        }
    }

    #[test]
    fn a_hundred_thousand_good_keys_raise_no_alarm() {
        // every product of two of these primes is a good key by itself; together they share, so each is looked at alone
        let primes: Vec<_> = (0..448).map(|seed| prime(seed, 512)).collect();
        let pairs: Vec<_> = (0..primes.len()).flat_map(|left| (0..left).map(move |right| (left, right))).collect();
        assert!(pairs.len() > 100_000);
        let usual = UBig::from_be_bytes(USUAL);
        let found = PACE.each(pairs.len(), |index| {
            let (left, right) = pairs[index];
            rsa::inspect(&(&primes[left] * &primes[right]), &usual).is_empty()
        });
        assert!(found.unwrap().into_iter().all(|good| good));
    }
}
