use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Console, ConsoleInfo, SharedTask, Task};

plain_fake_interface! {
    /// `fake`: a console that can be started and stopped, and that leads nowhere.
    FakeConsole, ValidateConsole
}

#[async_trait]
impl Console for FakeConsole {
    async fn start(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::StartConsole;
        self.behaviour.at_once(task, operation).await?;
        self.behaviour
            .machine(task.node_id(), |machine| machine.console = true);
        Ok(())
    }

    async fn stop(&self, task: &mut Task) -> Result<(), Error> {
        let operation = FakeOperation::StopConsole;
        self.behaviour.at_once(task, operation).await?;
        self.behaviour
            .machine(task.node_id(), |machine| machine.console = false);
        Ok(())
    }

    async fn get(&self, task: &SharedTask) -> Result<ConsoleInfo, Error> {
        let operation = FakeOperation::GetConsole;
        self.behaviour.at_once(task, operation).await?;
        Ok(ConsoleInfo::new("", ""))
    }
}
