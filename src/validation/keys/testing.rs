//! Numbers for the tests of this room, the same for the same seed.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use dashu_int::UBig;
use dashu_int::fast_div::ConstDivisor;

use super::Weakness;

/// A number of exactly so many bits.
pub(super) fn random(seed: u64, bits: usize) -> UBig {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(bits as u64);
    let words = (0..bits.div_ceil(64)).map(|_| {
        // splitmix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        UBig::from(word ^ (word >> 31))
    });
    let number = words.fold(UBig::ZERO, |number, word| (number << 64) + word);
    let mut number = number >> (bits.div_ceil(64) * 64 - bits);
    number.set_bit(bits - 1);
    number
}

/// Whether a number is prime, by trial division and Fermat's test to three bases.
pub(super) fn is_prime(number: &UBig) -> bool {
    const SMALL: [u16; 24] =
        [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89];
    if SMALL.iter().any(|prime| number % *prime == 0) {
        return false;
    }
    let ring = ConstDivisor::new(number.clone());
    let exponent = number - UBig::ONE;
    [2_u8, 3, 5].into_iter().all(|base| ring.reduce(base).pow(&exponent).residue() == UBig::ONE)
}

/// The first prime from a number on.
pub(super) fn next_prime(from: &UBig) -> UBig {
    let mut candidate = from.clone();
    candidate.set_bit(0);
    while !is_prime(&candidate) {
        candidate += 2_u8;
    }
    candidate
}

/// A prime of so many bits whose two highest bits are set, as key generators make them.
pub(super) fn prime(seed: u64, bits: usize) -> UBig {
    static KNOWN: LazyLock<Mutex<HashMap<(u64, usize), UBig>>> = LazyLock::new(Mutex::default);
    if let Some(prime) = KNOWN.lock().unwrap().get(&(seed, bits)) {
        return prime.clone();
    }
    let mut start = random(seed, bits);
    start.set_bit(bits - 2);
    let prime = next_prime(&start);
    KNOWN.lock().unwrap().insert((seed, bits), prime.clone());
    prime
}

/// A modulus of so many bits.
pub(super) fn rsa_modulus(seed: u64, bits: usize) -> UBig {
    prime(2 * seed, bits / 2) * prime(2 * seed + 1, bits - bits / 2)
}

/// The codes of weaknesses.
pub(super) fn codes(found: &[Weakness]) -> Vec<&'static str> {
    found.iter().map(|weakness| weakness.code).collect()
}
