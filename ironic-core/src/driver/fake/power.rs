use std::time::Duration;

use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Power, SharedTask, Task};
use crate::governor::BmcEndpoint;
use crate::states::{PowerState, PowerTarget};

plain_fake_interface! {
    /// `fake`: switches the power of a fake machine. A machine that nobody has switched yet has
    /// the power that its node was last seen with, if any. Like a driver of a BMC it sends
    /// nothing without a permit.
    FakePower, ValidatePower
}

/// The fake BMC of a node.
pub(super) fn endpoint(task: &SharedTask) -> BmcEndpoint {
    BmcEndpoint::new(format!("fake:{}", task.node().uuid))
}

#[async_trait]
impl Power for FakePower {
    async fn get_power_state(&self, task: &SharedTask) -> Result<Option<PowerState>, Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::GetPowerState;
        self.behaviour.at_once(task, operation).await?;
        Ok(self.behaviour.power(task))
    }

    async fn set_power_state(
        &self,
        task: &mut Task,
        target: PowerTarget,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        let _permit = task.bmc_permit(&endpoint(task)).await?;
        let operation = FakeOperation::SetPowerState;
        let switching = self.behaviour.perform(task, operation, &target);
        match timeout {
            None => switching.await?,
            Some(after) => match tokio::time::timeout(after, switching).await {
                Ok(switched) => switched?,
                Err(_) => {
                    let what = format!("the machine to reach {}", target.result());
                    return Err(Error::Timeout { what, after });
                }
            },
        };
        self.behaviour.switch(task.node_id(), target);
        Ok(())
    }

    fn supported_targets(&self, _task: &SharedTask) -> Vec<PowerTarget> {
        PowerTarget::ALL.to_vec()
    }
}
