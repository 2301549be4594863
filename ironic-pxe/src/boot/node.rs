use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What network boot needs to know of a node.
///
/// The maps hold the node's free-form fields as they are stored. The record of a host is turned
/// into this once per call; nothing here is written back.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BootNode {
    /// The node's uuid: names its folder below the boot roots.
    pub uuid: String,
    /// Wire name of the provision state (`deploying`, `rescue wait`).
    pub provision_state: String,
    /// Registered name of the deploy interface (`direct`, `ramdisk`, `anaconda`).
    pub deploy_interface: String,
    /// The node's own word on automated cleaning; absent leaves it to the configuration.
    pub automated_clean: Option<bool>,
    /// The node's `properties`.
    pub properties: Map<String, Value>,
    /// The node's `instance_info`.
    pub instance_info: Map<String, Value>,
    /// The node's `driver_info`.
    pub driver_info: Map<String, Value>,
    /// The node's `driver_internal_info`.
    pub driver_internal_info: Map<String, Value>,
    /// The node's ports.
    pub ports: Vec<BootPort>,
    /// The node's volume connectors.
    pub volume_connectors: Vec<VolumeConnector>,
    /// The node's volume targets.
    pub volume_targets: Vec<VolumeTarget>,
}

impl BootNode {
    /// Makes a node with no ports, volumes or fields.
    pub fn new(uuid: impl Into<String>) -> Self {
        Self {
            uuid: uuid.into(),
            ..Self::default()
        }
    }

    pub(crate) fn cpu_arch(&self) -> Option<&str> {
        self.properties.get("cpu_arch").and_then(Value::as_str)
    }

    pub(crate) fn is_whole_disk_image(&self) -> bool {
        truthy(self.driver_internal_info.get("is_whole_disk_image"))
    }

    pub(crate) fn is_source_a_path(&self) -> bool {
        truthy(self.driver_internal_info.get("is_source_a_path"))
    }

    /// Tells which ramdisk the node's state calls for.
    pub fn ramdisk_mode(&self) -> RamdiskMode {
        match self.provision_state.as_str() {
            "rescuing" | "rescue wait" | "rescue failed" | "unrescuing" | "unrescue failed" => {
                RamdiskMode::Rescue
            }
            _ => RamdiskMode::Deploy,
        }
    }

    /// Tells what the instance boots from, as the deploy interface implies it.
    pub fn boot_option(&self) -> BootOption {
        match self.deploy_interface.as_str() {
            "anaconda" => BootOption::Kickstart,
            "ramdisk" => BootOption::Ramdisk,
            _ => BootOption::Local,
        }
    }

    /// Returns the volume that the node boots from, when it boots from one.
    pub fn boot_volume(&self) -> Option<&VolumeTarget> {
        let uuid = self
            .driver_internal_info
            .get("boot_from_volume")?
            .as_str()?;
        self.volume_targets
            .iter()
            .find(|target| target.uuid == uuid)
    }

    /// Tells whether the node boots from an iSCSI volume.
    pub fn is_iscsi_boot(&self) -> bool {
        self.boot_volume()
            .is_some_and(|volume| volume.volume_type == "iscsi")
    }
}

impl fmt::Debug for BootNode {
    // The free-form fields and the volumes carry credentials: show what identifies the node only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootNode")
            .field("uuid", &self.uuid)
            .field("provision_state", &self.provision_state)
            .field("deploy_interface", &self.deploy_interface)
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}

/// A network port of a node.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct BootPort {
    /// Hardware address as stored, `52:54:00:0a:0b:0d`.
    pub address: String,
    /// Whether the port takes part in network boot.
    #[serde(default = "yes")]
    pub pxe_enabled: bool,
    /// The port's free-form field; `client-id` marks an InfiniBand port.
    #[serde(default)]
    pub extra: Map<String, Value>,
}

impl BootPort {
    /// Makes a port that takes part in network boot.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            pxe_enabled: true,
            extra: Map::new(),
        }
    }

    /// Returns the DHCP client identifier of an InfiniBand port.
    pub fn client_id(&self) -> Option<&str> {
        self.extra
            .get("client-id")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty())
    }
}

/// A way by which a node reaches storage.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct VolumeConnector {
    /// `iqn`, `wwnn`, `wwpn`, `ip` or `mac`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The identifier, of that kind.
    pub connector_id: String,
}

impl VolumeConnector {
    /// Makes a connector of a kind with an identifier.
    pub fn new(kind: impl Into<String>, connector_id: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            connector_id: connector_id.into(),
        }
    }
}

/// A remote volume of a node.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VolumeTarget {
    /// The record's uuid, which `driver_internal_info/boot_from_volume` names.
    pub uuid: String,
    /// `iscsi` or `fibre_channel`.
    pub volume_type: String,
    /// 0 for the boot volume.
    pub boot_index: i64,
    /// How to reach the volume: `target_iqn`, `target_lun`, `target_portal`, `auth_username`, …
    pub properties: Map<String, Value>,
}

impl VolumeTarget {
    /// Makes a volume of a type with the properties given.
    pub fn new(
        uuid: impl Into<String>,
        volume_type: impl Into<String>,
        boot_index: i64,
        properties: Map<String, Value>,
    ) -> Self {
        Self {
            uuid: uuid.into(),
            volume_type: volume_type.into(),
            boot_index,
            properties,
        }
    }
}

impl fmt::Debug for VolumeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolumeTarget")
            .field("uuid", &self.uuid)
            .field("volume_type", &self.volume_type)
            .field("boot_index", &self.boot_index)
            .field("properties", &"***")
            .finish()
    }
}

/// Which of a node's two ramdisks is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RamdiskMode {
    /// The ramdisk that deploys, cleans, inspects and services.
    Deploy,
    /// The ramdisk that a user logs into.
    Rescue,
}

impl RamdiskMode {
    /// Label of the kernel, as in `driver_info` and in file names.
    pub fn kernel_label(self) -> &'static str {
        match self {
            Self::Deploy => "deploy_kernel",
            Self::Rescue => "rescue_kernel",
        }
    }

    /// Label of the initial ramdisk, as in `driver_info` and in file names.
    pub fn ramdisk_label(self) -> &'static str {
        match self {
            Self::Deploy => "deploy_ramdisk",
            Self::Rescue => "rescue_ramdisk",
        }
    }
}

/// What an instance boots from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootOption {
    /// Its own disk, or a remote volume.
    Local,
    /// A user's ramdisk or ISO image, over the network, every time.
    Ramdisk,
    /// The Anaconda installer, over the network, once.
    Kickstart,
}

fn yes() -> bool {
    true
}

// Free-form fields are written by people and by older code: whatever is not empty counts as set.
pub(crate) fn truthy(value: Option<&Value>) -> bool {
    value.is_some_and(ironic_core::model::lenient::is_truthy)
}

// A set, non-empty field as the text that goes into a file.
pub(crate) fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) if truthy(Some(value)) => {
            Some(value.to_string())
        }
        _ => None,
    }
}
