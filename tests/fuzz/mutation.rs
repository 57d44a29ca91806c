//! Inputs made from seeds by a few changes each.

/// Changes seeds; the same start gives the same inputs.
pub(crate) struct Mutation<'a> {
    seeds: &'a [Vec<u8>],
    state: u64,
}

/// Bytes that mean something somewhere: lengths of DER, signs, ends of text, tags.
const TELLING: &[u8] = &[
    0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x88, 0xff, 0x30, 0x31, 0x04, 0x06, 0xa0, 0x24, b'\n', b' ', b'"', b'(', b'*',
];
/// Longest input.
const LONGEST: usize = 1 << 16;

impl<'a> Mutation<'a> {
    pub(crate) fn new(seeds: &'a [Vec<u8>], state: u64) -> Self {
        Self { seeds, state }
    }

    /// splitmix64
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.random() % limit.max(1) as u64) as usize
    }

    fn seed(&mut self) -> &'a [u8] {
        let index = self.below(self.seeds.len());
        &self.seeds[index]
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut input = self.seed().to_vec();
        // mostly one or two, so that most of the input still means something
        for _ in 0..=self.random().trailing_zeros() {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let power = self.below(7);
        let length = 1 + self.below(1 << power);
        let end = (at + length).min(input.len());
        match self.below(8) {
            0 => drop(input.drain(at..end)),
            1 => {
                let again = input[at..end].to_vec();
                let times = 1 + self.below(4);
                input.splice(at..at, again.repeat(times));
            }
            2 => {
                let other = self.seed();
                let from = self.below(other.len() + 1);
                let part = &other[from..(from + length * 8).min(other.len())];
                input.splice(at..end, part.iter().copied());
            }
            3 => {
                let telling = TELLING[self.below(TELLING.len())];
                input.insert(at, telling);
            }
            _ if at == input.len() => input.push(self.random() as u8),
            4 => input[at] ^= 1 << self.below(8),
            5 => input[at] = input[at].wrapping_add(1),
            6 => input[at] = TELLING[self.below(TELLING.len())],
            _ => input[at] = self.random() as u8,
        }
    }
}
