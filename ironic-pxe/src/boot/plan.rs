use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::{BootConfig, BootImage, BootInterface, BootNode, DhcpOption};

/// Everything that a boot plan is made of.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BootRequest<'a> {
    /// Settings of network boot.
    pub config: &'a BootConfig,
    /// The node to boot.
    pub node: &'a BootNode,
    /// The node's boot interface.
    pub interface: BootInterface,
    /// IP addresses that DHCP gives the node, where that is known.
    pub ip_addresses: &'a [String],
    /// Identifier of the request that all this is for; the ramdisk repeats it.
    pub global_request_id: Option<&'a str>,
    /// Properties of the instance's image, where an image service keeps any.
    pub image_properties: Option<&'a Map<String, Value>>,
    /// The node's configuration file as it stands, if there is one.
    pub existing_config: Option<&'a str>,
}

impl<'a> BootRequest<'a> {
    /// Makes a request for a node that nothing else is known of.
    pub fn new(config: &'a BootConfig, node: &'a BootNode, interface: BootInterface) -> Self {
        Self {
            config,
            node,
            interface,
            ip_addresses: &[],
            global_request_id: None,
            image_properties: None,
            existing_config: None,
        }
    }

    /// Sets the IP addresses that DHCP gives the node.
    #[must_use]
    pub fn with_ip_addresses(mut self, addresses: &'a [String]) -> Self {
        self.ip_addresses = addresses;
        self
    }

    /// Sets the identifier of the request that this is for.
    #[must_use]
    pub fn with_global_request_id(mut self, id: &'a str) -> Self {
        self.global_request_id = Some(id);
        self
    }

    /// Sets the properties of the instance's image.
    #[must_use]
    pub fn with_image_properties(mut self, properties: &'a Map<String, Value>) -> Self {
        self.image_properties = Some(properties);
        self
    }

    /// Sets the node's configuration file as it stands.
    #[must_use]
    pub fn with_existing_config(mut self, text: &'a str) -> Self {
        self.existing_config = Some(text);
        self
    }
}

/// What has to be done so that a machine boots as asked.
///
/// A plan is carried out in this order: images fetched, folders and paths removed, links and files written, DHCP told,
/// boot device set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BootPlan {
    /// Files and links to put in place, by absolute path; whatever stands there is replaced.
    pub files: BTreeMap<String, BootFile>,
    /// Files and links to remove.
    pub removed: Vec<String>,
    /// Folders to remove with all they hold.
    pub removed_folders: Vec<String>,
    /// Images to fetch.
    pub images: Vec<BootImage>,
    /// Options to tell the DHCP service; none leaves them as they are.
    pub dhcp_options: Option<Vec<DhcpOption>>,
    /// What to set the machine's boot device to; none leaves it as it is.
    pub boot_device: Option<BootDeviceChange>,
    /// What to remember in the node.
    pub node_updates: NodeUpdates,
}

/// A file or a link below one of the roots.
#[derive(Clone, PartialEq, Eq)]
pub enum BootFile {
    /// A file with this text.
    Text(String),
    /// A symbolic link to this relative path.
    Symlink(String),
}

impl fmt::Debug for BootFile {
    // A configuration's text holds the agent's token and volumes' passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Symlink(target) => f.debug_tuple("Symlink").field(target).finish(),
        }
    }
}

/// A change of a machine's boot device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BootDeviceChange {
    /// The device.
    pub device: NetworkBootDevice,
    /// Whether it stays after the next boot.
    pub persistent: bool,
}

/// A device that network boot sets machines to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkBootDevice {
    /// The network; machines that know it only by this name serve HTTP boot by it as well.
    Pxe,
    /// UEFI HTTP boot; where management refuses it, [`Pxe`](Self::Pxe) is to be tried.
    UefiHttp,
    /// The disk.
    Disk,
}

impl NetworkBootDevice {
    /// Returns the wire name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pxe => "pxe",
            Self::UefiHttp => "uefihttp",
            Self::Disk => "disk",
        }
    }
}

impl BootDeviceChange {
    pub(crate) fn network(interface: BootInterface, persistent: bool) -> Self {
        let device = if interface.is_http_boot() {
            NetworkBootDevice::UefiHttp
        } else {
            NetworkBootDevice::Pxe
        };
        Self { device, persistent }
    }
}

/// Members to set in a node's free-form fields.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct NodeUpdates {
    /// Members of `instance_info`.
    pub instance_info: Map<String, Value>,
    /// Members of `driver_internal_info`.
    pub driver_internal_info: Map<String, Value>,
}
