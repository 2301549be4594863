//! Looking for machines that nobody looks for any more.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::model::{Allocation, AllocationState};
use crate::store::{Batch, Compare, Filter, Kind, Query, Scalar, StoreError, put_over};

/// A machine is being looked for, as long as this lives.
#[must_use]
pub(super) struct Search {
    inner: Arc<Inner>,
    allocation: Uuid,
}

impl Drop for Search {
    fn drop(&mut self) {
        Inner::lock(&self.inner.searches).remove(&self.allocation);
    }
}

impl Inner {
    /// Says that a machine is being looked for, unless it is already.
    pub(super) fn search_for(self: &Arc<Self>, allocation: Uuid) -> Option<Search> {
        let new = Self::lock(&self.searches).insert(allocation);
        new.then(|| Search {
            inner: Arc::clone(self),
            allocation,
        })
    }

    /// Goes on with what a conductor was looking for: another one, an earlier life of this one, or
    /// this one, where it does not know of what is in its name. The answer of the write may have
    /// got lost that began a search, and the one have failed that was to end it.
    pub(super) async fn adopt_allocations(self: &Arc<Self>, from: &str) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let filter = Filter::text("state", AllocationState::Allocating.as_str()).and(Filter::Is(
            "conductor".to_owned(),
            Compare::Eq,
            Scalar::String(from.to_owned()),
        ));
        let query = Query::all(Kind::Allocation).filter(filter);
        for stored in repository.list::<Allocation>(&query).await? {
            let Some(search) = self.search_for(stored.value.uuid) else {
                continue;
            };
            let mut mine = stored.value.clone();
            mine.conductor = Some(self.config.host.clone());
            let ops = vec![put_over(&stored, &mine)?];
            match repository.commit(Batch { fence: None, ops }).await {
                Ok(_) => {}
                // Another conductor was faster, or it has been decided.
                Err(StoreError::Conflict { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            tracing::info!(allocation = %mine.uuid, from, "going on with an allocation");
            let inner = Arc::clone(self);
            self.spawn(async move {
                match mine.node_uuid {
                    None => inner.allocate(mine.uuid).await,
                    Some(node) => {
                        if let Err(error) = inner.backfill(mine.uuid, node).await {
                            tracing::warn!(allocation = %mine.uuid, %error, "no machine was claimed");
                        }
                    }
                }
                drop(search);
            });
        }
        Ok(())
    }
}
