use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use ironic_agent::{
    Agent, AgentConfig, BlockDevice, BootMode, FileHardware, HardwareError, NetworkInterface,
    PowerAction,
};
use ironic_core::Secret;
use tokio::net::UdpSocket;

use super::{Firmware, MachineEvent, MachineState, hardware::Plugged, life::Life};
use crate::network::NetworkLinux;

impl Life {
    /// Runs the ramdisk's agent for as long as there is power, or until it gives up.
    pub(super) async fn run_agent(&self, card: usize, linux: NetworkLinux) {
        let blueprint = &self.machine.blueprint;
        tokio::time::sleep(blueprint.timings.ramdisk).await;
        let address = linux.lease.address;
        let ended = |why: String| self.halt(MachineEvent::AgentEnded { why });
        let mut config = match AgentConfig::from_cmdline(&linux.command_line) {
            Ok(config) => config,
            Err(error) => return ended(error.to_string()),
        };
        take_address(&mut config, address).await;
        (blueprint.tune)(&mut config);
        let hardware = match self.hardware(card, address) {
            Ok(hardware) => hardware,
            Err(error) => return ended(error.to_string()),
        };
        let agent = Agent::builder(config, Arc::new(hardware), blueprint.http.clone())
            .clock(Arc::clone(&blueprint.clock))
            .entropy(Arc::clone(&blueprint.entropy))
            .stop(self.plug.power.clone())
            .on_command({
                let (machine, boot) = (Arc::clone(&self.machine), self.boot);
                move |report| machine.report(boot, MachineEvent::AgentCommand(report.clone()), None)
            })
            .build();
        let command_line = Secret::new(linux.command_line);
        let event = MachineEvent::AgentStarted { command_line };
        self.reporter.enter(MachineState::Agent, event);
        match agent.run().await {
            Ok(()) => {}
            Err(error) => ended(error.to_string()),
        }
    }

    fn hardware(&self, card: usize, address: Ipv4Addr) -> Result<Plugged, HardwareError> {
        let blueprint = &self.machine.blueprint;
        let mut builder = FileHardware::builder()
            .cpu(blueprint.cpu.clone())
            .memory(blueprint.memory.clone())
            .vendor(blueprint.vendor.clone())
            .boot_mode(match blueprint.firmware {
                Firmware::Bios => BootMode::Bios,
                Firmware::Uefi | Firmware::UefiHttp => BootMode::Uefi,
            });
        for (index, mac) in blueprint.macs.iter().enumerate() {
            let nic = NetworkInterface::new(format!("eth{index}"), &mac.to_string());
            builder = builder.nic(if index == card {
                nic.with_ipv4(address.to_string())
            } else {
                nic
            });
        }
        for (index, disk) in blueprint.disks.0.iter().enumerate() {
            let mut device = BlockDevice::new(&disk.name, disk.size);
            device.serial = Some(format!("{}-{index}", blueprint.uuid.simple()));
            builder = builder.device(device, &disk.path);
        }
        let (machine, boot) = (Arc::clone(&self.machine), self.boot);
        let rescued = Arc::clone(&self.machine);
        let hardware = builder
            .on_power(move |action| machine.shut_down(boot, action == PowerAction::Reboot))
            .on_rescue(move |hash| {
                let password_hash = hash.clone();
                let event = MachineEvent::Rescued { password_hash };
                rescued.report(boot, event, Some(MachineState::Rescue));
            })
            .build()?;
        Ok(Plugged {
            hardware,
            plug: self.plug.clone(),
        })
    }
}

/// Gives the agent the machine's own address, if the host has it too; else it shares the host's, where the usual port
/// may be another machine's.
async fn take_address(config: &mut AgentConfig, address: Ipv4Addr) {
    if config.listen_host.is_some() {
        return;
    }
    if UdpSocket::bind((address, 0)).await.is_ok() {
        config.listen_host = Some(IpAddr::V4(address));
        config
            .advertise_host
            .get_or_insert_with(|| address.to_string());
    } else if config.params.get("ipa-listen-port").is_none() {
        config.listen_port = 0;
    }
}
