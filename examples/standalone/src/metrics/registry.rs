use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use super::series::{Buckets, Series};

/// How many series a family has at most. Labels are of closed sets; should one ever not be, it
/// costs no more than this.
const MOST_SERIES: usize = 4096;

/// Numbers of what a process does, as Prometheus reads them.
///
/// A host counts requests in it. [`Metrics::install`] makes it the recorder of the whole process,
/// so that what conductors count comes into it as well.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<RwLock<BTreeMap<String, Family>>>);

#[derive(Debug)]
struct Family {
    help: String,
    sort: Sort,
    /// By their labels as they are written.
    series: BTreeMap<String, Series>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Counter,
    Gauge,
    Histogram,
    /// Described, and never counted yet.
    Unknown,
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes this the recorder of the whole process. False if there is one already.
    #[must_use]
    pub fn install(&self) -> bool {
        let installed = metrics::set_global_recorder(self.clone()).is_ok();
        if installed {
            ironic_core::metrics::describe();
        }
        installed
    }

    /// Says what a family is about.
    pub(super) fn describe(&self, name: &str, help: &str) {
        let name = sanitised(name);
        let mut families = self.families();
        let family = families.entry(name).or_insert_with(Family::new);
        help.clone_into(&mut family.help);
    }

    /// A series that only rises.
    pub(crate) fn counter(&self, name: &str, labels: &[(&str, &str)]) -> Counter {
        let new = || Series::Counter(Arc::new(AtomicU64::new(0)));
        match self.series(name, labels.iter().copied(), Sort::Counter, new) {
            Some(Series::Counter(count)) => Counter::from_arc(count),
            _ => Counter::noop(),
        }
    }

    /// A series that rises and falls.
    pub(crate) fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> Gauge {
        let new = || Series::Gauge(Arc::new(AtomicU64::new(0)));
        match self.series(name, labels.iter().copied(), Sort::Gauge, new) {
            Some(Series::Gauge(bits)) => Gauge::from_arc(bits),
            _ => Gauge::noop(),
        }
    }

    /// A series that tells how values are distributed.
    pub(crate) fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> Histogram {
        let new = || Series::Histogram(Arc::new(Buckets::new(name)));
        match self.series(name, labels.iter().copied(), Sort::Histogram, new) {
            Some(Series::Histogram(buckets)) => Histogram::from_arc(buckets),
            _ => Histogram::noop(),
        }
    }

    fn families(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Family>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series of this name and these labels. None where the name stands for something of
    /// another sort, or has too many series.
    fn series<'a>(
        &self,
        name: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        sort: Sort,
        new: impl FnOnce() -> Series,
    ) -> Option<Series> {
        let labels = written(labels);
        let mut families = self.families();
        let family = families.entry(sanitised(name)).or_insert_with(Family::new);
        if family.sort == Sort::Unknown {
            family.sort = sort;
        }
        if family.sort != sort {
            return None;
        }
        if let Some(series) = family.series.get(&labels) {
            return Some(series.clone());
        }
        if family.series.len() >= MOST_SERIES {
            return None;
        }
        let series = new();
        family.series.insert(labels, series.clone());
        Some(series)
    }

    /// Everything in the text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        let families = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (name, family) in &*families {
            let sort = match family.sort {
                Sort::Counter => "counter",
                Sort::Gauge => "gauge",
                Sort::Histogram => "histogram",
                Sort::Unknown => continue,
            };
            if !family.help.is_empty() {
                let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
                let _ = writeln!(text, "# HELP {name} {help}");
            }
            let _ = writeln!(text, "# TYPE {name} {sort}");
            for (labels, series) in &family.series {
                series.write(&mut text, name, labels);
            }
        }
        text
    }
}

impl Family {
    fn new() -> Self {
        Self {
            help: String::new(),
            sort: Sort::Unknown,
            series: BTreeMap::new(),
        }
    }
}

impl Recorder for Metrics {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(name.as_str(), &help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(name.as_str(), &help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(name.as_str(), &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.counter(key.name(), &labels_of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.gauge(key.name(), &labels_of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.histogram(key.name(), &labels_of(key))
    }
}

fn labels_of(key: &Key) -> Vec<(&str, &str)> {
    key.labels()
        .map(|label| (label.key(), label.value()))
        .collect()
}

/// Labels as they stand in a line, each with a comma after it.
fn written<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let _ = write!(text, "{}=\"{value}\",", sanitised(name));
    }
    text
}

/// A name with nothing in it that Prometheus does not take.
fn sanitised(name: &str) -> String {
    let mut sanitised: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if sanitised.starts_with(|c: char| c.is_ascii_digit()) {
        sanitised.insert(0, '_');
    }
    sanitised
}

#[cfg(test)]
mod tests {
    use super::{MOST_SERIES, Metrics};

    #[test]
    fn numbers_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::new();
        metrics.describe("a_total", "Of \\ and\nlines.");
        metrics
            .counter("a_total", &[("x", "q\"\\\n"), ("y", "2")])
            .increment(3);
        metrics
            .counter("a_total", &[("x", "q\"\\\n"), ("y", "2")])
            .increment(1);
        metrics.gauge("b.c", &[]).set(-1.5);
        let seconds = metrics.histogram("d_seconds", &[("m", "GET")]);
        for value in [0.0001, 0.001, 0.02, 100.0] {
            seconds.record(value);
        }
        let text = metrics.render();
        for line in [
            "# HELP a_total Of \\\\ and\\nlines.",
            "# TYPE a_total counter",
            "a_total{x=\"q\\\"\\\\\\n\",y=\"2\"} 4",
            "# TYPE b_c gauge",
            "b_c -1.5",
            "# TYPE d_seconds histogram",
            "d_seconds_bucket{m=\"GET\",le=\"0.0005\"} 1",
            "d_seconds_bucket{m=\"GET\",le=\"0.001\"} 2",
            "d_seconds_bucket{m=\"GET\",le=\"0.025\"} 3",
            "d_seconds_bucket{m=\"GET\",le=\"60\"} 3",
            "d_seconds_bucket{m=\"GET\",le=\"+Inf\"} 4",
            "d_seconds_sum{m=\"GET\"} 100.0211",
            "d_seconds_count{m=\"GET\"} 4",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\nis not in\n{text}");
        }
    }

    #[test]
    fn no_label_makes_it_grow_without_end() {
        let metrics = Metrics::new();
        for at in 0..2 * MOST_SERIES {
            metrics
                .counter("a", &[("at", &at.to_string())])
                .increment(1);
        }
        assert_eq!(metrics.render().lines().count(), 1 + MOST_SERIES);
    }

    #[test]
    fn a_name_stands_for_one_sort() {
        let metrics = Metrics::new();
        metrics.counter("a", &[]).increment(1);
        metrics.gauge("a", &[]).set(7.0);
        assert_eq!(metrics.render(), "# TYPE a counter\na 1\n");
    }
}
