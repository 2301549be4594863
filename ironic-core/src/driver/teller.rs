use std::sync::Arc;

use serde_json::Value;

use super::TaskContext;
use crate::flow::Flow;
use crate::model::Node;
use crate::notify::{Event, Notification, Notifier, Payload};
use crate::states::FlowKind;

/// Tells others what happens to nodes.
#[derive(Clone)]
pub(crate) struct Teller {
    context: Arc<TaskContext>,
    notifier: Arc<dyn Notifier>,
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Teller")
    }
}

impl Teller {
    pub(crate) fn new(context: Arc<TaskContext>, notifier: Arc<dyn Notifier>) -> Self {
        Self { context, notifier }
    }

    /// Whom it tells.
    pub(crate) fn notifier(&self) -> &Arc<dyn Notifier> {
        &self.notifier
    }

    /// Tells of events of a node, with the node as it is.
    pub(crate) async fn tell_each(&self, node: &Node, flow: Option<&Flow>, events: &[Event]) {
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
        match self.context.repository.trait_names(node.uuid).await {
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
