//! Figures that are no benchmark of criterion's: few runs of much, for plots.

use std::time::{Duration, Instant};

/// How long one figure is measured at least.
const AT_LEAST: Duration = Duration::from_millis(1500);

/// Seconds that the work takes: the median of at least three runs after one that does not count.
pub(crate) fn seconds(mut work: impl FnMut()) -> f64 {
    work();
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < 3 || began.elapsed() < AT_LEAST {
        let began = Instant::now();
        work();
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
