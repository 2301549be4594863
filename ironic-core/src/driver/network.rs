use async_trait::async_trait;

use super::interfaces::unsupported;
use super::{Interface, SharedTask, Task};
use crate::Error;
use crate::model::JsonMap;
use crate::states::NetworkRole;

/// Connects machines to networks.
///
/// # Contract
/// `connect` and `disconnect` may be called again after they have succeeded or failed, and then
/// lead to the same result.
#[async_trait]
pub trait Network: Interface {
    /// Connects the machine's ports for this role.
    ///
    /// # Errors
    /// Why it cannot.
    async fn connect(&self, task: &mut Task, role: NetworkRole) -> Result<(), Error>;

    /// Cuts the machine's ports off again.
    ///
    /// # Errors
    /// Why it cannot.
    async fn disconnect(&self, task: &mut Task, role: NetworkRole) -> Result<(), Error>;

    /// Whether connecting and disconnecting changes anything. Plans leave out what does not.
    fn switches(&self) -> bool {
        true
    }

    /// Attaches a virtual interface to a port; `info` has its `id`.
    ///
    /// # Errors
    /// Why it cannot.
    async fn attach_vif(&self, task: &mut Task, _info: &JsonMap) -> Result<(), Error> {
        unsupported(task, "attach_vif")
    }

    /// Detaches a virtual interface.
    ///
    /// # Errors
    /// Why it cannot.
    async fn detach_vif(&self, task: &mut Task, _id: &str) -> Result<(), Error> {
        unsupported(task, "detach_vif")
    }

    /// The virtual interfaces that are attached.
    ///
    /// # Errors
    /// Why it cannot tell.
    async fn list_vifs(&self, _task: &SharedTask) -> Result<Vec<JsonMap>, Error> {
        Ok(Vec::new())
    }
}
