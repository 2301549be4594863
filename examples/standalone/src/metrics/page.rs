use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;
use ironic_core::client::Client;

use super::fleet::Fleet;
use super::{Metrics, process};
use crate::serve::Connections;

/// What Prometheus scrapes.
#[derive(Debug)]
pub(crate) struct Page {
    metrics: Metrics,
    fleet: Fleet,
    connections: Arc<Connections>,
}

impl Page {
    pub(crate) fn new(metrics: Metrics, client: Client, connections: Arc<Connections>) -> Self {
        for (name, help) in [
            ("ironic_build_info", "1, with the version of the program."),
            ("ironic_api_connections", "Connections that there are."),
            (
                "ironic_api_connections_accepted_total",
                "Connections that there have been.",
            ),
            (
                "ironic_api_connections_evicted_total",
                "Connections ended to make room for others.",
            ),
        ] {
            metrics.describe(name, help);
        }
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        metrics.gauge("ironic_build_info", &version).set(1.0);
        Self {
            fleet: Fleet::new(client, metrics.clone()),
            metrics,
            connections,
        }
    }

    /// The page as it is now.
    pub(crate) async fn answer(&self) -> Response {
        self.fleet.count().await;
        process::measure(&self.metrics);
        let count = u32::try_from(self.connections.count()).unwrap_or(u32::MAX);
        let set = |name: &str, count: u64| self.metrics.counter(name, &[]).absolute(count);
        self.metrics
            .gauge("ironic_api_connections", &[])
            .set(f64::from(count));
        set(
            "ironic_api_connections_accepted_total",
            self.connections.accepted(),
        );
        set(
            "ironic_api_connections_evicted_total",
            self.connections.evicted(),
        );
        let media = "text/plain; version=0.0.4; charset=utf-8";
        ([(header::CONTENT_TYPE, media)], self.metrics.render()).into_response()
    }

    /// The page at an address of its own.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        async fn scrape(State(page): State<Arc<Page>>) -> Response {
            page.answer().await
        }
        Router::new()
            .route("/metrics", get(scrape))
            .with_state(Arc::clone(self))
    }
}
