use super::{Interface, Properties};
use crate::Error;
use crate::model::JsonMap;

/// Builds and removes RAID volumes, as steps.
///
/// # Contract
/// As [`Interface`].
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
