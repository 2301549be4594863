use async_trait::async_trait;

use super::interfaces::unsupported;
use super::{Interface, SharedTask, Task};
use crate::Error;
use crate::model::JsonMap;
use crate::states::NetworkRole;

/// Connects machines to networks.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | who calls it, and when | lock |
/// |---|---|---|
/// | [`connect`](Self::connect), [`disconnect`](Self::disconnect) | deploy, inspect and rescue interfaces, within their effects and steps | held |
/// | [`switches`](Self::switches) | plans | no |
/// | [`attach_vif`](Self::attach_vif), [`detach_vif`](Self::detach_vif) | a request, which waits for it | held |
/// | [`list_vifs`](Self::list_vifs) | a request | no |
///
/// - **Again.** `connect` and `disconnect` may be called again after they have succeeded or
///   failed, and then lead to the same result; to disconnect what is not connected is no error.
///   After a crash they will be.
/// - **One role after the other.** Who connects for a role disconnects from the former one first.
///   Either may be called while the machine runs.
/// - **Connected means usable:** when `connect` has returned, the machine may boot.
/// - **No power.** Neither switches it.
/// - **Leave.** A switch is no BMC: [`SharedTask::check_leave`] before it is told anything.
/// - **VIFs.** `info` has an `id` that is not empty. A failure is told to the caller and noted in
///   the node's history; it is neither tried again nor repeated after a crash.
///
/// **Checked by** `driver_conformance!`: `networks_may_be_asked_for_again`.
///
/// A switch that has one VLAN for each role:
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Interface, Network, NetworkRole, SharedTask, Task};
///
/// struct Vlans;
///
/// impl Vlans {
///     async fn put(&self, task: &Task, vlan: u16) -> Result<(), Error> {
///         task.check_leave().await?;
///         for port in task.ports() {
///             println!("{} into VLAN {vlan}", port.address);
///         }
///         Ok(())
///     }
/// }
///
/// # #[async_trait]
/// # impl Interface for Vlans {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// #[async_trait]
/// impl Network for Vlans {
///     async fn connect(&self, task: &mut Task, role: NetworkRole) -> Result<(), Error> {
///         self.put(task, if role == NetworkRole::Tenant { 200 } else { 100 }).await
///     }
///
///     async fn disconnect(&self, task: &mut Task, _role: NetworkRole) -> Result<(), Error> {
///         self.put(task, 999).await
///     }
/// }
/// ```
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
