use async_trait::async_trait;
use serde_json::Value;

use super::hooks;
use super::interfaces::Interfaces;
use crate::Error;
use crate::agent::{booting_ramdisk, ramdisk_params, stopping};
use crate::driver::{Inspect, Interface, NetworkRole, SharedTask, Task};
use crate::engine::fast_track;
use crate::flow::{Forecast, Outlook, Part, Progress, Wait};
use crate::model::Inventory;
use crate::states::PowerTarget;

/// The inspect interface `agent`: the ramdisk boots, reports, and what it found is put on the node.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AgentInspect;

impl AgentInspect {
    /// Leaves the ramdisk, as far as that can be done: it is switched off, or restarted away from
    /// where a machine is never off, unless it runs on for what comes next.
    async fn leave(&self, task: &mut Task) -> Result<(), Error> {
        let driver = task.driver();
        let runs_on = fast_track::enabled(task.node(), &task.config().policy)?;
        let stays_on = task.node().disable_power_off;
        let mut all = Vec::new();
        if !runs_on && !stays_on {
            all.push(task.switch_power(PowerTarget::Off, None).await);
        }
        all.push(driver.boot.clean_up_ramdisk(task).await);
        let role = NetworkRole::Inspection;
        all.push(driver.network.disconnect(task, role).await);
        if !runs_on && stays_on {
            all.push(task.switch_power(PowerTarget::Reboot, None).await);
        }
        Error::joined("agent", all)
    }
}

#[async_trait]
impl Interface for AgentInspect {
    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        ramdisk_params(task)?;
        task.driver().boot.validate_inspection(task).await
    }

    fn forecast(&self, outlook: &Outlook<'_>) -> Forecast {
        let role = NetworkRole::Inspection;
        match outlook.part {
            Part::Prepare => booting_ramdisk(Forecast::default(), outlook.node, role)
                .wait(Wait::for_agent("put what it found on the node")),
            Part::Finish if outlook.ramdisk_stays => Forecast::default().disconnect(role),
            Part::Finish if outlook.node.disable_power_off => Forecast::default()
                .disconnect(role)
                .power(PowerTarget::Reboot),
            Part::Finish => stopping(Forecast::default(), outlook.node).disconnect(role),
            _ => Forecast::default(),
        }
    }
}

#[async_trait]
impl Inspect for AgentInspect {
    async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error> {
        self.validate(task).await?;
        let mut params = ramdisk_params(task)?;
        let api = params.get("ipa-api-url").cloned().unwrap_or_default();
        params.insert(
            "ipa-inspection-callback-url".to_owned(),
            format!("{api}/v1/continue_inspection"),
        );
        task.node_mut().set_internal("inspection_data", Value::Null);
        crate::agent::boot_ramdisk(task, NetworkRole::Inspection, &params).await?;
        Ok(Progress::Wait(Wait::for_agent(
            "put what it found on the node",
        )))
    }

    async fn finish(&self, task: &mut Task) -> Result<(), Error> {
        let data = task
            .node()
            .driver_internal_info
            .get("inspection_data")
            .cloned()
            .unwrap_or_default();
        let inventory = data
            .get("inventory")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        if inventory.is_empty() {
            return Err(Error::driver(
                "agent",
                "the ramdisk has reported an empty inventory",
            ));
        }
        if let Some(error) = data
            .pointer("/plugin_data/error")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
        {
            let error: String = error.chars().take(2000).collect();
            return Err(Error::driver(
                "agent",
                format!("the ramdisk reports: {error}"),
            ));
        }
        let interfaces = Interfaces::of(&inventory);
        hooks::run(task, &inventory, &interfaces).await?;
        let mut plugin_data = data
            .get("plugin_data")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        interfaces.describe(&mut plugin_data);
        task.keep_inventory(&Inventory::new(task.node_id(), inventory, plugin_data))
            .await?;
        self.leave(task).await?;
        // Kept in a record of its own from here on: a node is read far more often.
        task.node_mut().set_internal("inspection_data", Value::Null);
        Ok(())
    }

    async fn abort(&self, task: &mut Task) -> Result<(), Error> {
        self.leave(task).await
    }
}
