use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Storage, Task};

plain_fake_interface! {
    /// `fake`: agrees to attach and detach volumes.
    FakeStorage, ValidateStorage
}

#[async_trait]
impl Storage for FakeStorage {
    async fn attach_volumes(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::AttachVolumes;
        self.behaviour.at_once(task, operation).await
    }

    async fn detach_volumes(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::DetachVolumes;
        self.behaviour.at_once(task, operation).await
    }
}
