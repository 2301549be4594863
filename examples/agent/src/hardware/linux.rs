//! The machine that Linux shows in sysfs and procfs.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use ironic_core::Secret;
use nix::sys::reboot::{RebootMode, reboot};

use super::{
    BlockDevice, BootInfo, BootMode, Bootloader, Cpu, Disk, FileDisk, Firmware, Hardware,
    HardwareError, Inventory, LogFile, Memory, NetworkInterface, PciDevice, PowerAction,
    SystemVendor,
};

/// Longest file read from sysfs or procfs, in bytes.
const MOST: u64 = 4 << 20;
/// Most of a log file that is collected, in bytes; the end counts.
const MOST_LOG: u64 = 1 << 20;
/// Where ramdisks look for the rescue user's password once the agent has ended; they have the
/// folder if they have such a user.
const RESCUE_PASSWORD: &str = "etc/ipa-rescue-config/ipa-rescue-password";
/// Says that the ramdisk is the rescue user's.
const RESCUED: &str = "etc/.rescued";

/// Linux as the ramdisk's kernel; `sys` and `proc` stand under a root that tests replace.
#[derive(Debug, Clone)]
pub struct LinuxHardware {
    root: PathBuf,
}

impl LinuxHardware {
    /// The machine whose `sys`, `proc` and `dev` stand under `root`; `/` for the real one.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn text(&self, path: &str) -> Option<String> {
        read(&self.path(path))
    }

    /// Names in a directory, sorted.
    fn names(&self, path: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.path(path))
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    fn link_name(&self, path: &str) -> Option<String> {
        fs::read_link(self.path(path))
            .ok()?
            .file_name()?
            .to_str()
            .map(str::to_owned)
    }

    fn disks(&self) -> Vec<BlockDevice> {
        // Memory, loop and removable optical or floppy devices never hold an instance.
        const NOT_DISKS: [&str; 6] = ["loop", "ram", "zram", "sr", "fd", "dm-"];
        self.names("sys/block")
            .into_iter()
            .filter(|name| !NOT_DISKS.iter().any(|prefix| name.starts_with(prefix)))
            .filter_map(|name| self.disk(&name))
            .collect()
    }

    fn disk(&self, name: &str) -> Option<BlockDevice> {
        let fact = |path: &str| self.text(&format!("sys/block/{name}/{path}"));
        // The unit is 512 bytes whatever the sector size is (Linux, Documentation/ABI/stable/sysfs-block).
        let size = fact("size")?.parse::<u64>().ok()?.checked_mul(512)?;
        if size == 0 {
            return None;
        }
        let number = |path: &str| fact(path)?.parse().ok();
        let device = format!("/dev/{name}");
        Some(BlockDevice {
            model: fact("device/model"),
            rotational: fact("queue/rotational").as_deref() == Some("1"),
            wwn: fact("wwid").or_else(|| fact("device/wwid")),
            serial: fact("serial").or_else(|| fact("device/serial")),
            vendor: fact("device/vendor"),
            hctl: self
                .link_name(&format!("sys/block/{name}/device"))
                .filter(|address| address.split(':').count() == 4),
            by_path: self.by_path(name),
            logical_sectors: number("queue/logical_block_size"),
            physical_sectors: number("queue/physical_block_size"),
            tran: name.starts_with("nvme").then(|| "nvme".to_owned()),
            read_only: fact("ro").as_deref() == Some("1"),
            reserved: self.is_raid_member(name) || self.virtual_media().as_deref() == Some(name),
            ..BlockDevice::new(device, size)
        })
    }

    /// Whether the disk or one of its partitions is held by an md array.
    fn is_raid_member(&self, name: &str) -> bool {
        let in_array = |directory: &str| {
            let holders = self.names(&format!("{directory}/holders"));
            holders.iter().any(|holder| holder.starts_with("md"))
        };
        let disk = format!("sys/block/{name}");
        in_array(&disk)
            || self
                .names(&disk)
                .iter()
                .filter(|part| part.starts_with(name))
                .any(|part| in_array(&format!("{disk}/{part}")))
    }

    /// The disk by which a BMC hands the ramdisk its parameters.
    fn virtual_media(&self) -> Option<String> {
        self.link_name("dev/disk/by-label/ir-vfd-dev")
    }

    fn by_path(&self, disk: &str) -> Option<String> {
        self.names("dev/disk/by-path")
            .into_iter()
            .map(|link| format!("dev/disk/by-path/{link}"))
            .find(|link| self.link_name(link).as_deref() == Some(disk))
            .map(|link| format!("/{link}"))
    }

    fn interfaces(&self) -> Vec<NetworkInterface> {
        let addresses = if self.root == Path::new("/") {
            interface_addresses()
        } else {
            Vec::new()
        };
        self.names("sys/class/net")
            .into_iter()
            .filter(|name| self.path(&format!("sys/class/net/{name}/device")).exists())
            .filter_map(|name| {
                let fact = |path: &str| self.text(&format!("sys/class/net/{name}/{path}"));
                let address = |v4: bool| {
                    addresses
                        .iter()
                        .find(|(nic, address)| *nic == name && address.is_ipv4() == v4)
                        .map(|(_, address)| address.to_string())
                };
                Some(NetworkInterface {
                    mac_address: fact("address")?.to_ascii_lowercase(),
                    ipv4_address: address(true),
                    ipv6_address: address(false),
                    has_carrier: fact("carrier").as_deref() == Some("1"),
                    vendor: fact("device/vendor"),
                    product: fact("device/device"),
                    // A link that is down has the speed -1.
                    speed_mbps: fact("speed").and_then(|speed| speed.parse().ok()),
                    pci_address: self
                        .link_name(&format!("sys/class/net/{name}/device"))
                        .filter(|address| address.contains('.')),
                    driver: self.link_name(&format!("sys/class/net/{name}/device/driver")),
                    name,
                    ..NetworkInterface::default()
                })
            })
            .collect()
    }

    fn cpu(&self) -> Cpu {
        let text = self.text("proc/cpuinfo").unwrap_or_default();
        let value_of = |key: &'static str| {
            text.lines()
                .filter_map(|line| line.split_once(':'))
                .filter(move |(name, _)| name.trim() == key)
                .map(|(_, value)| value.trim().to_owned())
        };
        let mut sockets: Vec<_> = value_of("physical id").collect();
        sockets.sort();
        sockets.dedup();
        Cpu {
            model_name: value_of("model name").next().unwrap_or_default(),
            frequency: value_of("cpu MHz").next().unwrap_or_default(),
            count: value_of("processor").count() as u64,
            flags: value_of("flags")
                .next()
                .map(|flags| flags.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            socket_count: sockets.len().max(1) as u64,
            architecture: std::env::consts::ARCH.to_owned(),
        }
    }

    fn memory(&self) -> Memory {
        let kib = self.text("proc/meminfo").and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("MemTotal:"))?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        });
        // Memory blocks are what is plugged in, the kernel's own part included.
        let block = self
            .text("sys/devices/system/memory/block_size_bytes")
            .and_then(|hex| u64::from_str_radix(hex.trim_start_matches("0x"), 16).ok());
        let blocks = self
            .names("sys/devices/system/memory")
            .iter()
            .filter_map(|name| name.strip_prefix("memory"))
            .filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
            .count() as u64;
        Memory {
            total: kib.and_then(|kib| kib.checked_mul(1024)),
            physical_mb: block
                .and_then(|bytes| bytes.checked_mul(blocks))
                .map(|bytes| bytes >> 20)
                .filter(|mib| *mib > 0),
        }
    }

    fn vendor(&self) -> SystemVendor {
        let dmi = |name: &str| {
            self.text(&format!("sys/class/dmi/id/{name}"))
                .unwrap_or_default()
        };
        SystemVendor {
            product_name: dmi("product_name"),
            serial_number: dmi("product_serial"),
            manufacturer: dmi("sys_vendor"),
            firmware: Firmware {
                vendor: dmi("bios_vendor"),
                version: dmi("bios_version"),
                build_date: dmi("bios_date"),
            },
        }
    }

    fn collect(&self) -> Inventory {
        let mode = if self.path("sys/firmware/efi").is_dir() {
            BootMode::Uefi
        } else {
            BootMode::Bios
        };
        Inventory {
            interfaces: self.interfaces(),
            cpu: self.cpu(),
            disks: self.disks(),
            memory: self.memory(),
            system_vendor: self.vendor(),
            boot: BootInfo {
                current_boot_mode: mode,
                pxe_interface: None,
            },
            hostname: self
                .text("proc/sys/kernel/hostname")
                .unwrap_or_else(|| "localhost".to_owned()),
            bmc_address: None,
            bmc_v6address: None,
        }
    }

    fn pci(&self) -> Vec<PciDevice> {
        self.names("sys/bus/pci/devices")
            .into_iter()
            .filter_map(|bus| {
                let fact = |name: &str| self.text(&format!("sys/bus/pci/devices/{bus}/{name}"));
                let hex = |name: &str| Some(fact(name)?.strip_prefix("0x")?.to_owned());
                Some(PciDevice {
                    vendor_id: hex("vendor")?,
                    product_id: hex("device")?,
                    class: hex("class")?,
                    revision: hex("revision"),
                    numa_node_id: fact("numa_node"),
                    bus,
                })
            })
            .collect()
    }

    fn keep_rescue_password(&self, hashed: &str) -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.path(RESCUE_PASSWORD))?;
        file.write_all(hashed.as_bytes())?;
        file.sync_all()?;
        if let Err(error) = fs::write(self.path(RESCUED), "") {
            tracing::warn!(%error, "an agent that is started again will not know that there was a rescue");
        }
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        what: &str,
        work: impl FnOnce(Self) -> T + Send + 'static,
    ) -> Result<T, HardwareError> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(this))
            .await
            .map_err(|error| HardwareError::io(what, std::io::Error::other(error)))
    }
}

/// A small file's text without surrounding blanks; `None` if there is nothing to read.
fn read(path: &Path) -> Option<String> {
    use std::io::Read as _;

    let mut text = Vec::new();
    fs::File::open(path)
        .ok()?
        .take(MOST)
        .read_to_end(&mut text)
        .ok()?;
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The end of a log file.
fn tail(path: &Path) -> Option<Vec<u8>> {
    use std::io::{Read as _, Seek as _, SeekFrom};

    let mut file = fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MOST_LOG)))
        .ok()?;
    let mut content = Vec::new();
    file.take(MOST_LOG).read_to_end(&mut content).ok()?;
    Some(content)
}

fn interface_addresses() -> Vec<(String, IpAddr)> {
    let mut addresses: Vec<_> = nix::ifaddrs::getifaddrs()
        .into_iter()
        .flatten()
        .filter_map(|interface| {
            let address = interface.address?;
            let ip = address
                .as_sockaddr_in()
                .map(|v4| IpAddr::V4(v4.ip()))
                .or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))?;
            Some((interface.interface_name, ip))
        })
        .collect();
    // A global address says more than a link-local one, where an interface has both.
    addresses
        .sort_by_key(|(_, ip)| matches!(ip, IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80));
    addresses
}

#[async_trait]
impl Hardware for LinuxHardware {
    async fn inventory(&self) -> Result<Inventory, HardwareError> {
        self.blocking("reading the inventory", |this| this.collect())
            .await
    }

    async fn open_disk(&self, name: &str) -> Result<Arc<dyn Disk>, HardwareError> {
        let no_disk = || HardwareError::NoDisk(name.to_owned());
        let kernel_name = name.strip_prefix("/dev/").ok_or_else(no_disk)?.to_owned();
        if kernel_name.contains('/') || kernel_name.starts_with('.') {
            return Err(no_disk());
        }
        let what = name.to_owned();
        self.blocking(name, move |this| {
            let disk = this
                .disk(&kernel_name)
                .ok_or_else(|| HardwareError::NoDisk(what.clone()))?;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(this.path(&format!("dev/{kernel_name}")))
                .map_err(|source| HardwareError::io(what, source))?;
            let sector = disk.logical_sectors.unwrap_or(512);
            Ok(Arc::new(FileDisk::device(file, disk.size, sector)) as Arc<dyn Disk>)
        })
        .await?
    }

    async fn install_bootloader(&self, request: &Bootloader) -> Result<bool, HardwareError> {
        tracing::warn!(
            device = request.device,
            "no boot entry written: the firmware has to find the disk by its removable-media path"
        );
        Ok(false)
    }

    async fn sync(&self) -> Result<(), HardwareError> {
        self.blocking("sync", |_| nix::unistd::sync()).await
    }

    async fn power(&self, action: PowerAction) -> Result<(), HardwareError> {
        if self.root != Path::new("/") {
            let not_this_one = std::io::Error::from(std::io::ErrorKind::Unsupported);
            return Err(HardwareError::io("power of another root", not_this_one));
        }
        let mode = match action {
            PowerAction::Off => RebootMode::RB_POWER_OFF,
            PowerAction::Reboot => RebootMode::RB_AUTOBOOT,
        };
        self.blocking("power", move |_| {
            nix::unistd::sync();
            match reboot(mode) {
                Ok(_never) => Ok(()),
                Err(errno) => Err(HardwareError::io("power", errno.into())),
            }
        })
        .await?
    }

    async fn set_rescue_password(&self, hashed: &Secret<String>) -> Result<(), HardwareError> {
        let hashed = hashed.clone();
        self.blocking("keeping the rescue password", move |this| {
            let kept = this.keep_rescue_password(hashed.expose());
            kept.map_err(|source| HardwareError::io(format!("/{RESCUE_PASSWORD}"), source))
        })
        .await?
    }

    async fn is_rescued(&self) -> bool {
        self.path(RESCUED).exists()
    }

    async fn logs(&self) -> Vec<LogFile> {
        self.blocking("reading logs", |this| {
            this.names("var/log")
                .into_iter()
                .filter(|name| this.path(&format!("var/log/{name}")).is_file())
                .filter_map(|name| {
                    let content = tail(&this.path(&format!("var/log/{name}")))?;
                    Some(LogFile::new(format!("var/log/{name}"), content))
                })
                .collect()
        })
        .await
        .unwrap_or_default()
    }

    async fn pci_devices(&self) -> Vec<PciDevice> {
        self.blocking("reading PCI devices", |this| this.pci())
            .await
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{Hardware, LinuxHardware, PowerAction};
    use crate::hardware::BootMode;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn machine(root: &Path) {
        put(root, "sys/block/sda/size", "20971520\n");
        put(root, "sys/block/sda/queue/rotational", "1\n");
        put(root, "sys/block/sda/queue/logical_block_size", "512\n");
        put(root, "sys/block/sda/ro", "1\n");
        put(root, "sys/block/loop0/size", "2048\n");
        put(root, "sys/block/sda/sda1/holders/md0/uevent", "");
        put(root, "sys/block/sdb/size", "0\n");
        put(root, "sys/devices/pci/0:0:0:1/model", "QEMU HARDDISK\n");
        symlink(
            "../../devices/pci/0:0:0:1",
            root.join("sys/block/sda/device"),
        )
        .unwrap();
        put(root, "sys/class/net/eth0/address", "52:54:00:AB:CD:EF\n");
        put(root, "sys/class/net/eth0/carrier", "1\n");
        put(root, "sys/class/net/eth0/speed", "-1\n");
        put(root, "sys/class/net/eth0/device/vendor", "0x1af4\n");
        put(root, "sys/class/net/lo/address", "00:00:00:00:00:00\n");
        put(
            root,
            "proc/cpuinfo",
            "processor\t: 0\nmodel name\t: A CPU\nphysical id\t: 0\nflags\t\t: fpu vme\n\nprocessor\t: 1\nphysical id\t: 0\n",
        );
        put(root, "proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\n");
        put(
            root,
            "sys/devices/system/memory/block_size_bytes",
            "8000000\n",
        );
        fs::create_dir_all(root.join("sys/devices/system/memory/memory0")).unwrap();
        fs::create_dir_all(root.join("sys/devices/system/memory/memory1")).unwrap();
        put(root, "sys/class/dmi/id/product_name", "LabServer\n");
        fs::create_dir_all(root.join("sys/firmware/efi")).unwrap();
    }

    #[tokio::test]
    async fn facts_come_from_sysfs_and_procfs() {
        let root = tempfile::tempdir().unwrap();
        machine(root.path());
        let found = LinuxHardware::new(root.path()).inventory().await.unwrap();
        assert_eq!(
            found.disks.len(),
            1,
            "neither loop devices nor empty drives"
        );
        let disk = &found.disks[0];
        assert_eq!((disk.name.as_str(), disk.size), ("/dev/sda", 10 << 30));
        assert_eq!(disk.model.as_deref(), Some("QEMU HARDDISK"));
        assert_eq!(disk.hctl.as_deref(), Some("0:0:0:1"));
        assert!(disk.rotational && disk.read_only && disk.reserved);
        assert_eq!(found.interfaces.len(), 1, "only interfaces with a device");
        let nic = &found.interfaces[0];
        assert_eq!(nic.mac_address, "52:54:00:ab:cd:ef");
        assert_eq!((nic.has_carrier, nic.speed_mbps), (true, None));
        assert_eq!((found.cpu.count, found.cpu.socket_count), (2, 1));
        assert_eq!(found.cpu.flags, ["fpu", "vme"]);
        assert_eq!(found.memory.total, Some(1_024_000));
        assert_eq!(found.memory.physical_mb, Some(256));
        assert_eq!(found.system_vendor.product_name, "LabServer");
        assert_eq!(found.boot.current_boot_mode, BootMode::Uefi);
    }

    #[tokio::test]
    async fn another_root_switches_nothing_off() {
        let root = tempfile::tempdir().unwrap();
        let hardware = LinuxHardware::new(root.path());
        assert!(hardware.power(PowerAction::Off).await.is_err());
    }

    #[tokio::test]
    async fn only_a_disk_of_the_inventory_opens() {
        let root = tempfile::tempdir().unwrap();
        machine(root.path());
        let hardware = LinuxHardware::new(root.path());
        for name in ["/dev/sdb", "/dev/../etc/passwd", "sda", "/dev/.."] {
            assert!(hardware.open_disk(name).await.is_err(), "{name}");
        }
    }
}
