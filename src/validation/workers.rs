//! Work on many items by several threads, which can be called off between two items.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How the work is done, and how it is told to stop.
pub struct Pace<'a> {
    /// Threads that work at the same time, at least one.
    pub threads: usize,
    /// Called after each piece of work, from any of the threads; `false` ends the work.
    pub tick: &'a (dyn Fn() -> bool + Sync),
}

/// The work was called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

impl<'a> Pace<'a> {
    /// As many threads as the machine has cores for this process.
    pub fn of_machine(tick: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self { threads: std::thread::available_parallelism().map_or(1, usize::from), tick }
    }

    /// The result for each index below `count`, in order.
    pub(crate) fn each<R: Send>(&self, count: usize, work: impl Fn(usize) -> R + Sync) -> Result<Vec<R>, Interrupted> {
        let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let run = || {
            let mut done = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    break;
                }
                done.push((index, work(index)));
                if !(self.tick)() {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
            done
        };
        let mut results = std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads.min(count)).map(|_| scope.spawn(run)).collect();
            let mut results = run();
            for other in others {
                match other.join() {
                    Ok(done) => results.extend(done),
                    // a defect is the caller's to report, as if it had happened on its own thread
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            results
        });
        if stopped.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        results.sort_unstable_by_key(|(index, _)| *index);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whoever_made_them() {
        for threads in [0, 1, 2, 7] {
            let pace = Pace { threads, tick: &|| true };
            assert_eq!(pace.each(1000, |index| index * 2), Ok((0..1000).map(|index| index * 2).collect()));
            assert_eq!(pace.each(0, |index| index), Ok(Vec::new()));
        }
    }

    #[test]
    fn it_ends_soon_after_it_was_called_off() {
        let (ticks, worked) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let tick = || ticks.fetch_add(1, Ordering::Relaxed) < 10;
        let pace = Pace { threads: 2, tick: &tick };
        assert_eq!(pace.each(100_000, |_| worked.fetch_add(1, Ordering::Relaxed)), Err(Interrupted));
        assert!(worked.load(Ordering::Relaxed) < 100_000);
    }
}
