//! The machines, each behind a virtual BMC of its own.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ironic_vbmc::{Firmware, MachineReport, MachineState, SimulatedMachine, Timings, VirtualBmc};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::site::Site;

pub(crate) const USERNAME: &str = "admin";
pub(crate) const PASSWORD: &str = "demo-password";

/// A machine, as an operator knows it.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) number: u16,
    pub(crate) name: String,
    pub(crate) mac: [u8; 6],
    pub(crate) address: Ipv4Addr,
    pub(crate) bmc: SocketAddr,
    pub(crate) uefi: bool,
    /// What the machine is doing.
    pub(crate) state: watch::Receiver<MachineState>,
}

impl Unit {
    pub(crate) fn mac_text(&self) -> String {
        self.mac.map(|octet| format!("{octet:02x}")).join(":")
    }

    /// Half of the machines boot as it was always done, the others by UEFI and iPXE.
    pub(crate) fn boot_interface(&self) -> &'static str {
        if self.uefi { "ipxe" } else { "pxe" }
    }

    pub(crate) fn firmware(&self) -> &'static str {
        if self.uefi { "uefi" } else { "bios" }
    }
}

pub(crate) struct Rack {
    units: Vec<Unit>,
    pub(crate) events: broadcast::Sender<MachineReport>,
    bmcs: std::sync::Mutex<JoinSet<()>>,
    _disks: tempfile::TempDir,
}

impl Rack {
    pub(crate) async fn start(site: &Site, count: u16, disk_gib: u64) -> Result<Self, Failure> {
        let disks =
            tempfile::tempdir().map_err(|error| Failure::setup("no folder for disks", error))?;
        let events = broadcast::Sender::new(65_536);
        let mut bmcs = JoinSet::new();
        let mut units = Vec::new();
        for number in 1..=count {
            let [high, low] = number.to_be_bytes();
            let uefi = number % 2 == 0;
            let name = format!("machine-{number}");
            let bmc = VirtualBmc::bind(
                SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                USERNAME,
                PASSWORD,
            )
            .await
            .map_err(|error| Failure::setup("virtual BMC", error))?;
            let mac = [0x52, 0x54, 0x00, 0x12, high, low];
            let disk: PathBuf = disks.path().join(format!("{name}.img"));
            let machine = SimulatedMachine::builder(mac.into(), site.http.clone())
                .name(&name)
                .disk(disk, disk_gib << 30)
                .firmware(if uefi { Firmware::Uefi } else { Firmware::Bios })
                .timings(
                    Timings::new()
                        .self_test(Duration::from_millis(200))
                        .ramdisk(Duration::from_millis(200)),
                )
                .dhcp(v4(site.dhcp)?)
                .tftp(site.tftp)
                .events(events.clone())
                .tune_agent(|agent| {
                    agent.listen_host = Some(Ipv4Addr::LOCALHOST.into());
                    agent.listen_port = 0;
                    agent.advertise_host = Some(Ipv4Addr::LOCALHOST.to_string());
                    agent.min_heartbeat_interval = Duration::from_secs(1);
                    agent.dhcp_wait = Duration::ZERO;
                })
                .build()
                .map_err(|error| Failure::setup("machine", error))?;
            let unit = Unit {
                number,
                mac,
                address: Ipv4Addr::new(10, 77, high, low),
                bmc: bmc.address(),
                uefi,
                name,
                state: machine.watch(),
            };
            site.know(&unit);
            bmcs.spawn(async move {
                let _ = bmc.serve(Arc::new(machine)).await;
            });
            units.push(unit);
        }
        Ok(Self {
            units,
            events,
            bmcs: std::sync::Mutex::new(bmcs),
            _disks: disks,
        })
    }

    pub(crate) fn machines(&self) -> &[Unit] {
        &self.units
    }

    /// Pulls every plug.
    pub(crate) async fn stop(&self) {
        let mut bmcs = std::mem::take(
            &mut *self
                .bmcs
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        bmcs.shutdown().await;
    }
}

fn v4(address: SocketAddr) -> Result<SocketAddrV4, Failure> {
    match address {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => Err(Failure::Setup("DHCP is of IPv4".to_owned())),
    }
}
