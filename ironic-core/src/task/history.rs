//! The one place where a node's history is written.

use uuid::Uuid;

use super::TaskManager;
use crate::Error;
use crate::model::HistoryEvent;
use crate::store::{Op, put_new};

impl TaskManager {
    /// What writes events that happen here and now, one after the other. Those of one batch are
    /// told apart by their identities alone, so these rise with them.
    pub(crate) fn history_ops(&self, events: &[HistoryEvent]) -> Result<Vec<Op>, Error> {
        let mut ids: Vec<_> = events.iter().map(|_| self.context.entropy.uuid()).collect();
        ids.sort_unstable();
        let ops = events.iter().zip(ids);
        ops.filter_map(|(event, id)| self.history_op_as(event, id).transpose())
            .collect()
    }

    /// What writes an event that happens here and now into its node's history; `None` where no
    /// history is kept.
    pub(crate) fn history_op(&self, event: &HistoryEvent) -> Result<Option<Op>, Error> {
        self.history_op_as(event, self.context.entropy.uuid())
    }

    fn history_op_as(&self, event: &HistoryEvent, id: Uuid) -> Result<Option<Op>, Error> {
        let context = &self.context;
        if !context.config.node_history {
            return Ok(None);
        }
        put_new(&HistoryEvent {
            uuid: id,
            created_at: context.clock.now(),
            conductor: context.config.host.clone(),
            ..event.clone()
        })
        .map(Some)
    }
}
