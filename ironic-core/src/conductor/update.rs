//! Changing fields of nodes and ports.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::Reservation;
use crate::model::managed::check_length;
use crate::model::{Node, Port, is_valid_conductor_group, is_valid_node_name};
use crate::states::ProvisionState;
use crate::store::rebase;
use crate::transport::{Change, Response};

/// The members of a node that a caller may change; the others are the engine's.
const SETTABLE: &[&str] = &[
    "name",
    "driver",
    "driver_info",
    "interfaces",
    "properties",
    "extra",
    "instance_info",
    "instance_uuid",
    "instance_name",
    "maintenance",
    "maintenance_reason",
    "protected",
    "protected_reason",
    "retired",
    "retired_reason",
    "automated_clean",
    "disable_power_off",
    "resource_class",
    "owner",
    "lessee",
    "shard",
    "conductor_group",
    "description",
    "chassis_uuid",
    "parent_node",
    "network_data",
];

/// The members of a port that a caller may change.
const PORT_SETTABLE: &[&str] = &[
    "address",
    "name",
    "description",
    "local_link_connection",
    "pxe_enabled",
    "physical_network",
    "portgroup_uuid",
    "is_smartnic",
    "category",
    "vendor",
    "available_for_dynamic_portgroup",
    "extra",
];

impl Inner {
    /// Changes a node, as one; nothing of it when any part is wrong. Needs no driver, so that a
    /// node whose driver is no longer enabled can be given another.
    pub(super) async fn update_node(
        self: &Arc<Self>,
        id: Uuid,
        changes: &[Change],
    ) -> Result<Response, Error> {
        let held = self.reserve(id, "node update").await?;
        let updated = self.update_held(&held, changes).await;
        self.hand_back(held).await?;
        updated.map(|node| Response::Node {
            node: Box::new(node),
        })
    }

    async fn update_held(&self, held: &Reservation, changes: &[Change]) -> Result<Node, Error> {
        let before = held.node();
        let mut after = apply(before, changes, SETTABLE)?;
        self.check_update(before, &mut after)?;
        let mut after = self.check_owner(before, after).await?;
        if before.parent_node != after.parent_node {
            self.check_parent(&after).await?;
        }
        after.updated_at = Some(self.manager.context().clock.now());
        if before.maintenance && !after.maintenance {
            after.maintenance_reason = None;
            after.fault = None;
        }
        let further = self.allocation_in(before, &mut after).await?;
        self.write_node(held, &after, &further).await
    }

    /// A node that nobody looks after could not even be changed back.
    async fn check_owner(&self, before: &Node, after: Node) -> Result<Node, Error> {
        if before.conductor_group != after.conductor_group || before.driver != after.driver {
            self.membership.owner(&after).await?;
        }
        Ok(after)
    }

    fn check_update(&self, before: &Node, after: &mut Node) -> Result<(), Error> {
        check_fields(after)?;
        let composed = before.driver != after.driver || before.interfaces != after.interfaces;
        if composed {
            // What runs on a machine was begun with the driver it has.
            if !is_at_rest(before) && !before.maintenance {
                return Err(not_now(before, "its driver and interfaces"));
            }
            let registry = self.manager.registry();
            after.interfaces = registry.resolve(&after.driver, &after.interfaces)?.into();
            self.manager.compose(after)?;
        }
        if before.instance_uuid.is_some()
            && after.instance_uuid.is_some()
            && before.instance_uuid != after.instance_uuid
        {
            let instance = before
                .instance_uuid
                .map(|id| id.to_string())
                .unwrap_or_default();
            return Err(Error::Associated {
                node: before.uuid,
                instance,
            });
        }
        // A scheduler counts the instance's machine to the class that it had.
        let reclassed =
            before.resource_class.is_some() && before.resource_class != after.resource_class;
        if reclassed && !is_at_rest(before) {
            return Err(not_now(before, "its resource class"));
        }
        check_protected(before, after)?;
        check_retired(before, after)
    }

    pub(super) async fn update_port(
        self: &Arc<Self>,
        node: Uuid,
        id: Uuid,
        changes: &[Change],
    ) -> Result<Response, Error> {
        let held = self.reserve(node, "port update").await?;
        let updated = self.update_held_port(&held, id, changes).await;
        self.hand_back(held).await?;
        updated.map(|port| Response::Port {
            port: Box::new(port),
        })
    }

    async fn update_held_port(
        &self,
        held: &Reservation,
        id: Uuid,
        changes: &[Change],
    ) -> Result<Port, Error> {
        let context = self.manager.context();
        let before = context.repository.load::<Port>(id).await?.value;
        if before.node_uuid != held.node().uuid {
            return Err(Error::not_found("port", id));
        }
        let mut after = apply(&before, changes, PORT_SETTABLE)?;
        self.check_port(held, Some(&before), &after).await?;
        after.updated_at = Some(context.clock.now());
        let (port, ()) = context
            .repository
            .update::<Port, ()>(id, Some(held.fence()), |port| {
                *port = rebase(&before, &after, port)?;
                Ok(())
            })
            .await?;
        Ok(port)
    }

    /// Puts a node into maintenance, or takes it out. Needs no lock: it is how an operator stops
    /// what holds it.
    pub(super) async fn set_maintenance(
        &self,
        node: Uuid,
        on: bool,
        reason: Option<String>,
    ) -> Result<Response, Error> {
        let now = self.manager.context().clock.now();
        self.manager
            .context()
            .repository
            .update::<Node, ()>(node, None, |node| {
                node.maintenance = on;
                node.maintenance_reason = reason.clone().filter(|_| on);
                node.updated_at = Some(now);
                if !on {
                    node.fault = None;
                }
                Ok(())
            })
            .await?;
        if !on {
            // What stood still meanwhile goes on.
            self.wake_flow_in(node, Duration::ZERO);
        }
        Ok(Response::Done)
    }
}

/// Whether the node is in a state in which nothing depends on what it is made of.
pub(super) fn is_at_rest(node: &Node) -> bool {
    matches!(
        node.provision_state,
        ProvisionState::Enroll
            | ProvisionState::Manageable
            | ProvisionState::Available
            | ProvisionState::InspectWait
            | ProvisionState::Inspecting
    )
}

pub(super) fn not_now(node: &Node, what: &str) -> Error {
    Error::StateConflict {
        message: format!(
            "node {} is in state \"{}\": {what} can be changed in enroll, manageable, inspecting, inspect wait, available, or in maintenance",
            node.label(),
            node.provision_state
        ),
    }
}

/// Only instances are protected, and only what is protected has a reason for it.
fn check_protected(before: &Node, after: &mut Node) -> Result<(), Error> {
    let state = before.provision_state;
    let instance = matches!(state, ProvisionState::Active | ProvisionState::Rescue);
    if after.protected && !before.protected && !instance {
        return Err(Error::StateConflict {
            message: format!(
                "a node in state \"{state}\" cannot be protected; only active or rescued ones can"
            ),
        });
    }
    if before.protected && !after.protected {
        after.protected_reason = None;
    }
    let explained = after.protected_reason != before.protected_reason;
    let reason = after.protected_reason.as_deref().unwrap_or_default();
    if explained && !reason.is_empty() && !after.protected {
        return Err(Error::invalid(
            "protected_reason can be set on a protected node only",
        ));
    }
    Ok(())
}

/// No node retires while it is on offer, and only one that retires has a reason for it.
fn check_retired(before: &Node, after: &mut Node) -> Result<(), Error> {
    if after.retired && !before.retired && before.provision_state == ProvisionState::Available {
        return Err(Error::StateConflict {
            message: "an available node cannot be retired: manage it first".to_owned(),
        });
    }
    if before.retired && !after.retired {
        after.retired_reason = None;
    }
    let explained = after.retired_reason != before.retired_reason;
    let reason = after.retired_reason.as_deref().unwrap_or_default();
    if explained && !reason.is_empty() && !after.retired {
        return Err(Error::invalid(
            "retired_reason can be set on a retired node only",
        ));
    }
    Ok(())
}

/// How many characters the original's records hold of a field.
fn check_lengths(node: &Node) -> Result<(), Error> {
    for (field, text, most) in [
        ("owner", &node.owner, 255),
        ("lessee", &node.lessee, 255),
        ("shard", &node.shard, 255),
        ("resource_class", &node.resource_class, 80),
        ("instance_name", &node.instance_name, 255),
        ("description", &node.description, 4096),
    ] {
        check_length("node", field, text.as_deref(), most)?;
    }
    Ok(())
}

/// What holds for every node, however it came about.
pub(super) fn check_fields(node: &mut Node) -> Result<(), Error> {
    if let Some(name) = &node.name
        && !is_valid_node_name(name)
    {
        return Err(Error::invalid(format!(
            "{name:?} is no node name: letters, digits and -._~ only, and no uuid"
        )));
    }
    if !is_valid_conductor_group(&node.conductor_group) {
        return Err(Error::invalid(format!(
            "{:?} is no conductor group: letters, digits and -._ only",
            node.conductor_group
        )));
    }
    check_lengths(node)?;
    // Groups know no case.
    node.conductor_group.make_ascii_lowercase();
    Ok(())
}

/// `record` with the changes, as one of its kind.
pub(crate) fn apply<T: Serialize + DeserializeOwned>(
    record: &T,
    changes: &[Change],
    settable: &[&str],
) -> Result<T, Error> {
    let mut value =
        serde_json::to_value(record).map_err(|error| Error::internal(error.to_string()))?;
    for change in changes {
        let (first, rest) = change
            .path
            .split_first()
            .ok_or_else(|| Error::invalid("a change needs a path"))?;
        if !settable.contains(&first.as_str()) {
            return Err(Error::invalid(format!(
                "/{} cannot be changed",
                change.path.join("/")
            )));
        }
        let map = value
            .as_object_mut()
            .ok_or_else(|| Error::internal("a record is no JSON object"))?;
        set(map, first, rest, change)?;
    }
    serde_json::from_value(value)
        .map_err(|error| Error::invalid(format!("a field has a wrong value: {error}")))
}

fn set(
    map: &mut Map<String, Value>,
    name: &str,
    rest: &[String],
    change: &Change,
) -> Result<(), Error> {
    match (rest.split_first(), &change.value) {
        (None, Some(value)) => {
            map.insert(name.to_owned(), value.clone());
        }
        (None, None) => {
            map.remove(name);
        }
        (Some((next, rest)), value) => {
            let missing = || Error::invalid(format!("/{} does not exist", change.path.join("/")));
            if value.is_none() && !map.contains_key(name) {
                return Err(missing());
            }
            let inner = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
            match inner {
                Value::Object(inner) => {
                    if value.is_none() && rest.is_empty() && !inner.contains_key(next) {
                        return Err(missing());
                    }
                    set(inner, next, rest, change)?;
                }
                Value::Array(items) => set_item(items, next, rest, change)?,
                _ => return Err(missing()),
            }
        }
    }
    Ok(())
}

fn set_item(
    items: &mut Vec<Value>,
    at: &str,
    rest: &[String],
    change: &Change,
) -> Result<(), Error> {
    let missing = || Error::invalid(format!("/{} does not exist", change.path.join("/")));
    let index: usize = if at == "-" {
        items.len()
    } else {
        at.parse().map_err(|_| missing())?
    };
    match (rest.split_first(), &change.value) {
        (None, Some(value)) if index == items.len() => items.push(value.clone()),
        (None, Some(value)) => *items.get_mut(index).ok_or_else(missing)? = value.clone(),
        (None, None) if index < items.len() => {
            items.remove(index);
        }
        (Some((next, rest)), _) => match items.get_mut(index).ok_or_else(missing)? {
            Value::Object(inner) => set(inner, next, rest, change)?,
            _ => return Err(missing()),
        },
        _ => return Err(missing()),
    }
    Ok(())
}
