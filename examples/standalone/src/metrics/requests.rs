use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};

use super::Metrics;

/// Counts requests, by their method, the template of their path, and the status of their answer.
#[derive(Debug)]
pub(crate) struct Requests {
    metrics: Metrics,
    in_flight: Gauge,
    /// By method.
    known: RwLock<BTreeMap<&'static str, Routes>>,
}

/// By the template of the path and by the status.
type Routes = BTreeMap<String, BTreeMap<u16, Counted>>;

#[derive(Debug, Clone)]
struct Counted {
    answers: Counter,
    durations: Histogram,
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct InFlight<'a>(&'a Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

impl Requests {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        metrics.describe(
            "ironic_api_requests_total",
            "Requests answered, by method, route and status.",
        );
        metrics.describe(
            "ironic_api_request_duration_seconds",
            "Time from the head of a request to its answer.",
        );
        metrics.describe(
            "ironic_api_requests_in_flight",
            "Requests that are being answered.",
        );
        Self {
            metrics: metrics.clone(),
            in_flight: metrics.gauge("ironic_api_requests_in_flight", &[]),
            known: RwLock::default(),
        }
    }

    /// A request has come in.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        self.in_flight.increment(1.0);
        InFlight(&self.in_flight)
    }

    /// A request has been answered.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let (method, status) = (label(method), status.as_u16());
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known
            .get(method)
            .and_then(|routes| routes.get(route)?.get(&status));
        if let Some(counted) = found {
            return counted.count(took);
        }
        drop(known);
        let text = status.to_string();
        let labels = [("method", method), ("route", route)];
        let with_status = [("method", method), ("route", route), ("status", &text)];
        let counted = Counted {
            answers: self
                .metrics
                .counter("ironic_api_requests_total", &with_status),
            durations: self
                .metrics
                .histogram("ironic_api_request_duration_seconds", &labels),
        };
        counted.count(took);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let routes = known.entry(method).or_default();
        let statuses = routes.entry(route.to_owned()).or_default();
        statuses.insert(status, counted);
    }
}

impl Counted {
    fn count(&self, took: Duration) {
        self.answers.increment(1);
        self.durations.record(took.as_secs_f64());
    }
}

/// A method as a label: clients can make up any.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
