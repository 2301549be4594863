//! Removing the records of conductors that are no more.

use std::sync::Arc;

use super::Inner;
use crate::Error;
use crate::model::ConductorRecord;
use crate::store::{Batch, Expect, Filter, Kind, Op, Query, StoreError};

impl Inner {
    /// Now and then: removes the records of conductors that nobody has heard of for long.
    pub(super) async fn forget_stale_conductors(self: Arc<Self>) {
        let interval = self.config.conductor_cleanup_interval;
        if interval.is_zero() {
            return;
        }
        while self.pause(interval).await {
            match self.remove_stale().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "records of conductors removed"),
                Err(error) => tracing::warn!(%error, "records of conductors could not be removed"),
            }
        }
    }

    async fn remove_stale(&self) -> Result<usize, Error> {
        let context = self.manager.context();
        let conductors = Query::all(Kind::Conductor);
        let conductors = context
            .repository
            .list::<ConductorRecord>(&conductors)
            .await?;
        let limit = context
            .clock
            .now()
            .saturating_sub(self.config.conductor_cleanup_timeout);
        let mut removed = 0;
        for record in conductors {
            if removed >= self.config.conductor_cleanup_batch_size as usize {
                break;
            }
            let heard = record.updated_at.unwrap_or(record.created_at);
            let gone = !record.online || self.membership.is_dead(&record.hostname);
            if !gone || heard > limit || record.hostname == self.config.host {
                continue;
            }
            if self.holds_nodes(&record.hostname).await? {
                // Its name is what its nodes are found by.
                tracing::warn!(conductor = %record.hostname, "long gone, and still holds nodes");
                continue;
            }
            let op = Op::Delete {
                kind: Kind::Conductor,
                id: record.uuid,
                // One that comes back meanwhile stays.
                expect: Expect::Revision(record.revision),
            };
            let batch = Batch {
                fence: None,
                ops: vec![op],
            };
            match context.repository.commit(batch).await {
                Ok(_) => removed += 1,
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(removed)
    }

    async fn holds_nodes(&self, hostname: &str) -> Result<bool, Error> {
        let store = self.manager.context().repository.store();
        let held = store
            .count(Kind::Lock, &Filter::text("holder", hostname))
            .await?;
        Ok(held > 0)
    }
}
