use std::time::Duration;

use uuid::Uuid;

use super::Client;
use crate::Error;
use crate::model::Node;
use crate::states::ProvisionState;

/// The longest pause between two looks at a node.
const SLOWEST: Duration = Duration::from_millis(500);

impl Client {
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
            let failed = now.is_failure() || now == ProvisionState::Error;
            let fell_back = now == ProvisionState::Enroll && node.last_error.is_some();
            (failed || fell_back).then(|| {
                let error = node.last_error.clone().unwrap_or_default();
                Err(Error::StateConflict {
                    message: format!("the node is in state \"{now}\": {error}"),
                })
            })
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
