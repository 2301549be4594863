use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Firmware, Task};
use crate::flow::Progress;
use crate::states::{FlowKind, InterfaceKind};
use crate::steps::{Impact, Replay, Step, StepDef};

stepped_fake_interface! {
    /// `fake`: agrees to update firmware, of which the machine has none.
    FakeFirmware, ValidateFirmware
}

impl FakeFirmware {
    fn offered(flow: FlowKind) -> Vec<StepDef> {
        if flow != FlowKind::Clean {
            return Vec::new();
        }
        let kind = InterfaceKind::Firmware;
        let step = StepDef::new(kind, "update", 0, Replay::Idempotent, Impact::NONE);
        vec![step.arg("settings", true)]
    }

    async fn carry_out(
        &self,
        task: &mut Task,
        operation: FakeOperation,
        step: &Step,
    ) -> Result<Progress, Error> {
        if !step.args.contains_key("settings") {
            return Err(Error::missing(format!("step {step}: settings is missing")));
        }
        self.behaviour.run_step(task, operation, step).await
    }
}

#[async_trait]
impl Firmware for FakeFirmware {
    async fn cache_components(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::CacheComponents;
        self.behaviour.at_once(task, operation).await
    }
}
