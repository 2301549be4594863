use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{
    Interface, Properties, Raid, SharedTask, raid_disk_properties, validate_raid_config,
};
use crate::model::JsonMap;

fake_interface! {
    /// `fake`: takes a target configuration that makes sense, and never builds it. Like the
    /// original's it has no steps.
    FakeRaid
}

#[async_trait]
impl Interface for FakeRaid {
    async fn validate(&self, task: &SharedTask) -> Result<(), Error> {
        let operation = FakeOperation::ValidateRaid;
        self.behaviour.at_once(task, operation).await?;
        let target = &task.node().target_raid_config;
        if target.is_empty() {
            return Ok(());
        }
        self.validate_config(target)
    }
}

#[async_trait]
impl Raid for FakeRaid {
    fn validate_config(&self, config: &JsonMap) -> Result<(), Error> {
        validate_raid_config(config)
    }

    fn logical_disk_properties(&self) -> Properties {
        raid_disk_properties()
    }
}
