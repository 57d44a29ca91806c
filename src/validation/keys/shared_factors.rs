//! Factors that moduli have in common, by a batch GCD (D. J. Bernstein, "How to find smooth parts of integers", 2004).
//!
//! With P the product of all moduli and D the sum of P / n over all of them, D modulo n is P / n modulo n, whose greatest
//! common divisor with n is what n shares with the others. D takes the place of the usual P modulo n squared: the numbers
//! of the descent are half as long, and division is what costs.

use dashu_int::UBig;
use dashu_int::ops::Gcd as _;

use crate::validation::{Interrupted, Pace};

/// Moduli at a leaf of the tree: below this many, fewer levels save more memory and time than short divisions cost.
const LEAF: usize = 16;

/// Product and sum of cofactors of some moduli.
#[derive(Clone)]
struct Node {
    product: UBig,
    cofactors: UBig,
}

impl Node {
    fn of(moduli: &[UBig]) -> Self {
        let empty = Self { product: UBig::ONE, cofactors: UBig::ZERO };
        moduli.iter().fold(empty, |node, modulus| Self {
            cofactors: node.cofactors * modulus + &node.product,
            product: node.product * modulus,
        })
    }
}

/// How often [`shared_parts`] ticks for so many moduli.
pub(super) fn ticks(moduli: usize) -> usize {
    if moduli < 2 {
        return 0;
    }
    let leaves = moduli.div_ceil(LEAF);
    let (mut width, mut ticks) = (leaves, 2 * leaves);
    while width > 2 {
        // each level is descended, the one above it was built
        ticks += width + width.div_ceil(2);
        width = width.div_ceil(2);
    }
    ticks + width
}

/// For each modulus its greatest common divisor with the product of all others, where that is not 1. The moduli are
/// distinct and above 1. Memory at the peak: 1.7 GB for 100,000 moduli of 2,048 bits and two threads, most of it for the
/// products at the top of the tree.
///
/// # Errors
/// When called off.
pub(super) fn shared_parts(moduli: &[UBig], pace: &Pace<'_>) -> Result<Vec<Option<UBig>>, Interrupted> {
    if moduli.len() < 2 {
        return Ok(vec![None; moduli.len()]);
    }
    let leaves: Vec<&[UBig]> = moduli.chunks(LEAF).collect();
    let mut products: Vec<Vec<UBig>> = Vec::new();
    let mut nodes = pace.each(leaves.len(), |index| Node::of(leaves[index]))?;
    while nodes.len() > 2 {
        let pairs: Vec<_> = nodes.chunks(2).collect();
        let above = pace.each(pairs.len(), |index| join(pairs[index]))?;
        products.push(nodes.into_iter().map(|node| node.product).collect());
        nodes = above;
    }
    let mut remainders = turn(&nodes, pace)?;
    drop(nodes);
    while let Some(level) = products.pop() {
        remainders = pace.each(level.len(), |index| &remainders[index / 2] % &level[index])?;
    }
    let parts = pace.each(leaves.len(), |index| {
        leaves[index]
            .iter()
            .map(|modulus| Some((&remainders[index] % modulus).gcd(modulus)).filter(|part| *part != UBig::ONE))
            .collect::<Vec<_>>()
    })?;
    Ok(parts.into_iter().flatten().collect())
}

fn join(pair: &[Node]) -> Node {
    match pair {
        [left, right] => Node {
            product: &left.product * &right.product,
            cofactors: &left.cofactors * &right.product + &right.cofactors * &left.product,
        },
        // the last of an odd number goes up as it is
        [only] => only.clone(),
        _ => Node::of(&[]),
    }
}

/// The sum of cofactors of everything, modulo each of the top nodes; the product of everything is never made.
fn turn(nodes: &[Node], pace: &Pace<'_>) -> Result<Vec<UBig>, Interrupted> {
    pace.each(nodes.len(), |index| {
        let own = &nodes[index];
        match nodes.iter().enumerate().find(|(place, _)| *place != index) {
            Some((_, other)) => &own.cofactors * &other.product % &own.product,
            None => own.cofactors.clone(),
        }
    })
}

/// For each part the first `limit` others it has a factor in common with, by index. Parts are above 1.
///
/// # Errors
/// When called off.
pub(super) fn partners(parts: &[UBig], limit: usize, pace: &Pace<'_>) -> Result<Vec<Vec<usize>>, Interrupted> {
    let mut levels = vec![parts.to_vec()];
    while let Some(top) = levels.last().filter(|top| top.len() > 1) {
        let pairs: Vec<_> = top.chunks(2).collect();
        let above = pace.each(pairs.len(), |index| pairs[index].iter().product::<UBig>())?;
        levels.push(above);
    }
    pace.each(parts.len(), |own| {
        let mut found = Vec::new();
        let mut open = vec![(levels.len() - 1, 0)];
        while let Some((level, index)) = open.pop() {
            if found.len() == limit {
                break;
            }
            let Some(product) = levels.get(level).and_then(|level| level.get(index)) else { continue };
            // above itself the part divides the product, which says nothing of others
            let may_share = own >> level == index || (product % &parts[own]).gcd(&parts[own]) != UBig::ONE;
            match level.checked_sub(1) {
                _ if !may_share => {}
                Some(below) => open.extend([(below, 2 * index + 1), (below, 2 * index)]),
                None if index != own => found.push(index),
                None => {}
            }
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::validation::keys::testing::prime;

    const PACE: Pace<'static> = Pace { threads: 2, tick: &|| true };

    fn pairwise(moduli: &[UBig]) -> Vec<Option<UBig>> {
        let part = |own: usize| {
            let others = (0..moduli.len()).filter(|other| *other != own);
            let product = others.map(|other| &moduli[other]).product::<UBig>();
            Some(product.gcd(&moduli[own])).filter(|part| *part != UBig::ONE)
        };
        (0..moduli.len()).map(part).collect()
    }

    fn pairwise_partners(parts: &[UBig]) -> Vec<Vec<usize>> {
        let of = |own: usize| {
            (0..parts.len()).filter(|other| *other != own && (&parts[own]).gcd(&parts[*other]) != UBig::ONE).collect()
        };
        (0..parts.len()).map(of).collect()
    }

    proptest! {
        #[test]
        fn batch_gcd_equals_pairwise_gcd(numbers in proptest::collection::btree_set(2_u64..5000, 0..120)) {
            let moduli: Vec<_> = numbers.into_iter().map(UBig::from).collect();
            prop_assert_eq!(shared_parts(&moduli, &PACE), Ok(pairwise(&moduli)));
        }

        #[test]
        fn products_of_few_primes_equal_pairwise_gcd(choices in proptest::collection::btree_set((0_usize..40, 0_usize..40), 0..60)) {
            let primes: Vec<_> = (0..40).map(|seed| prime(seed, 96)).collect();
            let moduli: BTreeSet<_> = choices.iter().map(|(p, q)| &primes[*p] * &primes[*q]).collect();
            let moduli: Vec<_> = moduli.into_iter().collect();
            prop_assert_eq!(shared_parts(&moduli, &PACE), Ok(pairwise(&moduli)));
        }

        #[test]
        fn partners_are_those_with_a_common_factor(numbers in proptest::collection::vec(2_u64..2000, 0..50)) {
            let parts: Vec<_> = numbers.into_iter().map(UBig::from).collect();
            prop_assert_eq!(partners(&parts, usize::MAX, &PACE), Ok(pairwise_partners(&parts)));
        }
    }

    #[test]
    fn partners_end_at_their_limit() {
        let parts = vec![UBig::from(7_u8); 50];
        let found = partners(&parts, 3, &PACE).unwrap();
        assert!(found.iter().all(|found| found.len() == 3));
        assert_eq!(found[0], [1, 2, 3]);
    }

    #[test]
    fn every_number_of_moduli_around_the_tree_s_widths_works_and_ticks_as_announced() {
        let primes: Vec<_> = (0..300).map(|seed| prime(1000 + seed, 64)).collect();
        for count in (0..40).chain([47, 48, 49, 63, 64, 65, 127, 128, 129, 149, 150]) {
            let mut moduli: Vec<_> = primes.chunks(2).take(count).map(|pair| &pair[0] * &pair[1]).collect();
            if let [.., last] = moduli.as_mut_slice()
                && count > 1
            {
                *last = &primes[0] * &primes[299];
            }
            let ticked = AtomicUsize::new(0);
            let tick = || {
                ticked.fetch_add(1, Ordering::Relaxed);
                true
            };
            let found = shared_parts(&moduli, &Pace { threads: 2, tick: &tick }).unwrap();
            let shared: Vec<_> = (0..count).filter(|index| found[*index].is_some()).collect();
            assert_eq!(shared, if count > 1 { vec![0, count - 1] } else { Vec::new() }, "{count}");
            assert!(found.iter().flatten().all(|part| *part == primes[0]));
            assert_eq!(ticked.load(Ordering::Relaxed), ticks(count), "{count}");
        }
    }

    #[test]
    fn it_can_be_called_off() {
        let moduli: Vec<_> = (2_u32..500).map(UBig::from).collect();
        assert_eq!(shared_parts(&moduli, &Pace { threads: 2, tick: &|| false }), Err(Interrupted));
        assert_eq!(partners(&moduli, 1, &Pace { threads: 2, tick: &|| false }), Err(Interrupted));
    }
}
