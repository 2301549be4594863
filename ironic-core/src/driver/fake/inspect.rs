use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Inspect, Task};
use crate::flow::Progress;

plain_fake_interface! {
    /// `fake`: looks at the machine and finds nothing.
    FakeInspect, ValidateInspect
}

#[async_trait]
impl Inspect for FakeInspect {
    async fn inspect_hardware(&self, task: &mut Task) -> Result<Progress, Error> {
        let operation = FakeOperation::InspectHardware;
        self.behaviour.progress(task, operation, &"").await
    }

    async fn finish(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::FinishInspection;
        self.behaviour.at_once(task, operation).await
    }

    async fn abort(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::AbortInspection;
        self.behaviour.at_once(task, operation).await
    }
}
