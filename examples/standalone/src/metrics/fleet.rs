use std::collections::BTreeMap;
use std::time::Duration;

use ironic_core::client::Client;
use ironic_core::states::ProvisionState;
use ironic_core::store::{Filter, Kind, Query};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Metrics;

/// How long what the store said is told again, however often it is asked for.
const KEPT: Duration = Duration::from_secs(10);
/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Counts nodes: of the whole fleet, whichever conductor looks after them.
#[derive(Debug)]
pub(super) struct Fleet {
    client: Client,
    metrics: Metrics,
    counted: Mutex<Option<Instant>>,
}

impl Fleet {
    pub(super) fn new(client: Client, metrics: Metrics) -> Self {
        for (name, help) in [
            ("ironic_nodes", "Nodes, by provision state."),
            ("ironic_nodes_maintenance", "Nodes in maintenance."),
            ("ironic_nodes_reserved", "Nodes that a conductor holds."),
            (
                "ironic_conductors",
                "Conductors on record, by whether they live.",
            ),
            (
                "ironic_store_up",
                "Whether the store answered when nodes were counted.",
            ),
        ] {
            metrics.describe(name, help);
        }
        Self {
            client,
            metrics,
            counted: Mutex::new(None),
        }
    }

    /// Counts, unless it was done a moment ago. Who asks meanwhile waits and counts not again.
    pub(super) async fn count(&self) {
        let mut counted = self.counted.lock().await;
        if counted.is_some_and(|at| at.elapsed() < KEPT) {
            return;
        }
        let up = match timeout(PATIENCE, self.ask()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "nodes could not be counted");
                false
            }
            Err(_) => {
                tracing::warn!("nodes could not be counted in time");
                false
            }
        };
        self.metrics
            .gauge("ironic_store_up", &[])
            .set(f64::from(u8::from(up)));
        let conductors = self.client.membership().conductors();
        for (alive, label) in [(true, "true"), (false, "false")] {
            let count = conductors.iter().filter(|(_, lives)| *lives == alive);
            let gauge = self.metrics.gauge("ironic_conductors", &[("alive", label)]);
            gauge.set(number(count.count()));
        }
        *counted = Some(Instant::now());
    }

    async fn ask(&self) -> Result<(), ironic_core::Error> {
        let repository = self.client.repository();
        let nodes = repository.summaries(&Query::all(Kind::Node)).await?;
        let held = Filter::Not(Box::new(Filter::Null("holder".to_owned())));
        let held = repository.store().count(Kind::Lock, &held).await?;
        let mut by_state = BTreeMap::<&str, usize>::new();
        for node in &nodes {
            *by_state.entry(node.provision_state.as_str()).or_default() += 1;
        }
        for state in ProvisionState::ALL {
            let count = by_state.get(state.as_str()).copied().unwrap_or(0);
            let labels = [("provision_state", state.as_str())];
            self.metrics
                .gauge("ironic_nodes", &labels)
                .set(number(count));
        }
        let maintenance = nodes.iter().filter(|node| node.maintenance).count();
        self.metrics
            .gauge("ironic_nodes_maintenance", &[])
            .set(number(maintenance));
        self.metrics
            .gauge("ironic_nodes_reserved", &[])
            .set(number(usize::try_from(held).unwrap_or(usize::MAX)));
        Ok(())
    }
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
