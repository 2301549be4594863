//! Steps with each of the three contracts, which count how often they ran.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use ironic_core::Error;
use ironic_core::driver::{Interface, SharedTask, Task, Vendor};
use ironic_core::flow::{Progress, StepProgress};
use ironic_core::model::Node;
use ironic_core::states::{FlowKind, InterfaceKind};
use ironic_core::steps::{Impact, Replay, Step, StepDef};

/// The vendor interface `contracts`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contracts(Arc<Mutex<BTreeMap<(u64, String), u32>>>);

impl Contracts {
    fn ran(&self) -> MutexGuard<'_, BTreeMap<(u64, String), u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often the step ran in any one flow, at most.
    pub(crate) fn most(&self, step: &str) -> u32 {
        let ran = self.ran();
        let of_step = ran.iter().filter(|((_, name), _)| name == step);
        of_step.map(|(_, times)| *times).max().unwrap_or(0)
    }
}

#[async_trait]
impl Interface for Contracts {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }

    fn steps(&self, _node: &Node, flow: FlowKind) -> Vec<StepDef> {
        if !matches!(flow, FlowKind::Clean | FlowKind::Deploy | FlowKind::Service) {
            return Vec::new();
        }
        let def = |(name, replay): (&str, Replay)| {
            let def = StepDef::new(InterfaceKind::Vendor, name, 0, replay, Impact::NONE);
            def.without_ramdisk()
        };
        let steps = [
            ("idempotent", Replay::Idempotent),
            ("probe", Replay::Probe),
            ("never", Replay::Never),
        ];
        steps.into_iter().map(def).collect()
    }

    async fn execute_step(
        &self,
        task: &mut Task,
        _flow: FlowKind,
        step: &Step,
    ) -> Result<Progress, Error> {
        let key = (task.node().generation, step.step.clone());
        *self.ran().entry(key).or_default() += 1;
        Ok(Progress::Done)
    }

    async fn step_progress(
        &self,
        task: &SharedTask,
        _flow: FlowKind,
        step: &Step,
    ) -> Result<StepProgress, Error> {
        let key = (task.node().generation, step.step.clone());
        Ok(match self.ran().contains_key(&key) {
            true => StepProgress::Done,
            false => StepProgress::NotStarted,
        })
    }
}

#[async_trait]
impl Vendor for Contracts {}
