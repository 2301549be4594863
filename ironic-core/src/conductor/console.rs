//! Consoles: started and stopped by request.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use super::jobs::Job;
use crate::Error;
use crate::driver::Task;
use crate::transport::MachineAnswer;

impl Inner {
    pub(super) async fn get_console(&self, node: Uuid) -> Result<MachineAnswer, Error> {
        let task = self.manager.shared(node, "get console").await?;
        if !task.node().console_enabled {
            return Err(Error::invalid(format!(
                "the console of node {} is not enabled",
                task.node().label()
            )));
        }
        let console = &task.driver().console;
        console.validate(&task).await?;
        let info = console.get(&task).await?;
        Ok(MachineAnswer::Console { info })
    }

    /// Accepts that a console is to be started or stopped; one that is already is left alone.
    pub(super) async fn set_console(
        self: &Arc<Self>,
        node: Uuid,
        on: bool,
    ) -> Result<MachineAnswer, Error> {
        let worker = self.worker()?;
        let purpose = "set console mode";
        let task = self.manager.shared(node, purpose).await?;
        task.driver().console.validate(&task).await?;
        if task.node().console_enabled == on {
            return Ok(MachineAnswer::Done);
        }
        let task = self.manager.upgrade(task, Some(purpose)).await?;
        self.begin_job(task, worker, Job::Console(on)).await
    }
}

/// Starts or stops the console of a node that is held, and says so on the node.
pub(super) async fn switch(task: &mut Task, on: bool) -> Result<(), Error> {
    let console = task.driver().console.clone();
    if on {
        console.start(task).await?;
    } else {
        console.stop(task).await?;
    }
    task.node_mut().console_enabled = on;
    Ok(())
}
