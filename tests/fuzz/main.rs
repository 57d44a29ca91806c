//! The fuzz targets without a fuzzer: seeds changed at random, on any compiler, for SMIMESYNC_FUZZ_SECONDS each (1 if it
//! is not set). What `fuzz/run` does guided by coverage and for hours, this does in every run of the tests.
#![expect(clippy::unwrap_used, reason = "a test says best where it fails")]

mod mutation;
mod seeds;
#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "to the fuzz targets it is a crate")]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mutation::Mutation;

/// What one input may take; far more than any needs, as the machine may be busy.
const LIMIT: Duration = Duration::from_secs(10);
/// What all inputs may have taken of memory at the same time.
const MEMORY_MIB: u64 = 2048;

#[expect(clippy::print_stdout, reason = "says how much the test was worth")]
fn fuzz(name: &str) {
    let (_, target) = targets::ALL.into_iter().find(|(known, _)| *known == name).unwrap();
    let seconds = std::env::var("SMIMESYNC_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let seeds = seeds::of(name);
    // a seed that gets nowhere would make everything changed from it worth little
    for seed in &seeds {
        target(seed);
    }
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut mutation = Mutation::new(&seeds, u64::try_from(clock.as_nanos() % u128::from(u64::MAX)).unwrap());
    let (start, mut inputs) = (Instant::now(), 0_u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        let input = mutation.next();
        let begun = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| target(&input)));
        let spent = begun.elapsed();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
        if done.is_err() || spent > LIMIT {
            fs::write(&kept, &input).unwrap();
        }
        assert!(done.is_ok() && spent <= LIMIT, "{name}: after {spent:?} with the input in {}", kept.display());
        inputs += 1;
    }
    assert!(peak_mib().is_none_or(|peak| peak < MEMORY_MIB), "{name}: {:?} MiB", peak_mib());
    println!("{name}: {inputs} inputs from {} seeds in {seconds} s", seeds.len());
}

/// Peak of resident memory so far, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().split(' ').next()?.parse::<u64>().ok()? / 1024)
}

macro_rules! fuzzed {
    ($($name:ident),+) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })+

        #[test]
        fn every_target_is_fuzzed() {
            assert_eq!(targets::ALL.map(|(name, _)| name), [$(stringify!($name)),+]);
        }
    };
}

fuzzed!(answer, bundle, certificate, configuration, crl, engine, ldif, ocsp, options, selection, value);

/// Not all that is given to a target may be refused at its door.
#[test]
fn the_engine_s_seeds_are_judged() {
    let valid = |seed: &Vec<u8>| targets::verdict(seed).is_some_and(|verdict| verdict.path_valid);
    let good = seeds::of("engine").iter().filter(|seed| valid(seed)).count();
    assert!(good >= 3, "{good} seeds of the engine have a valid path");
}

/// For `fuzz/run`: the seeds as files, in a folder for each target.
#[test]
fn seeds_are_written_where_asked() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("SMIMESYNC_FUZZ_SEEDS").unwrap_or(temporary.path().into());
    for (name, _) in targets::ALL {
        let folder = Path::new(&folder).join(name);
        fs::create_dir_all(&folder).unwrap();
        let seeds = seeds::of(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
        }
    }
}
