//! One network for everything: what is needed without a network service.

use async_trait::async_trait;
use serde_json::Value;

use super::{Interface, Network, NetworkRole, SharedTask, Task};
use crate::Error;
use crate::model::{JsonMap, Port};

/// Where a port remembers the virtual interface of its instance.
const TENANT_VIF: &str = "tenant_vif_port_id";

/// `flat`: every port of the machine is on one network, for instances as for ramdisks, so nothing
/// is switched. Which virtual interface of the instance is on which port is remembered on the
/// port, where boot interfaces and clients find it.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlatNetwork;

#[async_trait]
impl Interface for FlatNetwork {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Network for FlatNetwork {
    async fn connect(&self, _task: &mut Task, _role: NetworkRole) -> Result<(), Error> {
        Ok(())
    }

    async fn disconnect(&self, _task: &mut Task, _role: NetworkRole) -> Result<(), Error> {
        Ok(())
    }

    fn switches(&self) -> bool {
        false
    }

    async fn attach_vif(&self, task: &mut Task, info: &JsonMap) -> Result<(), Error> {
        let text = |key: &str| info.get(key).and_then(Value::as_str);
        let id = text("id").unwrap_or_default();
        if let Some(port) = task.ports().iter().find(|port| vif(port) == Some(id)) {
            return Err(Error::StateConflict {
                message: format!(
                    "the virtual interface {id} is attached to port {} already",
                    port.uuid
                ),
            });
        }
        let mut port = free_port(task.ports(), text("port_uuid")).ok_or_else(|| {
            Error::invalid(format!(
                "no port of node {} is free for the virtual interface {id}",
                task.node().label()
            ))
        })?;
        port.internal_info
            .insert(TENANT_VIF.to_owned(), Value::from(id));
        task.save_port(port).await
    }

    async fn detach_vif(&self, task: &mut Task, id: &str) -> Result<(), Error> {
        let port = task.ports().iter().find(|port| vif(port) == Some(id));
        let Some(mut port) = port.cloned() else {
            return Err(Error::invalid(format!(
                "the virtual interface {id} is not attached to node {}",
                task.node().label()
            )));
        };
        port.internal_info.remove(TENANT_VIF);
        task.save_port(port).await
    }

    async fn list_vifs(&self, task: &SharedTask) -> Result<Vec<JsonMap>, Error> {
        let vifs = task.ports().iter().filter_map(vif);
        let vif = |id: &str| JsonMap::from_iter([("id".to_owned(), Value::from(id))]);
        Ok(vifs.map(vif).collect())
    }
}

fn vif(port: &Port) -> Option<&str> {
    port.internal_info.get(TENANT_VIF).and_then(Value::as_str)
}

/// The port to attach to: the one asked for, else one that may boot from the network rather than
/// one that may not, and of these the oldest.
fn free_port(ports: &[Port], asked: Option<&str>) -> Option<Port> {
    let fits = |port: &&Port| asked.is_none_or(|uuid| port.uuid.to_string() == uuid);
    let free = ports.iter().filter(|port| vif(port).is_none()).filter(fits);
    free.min_by_key(|port| !port.pxe_enabled).cloned()
}
