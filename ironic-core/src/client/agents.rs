use uuid::Uuid;

use super::{Client, unexpected};
use crate::Error;
use crate::model::{MacAddress, Node, Port};
use crate::states::ProvisionState;
use crate::store::{Filter, Kind, Query, Scalar};
use crate::transport::{Call, HeartbeatArgs, InspectionArgs, LookupAnswer, Response};

impl Client {
    /// Tells an agent which node it runs on: the one of this uuid, or the only one that has a
    /// port of one of these addresses.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, when there are several, and when the node waits
    /// for no agent.
    pub async fn lookup(
        &self,
        node: Option<Uuid>,
        addresses: &[MacAddress],
    ) -> Result<LookupAnswer, Error> {
        let node = match node {
            Some(id) => self.node(id).await?,
            None => self.node_by_addresses(addresses).await?,
        };
        match self
            .ask_for(&node, Call::Lookup { node: node.uuid })
            .await?
        {
            Response::Lookup { answer } => Ok(answer),
            other => Err(unexpected(&other)),
        }
    }

    async fn node_by_addresses(&self, addresses: &[MacAddress]) -> Result<Node, Error> {
        let shown = || {
            addresses
                .iter()
                .map(MacAddress::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut found = self.owners_of(addresses).await?;
        match (found.pop(), found.is_empty()) {
            (Some(id), true) => self.node(id).await,
            _ => Err(Error::not_found("node with the addresses", shown())),
        }
    }

    /// The nodes that have a port of one of these addresses, each once.
    async fn owners_of(&self, addresses: &[MacAddress]) -> Result<Vec<Uuid>, Error> {
        let scalars = addresses
            .iter()
            .map(|mac| Scalar::String(mac.to_string()))
            .collect();
        let query = Query::all(Kind::Port).filter(Filter::In("address".to_owned(), scalars));
        let ports = self.repository.list::<Port>(&query).await?;
        let mut nodes: Vec<_> = ports.into_iter().map(|port| port.value.node_uuid).collect();
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    /// Notes that a node's agent lives, and where it takes commands.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a wrong token; [`Error::NodeLocked`] when the agent has
    /// to call again.
    pub async fn heartbeat(&self, node: Uuid, args: HeartbeatArgs) -> Result<(), Error> {
        self.done(
            node,
            Call::Heartbeat {
                node,
                args: Box::new(args),
            },
        )
        .await
    }

    /// Takes what an inspection's ramdisk has found, for the only node in `inspect wait` that
    /// has a port of one of these addresses, or the BMC address reported, and returns it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or there are several.
    pub async fn continue_inspection(
        &self,
        node: Option<Uuid>,
        addresses: &[MacAddress],
        found: InspectionArgs,
    ) -> Result<Node, Error> {
        let node = match node {
            Some(id) => self.node(id).await?,
            None => self.inspected_node(addresses, &found).await?,
        };
        match self
            .ask_for(
                &node,
                Call::ContinueInspection {
                    node: node.uuid,
                    found: Box::new(found),
                },
            )
            .await?
        {
            Response::Done => Ok(node),
            other => Err(unexpected(&other)),
        }
    }

    async fn inspected_node(
        &self,
        addresses: &[MacAddress],
        found: &InspectionArgs,
    ) -> Result<Node, Error> {
        // A fast machine reports before what has started it is committed: the conductor lets it
        // wait for that.
        let states = [ProvisionState::Inspecting, ProvisionState::InspectWait];
        let waiting = Query::all(Kind::Node).filter(Filter::In(
            "provision_state".to_owned(),
            states
                .map(|state| Scalar::String(state.as_str().to_owned()))
                .to_vec(),
        ));
        let candidates = self.nodes(&waiting).await?;
        let owners = self.owners_of(addresses).await?;
        let mut by_mac: Vec<_> = candidates
            .iter()
            .filter(|node| owners.contains(&node.uuid))
            .collect();
        if by_mac.is_empty() {
            // A node without ports is known by the address of its BMC alone.
            let reported: Vec<_> = ["bmc_address", "bmc_v6address"]
                .iter()
                .filter_map(|key| found.inventory.get(*key)?.as_str())
                .filter(|address| !matches!(*address, "" | "0.0.0.0" | "::/0"))
                .collect();
            by_mac = candidates
                .iter()
                .filter(|node| has_bmc(node, &reported))
                .collect();
        }
        match (by_mac.pop(), by_mac.is_empty()) {
            (Some(node), true) => Ok(node.clone()),
            _ => Err(Error::not_found(
                "node waiting for an inspection with these addresses",
                addresses.len(),
            )),
        }
    }
}

/// Whether one of the node's BMC addresses is among these.
fn has_bmc(node: &Node, reported: &[&str]) -> bool {
    node.driver_info
        .iter()
        .filter(|(key, _)| key.ends_with("_address"))
        .filter_map(|(_, value)| value.as_str())
        .map(|value| {
            let host = value.split_once("://").map_or(value, |(_, rest)| rest);
            host.split('/').next().unwrap_or(host)
        })
        .any(|host| {
            reported
                .iter()
                .any(|address| host == *address || host.starts_with(&format!("{address}:")))
        })
}
