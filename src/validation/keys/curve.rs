//! Points of NIST's curves: on the curve, and not at infinity (SEC 1 3.2.2.1).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, EcdsaVerificationAlgorithm, ParsedPublicKey,
};

use crate::certificate::Curve;

use super::Weakness;
use super::catalogue as rule;

/// What speaks against a point as a certificate holds it (SEC 1 2.3.3).
pub(super) fn inspect(curve: Curve, point: &[u8]) -> Option<Weakness> {
    let (algorithm, coordinate): (&'static EcdsaVerificationAlgorithm, usize) = match curve {
        Curve::P256 => (&ECDSA_P256_SHA256_ASN1, 32),
        Curve::P384 => (&ECDSA_P384_SHA384_ASN1, 48),
        Curve::P521 => (&ECDSA_P521_SHA512_ASN1, 66),
    };
    let well_formed = match point {
        [0] => return Some(Weakness::of(&rule::POINT_AT_INFINITY)),
        [4, coordinates @ ..] => coordinates.len() == 2 * coordinate,
        [2 | 3, x @ ..] => x.len() == coordinate,
        _ => false,
    };
    if !well_formed {
        return Some(Weakness::of(&rule::KEY_UNREADABLE));
    }
    ParsedPublicKey::new(algorithm, point).is_err().then(|| Weakness::of(&rule::POINT_NOT_ON_CURVE))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair,
        KeyPair as _,
    };

    use super::*;

    fn code(curve: Curve, point: &[u8]) -> Option<&'static str> {
        inspect(curve, point).map(|weakness| weakness.code)
    }

    #[test]
    fn points_on_the_curve_pass_in_both_forms_and_every_neighbour_fails() {
        for (curve, signing) in [
            (Curve::P256, &ECDSA_P256_SHA256_ASN1_SIGNING),
            (Curve::P384, &ECDSA_P384_SHA384_ASN1_SIGNING),
            (Curve::P521, &ECDSA_P521_SHA512_ASN1_SIGNING),
        ] {
            let pair = EcdsaKeyPair::generate(signing).unwrap();
            let point = pair.public_key().as_ref();
            assert_eq!(code(curve, point), None);
            let (x, y) = point[1..].split_at(point.len() / 2);
            let compressed = [&[2 + (y[y.len() - 1] & 1)], x].concat();
            assert_eq!(code(curve, &compressed), None);
            for bit in 0..8 {
                let mut moved = point.to_vec();
                *moved.last_mut().unwrap() ^= 1 << bit;
                assert_eq!(code(curve, &moved), Some("point_not_on_curve"));
            }
            assert_eq!(code(curve, &[0]), Some("point_at_infinity"));
            let mut origin = vec![0; point.len()];
            origin[0] = 4;
            assert_eq!(code(curve, &origin), Some("point_not_on_curve"));
            // a coordinate that is not below the prime
            let mut high = vec![0xff; point.len()];
            high[0] = 4;
            assert_eq!(code(curve, &high), Some("point_not_on_curve"));
            for garbage in [&[][..], &[4], &[5, 1], &point[..point.len() - 1], &[point, &[0]].concat()] {
                assert_eq!(code(curve, garbage), Some("key_unreadable"));
            }
        }
    }
}
