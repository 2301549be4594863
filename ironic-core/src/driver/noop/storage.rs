use async_trait::async_trait;

use crate::Error;
use crate::driver::{Interface, SharedTask, Storage, Task};

/// `noop`: the machine uses no volumes outside itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopStorage;

#[async_trait]
impl Interface for NoopStorage {
    async fn validate(&self, _task: &SharedTask) -> Result<(), Error> {
        Ok(())
    }
}

#[async_trait]
impl Storage for NoopStorage {
    async fn attach_volumes(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }

    async fn detach_volumes(&self, _task: &mut Task) -> Result<(), Error> {
        Ok(())
    }
}
