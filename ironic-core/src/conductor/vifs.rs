//! Virtual interfaces: which of an instance's networks a machine's ports are on.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::Inner;
use crate::Error;
use crate::driver::Task;
use crate::model::JsonMap;
use crate::transport::MachineAnswer;

impl Inner {
    pub(super) async fn vifs(&self, node: Uuid) -> Result<MachineAnswer, Error> {
        let task = self.manager.shared(node, "list vifs").await?;
        let network = &task.driver().network;
        network.validate(&task).await?;
        let vifs = network.list_vifs(&task).await?;
        Ok(MachineAnswer::Vifs { vifs })
    }

    pub(super) async fn attach_vif(
        self: &Arc<Self>,
        node: Uuid,
        info: &JsonMap,
    ) -> Result<MachineAnswer, Error> {
        let id = info.get("id").and_then(Value::as_str);
        let id = id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Error::missing("a virtual interface needs an id"))?;
        let mut task = self.manager.exclusive(node, "attach vif").await?;
        let network = task.driver().network.clone();
        let done = match network.validate(&task).await {
            Ok(()) => network.attach_vif(&mut task, info).await,
            Err(error) => Err(error),
        };
        self.conclude_vif(task, "attach", id, done).await
    }

    pub(super) async fn detach_vif(
        self: &Arc<Self>,
        node: Uuid,
        id: &str,
    ) -> Result<MachineAnswer, Error> {
        let mut task = self.manager.exclusive(node, "detach vif").await?;
        let network = task.driver().network.clone();
        let done = match network.validate(&task).await {
            Ok(()) => network.detach_vif(&mut task, id).await,
            Err(error) => Err(error),
        };
        self.conclude_vif(task, "detach", id, done).await
    }

    async fn conclude_vif(
        self: &Arc<Self>,
        task: Task,
        what: &str,
        id: &str,
        done: Result<(), Error>,
    ) -> Result<MachineAnswer, Error> {
        if let Err(error) = &done {
            let text = format!("failed to {what} the virtual interface {id}: {error}");
            let activity = task.node().provision_state.as_str();
            self.note_failure(&task, activity, error, &text).await;
        }
        self.conclude(task, done).await
    }
}
