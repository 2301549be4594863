use std::{fmt, net::Ipv4Addr, sync::Arc};

use ironic_agent::CommandReport;
use ironic_core::Secret;

use super::BootSource;
use crate::disk::DiskReport;

/// An event of one machine.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MachineReport {
    /// The machine's name.
    pub machine: Arc<str>,
    /// How often the machine had been started when it happened; 0 before the first time.
    pub boot: u64,
    /// What happened.
    pub event: MachineEvent,
}

/// What happens to a machine, as somebody sees it who stands in front of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum MachineEvent {
    /// The BMC set what to boot from.
    BootDeviceSet {
        /// The device; none leaves the choice to the machine.
        device: Option<BootSource>,
        /// For more than one boot.
        persistent: bool,
        /// UEFI was asked for.
        efi: bool,
    },
    /// Power came on.
    PoweredOn,
    /// The firmware starts, by power on or by a reset.
    BootStarted {
        /// What it is going to try, in order.
        order: Vec<BootSource>,
    },
    /// A boot device is tried.
    TryingDevice {
        /// The device.
        device: BootSource,
    },
    /// A DHCP server gave an address.
    DhcpLease {
        /// The address.
        address: Ipv4Addr,
        /// The server to boot from.
        next_server: Option<Ipv4Addr>,
        /// What to load from it.
        boot_file: Option<String>,
        /// iPXE asked, rather than the firmware.
        is_ipxe: bool,
    },
    /// The boot program was loaded.
    LoadedProgram {
        /// Where from.
        location: String,
        /// Its size; none if the server does not have it, and the machine played it without.
        bytes: Option<u64>,
    },
    /// A boot program's configuration or script was loaded.
    LoadedConfig {
        /// Where from.
        location: String,
    },
    /// A kernel was loaded.
    LoadedKernel {
        /// Where from.
        location: String,
        /// Its size.
        bytes: u64,
    },
    /// A ramdisk was loaded.
    LoadedRamdisk {
        /// Where from.
        location: String,
        /// Its size.
        bytes: u64,
    },
    /// The ramdisk's agent started.
    AgentStarted {
        /// The kernel's command line, in which a token may stand.
        command_line: Secret<String>,
    },
    /// The agent has carried out a command, or failed to.
    AgentCommand(CommandReport),
    /// The agent gave the machine to the rescue user, and ended.
    Rescued {
        /// The user's password, as crypt(5) keeps it.
        password_hash: Secret<String>,
    },
    /// The agent gave up; the machine stays on and does nothing.
    AgentEnded {
        /// Why.
        why: String,
    },
    /// A system was started from disk.
    BootedDisk(Arc<DiskReport>),
    /// A boot device did not boot.
    DeviceFailed {
        /// The device.
        device: BootSource,
        /// Why.
        why: String,
    },
    /// No boot device booted; the machine stays on and does nothing.
    BootFailed {
        /// Why, device by device.
        why: String,
    },
    /// The firmware's setup waits for somebody.
    EnteredSetup,
    /// The machine was reset, by the BMC or by what ran on it.
    Reset,
    /// A diagnostic interrupt reached the machine.
    Interrupted,
    /// Power went off.
    PoweredOff,
}

impl fmt::Display for MachineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BootDeviceSet {
                device,
                persistent,
                efi,
            } => {
                match device {
                    Some(device) => write!(f, "boot device set to {device}")?,
                    None => f.write_str("boot device left to the machine")?,
                }
                f.write_str(if *persistent { ", for good" } else { ", once" })?;
                f.write_str(if *efi { ", by UEFI" } else { "" })
            }
            Self::PoweredOn => f.write_str("power on"),
            Self::BootStarted { order } => {
                f.write_str("starting, by ")?;
                let names: Vec<String> = order.iter().map(BootSource::to_string).collect();
                f.write_str(&names.join(", then "))
            }
            Self::TryingDevice { device } => write!(f, "trying {device}"),
            Self::DhcpLease {
                address,
                next_server,
                boot_file,
                is_ipxe,
            } => {
                f.write_str(if *is_ipxe { "iPXE: " } else { "" })?;
                write!(f, "address {address}")?;
                if let Some(file) = boot_file {
                    write!(f, ", to load {}", file.escape_debug())?;
                }
                match next_server {
                    Some(server) => write!(f, " from {server}"),
                    None => Ok(()),
                }
            }
            Self::LoadedProgram {
                location,
                bytes: Some(bytes),
            } => write!(f, "boot program {location}, {bytes} bytes"),
            Self::LoadedProgram { location, .. } => {
                write!(f, "boot program {location} is not there, playing it anyway")
            }
            Self::LoadedConfig { location } => write!(f, "configuration {location}"),
            Self::LoadedKernel { location, bytes } => write!(f, "kernel {location}, {bytes} bytes"),
            Self::LoadedRamdisk { location, bytes } => {
                write!(f, "ramdisk {location}, {bytes} bytes")
            }
            Self::AgentStarted { .. } => f.write_str("agent started"),
            Self::AgentCommand(report) => fmt_command(report, f),
            Self::Rescued { .. } => f.write_str("the rescue user can log in"),
            Self::AgentEnded { why } => write!(f, "agent ended: {why}"),
            Self::BootedDisk(report) => fmt_report(report, f),
            Self::DeviceFailed { device, why } => write!(f, "{device} does not boot: {why}"),
            Self::BootFailed { why } => write!(f, "nothing boots: {why}"),
            Self::EnteredSetup => f.write_str("in the firmware's setup"),
            Self::Reset => f.write_str("reset"),
            Self::Interrupted => f.write_str("diagnostic interrupt"),
            Self::PoweredOff => f.write_str("power off"),
        }
    }
}

fn fmt_command(report: &CommandReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match &report.step {
        Some(step) => write!(f, "agent ran step {step}")?,
        None => write!(f, "agent ran {}", report.name)?,
    }
    match &report.fault {
        Some(fault) => write!(f, ": {fault}"),
        None => Ok(()),
    }
}

fn fmt_report(report: &DiskReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let image = &report.image;
    write!(
        f,
        "booted {}, image of {} bytes, sha256 {}",
        report.disk, image.bytes, image.sha256
    )?;
    let name = report.config_drive.as_ref().map(|drive| &drive.hostname);
    match name {
        Some(Some(name)) => write!(f, ", host name {}", name.escape_debug()),
        Some(None) => f.write_str(", config drive without a host name"),
        None => f.write_str(", no config drive"),
    }
}
