//! Why a key should not exist, by the weakness's code.

use super::Table;

pub(super) const TABLE: Table = &[
    ("close_primes", "the two primes of the modulus are so close that it can be factored at once"),
    ("exponent_even", "the public exponent is even, so the key can neither encrypt nor sign: {observed}"),
    ("exponent_large", "the public exponent has {observed} bits, at most {expected} are allowed"),
    ("exponent_one", "the public exponent is 1, so what is encrypted to the key stays readable"),
    ("exponent_small", "the public exponent is smaller than {expected}: {observed}"),
    ("key_unreadable", "the public key cannot be read"),
    ("modulus_even", "the modulus is even"),
    ("modulus_small_factor", "the modulus has a factor below 65536"),
    ("point_at_infinity", "the public key is the point at infinity"),
    ("point_not_on_curve", "the public key is no point of its curve"),
    ("roca", "the key was made by a faulty library of Infineon chips (ROCA), the private key can be computed from it"),
    ("rsa_too_long", "the modulus has {observed} bits and is examined up to {expected} only"),
    ("rsa_too_short", "the modulus has {observed} bits, below {expected} it can be factored"),
    (
        "shared_factor",
        "the modulus has a prime in common with other keys, so all of them can be factored; number of others: {observed}",
    ),
    (
        "shared_key",
        "other people have the same key, and whoever holds it reads the mail of all; number of others: {observed}",
    ),
    (
        "shared_modulus",
        "other people have the same modulus, and whoever holds the key reads the mail of all; number of others: {observed}",
    ),
];
