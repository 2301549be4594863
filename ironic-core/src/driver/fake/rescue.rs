use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Rescue, Task};
use crate::flow::Progress;

plain_fake_interface! {
    /// `fake`: agrees to boot the rescue ramdisk, and the instance again.
    FakeRescue, ValidateRescue
}

#[async_trait]
impl Rescue for FakeRescue {
    async fn rescue(&self, task: &mut Task) -> Result<Progress, Error> {
        let operation = FakeOperation::Rescue;
        self.behaviour.progress(task, operation, &"").await
    }

    async fn unrescue(&self, task: &mut Task) -> Result<Progress, Error> {
        let operation = FakeOperation::Unrescue;
        self.behaviour.progress(task, operation, &"").await
    }

    async fn clean_up(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::CleanUpRescue;
        self.behaviour.at_once(task, operation).await
    }
}
