use serde::Serialize;

/// Everything the agent tells about its machine, in the shape of the original's inventory.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Inventory {
    /// Network interfaces.
    pub interfaces: Vec<NetworkInterface>,
    /// Processors.
    pub cpu: Cpu,
    /// Disks.
    pub disks: Vec<BlockDevice>,
    /// Main memory.
    pub memory: Memory,
    /// IPv4 address of the BMC.
    pub bmc_address: Option<String>,
    /// IPv6 address of the BMC.
    pub bmc_v6address: Option<String>,
    /// Maker, model and firmware.
    pub system_vendor: SystemVendor,
    /// How the machine started.
    pub boot: BootInfo,
    /// Name of the ramdisk's host.
    pub hostname: String,
}

/// A network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NetworkInterface {
    /// Name in the ramdisk.
    pub name: String,
    /// Hardware address in lower case with colons.
    pub mac_address: String,
    /// First IPv4 address.
    pub ipv4_address: Option<String>,
    /// First IPv6 address.
    pub ipv6_address: Option<String>,
    /// Whether a link is up.
    pub has_carrier: bool,
    /// LLDP frames as (type, hexadecimal value); collected by a collector of their own.
    pub lldp: Option<Vec<(u8, String)>>,
    /// PCI vendor.
    pub vendor: Option<String>,
    /// PCI product.
    pub product: Option<String>,
    /// InfiniBand client identifier.
    pub client_id: Option<String>,
    /// Name given by the firmware.
    pub biosdevname: Option<String>,
    /// Link speed in Mbit/s.
    pub speed_mbps: Option<u64>,
    /// PCI address.
    pub pci_address: Option<String>,
    /// Kernel driver.
    pub driver: Option<String>,
}

impl NetworkInterface {
    /// An interface with a link.
    #[must_use]
    pub fn new(name: impl Into<String>, mac_address: &str) -> Self {
        Self {
            name: name.into(),
            mac_address: mac_address.to_ascii_lowercase(),
            has_carrier: true,
            ..Self::default()
        }
    }

    /// The same with an IPv4 address.
    #[must_use]
    pub fn with_ipv4(mut self, address: impl Into<String>) -> Self {
        self.ipv4_address = Some(address.into());
        self
    }
}

/// The processors, taken together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cpu {
    /// Model of the first.
    pub model_name: String,
    /// Clock in MHz, as text.
    pub frequency: String,
    /// Logical processors.
    pub count: u64,
    /// Machine name, such as `x86_64`.
    pub architecture: String,
    /// Feature flags.
    pub flags: Vec<String>,
    /// Sockets.
    pub socket_count: u64,
}

impl Cpu {
    /// `count` processors of an architecture.
    #[must_use]
    pub fn new(architecture: impl Into<String>, count: u64) -> Self {
        Self {
            architecture: architecture.into(),
            count,
            socket_count: 1,
            ..Self::default()
        }
    }
}

/// A disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlockDevice {
    /// Device name, such as `/dev/sda`.
    pub name: String,
    /// Model.
    pub model: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// Whether it turns.
    pub rotational: bool,
    /// World-wide name.
    pub wwn: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Vendor.
    pub vendor: Option<String>,
    /// World-wide name with the vendor's extension.
    pub wwn_with_extension: Option<String>,
    /// The vendor's extension of the world-wide name.
    pub wwn_vendor_extension: Option<String>,
    /// SCSI address: host, channel, target, unit.
    pub hctl: Option<String>,
    /// Name by the path that leads to it.
    pub by_path: Option<String>,
    /// Logical sector size in bytes.
    pub logical_sectors: Option<u32>,
    /// Physical sector size in bytes.
    pub physical_sectors: Option<u32>,
    /// Transport, such as `sata` or `nvme`.
    pub tran: Option<String>,
    /// Whether writing is forbidden; not part of the inventory.
    #[serde(skip)]
    pub read_only: bool,
    /// Whether it is part of a RAID array or the ramdisk's virtual media, and so neither erased
    /// nor deployed to by itself; not part of the inventory.
    #[serde(skip)]
    pub reserved: bool,
}

impl BlockDevice {
    /// A disk of `size` bytes.
    #[must_use]
    pub fn new(name: impl Into<String>, size: u64) -> Self {
        Self {
            name: name.into(),
            size,
            logical_sectors: Some(512),
            physical_sectors: Some(512),
            ..Self::default()
        }
    }
}

/// Main memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Memory {
    /// What the kernel has, in bytes.
    pub total: Option<u64>,
    /// What is plugged in, in MiB.
    pub physical_mb: Option<u64>,
}

impl Memory {
    /// `mib` MiB, all of it usable.
    #[must_use]
    pub const fn new(mib: u64) -> Self {
        Self {
            total: Some(mib << 20),
            physical_mb: Some(mib),
        }
    }
}

/// Who made the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SystemVendor {
    /// Model.
    pub product_name: String,
    /// Serial number.
    pub serial_number: String,
    /// Maker.
    pub manufacturer: String,
    /// Firmware.
    pub firmware: Firmware,
}

impl SystemVendor {
    /// A machine by maker, model and serial number.
    #[must_use]
    pub fn new(
        manufacturer: impl Into<String>,
        product_name: impl Into<String>,
        serial_number: impl Into<String>,
    ) -> Self {
        Self {
            manufacturer: manufacturer.into(),
            product_name: product_name.into(),
            serial_number: serial_number.into(),
            firmware: Firmware::default(),
        }
    }
}

/// The machine's firmware.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Firmware {
    /// Maker.
    pub vendor: String,
    /// Version.
    pub version: String,
    /// Date of the build.
    pub build_date: String,
}

/// Firmware interface that started the ramdisk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BootMode {
    /// Legacy BIOS.
    #[default]
    Bios,
    /// UEFI.
    Uefi,
}

impl BootMode {
    /// The mode's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
        }
    }
}

/// How the machine started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BootInfo {
    /// Firmware interface.
    pub current_boot_mode: BootMode,
    /// `BOOTIF` of the kernel command line; the agent fills it in.
    pub pxe_interface: Option<String>,
}

/// A PCI device as the inspection collector `pci-devices` reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PciDevice {
    /// Vendor in hexadecimal.
    pub vendor_id: String,
    /// Product in hexadecimal.
    pub product_id: String,
    /// Class in hexadecimal.
    pub class: String,
    /// Revision in hexadecimal.
    pub revision: Option<String>,
    /// Address on the bus.
    pub bus: String,
    /// NUMA node.
    pub numa_node_id: Option<String>,
}
