//! The one place where a node's history is written.

use super::TaskManager;
use crate::Error;
use crate::model::HistoryEvent;
use crate::store::{Op, put_new};

impl TaskManager {
    /// What writes an event that happens here and now into its node's history; `None` where no
    /// history is kept.
    pub(crate) fn history_op(&self, event: &HistoryEvent) -> Result<Option<Op>, Error> {
        let context = &self.context;
        if !context.config.node_history {
            return Ok(None);
        }
        put_new(&HistoryEvent {
            uuid: context.entropy.uuid(),
            created_at: context.clock.now(),
            conductor: context.config.host.clone(),
            ..event.clone()
        })
        .map(Some)
    }
}
