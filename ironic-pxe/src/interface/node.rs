use ironic_core::driver::SharedTask;
use ironic_core::model::Port;
use ironic_core::states::InterfaceKind;

use crate::boot::{BootNode, BootPort};

impl BootNode {
    /// Takes from a task what network boot needs to know of its node.
    ///
    /// Whether the node is cleaned is settled here, by the node or by the conductor's policy.
    /// Volumes are not part of a task; a host that has any adds them.
    pub fn of_task(task: &SharedTask) -> Self {
        let node = task.node();
        let cleaned = task.config().policy.automated_clean;
        Self {
            uuid: node.uuid.to_string(),
            provision_state: node.provision_state.to_string(),
            deploy_interface: task.interfaces().get(InterfaceKind::Deploy).to_owned(),
            automated_clean: Some(node.automated_clean.unwrap_or(cleaned)),
            properties: node.properties.clone(),
            instance_info: node.instance_info.clone(),
            driver_info: node.driver_info.clone(),
            driver_internal_info: node.driver_internal_info.clone(),
            ports: task.ports().iter().map(BootPort::from).collect(),
            ..Self::default()
        }
    }
}

impl From<&Port> for BootPort {
    fn from(port: &Port) -> Self {
        Self {
            address: port.address.to_string(),
            pxe_enabled: port.pxe_enabled,
            extra: port.extra.clone(),
        }
    }
}
