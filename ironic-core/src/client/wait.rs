use std::time::Duration;

use uuid::Uuid;

use super::Client;
use crate::Error;
use crate::model::Node;
use crate::states::{ProvisionState, Verb};
use crate::transport::ProvisionArgs;

/// The longest pause between two looks at a node.
const SLOWEST: Duration = Duration::from_millis(500);

/// As good as for ever, and a time that a timer can count to: 126 years.
const AGES: Duration = Duration::from_secs(4_000_000_000);

impl Client {
    /// Does something with the node's life, and waits until the node rests, however long that
    /// takes: put a `tokio::time::timeout` around it where it may not. Dropped, it stops waiting;
    /// what it began goes on.
    ///
    /// # Errors
    /// As [`Client::provision`]; [`Error::StateConflict`] with the node's `last_error` when it
    /// comes to rest in a failed state.
    pub async fn run(&self, node: Uuid, verb: Verb, args: ProvisionArgs) -> Result<Node, Error> {
        self.provision(node, verb, args).await?;
        let reached = |node: &Node| {
            let now = node.provision_state;
            let rests = !now.is_in_progress() && !now.is_waiting();
            rests.then(|| failure(node).map_or(Ok(()), Err))
        };
        self.wait_until(node, AGES, reached).await
    }

    /// Waits until the node rests in this state: nobody holds it, and nothing is going on.
    ///
    /// # Errors
    /// [`Error::StateConflict`] with the node's `last_error` when it comes to rest in a failed
    /// state; [`Error::Timeout`] after `timeout`, saying why the node does not move.
    pub async fn wait_for(
        &self,
        node: Uuid,
        state: ProvisionState,
        timeout: Duration,
    ) -> Result<Node, Error> {
        let reached = |node: &Node| {
            let now = node.provision_state;
            if now == state {
                return Some(Ok(()));
            }
            failure(node).map(Err)
        };
        self.wait_until(node, timeout, reached).await
    }

    /// Waits until nobody holds the node, nothing is going on with it, and `reached` says so.
    ///
    /// # Errors
    /// What `reached` says; [`Error::Timeout`] after `timeout`.
    pub async fn wait_until(
        &self,
        id: Uuid,
        timeout: Duration,
        reached: impl Fn(&Node) -> Option<Result<(), Error>>,
    ) -> Result<Node, Error> {
        let ends = tokio::time::Instant::now() + timeout;
        let mut pause = Duration::from_millis(1);
        loop {
            let node = self.node(id).await?;
            if let Some(answer) = reached(&node)
                && self.reservation(id).await?.is_none()
                && self.flow(id).await?.is_none()
            {
                return answer.map(|()| node);
            }
            if tokio::time::Instant::now() >= ends {
                let why = self
                    .explain(id)
                    .await?
                    .map(|blocked| format!(": {blocked}"))
                    .unwrap_or_default();
                let what = format!(
                    "node {} is in state \"{}\"{why}",
                    node.label(),
                    node.provision_state
                );
                return Err(Error::Timeout {
                    what,
                    after: timeout,
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SLOWEST);
        }
    }
}

/// What went wrong with a node that has come to rest where it should not.
fn failure(node: &Node) -> Option<Error> {
    let now = node.provision_state;
    let failed = now.is_failure() || now == ProvisionState::Error;
    let fell_back = now == ProvisionState::Enroll && node.last_error.is_some();
    (failed || fell_back).then(|| {
        let error = node.last_error.clone().unwrap_or_default();
        Error::StateConflict {
            message: format!("the node is in state \"{now}\": {error}"),
        }
    })
}
