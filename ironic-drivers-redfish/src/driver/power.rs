use std::time::Duration;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{Interface, Power, Properties, SharedTask, Task};
use ironic_core::states::{InterfaceKind, PowerState, PowerTarget};
use tokio::time::Instant;

use super::bmc::Bmc;
use super::{NAME, RedfishDriver, properties, restore};
use crate::system::System;

/// The first pause between looks at the power, and the longest.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// What a machine gets to be seen off in after a restart at once, as in the original.
const RESTART_PAUSE: Duration = Duration::from_secs(15);

/// `redfish`: switches power by the reset action of the machine.
///
/// A reboot is power off and on, each waited for; a machine that must not be switched off is
/// restarted. What a machine is asked for and does not do is not replaced by anything harder.
#[derive(Debug)]
pub struct RedfishPower {
    driver: RedfishDriver,
}

impl RedfishPower {
    /// The interface, over what `driver` shares.
    pub fn new(driver: &RedfishDriver) -> Self {
        Self {
            driver: driver.clone(),
        }
    }

    async fn change(
        &self,
        task: &SharedTask,
        target: PowerTarget,
        patience: Duration,
    ) -> Result<(), Error> {
        let bmc = Bmc::open(&self.driver, task).await?;
        let mut machine = Machine::find(bmc, task, patience).await?;
        let on = machine.state() == Some(PowerState::On);
        match target {
            PowerTarget::Reboot if on && task.node().disable_power_off => {
                machine.restore_boot_device().await?;
                machine.ask(PowerTarget::Reboot).await?;
                tokio::time::sleep(RESTART_PAUSE).await;
            }
            PowerTarget::Reboot => {
                if on {
                    machine.ask(PowerTarget::Off).await?;
                    machine.reach(PowerTarget::Off).await?;
                }
                machine.restore_boot_device().await?;
                machine.ask(PowerTarget::On).await?;
            }
            PowerTarget::SoftReboot => {
                machine.restore_boot_device().await?;
                machine.ask(PowerTarget::SoftReboot).await?;
            }
            _ if machine.state() == Some(target.result()) => return Ok(()),
            PowerTarget::On => {
                machine.restore_boot_device().await?;
                machine.ask(PowerTarget::On).await?;
            }
            other => machine.ask(other).await?,
        }
        machine.reach(target).await
    }
}

/// A machine whose power is being changed.
struct Machine<'task> {
    bmc: Bmc<'task>,
    task: &'task SharedTask,
    system: System,
    patience: Duration,
}

impl<'task> Machine<'task> {
    async fn find(
        mut bmc: Bmc<'task>,
        task: &'task SharedTask,
        patience: Duration,
    ) -> Result<Self, Error> {
        let system = bmc.system().await?;
        Ok(Self {
            bmc,
            task,
            system,
            patience,
        })
    }

    fn state(&self) -> Option<PowerState> {
        seen(&self.system)
    }

    async fn ask(&mut self, target: PowerTarget) -> Result<(), Error> {
        self.bmc.run(self.system.request_power(target)).await
    }

    /// Only a machine that is managed by Redfish too: else the boot device is somebody else's.
    async fn restore_boot_device(&mut self) -> Result<(), Error> {
        if self.task.interfaces().get(InterfaceKind::Management) != NAME {
            return Ok(());
        }
        restore::restore(&mut self.bmc, &mut self.system, self.task.node()).await
    }

    /// Waits until the machine is seen in the state that `target` leads to.
    async fn reach(&mut self, target: PowerTarget) -> Result<(), Error> {
        let deadline = Instant::now() + self.patience;
        let (mut pause, longest) = LOOKS;
        loop {
            tokio::time::sleep_until(deadline.min(Instant::now() + pause)).await;
            self.bmc.run(self.system.refresh()).await?;
            if self.state() == Some(target.result()) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(late(target, self.patience));
            }
            pause = (pause * 2).min(longest);
        }
    }
}

fn seen(system: &System) -> Option<PowerState> {
    let state = system.resource().power_state.as_ref();
    state.and_then(|state| state.to_node())
}

fn late(target: PowerTarget, after: Duration) -> Error {
    Error::Timeout {
        what: format!("the machine to reach {} ({target})", target.result()),
        after,
    }
}

#[async_trait]
impl Interface for RedfishPower {
    fn properties(&self) -> Properties {
        properties::properties()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        self.driver.settings(task.node()).map(|_| ())
    }
}

#[async_trait]
impl Power for RedfishPower {
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error> {
        let system = Bmc::open(&self.driver, task).await?.system().await?;
        Ok(seen(&system))
    }

    /// A `timeout` bounds the whole change; without one each state that is waited for may take
    /// what [`RedfishDriver::power_timeout`] says.
    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        let Some(after) = timeout else {
            let usual = task.config().power_state_change_timeout;
            let patience = self.driver.power_patience.unwrap_or(usual);
            return self.change(task, target, patience).await;
        };
        let change = self.change(task, target, after);
        match tokio::time::timeout(after, change).await {
            Ok(outcome) => outcome,
            Err(_) => Err(late(target, after)),
        }
    }

    fn supported_targets(&self, _task: &SharedTask) -> Vec<PowerTarget> {
        PowerTarget::ALL.to_vec()
    }
}
