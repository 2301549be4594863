//! Config drives: what a machine's first boot reads about itself.
//!
//! A small disk image, labelled `config-2`, with the metadata of an instance: its name, keys, network
//! and the user's own script or configuration. cloud-init, ignition and others look for it. It travels
//! as text, base64 of gzip, in a node's `instance_info["configdrive"]`, and the agent writes it to a
//! partition of its own.
//!
//! ```
//! use ironic_core::Timestamp;
//! use ironic_core::image::{configdrive, configdrive::ConfigDrive, iso9660};
//! use serde_json::json;
//!
//! let drive = ConfigDrive::from_value(&json!({
//!     "meta_data": {"hostname": "web-1"},
//!     "user_data": "#!/bin/sh\necho hello\n",
//! }))?;
//! let text = drive.encode(Timestamp::EPOCH)?;
//!
//! // On the other side:
//! let image = configdrive::decode(&text, configdrive::MAX_SIZE)?;
//! let volume = iso9660::Reader::new().read(&image)?;
//! assert_eq!(volume.label(), configdrive::LABEL);
//! assert_eq!(volume.tree().get("openstack/latest/user_data"), Some(&b"#!/bin/sh\necho hello\n"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod contents;
mod encoding;
mod error;
mod existing;
mod json;
mod network_data;
mod source;

pub use contents::{ConfigDrive, UserData};
pub use encoding::{decode, encode};
pub use error::ConfigDriveError;
pub use existing::ExistingDrive;
pub use network_data::{MtuCheck, NetworkDataFault, network_data_fault};
pub use source::Source;

/// The label by which a machine finds its config drive.
pub const LABEL: &str = "config-2";

/// The largest config drive, in bytes of its image: 64 MiB, the partition that the agent makes for it.
pub const MAX_SIZE: u64 = 64 << 20;

/// Versions of the metadata's layout, each a directory of its own with the same files.
pub const VERSIONS: [&str; 2] = ["2012-08-10", "latest"];

/// What the volume says who made it; the original's tool writes the same.
const PUBLISHER: &str = "metalsmith";

/// What the volume says who made it if it was made from another one; the original writes the same.
const REBUILT_PUBLISHER: &str = "Ironic";

const APPLICATION: &str = "IRONIC CONFIG DRIVE";
