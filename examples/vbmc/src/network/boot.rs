use std::net::SocketAddr;

use ironic_core::Entropy;
use ironic_pxe::dhcp::{ClientArch, ClientConfig, HardwareAddress, Lease};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{DhcpPort, NetworkError, fetch::Fetcher, program::Program};
use crate::{
    disk::Disks,
    machine::{Firmware, MachineEvent, Reporter, Timings},
    script::{Linux, Location},
};

/// TFTP's port, where nothing else is said.
const TFTP_PORT: u16 = 69;

/// A kernel and its ramdisks, all of them loaded.
#[derive(Debug)]
pub(crate) struct NetworkLinux {
    pub(crate) command_line: String,
    pub(crate) ramdisks: usize,
    pub(crate) lease: Lease,
}

/// What the network says to boot.
#[derive(Debug)]
pub(crate) enum NetworkBoot {
    Linux(NetworkLinux),
    /// The disk with this identifier in its boot record, or the first.
    Disk {
        identifier: Option<u32>,
    },
    /// Whatever the firmware has next.
    NextDevice,
    Reboot,
    PowerOff,
}

/// Boots from the network, once, through one network card.
#[derive(Debug)]
pub(crate) struct NetworkBooter<'a> {
    pub(crate) dhcp: Option<DhcpPort>,
    pub(crate) http: reqwest::Client,
    pub(crate) tftp: Option<SocketAddr>,
    pub(crate) card: usize,
    pub(crate) macs: &'a [HardwareAddress],
    pub(crate) machine: Uuid,
    pub(crate) firmware: Firmware,
    pub(crate) arm: bool,
    pub(crate) program_required: bool,
    pub(crate) timings: Timings,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) reporter: &'a Reporter,
    pub(crate) disks: &'a Disks,
    pub(crate) power: &'a CancellationToken,
}

/// What a boot program has to work with.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) lease: Lease,
    pub(super) mac: HardwareAddress,
    pub(super) fetcher: Fetcher,
    /// Where the boot program was loaded from.
    pub(super) origin: Location,
}

impl NetworkBooter<'_> {
    /// Asks what to boot, loads the boot program, and does what it does.
    pub(crate) async fn boot(&self) -> Result<NetworkBoot, NetworkError> {
        let session = self.ask(false).await?;
        let name = session.lease.boot_file.clone().unwrap_or_default();
        let program = Program::find(session.origin.path(), self.firmware).ok_or_else(|| {
            NetworkError::Program {
                program: name,
                firmware: self.firmware.name(),
            }
        })?;
        self.load_program(&session).await?;
        match program {
            Program::Pxelinux => self.pxelinux(session).await,
            Program::Grub => self.grub(session).await,
            Program::Ipxe => self.ipxe().await,
        }
    }

    /// Gets a lease that names something to load.
    pub(super) async fn ask(&self, is_ipxe: bool) -> Result<Session, NetworkError> {
        let port = self.dhcp.ok_or(NetworkError::NoNetwork)?;
        let mac = *self.macs.get(self.card).ok_or(NetworkError::NoNetwork)?;
        let mut transaction = [0; 4];
        self.entropy.fill(&mut transaction);
        let config = ClientConfig::new(mac, u32::from_be_bytes(transaction))
            .with_arch(self.arch())
            .with_machine_id(self.machine.into_bytes())
            .with_ipxe(is_ipxe);
        let lease = port.lease(config).await?;
        self.reporter.report(MachineEvent::DhcpLease {
            address: lease.address,
            next_server: lease.next_server,
            boot_file: lease.boot_file.clone(),
            is_ipxe,
        });
        let Some(name) = lease.boot_file.clone() else {
            return Err(NetworkError::NoBootFile {
                server: SocketAddr::V4(port.0),
            });
        };
        let next_server = lease.next_server.unwrap_or(lease.server);
        let root = Location::Tftp {
            server: SocketAddr::new(next_server.into(), TFTP_PORT),
            path: String::new(),
        };
        let origin = self.locate(&root, &name)?;
        Ok(Session {
            lease,
            mac,
            fetcher: Fetcher {
                http: self.http.clone(),
                tftp: self.tftp,
            },
            origin,
        })
    }

    fn arch(&self) -> ClientArch {
        match (self.firmware, self.arm) {
            (Firmware::Bios, _) => ClientArch::BIOS,
            (Firmware::Uefi, false) => ClientArch::UEFI_X64,
            (Firmware::Uefi, true) => ClientArch::UEFI_ARM64,
            (Firmware::UefiHttp, false) => ClientArch::HTTP_X64,
            (Firmware::UefiHttp, true) => ClientArch::HTTP_ARM64,
        }
    }

    /// Loads the program's file as firmware does. A server that has none is passed over unless the machine is told
    /// otherwise: the program's work needs no file, as if it stood in the network card's ROM.
    async fn load_program(&self, session: &Session) -> Result<(), NetworkError> {
        let bytes = match session.fetcher.image(&session.origin).await {
            Ok(bytes) => Some(bytes),
            Err(error) if error.is_absence() && !self.program_required => None,
            Err(error) => return Err(error),
        };
        self.reporter.report(MachineEvent::LoadedProgram {
            location: session.origin.to_string(),
            bytes,
        });
        Ok(())
    }

    pub(super) fn locate(&self, base: &Location, name: &str) -> Result<Location, NetworkError> {
        base.join(name).map_err(|source| NetworkError::Location {
            name: name.chars().take(128).collect(),
            source,
        })
    }

    /// Loads a configuration by the first of these names that the server has.
    pub(super) async fn configuration(
        &self,
        session: &Session,
        names: &[Location],
    ) -> Result<(Location, String), NetworkError> {
        for location in names {
            match session.fetcher.script(location).await {
                Ok(content) => return Ok((location.clone(), self.text(location, content))),
                Err(error) if error.is_absence() => {}
                Err(error) => return Err(error),
            }
        }
        Err(NetworkError::NoConfiguration {
            tried: names.len(),
            last: names.last().unwrap_or(&session.origin).clone(),
        })
    }

    pub(super) fn text(&self, location: &Location, content: Vec<u8>) -> String {
        self.reporter.report(MachineEvent::LoadedConfig {
            location: location.to_string(),
        });
        // Boot loaders read bytes; what is no UTF-8 is in comments, or makes no sense to them either.
        String::from_utf8(content)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Loads a kernel and its ramdisks.
    pub(super) async fn load(
        &self,
        session: Session,
        base: &Location,
        linux: Linux,
    ) -> Result<NetworkBoot, NetworkError> {
        let kernel = self.locate(base, &linux.kernel)?;
        self.load_image(&session.fetcher, &kernel, true).await?;
        for initrd in &linux.initrds {
            let initrd = self.locate(base, initrd)?;
            self.load_image(&session.fetcher, &initrd, false).await?;
        }
        Ok(NetworkBoot::Linux(NetworkLinux {
            command_line: linux.command_line,
            ramdisks: linux.initrds.len(),
            lease: session.lease,
        }))
    }

    pub(super) async fn load_image(
        &self,
        fetcher: &Fetcher,
        location: &Location,
        is_kernel: bool,
    ) -> Result<(), NetworkError> {
        let bytes = fetcher.image(location).await?;
        let location = location.to_string();
        self.reporter.report(if is_kernel {
            MachineEvent::LoadedKernel { location, bytes }
        } else {
            MachineEvent::LoadedRamdisk { location, bytes }
        });
        Ok(())
    }
}
