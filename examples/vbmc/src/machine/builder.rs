use std::{
    fs::OpenOptions,
    net::{SocketAddr, SocketAddrV4},
    path::{Path, PathBuf},
    sync::Arc,
};

use ironic_agent::{AgentConfig, Cpu, Memory, SystemVendor};
use ironic_core::{Clock, Entropy, OsEntropy, SystemClock};
use ironic_pxe::dhcp::HardwareAddress;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::{BootSource, Firmware, MachineError, MachineReport, SimulatedMachine, Timings};
use crate::{
    disk::{DiskFile, Disks},
    network::DhcpPort,
};

/// How many events a reader may be behind before it misses some.
const EVENTS: usize = 1024;
/// Restarts that boot scripts may ask for in a row.
const RESTARTS: u32 = 16;

type Tune = Arc<dyn Fn(&mut AgentConfig) + Send + Sync>;

/// What a machine is made of.
pub(super) struct Blueprint {
    pub(super) name: Arc<str>,
    pub(super) uuid: Uuid,
    pub(super) macs: Vec<HardwareAddress>,
    pub(super) firmware: Firmware,
    pub(super) disks: Disks,
    pub(super) cpu: Cpu,
    pub(super) memory: Memory,
    pub(super) vendor: SystemVendor,
    pub(super) dhcp: Option<DhcpPort>,
    pub(super) tftp: Option<SocketAddr>,
    pub(super) order: Vec<BootSource>,
    pub(super) program_required: bool,
    pub(super) restarts: u32,
    pub(super) timings: Timings,
    pub(super) http: reqwest::Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) tune: Tune,
    pub(super) events: broadcast::Sender<MachineReport>,
}

/// Describes a [`SimulatedMachine`].
#[must_use]
pub struct SimulatedMachineBuilder {
    name: Option<String>,
    uuid: Option<Uuid>,
    disks: Vec<(PathBuf, u64)>,
    blueprint: Blueprint,
}

impl SimulatedMachineBuilder {
    pub(super) fn new(mac: HardwareAddress, http: reqwest::Client) -> Self {
        let blueprint = Blueprint {
            name: Arc::from(""),
            uuid: Uuid::nil(),
            macs: vec![mac],
            firmware: Firmware::default(),
            disks: Disks::default(),
            cpu: Cpu::new("x86_64", 4),
            memory: Memory::new(8192),
            vendor: SystemVendor::new("Ironic", "Simulated machine", mac.to_string()),
            dhcp: None,
            tftp: None,
            order: vec![BootSource::Network, BootSource::Disk],
            program_required: false,
            restarts: RESTARTS,
            timings: Timings::default(),
            http,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            tune: Arc::new(|_| {}),
            events: broadcast::Sender::new(EVENTS),
        };
        Self {
            name: None,
            uuid: None,
            disks: Vec::new(),
            blueprint,
        }
    }

    /// Names the machine in events and logs; its hardware address otherwise.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the machine's identifier, which it tells DHCP servers; one made of its hardware address otherwise.
    pub fn uuid(mut self, uuid: Uuid) -> Self {
        self.uuid = Some(uuid);
        self
    }

    /// Adds one more network card; the first is that of [`SimulatedMachine::builder`].
    pub fn nic(mut self, mac: HardwareAddress) -> Self {
        self.blueprint.macs.push(mac);
        self
    }

    /// Sets the kind of firmware; UEFI otherwise.
    pub fn firmware(mut self, firmware: Firmware) -> Self {
        self.blueprint.firmware = firmware;
        self
    }

    /// Adds a disk of `size` bytes in the file at `path`, which is made sparse if it is not there, and keeps its content
    /// if it is. The agent sees `/dev/vda`, `/dev/vdb` and so on.
    pub fn disk(mut self, path: impl AsRef<Path>, size: u64) -> Self {
        self.disks.push((path.as_ref().to_owned(), size));
        self
    }

    /// Sets the processors; four of x86_64 otherwise. UEFI of an `aarch64` machine asks for programs of that kind.
    pub fn cpu(mut self, cpu: Cpu) -> Self {
        self.blueprint.cpu = cpu;
        self
    }

    /// Sets the main memory in MiB; 8192 otherwise. Nothing is taken of the host's.
    pub fn memory_mib(mut self, mib: u64) -> Self {
        self.blueprint.memory = Memory::new(mib);
        self
    }

    /// Sets maker, model and serial number.
    pub fn vendor(mut self, vendor: SystemVendor) -> Self {
        self.blueprint.vendor = vendor;
        self
    }

    /// Plugs the machine's network cards in: where what it broadcasts to DHCP servers goes. The server has to answer
    /// to where a request comes from. Without it the machine has no network.
    pub fn dhcp(mut self, server: SocketAddrV4) -> Self {
        self.blueprint.dhcp = Some(DhcpPort(server));
        self
    }

    /// Sends all TFTP to this address; otherwise it goes to port 69 of the server that DHCP names.
    pub fn tftp(mut self, server: SocketAddr) -> Self {
        self.blueprint.tftp = Some(server);
        self
    }

    /// Sets what is tried when the BMC says nothing; the network, then the disks otherwise.
    pub fn boot_order(mut self, order: impl IntoIterator<Item = BootSource>) -> Self {
        self.blueprint.order = order.into_iter().collect();
        self
    }

    /// Makes a boot program that the server does not have an error, as it is for real firmware. Otherwise the
    /// machine does what the program of that name would do, as if it stood in the network card's ROM.
    pub fn require_boot_program(mut self, required: bool) -> Self {
        self.blueprint.program_required = required;
        self
    }

    /// Sets how often in a row a boot script may restart the machine; 16 otherwise.
    pub fn restarts(mut self, most: u32) -> Self {
        self.blueprint.restarts = most;
        self
    }

    /// Sets how long things take; next to nothing otherwise.
    pub fn timings(mut self, timings: Timings) -> Self {
        self.blueprint.timings = timings;
        self
    }

    /// Sets where events go, so that machines can share it; a channel of its own otherwise.
    pub fn events(mut self, events: broadcast::Sender<MachineReport>) -> Self {
        self.blueprint.events = events;
        self
    }

    /// Sets the clock; the system's otherwise.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.blueprint.clock = clock;
        self
    }

    /// Sets the source of chance; the system's otherwise.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.blueprint.entropy = entropy;
        self
    }

    /// Changes what the agent read from its kernel command line, for what has no kernel parameter.
    pub fn tune_agent(mut self, tune: impl Fn(&mut AgentConfig) + Send + Sync + 'static) -> Self {
        self.blueprint.tune = Arc::new(tune);
        self
    }

    /// Makes the machine, which is off, and its disks' files where they do not exist.
    ///
    /// # Errors
    /// A hardware address is none of Ethernet, or a disk's file cannot be made.
    pub fn build(self) -> Result<SimulatedMachine, MachineError> {
        let mut blueprint = self.blueprint;
        if let Some(mac) = blueprint.macs.iter().find(|mac| mac.as_bytes().len() != 6) {
            return Err(MachineError::HardwareAddress(mac.to_string()));
        }
        let mac = blueprint.macs.first().map(HardwareAddress::to_string);
        let mac = mac.unwrap_or_default();
        blueprint.uuid = self
            .uuid
            .unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, mac.as_bytes()));
        blueprint.name = self.name.unwrap_or(mac).into();
        for (letter, (path, size)) in ('a'..='z').zip(self.disks) {
            make_disk(&path, size)?;
            let name = format!("/dev/vd{letter}");
            blueprint.disks.0.push(DiskFile::new(name, path, size));
        }
        Ok(SimulatedMachine::new(blueprint))
    }
}

fn make_disk(path: &Path, size: u64) -> Result<(), MachineError> {
    let failed = |source| MachineError::Disk {
        path: path.to_owned(),
        source,
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed)?;
    let found = file.metadata().map_err(failed)?.len();
    if found > size {
        return Err(MachineError::DiskTooLarge {
            path: path.to_owned(),
            found,
            size,
        });
    }
    file.set_len(size).map_err(failed)
}
