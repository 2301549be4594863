//! Nodes and ports come and go.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::Reservation;
use crate::flow::Flow;
use crate::model::{
    Allocation, BiosSetting, FirmwareComponent, HistoryEvent, Inventory, Lock, Node, NodeTrait,
    Port, Portgroup, VolumeConnector, VolumeTarget,
};
use crate::states::ProvisionState;
use crate::store::{Batch, Expect, Fence, Filter, Kind, Op, Persistent, Query, put_new};
use crate::task::Patience;
use crate::transport::Response;

impl Inner {
    /// Enrols a node: it must have a driver that can be made.
    pub(super) async fn create_node(self: &Arc<Self>, mut node: Node) -> Result<Response, Error> {
        let context = self.manager.context();
        if node.uuid.is_nil() {
            node.uuid = context.entropy.uuid();
        }
        let fresh = matches!(
            node.provision_state,
            ProvisionState::Enroll | ProvisionState::Available
        );
        if !fresh || node.target_provision_state.is_some() {
            return Err(Error::invalid(
                "a new node is in state \"enroll\" or \"available\", without a target",
            ));
        }
        super::update::check_fields(&mut node)?;
        // A default that changes later changes no node.
        let registry = self.manager.registry();
        node.interfaces = registry.resolve(&node.driver, &node.interfaces)?.into();
        self.manager.compose(&node)?;
        let now = context.clock.now();
        node.created_at = now;
        node.provision_updated_at = None;
        node.conductor = None;
        self.create_within(&node).await?;
        self.begin_power_sync(node.uuid);
        Ok(Response::Node {
            node: Box::new(node),
        })
    }

    /// Removes a node and everything that belongs to it.
    pub(super) async fn destroy_node(self: &Arc<Self>, id: Uuid) -> Result<Response, Error> {
        let repository = &self.manager.context().repository;
        let node = repository.load::<Node>(id).await?.value;
        if node.console_enabled {
            self.may_destroy(&node)?;
            self.stop_console_of(&node).await?;
        }
        let mut held = self.reserve(id, "node removal").await?;
        let node = held.node().clone();
        if let Err(error) = self.may_destroy(&node) {
            self.hand_back(held).await?;
            return Err(error);
        }
        let repository = &self.manager.context().repository;
        let mut ops = vec![
            gone::<Node>(id),
            gone::<Flow>(id),
            gone::<Lock>(id),
            gone::<Inventory>(id),
        ];
        self.collect::<Port>(id, &mut ops).await?;
        self.collect::<Portgroup>(id, &mut ops).await?;
        self.collect::<NodeTrait>(id, &mut ops).await?;
        self.collect::<VolumeConnector>(id, &mut ops).await?;
        self.collect::<VolumeTarget>(id, &mut ops).await?;
        self.collect::<BiosSetting>(id, &mut ops).await?;
        self.collect::<FirmwareComponent>(id, &mut ops).await?;
        self.collect::<Allocation>(id, &mut ops).await?;
        self.collect::<HistoryEvent>(id, &mut ops).await?;
        repository
            .commit(Batch {
                fence: Some(held.fence()),
                ops,
            })
            .await?;
        held.forget_lock();
        self.forget(id);
        Ok(Response::Done)
    }

    async fn collect<T: Persistent>(&self, node: Uuid, ops: &mut Vec<Op>) -> Result<(), Error> {
        let query = Query::all(T::KIND)
            .filter(Filter::text("node_uuid", node.to_string()))
            .fields(vec!["uuid".into()]);
        for record in self
            .manager
            .context()
            .repository
            .store()
            .list(&query)
            .await?
        {
            ops.push(Op::Delete {
                kind: T::KIND,
                id: record.id,
                expect: Expect::Any,
            });
        }
        Ok(())
    }

    fn may_destroy(&self, node: &Node) -> Result<(), Error> {
        if let Some(instance) = node.instance_uuid.filter(|_| !node.maintenance) {
            return Err(Error::Associated {
                node: node.uuid,
                instance: instance.to_string(),
            });
        }
        if node.protected {
            return Err(Error::Protected { node: node.uuid });
        }
        if node.maintenance {
            return Ok(());
        }
        let state = node.provision_state;
        if !state.allows_delete(self.config.policy.allow_deleting_available_nodes) {
            return Err(Error::StateConflict {
                message: format!(
                    "cannot delete node {} while it is in provision state \"{state}\": undeploy or manage it first, or put it into maintenance",
                    node.label()
                ),
            });
        }
        Ok(())
    }

    pub(super) async fn create_port(self: &Arc<Self>, mut port: Port) -> Result<Response, Error> {
        let context = self.manager.context();
        if port.uuid.is_nil() {
            port.uuid = context.entropy.uuid();
        }
        port.created_at = context.clock.now();
        let held = self.reserve(port.node_uuid, "port creation").await?;
        let added = self.add_port(&held, &port).await;
        self.hand_back(held).await?;
        added?;
        Ok(Response::Port {
            port: Box::new(port),
        })
    }

    async fn add_port(&self, held: &Reservation, port: &Port) -> Result<(), Error> {
        self.check_port(held, None, port).await?;
        self.write(held, vec![put_new(port)?]).await
    }

    pub(super) async fn destroy_port(
        self: &Arc<Self>,
        node: Uuid,
        port: Uuid,
    ) -> Result<Response, Error> {
        let held = self.reserve(node, "port deletion").await?;
        let removed = self.remove_port(held.fence(), port).await;
        self.hand_back(held).await?;
        removed.map(|()| Response::Done)
    }

    async fn remove_port(&self, fence: Fence, id: Uuid) -> Result<(), Error> {
        let repository = &self.manager.context().repository;
        let port = repository.load::<Port>(id).await?;
        if port.node_uuid != fence.node {
            return Err(Error::not_found("port", id));
        }
        let batch = Batch {
            fence: Some(fence),
            ops: vec![gone::<Port>(id)],
        };
        repository.commit(batch).await?;
        Ok(())
    }

    /// A node for a change of its record, whatever its driver.
    pub(super) async fn reserve(&self, node: Uuid, purpose: &str) -> Result<Reservation, Error> {
        self.manager
            .reserve(node, purpose, Patience::Configured)
            .await
    }

    /// Gives a reserved node back, and listens to an agent that called meanwhile.
    pub(super) async fn hand_back(self: &Arc<Self>, held: Reservation) -> Result<(), Error> {
        let node = held.node().uuid;
        self.manager.unreserve(held).await?;
        self.follow_up(node);
        Ok(())
    }
}

fn gone<T: Persistent>(id: Uuid) -> Op {
    debug_assert_ne!(T::KIND, Kind::Conductor);
    Op::Delete {
        kind: T::KIND,
        id,
        expect: Expect::Any,
    }
}
