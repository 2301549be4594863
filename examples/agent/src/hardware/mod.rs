//! The machine that the agent runs on, behind one trait.

mod disk;
mod file;
mod inventory;
mod linux;

use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::Secret;
use serde::Serialize;

pub use disk::{Disk, FileDisk};
pub(crate) use disk::{wipe, zero};
pub use file::{FileHardware, FileHardwareBuilder};
pub use inventory::{
    BlockDevice, BootInfo, BootMode, Cpu, Firmware, Inventory, Memory, NetworkInterface, PciDevice,
    SystemVendor,
};
pub use linux::LinuxHardware;

/// Why the machine did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HardwareError {
    /// No such disk.
    #[error("no disk {0}")]
    NoDisk(String),
    /// Reading or driving the machine failed.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: String,
        /// What came of it.
        source: std::io::Error,
    },
}

impl HardwareError {
    /// An input or output error while doing `what`.
    #[must_use]
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Io { .. })
    }
}

/// How the machine leaves the ramdisk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerAction {
    /// Off.
    Off,
    /// Off and on again.
    Reboot,
}

/// What to make bootable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Bootloader {
    /// The disk.
    pub device: String,
    /// UUID of the EFI system partition, where the conductor knows it.
    pub efi_system_part_uuid: Option<String>,
    /// `uefi` or `bios`, as the conductor wants it.
    pub target_boot_mode: String,
}

/// A log that goes along with what the agent itself wrote down.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogFile {
    /// Its name in the archive; relative, without `..`.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

impl LogFile {
    /// A log called `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, content: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            content,
        }
    }
}

/// What the agent needs of a machine.
///
/// # Contract
/// - Every method may be called at any time, also concurrently, and may be dropped midway: a
///   dropped read has no effect, a dropped write may have had all, some or none of its effect.
/// - `inventory` names disks as `open_disk` knows them, and reports what is there at that moment.
/// - `power` returns once the machine accepted the request; the agent expects to be stopped soon
///   after, and goes on serving until then.
#[async_trait]
pub trait Hardware: Send + Sync + 'static {
    /// Everything that is told about the machine.
    ///
    /// # Errors
    /// The machine cannot be read at all; a single unreadable fact is left out instead.
    async fn inventory(&self) -> Result<Inventory, HardwareError>;

    /// Opens a disk of the inventory for reading and writing.
    ///
    /// # Errors
    /// [`HardwareError::NoDisk`], or the disk does not open.
    async fn open_disk(&self, name: &str) -> Result<Arc<dyn Disk>, HardwareError>;

    /// Makes the firmware start what is on the disk. False: the machine has no means to, and
    /// the disk has to be found by the firmware's own rules.
    ///
    /// # Errors
    /// There are means, and they failed.
    async fn install_bootloader(&self, request: &Bootloader) -> Result<bool, HardwareError>;

    /// Brings everything written onto the media.
    ///
    /// # Errors
    /// Something did not reach its medium.
    async fn sync(&self) -> Result<(), HardwareError>;

    /// Switches the machine off or restarts it.
    ///
    /// # Errors
    /// The machine refused.
    async fn power(&self, action: PowerAction) -> Result<(), HardwareError>;

    /// Lets the rescue user in with the password of this hash (crypt(5)), once the agent has ended.
    ///
    /// # Errors
    /// The ramdisk has no rescue user, or the password cannot be kept.
    async fn set_rescue_password(&self, hashed: &Secret<String>) -> Result<(), HardwareError>;

    /// Whether this ramdisk has been given to the rescue user already: then no agent is to run.
    async fn is_rescued(&self) -> bool {
        false
    }

    /// Logs of the machine itself; none unless it keeps some.
    async fn logs(&self) -> Vec<LogFile> {
        Vec::new()
    }

    /// PCI devices, for the inspection collector of that name; none unless the machine has a bus.
    async fn pci_devices(&self) -> Vec<PciDevice> {
        Vec::new()
    }
}
