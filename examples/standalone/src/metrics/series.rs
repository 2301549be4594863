use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::HistogramFn;

/// One series of numbers: a family's, for one set of labels.
#[derive(Debug, Clone)]
pub(super) enum Series {
    Counter(Arc<AtomicU64>),
    /// The bits of a 64-bit float.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

/// How often values of up to each bound were seen.
#[derive(Debug)]
pub(super) struct Buckets {
    bounds: &'static [f64],
    /// One for each bound, and one for what is above all of them.
    counts: Box<[AtomicU64]>,
    /// The bits of a 64-bit float.
    sum: AtomicU64,
}

/// What takes moments, in seconds.
const MOMENTS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];
/// What machines take for what is done to them, in seconds.
const MACHINE_TIMES: &[f64] = &[
    0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0,
    14400.0,
];

impl Buckets {
    pub(super) fn new(name: &str) -> Self {
        let long = name.contains("_flow_") || name.contains("_step_");
        let bounds = if long { MACHINE_TIMES } else { MOMENTS };
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Writes the lines of a histogram. `labels` is empty, or ends with a comma.
    fn write(&self, text: &mut String, name: &str, labels: &str) {
        let mut count = 0;
        let bounds = self.bounds.iter().map(f64::to_string);
        let bounds = bounds.chain(["+Inf".to_owned()]);
        for (bound, seen) in bounds.zip(&self.counts) {
            count += seen.load(Ordering::Relaxed);
            let _ = writeln!(text, "{name}_bucket{{{labels}le=\"{bound}\"}} {count}");
        }
        let sum = f64::from_bits(self.sum.load(Ordering::Relaxed));
        line(text, &format!("{name}_sum"), labels, sum);
        line(text, &format!("{name}_count"), labels, count);
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        let _ = self
            .sum
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

impl Series {
    /// Writes the lines of this series. `labels` is empty, or ends with a comma.
    pub(super) fn write(&self, text: &mut String, name: &str, labels: &str) {
        match self {
            Self::Counter(count) => line(text, name, labels, count.load(Ordering::Relaxed)),
            Self::Gauge(bits) => {
                line(
                    text,
                    name,
                    labels,
                    f64::from_bits(bits.load(Ordering::Relaxed)),
                );
            }
            Self::Histogram(buckets) => buckets.write(text, name, labels),
        }
    }
}

/// Writes one sample (Prometheus text format 0.0.4).
fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let labels = labels.trim_end_matches(',');
    let _ = match labels.is_empty() {
        true => writeln!(text, "{name} {value}"),
        false => writeln!(text, "{name}{{{labels}}} {value}"),
    };
}
