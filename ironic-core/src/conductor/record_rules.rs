//! What a node says to a change of what belongs to it: pure.

use crate::Error;
use crate::model::{Node, Port, Portgroup, VolumeConnector, VolumeTarget};
use crate::states::{PowerState, ProvisionState};
use crate::store::Persistent as _;
use crate::transport::ClientRecord;

/// A record that belongs to a node.
pub(super) trait NodeOwned: ClientRecord {
    /// Whether it may become `after`, as far as this node goes: its own, or of a record that moves
    /// each of the two; the ports that change with it.
    fn may_become(&self, after: &Self, node: &Node, ports: &[Port]) -> Result<Vec<Port>, Error>;

    /// Whether it may go.
    fn may_go(&self, node: &Node, ports: &[Port]) -> Result<(), Error>;
}

/// Whether what the machine's ports are plugged into may be changed.
pub(super) fn is_wiring_free(node: &Node) -> bool {
    node.maintenance
        || matches!(
            node.provision_state,
            ProvisionState::Enroll
                | ProvisionState::Inspecting
                | ProvisionState::InspectWait
                | ProvisionState::Manageable
        )
}

impl NodeOwned for Portgroup {
    fn may_become(&self, after: &Self, node: &Node, ports: &[Port]) -> Result<Vec<Port>, Error> {
        let members = || ports.iter().filter(|p| p.portgroup_uuid == Some(self.uuid));
        if self.node_uuid != after.node_uuid && !is_wiring_free(node) {
            return Err(Error::StateConflict {
                message: format!(
                    "a port group can be moved to or from node {} in enroll, manageable, inspecting, inspect wait, or in maintenance, not in \"{}\"",
                    node.label(),
                    node.provision_state
                ),
            });
        }
        if self.standalone_ports_supported && !after.standalone_ports_supported {
            let alone = members().find(|port| port.pxe_enabled || vif(port).is_some());
            if let Some(port) = alone {
                return Err(Error::StateConflict {
                    message: format!(
                        "standalone_ports_supported cannot be turned off: port {} of the group has pxe_enabled or a VIF",
                        port.address
                    ),
                });
            }
        }
        if self.physical_network == after.physical_network {
            return Ok(Vec::new());
        }
        let network = &after.physical_network;
        let moved = members().filter(|port| port.physical_network != *network);
        Ok(moved
            .map(|port| {
                let mut port = port.clone();
                port.physical_network.clone_from(network);
                port.updated_at = after.updated_at;
                port
            })
            .collect())
    }

    fn may_go(&self, _: &Node, ports: &[Port]) -> Result<(), Error> {
        let of_group = |port: &&Port| port.portgroup_uuid == Some(self.uuid);
        match ports.iter().filter(of_group).count() {
            0 => Ok(()),
            some => Err(Error::invalid(format!(
                "port group {} cannot be removed: {some} ports belong to it",
                self.uuid
            ))),
        }
    }
}

macro_rules! volume {
    ($type:ty) => {
        impl NodeOwned for $type {
            fn may_become(&self, _: &Self, node: &Node, _: &[Port]) -> Result<Vec<Port>, Error> {
                if node.power_state == Some(PowerState::Off) {
                    return Ok(Vec::new());
                }
                Err(powered(node, Self::WHAT, "update"))
            }

            fn may_go(&self, node: &Node, _: &[Port]) -> Result<(), Error> {
                let off = node.power_state == Some(PowerState::Off);
                if off || node.provision_state.allows_delete(false) {
                    return Ok(());
                }
                Err(powered(node, Self::WHAT, "deletion"))
            }
        }
    };
}

volume!(VolumeConnector);
volume!(VolumeTarget);

fn powered(node: &Node, what: &str, action: &str) -> Error {
    let state = node.power_state.map(|state| state.to_string());
    Error::InvalidState {
        verb: format!("{what} {action}"),
        node: node.uuid,
        state: state.unwrap_or_else(|| "unknown power".to_owned()),
    }
}

/// The network that is attached to the port for the instance.
fn vif(port: &Port) -> Option<&str> {
    let internal = port.internal_info.get("tenant_vif_port_id");
    let vif = internal.or_else(|| port.extra.get("vif_port_id"));
    vif.and_then(serde_json::Value::as_str)
}

/// Whether the port may become `after`, as far as its node's state and its group go: what was
/// `before` where it is not new.
pub(super) fn check_port(
    before: Option<&Port>,
    after: &Port,
    node: &Node,
    group: Option<&Portgroup>,
    ports: &[Port],
) -> Result<(), Error> {
    if let Some(before) = before {
        check_port_state(before, after, node)?;
    }
    let Some(wanted) = after.portgroup_uuid else {
        return Ok(());
    };
    let Some(group) = group.filter(|group| group.node_uuid == after.node_uuid) else {
        return Err(Error::invalid(format!(
            "node {} has no port group {wanted}",
            node.label()
        )));
    };
    let touched = before.is_none_or(|before| {
        before.portgroup_uuid != after.portgroup_uuid
            || before.physical_network != after.physical_network
            || before.pxe_enabled != after.pxe_enabled
    });
    if !touched {
        return Ok(());
    }
    if after.pxe_enabled && !group.standalone_ports_supported {
        return Err(Error::StateConflict {
            message: format!(
                "port {} cannot have pxe_enabled in port group {wanted}, whose ports are not used one by one",
                after.address
            ),
        });
    }
    let member = |port: &&Port| port.portgroup_uuid == Some(wanted) && port.uuid != after.uuid;
    let network = match ports.iter().find(member) {
        Some(other) => &other.physical_network,
        None if group.physical_network.is_none() => return Ok(()),
        None => &group.physical_network,
    };
    if after.physical_network == *network {
        return Ok(());
    }
    let show = |network: &Option<String>| match network {
        Some(name) => format!("physical network \"{name}\""),
        None => "no physical network".to_owned(),
    };
    Err(Error::StateConflict {
        message: format!(
            "port {} with {} cannot belong to port group {wanted}, which has {}",
            after.address,
            show(&after.physical_network),
            show(network)
        ),
    })
}

fn check_port_state(before: &Port, after: &Port, node: &Node) -> Result<(), Error> {
    let in_use = node.provision_state == ProvisionState::Active || node.instance_uuid.is_some();
    if before.address != after.address && in_use && !node.maintenance {
        return Err(Error::StateConflict {
            message: format!(
                "the address of port {} cannot be changed while node {} has an instance; put it into maintenance first",
                before.address,
                node.label()
            ),
        });
    }
    let rewired = before.portgroup_uuid != after.portgroup_uuid
        || before.pxe_enabled != after.pxe_enabled
        || before.local_link_connection != after.local_link_connection
        || before.physical_network != after.physical_network;
    if rewired && !is_wiring_free(node) {
        return Err(Error::StateConflict {
            message: format!(
                "portgroup_uuid, pxe_enabled, local_link_connection and physical_network of port {} can be changed in enroll, manageable, inspecting, inspect wait, or in maintenance, not in \"{}\"",
                before.address, node.provision_state
            ),
        });
    }
    Ok(())
}
