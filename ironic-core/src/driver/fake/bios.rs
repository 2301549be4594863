use async_trait::async_trait;

use super::FakeOperation;
use super::settings::settings;
use crate::Error;
use crate::driver::{Bios, Task};
use crate::flow::Progress;
use crate::model::BiosSetting;
use crate::states::{FlowKind, InterfaceKind};
use crate::steps::{Impact, Replay, Step, StepDef};

stepped_fake_interface! {
    /// `fake`: changes the firmware settings of a fake machine, which has exactly those that were
    /// set last.
    FakeBios, ValidateBios
}

impl FakeBios {
    fn offered(flow: FlowKind) -> Vec<StepDef> {
        if flow != FlowKind::Clean {
            return Vec::new();
        }
        let step = |name| {
            StepDef::new(
                InterfaceKind::Bios,
                name,
                0,
                Replay::Idempotent,
                Impact::NONE,
            )
        };
        vec![
            step("apply_configuration").arg("settings", true),
            step("cache_bios_settings"),
            step("factory_reset"),
        ]
    }

    /// Records what the machine is set to.
    async fn keep(&self, task: &mut Task) -> Result<(), Error> {
        let node = task.node_id();
        let settings = self.behaviour.bios_settings(node).into_iter();
        let settings = settings.map(|(name, value)| BiosSetting::new(node, name, Some(value)));
        task.keep_bios_settings(settings.collect()).await
    }

    async fn carry_out(
        &self,
        task: &mut Task,
        operation: FakeOperation,
        step: &Step,
    ) -> Result<Progress, Error> {
        let asked = match operation {
            FakeOperation::ApplyConfiguration => Some(settings(step, "value")?),
            FakeOperation::FactoryReset => Some(Default::default()),
            _ => None,
        };
        let progress = self.behaviour.run_step(task, operation, step).await?;
        if let Some(settings) = asked {
            let node = task.node_id();
            self.behaviour
                .machine(node, |machine| machine.bios = settings);
        }
        self.keep(task).await?;
        Ok(progress)
    }
}

#[async_trait]
impl Bios for FakeBios {
    async fn cache_settings(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::CacheSettings;
        self.behaviour.at_once(task, operation).await?;
        self.keep(task).await
    }
}
