//! The health that a BMC reports of its machine.

use super::Inner;
use crate::Error;
use crate::driver::SharedTask;
use crate::model::{HistoryEvent, Node, Severity};
use crate::states::Health;
use crate::store::{Batch, StoreError, put_over};

/// How often a change is written again because somebody wrote to the node meanwhile.
const ATTEMPTS: u32 = 8;

impl Inner {
    /// Keeps a machine's health on its node's record, and each change of it in the node's
    /// history. What cannot be read stays as it was: that power could be is what counts.
    pub(super) async fn sync_health(&self, task: &SharedTask) {
        if !self.config.enable_health_monitoring {
            return;
        }
        let id = task.node().uuid;
        let written = match task.driver().management.health(task).await {
            Ok(health) => self.write_health(task.node(), health).await,
            Err(Error::Unsupported { .. }) => return,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(node = %id, %error, "the machine's health is not known");
        }
    }

    async fn write_health(&self, seen: &Node, health: Option<Health>) -> Result<(), Error> {
        let context = self.manager.context();
        let text = health.map(|health| health.to_string());
        if seen.health == text {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            let stored = context.repository.load::<Node>(seen.uuid).await?;
            if stored.value.health == text {
                return Ok(());
            }
            let mut node = stored.value.clone();
            let before = std::mem::replace(&mut node.health, text.clone());
            let show = |health: &Option<String>| match health {
                Some(health) => format!("\"{health}\""),
                None => "unknown".to_owned(),
            };
            let told = format!(
                "the machine's health is {}; it was {}",
                show(&text),
                show(&before)
            );
            let event = HistoryEvent::new(seen.uuid, Severity::Info, "monitoring", "health", &told);
            let event = event.met_by(&node, context.clock.now());
            let mut ops = vec![put_over(&stored, &node)?];
            ops.extend(self.manager.history_op(&event)?);
            match context.repository.commit(Batch { fence: None, ops }).await {
                Ok(_) if health.is_some_and(|health| health != Health::Ok) => {
                    tracing::warn!(node = %seen.uuid, "{told}");
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Conflict {
            what: "node",
            id: seen.uuid.to_string(),
        })
    }
}
