//! What an RSA key says of itself: its exponent, its length, small factors, close primes.

use std::sync::LazyLock;

use dashu_int::UBig;
use dashu_int::ops::{BitTest as _, Gcd as _, SquareRoot as _, SquareRootRem as _};

use super::catalogue as rule;
use super::{Weakness, roca};

/// Below it a modulus can be factored by anybody with patience.
const MIN_BITS: usize = 1024;

/// Longest modulus that is examined: what Windows takes at most, and a bound for what a hostile certificate can cost.
const MAX_BITS: usize = 16_384;

/// Factors below this are looked for.
const SMALL: u32 = 1 << 16;

/// The usual exponent, and the smallest that FIPS 186-5 allows.
const USUAL_EXPONENT: u32 = 65_537;

/// Length in bits that an exponent must not exceed (FIPS 186-5 A.1.1: below 2^256).
const MAX_EXPONENT_BITS: usize = 256;

/// Steps of Fermat's method: enough for primes that agree in their upper half and a little more.
const FERMAT_STEPS: u32 = 100;

/// The product of all odd primes below [`SMALL`].
static SMALL_PRIMES: LazyLock<UBig> = LazyLock::new(|| {
    let mut composite = vec![false; SMALL as usize];
    let mut primes = Vec::new();
    for number in (3..SMALL as usize).step_by(2) {
        if !composite[number] {
            primes.push(UBig::from(number));
            (number * number..composite.len()).step_by(number).for_each(|multiple| composite[multiple] = true);
        }
    }
    product(&primes)
});

fn product(factors: &[UBig]) -> UBig {
    match factors {
        [] => UBig::ONE,
        [factor] => factor.clone(),
        _ => {
            let (left, right) = factors.split_at(factors.len() / 2);
            product(left) * product(right)
        }
    }
}

/// Everything that speaks against an RSA key by itself.
pub(super) fn inspect(modulus: &UBig, exponent: &UBig) -> Vec<Weakness> {
    let mut found: Vec<Weakness> = of_exponent(exponent).into_iter().collect();
    let bits = modulus.bit_len();
    if bits > MAX_BITS {
        found.push(Weakness::of(&rule::RSA_TOO_LONG).observed(bits.to_string()).expected(MAX_BITS.to_string()));
        return found;
    }
    if bits < MIN_BITS {
        found.push(Weakness::of(&rule::RSA_TOO_SHORT).observed(bits.to_string()).expected(MIN_BITS.to_string()));
    }
    if is_even(modulus) {
        found.push(Weakness::of(&rule::MODULUS_EVEN));
    } else if has_small_factor(modulus) {
        found.push(Weakness::of(&rule::MODULUS_SMALL_FACTOR));
    } else {
        if roca::has_roca_form(modulus) {
            found.push(Weakness::of(&rule::ROCA));
        }
        if has_close_primes(modulus) {
            found.push(Weakness::of(&rule::CLOSE_PRIMES));
        }
    }
    found
}

/// Whether a modulus is worth looking for factors that others have, too: a broken one would only blame its neighbours.
pub(super) fn is_sound(found: &[Weakness]) -> bool {
    let broken = [rule::MODULUS_EVEN.code, rule::MODULUS_SMALL_FACTOR.code, rule::RSA_TOO_LONG.code];
    found.iter().all(|weakness| !broken.contains(&weakness.code))
}

fn of_exponent(exponent: &UBig) -> Option<Weakness> {
    if *exponent == UBig::ONE {
        return Some(Weakness::of(&rule::EXPONENT_ONE));
    }
    let rule = if is_even(exponent) {
        &rule::EXPONENT_EVEN
    } else if *exponent < UBig::from(USUAL_EXPONENT) {
        &rule::EXPONENT_SMALL
    } else if exponent.bit_len() > MAX_EXPONENT_BITS {
        return Some(
            Weakness::of(&rule::EXPONENT_LARGE)
                .observed(exponent.bit_len().to_string())
                .expected(MAX_EXPONENT_BITS.to_string()),
        );
    } else {
        return None;
    };
    // an even exponent may be as long as the certificate
    let observed = if exponent.bit_len() > 64 { String::new() } else { exponent.to_string() };
    Some(Weakness::of(rule).observed(observed).expected(USUAL_EXPONENT.to_string()))
}

fn is_even(number: &UBig) -> bool {
    !number.bit(0)
}

fn has_small_factor(modulus: &UBig) -> bool {
    *modulus <= UBig::from(SMALL) || (&*SMALL_PRIMES % modulus).gcd(modulus) != UBig::ONE
}

/// Fermat's method, for an odd modulus: with `p` and `q` close, `((p + q) / 2)^2 - p * q` is a square soon above the root.
fn has_close_primes(modulus: &UBig) -> bool {
    let (root, rest) = modulus.sqrt_rem();
    if rest == UBig::ZERO {
        return true;
    }
    let mut middle = root + UBig::ONE;
    let mut difference = &middle * &middle - modulus;
    for _ in 0..FERMAT_STEPS {
        if is_square(&difference) {
            return true;
        }
        difference += (&middle << 1) + UBig::ONE;
        middle += UBig::ONE;
    }
    false
}

fn is_square(number: &UBig) -> bool {
    // most numbers fail at these residues, which cost far less than a root
    const FILTERS: [u64; 4] = [64, 63, 65, 11];
    let combined = number % FILTERS.iter().product::<u64>();
    let may_be = FILTERS.iter().all(|filter| {
        let residue = combined % filter;
        (0..*filter).any(|root| root * root % filter == residue)
    });
    may_be && {
        let root = number.sqrt();
        &root * &root == *number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation::keys::testing::{codes, next_prime, prime, rsa_modulus};

    fn usual() -> UBig {
        UBig::from(USUAL_EXPONENT)
    }

    #[test]
    fn a_good_key_has_no_weakness() {
        for (seed, bits) in [(1, 1024), (2, 1536), (3, 2048), (4, 3072), (5, 4096)] {
            assert_eq!(codes(&inspect(&rsa_modulus(seed, bits), &usual())), [""; 0], "{bits}");
        }
    }

    #[test]
    fn exponents_are_told_apart() {
        let modulus = rsa_modulus(1, 1024);
        for (exponent, code) in [
            (UBig::ZERO, Some("exponent_even")),
            (UBig::ONE, Some("exponent_one")),
            (UBig::from(2_u8), Some("exponent_even")),
            (UBig::from(3_u8), Some("exponent_small")),
            (UBig::from(17_u8), Some("exponent_small")),
            (UBig::from(65_535_u32), Some("exponent_small")),
            (UBig::from(65_536_u32), Some("exponent_even")),
            (usual(), None),
            ((UBig::ONE << 256) - UBig::ONE, None),
            ((UBig::ONE << 256) + UBig::ONE, Some("exponent_large")),
            (UBig::ONE << 2000, Some("exponent_even")),
        ] {
            let found = inspect(&modulus, &exponent);
            assert_eq!(codes(&found), code.into_iter().collect::<Vec<_>>(), "{exponent}");
        }
    }

    #[test]
    fn lengths_are_bounded_on_both_sides() {
        assert_eq!(codes(&inspect(&rsa_modulus(1, 1016), &usual())), ["rsa_too_short"]);
        assert_eq!(codes(&inspect(&((UBig::ONE << MAX_BITS) + UBig::ONE), &usual())), ["rsa_too_long"]);
        assert_eq!(codes(&inspect(&UBig::ZERO, &usual())), ["rsa_too_short", "modulus_even"]);
        assert_eq!(codes(&inspect(&UBig::ONE, &usual())), ["rsa_too_short", "modulus_small_factor"]);
    }

    #[test]
    fn small_factors_up_to_the_limit_are_found() {
        let big = prime(9, 1100);
        assert_eq!(codes(&inspect(&(&big * 2_u8), &usual())), ["modulus_even"]);
        for factor in [3_u32, 5, 251, 751, 65_519, 65_521] {
            assert_eq!(codes(&inspect(&(&big * factor), &usual())), ["modulus_small_factor"], "{factor}");
        }
        assert!(inspect(&(&big * 65_537_u32), &usual()).is_empty());
    }

    #[test]
    fn primes_next_to_each_other_are_found_and_distant_ones_are_not() {
        let low = prime(11, 1024);
        for high in [low.clone(), next_prime(&(&low + 2_u8)), next_prime(&(&low + (UBig::ONE << 513)))] {
            assert_eq!(codes(&inspect(&(&low * high), &usual())), ["close_primes"]);
        }
        let distant = next_prime(&(&low + (UBig::ONE << 530)));
        assert!(inspect(&(&low * distant), &usual()).is_empty());
    }

    #[test]
    fn squares_are_squares() {
        for number in 0_u32..5000 {
            assert_eq!(is_square(&UBig::from(number)), (0..=70_u32).chain(71..72).any(|root| root * root == number));
        }
        let root = prime(3, 300);
        assert!(is_square(&(&root * &root)) && !is_square(&(&root * &root + UBig::ONE)));
    }
}
