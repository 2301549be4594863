use async_trait::async_trait;

use super::FakeOperation;
use crate::Error;
use crate::driver::{Network, NetworkRole, Task};
use crate::model::JsonMap;

plain_fake_interface! {
    /// `fake`: agrees to every connection. The original has no such interface; this one lets a
    /// test see, delay and fail what is done to networks.
    FakeNetwork, ValidateNetwork
}

#[async_trait]
impl Network for FakeNetwork {
    async fn connect(&self, task: &mut Task, role: NetworkRole) -> Result<(), Error> {
        let operation = FakeOperation::Connect;
        let performed = self.behaviour.perform(task, operation, &role);
        performed.await.map(drop)
    }

    async fn disconnect(&self, task: &mut Task, role: NetworkRole) -> Result<(), Error> {
        let operation = FakeOperation::Disconnect;
        let performed = self.behaviour.perform(task, operation, &role);
        performed.await.map(drop)
    }

    async fn attach_vif(&self, task: &mut Task, info: &JsonMap) -> Result<(), Error> {
        let operation = FakeOperation::AttachVif;
        let id = info.get("id").and_then(serde_json::Value::as_str);
        let id = id.unwrap_or_default();
        let performed = self.behaviour.perform(task, operation, &id);
        performed.await.map(drop)
    }

    async fn detach_vif(&self, task: &mut Task, id: &str) -> Result<(), Error> {
        let operation = FakeOperation::DetachVif;
        let performed = self.behaviour.perform(task, operation, &id);
        performed.await.map(drop)
    }
}
