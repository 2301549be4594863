use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ironic_core::testing::{Bug, FleetReport, run_fleet};

use crate::args::Asked;
use crate::bar::Bar;

/// Simulates seed after seed, on every processor, until one fails; the first that does, if any.
pub(crate) fn search(
    asked: &Asked,
    seeds: u64,
    bug: Option<Bug>,
    bar: &Mutex<Bar>,
) -> Result<Option<(u64, FleetReport)>> {
    let (next, done, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let failed = Mutex::new(BTreeMap::new());
    let phase = bug.map_or("seeds", Bug::as_str);
    let work = || -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= seeds {
                return Ok(());
            }
            let seed = asked.seed.wrapping_add(number);
            let report = run_fleet(&asked.settings(seed, bug), &mut |_| {})?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
            bar.show(phase, usize_of(done), usize_of(seeds), "");
            drop(bar);
            if !report.is_well() {
                stop.store(true, Ordering::Relaxed);
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.insert(number, (seed, report));
            }
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let panicked = |_| Error::other("a simulation panicked");
            worker.join().map_err(panicked)??;
        }
        Ok::<(), Error>(())
    })?;
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(failed.into_values().next())
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
