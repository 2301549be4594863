//! Telling others of what has happened to a node.

use super::TaskManager;
use crate::engine::Decision;
use crate::flow::Flow;
use crate::model::Node;
use crate::notify::{Event, Payload};

impl TaskManager {
    /// Tells of everything that a decision has brought about.
    pub(super) async fn tell_all(&self, decision: &Decision) {
        for event in &decision.events {
            tracing::info!(node = %decision.node.uuid, ?event, "node changed");
        }
        let (node, flow) = (&decision.node, decision.flow.as_ref());
        self.teller.tell_each(node, flow, &decision.events).await;
    }

    /// Tells of an event of a node, with the node as it is.
    pub(crate) async fn tell(&self, node: &Node, flow: Option<&Flow>, event: Event) {
        self.teller.tell_each(node, flow, &[event]).await;
    }

    /// Tells of an event.
    pub(crate) fn tell_of(&self, event: Event, payload: Payload) {
        self.teller.tell_of(event, payload);
    }
}
