//! ROCA (CVE-2017-15361): keys of Infineon's RSALib, whose primes are `k * M + (65537^a mod M)`.
//!
//! M is the product of the first primes, at least the 39 up to 167, so such a modulus is a power of 65537 modulo each of
//! them, and the exponents agree. Of random moduli one in 2^154 passes, which is why this alone condemns a key.

use std::sync::LazyLock;

use dashu_int::UBig;
use dashu_int::ops::BitTest as _;

/// The odd primes of the smallest M that RSALib uses, which divides every other one; modulo 2 says nothing.
const PRIMES: [u16; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

const GENERATOR: u64 = 65_537;

/// Shortest modulus RSALib makes, in bits; below it a power of 65537 may be just that.
const MIN_BITS: usize = 512;

/// The powers of the generator modulo a prime.
struct Powers {
    prime: u16,
    order: u64,
    /// The exponent for each residue that is a power.
    exponents: Box<[Option<u64>]>,
}

static POWERS: LazyLock<Vec<Powers>> = LazyLock::new(|| {
    // residues outside few powers end the test for nearly every good key at once
    let mut powers: Vec<_> = PRIMES.into_iter().map(powers_modulo).collect();
    powers.sort_by_key(|powers| powers.order * 1000 / u64::from(powers.prime));
    powers
});

fn powers_modulo(prime: u16) -> Powers {
    let modulus = u64::from(prime);
    let mut exponents = vec![None; usize::from(prime)];
    let (mut order, mut power) = (0, 1);
    while let Some(exponent @ None) = usize::try_from(power).ok().and_then(|residue| exponents.get_mut(residue)) {
        *exponent = Some(order);
        order += 1;
        power = power * GENERATOR % modulus;
    }
    Powers { prime, order, exponents: exponents.into() }
}

/// Whether a modulus has the form that RSALib's have.
pub(super) fn has_roca_form(modulus: &UBig) -> bool {
    if modulus.bit_len() < MIN_BITS {
        return false;
    }
    // the exponent so far: `value` modulo `order`
    let (mut value, mut order) = (0_u128, 1_u128);
    for powers in POWERS.iter() {
        let residue = modulus % powers.prime;
        let Some(exponent) = powers.exponents.get(usize::from(residue)).copied().flatten() else { return false };
        let (exponent, own) = (u128::from(exponent), u128::from(powers.order));
        // the Chinese remainder theorem by trial: no order exceeds 166
        let steps = own / gcd(order, own);
        let Some(next) = (0..steps).map(|step| value + step * order).find(|next| next % own == exponent) else {
            return false;
        };
        (value, order) = (next, order * steps);
    }
    true
}

fn gcd(left: u128, right: u128) -> u128 {
    if right == 0 { left } else { gcd(right, left % right) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation::keys::testing::{prime, random, rsa_modulus};

    /// A prime as RSALib makes it, of 512 bits, over the M of keys of 992 to 1952 bits or any other.
    fn roca_prime(seed: u64, largest: u32, bits: usize) -> UBig {
        let product = (2..=largest)
            .filter(|number| (2..*number).all(|divisor| number % divisor != 0))
            .fold(UBig::ONE, |product, prime| product * prime);
        let generator = UBig::from(GENERATOR);
        for attempt in 0_u64.. {
            let exponent = random(seed.wrapping_add(attempt), 60);
            let mut power = UBig::ONE;
            for bit in (0..exponent.bit_len()).rev() {
                power = &power * &power % &product;
                if exponent.bit(bit) {
                    power = power * &generator % &product;
                }
            }
            let k = random(seed.wrapping_mul(31).wrapping_add(attempt), bits - product.bit_len());
            let candidate = k * &product + power;
            if crate::validation::keys::testing::is_prime(&candidate) {
                return candidate;
            }
        }
        unreachable!("the attempts do not end")
    }

    #[test]
    fn keys_made_as_rsalib_makes_them_are_found() {
        for (largest, bits) in [(167, 264), (353, 512), (701, 1024)] {
            let modulus = roca_prime(1, largest, bits) * roca_prime(1000, largest, bits);
            assert!(has_roca_form(&modulus), "{bits}");
            // one prime of that form alone leaves no trace in the modulus, and a neighbour has another residue
            assert!(!has_roca_form(&(roca_prime(5, largest, bits) * prime(6, bits))));
            assert!(!has_roca_form(&(&modulus + 2_u8)) && !has_roca_form(&(&modulus - 2_u8)));
        }
    }

    #[test]
    fn residues_that_are_powers_with_exponents_that_disagree_are_not_enough() {
        // modulo each prime a power of 65537, but of exponent 0 modulo one and of exponent 1 modulo all others
        let product = PRIMES.into_iter().fold(UBig::ONE, |product, prime| product * prime);
        let other = POWERS.iter().find(|powers| powers.order % 4 == 0).map(|powers| powers.prime).unwrap();
        let rest = &product / other;
        let mut candidate = UBig::from(GENERATOR) + (&product << 400);
        while &candidate % other != 1 {
            candidate += &rest;
        }
        assert!(PRIMES.iter().all(|prime| {
            let powers = POWERS.iter().find(|powers| powers.prime == *prime).unwrap();
            powers.exponents[usize::from(&candidate % *prime)].is_some()
        }));
        assert!(!has_roca_form(&candidate));
    }

    #[test]
    fn a_good_key_passes_once_in_2_to_the_154() {
        let powers = POWERS.iter().fold(1_u128, |lcm, powers| {
            let order = u128::from(powers.order);
            lcm * (order / gcd(lcm, order))
        });
        assert_eq!(powers, 2_454_106_387_091_158_800);
        let residues: f64 = PRIMES.iter().map(|prime| f64::from(prime - 1).log2()).sum();
        assert!((powers as f64).log2() - residues < -154.0);
    }

    #[test]
    fn good_keys_and_small_numbers_raise_no_alarm() {
        for seed in 0..20 {
            assert!(!has_roca_form(&rsa_modulus(seed, 1024)));
        }
        assert!(!has_roca_form(&UBig::ZERO) && !has_roca_form(&UBig::ONE) && !has_roca_form(&UBig::from(GENERATOR)));
    }
}
