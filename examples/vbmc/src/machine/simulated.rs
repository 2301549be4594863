use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use ironic_drivers_ipmi::{
    codec::CompletionCode,
    command::{BootDevice, BootFlags, ChassisAction, ChassisStatus},
    server::Machine,
};
use ironic_pxe::dhcp::HardwareAddress;
use tokio::{
    sync::{broadcast, watch},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    BootSource, Firmware, MachineEvent, MachineReport, Reporter, SimulatedMachineBuilder,
    builder::Blueprint, hardware::Plug, life::Life,
};

/// A machine that has everything but a processor: firmware, network cards and disks, and in its ramdisk the real agent.
///
/// It knows what reaches it by wire, and nothing else: boot flags and power from its BMC, an address and a boot file by
/// DHCP, files by TFTP and HTTP, commands to its agent. On power on it tries its boot devices until one boots:
///
/// - From the **network** it asks for an address, loads the boot program that it is given and does what that program
///   does. It knows programs by their names: pxelinux looks for `pxelinux.cfg/…`, GRUB for `grub.cfg…`, and iPXE asks
///   once more and runs the script that it is given. The kernel and the ramdisks are loaded as a whole; then the agent
///   runs with the kernel's command line. It has the address that DHCP gave where the host has that address too, as
///   it has all of 127.0.0.0/8; else it shares the host's, at a free port.
/// - From a **disk** it boots what its firmware would start, and reports what a first boot sees
///   ([`DiskReport`](crate::DiskReport)).
///
/// A device that the BMC sets is tried before the others, and forgotten at the next start unless it is persistent.
/// Losing power ends everything at once; what was written stays written. Dropping the machine is losing power.
#[must_use]
pub struct SimulatedMachine(Arc<Inner>);

/// What a machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MachineState {
    /// It is off.
    Off,
    /// Firmware and boot programs run.
    Booting,
    /// The agent runs.
    Agent,
    /// The ramdisk runs without its agent, for the rescue user.
    Rescue,
    /// A system from a disk runs.
    System,
    /// It is on, and nothing runs that could do anything.
    Halted,
}

pub(super) struct Inner {
    pub(super) blueprint: Blueprint,
    chassis: Mutex<Chassis>,
    state: watch::Sender<MachineState>,
    /// Writes to disks, of whichever run; always closed, so that it can be waited for.
    io: TaskTracker,
}

#[derive(Default)]
struct Chassis {
    flags: BootFlags,
    boots: u64,
    run: Option<Run>,
}

/// A run of a machine, from power on or reset to the next.
struct Run {
    boot: u64,
    power: CancellationToken,
    task: JoinHandle<()>,
}

impl SimulatedMachine {
    /// Starts the description of a machine with one network card; `http` loads what it loads over HTTP, and is the
    /// agent's too.
    pub fn builder(mac: HardwareAddress, http: reqwest::Client) -> SimulatedMachineBuilder {
        SimulatedMachineBuilder::new(mac, http)
    }

    pub(super) fn new(blueprint: Blueprint) -> Self {
        let io = TaskTracker::new();
        io.close();
        Self(Arc::new(Inner {
            blueprint,
            chassis: Mutex::default(),
            state: watch::Sender::new(MachineState::Off),
            io,
        }))
    }

    /// The machine's name in events and logs.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// What it is doing.
    pub fn state(&self) -> MachineState {
        *self.0.state.borrow()
    }

    /// Follows what it is doing.
    pub fn watch(&self) -> watch::Receiver<MachineState> {
        self.0.state.subscribe()
    }

    /// Events from now on, those of the machines that share the channel included.
    pub fn subscribe(&self) -> broadcast::Receiver<MachineReport> {
        self.0.blueprint.events.subscribe()
    }
}

impl Drop for SimulatedMachine {
    fn drop(&mut self) {
        self.0.cut(&mut self.0.lock());
    }
}

impl fmt::Debug for SimulatedMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedMachine")
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl Inner {
    pub(super) fn name(&self) -> &str {
        &self.blueprint.name
    }

    fn lock(&self) -> MutexGuard<'_, Chassis> {
        self.chassis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells an event of a run, and the state that comes with it, unless the run has ended meanwhile.
    pub(super) fn report(&self, boot: u64, event: MachineEvent, state: Option<MachineState>) {
        let chassis = self.lock();
        if chassis.run.as_ref().is_some_and(|run| run.boot == boot) {
            self.tell(&chassis, event, state);
        }
    }

    fn tell(&self, chassis: &Chassis, event: MachineEvent, state: Option<MachineState>) {
        let report = MachineReport {
            machine: Arc::clone(&self.blueprint.name),
            boot: chassis.boots,
            event,
        };
        tracing::info!(
            machine = self.name(),
            boot = report.boot,
            "{}",
            report.event
        );
        // Before the event: who has seen that finds the state changed.
        if let Some(state) = state {
            self.state.send_replace(state);
        }
        // Nobody has to listen.
        let _ = self.blueprint.events.send(report);
    }

    fn start(self: &Arc<Self>, chassis: &mut Chassis, event: MachineEvent, after: Duration) {
        chassis.boots = chassis.boots.saturating_add(1);
        let boot = chassis.boots;
        let power = CancellationToken::new();
        let plug = Plug {
            power: power.clone(),
            io: self.io.clone(),
        };
        let reporter = Reporter::new(Arc::clone(self), boot);
        let life = Life {
            machine: Arc::clone(self),
            boot,
            plug,
            reporter,
        };
        let io = self.io.clone();
        let task = tokio::spawn(async move {
            // What an earlier run began to write is on the disk before this one looks at it.
            io.wait().await;
            tokio::time::sleep(after).await;
            life.run().await;
        });
        chassis.run = Some(Run { boot, power, task });
        self.tell(chassis, event, Some(MachineState::Booting));
    }

    /// Ends the run at once. False: there was none.
    fn cut(&self, chassis: &mut Chassis) -> bool {
        let Some(run) = chassis.run.take() else {
            return false;
        };
        run.power.cancel();
        run.task.abort();
        true
    }

    fn power_off(&self, chassis: &mut Chassis) {
        if self.cut(chassis) {
            self.tell(chassis, MachineEvent::PoweredOff, Some(MachineState::Off));
        }
    }

    fn power_on(self: &Arc<Self>, chassis: &mut Chassis) {
        if chassis.run.is_none() {
            self.start(chassis, MachineEvent::PoweredOn, Duration::ZERO);
        }
    }

    fn reset(self: &Arc<Self>, chassis: &mut Chassis) {
        self.cut(chassis);
        self.start(chassis, MachineEvent::Reset, Duration::ZERO);
    }

    fn power_cycle(self: &Arc<Self>, chassis: &mut Chassis) {
        self.power_off(chassis);
        let pause = self.blueprint.timings.power_cycle;
        self.start(chassis, MachineEvent::PoweredOn, pause);
    }

    /// Lets the running system shut down, and then switches off or restarts; a run that ended meanwhile is left alone.
    pub(super) fn shut_down(self: &Arc<Self>, boot: u64, restart: bool) {
        let machine = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(machine.blueprint.timings.shutdown).await;
            machine.end_run(boot, restart);
        });
    }

    /// Switches off or restarts, if that run is still on.
    pub(super) fn end_run(self: &Arc<Self>, boot: u64, restart: bool) {
        let mut chassis = self.lock();
        match &chassis.run {
            Some(run) if run.boot == boot && restart => self.reset(&mut chassis),
            Some(run) if run.boot == boot => self.power_off(&mut chassis),
            _ => {}
        }
    }

    /// What the firmware is to try at this start; takes away what was set for one start only.
    pub(super) fn next_order(&self, boot: u64) -> Order {
        let mut chassis = self.lock();
        if chassis.run.as_ref().is_none_or(|run| run.boot != boot) {
            return Order::Sources(Vec::new());
        }
        let flags = chassis.flags;
        if !flags.is_persistent() {
            chassis.flags = flags.valid(false);
        }
        let usual = self.blueprint.order.iter().copied();
        if !flags.is_valid() {
            return Order::Sources(usual.collect());
        }
        if flags.is_efi() != (self.blueprint.firmware != Firmware::Bios) {
            // Real firmware of one kind only passes over the wish for the other.
            tracing::warn!(
                machine = self.name(),
                firmware = self.blueprint.firmware.name(),
                efi = flags.is_efi(),
                "the BMC's boot flags are for another kind of firmware"
            );
        }
        if flags.device() == BootDevice::Setup {
            return Order::Setup;
        }
        let first = source(flags.device());
        let rest = usual.filter(|source| Some(*source) != first);
        Order::Sources(first.into_iter().chain(rest).collect())
    }

    fn control(self: &Arc<Self>, action: ChassisAction) -> Result<(), CompletionCode> {
        let mut chassis = self.lock();
        let state = *self.state.borrow();
        match (action, chassis.run.as_ref().map(|run| run.boot)) {
            (ChassisAction::PowerUp, _) => self.power_on(&mut chassis),
            (ChassisAction::PowerDown, _) => self.power_off(&mut chassis),
            (ChassisAction::SoftShutdown, None) => {}
            (ChassisAction::SoftShutdown, Some(boot)) => {
                // Without a system nobody hears of it.
                if matches!(
                    state,
                    MachineState::Agent | MachineState::Rescue | MachineState::System
                ) {
                    self.shut_down(boot, false);
                }
            }
            (_, None) => return Err(CompletionCode::NOT_IN_PRESENT_STATE),
            (ChassisAction::PowerCycle, Some(_)) => self.power_cycle(&mut chassis),
            (ChassisAction::HardReset, Some(_)) => self.reset(&mut chassis),
            (ChassisAction::DiagnosticInterrupt, Some(_)) => {
                self.tell(&chassis, MachineEvent::Interrupted, None);
            }
            (_, Some(_)) => return Err(CompletionCode::INVALID_FIELD),
        }
        Ok(())
    }
}

/// What a start tries.
pub(super) enum Order {
    Sources(Vec<BootSource>),
    Setup,
}

fn source(device: BootDevice) -> Option<BootSource> {
    match device {
        BootDevice::Pxe => Some(BootSource::Network),
        BootDevice::Disk | BootDevice::SafeMode => Some(BootSource::Disk),
        // No such drive: firmware goes on with what it has.
        _ => None,
    }
}

#[async_trait]
impl Machine for SimulatedMachine {
    async fn chassis_status(&self) -> Result<ChassisStatus, CompletionCode> {
        Ok(ChassisStatus::powered(self.0.lock().run.is_some()))
    }

    async fn chassis_control(&self, action: ChassisAction) -> Result<(), CompletionCode> {
        self.0.control(action)
    }

    async fn boot_flags(&self) -> Result<BootFlags, CompletionCode> {
        Ok(self.0.lock().flags)
    }

    async fn set_boot_flags(&self, flags: BootFlags) -> Result<(), CompletionCode> {
        let mut chassis = self.0.lock();
        chassis.flags = flags;
        let event = MachineEvent::BootDeviceSet {
            device: source(flags.device()).filter(|_| flags.is_valid()),
            persistent: flags.is_persistent(),
            efi: flags.is_efi(),
        };
        self.0.tell(&chassis, event, None);
        Ok(())
    }
}
