//! Forgetting what happened long ago.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::model::{HistoryEvent, Node};
use crate::store::{Batch, Expect, Kind, Op, Query};

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Inner {
    /// Now and then removes the oldest events of nodes that have too many.
    pub(super) async fn prune_histories(self: Arc<Self>) {
        let config = &self.config;
        let interval = config.node_history_cleanup_interval;
        let kept = config.node_history_max_entries;
        if interval.is_zero() || kept == 0 || config.node_history_cleanup_batch_count == 0 {
            return;
        }
        while self.pause(interval).await {
            if let Err(error) = self.prune_once().await {
                tracing::warn!(%error, "histories could not be pruned");
            }
        }
    }

    async fn prune_once(&self) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let most = self.config.node_history_cleanup_batch_count;
        let mut removed = 0;
        for node in repository.list::<Node>(&Query::all(Kind::Node)).await? {
            if self.membership.owner(&node.value).await.ok().as_ref() != Some(&self.config.host) {
                continue;
            }
            let old = self.too_old(node.uuid).await?;
            if old.is_empty() {
                continue;
            }
            if removed >= most {
                tracing::warn!(
                    removed,
                    "histories are not pruned to the end: node_history_cleanup_batch_count is reached"
                );
                break;
            }
            removed += old.len();
            let gone = |id| Op::Delete {
                kind: Kind::History,
                id,
                expect: Expect::Any,
            };
            let ops = old.into_iter().map(gone).collect();
            repository.commit(Batch { fence: None, ops }).await?;
        }
        Ok(())
    }

    /// The oldest events of the node, but for as many as it keeps, of those that have their
    /// minimum of days behind them.
    async fn too_old(&self, node: Uuid) -> Result<Vec<Uuid>, Error> {
        let context = self.manager.context();
        let events = context
            .repository
            .list_of_node::<HistoryEvent>(node)
            .await?;
        let (now, least) = (
            context.clock.now(),
            DAY.saturating_mul(self.config.node_history_minimum_days),
        );
        let ripe: Vec<_> = events
            .iter()
            .filter(|event| least.is_zero() || now.since(event.created_at) > least)
            .collect();
        let excess = ripe
            .len()
            .saturating_sub(self.config.node_history_max_entries);
        Ok(ripe.into_iter().take(excess).map(|e| e.uuid).collect())
    }
}
