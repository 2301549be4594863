use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Client, unexpected};
use crate::Error;
use crate::engine::{self, Plan};
use crate::flow::{Blocked, Flow};
use crate::model::{HistoryEvent, Lock, Node, NodeSummary, Port};
use crate::states::{BootDevice, InterfaceKind, PowerTarget, Verb};
use crate::store::Query;
use crate::transport::{BootDeviceSetting, Call, Change, ProvisionArgs, Response, Validation};

impl Client {
    /// Enrols a node; a nil uuid is replaced by a new one.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when its uuid, name or instance is taken;
    /// [`Error::InvalidParameter`] when no driver can be made for it;
    /// [`Error::NoValidHost`] when no conductor serves its hardware type.
    pub async fn create_node(&self, node: Node) -> Result<Node, Error> {
        let call = Call::CreateNode {
            node: Box::new(node.clone()),
        };
        match self.ask_for(&node, call).await? {
            Response::Node { node } => Ok(*node),
            other => Err(unexpected(&other)),
        }
    }

    /// The node of this identity.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn node(&self, id: Uuid) -> Result<Node, Error> {
        Ok(self.repository.load::<Node>(id).await?.value)
    }

    /// The node of this uuid or name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find_node(&self, ident: &str) -> Result<Node, Error> {
        self.find_record(ident).await
    }

    /// The nodes that match.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a marker that does not exist; what the store answers.
    pub async fn nodes(&self, query: &Query) -> Result<Vec<Node>, Error> {
        Ok(self
            .repository
            .list::<Node>(query)
            .await?
            .into_iter()
            .map(|node| node.value)
            .collect())
    }

    /// The nodes that match, as lists show them: costs a part of what whole nodes do.
    ///
    /// # Errors
    /// As [`Client::nodes`].
    pub async fn node_summaries(&self, query: &Query) -> Result<Vec<NodeSummary>, Error> {
        self.repository.summaries(query).await
    }

    /// Who holds the node, if anybody does.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn reservation(&self, node: Uuid) -> Result<Option<String>, Error> {
        Ok(self
            .repository
            .get::<Lock>(node)
            .await?
            .and_then(|lock| lock.value.holder))
    }

    /// What is going on with the node.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn flow(&self, node: Uuid) -> Result<Option<Flow>, Error> {
        Ok(self
            .repository
            .get::<Flow>(node)
            .await?
            .map(|flow| flow.value))
    }

    /// The node's history, oldest first.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn history(&self, node: Uuid) -> Result<Vec<HistoryEvent>, Error> {
        let events = self.repository.list_of_node::<HistoryEvent>(node).await?;
        Ok(events.into_iter().map(|event| event.value).collect())
    }

    /// Changes a node: all of the changes or none.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] names the change at fault; [`Error::NodeLocked`];
    /// [`Error::StateConflict`] where the node's state forbids it.
    pub async fn update_node(&self, node: Uuid, changes: Vec<Change>) -> Result<Node, Error> {
        // Where no conductor serves the driver that the node has, one that serves the driver that
        // it is to have.
        let mut record = self.node(node).await?;
        let served = self.membership.owner(&record).await.is_ok();
        if let Some(driver) = changes
            .iter()
            .rev()
            .find_map(new_driver)
            .filter(|_| !served)
        {
            driver.clone_into(&mut record.driver);
        }
        match self
            .ask_keeper(&record, Call::UpdateNode { node, changes })
            .await?
        {
            Response::Node { node } => Ok(*node),
            other => Err(unexpected(&other)),
        }
    }

    /// Removes a node and everything that belongs to it.
    ///
    /// # Errors
    /// [`Error::StateConflict`], [`Error::Associated`] or [`Error::Protected`] say why not.
    pub async fn delete_node(&self, node: Uuid) -> Result<(), Error> {
        let record = self.node(node).await?;
        match self.ask_keeper(&record, Call::DestroyNode { node }).await? {
            Response::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Does something with the node's life; returns when it has begun.
    ///
    /// # Errors
    /// [`Error::InvalidState`] when the verb does not fit the node's state; what the interfaces
    /// that it needs say; [`Error::NodeLocked`]; [`Error::NoFreeWorker`].
    pub async fn provision(
        &self,
        node: Uuid,
        verb: Verb,
        args: ProvisionArgs,
    ) -> Result<(), Error> {
        self.done(node, Call::Provision { node, verb, args }).await
    }

    /// Says what a verb would do, without doing it.
    ///
    /// # Errors
    /// As [`Client::provision`].
    pub async fn plan(&self, node: Uuid, verb: Verb, args: ProvisionArgs) -> Result<Plan, Error> {
        match self.ask(node, Call::Plan { node, verb, args }).await? {
            Response::Plan { plan } => Ok(*plan),
            other => Err(unexpected(&other)),
        }
    }

    /// Says why the node does not move; `None` when it rests where it should.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn explain(&self, node: Uuid) -> Result<Option<Blocked>, Error> {
        let record = self.node(node).await?;
        let flow = self.flow(node).await?;
        let lock = self.repository.get::<Lock>(node).await?;
        Ok(engine::explain(
            &record,
            flow.as_ref(),
            lock.as_ref().map(|lock| &lock.value),
        ))
    }

    /// Switches power; returns when that has begun.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for what the power interface cannot do; [`Error::NodeLocked`].
    pub async fn set_power(
        &self,
        node: Uuid,
        target: PowerTarget,
        timeout: Option<u64>,
    ) -> Result<(), Error> {
        self.done(
            node,
            Call::SetPower {
                node,
                target,
                timeout,
            },
        )
        .await
    }

    /// Puts the node into maintenance, or takes it out.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn set_maintenance(
        &self,
        node: Uuid,
        on: bool,
        reason: Option<String>,
    ) -> Result<(), Error> {
        self.done(node, Call::SetMaintenance { node, on, reason })
            .await
    }

    /// Asks every interface whether it has what it needs.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn validate(&self, node: Uuid) -> Result<BTreeMap<InterfaceKind, Validation>, Error> {
        match self.ask(node, Call::Validate { node }).await? {
            Response::Validation { results } => Ok(results),
            other => Err(unexpected(&other)),
        }
    }

    /// What the machine boots from.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    pub async fn boot_device(&self, node: Uuid) -> Result<BootDeviceSetting, Error> {
        match self.ask(node, Call::GetBootDevice { node }).await? {
            Response::BootDevice { setting } => Ok(setting),
            other => Err(unexpected(&other)),
        }
    }

    /// What the machine could boot from.
    ///
    /// # Errors
    /// When the BMC does not answer or refuses.
    pub async fn supported_boot_devices(&self, node: Uuid) -> Result<Vec<BootDevice>, Error> {
        match self.ask(node, Call::SupportedBootDevices { node }).await? {
            Response::BootDevices { devices } => Ok(devices),
            other => Err(unexpected(&other)),
        }
    }

    /// Sets what the machine boots from: for every boot, or for the next.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for what the machine does not support; else as `boot_device`.
    pub async fn set_boot_device(
        &self,
        node: Uuid,
        device: BootDevice,
        persistent: bool,
    ) -> Result<(), Error> {
        self.done(
            node,
            Call::SetBootDevice {
                node,
                device,
                persistent,
            },
        )
        .await
    }

    /// Adds a port to its node; a nil uuid is replaced by a new one.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when its address is taken; [`Error::NotFound`] without its node.
    pub async fn create_port(&self, port: Port) -> Result<Port, Error> {
        let node = port.node_uuid;
        match self
            .ask(
                node,
                Call::CreatePort {
                    port: Box::new(port),
                },
            )
            .await?
        {
            Response::Port { port } => Ok(*port),
            other => Err(unexpected(&other)),
        }
    }

    /// The port of this identity.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn port(&self, id: Uuid) -> Result<Port, Error> {
        Ok(self.repository.load::<Port>(id).await?.value)
    }

    /// The ports that match.
    ///
    /// # Errors
    /// As [`Client::nodes`].
    pub async fn ports(&self, query: &Query) -> Result<Vec<Port>, Error> {
        Ok(self
            .repository
            .list::<Port>(query)
            .await?
            .into_iter()
            .map(|port| port.value)
            .collect())
    }

    /// Changes a port: all of the changes or none.
    ///
    /// # Errors
    /// As [`Client::update_node`].
    pub async fn update_port(&self, id: Uuid, changes: Vec<Change>) -> Result<Port, Error> {
        let node = self.port(id).await?.node_uuid;
        match self
            .ask(
                node,
                Call::UpdatePort {
                    node,
                    port: id,
                    changes,
                },
            )
            .await?
        {
            Response::Port { port } => Ok(*port),
            other => Err(unexpected(&other)),
        }
    }

    /// Removes a port.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NodeLocked`].
    pub async fn delete_port(&self, id: Uuid) -> Result<(), Error> {
        let node = self.port(id).await?.node_uuid;
        self.done(node, Call::DestroyPort { node, port: id }).await
    }
}

fn new_driver(change: &Change) -> Option<&str> {
    let named = change.path.iter().map(String::as_str).eq(["driver"]);
    change.value.as_ref().filter(|_| named)?.as_str()
}
