//! One machine's life, as an operator leads it over the REST API.

use std::time::Duration;

use ironic_core::states::ProvisionState as State;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::operator::{Operator, Passed};

/// What became of a machine.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) number: u16,
    pub(crate) machine: String,
    pub(crate) firmware: &'static str,
    pub(crate) boot: &'static str,
    pub(crate) uuid: Option<String>,
    /// How long it was in each state, in the order in which it first got there.
    pub(crate) times: Vec<(State, Duration)>,
    pub(crate) image: Option<String>,
    pub(crate) config_drive: Option<String>,
    pub(crate) failure: Option<Failure>,
}

pub(crate) struct Life {
    operator: Operator,
    story: Story,
}

impl Life {
    pub(crate) fn new(operator: Operator) -> Self {
        let unit = &operator.unit;
        let story = Story {
            number: unit.number,
            machine: unit.name.clone(),
            firmware: unit.firmware(),
            boot: unit.boot_interface(),
            uuid: None,
            times: Vec::new(),
            image: None,
            config_drive: None,
            failure: None,
        };
        Self { operator, story }
    }

    pub(crate) async fn live(mut self, keep: bool) -> Story {
        if let Err(failure) = self.through(keep).await {
            self.story.failure = Some(failure);
        }
        self.story.times = spent(&self.operator.passed, Instant::now());
        self.story
    }

    async fn through(&mut self, keep: bool) -> Result<(), Failure> {
        let node = self.operator.enrol(&json!({})).await?;
        self.story.uuid = Some(node.clone());
        self.operator
            .go(
                &node,
                json!({"target": "manage"}),
                &[State::Verifying, State::Manageable],
            )
            .await?;
        self.operator
            .go(
                &node,
                json!({"target": "inspect"}),
                &[State::Inspecting, State::InspectWait, State::Manageable],
            )
            .await?;
        self.check_inspection(&node).await?;
        self.operator
            .go(
                &node,
                json!({"target": "provide"}),
                &[State::Cleaning, State::CleanWait, State::Available],
            )
            .await?;
        self.deploy(&node).await?;
        if keep {
            return Ok(());
        }
        self.operator
            .go(
                &node,
                json!({"target": "deleted"}),
                &[State::Deleting, State::Cleaning, State::Available],
            )
            .await?;
        let left = self.operator.api.node(&node).await?;
        if !left.get("instance_uuid").is_none_or(Value::is_null) {
            return Err(Failure::Machine(
                "the instance is still recorded after its removal".to_owned(),
            ));
        }
        self.operator.api.delete_node(&node).await
    }

    async fn check_inspection(&self, node: &str) -> Result<(), Failure> {
        let node = self.operator.api.node(node).await?;
        let memory = node
            .pointer("/properties/memory_mb")
            .cloned()
            .unwrap_or_default();
        if memory.is_null() {
            return Err(Failure::Machine(format!(
                "inspection found no memory: {}",
                node.get("properties").cloned().unwrap_or_default()
            )));
        }
        Ok(())
    }

    async fn deploy(&mut self, node: &str) -> Result<(), Failure> {
        let operator = &mut self.operator;
        let patch = json!([
            {"op": "add", "path": "/instance_uuid", "value": operator.instance()},
            {"op": "add", "path": "/instance_info", "value": operator.instance_info()},
        ]);
        operator.api.patch_node(node, &patch).await?;
        let hostname = self.hostname();
        let drive = self.operator.config_drive(&hostname);
        let body = json!({"target": "active", "configdrive": drive});
        let through = [State::Deploying, State::DeployWait, State::Active];
        self.operator.go(node, body, &through).await?;
        let disk = self.operator.verify(Some(&hostname)).await?;
        self.story.image = Some(disk.image.sha256.clone());
        self.story.config_drive = Some(hostname);
        Ok(())
    }

    fn hostname(&self) -> String {
        format!("{}.example.org", self.operator.unit.name)
    }
}

/// How long the node was in each state, in the order in which it first got there.
fn spent(passed: &[Passed], end: Instant) -> Vec<(State, Duration)> {
    let mut times: Vec<(State, Duration)> = Vec::new();
    for (at, passing) in passed.iter().enumerate() {
        let left = passed.get(at + 1).map_or(end, |next| next.at);
        let time = left.duration_since(passing.at);
        match times.iter_mut().find(|(state, _)| *state == passing.to) {
            Some((_, sum)) => *sum += time,
            None => times.push((passing.to, time)),
        }
    }
    times
}
