//! The seeded source of every choice. Written here and not taken from a crate, because the promise "same seed, same
//! company" must outlive any crate's change of algorithm.

/// SplitMix64 (Steele, Lea, Flood 2014): small, well distributed, and not meant for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A source that always yields the same sequence for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent source for one part of the company, so that a change in one part leaves the others as they are.
    pub fn part(seed: u64, name: &str, index: u64) -> Self {
        let mut state = seed;
        for byte in name.bytes() {
            state = Self(state ^ u64::from(byte)).next_u64();
        }
        Self(Self(state ^ index).next_u64())
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = (high - low).unsigned_abs() + 1;
        low + (self.next_u64() % span) as i64
    }

    /// An index below `len`, which must not be 0.
    pub fn index(&mut self, len: usize) -> usize {
        (self.next_u64() % len as u64) as usize
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.next_u64() % 100 < percent
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = (self.next_u64() >> 32) as u8;
        }
        bytes
    }

    /// A version 4 GUID.
    pub fn guid(&mut self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// Puts the items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.index(end + 1));
        }
    }
}
