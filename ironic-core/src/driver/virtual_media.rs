use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::JsonMap;

string_enum! {
    /// What a virtual medium looks like to the machine.
    #[non_exhaustive]
    pub enum VirtualMediaDevice("virtual media device") {
        /// A disk, such as a USB stick.
        Disk = "disk",
        /// A CD or DVD.
        Cdrom = "cdrom",
        /// A floppy disk.
        Floppy = "floppy",
    }
}

/// A slot for virtual media that a BMC has, and what is in it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VirtualMediaSlot {
    /// What the BMC says of the slot, as the original shows it: `media_types`, `inserted`,
    /// `image`, `image_name`, and what else there is.
    #[serde(flatten)]
    pub details: JsonMap,
}

impl VirtualMediaSlot {
    /// A slot of which a BMC says this.
    pub fn new(details: JsonMap) -> Self {
        Self { details }
    }

    /// Whether an image is in it.
    pub fn is_inserted(&self) -> bool {
        self.details.get("inserted").and_then(Value::as_bool) == Some(true)
    }
}

impl std::fmt::Debug for VirtualMediaSlot {
    /// Prints whether it is full: an image's URL may have a password in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualMediaSlot")
            .field("inserted", &self.is_inserted())
            .finish_non_exhaustive()
    }
}
