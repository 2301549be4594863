use async_trait::async_trait;

use crate::Error;
use crate::driver::{Deploy, Interface, SharedTask, Task};
use crate::flow::Progress;
use crate::model::Node;
use crate::states::{FlowKind, InterfaceKind};
use crate::steps::{Impact, Replay, Step, StepDef};

/// `noop`: the operator puts instances on the machine; the node only goes through the states.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopDeploy;

#[async_trait]
impl Interface for NoopDeploy {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }

    fn steps(&self, _node: &Node, flow: FlowKind) -> Vec<StepDef> {
        if flow != FlowKind::Deploy {
            return Vec::new();
        }
        let kind = InterfaceKind::Deploy;
        let step = StepDef::new(kind, "deploy", 100, Replay::Idempotent, Impact::NONE);
        vec![step.abortable().without_ramdisk()]
    }

    async fn execute_step(
        &self,
        _task: &mut Task,
        flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        if flow == FlowKind::Deploy && step.step == "deploy" {
            return Ok(Progress::Done);
        }
        Err(Error::Unsupported {
            driver: "noop".to_owned(),
            extension: format!("{flow} step {step}"),
        })
    }
}

#[async_trait]
impl Deploy for NoopDeploy {
    async fn prepare(&self, _task: &mut Task) -> Result<Progress, Error> {
        Ok(Progress::Done)
    }

    async fn clean_up(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }

    async fn tear_down(&self, _task: &mut Task) -> Result<Progress, Error> {
        Ok(Progress::Done)
    }

    async fn take_over(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }
}
