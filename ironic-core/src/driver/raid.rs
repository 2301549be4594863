use super::{Interface, Properties};
use crate::Error;
use crate::model::JsonMap;

/// Builds and removes RAID volumes, as steps.
///
/// # Contract
/// Besides what [`Interface`] asks for:
///
/// | method | who calls it, and when | lock |
/// |---|---|---|
/// | [`validate_config`](Self::validate_config) | a request that sets a target configuration which is not empty; it is kept only then | held |
/// | [`logical_disk_properties`](Self::logical_disk_properties) | a request about a hardware type, of its default RAID interface | no node at all |
///
/// - **Pure.** Neither does I/O. What a configuration asks of the machine's own disks shows only
///   when the steps run.
/// - **The configuration is hostile**: any JSON object, of any depth.
/// - **Building and removing** are steps (`create_configuration`, `delete_configuration`), by the
///   rules of steps, with [`Impact::ERASE`](crate::steps::Impact::ERASE) so that plans say what
///   is lost.
///
/// **Checked by** `driver_conformance!`: `raid_configurations_are_judged`, and the room `steps`.
///
/// ```
/// use async_trait::async_trait;
/// use ironic_core::Error;
/// use ironic_core::driver::{Interface, Raid, SharedTask};
/// use ironic_core::model::JsonMap;
/// use serde_json::json;
///
/// struct Mirror;
///
/// # #[async_trait]
/// # impl Interface for Mirror {
/// #     async fn validate(&self, _task: &SharedTask) -> Result<(), Error> { Ok(()) }
/// # }
/// impl Raid for Mirror {
///     fn validate_config(&self, config: &JsonMap) -> Result<(), Error> {
///         match config.get("logical_disks") {
///             Some(disks) if *disks == json!([{"size_gb": "MAX", "raid_level": "1"}]) => Ok(()),
///             _ => Err(Error::invalid("logical_disks has to be one RAID 1 of all there is")),
///         }
///     }
/// }
/// ```
pub trait Raid: Interface {
    /// Whether this target configuration makes sense.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] that says why not.
    fn validate_config(&self, config: &JsonMap) -> Result<(), Error>;

    /// What the properties of a logical disk mean.
    fn logical_disk_properties(&self) -> Properties {
        Properties::new()
    }
}
