//! What is asked of a machine without changing the node's life.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::Inner;
use crate::states::{BootDevice, InterfaceKind};
use crate::transport::{BootDeviceSetting, Response, Validation};
use crate::{Error, ErrorKind};

impl Inner {
    /// Asks every interface whether it has what it needs.
    pub(super) async fn validate(&self, node: Uuid) -> Result<Response, Error> {
        let task = self.manager.shared(node, "validate").await?;
        let mut results = BTreeMap::new();
        for kind in InterfaceKind::ALL {
            let validation = match task.driver().interface(*kind).validate(&task).await {
                Ok(()) => Validation {
                    result: Some(true),
                    reason: None,
                },
                Err(error) if error.kind() == ErrorKind::Unsupported => Validation {
                    result: None,
                    reason: Some("not supported".to_owned()),
                },
                Err(error) => Validation {
                    result: Some(false),
                    reason: Some(error.to_string()),
                },
            };
            results.insert(*kind, validation);
        }
        Ok(Response::Validation { results })
    }

    pub(super) async fn get_boot_device(&self, node: Uuid) -> Result<Response, Error> {
        let task = self.manager.shared(node, "get boot device").await?;
        let management = &task.driver().management;
        management.validate(&task).await?;
        let state = management.get_boot_device(&task).await?;
        let setting = BootDeviceSetting {
            device: state.device,
            persistent: state.persistent,
        };
        Ok(Response::BootDevice { setting })
    }

    pub(super) async fn supported_boot_devices(&self, node: Uuid) -> Result<Response, Error> {
        let task = self
            .manager
            .shared(node, "get supported boot devices")
            .await?;
        let devices = task
            .driver()
            .management
            .supported_boot_devices(&task)
            .await?;
        Ok(Response::BootDevices { devices })
    }

    pub(super) async fn set_boot_device(
        &self,
        node: Uuid,
        device: BootDevice,
        persistent: bool,
    ) -> Result<Response, Error> {
        let mut task = self.manager.exclusive(node, "set boot device").await?;
        let management = task.driver().management.clone();
        let done = match management.validate(&task).await {
            Ok(()) => {
                management
                    .set_boot_device(&mut task, device, persistent)
                    .await
            }
            Err(error) => Err(error),
        };
        if done.is_ok() {
            task.save().await?;
        }
        self.manager.release(task).await?;
        done.map(|()| Response::Done)
    }
}
