use std::sync::Arc;

use super::{
    BootSource, MachineEvent, MachineState, Reporter,
    hardware::Plug,
    simulated::{Inner, Order},
};
use crate::network::{NetworkBoot, NetworkBooter};

/// One run of a machine, from power on or reset to the end of its power.
pub(super) struct Life {
    pub(super) machine: Arc<Inner>,
    pub(super) boot: u64,
    pub(super) plug: Plug,
    pub(super) reporter: Reporter,
}

/// What a start comes to.
enum Start {
    /// Something runs, or ran.
    Booted,
    /// The machine is to be restarted.
    Restart,
    /// The machine is to be switched off.
    PowerOff,
    /// Nothing boots.
    Nothing(String),
}

/// What one device comes to.
enum Tried {
    Started(Start),
    /// The device leaves the boot to the next one.
    Next(String),
}

impl Life {
    pub(super) async fn run(self) {
        let restarts = self.machine.blueprint.restarts;
        for restart in 0..=restarts {
            if restart > 0 {
                self.reporter
                    .enter(MachineState::Booting, MachineEvent::Reset);
            }
            tokio::time::sleep(self.machine.blueprint.timings.self_test).await;
            match self.start().await {
                Start::Booted => return,
                Start::Restart => {}
                Start::PowerOff => return self.machine.end_run(self.boot, false),
                Start::Nothing(why) => return self.halt(MachineEvent::BootFailed { why }),
            }
        }
        let why = format!("a boot script restarted the machine {restarts} times in a row");
        self.halt(MachineEvent::BootFailed { why });
    }

    pub(super) fn halt(&self, event: MachineEvent) {
        self.reporter.enter(MachineState::Halted, event);
    }

    async fn start(&self) -> Start {
        let order = match self.machine.next_order(self.boot) {
            Order::Sources(order) => order,
            Order::Setup => {
                self.halt(MachineEvent::EnteredSetup);
                return Start::Booted;
            }
        };
        self.reporter.report(MachineEvent::BootStarted {
            order: order.clone(),
        });
        let mut reasons = Vec::new();
        for device in order {
            self.reporter.report(MachineEvent::TryingDevice { device });
            let tried = match device {
                BootSource::Network => self.boot_network().await,
                BootSource::Disk => self.boot_disk(None).await,
            };
            match tried {
                Tried::Started(start) => return start,
                Tried::Next(why) => {
                    reasons.push(format!("{device}: {why}"));
                    self.reporter
                        .report(MachineEvent::DeviceFailed { device, why });
                }
            }
        }
        Start::Nothing(match reasons.as_slice() {
            [] => "there is no boot device".to_owned(),
            reasons => reasons.join("; "),
        })
    }

    async fn boot_network(&self) -> Tried {
        let mut reasons = Vec::new();
        for card in 0..self.machine.blueprint.macs.len() {
            match self.boot_card(card).await {
                Tried::Started(start) => return Tried::Started(start),
                Tried::Next(why) => reasons.push(why),
            }
        }
        Tried::Next(reasons.join("; "))
    }

    async fn boot_card(&self, card: usize) -> Tried {
        let blueprint = &self.machine.blueprint;
        let booter = NetworkBooter {
            dhcp: blueprint.dhcp,
            http: blueprint.http.clone(),
            tftp: blueprint.tftp,
            card,
            macs: &blueprint.macs,
            machine: blueprint.uuid,
            firmware: blueprint.firmware,
            arm: blueprint.cpu.architecture == "aarch64",
            program_required: blueprint.program_required,
            timings: blueprint.timings,
            entropy: &*blueprint.entropy,
            reporter: &self.reporter,
            disks: &blueprint.disks,
            power: &self.plug.power,
        };
        match booter.boot().await {
            Ok(NetworkBoot::Linux(linux)) if linux.ramdisks == 0 => Tried::Next(
                "the kernel comes without a ramdisk, and finds no file system".to_owned(),
            ),
            Ok(NetworkBoot::Linux(linux)) => {
                self.run_agent(card, linux).await;
                Tried::Started(Start::Booted)
            }
            Ok(NetworkBoot::Disk { identifier }) => self.boot_disk(identifier).await,
            Ok(NetworkBoot::NextDevice) => {
                Tried::Next("the boot program leaves it to the next device".to_owned())
            }
            Ok(NetworkBoot::Reboot) => Tried::Started(Start::Restart),
            Ok(NetworkBoot::PowerOff) => Tried::Started(Start::PowerOff),
            Err(error) => Tried::Next(error.to_string()),
        }
    }

    async fn boot_disk(&self, identifier: Option<u32>) -> Tried {
        let blueprint = &self.machine.blueprint;
        let booted = blueprint
            .disks
            .boot(blueprint.firmware, identifier, &self.plug.power)
            .await;
        match booted {
            Ok(report) => {
                let event = MachineEvent::BootedDisk(Arc::new(report));
                self.reporter.enter(MachineState::System, event);
                Tried::Started(Start::Booted)
            }
            Err(error) => Tried::Next(error.to_string()),
        }
    }
}
