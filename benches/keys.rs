//! How long it takes to look for weak keys and for factors that a whole directory's RSA-2048 keys share.
//!
//!     cargo bench --bench keys -- [MODULI]...        1,000 and 10,000 if none are given
//!
//! The moduli are products of 32 random primes of 64 bits, which cost a thousandth of real ones to make and nothing else
//! to examine. Ten pairs get a common factor, and exactly those must be found.

use std::time::Instant;

use smimesync::validation::Pace;
use smimesync::validation::keys::Survey;

/// Keys that are made to share a factor with one other.
const PLANTED: usize = 20;

struct Random(u64);

impl Random {
    /// splitmix64
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    fn prime(&mut self) -> u64 {
        loop {
            let candidate = self.next() | 1 << 63 | 1;
            if is_prime(candidate) {
                return candidate;
            }
        }
    }
}

fn product(left: u64, right: u64, modulus: u64) -> u64 {
    (u128::from(left) * u128::from(right) % u128::from(modulus)) as u64
}

/// Trial division and Miller-Rabin to base 2: what slips through is no power of a smaller number, which is all that counts.
fn is_prime(candidate: u64) -> bool {
    if (3..200).step_by(2).any(|divisor| candidate.is_multiple_of(divisor)) {
        return false;
    }
    let twos = (candidate - 1).trailing_zeros();
    let mut power = 1;
    for bit in (0..64).rev() {
        power = product(power, power, candidate);
        if (candidate - 1) >> twos >> bit & 1 == 1 {
            power = product(power, 2, candidate);
        }
    }
    power == 1
        || (0..twos).any(|_| {
            let found = power == candidate - 1;
            power = product(power, power, candidate);
            found
        })
}

/// The product of primes, big-endian.
fn modulus(primes: &[u64]) -> Vec<u8> {
    let mut words = vec![1_u64];
    for prime in primes {
        let mut carry = 0;
        for word in &mut words {
            let wide = u128::from(*word) * u128::from(*prime) + carry;
            *word = wide as u64;
            carry = wide >> 64;
        }
        words.push(carry as u64);
    }
    words.iter().rev().flat_map(|word| word.to_be_bytes()).collect()
}

fn survey(count: usize) -> Survey {
    let mut random = Random(count as u64);
    let mut survey = Survey::default();
    let mut shared = 0;
    for number in 0..count {
        let mut primes: Vec<_> = (0..32).map(|_| random.prime()).collect();
        if number >= count - PLANTED {
            match (count - number) % 2 {
                0 => shared = primes[7],
                _ => primes[20] = shared,
            }
        }
        survey.add_rsa(&modulus(&primes), &[1, 0, 1], u32::try_from(number).ok());
    }
    survey
}

/// Peak of resident memory so far in MiB, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.map_or("?".to_owned(), |kib| (kib / 1024).to_string())
}

/// Processor time of this process so far in seconds, where the system tells.
fn processor() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<_> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    // Linux counts hundredths
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn main() {
    let mut counts: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![1_000, 10_000];
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{:>8} {:>8} {:>10} {:>14} {:>14} {:>7}",
        "keys", "threads", "elapsed s", "processor s", "peak MiB", "weak"
    );
    for count in counts {
        let survey = survey(count);
        let (start, before) = (Instant::now(), processor());
        let judged = survey.judge(&Pace { threads, tick: &|| true }).unwrap_or_default();
        let spent = processor().zip(before).map_or("?".to_owned(), |(after, before)| format!("{:.1}", after - before));
        let weak = judged.iter().filter(|found| !found.is_empty()).count();
        println!(
            "{count:>8} {threads:>8} {:>10.1} {spent:>14} {:>14} {weak:>7}",
            start.elapsed().as_secs_f64(),
            peak()
        );
        assert_eq!(weak, PLANTED.min(count), "exactly the planted ones are found");
    }
}
