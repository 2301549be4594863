//! The steps of a node's ramdisk agent, as the node keeps them.

use serde_json::{Map, Value, json};

use super::{JsonMap, Node};
use crate::states::{FlowKind, InterfaceKind};

/// The flows for which an agent has steps.
const FLOWS: [FlowKind; 3] = [FlowKind::Clean, FlowKind::Deploy, FlowKind::Service];

impl Node {
    /// Under which key of `driver_internal_info` the agent's steps are kept while it runs (the
    /// original's key).
    pub(crate) fn agent_steps_key(flow: FlowKind) -> String {
        let word = match flow {
            FlowKind::Clean | FlowKind::Service => flow.as_str(),
            _ => "deploy",
        };
        format!("agent_cached_{word}_steps")
    }

    /// Forgets the agent's steps: another ramdisk may have others. That they were there stays
    /// known, for plans alone.
    pub(crate) fn forget_agent_steps(&mut self) {
        for flow in FLOWS {
            let steps = self
                .driver_internal_info
                .remove(&Self::agent_steps_key(flow));
            if let Some(steps) = steps {
                self.set_internal(&known_key(flow), steps);
            }
        }
    }

    /// The steps that the agent last had, by interface.
    pub(crate) fn known_agent_steps(&self, flow: FlowKind) -> Option<&Value> {
        self.driver_internal_info.get(&known_key(flow))
    }

    /// Takes the agent to have this step besides those that it has, with whatever arguments it
    /// is given.
    pub(crate) fn assume_agent_step(
        &mut self,
        flow: FlowKind,
        interface: InterfaceKind,
        step: &str,
        args: &JsonMap,
    ) {
        let args: Map<_, _> = args.keys().map(|name| (name.clone(), json!({}))).collect();
        let assumed = json!({"interface": interface, "step": step, "argsinfo": args});
        let key = Self::agent_steps_key(flow);
        let cached = self.driver_internal_info.entry(key);
        let by_interface = cached.or_insert_with(|| json!({}));
        if let Value::Object(by_interface) = by_interface {
            let steps = by_interface.entry(interface.as_str());
            if let Value::Array(steps) = steps.or_insert_with(|| json!([])) {
                steps.push(assumed);
            }
        }
    }
}

fn known_key(flow: FlowKind) -> String {
    format!("agent_known_{flow}_steps")
}
