use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Deploy, Task};
use crate::flow::Progress;
use crate::states::{FlowKind, InterfaceKind};
use crate::steps::{Impact, Replay, Step, StepDef};

stepped_fake_interface! {
    /// `fake`: deploys in one step that does nothing to any disk.
    FakeDeploy, ValidateDeploy
}

impl FakeDeploy {
    fn offered(flow: FlowKind) -> Vec<StepDef> {
        if flow != FlowKind::Deploy {
            return Vec::new();
        }
        let kind = InterfaceKind::Deploy;
        let step = StepDef::new(kind, "deploy", 100, Replay::Idempotent, Impact::NONE);
        vec![step.abortable().without_ramdisk()]
    }

    async fn carry_out(
        &self,
        task: &mut Task,
        operation: FakeOperation,
        step: &Step,
    ) -> Result<Progress, Error> {
        self.behaviour.run_step(task, operation, step).await
    }
}

#[async_trait]
impl Deploy for FakeDeploy {
    async fn prepare(&self, task: &mut Task) -> Result<Progress, Error> {
        let operation = FakeOperation::PrepareDeploy;
        self.behaviour.progress(task, operation, &"").await
    }

    async fn clean_up(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::CleanUpDeploy;
        self.behaviour.at_once(task, operation).await
    }

    async fn tear_down(&self, task: &mut Task) -> Result<Progress, Error> {
        let operation = FakeOperation::TearDown;
        self.behaviour.progress(task, operation, &"").await
    }

    async fn take_over(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::TakeOver;
        self.behaviour.at_once(task, operation).await
    }

    async fn prepare_steps(&self, task: &mut Task, flow: FlowKind) -> Result<Progress, Error> {
        let operation = FakeOperation::PrepareSteps;
        self.behaviour.progress(task, operation, &flow).await
    }

    async fn tear_down_steps(&self, task: &mut Task, flow: FlowKind) -> Result<(), Error> {
        let operation = FakeOperation::TearDownSteps;
        let performed = self.behaviour.perform(task, operation, &flow);
        performed.await.map(drop)
    }

    async fn refresh_steps(&self, task: &mut Task, flow: FlowKind) -> Result<(), Error> {
        let operation = FakeOperation::RefreshSteps;
        let performed = self.behaviour.perform(task, operation, &flow);
        performed.await.map(drop)
    }
}
