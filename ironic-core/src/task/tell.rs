//! Telling others what has happened to a node.

use serde_json::Value;

use super::TaskManager;
use crate::engine::Decision;
use crate::flow::Flow;
use crate::model::Node;
use crate::notify::{Event, Notification, Payload};
use crate::states::FlowKind;

impl TaskManager {
    /// Tells of everything that a decision has brought about.
    pub(super) async fn tell_all(&self, decision: &Decision) {
        for event in &decision.events {
            tracing::info!(node = %decision.node.uuid, ?event, "node changed");
        }
        let (node, flow) = (&decision.node, decision.flow.as_ref());
        self.tell_each(node, flow, &decision.events).await;
    }

    /// Tells of an event of a node, with the node as it is.
    pub(crate) async fn tell(&self, node: &Node, flow: Option<&Flow>, event: Event) {
        self.tell_each(node, flow, &[event]).await;
    }

    async fn tell_each(&self, node: &Node, flow: Option<&Flow>, events: &[Event]) {
        let wanted = events.iter();
        let mut wanted = wanted.filter(|event| self.notifier.wants(event.level()));
        let Some(first) = wanted.next() else {
            return;
        };
        let with_payload = self.notifier.wants_payload();
        let traits = if with_payload {
            self.trait_names(node).await
        } else {
            Vec::new()
        };
        for event in std::iter::once(first).chain(wanted) {
            let payload = if with_payload {
                Payload::of_node(event, node, &traits, current_step(flow))
            } else {
                Payload::of_node_in_brief(node)
            };
            self.tell_of(event.clone(), payload);
        }
    }

    /// Tells of an event.
    pub(crate) fn tell_of(&self, event: Event, payload: Payload) {
        let (now, host) = (self.context.clock.now(), &self.context.config.host);
        let notification = Notification::new(now, host, event, payload);
        self.notifier.notify(&notification);
    }

    async fn trait_names(&self, node: &Node) -> Vec<String> {
        match self.repository().trait_names(node.uuid).await {
            Ok(names) => names.into_iter().collect(),
            Err(error) => {
                tracing::warn!(node = %node.uuid, %error, "an event is told of without the node's traits");
                Vec::new()
            }
        }
    }
}

fn current_step(flow: Option<&Flow>) -> Option<(FlowKind, Value)> {
    let flow = flow?;
    let step = flow.plan.get(flow.cursor)?;
    Some((flow.kind, serde_json::to_value(step).ok()?))
}
