//! Nodes move into chassis, none of which may be removed at the same time: both write to it.

use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::Reservation;
use crate::model::{Chassis, Node};
use crate::store::{
    Batch, Fence, Kind, Op, Persistent as _, StoreError, put_new, put_over, rebase,
};

/// How often a write is tried again because somebody wrote to the chassis or the node meanwhile.
const ATTEMPTS: u32 = 32;

impl Inner {
    /// Creates the node, in the chassis that it says.
    pub(super) async fn create_within(&self, node: &Node) -> Result<(), Error> {
        self.check_parent(node).await?;
        for _ in 0..ATTEMPTS {
            let mut ops = vec![put_new(node)?];
            if let Some(chassis) = node.chassis_uuid {
                ops.push(self.entered(chassis).await?);
            }
            match self.try_write(None, ops).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict {
                    kind: Kind::Chassis,
                    ..
                }) => {}
                Err(StoreError::Conflict { id, .. }) => {
                    return Err(Error::AlreadyExists {
                        what: Node::WHAT,
                        key: format!("uuid {id}"),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(conflict(node))
    }

    /// Changes the node, in one write with what else is to be done, and with what its chassis
    /// is to know if it moves into one.
    pub(super) async fn write_node(
        &self,
        held: &Reservation,
        after: &Node,
        further: &[Op],
    ) -> Result<Node, Error> {
        let before = held.node();
        let entered = after
            .chassis_uuid
            .filter(|_| before.chassis_uuid != after.chassis_uuid);
        for _ in 0..ATTEMPTS {
            let stored = self
                .manager
                .context()
                .repository
                .load::<Node>(before.uuid)
                .await?;
            let node = rebase(before, after, &stored.value)?;
            let mut ops = vec![put_over(&stored, &node)?];
            ops.extend_from_slice(further);
            if let Some(chassis) = entered {
                ops.push(self.entered(chassis).await?);
            }
            match self.try_write(Some(held.fence()), ops).await {
                Ok(()) => return Ok(node),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(conflict(after))
    }

    /// The write to a chassis by which whoever would remove it sees that a node has moved in.
    async fn entered(&self, chassis: Uuid) -> Result<Op, Error> {
        let repository = &self.manager.context().repository;
        let stored = repository.get::<Chassis>(chassis).await?;
        let stored = stored
            .ok_or_else(|| Error::invalid(format!("chassis {chassis} could not be found")))?;
        put_over(&stored, &stored.value)
    }

    /// A node is part of another that is there.
    pub(super) async fn check_parent(&self, node: &Node) -> Result<(), Error> {
        let Some(parent) = node.parent_node else {
            return Ok(());
        };
        let repository = &self.manager.context().repository;
        if parent != node.uuid && repository.get::<Node>(parent).await?.is_some() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "parent_node {parent} is no other node"
        )))
    }

    async fn try_write(&self, fence: Option<Fence>, ops: Vec<Op>) -> Result<(), StoreError> {
        let repository = &self.manager.context().repository;
        repository.commit(Batch { fence, ops }).await.map(|_| ())
    }
}

fn conflict(node: &Node) -> Error {
    Error::Conflict {
        what: Node::WHAT,
        id: node.uuid.to_string(),
    }
}
