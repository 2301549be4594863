use async_trait::async_trait;

use crate::Error;
use crate::driver::{Interface, Network, NetworkRole, SharedTask, Task};
use crate::model::JsonMap;

/// `noop`: the machine's ports are connected for good; nothing is changed, and attaching a
/// virtual interface is agreed to and forgotten.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopNetwork;

#[async_trait]
impl Interface for NoopNetwork {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Network for NoopNetwork {
    async fn connect(&self, _task: &mut Task, _role: NetworkRole) -> Result<(), Error> {
        Ok(())
    }

    async fn disconnect(&self, _task: &mut Task, _role: NetworkRole) -> Result<(), Error> {
        Ok(())
    }

    fn switches(&self) -> bool {
        false
    }

    async fn attach_vif(&self, _task: &mut Task, _info: &JsonMap) -> Result<(), Error> {
        Ok(())
    }

    async fn detach_vif(&self, _task: &mut Task, _id: &str) -> Result<(), Error> {
        Ok(())
    }
}
