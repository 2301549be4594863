use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Boot, RamdiskParams, Task};

plain_fake_interface! {
    /// `fake`: agrees to boot whatever is asked.
    FakeBoot, ValidateBoot
}

#[async_trait]
impl Boot for FakeBoot {
    async fn prepare_ramdisk(&self, task: &mut Task, params: &RamdiskParams) -> Result<(), Error> {
        // Parameters may hold the agent's token: only their names are recorded.
        let names: Vec<_> = params.keys().map(String::as_str).collect();
        let operation = FakeOperation::PrepareRamdisk;
        let argument = names.join(" ");
        let performed = self.behaviour.perform(task, operation, &argument);
        performed.await.map(drop)
    }

    async fn clean_up_ramdisk(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::CleanUpRamdisk;
        self.behaviour.at_once(task, operation).await
    }

    async fn prepare_instance(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::PrepareInstance;
        self.behaviour.at_once(task, operation).await
    }

    async fn clean_up_instance(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::CleanUpInstance;
        self.behaviour.at_once(task, operation).await
    }
}
