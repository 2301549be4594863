use std::time::Duration;

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{Interface, Power, Properties, SharedTask, Task};
use ironic_core::states::{PowerState, PowerTarget};
use tokio::time::{Instant, sleep};

use super::connection::properties;
use super::{IpmiDriver, management};
use crate::command::ChassisAction;

/// The power interface `ipmitool`.
#[derive(Debug, Clone)]
pub struct IpmiPower {
    driver: IpmiDriver,
}

impl IpmiPower {
    /// A power interface over this driver.
    pub fn new(driver: IpmiDriver) -> Self {
        Self { driver }
    }

    async fn state(&self, task: &SharedTask) -> Result<PowerState, Error> {
        let status = self
            .driver
            .ask(task, async |bmc| bmc.chassis_status().await)
            .await?;
        Ok(if status.is_powered() {
            PowerState::On
        } else {
            PowerState::Off
        })
    }

    /// Tells the machine to, unless it is there already, and waits until it is.
    async fn reach(
        &self,
        task: &SharedTask,
        state: PowerState,
        action: ChassisAction,
        patience: Duration,
    ) -> Result<(), Error> {
        if self.state(task).await? == state {
            return Ok(());
        }
        self.driver
            .ask(task, async |bmc| bmc.chassis_control(action).await)
            .await?;
        let ends = Instant::now() + patience;
        let mut pause = Duration::from_millis(20);
        while self.state(task).await? != state {
            if Instant::now() + pause > ends {
                return Err(Error::Timeout {
                    what: format!("the machine to reach \"{state}\""),
                    after: patience,
                });
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        Ok(())
    }

    async fn on(&self, task: &mut Task, patience: Duration) -> Result<(), Error> {
        management::restore_boot_device(&self.driver, task).await?;
        self.reach(task, PowerState::On, ChassisAction::PowerUp, patience)
            .await
    }
}

#[async_trait]
impl Interface for IpmiPower {
    fn properties(&self) -> Properties {
        properties()
    }

    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        IpmiDriver::validate(task)
    }
}

#[async_trait]
impl Power for IpmiPower {
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error> {
        self.state(task).await.map(Some)
    }

    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        let config = task.config();
        let hard = timeout.unwrap_or(config.power_state_change_timeout);
        let soft = timeout.unwrap_or(config.soft_power_off_timeout);
        match target {
            PowerTarget::On => self.on(task, hard).await,
            PowerTarget::Off => {
                self.reach(task, PowerState::Off, ChassisAction::PowerDown, hard)
                    .await
            }
            PowerTarget::SoftOff => {
                self.reach(task, PowerState::Off, ChassisAction::SoftShutdown, soft)
                    .await
            }
            // A power cycle of a machine that is off is refused by many BMCs, so it is off, then on.
            PowerTarget::Reboot => {
                self.reach(task, PowerState::Off, ChassisAction::PowerDown, hard)
                    .await?;
                self.on(task, hard).await
            }
            PowerTarget::SoftReboot => {
                self.reach(task, PowerState::Off, ChassisAction::SoftShutdown, soft)
                    .await?;
                self.on(task, hard).await
            }
            other => Err(Error::invalid(format!(
                "the power interface ipmitool does not support \"{other}\""
            ))),
        }
    }

    fn supported_targets(&self, _task: &SharedTask) -> Vec<PowerTarget> {
        PowerTarget::ALL.to_vec()
    }
}
