//! Claims on machines: found, held, and given up.

mod search;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::Inner;
use super::records::{answer, changed};
use super::update::{is_at_rest, not_now};
use crate::driver::Reservation;
use crate::model::{Allocation, AllocationState, Node};
use crate::states::ProvisionState;
use crate::store::{Batch, Expect, Kind, Op, Persistent as _, StoreError, Stored, put_over};
use crate::transport::{Change, Response};
use crate::{Error, ErrorKind};

/// How often a write is tried again because somebody wrote without the lock meanwhile.
const ATTEMPTS: u32 = 8;

impl Inner {
    /// Begins to look for a machine, or claims the one that is named.
    pub(super) async fn create_allocation(
        self: &Arc<Self>,
        mut allocation: Allocation,
    ) -> Result<Response, Error> {
        let worker = self.worker()?;
        let repository = &self.manager.context().repository;
        let node = allocation.node_uuid.take();
        if let Some(node) = node {
            let node = repository.load::<Node>(node).await?.value;
            let class = node.resource_class;
            allocation.resource_class = allocation.resource_class.or(class);
        } else if allocation.resource_class.is_none() {
            return Err(Error::missing(
                "resource_class is needed unless the node is named",
            ));
        }
        for candidate in &allocation.candidate_nodes {
            repository.load::<Node>(*candidate).await?;
        }
        allocation.state = AllocationState::Allocating;
        allocation.last_error = None;
        allocation.conductor = Some(self.config.host.clone());
        allocation.node_uuid = node;
        let id = allocation.uuid;
        let search = self.search_for(id);
        repository.create(&allocation).await?;
        if let Some(node) = node {
            return self.backfill(id, node).await.map(answer);
        }
        let inner = Arc::clone(self);
        self.spawn(async move {
            inner.allocate(id).await;
            drop((worker, search));
        });
        Ok(answer(allocation))
    }

    pub(super) async fn update_allocation(
        &self,
        id: Uuid,
        changes: &[Change],
    ) -> Result<Response, Error> {
        let context = self.manager.context();
        let now = context.clock.now();
        let (allocation, ()) = context
            .repository
            .update::<Allocation, ()>(id, None, |allocation| {
                *allocation = changed(allocation, changes, now)?;
                Ok(())
            })
            .await?;
        Ok(answer(allocation))
    }

    /// What a change of the node's record means to the allocation that has it: what else is to be
    /// written.
    pub(super) async fn allocation_in(
        &self,
        before: &Node,
        after: &mut Node,
    ) -> Result<Vec<Op>, Error> {
        let Some(id) = before.allocation_uuid else {
            return Ok(Vec::new());
        };
        if before.owner != after.owner {
            let repository = &self.manager.context().repository;
            let allocation = repository.get::<Allocation>(id).await?;
            if allocation.is_some_and(|allocation| allocation.owner.is_some()) {
                return Err(Error::StateConflict {
                    message: format!(
                        "the owner of node {} cannot be changed: its allocation {id} has an owner too",
                        before.label()
                    ),
                });
            }
        }
        if after.instance_uuid.is_some() {
            return Ok(Vec::new());
        }
        if !before.maintenance && !is_at_rest(before) {
            return Err(not_now(before, "the instance of its allocation"));
        }
        after.allocation_uuid = None;
        Ok(vec![Op::Delete {
            kind: Kind::Allocation,
            id,
            expect: Expect::Any,
        }])
    }

    /// Gives a claim up, and with it the machine.
    pub(super) async fn destroy_allocation(self: &Arc<Self>, id: Uuid) -> Result<Response, Error> {
        for _ in 0..ATTEMPTS {
            let repository = &self.manager.context().repository;
            let stored = repository.load::<Allocation>(id).await?;
            let gone = Op::Delete {
                kind: Kind::Allocation,
                id,
                expect: Expect::Revision(stored.revision),
            };
            let done = match stored.value.node_uuid {
                Some(node) => {
                    let held = self.reserve(node, "allocation deletion").await?;
                    let done = self.let_go(&held, id, gone).await;
                    self.hand_back(held).await?;
                    done
                }
                None => {
                    let ops = vec![gone];
                    let done = repository.commit(Batch { fence: None, ops }).await;
                    done.map(|_| ()).map_err(Error::from)
                }
            };
            match done {
                Ok(()) => return Ok(Response::Done),
                // It has got a machine, or another fact has come, since it was read.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(conflict(id))
    }

    async fn let_go(&self, held: &Reservation, id: Uuid, gone: Op) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let stored = repository.load::<Node>(held.node().uuid).await?;
        let mut ops = vec![gone];
        if stored.value.allocation_uuid == Some(id) {
            may_let_go(&stored.value, id)?;
            let mut node = stored.value.clone();
            node.allocation_uuid = None;
            node.instance_uuid = None;
            node.updated_at = Some(self.manager.context().clock.now());
            ops.push(put_over(&stored, &node)?);
        }
        self.write(held, ops).await
    }

    /// Gives the machine to the allocation, in one write; false when it does not suit.
    async fn claim(
        &self,
        held: &Reservation,
        allocation: &Stored<Allocation>,
        suits: impl Fn(&Node, &BTreeSet<String>, &Allocation) -> Result<(), String>,
    ) -> Result<bool, Error> {
        let context = self.manager.context();
        for _ in 0..ATTEMPTS {
            let stored = context.repository.load::<Node>(held.node().uuid).await?;
            let traits = context.repository.trait_names(held.node().uuid).await?;
            if let Err(reason) = suits(&stored.value, &traits, &allocation.value) {
                tracing::debug!(node = %held.node().uuid, reason, "not for this allocation");
                return Ok(false);
            }
            let (node, active) = joined(&stored.value, &allocation.value, context.clock.now());
            let ops = vec![put_over(&stored, &node)?, put_over(allocation, &active)?];
            let fence = Some(held.fence());
            match context.repository.commit(Batch { fence, ops }).await {
                Ok(_) => return Ok(true),
                Err(StoreError::Conflict {
                    kind: Kind::Node, ..
                }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(conflict(held.node().uuid))
    }

    /// Claims a machine that is in use already, as it is.
    pub(super) async fn backfill(
        self: &Arc<Self>,
        id: Uuid,
        node: Uuid,
    ) -> Result<Allocation, Error> {
        let done = self.try_backfill(id, node).await;
        if let Err(error) = &done {
            self.allocation_failed(id, error).await?;
        }
        done
    }

    async fn try_backfill(self: &Arc<Self>, id: Uuid, node: Uuid) -> Result<Allocation, Error> {
        let repository = &self.manager.context().repository;
        let stored = repository.load::<Allocation>(id).await?;
        let held = self.reserve(node, "allocation backfilling").await?;
        let claimed = self.claim_active(&held, &stored).await;
        self.hand_back(held).await?;
        claimed?;
        Ok(repository.load::<Allocation>(id).await?.value)
    }

    async fn claim_active(
        &self,
        held: &Reservation,
        allocation: &Stored<Allocation>,
    ) -> Result<(), Error> {
        let node = held.node();
        let traits = self
            .manager
            .context()
            .repository
            .trait_names(node.uuid)
            .await?;
        if let Err(reason) = is_claimable(node, &traits, &allocation.value) {
            return Err(no_host(format!(
                "node {} cannot be allocated as it is: {reason}",
                node.label()
            )));
        }
        let other = node.instance_uuid.filter(|id| *id != allocation.uuid);
        if let Some(instance) = other {
            return Err(Error::Associated {
                node: node.uuid,
                instance: instance.to_string(),
            });
        }
        if self.claim(held, allocation, is_claimable).await? {
            return Ok(());
        }
        Err(conflict(node.uuid))
    }
}

/// The node and the allocation as they are once they have each other.
fn joined(node: &Node, allocation: &Allocation, now: crate::Timestamp) -> (Node, Allocation) {
    let (mut node, mut active) = (node.clone(), allocation.clone());
    node.allocation_uuid = Some(active.uuid);
    node.instance_uuid = Some(active.uuid);
    let traits = active.traits.iter().cloned().map(Value::String).collect();
    node.instance_info
        .insert("traits".to_owned(), Value::Array(traits));
    node.updated_at = Some(now);
    active.node_uuid = Some(node.uuid);
    active.state = AllocationState::Active;
    active.updated_at = Some(now);
    (node, active)
}

/// Whether an allocation may claim a machine that is in use.
fn is_claimable(
    node: &Node,
    traits: &BTreeSet<String>,
    allocation: &Allocation,
) -> Result<(), String> {
    if node.provision_state != ProvisionState::Active {
        return Err(format!(
            "it is in state \"{}\", not \"active\"",
            node.provision_state
        ));
    }
    let candidates = &allocation.candidate_nodes;
    if !candidates.is_empty() && !candidates.contains(&node.uuid) {
        return Err("it is not among the candidate nodes".to_owned());
    }
    matches(node, traits, allocation)
}

fn matches(node: &Node, traits: &BTreeSet<String>, allocation: &Allocation) -> Result<(), String> {
    if allocation.resource_class.is_some() && node.resource_class != allocation.resource_class {
        return Err("its resource class is another".to_owned());
    }
    match allocation
        .traits
        .iter()
        .find(|name| !traits.contains(*name))
    {
        Some(name) => Err(format!("it lacks the trait {name}")),
        None => Ok(()),
    }
}

/// Whether the allocation may give the node up.
fn may_let_go(node: &Node, allocation: Uuid) -> Result<(), Error> {
    if node.maintenance {
        return Ok(());
    }
    let state = node.provision_state;
    let busy = node.target_provision_state.is_some() && !state.allows_update();
    if busy || state == ProvisionState::Active {
        return Err(Error::StateConflict {
            message: format!(
                "allocation {allocation} cannot be removed while node {} is in state \"{state}\": undeploy it first, or put it into maintenance",
                node.label()
            ),
        });
    }
    Ok(())
}

fn no_host(reason: String) -> Error {
    Error::NoValidHost { reason }
}

fn conflict(id: Uuid) -> Error {
    Error::Conflict {
        what: Allocation::WHAT,
        id: id.to_string(),
    }
}
