use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ironic_core::Secret;

use super::{
    BlockDevice, BootMode, Bootloader, Cpu, Disk, FileDisk, Hardware, HardwareError, Inventory,
    Memory, NetworkInterface, PowerAction, SystemVendor,
};

type PowerHandler = Arc<dyn Fn(PowerAction) + Send + Sync>;
type RescueHandler = Arc<dyn Fn(&Secret<String>) + Send + Sync>;

/// A simulated machine: facts as given, disks in sparse files.
pub struct FileHardware {
    inventory: Inventory,
    files: BTreeMap<String, (PathBuf, u64)>,
    power: PowerHandler,
    rescue: RescueHandler,
    bootloader: Mutex<Option<Bootloader>>,
}

impl FileHardware {
    /// Starts the description of a machine.
    pub fn builder() -> FileHardwareBuilder {
        FileHardwareBuilder {
            inventory: Inventory {
                cpu: Cpu::new("x86_64", 1),
                memory: Memory::new(1024),
                hostname: "ramdisk".to_owned(),
                ..Inventory::default()
            },
            files: BTreeMap::new(),
            power: Arc::new(|_| {}),
            rescue: Arc::new(|_| {}),
        }
    }

    /// The last boot entry that was asked for, if any.
    pub fn installed_bootloader(&self) -> Option<Bootloader> {
        self.bootloader
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Describes a [`FileHardware`].
#[must_use]
pub struct FileHardwareBuilder {
    inventory: Inventory,
    files: BTreeMap<String, (PathBuf, u64)>,
    power: PowerHandler,
    rescue: RescueHandler,
}

impl FileHardwareBuilder {
    /// Adds a network interface.
    pub fn nic(mut self, nic: NetworkInterface) -> Self {
        self.inventory.interfaces.push(nic);
        self
    }

    /// Adds a disk called `name` of `size` bytes in the file at `path`; a file that is there
    /// already keeps its content.
    pub fn disk(
        self,
        name: impl Into<String>,
        path: impl Into<PathBuf>,
        size: u64,
    ) -> FileHardwareBuilder {
        self.device(BlockDevice::new(name, size), path)
    }

    /// Adds a disk with all that the inventory tells about it.
    pub fn device(mut self, device: BlockDevice, path: impl Into<PathBuf>) -> Self {
        self.files
            .insert(device.name.clone(), (path.into(), device.size));
        self.inventory.disks.push(device);
        self
    }

    /// Sets the processors.
    pub fn cpu(mut self, cpu: Cpu) -> Self {
        self.inventory.cpu = cpu;
        self
    }

    /// Sets the main memory.
    pub fn memory(mut self, memory: Memory) -> Self {
        self.inventory.memory = memory;
        self
    }

    /// Sets maker, model and serial number.
    pub fn vendor(mut self, vendor: SystemVendor) -> Self {
        self.inventory.system_vendor = vendor;
        self
    }

    /// Sets the BMC's IPv4 address.
    pub fn bmc_address(mut self, address: impl Into<String>) -> Self {
        self.inventory.bmc_address = Some(address.into());
        self
    }

    /// Sets how the machine started.
    pub fn boot_mode(mut self, mode: BootMode) -> Self {
        self.inventory.boot.current_boot_mode = mode;
        self
    }

    /// Sets the ramdisk's host name.
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.inventory.hostname = name.into();
        self
    }

    /// Sets what happens when the agent switches the machine off or restarts it; the handler
    /// must not block.
    pub fn on_power(mut self, handler: impl Fn(PowerAction) + Send + Sync + 'static) -> Self {
        self.power = Arc::new(handler);
        self
    }

    /// Sets what happens when the rescue user is to be let in with the password of this hash; the
    /// handler must not block.
    pub fn on_rescue(mut self, handler: impl Fn(&Secret<String>) + Send + Sync + 'static) -> Self {
        self.rescue = Arc::new(handler);
        self
    }

    /// Makes the machine, and its disks' files where they do not exist.
    ///
    /// # Errors
    /// A disk's file cannot be made or has no room to grow.
    pub fn build(self) -> Result<FileHardware, HardwareError> {
        for (path, size) in self.files.values() {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .and_then(|file| file.set_len(*size))
                .map_err(|source| HardwareError::io(path.display().to_string(), source))?;
        }
        Ok(FileHardware {
            inventory: self.inventory,
            files: self.files,
            power: self.power,
            rescue: self.rescue,
            bootloader: Mutex::new(None),
        })
    }
}

#[async_trait]
impl Hardware for FileHardware {
    async fn inventory(&self) -> Result<Inventory, HardwareError> {
        Ok(self.inventory.clone())
    }

    async fn open_disk(&self, name: &str) -> Result<Arc<dyn Disk>, HardwareError> {
        let (path, size) = self
            .files
            .get(name)
            .ok_or_else(|| HardwareError::NoDisk(name.to_owned()))?;
        let sector = self
            .inventory
            .disks
            .iter()
            .find(|disk| disk.name == name)
            .and_then(|disk| disk.logical_sectors)
            .unwrap_or(512);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|source| HardwareError::io(path.display().to_string(), source))?;
        Ok(Arc::new(
            FileDisk::regular(file, *size).with_sector_size(sector),
        ))
    }

    async fn install_bootloader(&self, request: &Bootloader) -> Result<bool, HardwareError> {
        *self
            .bootloader
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(request.clone());
        Ok(true)
    }

    async fn sync(&self) -> Result<(), HardwareError> {
        for (name, (path, _)) in &self.files {
            let disk = self.open_disk(name).await?;
            disk.sync()
                .await
                .map_err(|source| HardwareError::io(path.display().to_string(), source))?;
        }
        Ok(())
    }

    async fn power(&self, action: PowerAction) -> Result<(), HardwareError> {
        (self.power)(action);
        Ok(())
    }

    async fn set_rescue_password(&self, hashed: &Secret<String>) -> Result<(), HardwareError> {
        (self.rescue)(hashed);
        Ok(())
    }
}
